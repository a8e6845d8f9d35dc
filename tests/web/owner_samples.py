"""Pages of a mailbox's owner, as a view would fill them."""

from __future__ import annotations

from postroom.web.parts.forms import Field, Form
from postroom.web.parts.plain_pages import OwnerForm, OwnerMailbox, OwnerSignIn, OwnerStory, Part
from postroom.web.parts.shapes import Act, Code, Item

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
MAILBOX = OwnerMailbox(
    organization="Northlight", client="Harbor Legal LLP", address="s.lindgren@harbor.example",
    parts=(
        Part("Your password and recovery code", ITEMS, (
            Item("Password", "set 24 Nov 09:26 UTC", icon="lock", acts=(Act("Another one", "/x", of="Password"),)),
            Item("Recovery code", "not set", icon="key", acts=(Act("Another one", "/x", of="Recovery code"),)),
        )),
        Part("Other addresses", ITEMS, (Item((Code("sales@harbor.example"),), "mail to it lands here", icon="at"),)),
        Part("Who opened or changed it", ITEMS, (
            Item("Looked at mailbox s.lindgren@harbor.example", "09:12 UTC · Olive Brandt", icon="eye"),
        )),
    ),
    out=Act("Sign out", "/x", method="post"),
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
    items=(Item("Add aliases", "09:12 UTC · Carl Meyer · for the front desk"),), none="There was none.",
    further=Act("Earlier", "/x"), asks=True,
)  # fmt: skip
