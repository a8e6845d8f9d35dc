"""The rows that a plan touches of those by which mail goes, as they are and as it would leave them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from postroom.models import (
    Address,
    Alias,
    CatchAll,
    Client,
    Domain,
    Filter,
    Forward,
    Mailbox,
    Organization,
    RedirectStop,
    RouteException,
    Row,
    SieveScript,
    StateModel,
    Transport,
)
from postroom.models.filters import SCRIPT
from postroom.protocols.patterns import matches
from postroom.protocols.sieve_text import NoScript, parsed

from .edit import Edit, model_of
from .routes import Facts

# Fields by which mail moves; a row that is made or goes moves it too. A client's or a domain's own make is no move.
PATTERNS = frozenset({"forward_allowed", "forward_forbidden"})
MOVES: Mapping[type[StateModel], frozenset[str]] = {
    Organization: PATTERNS,
    Client: frozenset({"removed_at", "node_id"}) | PATTERNS,
    Domain: frozenset({"removed_at", "proof", "alias_of_id", "name"}),
    Address: frozenset({"keep_copy", "address"}),
    Mailbox: frozenset({"removed_at", "address_id"}),
    Alias: frozenset({"targets", "removed_at", "address_id"}),
    Forward: frozenset({"to", "until", "disabled_at", "removed_at", "address_id"}),
    CatchAll: frozenset({"target", "until", "removed_at"}),
    RouteException: frozenset({"target", "until", "ended_at"}),
    Transport: frozenset({"host", "port", "until", "ended_at"}),
    Filter: frozenset({"revision"}),
    RedirectStop: frozenset({"ended_at"}),
}
TABLES = {model._meta.db_table: fields for model, fields in MOVES.items()}
OF_A_WHOLE = (Organization, Client, Domain)
FILTERS, STOPS = Filter._meta.db_table, RedirectStop._meta.db_table
SEALED = "its owner wrote it, and it is read by its node alone"
ANY = "*"  # as a local part: any address of the domain that is none of its own


@dataclass(frozen=True)
class Moving:
    """An edit with its whole row, now and then."""

    table: str
    id: str
    now: Row | None
    then: Row | None

    @property
    def row(self) -> Row:
        return self.then or self.now or {}

    def differs(self, fields: Iterable[str]) -> bool:
        return any((self.then or {}).get(name) != (self.now or {}).get(name) for name in fields)


def moves_mail(edits: Iterable[Edit]) -> list[Edit]:
    """Those by which mail may land elsewhere. Nothing comes yet to a client or a domain that is made only now."""
    return [e for e in edits if e.table in TABLES and _moves_it(e)]


def _moves_it(e: Edit) -> bool:
    if e.stays:
        return bool(TABLES[e.table] & (e.after or {}).keys())
    return e.before is not None or model_of(e.table) not in OF_A_WHOLE


def moves_of(edits: Sequence[Edit]) -> Iterator[Moving]:
    """Each with its whole row as it is and as it would be; a query a table."""
    for table in dict.fromkeys(e.table for e in edits):
        these = [e for e in edits if e.table == table]
        there = [e.id for e in these if e.before is not None]
        rows = {str(row.pk): row.row() for row in model_of(table).objects.filter(pk__in=there)} if there else {}
        for e in these:
            now = rows.get(e.id)
            then = None if e.after is None else {**(now or {}), **e.after}
            yield Moving(e.table, e.id, now, then)


def addresses_of(moves: Sequence[Moving]) -> tuple[dict[str, str], set[str]]:
    """Address or domain by id; and the addresses that the plan makes."""
    names = {m.id: str(m.row["address"]) for m in moves if m.table == Address._meta.db_table}
    made = {names[m.id] for m in moves if m.id in names and m.now is None}
    for model, column, field in ((Address, "address_id", "address"), (Domain, "domain_id", "name")):
        wanted = {str(m.row[column]) for m in moves if m.row.get(column)} - names.keys()
        if wanted:
            names |= {str(pk): name for pk, name in model.objects.filter(pk__in=wanted).values_list("pk", field)}
    if boxes := {str(m.row["mailbox_id"]) for m in moves if m.row.get("mailbox_id")}:
        there = Mailbox.objects.filter(pk__in=boxes).values_list("pk", "address__address")
        names |= {str(pk): name for pk, name in there}
    return names, made


def touched(move: Moving, names: Mapping[str, str]) -> Iterator[str]:
    """The address, or ANY of a domain, that it is about. names: of addresses and domains, by id."""
    if move.table == Address._meta.db_table:
        yield names[move.id]
    elif move.table == Domain._meta.db_table:
        yield f"{ANY}@{move.row['name']}"
    elif move.table == CatchAll._meta.db_table:
        yield f"{ANY}@{names[str(move.row['domain_id'])]}"
    elif name := names.get(str(move.row.get("mailbox_id") or move.row.get("address_id"))):
        yield name


def near(move: Moving, names: Mapping[str, str], reached: Mapping[str, Row]) -> bool:
    """Whether it can matter to what is followed: of a plan of ten thousand, few rows do."""
    at = next(touched(move, names), "")
    whole = move.table in (Client._meta.db_table, Organization._meta.db_table)
    return whole or at.startswith(ANY) or at in reached


def by_patterns(moves: Sequence[Moving], most: int) -> list[str]:
    """The mailboxes of which a script in force passes mail on to what is judged by other patterns than before."""
    wide = [one for one in moves if one.table in (Client._meta.db_table, Organization._meta.db_table)]
    moved = [one for one in wide if one.then and one.differs(PATTERNS)]
    if not moved:
        return []
    rows = SieveScript.objects.filter(active=True).exclude(redirects=[])
    if all(one.table == Client._meta.db_table for one in moved):
        rows = rows.filter(client__in=[one.id for one in moved])
    said = {
        name: [set((row or {}).get(name) or ()) for one in moved for row in (one.now, one.then)] for name in PATTERNS
    }
    others = sorted({one for pair in said.values() for one in set.union(*pair) - set.intersection(*pair)})
    found = rows.order_by("mailbox__address__address").values_list("mailbox__address__address", "redirects")
    return [at for at, redirects in found if any(matches(others, one["to"]) for one in redirects if one["to"])][
        : most + 1
    ]


def targets_of(row: Row) -> Iterator[str]:
    """Where a row passes mail on to."""
    yield from row.get("targets") or ()
    yield from (str(row[name]) for name in ("to", "target") if row.get(name))


def laid(facts: Facts, moves: Sequence[Moving], *, then: bool) -> Facts:
    """The facts with what the plan touches as it is, or as it would be."""
    found = {table: dict(rows) for table, rows in facts.items()}
    for move in moves:
        row = move.then if then else move.now
        if move.table == FILTERS:
            if then:
                _filtered(found, move)
        elif row is None or (move.table == STOPS and row["ended_at"]):
            found.get(move.table, {}).pop(move.id, None)
        else:
            found.setdefault(move.table, {})[move.id] = {**found.get(move.table, {}).get(move.id, {}), **row}
    return found


def _filtered(found: Facts, move: Moving) -> None:
    """The scripts of its mailbox as they will be: ours in force, or out of it. What was uploaded stays where ours only
    ends. A text that an owner wrote nobody here reads."""
    row, scripts = move.then, found.setdefault("sieve_scripts", {})
    box = str(move.row["mailbox_id"])
    active = bool(row and row["active"])
    every = active or bool(row and row["clears"])
    for id, one in list(scripts.items()):
        if str(one["mailbox_id"]) == box and (every or one["name"] == SCRIPT):
            del scripts[id]
    if row and active:
        scripts[move.id] = {"mailbox_id": box, "name": SCRIPT, "redirects": [], **_read(row["text"])}
        found.setdefault(FILTERS, {})[box] = row


def _read(text: str) -> Row:
    """What the script does, as one that a node has read says it; one that passes mail on is set for nobody."""
    try:
        read = parsed(text) if text else None
    except NoScript as wrong:
        return {"discards": "", "unreadable": str(wrong)}
    if read is None or read.redirects:
        return {"discards": "", "unreadable": SEALED if read is None else "it passes mail on"}
    return {"discards": read.discards, "unreadable": ""}
