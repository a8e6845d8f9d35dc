"""Sample pages about changes, and the plain pages: invented, as in `page_samples`."""

from __future__ import annotations

from dataclasses import replace

from page_samples import RECENT, filters

from postroom.protocols.qr_code import qr_code
from postroom.web.parts.change_pages import (
    ApprovalsPage,
    ChangePage,
    ChangesPage,
    ConfirmPage,
    Decision,
    FormPage,
    KindGroup,
    KindItem,
    KindsPage,
    PlanPage,
    Undo,
    Waiting,
)
from postroom.web.parts.forms import Confirm, Field, Form, Option, Pager, Rows
from postroom.web.parts.owner_devices import LetIn, NewAppPassword, ShownAppPassword
from postroom.web.parts.plain import plain_edit
from postroom.web.parts.plain_pages import (
    Confirming,
    Notice,
    NotMe,
    OwnerCode,
    OwnerDone,
    OwnerGone,
    OwnerInvite,
    OwnerMailbox,
    Part,
    Recovery,
    SetUp,
)
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Cell,
    Code,
    Column,
    Crumb,
    Delivery,
    Evidence,
    Fact,
    Item,
    Note,
    PageHead,
    Progress,
    Row,
    StageStep,
    Strong,
    Table,
    Verdict,
)

