"""What a plan does to where mail lands: every address it touches, and those that lead there, before and after."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from postroom.models import (
    Address,
    Alias,
    CatchAll,
    Client,
    Domain,
    Forward,
    Mailbox,
    RouteException,
    Row,
    StateModel,
    Transport,
)
from postroom.protocols.routing import Trace, trace

from .edit import Edit, model_of
from .routes import Facts, leading_to, read
from .rules import Ref, Rules

# Fields by which mail moves; a row that is made or goes moves it too. A client's or a domain's own make is no move.
MOVES: Mapping[type[StateModel], frozenset[str]] = {
    Client: frozenset({"removed_at", "node_id"}),
    Domain: frozenset({"removed_at", "proof", "alias_of_id", "name"}),
    Address: frozenset({"keep_copy", "address"}),
    Mailbox: frozenset({"removed_at", "address_id"}),
    Alias: frozenset({"targets", "removed_at", "address_id"}),
    Forward: frozenset({"to", "until", "disabled_at", "removed_at", "address_id"}),
    CatchAll: frozenset({"target", "until", "removed_at"}),
    RouteException: frozenset({"target", "until", "ended_at"}),
    Transport: frozenset({"host", "port", "until", "ended_at"}),
}
TABLES = {model._meta.db_table: fields for model, fields in MOVES.items()}
OF_A_WHOLE = (Client, Domain)
ANY = "*"  # as a local part: any address of the domain that is none of its own


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


@dataclass(frozen=True)
class _Move:
    table: str
    id: str
    now: Row | None
    then: Row | None

    @property
    def row(self) -> Row:
        return self.then or self.now or {}


def moves_mail(edits: Iterable[Edit]) -> list[Edit]:
    """Those by which mail may land elsewhere. Nothing comes yet to a client or a domain that is made only now."""
    return [e for e in edits if e.table in TABLES and _moves_it(e)]


def _moves_it(e: Edit) -> bool:
    if e.stays:
        return bool(TABLES[e.table] & (e.after or {}).keys())
    return e.before is not None or model_of(e.table) not in OF_A_WHOLE


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
    moves = list(_moves(moves_mail(edits)))
    if not moves:
        return Diff()
    names, made = _addresses(moves)
    clients = {str(e.client) for e in edits if e.client}
    mirrored = dict(_mirrored(moves, most))
    own = _about(moves, names, mirrored, most)
    if not own:
        return Diff()
    looked = own[:most]
    led = leading_to(looked, clients, most=most) if len(looked) < most else []
    every = [*looked, *led][:most]
    targets = {to for move in moves[: 10 * most] for row in (move.now, move.then) if row for to in _targets(row)}
    facts = read({*every, *targets, *mirrored.values()})
    hidden = hide(facts)
    dark = {row["address"] for id, row in facts.get("addresses", {}).items() if ("addresses", id) in hidden}
    every = [one for one in every if one in looked or one not in dark]
    near = [one for one in moves if not facts.get("reached") or _near(one, names, facts["reached"])]
    proved = clients if proven else ()
    before, after = (Rules(_laid(facts, near, then=then), now, hidden, proved) for then in (False, True))
    found = tuple(
        Moved(one, trace(one, before, at=now), trace(one, after, at=now), one in own, one in made) for one in every
    )
    boxes = {str(row["address_id"]): row for row in facts.get("mailboxes", {}).values()}
    vips = {row["address"] for id, row in facts.get("addresses", {}).items() if boxes.get(id, {}).get("vip")}
    closed = {names.get(str(move.row.get("address_id")), "") for move in moves if _closes(move)}
    return Diff(found, len(own) + len(led) - len(found), frozenset(vips), frozenset(closed))


def _moves(edits: Sequence[Edit]) -> Iterator[_Move]:
    """Each with its whole row as it is and as it would be; a query a table."""
    for table in dict.fromkeys(e.table for e in edits):
        these = [e for e in edits if e.table == table]
        there = [e.id for e in these if e.before is not None]
        rows = {str(row.pk): row.row() for row in model_of(table).objects.filter(pk__in=there)} if there else {}
        for e in these:
            now = rows.get(e.id)
            then = None if e.after is None else {**(now or {}), **e.after}
            yield _Move(e.table, e.id, now, then)


def _addresses(moves: Sequence[_Move]) -> tuple[dict[str, str], set[str]]:
    """Address or domain by id; and the addresses that the plan makes."""
    names = {m.id: str(m.row["address"]) for m in moves if m.table == Address._meta.db_table}
    made = {names[m.id] for m in moves if m.id in names and m.now is None}
    for model, column, field in ((Address, "address_id", "address"), (Domain, "domain_id", "name")):
        wanted = {str(m.row[column]) for m in moves if m.row.get(column)} - names.keys()
        if wanted:
            names |= {str(pk): name for pk, name in model.objects.filter(pk__in=wanted).values_list("pk", field)}
    return names, made


def _about(moves: Sequence[_Move], names: Mapping[str, str], also: Iterable[str], most: int) -> list[str]:
    """The addresses a plan is about, in its order; of a client or a domain, its first ones."""
    whole = [move.id for move in moves if model_of(move.table) in OF_A_WHOLE and move.now]
    touched = (one for move in moves for one in _touched(move, names))
    return list(dict.fromkeys((*touched, *_of_a_whole(whole, most), *also)))


def _touched(move: _Move, names: Mapping[str, str]) -> Iterator[str]:
    if move.table == Address._meta.db_table:
        yield names[move.id]
    elif move.table == Domain._meta.db_table:
        yield f"{ANY}@{move.row['name']}"
    elif move.table == CatchAll._meta.db_table:
        yield f"{ANY}@{names[str(move.row['domain_id'])]}"
    elif "address_id" in move.row and (name := names.get(str(move.row["address_id"]))):
        yield name


def _near(move: _Move, names: Mapping[str, str], reached: Mapping[str, Row]) -> bool:
    """Whether it can matter to what is followed: of a plan of ten thousand, few rows do."""
    at = next(_touched(move, names), "")
    return move.table == Client._meta.db_table or at.startswith(ANY) or at in reached


def _of_a_whole(ids: Sequence[str], most: int) -> list[str]:
    """The first addresses of these clients or domains."""
    if not ids:
        return []
    rows = Address.objects.filter(domain_id__in=ids) | Address.objects.filter(client_id__in=ids)
    return list(rows.order_by("address").values_list("address", flat=True)[: most + 1])


def _mirrored(moves: Sequence[_Move], most: int) -> Iterator[tuple[str, str]]:
    """Of a domain that comes to stand for another: by its own name, each address whose mail may leave there."""
    for move in moves:
        of = (move.then or {}).get("alias_of_id") if move.table == Domain._meta.db_table else None
        if of and of != (move.now or {}).get("alias_of_id"):
            ways = RouteException.objects.filter(client=move.row["client_id"], ended_at=None)
            out = set(ways.values_list("address__address", flat=True)[:most])
            led = leading_to(sorted(out), [str(move.row["client_id"])], most=most) if out else []
            there = Domain.objects.filter(pk=of).values_list("name", flat=True).first()
            for one in sorted({*out, *led}):
                local, _, at = one.rpartition("@")
                if at == there and local != ANY:
                    yield f"{local}@{move.row['name']}", one


def _targets(row: Row) -> Iterator[str]:
    yield from row.get("targets") or ()
    yield from (str(row[name]) for name in ("to", "target") if row.get(name))


def _laid(facts: Facts, moves: Sequence[_Move], *, then: bool) -> Facts:
    """The facts with what the plan touches as it is, or as it would be."""
    laid = {table: dict(rows) for table, rows in facts.items()}
    for move in moves:
        row = move.then if then else move.now
        if row is None:
            laid.get(move.table, {}).pop(move.id, None)
        else:
            laid.setdefault(move.table, {})[move.id] = {**laid.get(move.table, {}).get(move.id, {}), **row}
    return laid


def _closes(move: _Move) -> bool:
    model = model_of(move.table)
    if model not in (Alias, Forward, Mailbox) or move.now is None:
        return False
    return bool(model.opens(move.now)) and (move.then is None or not model.opens(move.then))
