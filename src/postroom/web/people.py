"""People who may sign in to these pages: the list of them."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.access.roles import SEALED
from postroom.models import Grant, Person
from postroom.queries.lists import listed
from postroom.queries.people import SignIn, elevated, grants, sign_ins
from postroom.web.badges import standing
from postroom.web.door import page
from postroom.web.framed import freeze_notes
from postroom.web.lists import STATES, Narrow, scopes
from postroom.web.parts.pages import PeoplePage
from postroom.web.parts.shapes import Act, Badge, Cell, Column, Link, PageHead, Row, Table, Words
from postroom.web.times import when

COLUMNS = (
    Column("Person"), Column("Roles", phone="under"), Column("Of", phone="gone"), Column("Second factor"),
    Column("Last sign-in"), Column("State", phone="right"),
)  # fmt: skip
FACTORS = {"totp": "authenticator app", "webauthn": "passkey", "recovery_codes": "recovery codes"}
ADD = Act("Invite a person", "/do/people.invite/", icon="user-plus", weight="primary")
OWN_ROLES = Act("Roles of your own", "/roles/", icon="license")
SEALED_LOGIN = Badge("waits", "sealed login", "lock")


@page("people.view")
def people(request: Any) -> HttpResponse:
    narrow = Narrow(request)
    found = listed(request.actor, "people", narrow.asked)
    pks = [one.pk for one in found.items]
    roles, ways = grants(request.actor, pks), sign_ins(pks)
    add = (ADD,) if request.access.can_somewhere("people.invite") else ()
    more = (OWN_ROLES,) if request.access.can_somewhere("roles.view") else ()
    fields = [narrow.select("client", "Client", scopes(request)), narrow.select("state", "State", STATES)]
    rows = tuple(_row(request, one, roles.get(one.pk, []), ways.get(one.pk, SignIn())) for one in found.items)
    shown = PeoplePage(
        head=PageHead("People", "who may sign in here, and to do what", acts=(*more, *add)),
        notes=(*narrow.notes(), *freeze_notes(request)),
        label="People",
        filters=narrow.filters("People", fields),
        table=Table("People", COLUMNS, rows, dense=True),
        pager=narrow.pager([one.email for one in found.items], found.next),
        empty=None if found.items else narrow.nothing("person", "A person signs in here by a link of their own.",
                                                      "users", add),
    )  # fmt: skip
    return render(request, "people.html", {"page": shown})


def _row(request: Any, one: Person, roles: list[Grant], way: SignIn) -> Row:
    of = one.client.name if one.client_id and one.client else request.around.organization
    return Row((
        Cell(Link(one.name, f"/people/{one.email}/", strong=True), one.email), _roles(roles), of,
        factor(way), last(way),
        standing(one) or Badge("good", "active"),
    ), name=one.name)  # fmt: skip


def _roles(roles: list[Grant]) -> Words:
    """What somebody may do here; what they asked for themselves says until when."""
    if not roles:
        return Badge("fact", "no role")
    if any(one.role == SEALED for one in roles):
        return SEALED_LOGIN
    lasting = ", ".join(dict.fromkeys(one.role for one in roles if not elevated(one)))
    return (
        lasting,
        *(Badge("waits", f"{one.role} until {when(one.until)}", "clock") for one in roles if elevated(one)),
    )


def factor(way: SignIn) -> Badge:
    found = [FACTORS.get(kind, kind) for kind, _ in way.factors if kind != "recovery_codes"]
    return Badge("good", ", ".join(dict.fromkeys(found))) if found else Badge("fact", "none set up", "shield-x")


def last(way: SignIn) -> Any:
    return when(way.last) if way.last else Badge("fact", "never", "user-off")
