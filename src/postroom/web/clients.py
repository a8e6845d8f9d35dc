"""Clients: the list, and one of them."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from postroom.access.scope import visible
from postroom.models import Client, Domain
from postroom.models.clients import HELD_OVER, UNDO_WITHIN
from postroom.models.recovery import unsaid
from postroom.models.rounds import ACCESS, ROSTER
from postroom.queries import records
from postroom.queries.access import Right, all_at
from postroom.queries.changes import timeline
from postroom.queries.clients import Held, domains_of, held
from postroom.queries.findings import Counts, counts
from postroom.queries.lists import listed
from postroom.queries.objects import row_of
from postroom.queries.rounds import Listed, newest_of
from postroom.web.badges import checks, proof, stage, standing
from postroom.web.door import page
from postroom.web.framed import closed_notes, freeze_notes, initials, offered
from postroom.web.lines import by, lines
from postroom.web.lists import STATES, Narrow
from postroom.web.parts.pages import ClientPage, ClientsPage
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Cell,
    Code,
    Column,
    Crumb,
    Empty,
    Fact,
    Item,
    Link,
    PageHead,
    Row,
    Table,
    Words,
)
from postroom.web.rounds import PATHS, far
from postroom.web.rounds import standing as round_standing
from postroom.web.times import when
from postroom.web.titles import title

COLUMNS = (
    Column("Client"), Column("Domains", num=True, phone="gone"), Column("Mailboxes", num=True),
    Column("Authentication"), Column("State", phone="right"), Column("Last change", phone="gone"),
)  # fmt: skip
CLOSED = Badge("warn", "closed to the organization", "lock")
UNSEEN = Badge("unknown", "not seen")
MAILED = "gets the newest checkpoint of the record every week"
NOBODY_TOLD = "no checkpoint of the record is mailed to anybody"
OUR_STANDARD = "the standard"
WAITING = ("held", "scheduled", "applied")


@page("clients.view")
def clients(request: Any) -> HttpResponse:
    narrow = Narrow(request)
    found = listed(request.actor, "clients", narrow.asked)
    add = offered(request, None, ("clients.create", ADD))
    shown = ClientsPage(
        head=PageHead("Clients", "the customers whose mail is run here", acts=add),
        notes=(*narrow.notes(), *freeze_notes(request)),
        label="Clients",
        filters=narrow.filters("Clients", [narrow.select("state", "State", STATES)]),
        table=Table("Clients", COLUMNS, rows(request, found.items), dense=True),
        pager=narrow.pager([one.name for one in found.items], found.next),
        empty=None if found.items else narrow.nothing("client", "A client is a customer whose mail you run.",
                                                      "building", add),
    )  # fmt: skip
    return render(request, "clients.html", {"page": shown})


ADD = Act("Add a client", "/do/clients.create/", icon="plus", weight="primary")


def rows(request: Any, items: Any) -> tuple[Row, ...]:
    """A page of clients as a table's rows: five queries."""
    much = held(request.actor, items)
    here = visible(request.actor, Domain).filter(client__in=items, removed_at=None)
    whose = dict(here.values_list("pk", "client_id"))
    by_client: dict[Any, dict[str, str]] = {}
    for domain, states in records.standing(request.actor, whose).items():
        _worse(by_client.setdefault(whose[domain], {}), states)
    frozen = {freeze.client for freeze in request.around.frozen}
    return tuple(_row(one, much[one.pk], by_client.get(one.pk), bool({one.pk, None} & frozen),
                      one.pk in request.access.closed) for one in items)  # fmt: skip


def _worse(known: dict[str, str], more: dict[str, str]) -> None:
    """Of several domains, the worst state counts."""
    order = ("bad", "unmeasured", "good")
    for name, state in more.items():
        known[name] = min(state, known.get(name, "good"), key=order.index)


def _row(one: Client, much: Held, states: dict[str, str] | None, frozen: bool, shut: bool) -> Row:
    name = Cell(Link(one.name, f"/clients/{one.slug}/", strong=True), Code(one.slug))
    if shut:
        return Row((name, UNSEEN, UNSEEN, UNSEEN, CLOSED, UNSEEN), name=one.name)
    so = standing(one) + ((Badge("fact", "Frozen", "snowflake"),) if frozen else ())
    return Row((
        name, str(much.domains), str(much.mailboxes),
        checks(states) if much.domains else "", so or Badge("good", "active"), when(much.changed),
    ), name=one.name)  # fmt: skip


