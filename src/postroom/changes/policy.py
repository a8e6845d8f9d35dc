"""Policies: what holds, stops or marks a change, each with its reason. All are asked, every reason is shown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from postroom.access.acting import Access
from postroom.models import Change, Row, StateModel

from .domains import domains_of
from .edit import Edit, model_of
from .kind import Kind
from .plan import Plan
from .state import State


@dataclass(frozen=True)
class Verdict:
    """says: hold (a second person decides), refuse, or mark (goes through, and is reviewed after)."""

    policy: str
    says: str
    reason: str


@dataclass(frozen=True)
class Move:
    """An edit with the whole row, as it is now and as it would be."""

    edit: Edit
    now: Row | None
    then: Row | None

    @property
    def opens(self) -> frozenset[str]:
        """Ways in or out that are open after and were not before."""
        return _ways(self.edit, self.then) - _ways(self.edit, self.now)

    @property
    def closes(self) -> frozenset[str]:
        return _ways(self.edit, self.now) - _ways(self.edit, self.then)

    @property
    def only_closes(self) -> bool:
        return _ways(self.edit, self.then) < _ways(self.edit, self.now)


def _ways(edit: Edit, row: Row | None) -> frozenset[str]:
    return frozenset() if row is None else model_of(edit.table).opens(row)


@dataclass
class Proposed:
    """A change with its plan, in front of the policies, on the rows as they are now.

    begun, again: of one that was planned just now, the database's snapshot before the first row was read for it, and
    how it is planned anew. One that was kept is what people looked at, and is not planned again.
    """

    change: Change
    kinds: Sequence[Kind]
    plan: Plan
    state: State
    access: Access
    begun: str = ""
    again: Callable[[], tuple[Plan, State]] | None = None
    _moves: dict[str, list[Move]] = field(default_factory=dict)
    _domains: set[UUID | None] | None = None
    locked: bool = False  # by now nothing of its client moves, until it is written or not
    asked: dict[str, object] = field(default_factory=dict)  # what policies read alike, until they look again

    @property
    def kind(self) -> Kind:
        return self.kinds[0]

    @property
    def waits(self) -> timedelta | None:
        """How long it waits at least, once held, while whoever has to know may stop it: the longest of its parts."""
        return max(filter(None, (one.waits_for(self.state) for one in self.kinds)), default=None)

    def moves(self, *models: type[StateModel]) -> Iterator[Move]:
        """Every edit (on these models) with its whole row. Rows are read when they are asked for."""
        for table in [m._meta.db_table for m in models] or list(self.plan.by_table):
            if edits := self.plan.by_table.get(table):
                yield from self._moves.get(table) or self._moved(table, edits)

    def made(self, model: type[StateModel]) -> set[str]:
        """Ids of the rows that this plan makes: they are not there yet, so nothing in the database is about them."""
        return {e.id for e in self.plan.by_table.get(model._meta.db_table, []) if e.before is None}

    def _moved(self, table: str, edits: Sequence[Edit]) -> list[Move]:
        staying = [e.id for e in edits if e.before is not None]
        rows = model_of(table).objects.filter(pk__in=staying) if staying else ()
        now = {str(row.pk): row.row() for row in rows}
        self._moves[table] = [Move(e, now.get(e.id), _after(e, now.get(e.id))) for e in edits]
        return self._moves[table]

    def look_again(self) -> None:
        """Under the lock: what was read before it may have changed, grants too."""
        self.locked = True
        self._moves.clear()
        self.asked.clear()
        self.state.look_again()
        self.access.refresh()

    def domains(self) -> set[UUID | None]:
        """The domains the rows of this plan belong to; None stands for a row that is no domain's."""
        if self._domains is None:
            self._domains = domains_of(self.plan.edits)
        return self._domains


def _after(e: Edit, now: Row | None) -> Row | None:
    return None if e.after is None else {**now, **e.after} if now else e.after


Policy = Callable[[Proposed], "Verdict | None"]
Waiver = Callable[[Proposed], bool]
Together = Callable[[Sequence[Proposed]], "Verdict | None"]
POLICIES: list[Policy] = []
TOGETHER: list[Together] = []  # asked of the parts of a batch as a whole
WAIVERS: list[Waiver] = []  # where one says yes, a hold does not hold; a refusal still refuses


def hold(policy: Policy | Together, reason: str) -> Verdict:
    return Verdict(policy.__name__, "hold", reason)


def refuse(policy: Policy, reason: str) -> Verdict:
    return Verdict(policy.__name__, "refuse", reason)


def mark(policy: Policy, reason: str) -> Verdict:
    return Verdict(policy.__name__, "mark", reason)


def judge(proposed: Proposed) -> tuple[Verdict, ...]:
    """May they, and what does every policy say? No verdict: nothing stands in the way."""
    if not _may(proposed):
        return (Verdict("access", "refuse", f"{proposed.kind.permission} is not allowed here"),)
    verdicts = tuple(verdict for policy in POLICIES if (verdict := policy(proposed)))
    if any(v.says == "hold" for v in verdicts) and any(waiver(proposed) for waiver in WAIVERS):
        return tuple(v for v in verdicts if v.says != "hold")
    return verdicts


def judge_together(parts: Sequence[Proposed]) -> tuple[Verdict, ...]:
    """What is to be said of a batch beyond its parts; kept with each. No part is judged by it again when it applies."""
    if all(any(waiver(part) for waiver in WAIVERS) for part in parts):
        return ()
    return tuple(verdict for policy in TOGETHER if (verdict := policy(parts)))


def _may(proposed: Proposed) -> bool:
    access = proposed.access
    if not proposed.kind.for_actor(access.actor.sort):
        return False
    if access.actor.mailbox is not None and access.own is None:
        return False  # by now its access has ended, or its code was used: under the lock this is what makes it once
    return not access.actor.limited or all(_allowed(one, proposed) for one in _permissions(proposed))


def _permissions(proposed: Proposed) -> Iterator[str]:
    """Its own; and of an undo also that of what it takes back: nobody does backwards what they may not do."""
    yield proposed.kind.permission
    undone = proposed.kind.takes_back
    while undone and (change := Change.objects.filter(pk=undone).first()):
        yield change.kind
        undone = change.undoes_id


def _allowed(permission: str, proposed: Proposed) -> bool:
    access = proposed.access
    if access.can(permission, proposed.plan.client):
        return True
    if not access.narrow:
        return False
    return all(d is not None and access.can_at_domain(permission, d) for d in proposed.domains())
