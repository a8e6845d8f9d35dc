"""Forwards: mail of an address that goes on to another, until a day.

One that leaves its client rests on an exception, which is planned along where none stands: whoever approves the change
approves both. Who ends an exception ends, or disables, what rests on it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import Field

from postroom.changes.errors import Problem, Problems
from postroom.changes.kind import APPROVED, Kind, Ref
from postroom.changes.leads import leaves, named, wrong_ways
from postroom.changes.patterns import allowed_at
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State, not_there
from postroom.models import Address, Domain, Forward, Mailbox, RouteException, Transport
from postroom.models.routes import REMOVE

from .ends import late, soon, unfit
from .exceptions_asked import asked_of
from .fields import ExceptionRef, ForwardRef, Line, MailAddress, Moment, date
from .forward_ends import asked_first, closed, still_leaves

OWNERS_TOO = frozenset({"person", "owner"})
NO_OWNER = "say who answers for mail that leaves: no owner of this mailbox is known"
OnEnd = Literal["remove", "ask"]


class CreateForward(Kind, name="forwards.create"):
    """Pass mail of an address on to another one, until a day. Where it leaves the client, by an exception. The owner
    of a mailbox asks for their own address alone, and answers for it."""

    by = OWNERS_TOO
    address: MailAddress = Field(description="Whose mail; one that is none yet only passes it on")
    to: MailAddress = Field(description="Where it goes on to")
    keep_copy: bool = Field(default=True, description="Its own mailbox keeps a copy")
    until: Moment = Field(description="When it ends by itself, a year from now at most")
    owner: Line = Field(default="", description="Who answers for mail that leaves; the mailbox's owner if left out")
    on_end: OnEnd = Field(default="ask", description="When its exception ends: remove it, or disable it and ask")

    def reads(self) -> Iterator[Ref]:
        yield Domain, self.address.rpartition("@")[2]
        yield Address, self.address
        yield Mailbox, self.address
        yield from named((self.to,))

    def plan(self, state: State) -> Iterator[Planned]:
        domain, address = self._domain(state), state.find(Address, self.address)
        old = _standing(address.pk, self.to) if address else None
        own = address.pk if address else state.new_id()
        excepted_by = self._needs(state, domain, own, again=old is not None)
        if wrong := list(self._wrong(state, domain, old, excepted_by)):
            raise Problems(wrong)
        yield from self._address(state, domain, address, own)
        if excepted_by is not None:
            yield excepted(
                state, domain.client_id, own, target=self.to, owner=excepted_by, until=self.until, on_end=self.on_end
            )
        if old:
            yield edit(old, until=self.until, made=state.now, disabled_at=None, removed_at=None)
        else:
            yield create(
                Forward, state.new_id(), client_id=domain.client_id, address_id=own, to=self.to, until=self.until,
                made=state.now,
            )  # fmt: skip

    def _domain(self, state: State) -> Domain:
        """An owner sees no domain; but their own address has one."""
        name, own = self.address.rpartition("@")[2], state.access.own
        if own is None:
            return state.get(Domain, name, where="address")
        domain = state.there(Domain, name)
        if domain is None or self.address != own.address:
            raise not_there(Address, self.address, "address")
        return domain

    def _address(self, state: State, domain: Domain, address: Address | None, own: UUID) -> Iterator[Planned]:
        if address is None:
            yield create(
                Address, own, client_id=domain.client_id, domain_id=domain.pk, address=self.address,
                keep_copy=self.keep_copy,
            )  # fmt: skip
        else:
            yield edit(address, keep_copy=self.keep_copy)

    def _wrong(self, state: State, domain: Domain, old: Forward | None, owner: str | None) -> Iterator[Problem]:
        if domain.removed_at:
            yield Problem("address", f"{domain.name} is removed")
        yield from late(self.until, state)
        if wrong := list(wrong_ways([self.to], domain.client_id, state, itself=self.address)):
            yield Problem("to", "; ".join(wrong))
        if old and not old.removed_at:
            yield Problem("to", f"{self.address} passes its mail on to {self.to} already")
        elif old and old.disabled_at and state.access.own:
            yield Problem("to", "it was disabled before it ended: ask whoever looks after your mail to make it anew")
        if owner == "":
            yield Problem("owner", NO_OWNER)

    def _needs(self, state: State, domain: Domain, address: UUID, *, again: bool) -> str | None:
        """Who answers for the exception that it needs, empty where nobody is known to; None: it needs none. again: it
        was there and was ended, maybe by somebody else, so its owner asks for all of it anew."""
        client = domain.client_id
        if not leaves(self.to, client, state, of=self.address) or allowed_at(self.to, client, state):
            return None
        covering = [one for one in standing(address, self.to, state) if one.until >= self.until]
        if covering and not (again and state.access.own):
            return None
        box = state.find(Mailbox, self.address)
        known = box.contact or box.name if box else ""
        return (box.name or f"the owner of {self.address}") if box and state.access.own else self.owner or known


class DisableForward(Kind, name="forwards.disable"):
    """Pass nothing on for now; the forward stays to be read, and can be enabled again."""

    by = OWNERS_TOO
    forward: ForwardRef

    def plan(self, state: State) -> Iterator[Planned]:
        forward = _there(state, self.forward)
        if forward.disabled_at is None:
            yield edit(forward, disabled_at=state.now)
            yield from still_leaves(state, forward)


class EnableForward(Kind, name="forwards.enable"):
    """Pass mail on again. One that leaves needs an exception that stands."""

    forward: ForwardRef

    def plan(self, state: State) -> Iterator[Planned]:
        forward = _there(state, self.forward)
        if forward.until <= state.now:
            raise Problem("forward", "its time is over; make it again with another day")
        if forward.disabled_at:
            yield edit(forward, disabled_at=None)


class ChangeForward(Kind, name="forwards.change"):
    """Another end for a forward; one that leaves ends with its exception at the latest."""

    forward: ForwardRef
    until: Moment

    def plan(self, state: State) -> Iterator[Planned]:
        forward = _there(state, self.forward)
        soon(self.until, state)
        yield edit(forward, until=self.until)


class EndForward(Kind, name="forwards.end"):
    """Pass nothing on any more. Its row stays to be read; the exception that was planned with it ends along."""

    by = OWNERS_TOO | {"clock"}
    step_up = frozenset({APPROVED})
    forward: ForwardRef
    keep_exception: bool = Field(
        default=False, description="Filters of its mailbox that pass mail on there go on doing so by its exception"
    )

    def plan(self, state: State) -> Iterator[Planned]:
        forward = state.get(Forward, self.forward, where="forward")
        of_the_clock = state.actor.sort == "clock"
        early = of_the_clock and forward.until > state.now
        if forward.removed_at is None and not early and not (of_the_clock and asked_first(forward, state)):
            yield edit(forward, removed_at=state.now)
            yield from closed(state, forward, keep=self.keep_exception)


class CreateException(Kind, name="exceptions.create"):
    """Let mail of one address go on to one outside, for a reason, until a day: forwards, and redirects of its owner."""

    address: MailAddress
    target: MailAddress = Field(description="Where its mail may go")
    owner: Line = Field(min_length=1, description="The human who answers for it")
    until: Moment = Field(description="When it ends by itself, a year from now at most")
    review_on: date | None = Field(
        default=None, description="When it is looked at again; a month before it ends, or half-way"
    )
    on_end: OnEnd = Field(
        default="ask", description="Forwards that rest on it are removed then, or disabled and asked of"
    )

    def plan(self, state: State) -> Iterator[Planned]:
        address = state.get(Address, self.address, where="address")
        wrong = []
        if not leaves(self.target, address.client_id, state, of=self.address):
            wrong.append(Problem("target", f"{self.target} is inside; nothing to except"))
        elif any(one.until >= self.until for one in standing(address.pk, self.target, state)):
            wrong.append(Problem("target", f"mail of {self.address} may go to {self.target} as long already"))
        wrong += [*late(self.until, state), *unfit(self.review_on, self.until, state)]
        if wrong:
            raise Problems(wrong)
        yield excepted(
            state, address.client_id, address.pk, target=self.target, owner=self.owner, until=self.until,
            on_end=self.on_end, review_on=self.review_on,
        )  # fmt: skip


class EndException(Kind, name="exceptions.end"):
    """Mail may leave by it no more: forwards that rest on it alone are removed, or disabled until somebody says."""

    by = frozenset({"person", "clock"})
    exception: ExceptionRef

    def plan(self, state: State) -> Iterator[Planned]:
        gone = state.get(RouteException, self.exception, where="exception")
        early = state.actor.sort == "clock" and gone.until > state.now
        if gone.ended_at or early:
            return
        yield edit(gone, ended_at=state.now)
        others = [one for one in standing(gone.address_id, gone.target, state) if one.pk != gone.pk]
        if allowed_at(gone.target, gone.client_id, state):
            return
        for forward in Forward.objects.filter(address=gone.address_id, to=gone.target, removed_at=None):
            if any(one.until >= forward.until for one in others):
                continue
            if gone.on_end == REMOVE:
                yield edit(forward, removed_at=state.now)
            elif forward.disabled_at is None:
                yield edit(forward, disabled_at=state.now)
                yield from asked_of(state, gone)


def leaving_ended(state: State, client: UUID, address: UUID) -> Iterator[Planned]:
    """No exception of an address stands any more, and what rested on one passes nothing on, nor is any handed over: it
    is another's mail."""
    exceptions, forwards = state.once(f"ways out of {client}", lambda: _ways_out(client))
    for one in exceptions.get(address, ()):
        yield edit(one, ended_at=state.now)
    for forward in forwards.get(address, ()):
        yield edit(forward, disabled_at=state.now)
    for handed in state.once(f"handed over at {client}", lambda: _handed(client)).get(address, ()):
        yield edit(handed, ended_at=state.now)


