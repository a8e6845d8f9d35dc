"""What a kind may know: the rows its proposer may see, and the one clock and ids of the change."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from os import urandom
from time import time
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet

from postroom.access.acting import Access
from postroom.access.scope import visible
from postroom.models import Domain, Reading, StateModel
from postroom.models.domains import FRESH
from postroom.protocols.rrset import RRset

from .errors import NotRead, NotThere, Problem

M = TypeVar("M", bound=StateModel)
T = TypeVar("T")
LAST_32_BITS = 0xFFFF_FFFF
AT_ONCE = 5_000
MX_ELSEWHERE = "MX elsewhere"  # a reading from the name servers the world asks, where those are not ours


def new_change_id() -> UUID:
    """A UUIDv7 whose last 32 bits are left free: the rows this change makes are numbered there."""
    clock, random = int(time() * 1000), int.from_bytes(urandom(9))
    number = clock << 80 | 0x7 << 76 | (random & 0xFFF) << 64 | 0x2 << 62 | (random >> 12 & 0x3FFF_FFFF) << 32
    return UUID(int=number)


class State:
    """Planning twice from the same rows gives the same plan: nothing here draws a clock or a number.

    parts: what was asked for, all parts of the change; for what is so only where another part is there too.
    """

    def __init__(self, access: Access, change_id: UUID, now: datetime, why: str = "") -> None:
        self.access, self.actor, self.now, self.why = access, access.actor, now, why
        self.parts: Sequence[object] = ()
        self._change, self._made = change_id, 0
        self._got: dict[tuple[type[StateModel], str], StateModel | None] = {}
        self._once: dict[str, object] = {}
        self._there: dict[type[StateModel], dict[str, StateModel | None]] = {}
        self._zones: dict[str, list[Reading]] = {}
        self._expected: set[str] = set()
        self._hanging: dict[tuple[type[StateModel], str], dict[UUID, list[StateModel]]] = {}

    def new_id(self) -> UUID:
        self._made += 1
        return UUID(int=self._change.int & ~LAST_32_BITS | self._made)

    def token(self) -> str:
        """A short public word of this change: 20 characters that nobody chose; not a secret."""
        return self._change.hex[-20:-8] + self._change.hex[:8]

    def get(self, model: type[M], ref: str | UUID, *, where: str = "") -> M:
        """By id or natural key, read once; NotThere (at parameter `where`) for none, or none of yours."""
        row = self.find(model, ref)
        if row is None:
            raise not_there(model, ref, where)
        return row

    def missing(self, names: Iterable[tuple[str, type[StateModel], str]]) -> list[Problem]:
        """All of these (parameter, model, ref) that are not there, or not yours: the answer is the same."""
        return [not_there(model, ref, where) for where, model, ref in names if self.find(model, ref) is None]

    def find(self, model: type[M], ref: str | UUID) -> M | None:
        """The same, where there may be none."""
        key = (model, _known_as(ref))
        if key not in self._got:
            self.load([key])
        return self._got[key]  # type: ignore[return-value]

    def there(self, model: type[M], ref: str) -> M | None:
        """The same whether or not its proposer may see it, as far as row security goes: for rules, never for words."""
        known = self._there.setdefault(model, {})
        if ref not in known:
            asked = {name for of, name in self._got if of is model} | {ref}
            known |= dict.fromkeys(asked - known.keys())
            known |= {row.label: row for row in self._read(model, sorted(asked), model.objects.all())}
        return known[ref]  # type: ignore[return-value]

    def once(self, what: str, read: Callable[[], T]) -> T:
        """What many parts of a change ask alike, read for all of them."""
        if what not in self._once:
            self._once[what] = read()
        return self._once[what]  # type: ignore[return-value]

    def rows(self, model: type[M], **where: Any) -> "QuerySet[M]":
        return visible(self.actor, model).filter(**where)

    def hanging(self, model: type[M], column: str, row: UUID) -> list[M]:
        """Those that name this row in `column`; read at once for every row that the change is about so far. All of
        them, whether or not its proposer may see each, as far as row security goes: who may end a mailbox ends what
        opens it, and leaves nothing standing that they may not look at.

        On a row that the change itself makes nothing hangs yet.
        """
        known = self._hanging.setdefault((model, column), {})
        if self._made and row.int >> 32 == self._change.int >> 32:
            return []
        if row not in known:
            wanted = sorted({row, *self._read_so_far()} - known.keys())
            known |= {one: [] for one in wanted}
            for at in range(0, len(wanted), AT_ONCE):
                for found in model.objects.filter(**{f"{column}__in": wanted[at : at + AT_ONCE]}).order_by("id"):
                    known[getattr(found, column)].append(found)
        return known[row]  # type: ignore[return-value]

    def _read_so_far(self) -> Iterator[UUID]:
        yield from (one.pk for one in self._got.values() if one)
        yield from (one.pk for rows in self._hanging.values() for found in rows.values() for one in found)

    def load(self, refs: Iterable[tuple[type[StateModel], str]]) -> None:
        """Read many rows in few queries; that one is not there is remembered too."""
        wanted: dict[type[StateModel], set[str]] = {}
        for model, ref in refs:
            if (model, name := _known_as(ref)) not in self._got:
                wanted.setdefault(model, set()).add(name)
        for model, names in wanted.items():
            self._got |= {(model, name): None for name in names}
            for row in self._read(model, sorted(names)):
                self._got[model, row.label] = self._got[model, str(row.pk)] = row

    def reading(self, zone: str, name: str, type: str) -> RRset | None:
        """An RRset as last read in its zone; None when nothing stands there. A zone not read is a Problem."""
        known = {(one.name, one.type): one for one in self._zone(zone)}
        whole = known.get(("", ""))
        if whole is None or whole.failed or whole.at < self.now - FRESH:
            why = whole.failed if whole and whole.failed else "its zone was not read within ten minutes"
            raise NotRead("domain", f"{zone}: not read ({why}); what stands there now is unknown")
        one = known.get((name, type))
        return RRset(name, type, one.ttl or 0, tuple(sorted(one.values))) if one and one.values is not None else None

    def live_elsewhere(self, zone: str) -> bool:
        """Whether, when the zone was last read, somebody else's name servers answered for it with an MX."""
        return any(one.type == MX_ELSEWHERE and one.values is not None for one in self._zone(zone))

    def expect(self, zones: Iterable[str]) -> None:
        """By name or id: where one of them is asked for, all are read."""
        self._expected |= set(zones)

    def look_again(self) -> None:
        """Under the lock: what policies ask of it is asked anew."""
        self._zones.clear()

    def _zone(self, zone: str) -> list[Reading]:
        """All that was last read in a zone."""
        if zone not in self._zones:
            domains = {one.name for of, one in self._got.items() if of[0] is Domain and isinstance(one, Domain)}
            wanted = sorted({zone, *domains, *self._expected} - self._zones.keys())
            self._zones |= {one: [] for one in wanted}
            for at in range(0, len(wanted), AT_ONCE):
                for reading in Reading.objects.filter(zone__in=wanted[at : at + AT_ONCE]):
                    self._zones[reading.zone].append(reading)
        return self._zones[zone]

    def _read(self, model: type[M], refs: list[str], among: "QuerySet[M] | None" = None) -> Iterator[M]:
        ids, names = [], []
        for ref in refs:
            try:
                ids.append(UUID(ref))
            except ValueError:
                names.append(ref)
        related = model.natural_key.rpartition("__")[0]
        rows = visible(self.actor, model) if among is None else among
        if related:  # and nothing besides: a row whose person is not seen would go with the join
            rows = rows.select_related(related)
        yield from rows.filter(pk__in=ids) if ids else ()
        if names and model.natural_key != "id":
            for at in range(0, len(names), AT_ONCE):
                yield from rows.filter(**{f"{model.natural_key}__in": names[at : at + AT_ONCE]})


def not_there(model: type[StateModel], ref: str | UUID, where: str) -> NotThere:
    noun = str(model._meta.verbose_name)
    return NotThere(where or noun, f"no {noun} {ref} that you can see")


def _known_as(ref: str | UUID) -> str:
    """An id in its one spelling, however it was written; a natural key as it is."""
    try:
        return str(UUID(str(ref)))
    except ValueError:
        return str(ref)


def seconds(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
