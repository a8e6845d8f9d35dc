"""Notices of a change that waits where nobody could approve it: who is told, and the link that stops it.

A notice is an invite that opens nothing: its link says *this was not me*. All of it is the organization's, whichever
client the change is of, since the organization's owners are who it warns.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from postroom.changes.approvals import seen
from postroom.changes.errors import NotThere, Problem
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State, seconds
from postroom.models import (
    ApiSession,
    Change,
    Client,
    Grant,
    Invite,
    Mailbox,
    Organization,
    Person,
    RecoveryChannel,
    Secret,
    Verification,
)
from postroom.models.recovery import ADDRESS, BEFORE

from .fields import ChangeRef, InviteRef
from .invites import new_link

SAYS_SO = timedelta(hours=72)  # how long after its time a link still says what became of the change
RECOVERY, RESET = "people.recover", "resets.send_link"
WHILE_HELD = frozenset({RECOVERY, RESET})  # told of before anybody agrees: everybody who has to know
NO_GOOD = "this link is no longer good"


class SendNotice(Kind, name="notices.send"):
    """Tell its proposer, every owner and the postmaster of what nobody could approve, or of a recovery."""

    by = frozenset({"clock"})
    change: ChangeRef

    def plan(self, state: State) -> Iterator[Planned]:
        change = _change(self.change)
        if change.stage not in (("held", "scheduled") if change.kind in WHILE_HELD else ("scheduled",)):
            return
        for contact in told(change, state):
            yield create(Invite, state.new_id(), stops_id=change.pk, contact=contact, made=state.now)


class IssueNotice(Kind, name="notices.issue"):
    """Draw a new link for a notice, good until three days after the change's time; the one before it is void."""

    by = frozenset({"system"})
    carries_secret = True
    notice: InviteRef

    def plan(self, state: State) -> Iterator[Planned]:
        notice = state.get(Invite, self.notice, where="notice")
        if notice.stops is None or notice.used_at or notice.ended_at:
            raise Problem("notice", NO_GOOD)
        yield from new_link(notice, state, until=_until(notice.stops, state.now))


class StopByNotice(Kind, name="notices.stop"):
    """This was not me: every notice of the change is spent, and the sessions of who proposed it end."""

    by = frozenset({"link"})

    def plan(self, state: State) -> Iterator[Planned]:
        notice = state.get(Invite, state.access.invite or "", where="link")
        if not good(notice, state.now) or notice.stops is None:
            raise Problem("link", NO_GOOD)
        yield edit(notice, used_at=state.now)
        same = Q(stops=notice.stops) | Q(stops__batch__isnull=False, stops__batch=notice.stops.batch_id)
        others = state.rows(Invite, used_at=None, ended_at=None).filter(same).exclude(pk=notice.pk)
        sessions = state.rows(ApiSession, person=notice.stops.proposer_id, ended_at=None)
        for row in (*others.order_by("id"), *sessions.order_by("id")):
            yield edit(row, ended_at=state.now)
        spent = [notice.pk, *others.values_list("pk", flat=True), *sessions.values_list("pk", flat=True)]
        for secret in state.rows(Secret, owner_row__in=spent).order_by("id"):
            yield end(secret)


def good(notice: Invite, now: datetime) -> bool:
    """Whether its link still says something."""
    return not notice.used_at and not notice.ended_at and notice.until is not None and notice.until > now


def told(change: Change, state: State) -> list[str]:
    """Addresses, each once: its proposer's, every owner's of the organization, the postmaster's."""
    open_ended = Q(until=None) | Q(until__gt=state.now)
    owners = state.rows(Grant, role="owner", client=None, ended_at=None).filter(open_ended).values("person_id")
    people = state.rows(Person, removed_at=None).filter(Q(pk=change.proposer_id) | Q(pk__in=owners, suspended_at=None))
    postmasters = state.rows(Organization).values_list("postmaster", flat=True)
    if change.kind == RESET:
        return reached(change, state)
    addresses = [*people.order_by("id").values_list("email", flat=True), *postmasters]
    return list(dict.fromkeys(filter(None, addresses)))


def reached(change: Change, state: State) -> list[str]:
    """Of a reset: every address its owner has or had besides where the link goes; the client's security contact."""
    (asked,) = [change.params] if isinstance(change.params, dict) else change.params[:1]
    session = state.get(Verification, asked["verification"])
    rows = state.rows(RecoveryChannel, mailbox=session.mailbox_id, sort=ADDRESS)
    rows = rows.filter(Q(ended_at=None) | Q(ended_at__gt=state.now - BEFORE)).order_by("id")
    box = state.get(Mailbox, session.mailbox_id)
    security = state.rows(Client, pk=session.client_id).values_list("security_contact", flat=True)
    found = [*rows.values_list("value", flat=True), box.contact, *security]
    return [one for one in dict.fromkeys(found) if one and one != asked["contact"]]


def _until(change: Change, now: datetime) -> datetime:
    return seconds(max(change.at or now, now) + SAYS_SO)


def _change(ref: str) -> Change:
    try:
        return seen(UUID(ref))
    except ValueError:
        raise NotThere("change", f"no change {ref} that you can see") from None
