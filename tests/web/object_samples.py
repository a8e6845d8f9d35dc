"""Sample pages of single objects and their lists, and every word for a state once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from page_samples import ALL, GOOD, RECENT, TICK, UNKNOWN, UNMEASURED, filters

from postroom.web.parts.forms import Field, Form, Pager
from postroom.web.parts.pages import (
    Check,
    DomainPage,
    FindingPage,
    FindingsPage,
    InvitesPage,
    Layer,
    MailboxesPage,
    MailboxPage,
    MailboxSignIns,
    NodesPage,
    PeoplePage,
    PersonPage,
)
from postroom.web.parts.plain_pages import OwnSessions
from postroom.web.parts.route_pages import DestinationsPage, ExceptionsPage, LeavingPage, LooksPage, TracePage, ViewPage
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Bulk,
    BulkAct,
    Cell,
    Code,
    Column,
    Crumb,
    Fact,
    FieldDiff,
    Item,
    Link,
    Loading,
    Note,
    PageHead,
    Progress,
    Row,
    State,
    Strong,
    Table,
    Weight,
)
from postroom.web.parts.shown_once import CopiedLink, LinkPage

DOMAIN = DomainPage(
    head=PageHead(
        "harbor.example",
        "hosted here · 24 mailboxes · last read 09:23",
        crumbs=(Crumb("Domains", "/p/domains"), Crumb("Harbor Legal LLP", "/p/client")),
        badges=(Badge("bad", "DKIM fails"),),
        acts=(Act("Change", "/p/form", icon="pencil", weight="primary"),),
    ),
    notes=(
        Note(
            "Mail from harbor.example fails DKIM since 09:12",
            "The record of key pr1 is gone at both name servers.",
            tone="bad",
            acts=(Act("Publish pr1 again", "/x", icon="arrow-back-up", weight="danger", method="post"),),
        ),
    ),
    checks_sub="read from the name servers themselves",
    checks=(
        Check("DKIM", Badge("bad", "pr1 is not published"), "Signed mail fails.", Act("Publish again", "/p/form")),
        Check("SPF", Badge("good", "1 of 10 look-ups, ends in -all")),
        Check("TLS-RPT", UNMEASURED),
        Check("DNSSEC", UNKNOWN),
    ),
    proof=(
        Item("Delegated to us in the parent zone", "read 09:20", "ok"),
        Item("Our TXT token", "not seen at the present name servers", "off"),
    ),
    records_sub="4 with a say in mail",
    by_hand=(
        "harbor.example. 3600 IN MX 10 mx.postroom.example.",
        f'pr1._domainkey.harbor.example. 3600 IN TXT "{"k" * 250}"',
    ),
    by_hand_why="by Gus at Globex, in place of what stands under the same name and type",
    records=Table(
        "Record sets",
        (Column("Record"), Column("As found"), Column("Wanted"), Column("Live now")),
        (
            Row((Cell(Strong("MX"), "@"), Code("10 mail.old.example."), Code("10 mx.postroom.example."), GOOD)),
            Row(
                (
                    Cell(Strong("TXT, DKIM"), "pr1._domainkey"),
                    "none",
                    Code("v=DKIM1; k=rsa; p=MIIB" + "A" * 200),
                    UNKNOWN,
                )
            ),
        ),
        high=True,
    ),
    keys=Table("Signing keys", (Column("Selector"), Column("State")), (Row((Code("pr1"), Badge("good", "signs"))),)),
    landing=Table(
        "Where mail lands",
        (Column("Address"), Column("Lands in")),
        (Row((Code("info@"), ("mailbox", Code("dana@harbor.example")))), Row((Code("x@"), Badge("warn", "refused")))),
    ),
    recent=RECENT,
    changes_url=ALL,
    holders=(Fact("Registrar", "Example Registrar AG", "account of the client"), Fact("DNS", "Postroom")),
    facts=(Fact("Client", Link("Harbor Legal LLP", "/p/client")), Fact("Ends", Badge("warn", "in 23 days"))),
)
BOXES = Table(
    "Mailboxes",
    (
        Column("Address"),
        Column("Owner", phone="under"),
        Column("Kind", phone="gone"),
        Column("Sign-in", phone="right"),
        Column("Quota, GB", num=True, phone="gone"),
        Column("Note", phone="under"),
    ),
    tuple(
        Row(
            (Link(f"{who}@harbor.example", "/p/mailbox", True), who.title(), "person", state, "10", note),
            value=f"{who}@harbor.example",
        )
        for who, state, note in (
            ("abbott", Badge("good", "Works"), ""),
            ("almeida", Badge("waits", "invited", "hourglass"), Cell("", "link until Fri 09:10")),
            ("bauer", Badge("fact", "Suspended", "lock"), Cell("", "by Olive Osei")),
            ("fischer", UNKNOWN, ""),
        )
    ),
    bulk=Bulk(
        "/bulk",
        "mailbox",
        (BulkAct("New invite link…", "invite", "mail"), BulkAct("Suspend…", "suspend", "lock", "asks")),
        "mailboxes",
    ),
    dense=True,
)
MAILBOXES = MailboxesPage(
    head=PageHead("Mailboxes", acts=(Act("Add mailboxes", "/p/form", icon="plus", weight="primary"),)),
    label="Mailboxes",
    filters=filters("Mailboxes", "harbor.example"),
    table=BOXES,
    pager=Pager("4 shown, abbott to fischer", "?after=fischer", "Next 4", "?"),
)
MAILBOX = MailboxPage(
    head=PageHead(
        "m.hale@harbor.example",
        "Marian Hale, managing partner · Harbor Legal LLP",
        crumbs=(Crumb("Mailboxes", "/p/mailboxes"), Crumb("harbor.example", "/p/domain")),
        badges=(Badge("fact", "VIP", "star"), Badge("good", "Active")),
        acts=(Act("New link", "/p/form", icon="mail"), Act("Suspend…", "/p/confirm", icon="lock", weight="asks")),
    ),
    layers=(
        Layer("Owner", "Marian Hale", "since 3 Mar 2026", "MH", ("Holds the password",), ("Cannot forward outside",)),
        Layer("Operator", "Northlight", "5 people by grant", "NL", ("Suspends, routes",), ("Never sees the password",)),
        Layer("Client admin", "Ana Hale", "until 2 Mar 2027", "AH", ("Asks for changes",), ("Cannot reset alone",)),
    ),
    resets=(
        Item(
            "Registrar login", "belongs to a leaver", "bad", badge=Badge("bad", "Weakest"), marked=True, icon="license"
        ),
        Item("Owner’s recovery code", "one use", "ok", icon="id"),
    ),
    credentials=Table(
        "Credentials",
        (Column("Credential"), Column("Last use"), Column("Act", num=True, hidden=True)),
        (Row((Cell(Strong("Main password"), "set by the owner"), "08:55", Cell(acts=(Act("End", "/x", of="it"),)))),),
    ),
    sessions=Table("Live sessions", (Column("Session"), Column("From")), (Row(("IMAP", Code("198.51.100.24"))),)),
    sessions_note=("What a phone keeps is", Badge("unknown", "unknown"), "."),
    sessions_acts=(Act("End all…", "/p/form", icon="player-stop", weight="asks"),),
    facts=(Fact("Kind", "person"), Fact("Sign-in", GOOD), Fact("Filters", Badge("blocks", "unknown: not read"))),
    routes=(Item(("Alias", Code("partners@"), "lands here"), "since 2019", icon="route"),),
    recent=RECENT,
    changes_url=ALL,
)
TRIES = Table(
    "Sign-ins",
    (Column("When"), Column("What came of it", phone="right"), Column("Protocol"), Column("From"), Column("Program")),
    (
        Row(
            (Cell("09:12:07", "4 times within an hour"), Badge("good", "signed in"), "IMAP", Code("198.51.100.24"), "B")
        ),
        Row(("09:10:44", Badge("warn", "refused: too many"), "ManageSieve", Code("2001:db8:1:2:3:4:5:6"), "–")),
    ),
    dense=True,
)
SIGN_INS = MailboxSignIns(
    head=PageHead("Sign-ins", "m.hale@harbor.example", crumbs=(Crumb("Mailboxes", "/p/mailboxes"),)),
    label="Sign-ins",
    table=TRIES,
    pager=Pager("2 shown, 09:12:07 to 09:10:44", "?after=7"),
)
MAILBOX = replace(MAILBOX, sign_ins=TRIES, sign_ins_url=ALL)
TRACE = TracePage(
    head=PageHead("Where mail lands", "office@harbor.example"),
    form=Form((Field("address", "Address", value="office@harbor.example"),), "Trace", "/p/trace", icon="route"),
    at="09:12",
    traced=True,
    hops=(
        Item(
            (Code("office@harbor.example"), "alias, passes it on to", Code("m.hale@harbor.example")),
            (Link("Add alias, by Olive Brandt, 12 Nov 10:02", "/p/change"), "“new number”."),
            icon="route",
        ),
        Item(
            (Code("m.hale@harbor.example"), "filter, to", Code("max@private.example"), Badge("warn", "sometimes")),
            "As its node read it 09:10. Until 31 Dec.",
            "warn",
            "route",
        ),
    ),
    ends=(
        Item(("sometimes", Code("m.hale@harbor.example")), tone="ok", icon="mailbox"),
        Item((Badge("warn", "outside", "world"), Code("max@private.example")), tone="warn", icon="world"),
        Item((Badge("bad", "nowhere", "ban"), "old@harbor.example: no such address"), tone="bad", icon="ban"),
        Item((Badge("unknown", "unknown"), "where", Code("k@harbor.example"), "sends it on"), icon="question-mark"),
    ),
    proof=(Badge("bad", "not as computed"), Link("asked for 09:11", "/p/change"), "sent 09:11"),
    proven=(
        Item((Code("m.hale@harbor.example"), "arrived in Lists"), "09:12.", "ok", "mailbox"),
        Item((Code("max@private.example"), Badge("unknown", "not arrived yet")), icon="world"),
        Item((Code("spy@evil.example"), "left to outside", Badge("bad", "not computed")), "09:12.", "warn", "world"),
    ),
    prove=Act("Prove it", "/p/form", "send", of="office@harbor.example"),
    leads=(
        Item((Code("info@harbor.example"), "by alias"), icon="route", acts=(Act("Trace", "/p/trace", of="info"),)),
        Item((Badge("unknown", "not shown"), "3 more may lead here"), icon="route"),
    ),
)  # fmt: skip
PEOPLE = PeoplePage(
    head=PageHead("People", acts=(Act("Invite a person", "/p/form", icon="user-plus", weight="primary"),)),
    label="People",
    filters=filters("People"),
    table=Table(
        "People",
        (Column("Person"), Column("Roles"), Column("Second factor"), Column("Last seen")),
        (Row((Cell(Link("Ada Brandt", "/p/person", True), "ada@northlight.example"), "approver", TICK, "09:10")),),
    ),
)
PERSON = PersonPage(
    head=PageHead("Ada Brandt", "ada@northlight.example", crumbs=(Crumb("People", "/p/people"),)),
    grants=Table(
        "Roles",
        (Column("Role"), Column("Where"), Column("Until"), Column("Act", num=True, hidden=True)),
        (Row((Cell(Strong("approver"), "on call"), "Northlight", "no end", Cell(acts=(Act("End…", "/p/confirm"),)))),),
    ),
    tokens=Table(
        "Tokens",
        (Column("Token"), Column("May"), Column("Last used"), Column("Until"), Column("Act", num=True, hidden=True)),
        (
            Row(
                (
                    Cell(Strong("CI"), ("at 2 clients", "· from 192.0.2.0/24")),
                    Code("domains.view, changes.view"),
                    Cell("09:12", "from 192.0.2.7"),
                    "24 Feb 2027",
                    Cell(acts=(Act("End…", "/p/confirm", of="CI", weight="asks"),)),
                )
            ),
        ),
    ),
    sessions=Table(
        "Where this person is signed in",
        (Column("In"), Column("From"), Column("Since"), Column("Act", num=True, hidden=True)),
        (
            Row(("Firefox on Linux", Code("192.0.2.7"), Cell("09:10", "last seen 09:12"), "")),
            Row(
                (
                    Cell(Strong("laptop"), "a terminal"),
                    Badge("unmeasured", "not kept"),
                    Cell("08:10", "until 20:10"),
                    Cell(acts=(Act("End…", "/p/confirm", of="laptop", weight="asks"),)),
                )
            ),
        ),
    ),
    sessions_note="End all, as a suspension does, signs out all of it at once: what was open by then stays shut.",
    sessions_acts=(Act("End all…", "/p/confirm", "player-stop", "asks"),),
    sign_in=(Fact("Second factor", Badge("good", "authenticator app, 3 Mar")),),
    facts=(Fact("Mail", Code("ada@northlight.example")),),
    recent=RECENT,
    changes_url=ALL,
)
NODES = NodesPage(
    head=PageHead("Nodes"),
    label="Nodes",
    table=Table(
        "Nodes",
        (Column("Node"), Column("Region"), Column("Heartbeat"), Column("Waiting", num=True)),
        (
            Row((Code("mx-a"), "fra", Badge("good", "09:24:08"), "0")),
            Row((Code("mx-b"), "ham", Badge("bad", "silent since 09:02"), "14")),
        ),
    ),
)
INVITE_ACTS = (
    Act("Send again", "/p/form", of="almeida@harbor.example"),
    Act("Copy link", "/p/form", of="almeida@harbor.example"),
    Act("Other recipient", "/p/form", of="almeida@harbor.example"),
    Act("Cancel…", "/p/confirm", of="almeida@harbor.example", weight="asks"),
)
INVITES = InvitesPage(
    head=PageHead("Pending invites", "sent, and not used yet", crumbs=(Crumb("Mailboxes", "/p/mailboxes"),)),
    label="Invites",
    filters=filters("Invites", "Ran out"),
    table=Table(
        "Invites",
        (Column("For"), Column("Sent to"), Column("Mail"), Column("Link"), Column("Waits"),
         Column("Act", num=True, hidden=True)),
        tuple(
            Row((
                (Link(f"{who}@harbor.example", "/p/mailbox", True), vip), Cell(Code(f"{who}@home.test"), asked), mail,
                Cell(link, reminder), Cell(age, "since 24 Nov 09:10"), Cell(acts=acts),
            ), value=who, name=f"{who}@harbor.example")
            for who, vip, asked, mail, link, reminder, age, acts in (
                ("almeida", "", "", Cell(Badge("waits", "handed over", "mail"), "250 2.0.0 Ok: queued as 4XyZ"),
                 Badge("waits", "good until Fri 09:10", "hourglass"), "reminder 26 Nov 09:10", "5 h", INVITE_ACTS),
                ("hale", Badge("fact", "VIP", "star"), "asked for 2 times",
                 Cell(Badge("warn", "not handed over yet"), "our own submission at 127.0.0.1:587: refused"),
                 Badge("waits", "not sent yet", "clock"), "", "12 min", INVITE_ACTS[:1] + INVITE_ACTS[2:]),
                ("old", "", "", Cell(Badge("waits", "handed over", "mail"), "250 2.0.0 Ok: queued as 4XyA"),
                 Badge("warn", "ran out 20 Nov 09:10"), "reminded 19 Nov 09:10", "9 days", INVITE_ACTS),
            )
        ),
        bulk=Bulk("/do/", "invite", (BulkAct("Send again…", "invites.resend", "mail"),
                                     BulkAct("Cancel…", "invites.cancel", "mail-off", "asks")), "invites"),
        dense=True,
    ),
)  # fmt: skip
LINK = LinkPage(
    head=PageHead("A new link for almeida@harbor.example", crumbs=(Crumb("Pending invites", "/p/invites"),)),
    copied=CopiedLink("almeida@harbor.example", "https://localhost/i/" + "x" * 43, "Fri 27 Nov 09:10"),
    back=Act("Back to the list", "/p/invites"),
)


@dataclass(frozen=True)
class States:
    """Every word for a state, every note and button, once."""

    badges: tuple[Badge, ...]
    failed: tuple[Note, ...]
    tones: tuple[Note, ...]
    buttons: tuple[Act, ...]
    loading: Loading
    nav = ""


STATES = States(
    tuple(Badge(state, f"{state}, so it is") for state in get_args(State)),
    (Note("This part could not be read", "mx-b did not answer.", "bad", alert=True, acts=(Act("Read again", "/x"),)),),
    tuple(Note("Registrar lock is off", "One line.", tone) for tone in ("plain", "warn", "bad", "frozen")),
    tuple(Act(f"Button, {weight}", "/x", "check", weight) for weight in get_args(Weight)),
    Loading("Asking 4 name servers, 2 answered, at most 5 s"),
)

SESSIONS = OwnSessions(
    organization="",
    browsers=(
        Item(
            (Code("192.0.2.7"),),
            "Firefox 140 · since 08:12, last seen 09:23 UTC",
            icon="device-desktop",
            badge=Badge("good", "This one"),
        ),
        Item(
            (Code("2001:db8::9"),),
            "Safari 26 · since Mon 16:02, last seen Mon 16:40 UTC",
            icon="device-desktop",
            acts=(Act("End it", "/x", method="post", of="the session at 2001:db8::9"),),
        ),
    ),
    devices=(
        Item(
            "Firefox on Linux",
            "in 192.0.0.0/16: not registered",
            icon="device-desktop",
            acts=(Act("Register this one", "/x", method="post"),),
        ),
        Item(
            "Safari on iOS",
            "in 2001:db8::/48, registered Mon 16:02 UTC",
            icon="device-desktop",
            acts=(Act("Forget it", "/x", method="post", of="Safari on iOS in 2001:db8::/48"),),
        ),
    ),
    terminals=(
        Item(
            "olive at laptop",
            "since 07:55, until 19:55 UTC",
            icon="terminal-2",
            acts=(Act("End it", "/x", method="post", of="olive at laptop"),),
        ),
    ),
    end=Act("End all others", "/x", weight="danger", method="post"),
)
FINDINGS = FindingsPage(
    head=PageHead("Findings", "what is wrong, as it was last read"),
    notes=(Note("Not all is known", "Not read within ten minutes, or never: dns.zone.", "warn", "question-mark"),),
    label="Findings",
    filters=filters("Findings", "critical"),
    table=Table(
        "Findings",
        (
            Column("Finding"), Column("Severity", phone="right"), Column("Client", phone="under"), Column("State"),
            Column("Since"), Column("Last read", phone="gone"),
        ),
        tuple(
            Row((Cell(Link(title, "/p/finding", strong=True), label), badge, of, state, "09:12", "09:24"), name=title)
            for title, label, badge, of, state in (
                ("A record was taken away behind our back", "pr1._domainkey.harbor.example",
                 Badge("bad", "critical", "alert-octagon"), "Harbor Legal LLP", "open"),
                ("Northlight has one owner alone; two are the fewest", "Northlight",
                 Badge("bad", "high", "urgent"), "Northlight", Badge("fact", "accepted", "hand-stop")),
                ("The role operator of Ana Hale ends", "operator for Ana Hale", Badge("fact", "low", "info-circle"),
                 "Acme", (UNKNOWN, Badge("fact", "acknowledged", "eye"))),
                ("A TTL moved", "bluefin.example", Badge("warn", "medium"), "Bluefin", Badge("good", "gone 09:20")),
            )
        ),
        dense=True,
    ),
    pager=Pager("4 shown, 09:12 to 09:20"),
)  # fmt: skip
EXCEPTION_COLUMNS = (
    Column("Mail of"), Column("May go to"), Column("Until", phone="right"), Column("Answers for it"),
    Column("Asked and agreed"), Column("Rests on it"), Column("Act", num=True, hidden=True),
)  # fmt: skip
DESTINATION_COLUMNS = (
    Column("Destination"), Column("Leads to"), Column("Aliases that use it"), Column("Client"),
    Column("Act", num=True, hidden=True),
)  # fmt: skip
EXCEPTIONS = ExceptionsPage(
    head=PageHead("Exceptions", "all that lets mail leave a client; what ends first comes first",
                  acts=(Act("Forwards that leave", "/p/forwards", "mail-forward"),
                        Act("Add an exception", "/p/form", "plus"))),
    label="Exceptions", filters=filters("Exceptions", "review"),
    pager=Pager("2 shown, ana@harbor.example to leo@bluefin.example"),
    table=Table(
        "Exceptions", EXCEPTION_COLUMNS,
        (
            Row((
                Cell(Code("ana@harbor.example"),
                     (Link("Harbor Legal LLP", "/p/client"), "·", Link("Follow it", "/p/trace", of="ana"))),
                Cell((Code("ana.hale@gmail.com"), Badge("fact", "private provider", "user"))),
                Cell("30 Dec 00:00", Badge("warn", "review was due 20 Nov 2026")),
                Cell("Ana Hale", "“on parental leave, reads at home”"),
                Cell("asked by Olive Osei, 24 Nov 09:12", Link("agreed by Ada Adams", "/p/change")),
                "a forward; the filter “main”",
                Cell(acts=(Act("Renew", "/p/form", of="ana"), Act("End…", "/p/form", weight="asks", of="ana"))),
            ), name="ana@harbor.example to ana.hale@gmail.com"),
            Row((
                Cell(Code("leo@bluefin.example"),
                     (Link("Bluefin", "/p/client"), "·", Link("Follow it", "/p/trace", of="leo"))),
                Cell(Code("mx.partner.example:25"), ("handed to another server",)),
                Cell("2 Feb 00:00", "review 3 Jan 2027"),
                Cell("Leo Lindqvist", "“the move to the new office”"),
                Cell("", Badge("unknown", "who agreed is not yours to see")), "all mail of the address",
                Cell(acts=(Act("End…", "/p/form", weight="asks", of="leo"),)),
            ), name="leo@bluefin.example to mx.partner.example:25"),
        ),
        dense=True, high=True,
    ),
    policy=(
        Item("Every client",
             ("Allowed without an exception: nothing.", "Forbidden whatever exception there is: nothing."),
             icon="hand-stop", acts=(Act("Forbid private providers", "/p/form", "ban", of="every client"),
                                     Act("Change", "/p/form", "pencil", of="every client"))),
    ),
)  # fmt: skip
DESTINATIONS = DestinationsPage(
    head=PageHead("Destinations", "changed once, every alias that uses it follows",
                  acts=(Act("Name a destination", "/p/form", "plus"),)),
    label="Destinations", filters=filters("Destinations", "in use"), pager=Pager("1 shown, invoicing"),
    table=Table(
        "Destinations", DESTINATION_COLUMNS,
        (
            Row((
                Cell((Strong("invoicing"),), Code("harbor:invoicing")),
                (Code("ana@harbor.example"), Link("Follow it", "/p/trace", of="ana@harbor.example")),
                Cell((Code("bills@harbor.example"), "and 3 more"), Link("Follow it", "/p/trace", of="bills")),
                Link("Harbor Legal LLP", "/p/client"),
                Cell(acts=(Act("Change", "/p/form", of="invoicing"), Act("Make an alias", "/p/form", of="to it"))),
            ), name="invoicing"),
        ),
        dense=True,
    ),
)  # fmt: skip
FORWARDS = LeavingPage(
    head=PageHead("Forwards that leave", "every way by which mail leaves a client, worst first",
                  acts=(Act("Forward mail", "/p/form", "plus"),)),
    label="Forwards that leave",
    sure=Badge("unknown", "2,084 of 2,100 checked; 16 not"),
    known=Progress("Mailboxes whose scripts were checked", 2084, 2100, "as nodes read them by 09:12"),
    unchecked=(
        Item("12 not checked: mx3 has not looked within five minutes; it last did at 2026-11-30 08:51 UTC",
             "ana@harbor.example is one", "warn"),
        Item("4 not checked: not readable: line 3: unknown command", "leo@bluefin.example is one", "warn"),
    ),
    filters=filters("Forwards", "high"),
    table=Table(
        "Forwards that leave",
        (
            Column("Mail to"), Column("Goes to"), Column("Risk", phone="right"), Column("How"),
            Column("Client"), Column("Exception"), Column("Made"), Column("Last hit"),
        ),
        tuple(
            Row((Cell(Link(mail, "/p/mailbox", strong=True), (sub, Link("Follow it", "/p/trace", of=mail))), to, risk,
                 Cell(how, besides), Link("Harbor Legal LLP", "/p/client"), exception, made,
                 Badge("unmeasured", "not measured")),
                value=f"{mail} x@gmail.com - -", name=mail)
            for mail, sub, to, risk, how, besides, exception, made in (
                ("ana@harbor.example", "", Cell((Code("ana.hale@gmail.com"), Badge("fact", "private provider", "user")),
                                               "until 30 Dec 00:00"), Badge("bad", "high", "urgent"), "forward",
                 "all mail, keeps a copy", Cell("until 30 Dec 00:00", "Ana Hale answers for it"),
                 Cell("Olive Osei", Link("24 Nov 09:12", "/p/change"))),
                ("billing@harbor.example", "", Badge("unknown", "worked out when mail comes"),
                 Badge("bad", "high", "urgent"), "Sieve redirect “invoices”", "some mail, keeps no copy",
                 Cell("none", "its node stops it: without an exception nothing leaves by a script. It cannot be "
                      "disabled from here"), Cell("by its owner", "first seen 09:02")),
                ("team@harbor.example", "by way of ana@harbor.example", Code("ana@partner.example"),
                 Badge("warn", "medium"), "alias", "all mail", Cell("until 30 Dec 00:00", "Ana Hale answers for it"),
                 Cell("Olive Osei", Link("20 Nov 10:00", "/p/change"))),
                ("leo@harbor.example", "", Cell(Code("leo@press.example"), "until 2 Feb 00:00"),
                 Badge("fact", "low", "info-circle"), "forward", "all mail, keeps a copy", "allowed by *.press.example",
                 Cell(Badge("unknown", "not yours to see"), "3 Nov 08:00")),
            )
        ),
        dense=True, high=True,
        bulk=Bulk("/p/forwards", "way", (
            BulkAct("Approve an exception…", "exceptions.create", "hand-stop"),
            BulkAct("Disable or end…", "forwards.stop", "player-pause", "asks"),
            BulkAct("Tell the owner…", "forwards.tell_owner", "mail"),
        ), "ways"),
    ),
    pager=Pager("4 shown, ana@harbor.example to leo@harbor.example"),
    export=Form((Field("why", "Why", "text", hint="Stands in the record.", required=True),), "Export", "/p/forwards",
                icon="download"),
    views=(Item(Link("Private mailboxes", "/p/forwards"), "private", icon="eye", acts=(
        Act("Rename", "/p/form", of="Private mailboxes"),
        Act("Remove", "/p/forwards", method="post", of="Private mailboxes"))),),
    save=Form((Field("name", "Save what is shown as", hint="One of yours that is called so is replaced.",
                     required=True, maxlength=60),), "Save", "/p/forwards"),
)  # fmt: skip
VIEW = ViewPage(
    head=PageHead("Rename Private mailboxes", "a saved view of yours", (Crumb("Forwards that leave", "/p/forwards"),)),
    form=Form((Field("to", "Its name", value="Private mailboxes", required=True, maxlength=60),), "Rename", "/p/form",
              back=Act("Not now", "/p/forwards")),
)  # fmt: skip
LOOKS = LooksPage(
    head=PageHead("Nodes look at all scripts", "asked 09:20:04", (Crumb("Forwards that leave", "/p/forwards"),),
                  acts=(Act("To the list", "/p/forwards"),)),
    notes=(Note("No answer from mx3", "What scripts there do is as old as its last look says.", "warn"),),
    looked=Progress("Nodes that have looked since they were asked", 1, 3), sure=Badge("waits", "1 of 3"),
    nodes=(
        Item("mx1", "last looked 09:20:06", icon="server-2", badge=Badge("good", "looked")),
        Item("mx2", "last looked 09:19:51", icon="server-2", badge=Badge("waits", "waited for")),
        Item("mx3", "has never looked", icon="server-2", badge=Badge("unknown", "no answer")),
    ),
)  # fmt: skip
FINDING = FindingPage(
    head=PageHead(
        "A record was taken away behind our back",
        "pr1._domainkey.harbor.example",
        crumbs=(Crumb("Findings", "/p/findings"),),
        badges=(Badge("bad", "critical", "alert-octagon"), UNKNOWN),
        acts=(Act("Acknowledge", "/p/form", "eye"), Act("Accept…", "/p/form", "hand-stop", "asks")),
    ),
    notes=(Note("What is so now is unknown", "Neither there nor gone since 09:20: ns2 did not answer", "warn"),),
    diff=(FieldDiff("Values", "v=DKIM1; k=rsa; p=MIIB", None), FieldDiff("TTL", "3600", "60")),
    seen=(Fact("Server", "ns1.northlight.example"), Fact("Asked", "pr1._domainkey.harbor.example TXT")),
    suggestion=(Item("Set records", "Set a whole RRset", icon="arrows-exchange",
                     acts=(Act("Look at the plan", "/p/form"),)),),
    decisions=(
        Item("Acknowledged", "calling the registrar · Olive Osei, 09:15", icon="eye"),
        Item("Accepted, until 1 Dec 08:00", "planned move · Ada Brandt, 20 Nov 10:00 · ended 21 Nov 09:00", "off",
             "hand-stop"),
    ),
    before=(Item(Link("3 Nov 08:00 to 3 Nov 09:12", "/p/finding"), icon="history"),),
    facts=(
        Fact("About", Link("harbor.example", "/p/domain")), Fact("Of", Link("Harbor Legal LLP", "/p/client")),
        Fact("Check", Code("dns.behind_our_back"), "Does the zone hold what we published?"),
        Fact("Last read as present", "09:24:10"), Fact("Fingerprint", Code("9f2c41d07be3a8159f2c41d07be3a815")),
    ),
    told=(
        Item("owner@northlight.example", "250 2.0.0 Ok: queued as 4XyZ", "ok", "mail"),
        Item("second@northlight.example", "our own submission at 127.0.0.1:587: refused", "warn", "mail"),
    ),
)  # fmt: skip
