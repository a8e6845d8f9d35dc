"""The record itself: never changed, but for what has to be erased from it."""

from collections.abc import Iterator
from itertools import groupby
from typing import Annotated

from django.db.models import Q
from pydantic import AfterValidator, Field

from postroom.changes.erase import outline
from postroom.changes.errors import NotThere, Problem, Problems
from postroom.changes.kind import APPROVED, ASKED, Kind
from postroom.changes.plan import Planned, create
from postroom.changes.state import State
from postroom.models import Change, Entry, Erasure, RecordedEdit

from .fields import Line

ENDED = ("verified", "refused", "withdrawn", "stale")
Place = tuple[int, int]  # entry, and line in it


def _place(text: str) -> str:
    entry, _, line = text.partition(".")
    if not (text.isascii() and entry.isdecimal() and line.isdecimal() and len(entry) < 19 and len(line) < 6):
        raise ValueError("an entry's number and a line of it, as in 4711.0")
    return f"{int(entry)}.{int(line)}"


RecordLine = Annotated[Line, AfterValidator(_place)]


class Erase(Kind, name="record.erase"):
    """Blank what lines of the record hold about a person, for good. That there was a line, of which row, when and by
    whom, stays; so does its hash, and the record still verifies.
    """

    step_up = frozenset({ASKED, APPROVED})
    lines: list[RecordLine] = Field(
        min_length=1, max_length=1000, description="Lines as postroom audit about names them: 4711.0"
    )
    reason: Line = Field(min_length=1, description="What for; it stays, so it names nobody")

    def plan(self, state: State) -> Iterator[Planned]:
        places = sorted({_parts(one) for one in self.lines})
        numbers = {entry for entry, _ in places}
        entries = {entry.pk: entry for entry in Entry.objects.filter(pk__in=numbers)}
        found = {(line.entry_id, line.n): line for line in RecordedEdit.objects.filter(_among(places))}
        if problems := [*_wrong(places, found, _not_ended(numbers))]:
            raise Problems(problems)
        for number, wanted in groupby(places, key=lambda place: place[0]):
            entry = entries[number]
            yield create(
                Erasure, state.new_id(), client_id=entry.client_id, entry_id=number, leaf=bytes(entry.leaf).hex(),
                lines=[outline(found[place]) for place in wanted], reason=self.reason,
            )  # fmt: skip


def _parts(text: str) -> Place:
    entry, _, line = text.partition(".")
    return int(entry), int(line)


def _among(places: list[Place]) -> Q:
    where = Q()
    for number, wanted in groupby(places, key=lambda place: place[0]):
        where |= Q(entry=number, n__in=[n for _, n in wanted])
    return where


def _not_ended(numbers: set[int]) -> dict[int, str]:
    """Of these entries those whose change is still under way: its stage."""
    heads = dict(RecordedEdit.objects.filter(entry__in=numbers, n=0, table="changes").values_list("entry", "row"))
    stages = dict(Change.objects.filter(pk__in=heads.values()).exclude(stage__in=ENDED).values_list("pk", "stage"))
    return {number: stages[row] for number, row in heads.items() if row in stages}


def _wrong(places: list[Place], found: dict[Place, RecordedEdit], going_on: dict[int, str]) -> Iterator[Problem]:
    for number, n in places:
        line, name = found.get((number, n)), f"line {number}.{n}"
        if line is None:
            yield NotThere("lines", f"no {name} that you can see")
        elif line.hashed is not None:
            yield Problem("lines", f"{name} is erased already")
        elif line.table == Erasure._meta.db_table:
            yield Problem("lines", f"{name} says what was erased, and stays")
        elif number in going_on:
            yield Problem("lines", f"{name} is of a change that is {going_on[number]}: when it has ended")
