"""People who may sign in to these pages: the list; and one of them with roles, sign-in and what they did."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.models import Grant, Mailbox, Person
from postroom.queries.changes import timeline
from postroom.queries.lists import listed
from postroom.queries.objects import row_of
from postroom.queries.people import SignIn, grants, invite, mailboxes, sign_ins
from postroom.web.badges import standing
from postroom.web.door import page
from postroom.web.framed import freeze_notes, offered
from postroom.web.lines import lines
from postroom.web.lists import STATES, Narrow, scopes
from postroom.web.parts.pages import PeoplePage, PersonPage
from postroom.web.parts.shapes import Act, Badge, Cell, Code, Column, Crumb, Fact, Link, PageHead, Row, Strong, Table
from postroom.web.times import when

COLUMNS = (
    Column("Person"), Column("Roles", phone="under"), Column("Of", phone="gone"), Column("Second factor"),
    Column("Last sign-in"), Column("State", phone="right"),
)  # fmt: skip
FACTORS = {"totp": "authenticator app", "webauthn": "passkey", "recovery_codes": "recovery codes"}
ADD = Act("Invite a person", "/do/people.invite/", icon="user-plus", weight="primary")


@page("people.view")
def people(request: Any) -> HttpResponse:
    narrow = Narrow(request)
    found = listed(request.actor, "people", narrow.asked)
    pks = [one.pk for one in found.items]
    roles, ways = grants(request.actor, pks), sign_ins(pks)
    add = (ADD,) if request.access.can_somewhere("people.invite") else ()
    fields = [narrow.select("client", "Client", scopes(request)), narrow.select("state", "State", STATES)]
    rows = tuple(_row(request, one, roles.get(one.pk, []), ways.get(one.pk, SignIn())) for one in found.items)
    shown = PeoplePage(
        head=PageHead("People", "who may sign in here, and to do what", acts=add),
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
    said = ", ".join(dict.fromkeys(grant.role for grant in roles)) or Badge("fact", "no role")
    return Row((
        Cell(Link(one.name, f"/people/{one.email}/", strong=True), one.email), said, of, _factor(way), _last(way),
        standing(one) or Badge("good", "active"),
    ), name=one.name)  # fmt: skip


def _factor(way: SignIn) -> Badge:
    found = [FACTORS.get(kind, kind) for kind, _ in way.factors if kind != "recovery_codes"]
    return Badge("good", ", ".join(dict.fromkeys(found))) if found else Badge("fact", "none set up", "shield-x")


def _last(way: SignIn) -> Any:
    return when(way.last) if way.last else Badge("fact", "never", "user-off")


@page("people.view", recorded="people")
def person(request: Any, ref: str) -> HttpResponse:
    one: Person = row_of(request.actor, "people", ref)
    request.opened = one
    roles = grants(request.actor, [one.pk], ended=True).get(one.pk, [])
    way = sign_ins([one.pk]).get(one.pk, SignIn())
    boxes = mailboxes(request.actor, one.pk)
    recent = timeline(request.actor, person=one.email, limit=10).items
    shown = PersonPage(
        head=_head(request, one), notes=freeze_notes(request, one.client_id), grants=_grants(request, roles),
        mailboxes=_mailboxes(boxes), sign_in=_sign_in(request, one, way), facts=_facts(request, one),
        recent=lines(recent), changes_url=f"/changes/?person={one.email}",
    )  # fmt: skip
    return render(request, "person.html", {"page": shown})


def _head(request: Any, one: Person) -> PageHead:
    at = f"?person={one.email}"
    if one.removed_at:
        wanted = [("people.restore", Act("Restore", f"/do/people.restore/{at}", "restore", "primary"))]
    elif one.suspended_at:
        wanted = [("people.resume", Act("Resume", f"/do/people.resume/{at}", "player-play", "primary"))]
    else:
        wanted = [
            ("grants.give", Act("Give a role", f"/do/grants.give/{at}", "user-plus")),
            ("people.suspend", Act("Suspend…", f"/do/people.suspend/{at}", "lock", "asks")),
            ("people.remove", Act("Remove…", f"/do/people.remove/{at}", "trash", "asks")),
        ]
    return PageHead(one.name, Code(one.email), crumbs=(Crumb("People", "/people/"),), badges=standing(one),
                    acts=offered(request, one.client_id, *wanted))  # fmt: skip


def _grants(request: Any, roles: list[Grant]) -> Table | None:
    if not roles:
        return None
    columns = (
        Column("Role"),
        Column("Where"),
        Column("Until"),
        Column("Given by"),
        Column("Act", num=True, hidden=True),
    )
    return Table("Roles", columns, tuple(_grant(request, one) for one in reversed(roles)))


def _grant(request: Any, one: Grant) -> Row:
    where = one.client.name if one.client else request.around.organization
    where = f"{where}, {one.domain.name}" if one.domain else where
    until = Badge("fact", f"ended {when(one.ended_at)}", "user-off") if one.ended_at else when(one.until) or "no end"
    end = Act("End…", f"/do/grants.end/?grant={one.pk}", weight="asks", of=one.role)
    acts = () if one.ended_at else offered(request, one.client_id, ("grants.end", end))
    return Row(
        (Cell(Strong(one.role), one.reason), where, until, one.given_by.name if one.given_by else "", Cell(acts=acts))
    )


def _mailboxes(boxes: list[Mailbox]) -> Table | None:
    if not boxes:
        return None
    rows = tuple(
        Row((Link(one.label, f"/mailboxes/{one.label}/", strong=True), one.client.name,
             standing(one) or Badge("good", "active")))
        for one in boxes
    )  # fmt: skip
    return Table("Mailboxes", (Column("Address"), Column("Client"), Column("State")), rows)


def _sign_in(request: Any, one: Person, way: SignIn) -> tuple[Fact, ...]:
    facts = [Fact("Last sign-in", _last(way)), Fact("Second factor", _factor(way))]
    if way.made:
        facts.append(Fact("Password", "set by them" if way.password else "none: signed in by a printed link"))
    elif pending := invite(request.actor, one.pk):
        until = f"until {when(pending.until)}" if pending.until else "not sent yet"
        facts.append(Fact("Link", (Badge("waits", "sent", "hourglass"), until), Link("Pending invites", "/invites/")))
    return tuple(facts)


def _facts(request: Any, one: Person) -> tuple[Fact, ...]:
    of: Any = request.around.organization
    if one.client_id and one.client:
        of = Link(one.client.name, f"/clients/{one.client.slug}/")
    return (Fact("Mail", Code(one.email)), Fact("Of", of))
