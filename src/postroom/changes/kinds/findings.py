"""What people decide about findings: somebody is at it, it is accepted until then, neither.

That is state; the finding itself is an observation, and no kind alters it.
"""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from pydantic import Field

from postroom.access.scope import visible
from postroom.changes.errors import NotThere, Problem
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import Acceptance, Finding

from .fields import AcceptanceRef, FindingRef, Line, Moment, Name

LONGEST = timedelta(days=366)


class AcknowledgeFinding(Kind, name="findings.acknowledge"):
    """Say that somebody is at it. The finding stays open, and closes by a read like any other."""

    finding: FindingRef
    reason: Line = Field(default="", description="Who is at it, and how")

    def plan(self, state: State) -> Iterator[Planned]:
        finding = _open(state, self.finding)
        standing = list(_standing(state, finding).filter(Q(until=None) | Q(until__gt=state.now)))
        if accepted := next((one for one in standing if one.sort == "accepted"), None):
            raise Problem("finding", f"it is accepted until {accepted.until:%d %B %Y}; reopen it first")
        if not standing:
            yield _decided(state, finding, "acknowledged", reason=self.reason)


class AcceptFinding(Kind, name="findings.accept"):
    """Live with it until then, also if it goes and comes back; not if it becomes worse."""

    finding: FindingRef
    reason: Name = Field(description="Why it may stay so")
    until: Moment = Field(description="A year from now at most")

    def plan(self, state: State) -> Iterator[Planned]:
        finding = _open(state, self.finding)
        if self.until <= state.now:
            raise Problem("until", f"{self.until.isoformat()} has passed")
        if self.until > state.now + LONGEST:
            raise Problem("until", "a year from now is the latest; then somebody looks at it again")
        for one in _standing(state, finding).order_by("id"):
            yield edit(one, ended_at=state.now)
        yield _decided(state, finding, "accepted", reason=self.reason, until=self.until)


class ReopenFinding(Kind, name="findings.reopen"):
    """Take back that it was acknowledged or accepted."""

    finding: FindingRef

    def plan(self, state: State) -> Iterator[Planned]:
        finding = _seen(state, self.finding)
        for one in _standing(state, finding).order_by("id"):
            yield edit(one, ended_at=state.now)


class LapseAcceptance(Kind, name="findings.lapse"):
    """The time of an acceptance is up, and it counts no more; this tidies its row."""

    by = frozenset({"clock"})
    acceptance: AcceptanceRef

    def plan(self, state: State) -> Iterator[Planned]:
        acceptance = state.get(Acceptance, self.acceptance, where="acceptance")
        if acceptance.ended_at is None:
            yield edit(acceptance, ended_at=state.now)


def _seen(state: State, ref: str) -> Finding:
    try:
        finding = visible(state.actor, Finding).filter(pk=UUID(ref)).first()
    except ValueError:
        finding = None
    if finding is None:
        raise NotThere("finding", f"no finding {ref} that you can see")
    return finding


def _open(state: State, ref: str) -> Finding:
    finding = _seen(state, ref)
    if finding.closed_at is not None:
        raise Problem("finding", f"it is closed since {finding.closed_at:%d %b %H:%M} UTC: a read showed it gone")
    return finding


def _standing(state: State, finding: Finding) -> "QuerySet[Acceptance]":
    """What was decided about it and not ended: about this one finding, or its cause."""
    about = Q(finding=finding.pk) | Q(fingerprint=finding.fingerprint, sort="accepted")
    return state.rows(Acceptance, ended_at=None).filter(about)


def _decided(state: State, finding: Finding, sort: str, **more: object) -> Planned:
    return create(
        Acceptance, state.new_id(), client_id=finding.client_id, finding=finding.pk, fingerprint=finding.fingerprint,
        severity=finding.severity, title=finding.title, sort=sort, person_id=state.actor.person, made=state.now, **more,
    )  # fmt: skip
