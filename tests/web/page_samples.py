"""Sample pages: the frame, the overview, clients and lists. Invented, and not consistent between pages."""

from __future__ import annotations

from postroom.web.parts.forms import Chip, Field, Filters, Form, Option, Pager
from postroom.web.parts.frame import Found, FoundGroup, Frame, Palette, nav
from postroom.web.parts.pages import (
    ClientPage,
    ClientsPage,
    Count,
    DomainsPage,
    Measure,
    OverviewPage,
    Question,
    SheetPage,
)
from postroom.web.parts.route_map import Node, drawn
from postroom.web.parts.route_pages import RoutingPage
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Cell,
    Code,
    Column,
    Crumb,
    Empty,
    Fact,
    FieldDiff,
    Item,
    Line,
    Link,
    Note,
    PageHead,
    Row,
    Strong,
    Table,
)

KEYS = (
    "overview",
    "clients",
    "domains",
    "mailboxes",
    "trace",
    "forwards",
    "exceptions",
    "people",
    "access",
    "changes",
    "approvals",
    "findings",
    "nodes",
    "entries",
)
FRAME = Frame(
    organization="Northlight",
    person="Olive Osei",
    role="operator · authenticator app",
    initials="OO",
    nav=nav({key: f"/p/{key}" for key in KEYS}, {"approvals": ("2", "waiting"), "clients": ("4", "clients")}),
    palette_url="/palette",
    theme_url="/theme",
    sign_out_url="/sign-out",
    account_url="/p/mfa-index",
    do_url="/p/kinds",
    freeze_url="/p/form",
    scopes=(Link("All clients", "/p/clients"), Link("Harbor Legal LLP", "/p/client")),
    polled="Last poll 09:24:10",
)
PALETTE = Palette(
    "hale",
    (
        FoundGroup("Mailboxes", (Found("m.hale@harbor.example", "/p/mailbox", "mailbox", "Harbor Legal LLP"),)),
        FoundGroup("Do", (Found("Suspend m.hale@harbor.example", "/p/form", "lock", "asks first"),)),
    ),
)

TICK = Badge("good", "Pass", hidden=True)
GOOD = Badge("good", "read back 09:23")
UNMEASURED = Badge("unmeasured", "not measured yet")
NOT_KNOWN = Badge("unknown", "not known")
UNKNOWN = Badge("unknown", "unknown: ns2 did not answer")
ALL = "/p/changes"

RECENT = (
    Line(
        ("TXT", Code("pr1._domainkey.harbor.example"), "removed"),
        "09:12",
        ("Seen at the name servers, not made here. Actor", Badge("unknown", "unknown")),
        tone="bad",
        icon="cloud-off",
        iso="2026-11-24T09:12:00Z",
        diff=(FieldDiff("", 'pr1._domainkey 3600 TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqh…"', None),),
        links=(Link("Plan to publish it again", "/p/form"),),
    ),
    Line(
        ("SPF changed on", Code("bluefin.example")),
        "07:40",
        "Olive Osei, operator · ticket MSP-4821 · approved by Ada Brandt",
        icon="world-cog",
        diff=(
            FieldDiff(
                "Values",
                "v=spf1 include:_spf.northlight.example -all",
                "v=spf1 include:_spf.northlight.example include:mail.recall.example -all",
            ),
        ),
    ),
    Line(
        ("Mailbox", Code("sales@acme.example"), "suspended"), "Mon 16:20", "Olive Osei, operator", "warn", icon="lock"
    ),
)

