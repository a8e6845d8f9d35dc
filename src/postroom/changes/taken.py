"""Names that are taken, or stand twice in one list: each said at its place before anything is tried.

The database's unique constraints decide; this is for saying it well, of all of them together. By whom a name is taken
is never said.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from uuid import UUID

from postroom.access.acting import Access, others_beside, taken
from postroom.models import Row
from postroom.models.base import state_models

from .edit import Edit
from .errors import Problem
from .kind import Kind
from .plan import Planned

Place = tuple[str, Kind]  # where in the list a part stands ("" where it is alone), and the part
Part = tuple[Place, Sequence[Planned]]
DOMAINS = "domains"
NAMED_BY = ("name", "node")  # parameters that a name is made from, where none holds it as it is


def clashes(parts: Sequence[Part]) -> Iterator[Problem]:
    """What is wrong with the names of the rows that these plans would make."""
    asked: dict[str, dict[str, Place]] = {table: {} for table in named()}
    going: set[tuple[str, str]] = set()  # rows that go make room first
    for place, edit in _named(parts):
        if edit.after is None:
            going.add((edit.table, _name(edit.table, edit.before)))
        elif edit.before is None:
            name = _name(edit.table, edit.after)
            first = asked[edit.table].setdefault(name, place)
            if first is not place:
                yield _problem(place, edit.table, name, f"stands twice in this list, first at {first[0]}")
    yield from _beside(parts, asked[DOMAINS])
    yield from _taken(asked, going)


def _taken(asked: dict[str, dict[str, Place]], going: set[tuple[str, str]]) -> Iterator[Problem]:
    """Of a domain that is taken, the addresses which it would have brought along are not said besides."""
    whole: set[str] = set()
    for table in sorted(asked, key=lambda table: table != DOMAINS):
        names = [name for name in asked[table] if name.partition("@")[2] not in whole]
        for name in taken(table, names) if names else ():
            if (table, name) not in going:
                whole |= {name} if table == DOMAINS else set()
                yield _problem(asked[table][name], table, name, "is already taken")


def twice(parts: Sequence[Part]) -> Iterator[Problem]:
    """The first name of a change that another of its batch would make too: the one would find it taken by the other."""
    told: set[str] = set()
    asked: dict[tuple[str, str], Place] = {}
    for place, edit in _named(parts):
        if edit.before is None and edit.after is not None:
            name = _name(edit.table, edit.after)
            first = asked.setdefault((edit.table, name), place)
            if first[0] != place[0] and place[0] not in told:
                told.add(place[0])
                yield _problem(place, edit.table, name, f"stands twice in this batch, first in change {first[0]}")


def _beside(parts: Sequence[Part], asked: dict[str, Place]) -> Iterator[Problem]:
    """A domain above or below one of another client would cut its zone, or shadow part of it."""
    edits = [e for _, e in _named(parts) if e.table == DOMAINS and e.before is None]
    made = {_name(DOMAINS, e.after): e.client for e in edits if e.client}  # of one that is not there, unknown whose
    for name in others_beside(list(made.items())) if made else ():
        yield _problem(asked[name], DOMAINS, name, "lies above or below a domain that is already taken")


def may_hear(access: Access, permission: str, parts: Iterable[Part]) -> bool:
    """Only who may make these rows is told which names there are; to others all are refused alike."""
    if not access.actor.somebody:
        return True
    rows = [(edit.client, edit.after) for _, edit in _named(parts) if edit.before is None and edit.after]
    return all(
        access.can(permission, client)
        or ("domain_id" in row and access.can_at_domain(permission, UUID(row["domain_id"])))
        for client, row in rows
    )


def _named(parts: Iterable[Part]) -> Iterator[tuple[Place, Edit]]:
    tables = named()
    for place, planned in parts:
        yield from ((place, one) for one in planned if isinstance(one, Edit) and one.table in tables)


def _name(table: str, row: Row | None) -> str:
    return str((row or {})[named()[table]])


@cache
def named() -> dict[str, str]:
    """table → the column with the unique name that people call its rows by."""
    models = {table: model for table, model in state_models().items() if model.natural_key in model.columns()}
    unique = {table: model.natural_key for table, model in models.items() if model.natural_key != "id"}
    return {table: key for table, key in unique.items() if getattr(models[table]._meta.get_field(key), "unique", False)}


def _problem(place: Place, table: str, name: str, what: str) -> Problem:
    at, kind = place
    fields = list(type(kind).model_fields)
    same = [field for field, value in kind if value == name]
    where = next((field for field in (*same, named()[table], *NAMED_BY) if field in fields), "params")
    return Problem(f"{at}.{where}" if at else where, f"{name} {what}")
