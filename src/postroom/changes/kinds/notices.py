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
RECOVERY, RESET, TRANSFER = "people.recover", "resets.send_link", "mailboxes.transfer"
WHILE_HELD = frozenset({RECOVERY, RESET, TRANSFER})  # told of before anybody agrees: everybody who has to know
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
    """Addresses, each once: its proposer's, every owner's of the organization, the postmaster's. Of what opens a
    mailbox, those of whoever had it: and where a second person can agree, theirs alone."""
    open_ended = Q(until=None) | Q(until__gt=state.now)
    owners = state.rows(Grant, role="owner", client=None, ended_at=None).filter(open_ended).values("person_id")
    people = state.rows(Person, removed_at=None).filter(Q(pk=change.proposer_id) | Q(pk__in=owners, suspended_at=None))
    postmasters = state.rows(Organization).values_list("postmaster", flat=True)
    if change.kind == RESET:
        return reached(change, state)
    had = owned(change, state) if change.kind == TRANSFER else []
    if had and change.stage == "held":
        return had
    addresses = [*people.order_by("id").values_list("email", flat=True), *postmasters, *had]
    return list(dict.fromkeys(filter(None, addresses)))


def reached(change: Change, state: State) -> list[str]:
    """Of a reset: every address its owner has or had besides where the link goes; the client's security contact."""
    (asked,) = [change.params] if isinstance(change.params, dict) else change.params[:1]
    session = state.get(Verification, asked["verification"])
    box = state.get(Mailbox, session.mailbox_id)
    found = [*_led_in(box, state), box.contact, *_watches(session.client_id, state)]
    return [one for one in dict.fromkeys(found) if one and one != asked["contact"]]


def owned(change: Change, state: State) -> list[str]:
    """Of mailboxes that go to others: every address where their owners so far are, or were, reached, the mailbox too,
    since they are in it still; the client's security contact. Not where the links of the new owners go."""
    parts = [change.params] if isinstance(change.params, dict) else change.params
    found: list[str] = []
    for box in filter(None, [state.find(Mailbox, one["mailbox"]) for one in parts]):
        own = state.rows(Person, pk=box.owner_id).values_list("email", flat=True)
        found += [box.label, *_led_in(box, state), box.contact, *own]
    new = {one["contact"] for one in parts}
    found += _watches(change.client_id, state)
    return [one for one in dict.fromkeys(found) if one and one not in new]


def _led_in(box: Mailbox, state: State) -> list[str]:
    """Recovery addresses of it, also one that ended lately."""
    rows = state.rows(RecoveryChannel, mailbox=box.pk, sort=ADDRESS)
    rows = rows.filter(Q(ended_at=None) | Q(ended_at__gt=state.now - BEFORE)).order_by("id")
    return list(rows.values_list("value", flat=True))


def _watches(client: UUID | None, state: State) -> list[str]:
    return list(state.rows(Client, pk=client).values_list("security_contact", flat=True))


def _until(change: Change, now: datetime) -> datetime:
    return seconds(max(change.at or now, now) + SAYS_SO)


def _change(ref: str) -> Change:
    try:
        return seen(UUID(ref))
    except ValueError:
        raise NotThere("change", f"no change {ref} that you can see") from None
