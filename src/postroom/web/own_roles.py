"""Roles of the organization's own: what each allows, who holds it, what may be done about it."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.models import Role
from postroom.queries.roles import Own, roles_of_ones_own
from postroom.web.door import page
from postroom.web.framed import freeze_notes, offered, query
from postroom.web.lists import IN_USE, Narrow
from postroom.web.parts.pages import RolesPage
from postroom.web.parts.shapes import Act, Badge, Cell, Code, Column, Crumb, PageHead, Row, Strong, Table

COLUMNS = (Column("Role"), Column("May"), Column("Held by"), Column("State", phone="right"),
           Column("Act", num=True, hidden=True))  # fmt: skip
ADD = Act("Make a role", "/do/roles.create/", "plus", "primary")


@page("roles.view")
def roles(request: Any) -> HttpResponse:
    narrow = Narrow(request)
    found = roles_of_ones_own(request.actor, search=narrow.asked.search, ended=narrow["state"] == "removed",
                              after=narrow.after)  # fmt: skip
    add = offered(request, None, ("roles.create", ADD))
    shown = RolesPage(
        head=PageHead("Roles of your own", "beside the eight that Postroom has", crumbs=(Crumb("People", "/people/"),),
                      acts=add),
        notes=(*narrow.notes(), *freeze_notes(request)), label="Roles",
        filters=narrow.filters("Roles", [narrow.select("state", "State", IN_USE)]),
        table=Table("Roles", COLUMNS, tuple(_row(request, one) for one in found.items)),
        pager=narrow.pager([one.role.name for one in found.items], found.next),
        empty=None if found.items else narrow.nothing("role", "A role is a list of what its holders may do, each by "
                                                      "name.", "license", add),
    )  # fmt: skip
    return render(request, "roles.html", {"page": shown})


def _row(request: Any, one: Own) -> Row:
    return Row((
        Strong(one.role.name), Code(", ".join(one.role.permissions)), _held(one.holders),
        Badge("fact", "ended", "ban") if one.role.ended_at else Badge("good", "in use"),
        Cell(acts=_acts(request, one.role)),
    ), name=one.role.name)  # fmt: skip


def _held(holders: int) -> str:
    return "nobody you may see" if not holders else "one person" if holders == 1 else f"{holders} people"


def _acts(request: Any, role: Role) -> tuple[Act, ...]:
    if role.ended_at:
        return ()
    at = query(role=role.name)
    return offered(
        request, None,
        ("roles.change", Act("Change", f"/do/roles.change/{at}", of=role.name)),
        ("roles.end", Act("End…", f"/do/roles.end/{at}", weight="asks", of=role.name)),
    )  # fmt: skip
