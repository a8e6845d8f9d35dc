"""What a plan does to where mail lands: every address it touches, and those that lead there, before and after."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from postroom.models import Address, Alias, CatchAll, Domain, Forward, Mailbox, RouteException
from postroom.protocols.routing import Trace, trace

from .along import along
from .edit import Edit, model_of
from .laid import (
    ANY,
    MOVES,
    OF_A_WHOLE,
    PATTERNS,
    Moving,
    addresses_of,
    by_patterns,
    laid,
    moves_mail,
    moves_of,
    near,
    targets_of,
    touched,
)
from .routes import Facts, leading_to, read
from .rules import Ref, Rules


@dataclass(frozen=True)
class Moved:
    """One address. own: the plan is about it, and not only about what it leads to. made: it is not there yet."""

    address: str
    before: Trace
    after: Trace
    own: bool
    made: bool

    @property
    def differs(self) -> bool:
        return set(self.before.landings) != set(self.after.landings)


@dataclass(frozen=True)
class Diff:
    """Those that were looked at, in the order of the plan; more: how many were not. vips: mailboxes among them."""

    moved: tuple[Moved, ...] = ()
    more: int = 0
    vips: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()  # addresses of which the plan ends what stands at them


def _seen(facts: Facts) -> frozenset[Ref]:
    """Nothing is hidden from a policy."""
    return frozenset()


def diff(
    edits: Sequence[Edit],
    now: datetime,
    *,
    most: int,
    hide: Callable[[Facts], frozenset[Ref]] = _seen,
    proven: bool = False,
) -> Diff:
    """Where mail lands now, and by these edits. A fixed number of queries, however many.

    hide: of what was read, the rows that are not to be shown; an address that only leads there is then not named.
    proven: as it would be with every domain of these clients served.
    """
    moves = list(moves_of(edits := moves_mail([*edits, *along(edits)])))
    if not moves:
        return Diff()
    names, made = addresses_of(moves)
    clients = {str(e.client) for e in edits if e.client}
    mirrored = dict(_mirrored(moves, most))
    own = _about(moves, names, mirrored, most)
    if not own:
        return Diff()
    looked = own[:most]
    led = leading_to(looked, clients, most=most) if len(looked) < most else []
    every = [*looked, *led][:most]
    targets = {to for move in moves[: 10 * most] for row in (move.now, move.then) if row for to in targets_of(row)}
    facts = read({*every, *targets, *mirrored.values()})
    hidden = hide(facts)
    dark = {row["address"] for id, row in facts.get("addresses", {}).items() if ("addresses", id) in hidden}
    every = [one for one in every if one in looked or one not in dark]
    close = [one for one in moves if not facts.get("reached") or near(one, names, facts["reached"])]
    proved = clients if proven else ()
    before, after = (Rules(laid(facts, close, then=then), now, hidden, proved) for then in (False, True))
    found = tuple(
        Moved(one, trace(one, before, at=now), trace(one, after, at=now), one in own, one in made) for one in every
    )
    closed = {names.get(str(move.row.get("address_id")), "") for move in moves if _closes(move)}
    twins = _twins(facts)
    closed |= {one for one in every if twin(one, twins) in closed}
    return Diff(found, len(own) + len(led) - len(found), _vips(facts), frozenset(closed))


def _vips(facts: Facts) -> frozenset[str]:
    boxes = {str(row["address_id"]): row for row in facts.get("mailboxes", {}).values()}
    return frozenset(row["address"] for id, row in facts.get("addresses", {}).items() if boxes.get(id, {}).get("vip"))


def twin(address: str, twins: Mapping[str, str]) -> str:
    """The address that one stands for at a domain that stands for another; empty at any other. twins: the other's name
    by its own."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{twins[domain]}" if domain in twins else ""


def _twins(facts: Facts) -> dict[str, str]:
    domains = facts.get("domains", {})
    of = ((row["name"], domains.get(str(row["alias_of_id"]))) for row in domains.values() if row["alias_of_id"])
    return {name: other["name"] for name, other in of if other}


def _about(moves: Sequence[Moving], names: Mapping[str, str], also: Iterable[str], most: int) -> list[str]:
    """The addresses a plan is about, in its order; of a client or a domain, its first ones."""
    these = (one for move in moves for one in touched(move, names))
    return list(dict.fromkeys((*these, *_of_a_whole(list(_whole(moves)), most), *by_patterns(moves, most), *also)))


def _whole(moves: Sequence[Moving]) -> Iterator[str]:
    """The clients and domains of which all mail may move."""
    for move in moves:
        model = model_of(move.table)
        if model in OF_A_WHOLE and move.now and (move.then is None or move.differs(MOVES[model] - PATTERNS)):
            yield move.id


def _of_a_whole(ids: Sequence[str], most: int) -> list[str]:
    """The first addresses of these clients or domains; what is caught at a domain of a client before them."""
    if not ids:
        return []
    caught = CatchAll.objects.filter(client_id__in=ids, removed_at=None).order_by("domain__name")
    names = caught.values_list("domain__name", flat=True)[: most + 1]
    rows = Address.objects.filter(domain_id__in=ids) | Address.objects.filter(client_id__in=ids)
    return [
        *(f"{ANY}@{name}" for name in names),
        *rows.order_by("address").values_list("address", flat=True)[: most + 1],
    ]


def _mirrored(moves: Sequence[Moving], most: int) -> Iterator[tuple[str, str]]:
    """Of a domain that comes to stand for another, or back so: by its name, each address whose mail may leave there."""
    for move in moves:
        of = (move.then or {}).get("alias_of_id") if move.table == Domain._meta.db_table else None
        if of and move.differs(("alias_of_id", "removed_at")) and not move.row["removed_at"]:
            ways = RouteException.objects.filter(client=move.row["client_id"], ended_at=None)
            out = set(ways.values_list("address__address", flat=True)[:most])
            led = leading_to(sorted(out), [str(move.row["client_id"])], most=most) if out else []
            there = Domain.objects.filter(pk=of).values_list("name", flat=True).first()
            for one in sorted({*out, *led}):
                local, _, at = one.rpartition("@")
                if at == there and local != ANY:
                    yield f"{local}@{move.row['name']}", one


def _closes(move: Moving) -> bool:
    model = model_of(move.table)
    if model not in (Alias, Forward, Mailbox) or move.now is None:
        return False
    return bool(model.opens(move.now)) and (move.then is None or not model.opens(move.then))