@page("clients.view", recorded="clients")
def client(request: Any, ref: str) -> HttpResponse:
    one: Client = row_of(request.actor, "clients", ref)
    if one.pk in request.access.closed:
        return render(request, "client.html", {"page": _shut(request, one)})
    request.opened = one
    recent = timeline(request.actor, client=one.slug, limit=8).items
    waiting = timeline(request.actor, client=one.slug, stage=",".join(WAITING), limit=8).items
    domains = domains_of(request.actor, one)
    shown = ClientPage(
        head=_head(request, one, domains), notes=(*closed_notes(request, one), *freeze_notes(request, one.pk)),
        domains=_domains(request, domains) if domains else None, waiting=_waiting(waiting), recent=lines(recent),
        changes_url=f"/changes/?client={one.slug}", people_url=f"/access/?client={one.slug}",
        people=tuple(_right(right) for right in all_at(request.actor, one, 50)), people_acts=_close(request, one),
        facts=(*_facts(one, counts(request.actor, client=one.pk)), *_rounds(request, one)),
        empty=None if domains else _no_domain(request, one),
    )  # fmt: skip
    return render(request, "client.html", {"page": shown})


def _head(request: Any, one: Client, domains: list[Any]) -> PageHead:
    boxes = sum(domain.boxes for domain in domains)
    many = "100 domains or more" if len(domains) == 100 else f"{len(domains)} domains"
    acts = offered(
        request, one.pk,
        ("domains.add", Act("Add a domain", f"/do/domains.add/?client={one.slug}", icon="world-plus")),
        ("mailboxes.create", Act("Add mailboxes", "/do/mailboxes.create/", icon="plus")),
        ("clients.change", Act("Change", f"/do/clients.change/?client={one.slug}", icon="pencil")),
    )  # fmt: skip
    more = _closing(request, one)
    return PageHead(
        one.name, (f"{many} ·", Link(f"{boxes} mailboxes", f"/mailboxes/?client={one.slug}"), "·", Code(one.slug)),
        crumbs=(Crumb("Clients", "/clients/"),), badges=standing(one), acts=more or acts,
    )  # fmt: skip


def _closing(request: Any, one: Client) -> tuple[Act, ...]:
    """What a client that is not in use asks for first."""
    if one.removed_at:
        return offered(request, one.pk, ("clients.restore", Act("Restore", f"/do/clients.restore/?client={one.slug}",
                                                                icon="restore", weight="primary")))  # fmt: skip
    if one.suspended_at:
        return offered(request, one.pk, ("clients.resume", Act("Resume", f"/do/clients.resume/?client={one.slug}",
                                                               icon="player-play", weight="primary")))  # fmt: skip
    return ()


def _no_domain(request: Any, one: Client) -> Empty:
    add = Act("Add the first domain", f"/do/domains.add/?client={one.slug}", icon="world-plus", weight="primary")
    return Empty("No domain yet", f"Mail for {one.name} starts with a domain.", "world",
                 offered(request, one.pk, ("domains.add", add)))  # fmt: skip


def _domains(request: Any, domains: list[Any]) -> Table:
    states = records.standing(request.actor, [one.pk for one in domains])
    columns = (Column("Domain"), Column("Mailboxes", num=True), Column("Proof"), Column("Authentication"),
               Column("Ends", phone="gone"))  # fmt: skip
    return Table("Domains", columns, tuple(
        Row((Link(one.name, f"/domains/{one.name}/", strong=True), str(one.boxes), proof(one),
             checks(states.get(one.pk)), f"{one.expires_on:%d %b %Y}" if one.expires_on else ""))
        for one in domains
    ))  # fmt: skip


def _waiting(items: Any) -> Table | None:
    if not items:
        return None
    return Table("Waiting", (Column("Change"), Column("By"), Column("State")), tuple(
        Row((Cell(Link(title(one["kind"], one["params"]), f"/changes/{one['id']}/", strong=True)),
             Cell(by(one), when(one["now"])), stage(one["stage"])))
        for one in items
    ))  # fmt: skip