def forwards_disabled(state: State, address: UUID) -> Iterator[Planned]:
    """Whoever gets the mail from now on says anew where it goes on to; what was said before stands to be read."""
    for forward in Forward.objects.filter(address=address, removed_at=None, disabled_at=None).order_by("id"):
        yield edit(forward, disabled_at=state.now)


def _handed(client: UUID) -> dict[UUID, list[Transport]]:
    """By address, the transports of a client that have not ended."""
    found: dict[UUID, list[Transport]] = {}
    for one in Transport.objects.filter(client=client, ended_at=None).order_by("id"):
        found.setdefault(one.address_id, []).append(one)
    return found


def _ways_out(client: UUID) -> tuple[dict[UUID, list[RouteException]], dict[UUID, list[Forward]]]:
    """By address, the exceptions of a client that have not ended, and the forwards that rest on them."""
    exceptions: dict[UUID, list[RouteException]] = {}
    for one in RouteException.objects.filter(client=client, ended_at=None).order_by("id"):
        exceptions.setdefault(one.address_id, []).append(one)
    forwards: dict[UUID, list[Forward]] = {}
    rows = Forward.objects.filter(address__in=list(exceptions), removed_at=None, disabled_at=None).order_by("id")
    for forward in rows if exceptions else ():
        if forward.to in {one.target for one in exceptions[forward.address_id]}:
            forwards.setdefault(forward.address_id, []).append(forward)
    return exceptions, forwards


def excepted(
    state: State, client: UUID, address: UUID, *, target: str, owner: str, until: datetime, on_end: str,
    review_on: date | None = None,
) -> Planned:  # fmt: skip
    """The exception by which mail of an address may go to `target`."""
    early = (until - min(timedelta(days=30), (until - state.now) / 2)).date()
    return create(
        RouteException, state.new_id(), client_id=client, address_id=address, target=target, owner=owner,
        reason=state.why, until=until, review_on=review_on or early, on_end=on_end, made=state.now,
    )  # fmt: skip


def standing(address: UUID, target: str, state: State) -> list[RouteException]:
    """The exceptions that let mail of this address go there now."""
    rows = RouteException.objects.filter(address=address, target=target, ended_at=None, until__gt=state.now)
    return list(rows.order_by("until"))


def _standing(address: UUID, to: str) -> Forward | None:
    found: Forward | None = Forward.objects.filter(address=address, to=to).first()
    return found


def _there(state: State, ref: str) -> Forward:
    forward = state.get(Forward, ref, where="forward")
    if forward.removed_at:
        raise Problem("forward", "it has ended; make it again")
    return forward