OVERVIEW = OverviewPage(
    head=PageHead(
        "Overview",
        "Northlight · 4 clients · 12 domains · 61 mailboxes",
        acts=(Act("Add a client", "/p/form", icon="plus", weight="primary"),),
    ),
    notes=(Note("A node is silent", "mx-b has sent no heartbeat since 09:02. Mail there is unknown.", tone="warn"),),
    up=Question(
        ("Yes for 11 of 12 domains.", Strong("harbor.example"), "is degraded."),
        Badge("warn", "One domain"),
        (
            Measure("SMTP greeting", "2 of 2 nodes", Badge("good", "09:24")),
            Measure("IMAP greeting", "1 of 2 nodes", Badge("bad", "mx-b")),
            Measure("Test message round trip", "–", UNMEASURED),
        ),
        foot=Fact("Last heartbeat", Strong("09:24:08")),
    ),
    authentication=Question(
        ("9 domains as wanted, 1 needs work,", Strong("1 fails"), ", 1 not measured."),
        Badge("bad", "1 failing"),
        counts=(Count("SPF", 11, 0, 0, 1), Count("DKIM", 9, 1, 1, 1), Count("DMARC", 8, 3, 0, 1), Count("MX", 0, 0, 0)),
        foot=Fact("Read back from", Strong("2 name servers, 4 min ago")),
    ),
    changed=Question(
        ("14 changes in 24 h. 13 have an actor and a reason,", Strong("1 does not"), "."),
        Badge("bad", "Needs a look"),
        (
            Measure("DNS records", "6", Badge("bad", "1 unexplained")),
            Measure("Mailboxes and access", "4", Badge("good", "Explained")),
        ),
        foot=Fact("Not verified yet", Strong("2 changes")),
        acts=(Act("See what waits", "/p/approvals", icon="checklist"),),
    ),
    clients=Table(
        "Clients",
        (Column("Client"), Column("Mailboxes", num=True), Column("Service"), Column("DKIM"), Column("Changed")),
        tuple(
            Row((Cell(Link(name, "/p/client", strong=True), domain), str(boxes), up, dkim, when))
            for name, domain, boxes, up, dkim, when in (
                (
                    "Harbor Legal LLP",
                    "harbor.example +2",
                    24,
                    Badge("bad", "Degraded"),
                    Badge("bad", "missing"),
                    "12 min",
                ),
                ("Bluefin Dental", "bluefin.example", 18, TICK, Badge("warn", "1 of 2 keys"), "2 h"),
                ("Acme", "acme.example", 12, TICK, UNMEASURED, "yesterday"),
            )
        ),
    ),
    clients_foot=("3 of 4 clients", Link("All clients", "/p/clients")),
    recent=RECENT,
    changes_url=ALL,
    waiting=(
        Item("Remove domain old.example", "Acme · waits 2 h for an approver", "warn", acts=(Act("Look", "/p/change"),)),
    ),
    findings=(
        Item(
            Link("ns2.postroom.example answers otherwise for MX harborlegal.example.", "/p/finding"),
            "critical · MX harborlegal.example. · since 3 May 09:12",
            "bad",
            "alert-triangle",
            acts=(Act("Set a record set…", "/p/form", of="MX harborlegal.example."),),
        ),
        Item(Link("1 critical", "/p/findings"), tone="bad"),
        Item(Link("2 medium", "/p/findings"), tone="warn"),
        Item(Link("1 unknown", "/p/findings"), "could not be read: neither there nor gone", icon="question-mark"),
        Item(Link("1 accepted", "/p/findings"), tone="off", icon="hand-stop"),
    ),
    reviews=(Item("Suspended during a freeze", "by Olive Osei, due today 19:04", icon="clock"),),
)
FIRST = OverviewPage(
    head=PageHead("Overview", "Northlight · nobody onboarded yet"),
    up=Question(("Nothing to measure yet:", UNMEASURED)),
    authentication=Question(("No domain yet:", UNMEASURED)),
    changed=Question("The organization was founded. Nothing else."),
    empty=Empty(
        "No client yet",
        "A client is a customer whose mail you run. Everything here belongs to one.",
        icon="building",
        acts=(Act("Add the first client", "/p/form", icon="plus", weight="primary"),),
        steps=(
            ("Client and people", "Name, contact, who may ask"),
            ("Domains", "Read, kept as found"),
            ("Mailboxes", ""),
        ),
    ),
)


