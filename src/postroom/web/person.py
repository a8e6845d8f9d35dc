"""A person: the roles they hold and until when, their tokens, how they sign in, what they did."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.access.roles import ROLES, SEALED
from postroom.models import ApiToken, Grant, Mailbox, Person, Role, TokenUse
from postroom.queries.changes import timeline
from postroom.queries.objects import row_of
from postroom.queries.people import SignIn, elevated, giver, grants, invite, mailboxes, own_roles, sign_ins
from postroom.queries.sessions import Session, of_person
from postroom.queries.tokens import of_person as tokens_of
from postroom.web.badges import standing
from postroom.web.door import page
from postroom.web.framed import freeze_notes, offered, query
from postroom.web.lines import lines
from postroom.web.parts.pages import PersonPage
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Cell,
    Code,
    Column,
    Crumb,
    Fact,
    Link,
    Note,
    PageHead,
    Row,
    Strong,
    Table,
    Words,
)
from postroom.web.people import SEALED_LOGIN, factor, last
from postroom.web.times import when

ASK = Act("Ask for a role…", "/do/grants.elevate/", "clock", "primary")
MAKE = Act("Make a token…", "/tokens/new/", "key")
ONES_OWN = (("grants.elevate", ASK), ("tokens.create", MAKE))
SHUT = "End all, as a suspension does, signs out all of it at once: what was open by then stays shut."
SEALED_NOTE = Note(
    "A sealed login", "Its secrets lie in an envelope, for when nobody else gets in. Whoever uses it may do all, "
    "everywhere; every use is an alarm to every owner.", "warn", "lock",
)  # fmt: skip


@page("people.view", recorded="people")
def person(request: Any, ref: str) -> HttpResponse:
    one: Person = row_of(request.actor, "people", ref)
    request.opened = one
    roles = grants(request.actor, [one.pk], ended=True).get(one.pk, [])
    way = sign_ins([one.pk]).get(one.pk, SignIn())
    own = own_roles(request.actor, {grant.role for grant in roles} - set(ROLES))
    boxes = mailboxes(request.actor, one.pk)
    sealed = any(grant.role == SEALED and not grant.ended_at for grant in roles)
    recent = timeline(request.actor, person=one.email, limit=10).items
    shown = PersonPage(
        head=_head(request, one, sealed),
        notes=(*((SEALED_NOTE,) if sealed else ()), *freeze_notes(request, one.client_id)),
        grants=_grants(request, roles, own), tokens=_tokens(request, tokens_of(request.actor, one.pk)),
        **_sessions(request, one), mailboxes=_mailboxes(boxes), sign_in=_sign_in(request, one, way),
        facts=_facts(request, one), recent=lines(recent), changes_url=f"/changes/{query(person=one.email)}",
    )  # fmt: skip
    return render(request, "person.html", {"page": shown})


def _head(request: Any, one: Person, sealed: bool) -> PageHead:
    at = query(person=one.email)
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
    acts = offered(request, one.client_id, *wanted)
    if one.pk == request.actor.person:
        acts = tuple(act for permission, act in ONES_OWN if request.access.can_somewhere(permission))
    badges = (*((SEALED_LOGIN,) if sealed else ()), *standing(one))
    return PageHead(one.name, Code(one.email), crumbs=(Crumb("People", "/people/"),), badges=badges, acts=acts)


def _grants(request: Any, roles: list[Grant], own: dict[str, Role]) -> Table | None:
    if not roles:
        return None
    columns = (
        Column("Role"),
        Column("Where"),
        Column("Until"),
        Column("Given by"),
        Column("Act", num=True, hidden=True),
    )
    return Table("Roles", columns, tuple(_grant(request, one, own.get(one.role)) for one in reversed(roles)))


def _grant(request: Any, one: Grant, own: Role | None) -> Row:
    where = one.client.name if one.client else request.around.organization
    where = f"{where}, {one.domain.name}" if one.domain else where
    by = "asked for by themselves" if elevated(one) else giver(one)
    end = Act("End…", f"/do/grants.end/?grant={one.pk}", weight="asks", of=one.role)
    acts = () if one.ended_at else offered(request, one.client_id, ("grants.end", end))
    return Row((Cell(_role(one, own), _why(one, own)), where, _until(one), by, Cell(acts=acts)))


def _role(one: Grant, own: Role | None) -> Words:
    if one.role == SEALED:
        return Strong(one.role), SEALED_LOGIN
    return Link(one.role, "/roles/", strong=True) if own else Strong(one.role)


def _why(one: Grant, own: Role | None) -> Words:
    """Why they hold it; of a role of the organization's own, what it allows too."""
    why = f"asked for because {one.reason}" if elevated(one) else one.reason
    return (f"{why} · may", Code(", ".join(own.permissions))) if own else why


def _until(one: Grant) -> Words:
    if one.ended_at:
        return Badge("fact", f"ended {when(one.ended_at)}", "user-off")
    return Badge("waits", f"until {when(one.until)}", "clock") if elevated(one) else when(one.until) or "no end"


def _tokens(request: Any, found: list[tuple[ApiToken, TokenUse | None]]) -> Table | None:
    if not found:
        return None
    columns = (Column("Token"), Column("May"), Column("Last used"), Column("Until"),
               Column("Act", num=True, hidden=True))  # fmt: skip
    return Table("Tokens", columns, tuple(_token(request, one, use) for one, use in found))


def _token(request: Any, one: ApiToken, use: TokenUse | None) -> Row:
    end = Act("End…", f"/do/tokens.end/?token={one.pk}", weight="asks", of=one.name)
    limits = (f"at {_places(len(one.clients))}" if one.clients else "wherever they may",
              f"· from {', '.join(one.networks)}" if one.networks else "")  # fmt: skip
    came = Cell(when(use.at), f"from {use.source}" if use.source else "") if use else Badge("fact", "never")
    return Row((
        Cell(Strong(one.name), limits), Code(", ".join(one.permissions)), came, when(one.until),
        Cell(acts=offered(request, one.client_id, ("tokens.end", end))),
    ))  # fmt: skip


def _sessions(request: Any, one: Person) -> dict[str, Any]:
    """What is open now, to who may look at all of it; each terminal with its end."""
    found = of_person(request.actor, one)
    if not found:
        return {} if found is None else {"sessions_note": "Nowhere."}
    columns = (Column("In"), Column("From"), Column("Since"), Column("Act", num=True, hidden=True))
    rows = tuple(_session(request, each) for each in found)
    all_of_it = Act("End all…", f"/do/sessions.end/{query(person=one.email)}", "player-stop", "asks")
    acts = offered(request, one.client_id, ("sessions.end", all_of_it))
    table = Table("Where this person is signed in", columns, rows)
    return {"sessions": table, "sessions_note": SHUT if acts else "", "sessions_acts": acts}


def _session(request: Any, one: Session) -> Row:
    if one.sort == "terminal":
        name = one.program or "a terminal"
        end = Act("End…", f"/do/sessions.end/?session={one.id}", weight="asks", of=name)
        seen, acts = f"until {when(one.until)}", offered(request, None, ("sessions.end", end))
        return Row((Cell(Strong(name), "a terminal"), Badge("unmeasured", "not kept"), Cell(when(one.since), seen),
                    Cell(acts=acts)))  # fmt: skip
    program = one.program or "a browser that does not say which"
    return Row((program, Code(one.address), Cell(when(one.since), f"last seen {when(one.last_seen)}"), ""))


def _places(number: int) -> str:
    return "one client" if number == 1 else f"{number} clients"


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
    facts = [Fact("Last sign-in", last(way)), Fact("Second factor", factor(way))]
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
