"""Sample pages about who may do what."""

from __future__ import annotations

from page_samples import filters

from postroom.web.parts.forms import Pager
from postroom.web.parts.pages import RolesPage, TokenPage
from postroom.web.parts.shapes import Act, Badge, Cell, Code, Column, Crumb, PageHead, Row, Strong, Table

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
TOKEN = TokenPage(
    head=PageHead("A new token", crumbs=HERE),
    token="Uq2v9cK0e8Yh3pXw1nRt5mZb7sLd4fGj6aQoViWkxTE",
    name="Backup of the record",
    until="24 Feb 2027 09:12 UTC",
    back=Act("To what was recorded", "/p/change"),
)
