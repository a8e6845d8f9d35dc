"""Sample pages about who may do what."""

from __future__ import annotations

from page_samples import filters

from postroom.web.parts.forms import Pager
from postroom.web.parts.pages import AccessPage, ClientPage, MailAppsPage, RolesPage
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Cell,
    Code,
    Column,
    Crumb,
    Empty,
    Link,
    Note,
    PageHead,
    Row,
    Strong,
    Table,
)
from postroom.web.parts.shown_once import TokenPage

HERE = (Crumb("People", "/p/people"),)
ROLES = RolesPage(
    head=PageHead("Roles of your own", "beside the eight that Postroom has", crumbs=HERE,
                  acts=(Act("Make a role", "/p/form", "plus", "primary"),)),
    label="Roles",
    filters=filters("Roles"),
    table=Table(
        "Roles",
        (Column("Role"), Column("May"), Column("Held by"), Column("State", phone="right"),
         Column("Act", num=True, hidden=True)),
        (
            Row((Strong("dns editor"), Code("domains.view, record_sets.set, record_sets.view"), "2 people",
                 Badge("good", "in use"),
                 Cell(acts=(Act("Change", "/p/form", of="dns editor"),
                            Act("End…", "/p/confirm", of="dns editor", weight="asks"))))),
            Row((Strong("mail desk"), Code("mailboxes.suspend"), "nobody you may see", Badge("fact", "ended", "ban"),
                 Cell())),
        ),
    ),
    pager=Pager("2 shown, dns editor to mail desk"),
)  # fmt: skip
MAIL_APPS = MailAppsPage(
    head=PageHead("Mail apps", "who may ask owners to be let in without a password",
                  crumbs=(Crumb("Mailboxes", "/p/mailboxes"),),
                  acts=(Act("Add a mail app", "/p/form", "plus", "primary"),)),
    label="Mail apps",
    filters=filters("Mail apps"),
    table=Table(
        "Mail apps",
        (Column("App"), Column("Its client_id"), Column("Where its users come back to"), Column("Let into"),
         Column("State", phone="right"), Column("Act", num=True, hidden=True)),
        (
            Row((Cell(Strong("Thunderbird"), "added 24 Nov 2026"), Code("019ac0de-4711-7abc-8def-0123456789ab"),
                 Code("http://127.0.0.1/, http://[::1]/"), Cell("1,204 mailboxes", "of 24 clients"),
                 Badge("good", "may ask"), Cell(acts=(Act("End…", "/p/confirm", of="Thunderbird", weight="asks"),)))),
            Row((Cell(Strong("Birdmail"), "added 09:12"), Code("019ac0de-4712-7abc-8def-0123456789ab"),
                 Code("org.birdmail.app:/back"), "no mailbox you may see",
                 Badge("fact", "ended 10:40", "ban"), Cell())),
        ),
    ),
    pager=Pager("2 shown, Thunderbird to Birdmail"),
)  # fmt: skip
TOKEN = TokenPage(
    head=PageHead("A new token", crumbs=HERE),
    token="Uq2v9cK0e8Yh3pXw1nRt5mZb7sLd4fGj6aQoViWkxTE",
    name="Backup of the record",
    until="24 Feb 2027 09:12 UTC",
    back=Act("To what was recorded", "/p/change"),
)
SHUT = Note("Harbor Legal LLP is closed to the organization since 09:12", "Its own people closed it.", "warn", "lock")
ACCESS = AccessPage(
    head=PageHead("Access review", "who may act at Harbor Legal LLP", acts=(Act("Give a role", "/p/form"),)),
    notes=(SHUT,),
    label="Roles",
    filters=filters("Roles", "Harbor Legal LLP"),
    table=Table(
        "Roles",
        (Column("Person", phone="under"), Column("Role"), Column("Where"), Column("Since"), Column("Until"),
         Column("Given by"), Column("Last used"), Column("Act", num=True, hidden=True)),
        (
            Row((Cell(Link("Ana Hale", "/p/person", True), "ana@harbor.example"),
                 Cell(Strong("client admin"), "contract"),
                 "harbor", "3 Mar 2025", "no end", "Nora Light", Cell("09:12", "changed something"),
                 Cell(acts=(Act("End…", "/p/confirm", of="client admin of Ana Hale", weight="asks"),)))),
            Row((Cell(Link("Sealed login 1", "/p/person", True), "sealed-1@northlight.example"),
                 Cell((Strong("break-glass"), Badge("waits", "sealed login", "lock")), "printed at up"), "Northlight",
                 "3 Mar 2025", "no end", "the founding", Badge("fact", "never", "user-off"), Cell())),
        ),
        dense=True,
    ),
    others=Table(
        "Others",
        (Column("Person", phone="under"), Column("Role"), Column("Where"), Column("Since"), Column("Until"),
         Column("Last change here")),
        (Row(("Olive Osei", Strong("operator"), "Northlight", "3 Mar 2025", "no end",
              Badge("fact", "none", "user-off"))),),
    ),
    tokens=Table(
        "Tokens",
        (Column("Token", phone="under"), Column("May"), Column("Where"), Column("Since"), Column("Until"),
         Column("Last used"), Column("Act", num=True, hidden=True)),
        (Row((Cell(Strong("CI"), Link("Ana Hale", "/p/person")), Code("domains.view"), "harbor", "1 Nov 09:00",
              "24 Feb 2027", Cell("09:12", "by its program"),
              Cell(acts=(Act("End…", "/p/confirm", of="CI", weight="asks"),)))),),
    ),
)  # fmt: skip
CLOSED = ClientPage(
    head=PageHead("Harbor Legal LLP", Code("harbor"), badges=(Badge("warn", "closed to the organization", "lock"),)),
    notes=(SHUT,),
    closed=Empty("Closed to the organization", "Opened again by its own people, and by nobody else.", "lock"),
)
