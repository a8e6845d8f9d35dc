"""Catch-alls: what is sent to an address of a domain that is none goes to one that is, until a day."""

from collections.abc import Iterator
from datetime import timedelta

from pydantic import Field

from postroom.changes.errors import Problem, Problems
from postroom.changes.kind import APPROVED, Kind, Ref
from postroom.changes.leads import inside, named
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import CatchAll, Domain

from .fields import CatchAllRef, DomainRef, MailAddress, Moment

LONGEST = timedelta(days=92)


class SetCatchAll(Kind, name="catch_alls.set"):
    """Send what is addressed to nobody at a domain to one address of the same client, until a day.

    Addresses that are there keep their own mail; typing errors and guesses of others arrive too, and so does spam.
    """

    domain: DomainRef
    target: MailAddress = Field(description="An address of the same client")
    until: Moment = Field(description="When it ends by itself, three months from now at most")

    def reads(self) -> Iterator[Ref]:
        yield from super().reads()
        yield from named((self.target,))

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.domain, where="domain")
        if wrong := list(self._wrong(domain, state)):
            raise Problems(wrong)
        old = CatchAll.objects.filter(domain=domain.pk).first()
        if old:
            over = old.removed_at is not None or old.until <= state.now
            made = state.now if over else old.made  # what had ended is made anew
            yield edit(old, target=self.target, until=self.until, made=made, removed_at=None)
        else:
            yield create(
                CatchAll, state.new_id(), client_id=domain.client_id, domain_id=domain.pk, target=self.target,
                until=self.until, made=state.now,
            )  # fmt: skip

    def _wrong(self, domain: Domain, state: State) -> Iterator[Problem]:
        if domain.removed_at:
            yield Problem("domain", f"{domain.name} is removed")
        if self.until <= state.now or self.until > state.now + LONGEST:
            yield Problem("until", "between now and three months from now")
        try:
            inside((self.target,), domain.client_id, state, itself=f"@{domain.name}", where="target")
        except Problem as problem:
            yield problem


class EndCatchAll(Kind, name="catch_alls.end"):
    """Catch nothing any more: mail to an address that is none is refused where it comes in."""

    by = frozenset({"person", "clock"})
    step_up = frozenset({APPROVED})
    catch_all: CatchAllRef

    def plan(self, state: State) -> Iterator[Planned]:
        row = state.get(CatchAll, self.catch_all, where="catch_all")
        early = state.actor.sort == "clock" and row.until > state.now
        if row.removed_at is None and not early:
            yield edit(row, removed_at=state.now)
