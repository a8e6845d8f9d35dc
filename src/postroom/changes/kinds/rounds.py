"""Rounds: an access review or a roster opens for a client, and people answer its lines, one by one.

An answer is corrected by another answer, until the next round of the sort opens; the record keeps every one. What was
signed to end is ended by a change of its own, asked for by who signed it (worker/rounds.py).
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from django.db.models import Q
from pydantic import Field

from postroom.access.acting import Access, may_act
from postroom.access.roles import CLIENT_ROLES
from postroom.changes.errors import Problem
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit
from postroom.changes.rights import rights
from postroom.changes.state import State
from postroom.models import ApiToken, Client, Delegation, Grant, Letter, Mailbox, Person, Round, RoundLine
from postroom.models.base import plain
from postroom.models.rounds import ACCESS, ROSTER
from postroom.protocols.quarters import quarter_of

from .fields import ClientRef, RoundLineRef

ANSWERED_WITHIN = timedelta(days=14)
ANSWER = "rosters.answer"
RIGHTS: dict[str, type[Grant] | type[ApiToken] | type[Delegation]] = {
    "grants": Grant, "api_tokens": ApiToken, "delegations": Delegation,
}  # fmt: skip
OURS = frozenset({"person", "system"})


class OpenAccessReview(Kind, name="access_reviews.open"):
    """Ask an approver of every right at a client whether it stays. It opens by itself with the quarter, or by hand."""

    by = OURS
    client: ClientRef

    def plan(self, state: State) -> Iterator[Planned]:
        client = _asked(state, self.client, ACCESS)
        if client.closed_at:
            raise Problem("client", f"{client.name} is closed to the organization, which has nothing to review there")
        if not state.access.everything and not state.access.can("grants.view", None):
            raise Problem("client", "whoever holds no role at the organization does not see all who may act there")
        made, opened = state.new_id(), _opened(client, ACCESS, state)
        yield create(Round, made, **opened)
        for one in rights(client, state):
            yield create(
                RoundLine, state.new_id(), client_id=client.pk, round_id=made, noun=one.noun, object=one.id,
                person_id=one.person, name=one.name, stood=dict(one.stood),
            )  # fmt: skip


class OpenRoster(Kind, name="rosters.open"):
    """Ask a client of each of its mailboxes and people whether it is still there; its admins and its security contact
    get a letter. It opens by itself with the quarter, or by hand.
    """

    by = OURS
    client: ClientRef

    def plan(self, state: State) -> Iterator[Planned]:
        client = _asked(state, self.client, ROSTER)
        lines = [*_boxes(client, state), *_people(client, state)]
        if not lines:
            raise Problem("client", f"{client.name} has neither mailboxes nor people to ask about")
        made = state.new_id()
        yield create(Round, made, **_opened(client, ROSTER, state))
        for one in lines:
            yield create(RoundLine, state.new_id(), client_id=client.pk, round_id=made, **one)
        for contact in _told(client, state):
            yield create(Letter, state.new_id(), client_id=client.pk, contact=contact, says=ROSTER, about=str(made),
                         made=state.now)  # fmt: skip


class SignLine(Kind, name="access_reviews.sign"):
    """Sign one line of an access review: the right stays, ends, or is to be changed. The why stands beside it. What is
    signed to end is ended in your name, if you may.
    """

    line: RoundLineRef
    answer: Literal["keep", "end", "change"] = Field(description="It stays; it ends; somebody shall change it")

    @classmethod
    def for_actor(cls, sort: str) -> bool:
        """A signature is a person's own, never a program's."""
        return sort in cls.by

    def plan(self, state: State) -> Iterator[Planned]:
        line = _line(state, self.line, ACCESS)
        saw = _saw(line, state)
        if self.answer == "keep" and saw["stands"] is False:
            raise Problem("answer", f"{line.name} has ended meanwhile: there is nothing to keep")
        yield from _answered(line, self.answer, state, saw=saw)


class AnswerRoster(Kind, name="rosters.answer"):
    """Say of one mailbox or person of a roster: still here, left, or unknown. Nothing is suspended by that. Whoever
    runs the service enters what it was told; the line says so, and the why says by whom.
    """

    line: RoundLineRef
    answer: Literal["here", "left", "unknown"] = Field(description="Still here; gone; nobody there knows")

    def plan(self, state: State) -> Iterator[Planned]:
        line = _line(state, self.line, ROSTER)
        own = state.once(f"own {line.client_id}", lambda: of_its_own(state.access, line.client_id))
        yield from _answered(line, self.answer, state, on_behalf=not own)


def _asked(state: State, ref: str, sort: str) -> Client:
    """The client, if this quarter has no such round of it yet."""
    client = state.get(Client, ref, where="client")
    if client.removed_at:
        raise Problem("client", f"{client.name} is removed")
    quarter = quarter_of(state.now)
    if state.rows(Round, client=client, sort=sort, quarter=quarter).exists():
        raise Problem("client", f"{client.name} has its {sort} of {quarter} already")
    return client


def _opened(client: Client, sort: str, state: State) -> dict[str, Any]:
    return {
        "client_id": client.pk, "sort": sort, "quarter": quarter_of(state.now), "opened_at": state.now,
        "due_at": state.now + ANSWERED_WITHIN,
    }  # fmt: skip


def _boxes(client: Client, state: State) -> Iterator[dict[str, Any]]:
    rows = state.rows(Mailbox, client=client, removed_at=None).select_related("address", "owner")
    for one in rows.order_by("address__address"):
        stood = {"name": one.name, "kind": one.kind, "suspended": plain(one.suspended_at)}
        yield {"noun": "mailboxes", "object": one.pk, "name": one.label, "stood": stood}


def _people(client: Client, state: State) -> Iterator[dict[str, Any]]:
    for one in state.rows(Person, client=client, removed_at=None).order_by("email"):
        stood = {"name": one.name, "kind": "sign-in", "suspended": plain(one.suspended_at)}
        yield {"noun": "people", "object": one.pk, "person_id": one.pk, "name": one.email, "stood": stood}


def _told(client: Client, state: State) -> list[str]:
    """Who administers the client, and its security contact: each address once."""
    lasting = Q(until=None) | Q(until__gt=state.now)
    rows = state.rows(
        Grant, client=client, domain=None, role="client admin", ended_at=None, person__suspended_at=None,
        person__removed_at=None,
    ).filter(lasting)  # fmt: skip
    found = [*rows.order_by("person__email").values_list("person__email", flat=True), client.security_contact]
    return list(dict.fromkeys(one for one in found if one))


def _line(state: State, ref: str, sort: str) -> RoundLine:
    """A line of the newest round of its sort; one of an older round is closed."""
    line = state.get(RoundLine, ref, where="line")
    round = state.get(Round, line.round_id, where="line")
    if round.sort != sort:
        raise Problem("line", f"this is a line of {'an' if round.sort == ACCESS else 'a'} {round.sort}")
    later = state.rows(Round, client=round.client_id, sort=sort, quarter__gt=round.quarter)
    if state.once(f"closed {round.pk}", later.exists):
        raise Problem("line", f"the {sort} of {round.quarter} is closed: a later one is open")
    return line


def _answered(line: RoundLine, answer: str, state: State, **more: Any) -> Iterator[Planned]:
    """Nothing where the same person said the same, for the same reason."""
    if (line.answer, line.note, line.answered_by_id) != (answer, state.why, state.actor.person):
        yield edit(
            line, answer=answer, note=state.why, answered_at=state.now, answered_by_id=state.actor.person, **more
        )


def _saw(line: RoundLine, state: State) -> dict[str, Any]:
    """How the right stands while it is signed. stands: None where its signer cannot see whether it does."""
    state.once(f"rights of {line.round_id}", lambda: _read(line.round_id, state))
    row: Any = state.find(RIGHTS[line.noun], line.object)
    if row is None and line.noun == "delegations":
        return {"stands": None}
    if row is None:  # the organization's own, for somebody who holds a role at this client alone
        standing = state.once(f"may act {line.client_id}", lambda: {one.id for one in may_act(line.client_id)})
        return {"stands": line.object in standing}
    over = row.ended_at or (row.until if row.until and row.until <= state.now else None)
    return {"stands": over is None, "until": plain(row.until), "ended": plain(over)}


def _read(round: UUID, state: State) -> None:
    """Every right of a round: of many lines that are signed together, each table is read once."""
    lines = state.rows(RoundLine, round=round).values_list("noun", "object")
    state.load((RIGHTS[noun], str(id)) for noun, id in lines)


def of_its_own(access: Access, client: UUID) -> bool:
    """Whether somebody answers by a role of the client's own people."""
    return any(held.role in CLIENT_ROLES and held.allows(ANSWER) for held in access.at(client))