def filters(label: str, *chips: str) -> Filters:
    return Filters(
        label,
        Field("q", f"Search in {label.lower()}", "search", placeholder="3 letters or more"),
        (Field("kind", "Kind", "select", options=(Option("", "Every kind"), Option("person", "Person"))),),
        tuple(Chip(chip, "?") for chip in chips),
    )


CLIENTS = ClientsPage(
    head=PageHead("Clients", acts=(Act("Add a client", "/p/form", icon="plus", weight="primary"),)),
    label="Clients",
    filters=filters("Clients"),
    table=OVERVIEW.clients,
    pager=Pager("3 shown, Acme to Harbor Legal LLP"),
)
ROUTED = drawn(
    [
        Node("a1", 0, "info@harborlegal.example", "alias", "ok", "#r2"),
        Node("a2", 0, "*@bluefindental.example", "catch-all", "warn", "#r1"),
        Node("a3", 0, "ops@kestreloutdoor.example", "sieve script", "bad", "#r0"),
        Node("r1", 1, "Alias", "2 targets", "ok", "#r2"), Node("r2", 1, "Catch-all", "temporary", "warn", "#r1"),
        Node("r3", 1, "Sieve script", "redirect :copy, no exception", "bad", "#r0"),
        Node("m1", 2, "dana@harborlegal.example", "mailbox", "ok", "#r2"),
        Node("m2", 2, "ops@kestreloutdoor.example", "mailbox", "ok", "#r0"),
        Node("x1", 3, "k.ops77@gmail.example", "outside, without an exception", "bad", "#r0"),
        Node("x2", 3, "nobody knows where", "not readable", "unknown", "#r1"),
    ],
    [("a1", "r1", "ok"), ("r1", "m1", "ok"), ("a2", "r2", "warn"), ("r2", "m1", "warn"), ("a3", "r3", "bad"),
     ("r3", "m2", "ok"), ("r3", "x1", "bad"), ("r2", "x2", "unknown")],
)  # fmt: skip
ROUTING = RoutingPage(
    head=PageHead("Where mail of Harbor Legal LLP lands", "every route there is",
                  crumbs=(Crumb("Clients", "/p/clients"),)),
    label="Routes",
    drawing=ROUTED,
    table=Table(
        "Routes",
        (Column("Address"), Column("Rule"), Column("Leads to"), Column("Until", phone="under"),
         Column("How it is", phone="right")),
        (
            Row((Cell(Code("ops@kestreloutdoor.example")), "Sieve script", Code("k.ops77@gmail.example"), "",
                 Badge("bad", "redirect :copy, no exception")), id="r0"),
            Row((Cell(Code("*@bluefindental.example")), "Catch-all", Code("dana@harborlegal.example"), "3 Jan 09:00",
                 Badge("warn", "temporary")), id="r1"),
            Row((Cell(Code("info@harborlegal.example")), "Alias", Code("dana@harborlegal.example"), "",
                 Link("Change", "/p/form")), id="r2"),
        ),
        dense=True,
    ),
    pager=Pager("3 shown"),
)  # fmt: skip
SHEET = SheetPage(
    head=PageHead("Inventory sheet of Harbor Legal LLP", "who holds, owns and may do what",
                  crumbs=(Crumb("Clients", "/p/clients"),), badges=(Badge("unknown", "14 of 31 known"),)),
    label="Domains",
    parts=(Link("Domains", "/p/sheet", strong=True), Link("Mailboxes", "/p/sheet"), Link("Routes", "/p/sheet"),
           Link("Roles", "/p/sheet")),
    table=Table(
        "Domains",
        (Column("Domain"), Column("Registrar"), Column("Holds that login"), Column("Second holder"),
         Column("Second factor there"), Column("Holds the DNS login"), Column("Registration ends"),
         Column("Confirmed on")),
        (
            Row((Link("harbor.example", "/p/domain", strong=True), Cell("Namehouse", "domains@harbor.example"),
                 "Ana Hale", "Paul Quinn", "yes", "Northlight", "2027-03-04", "2026-11-02"), name="harbor.example"),
            Row((Link("harbor-legal.example", "/p/domain", strong=True), Cell(NOT_KNOWN, NOT_KNOWN), NOT_KNOWN,
                 NOT_KNOWN, NOT_KNOWN, "the web agency", NOT_KNOWN, NOT_KNOWN), name="harbor-legal.example"),
        ),
        dense=True, high=True,
    ),
    pager=Pager("2 shown, harbor.example to harbor-legal.example", "?after=harbor-legal.example"),
    facts=(Fact("Mail leaves", "isolated"), Fact("Security contact", NOT_KNOWN), Fact("Of domains", NOT_KNOWN),
           Fact("Of mailboxes", Badge("good", "24 of 24 known"))),
    export=Form((Field("format", "As", "select", options=(Option("pdf", "PDF"), Option("csv", "CSV")), required=True),
                 Field("why", "Why", hint="Stands in the record.", required=True)), "Export", "/p/sheet",
                icon="download"),
)  # fmt: skip
NOTHING = ClientsPage(
    head=PageHead("Clients"),
    label="Clients",
    filters=filters("Clients", "invocie"),
    table=Table("Clients", (), ()),
    empty=Empty(
        "Nothing matches “invocie”",
        "Searched the names and domains of 4 clients.",
        "search-off",
        acts=(Act("Take the filters away", "?", icon="filter-off"),),
    ),
)
CLIENT = ClientPage(
    head=PageHead(
        "Harbor Legal LLP",
        "3 domains · 24 mailboxes · client since 14 Jan 2024",
        crumbs=(Crumb("Clients", "/p/clients"),),
        badges=(Badge("warn", "Frozen", icon="snowflake"),),
        acts=(Act("Add a domain", "/p/form", icon="world-plus"), Act("Add mailboxes", "/p/form", icon="plus")),
    ),
    notes=(
        Note(
            "Frozen since 09:14, until Wed 25 Nov 08:00",
            "Ada Brandt: “DNS changed behind our back.” What only closes still goes through.",
            tone="frozen",
            acts=(Act("End the freeze…", "/p/confirm", icon="snowflake-off"),),
        ),
    ),
    domains=Table(
        "Domains",
        (
            Column("Domain"),
            Column("Mailboxes", num=True),
            Column("SPF"),
            Column("DKIM"),
            Column("Proof"),
            Column("Ends"),
        ),
        (
            Row((Link("harbor.example", "/p/domain", True), "24", TICK, Badge("bad", "missing"), TICK, "4 Mar 2027")),
            Row((Link("harbor.test", "/p/domain", True), "0", TICK, UNMEASURED, Badge("waits", "waiting"), "")),
        ),
    ),
    waiting=Table(
        "Waiting",
        (Column("Change"), Column("By"), Column("State")),
        (Row((Link("Alias careers@", "/p/change"), "Ana Hale", Badge("waits", "held, frozen", icon="snowflake"))),),
    ),
    recent=RECENT,
    changes_url=ALL,
    people=(
        Item("Ana Hale", "Client admin, until 2 Mar 2027", initials="AH"),
        Item("Olive Osei", "Operator of Northlight", initials="OO"),
    ),
    people_url="/p/people",
    people_acts=(Act("Close to the organization…", "/p/confirm", "lock", "asks"),),
    facts=(
        Fact("Ask for changes", "Ana Hale, Paul Quinn"),
        Fact("Home node", Code("mx-a"), "Frankfurt"),
        Fact("Version", "212"),
    ),
)
DOMAINS = DomainsPage(
    head=PageHead("Domains", "worst first"), label="Domains", filters=filters("Domains", "Acme"), table=CLIENT.domains
)