HASH = "9f2c41d07be3a8155c02e9f71d4a6638b07e22c9f4a10d5b83e6197c4f20ab9d"
OBJECTS = (
    plain_edit(
        "record_sets",
        "harbor.test MX",
        {"values": ["10 mail.oldhost.example."], "ttl": 14400},
        {"values": ["10 mx.postroom.example."], "ttl": 3600},
        read="read 09:23",
    ),
    plain_edit(
        "mailboxes",
        "m.hale@harbor.example",
        {"suspended_at": None, "vip": False},
        {"suspended_at": "2026-11-24T09:12:00Z", "vip": True},
        url="/p/mailbox",
    ),
    plain_edit("aliases", "info@harbor.test", None, {"targets": ["a@harbor.example", "b@harbor.example"]}),
)
VERDICTS = (
    Verdict("hold", "MX changes on a domain that has been live", "high risk"),
    Verdict("allow", "No freeze stands on this client", "frozen"),
)
ASKED = (
    Fact("Proposed by", "Olive Osei, operator", "today 09:12, web"),
    Fact("Why", "Old host is given notice for 30 Nov."),
    Fact("Ticket", "MSP-4830"),
)
WAITS = (
    Delivery(("Node", Code("mx-a")), "accept the domain", Badge("waits", "waits for approval")),
    Delivery("Zone", "MX, last of all", Badge("waits", "after 1 is read back")),
)
DONE = (
    Delivery(
        ("Node", Code("mx-a")),
        "accept the domain, 66 addresses",
        Badge("good", "read back"),
        sent="09:36:12",
        when="09:36:13",
        evidence=(Evidence("RCPT TO:<info@harbor.test>", "250 2.1.5 Ok", "the running Postfix", "09:36:13"),),
        more="66 of 66 addresses agree",
    ),
    Delivery(
        Code("ns2.postroom.example"),
        "MX",
        Badge("unknown", "no answer"),
        sent="09:36:15",
        when="third try 09:38",
        evidence=(Evidence(words="no answer within 5 s, twice", server="ns2.postroom.example"),),
    ),
)
HELD = ChangePage(
    head=PageHead(
        "Receive mail for harbor.test here",
        "Change 4812 · Harbor Legal LLP · proposed 12 min ago by Olive Osei",
        crumbs=(Crumb("Changes", "/p/changes"), Crumb("Harbor Legal LLP", "/p/client")),
        badges=(Badge("warn", "Held", "player-pause"),),
        acts=(Act("Withdraw…", "/p/confirm", icon="x"),),
    ),
    done=False,
    stages=(
        StageStep("Proposed", "09:12 by Olive Osei", "done"),
        StageStep("Held", "1 reason, waits for one person", "now"),
        StageStep("Applied", "in one step"),
        StageStep("Verified", "when every target is read back"),
    ),
    objects=OBJECTS,
    objects_sub="3 objects of one client",
    left_out=(
        Item("The role of Ana Hale stays ended", "it opens access; give it again", acts=(Act("Give", "/p/form"),)),
    ),
    landing=Table("Where mail lands", (Column("To"), Column("Lands now")), (Row((Code("m.hale@"), "elsewhere")),)),
    not_touched=(("Web and other records: A, CAA,", Code("www")),),
    deliveries=WAITS,
    deliveries_sub="in this order, so that every stop is safe",
    decision=Decision(
        (("If you approve, for", Strong("Harbor Legal LLP"), "at once: the MX is written at 2 name servers."),),
        HASH,
        "/x",
        "/y",
    ),
    verdicts=VERDICTS,
    approvers=(
        Item("Ada Brandt", "Approver. This is you.", initials="AB"),
        Item("Olive Osei", "Proposed it, so may not approve it", "off", initials="OO"),
    ),
    approvers_sub="one of 2 is enough",
    asked=ASKED,
    plan=(Fact("Kind", Code("domains.add")), Fact("Version", "212 if applied now")),
    plan_hash=HASH,
)
APPLIED = replace(
    HELD,
    done=True,
    head=replace(HELD.head, badges=(Badge("warn", "Applied, 1 of 2 targets left", "clock-pause"),)),
    stages=(
        StageStep("Proposed", "09:12 by Olive Osei", "done"),
        StageStep("Approved", "09:36 by Ada Brandt", "done"),
        StageStep("Applied", "09:36:11, version 212", "now", "clock-pause"),
        StageStep("Verified", "1 of 2 targets"),
    ),
    deliveries=DONE,
    incomplete=(Item(("Zone at", Code("ns2.postroom.example")), "no answer; next try 09:38", "warn"),),
    progress=Progress("Read back", 1, 2, "next try 09:38; it goes on when you leave", "/p/applied"),
    decision=None,
    undo=Undo(
        ("MX as found, TTL 14400",), ("12 messages that came in",), "Alone until 10:06.", Act("Show the plan", "/x")
    ),
    happened=RECENT,
)
CHANGES = ChangesPage(
    head=PageHead("Changes", "who, why, before and after"),
    filters=replace(
        filters("Changes", "Harbor Legal LLP", "since yesterday"),
        fields=(
            *filters("Changes").fields,
            Field("object", "About", "text", "mia@harbor.test", placeholder="address, domain, client, id"),
            Field("since", "From", "date", "2026-11-29"),
        ),
    ),
    lines=RECENT,
    pager=Pager("3 shown, newest first", "?after=4811", "Older"),
)
APPROVALS = ApprovalsPage(
    head=PageHead("Approvals", "1 waits for you · oldest 12 min"),
    waiting=(
        Waiting(
            "Receive mail for harbor.test here",
            "/p/change",
            "Harbor Legal LLP · Olive Osei, operator · waits 12 min",
            "Old host is given notice. MSP-4830",
            OBJECTS[:1],
            VERDICTS,
            "1 of 2 people is enough.",
        ),
    ),
    reviews=Table("To review", (Column("What"), Column("Due")), (Row(("Emergency", Badge("warn", "in 9 h"))),)),
    yours=Table(
        "Proposed by you",
        (Column("Change"), Column("Since"), Column("Act", num=True, hidden=True)),
        (
            Row(
                (("Remove", Code("temp@wren.example")), "yesterday", Cell(acts=(Act("Withdraw", "/x", method="post"),)))
            ),
        ),
    ),
    decided=RECENT[1:],
)
MAILBOX_ROW = (
    Field("mailboxes-0-address", "Address", value="sales@harbor.exmple", error="No such domain", required=True),
    Field("mailboxes-0-kind", "Kind", "select", "person", options=(Option("person", "Person"), Option("role", "Role"))),
)
FORM = FormPage(
    head=PageHead("Add mailboxes", "Harbor Legal LLP", crumbs=(Crumb("What can be done", "/p/kinds"),)),
    about="Nobody can sign in until the owner has set the password.",
    notes=(
        Note(
            "3 were chosen, 1 row below; 2 left out",
            tone="warn",
            lines=(
                "@harbor.example to ana@partner.example: caught for a whole domain, which no exception covers.",
                "leo@harbor.example to an unknown target: worked out by a script when mail comes.",
            ),
        ),
    ),
    form=Form(
        (
            Field("client", "Client", "text", "harbor", suggest=(Option("harbor", "Harbor Legal LLP"),), required=True),
            Rows(
                "mailboxes",
                "Mailboxes",
                (
                    MAILBOX_ROW,
                    tuple(replace(field, name=field.name.replace("0", "1"), error="") for field in MAILBOX_ROW),
                ),
                tuple(
                    replace(field, name=field.name.replace("0", "__n__"), error="", value="") for field in MAILBOX_ROW
                ),
                hint="The whole address, with its domain",
                noun="mailbox",
            ),
            Field("vip", "VIP: changes need a second person", "checkbox"),
            Field("why", "Why", "textarea", error="Say why; it stands in the record", required=True),
            Field("ticket", "Ticket"),
        ),
        "Show the plan",
        back=Act("Not now", "/p/mailboxes"),
        errors=("The client is frozen until Wed 08:00",),
    ),
    facts=ASKED[1:],
)
PLAN = PlanPage(
    head=PageHead("The plan: receive mail for harbor.test here", "Nothing is changed yet"),
    objects=OBJECTS,
    objects_sub="3 objects of one client",
    verdicts=VERDICTS,
    deliveries=WAITS,
    facts=ASKED,
    not_touched=("DMARC stays as it is",),
    what=(("For", Strong("Harbor Legal LLP"), ": it is held for a second person, then applied in one step."),),
    form=Form((), "Propose it: receive mail for harbor.test", hidden=(("plan_hash", HASH),), icon="send"),
    back=Act("Change it", "/p/form"),
)
REFUSED = replace(PLAN, form=None, verdicts=(Verdict("refuse", "The SPF in use would be lost", "DNS role guard"),))
CONFIRM = ConfirmPage(
    head=PageHead("Remove m.hale@harbor.example", crumbs=(Crumb("m.hale@harbor.example", "/p/mailbox"),)),
    confirm=Confirm(
        "Remove m.hale@harbor.example?",
        (
            (Strong("Harbor Legal LLP"), ", Marian Hale (VIP): 3 sessions end and she cannot sign in."),
            "Mail is kept for 30 days and the address stays taken. It is held for a second person.",
        ),
        Form(
            (Field("typed", "Type m.hale to go on", required=True), Field("why", "Why", "textarea", required=True)),
            "Remove Marian Hale",
            weight="danger",
            icon="trash",
        ),
        Act("Keep as it is", "/p/mailbox"),
    ),
)
KINDS = KindsPage(
    head=PageHead("What can be done", "each shows its plan first"),
    groups=(
        KindGroup(
            "Mailboxes", "mailbox", (KindItem("Add mailboxes", "/p/form", "Of one client.", "mailboxes.create"),)
        ),
        KindGroup("Freezes", "snowflake", (KindItem("Start a freeze", "/p/form", "", "freezes.start"),)),
    ),
)
AROUND = {"organization": "Northlight", "client": "Harbor Legal LLP", "foot": (Act("I did not expect this", "/x"),)}
INVITE = OwnerInvite(
    **AROUND,
    address="s.lindgren@harbor.example",
    until="Fri 27 Nov, 09:10",
    form=Form(
        (
            Field(
                "password",
                "Password",
                "password",
                hint="At least 15 characters. Four or five unlikely words are good.",
                error="This one is on a list of passwords that are known to others. Take another.",
                required=True,
                autocomplete="new-password",
                minlength=15,
                maxlength=256,
            ),
            Field("again", "The same again", "password", required=True, autocomplete="new-password"),
        ),
        "Set password and go on",
    ),
)
CODE = OwnerCode(
    **AROUND, address="s.lindgren@harbor.example", set_at="24 Nov 09:26", code=("K7QD-M3XW", "9RTP-2HVC"), next_url="/x"
)
SETTINGS = OwnerDone(**AROUND, address="s.lindgren@harbor.example", settings=(("IMAP", "mx.postroom.example, 993"),))
DEVICES = OwnerMailbox(
    **AROUND,
    address="s.lindgren@harbor.example",
    parts=(
        Part(
            "App passwords",
            "owner/parts/app_passwords.html",
            (
                Item(Strong("Phone"), "may read mail, send mail", icon="key", acts=(Act("End", "/x", of="Phone"),)),
                Item("One for another device", icon="plus", acts=(Act("Make one", "/x", of="an app password"),)),
            ),
        ),
    ),
    out=Act("Sign out", "/x", method="post"),
)
NEW_APP_PASSWORD = NewAppPassword(
    **AROUND,
    address="s.lindgren@harbor.example",
    form=Form(
        (
            Field("name", "Which device or program is it for?", required=True, maxlength=80, hint="Such as Phone."),
            Field("imap", "It may read mail", "checkbox", value="on", error="Choose what it may do."),
            Field("until", "Last day", "date"),
            Field("password", "The password of this mailbox", "password", required=True),
        ),
        "Make it",
        "/x",
    ),
    back=Act("Not now", "/x"),
)
LET_IN = LetIn(
    **AROUND,
    address="s.lindgren@harbor.example",
    app="Birdmail",
    back_to="the app on this device (127.0.0.1)",
    form=Form(
        (
            Field("asked", "", "hidden", "client_id=x"),
            Field("name", "Which device is it?", value="Birdmail", required=True, maxlength=80),
            Field("imap", "It may read mail", "checkbox", value="on", error="Choose what it may do."),
            Field("until", "Last day", "date", value="2027-11-30", required=True),
            Field("password", "The password of this mailbox", "password", required=True),
        ),
        "Let it in",
        "/x",
    ),
)
APP_PASSWORD = ShownAppPassword(
    **AROUND,
    address="s.lindgren@harbor.example",
    name="Phone",
    secret="a2bc-d3ef-g4hj-k5mn-p6qr-s7tu-v8wx",
    may="read mail, send mail",
    back=Act("To my mailbox", "/x"),
)
SET_UP = SetUp(
    organization="Northlight",
    form=Form((Field("emailaddress", "Your mail address", "email", "s.lindgren@harbor.example"),), "Show", "/p/set-up"),
    settings=(("Incoming (IMAP)", "mx.postroom.example, port 993, TLS"), ("User name", "s.lindgren@harbor.example")),
    qr=qr_code("https://postroom.northlight.example/setup/?emailaddress=s.lindgren%40harbor.example"),
    address="s.lindgren@harbor.example", profile_url="/p/set-up",
)  # fmt: skip
GONE = OwnerGone(
    **AROUND,
    title="This link does not work any more",
    why="It ran out Fri 27 Nov 09:10.",
    ask="Ask Northlight for one.",
)
NOT_ME = NotMe(
    organization="Northlight",
    facts=(
        ("What", "Remove mailbox s.lindgren@harbor.example (client Harbor)"),
        ("By", "Oskar Lind, oskar@northlight.example"),
        ("Why", "They left"),
        ("Held because", "removes 1 mailbox"),
        ("Will be made", "25 November 2026, 09:10 UTC"),
    ),
    form=Form((), "This was not me: stop it", "/x"),
)
CONFIRMING = Confirming(
    organization="Northlight",
    title="Is this address read still?",
    facts=(("Mailbox", "s.lindgren@harbor.example"), ("Address", "sofia.lindgren@a-long-way-from-home.example")),
    form=Form((), "Yes, it is", "/x"),
    wrong="If you know nothing of this mailbox, close this page, and tell Northlight: somebody may have mistyped.",
)
RECOVER = Recovery(
    organization="",
    title="I cannot sign in",
    lead="A link comes by mail. With it you choose another password; your second factor is asked too.",
    form=Form((Field("email", "The address you sign in with", "email", required=True),), "Send me a link", "/x"),
)
REGAIN = Recovery(
    organization="",
    title="Choose another password",
    lead="With your second factor: a code, or a passkey.",
    address="olive@northlight.example",
    form=Form(
        (
            Field("password", "Password", "password", required=True, hint="At least 12 characters."),
            Field(
                "code", "Code of your app, or a recovery code", error="Incorrect code.", autocomplete="one-time-code"
            ),
        ),
        "Set it",
        "/x",
    ),
    lost=True,
)
NOTICE = Notice(
    organization="Northlight",
    title="One thing first",
    words=("Your role changes other people’s mail.",),
    note=Note("No other page answers yet", icon="lock"),
    acts=(Act("Go on", "/x", weight="primary"),),
)
