"""Pages of a mailbox's owner, as a view would fill them."""

from __future__ import annotations

from postroom.web.parts.forms import Field, Form
from postroom.web.parts.plain_pages import OwnerForm, OwnerMailbox, OwnerParts, OwnerSignIn, OwnerStory, Part
from postroom.web.parts.shapes import Act, Badge, Code, Item, Strong

ITEMS = "owner/parts/items.html"
ADDRESS = Field("address", "Your mail address", "email", required=True, autocomplete="username")
SIGN_IN = OwnerSignIn(
    organization="",
    form=Form(
        (
            ADDRESS,
            Field("password", "Its password", "password", error="That is not it.", required=True,
                  autocomplete="current-password"),
        ),
        "Sign in", "/x",
    ),
    acts=(Act("I cannot get in", "/x", icon="key"),),
)  # fmt: skip
LOOK = (Act("Look", "/x", of="at what happened"),)
MAILBOX = OwnerMailbox(
    organization="Northlight", client="Harbor Legal LLP", address="s.lindgren@harbor.example",
    parts=(
        Part("Is anything strange?", ITEMS, (
            Item("One change you do not know", "said 09:12 UTC; it is being looked into", "warn", acts=LOOK),
            Item("Nothing new leads your mail, or the way in, to somebody else", "in 14 days", "ok", acts=LOOK),
            Item("Last signed in 08:40 UTC", ("from", Code("2001:db8:2f3:aa00:91b2:7cff:fe01:9a4e"),
                                              "· 7 wrong passwords in seven days"), "warn", icon="login", acts=LOOK),
        )),
        Part("Signed in now", ITEMS, (
            Item((Badge("unknown", "unknown"), "which mail programs are signed in"), "and this browser at these pages",
                 icon="question-mark", acts=(Act("See them", "/x", of="where you are signed in"),)),
        )),
        Part("Who can reset this mailbox?", ITEMS, (
            Item("Your password", "you alone know it · set 24 Nov 09:26 UTC", icon="lock",
                 acts=(Act("Change it", "/x", of="Your password"),)),
            Item("Your recovery code", "not set", icon="key", acts=(Act("Make another", "/x", of="Your code"),)),
            Item("Carl Meyer", "client admin · can have a link sent by which another password is set", icon="user-cog"),
        )),
        Part("Other addresses", ITEMS, (
            Item((Code("sales@harbor.example"),), "mail to it lands here, and at 3 more", icon="at"),
        )),
        Part("Who opened or changed it", ITEMS, (
            Item("Looked at mailbox s.lindgren@harbor.example", "09:12 UTC · Olive Brandt", icon="eye",
                 acts=(Act("Not known?", "/x", weight="ghost", of="Looked at mailbox"),)),
        )),
    ),
    out=Act("Sign out", "/x", method="post"),
)  # fmt: skip
SESSIONS = OwnerParts(
    organization="", client="Harbor Legal LLP", title="Where you are signed in", lead="One that you do not know?",
    parts=(
        Part("Phones, computers and mail programs", ITEMS, (
            Item(Strong("Phone"), ("reads mail with Thunderbird", "· from", Code("192.0.2.7"), "· since 08:40 UTC"),
                 icon="device-desktop"),
            Item((Badge("unknown", "not known"), "which password"), ("sends mail", "· from where is not known"),
                 icon="device-desktop"),
        )),
        Part("Sign out one device", ITEMS, (
            Item(Strong("Phone"), "its app password stays good, so it can sign in again", icon="device-mobile",
                 acts=(Act("Sign out", "/x", method="post", of="Phone"),)),
        )),
        Part("Browsers signed in to these pages", ITEMS, (
            Item((Code("192.0.2.7"),), "Mozilla/5.0 (X11; Linux x86_64) · since 08:40, last seen 09:12 UTC",
                 icon="device-desktop", badge=Badge("good", "This one")),
        )),
    ),
    acts=(Act("Sign out everywhere else", "/x", weight="danger", method="post"),
          Act("Who signed in lately", "/x", "history")),
)  # fmt: skip
DOUBT = OwnerForm(
    organization="", client="Harbor Legal LLP", title="You do not know this?", lead="They look into it.",
    items=(Item("Add aliases", "09:12 UTC · Carl Meyer · for the front desk", icon="point"),),
    form=Form((), "I do not know it", "/x"), back=Act("I do know it", "/x"),
)  # fmt: skip
PASSWORD = OwnerForm(
    organization="", client="Harbor Legal LLP", title="Back into your mailbox", lead="By the code that you kept.",
    form=Form((ADDRESS, Field("code", "Your recovery code", hint="Six groups of five.", error="That is not it.")),
              "Set my password", "/x"),
    back=Act("To the sign-in", "/x"), other=Act("I have no code: mail me a link", "/x"),
)  # fmt: skip
STORY = OwnerStory(
    organization="Northlight", client="Harbor Legal LLP", title="Do you know these changes?",
    lead="Each could send your mail to somebody else.",
    items=(Item("Add aliases", "09:12 UTC · Carl Meyer · for the front desk", "warn",
                badge=Badge("warn", "you do not know it")),), none="There was none.",
    further=Act("Earlier", "/x"), asks=True, acts=(Act("This was not me", "/x", "alert-triangle", "asks"),),
)  # fmt: skip