def _right(right: Right) -> Item:
    where = f" of {right.domain}" if right.domain else ""
    until = f", until {when(right.until)}" if right.until else ""
    what = f"Token {right.role}" if right.sort == "token" else right.role.capitalize()
    of = " of the organization" if right.where == "organization" else ""
    name: Words = Link(right.name, f"/people/{right.email}/") if right.email else right.name
    return Item(name, f"{what}{where}{of}{until}", initials=initials(right.name),
                badge=Badge("waits", "sealed login", "lock") if right.sealed else None)  # fmt: skip


def _close(request: Any, one: Client) -> tuple[Act, ...]:
    """A client's own say over who runs its mail."""
    if one.closed_at or one.removed_at:
        return ()
    close = Act("Close to the organization…", f"/do/access.suspend/?client={one.slug}", "lock", "asks")
    return offered(request, one.pk, ("access.suspend", close))


def _shut(request: Any, one: Client) -> ClientPage:
    """All that is said of a client that closed itself, to those it closed itself to."""
    return ClientPage(
        head=PageHead(one.name, Code(one.slug), crumbs=(Crumb("Clients", "/clients/"),), badges=(CLOSED,)),
        notes=closed_notes(request, one),
        closed=Empty("Closed to the organization", f"{one.name} is opened again by its own people, and by nobody else. "
                     "In an emergency a sealed login gets in; every owner is told.", "lock"),
    )  # fmt: skip


def _rounds(request: Any, one: Client) -> tuple[Fact, ...]:
    """The open access review and roster, each with how far it is."""
    open_now = newest_of(request.actor, one.pk)
    return tuple(_asked(one, sort, open_now.get(sort)) for sort in (ACCESS, ROSTER))


def _asked(one: Client, sort: str, found: Listed | None) -> Fact:
    path, term = PATHS[sort], sort.capitalize()
    if found is None:
        return Fact(term, (Link("None yet", f"{path}?client={one.slug}"),), "one opens with the next quarter")
    words = Link(far(found), f"{path}{found.round.pk}/")
    return Fact(term, (words, round_standing(found)), f"{found.round.quarter}, due {when(found.round.due_at)}")


def _said(one: Client) -> str:
    """Who is written to, and whether they said within half a year that they read it."""
    if not one.security_contact:
        return NOBODY_TOLD
    return f"{MAILED}; {unsaid(one.security_confirmed_at, timezone.now()) or 'confirmed'}"


def _held(one: Client) -> Iterator[Fact]:
    """What waits here for a second person by its number, and for how long one's own undo does not."""
    over, within = one.held_over, one.undo_within
    objects = HELD_OVER if over is None else over
    yield Fact(
        "A second person looks at", f"changes of more than {objects} object{'' if objects == 1 else 's'}",
        OUR_STANDARD if over is None else f"{OUR_STANDARD} is {HELD_OVER}",
    )  # fmt: skip
    minutes = UNDO_WITHIN if within is None else within
    yield Fact(
        "One's own undo needs nobody", f"for {minutes} min" if minutes else "never",
        OUR_STANDARD if within is None else f"{OUR_STANDARD} is {UNDO_WITHIN} min",
    )  # fmt: skip


def _facts(one: Client, wrong: Counts) -> tuple[Fact, ...]:
    unknown = Badge("unknown", "not known")
    unread = Badge("unknown", f"{wrong.unknown} unknown") if wrong.unknown else ""
    return (
        Fact("Findings", (Link(f"{wrong.total} open", f"/findings/?client={one.slug}"), unread), "as last read"),
        Fact("May ask for changes", ", ".join(one.may_ask) or unknown),
        Fact("Security contact", one.security_contact or unknown, _said(one)),
        Fact("Mail is opened with", "app passwords alone" if one.app_passwords_only else "main and app passwords"),
        *_held(one),
        Fact("Home node", Link(one.node.name, f"/nodes/{one.node.name}/") if one.node else Badge("warn", "none yet")),
        Fact("Notes", one.notes or "none"),
        Fact(
            "Inventory sheet", Link("Who holds and owns what", f"/clients/{one.slug}/sheet/"), "and how much is known"
        ),
        Fact("DNS posture", Link("Its domains by the rules of mail", f"/posture/?client={one.slug}")),
        Fact("Routing map", Link("Where its mail lands", f"/clients/{one.slug}/routing/"), "every route there is"),
        Fact("Version", str(one.version), "changes of this client so far"),
    )
