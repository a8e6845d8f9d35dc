"""A grant never exceeds the granter, and nobody edits somebody who stands above them.

Who stands above depends on what of a person it is:

* their sign-in (address, links, sessions, tokens, suspension): who holds more at any place than the proposer does
  there; whoever is let into it, or shut out, is so everywhere.
* a mailbox of theirs, and where its mail goes on to: who holds more, wherever it is, than the proposer at the
  mailbox's client.
* a grant, or a role of the organization's own that they hold: who holds more than the proposer at that client.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Q

from postroom.access.roles import rank as height
from postroom.changes.cover import beyond, held_until, lasting, more_here, outranked, signs_in_above
from postroom.changes.policy import Move, Proposed, Verdict, refuse
from postroom.models import (
    ApiSession,
    ApiToken,
    Credential,
    Delegation,
    Doubt,
    Filter,
    Forward,
    Grant,
    Invite,
    Mailbox,
    Person,
    RecoveryChannel,
    RedirectStop,
    ResetCode,
    Role,
    RouteException,
    Row,
    Transport,
    Verification,
)


def rank(proposed: Proposed) -> Verdict | None:
    """Refuse a role beyond the proposer's own, and any change to a person who ranks higher."""
    access, client = proposed.access, proposed.plan.client
    if not access.actor.somebody:
        return None
    if beyond := next(_beyond(proposed), None):
        return refuse(rank, beyond)
    own = str(access.actor.person)
    signing, boxes, held = (sorted({str(one) for one in people} - {own})
                            for people in (_sign_ins(proposed), _owners(proposed), _holders(proposed)))  # fmt: skip
    if signs_in_above(access, signing) or outranked(access, client, boxes) or more_here(access, client, held):
        many = len({*signing, *boxes, *held}) > 1
        return refuse(rank, "somebody it is about stands above you" if many else "this person stands above you")
    return None


def _beyond(proposed: Proposed) -> Iterator[str]:
    """What the grants, roles and tokens of this plan would let somebody do that its proposer may not."""
    access, client = proposed.access, proposed.plan.client
    given: set[tuple[str, str | None]] = set()
    for move in proposed.moves(Grant):
        role = (move.then or move.now or {})["role"]
        if proposed.kind.elevates:
            continue  # asked for, and given by whoever approves it (approvals.py)
        if move.opens:
            given.add((role, (move.then or {})["until"]))
        elif height([role]) > access.rank_at(client):
            yield f"{role} stands above what you hold here"
    yield from _given(given, proposed)
    for move in proposed.moves(Role, ApiToken):
        # A role may be given anywhere, so what it opens is held everywhere; a token is no more than its maker is there.
        anywhere = move.edit.table == Role._meta.db_table
        may = [access.can(one, None) if anywhere else access.can_somewhere(one) for one in sorted(move.opens)]
        if more := [one for one, allowed in zip(sorted(move.opens), may, strict=True) if not allowed]:
            yield f"you may not {', '.join(more[:5])} yourself{' everywhere' if anywhere else ''}"


def _given(given: Iterable[tuple[str, str | None]], proposed: Proposed) -> Iterator[str]:
    """A role beyond its giver's, or for longer than they hold as much: what was lent for hours is not passed on."""
    access, client = proposed.access, proposed.plan.client
    held = held_until(access, client) if given else []
    for role, until in sorted(given, key=str):
        yield from beyond(role, access, client)
        end = datetime.fromisoformat(until) if until else None
        if any(beyond(role, lasting(access, held, end), client)):
            yield f"{role} would last longer than what you hold here"


def _sign_ins(proposed: Proposed) -> Iterator[str]:
    """Whose person row, session, token or link to a sign-in this would touch; one just made stands nowhere yet."""
    for move in proposed.moves(Person):
        if move.now:
            yield move.edit.id
    for move in proposed.moves(ApiSession, ApiToken):
        if row := _closed(move):
            yield row["person_id"]
    yield from (row["person_id"] for row in _invited(proposed) if row["person_id"])


def _owners(proposed: Proposed) -> Iterable[str]:
    """Whose mailbox it is, or the link to it: who has the link sets its secret; a channel is a way to such a link, and
    so is a code, or whoever its mail goes on to; whom it is asked for. What its owner does not know nobody settles who
    could not have stopped it."""
    for move in proposed.moves(Mailbox):
        if move.now and move.now["owner_id"]:
            yield move.now["owner_id"]
    boxes = {str(row["mailbox_id"]) for row in _invited(proposed) if row["mailbox_id"]}
    hanging = proposed.moves(RecoveryChannel, Credential, Verification, Doubt)
    boxes |= {str((move.now or move.then or {})["mailbox_id"]) for move in hanging} | _of_codes(proposed)
    boxes |= set(_delegated(proposed))
    boxes |= {str((move.then or move.now or {})["mailbox_id"]) for move in proposed.moves(Filter, RedirectStop)}
    boxes -= proposed.made(Mailbox)
    passing = proposed.moves(Forward, RouteException, Transport)
    passed = {str((move.now or move.then or {})["address_id"]) for move in passing}
    if boxes or passed:
        rows = Mailbox.objects.filter(Q(pk__in=boxes) | Q(address__in=passed), owner__isnull=False)
        yield from map(str, rows.values_list("owner_id", flat=True))


def _delegated(proposed: Proposed) -> Iterator[str]:
    """Whose mailbox somebody is let into, or shut out of. Who was let in gives it up themselves."""
    ended = [(move.now or {}) for move in proposed.moves(Delegation) if move.closes and move.now]
    mine = {str(row["to_mailbox_id"]) for row in ended}
    if mine:
        mine = set(
            map(
                str,
                Mailbox.objects.filter(pk__in=mine, owner=proposed.access.actor.person).values_list("pk", flat=True),
            )
        )
    yield from (row["mailbox_id"] for row in ended if str(row["to_mailbox_id"]) not in mine)
    yield from (move.then["mailbox_id"] for move in proposed.moves(Delegation) if move.then and not move.now)


def _of_codes(proposed: Proposed) -> set[str]:
    """The mailboxes that codes of verified resets lead to."""
    sessions = {(move.now or move.then or {})["verification_id"] for move in proposed.moves(ResetCode)}
    rows = Verification.objects.filter(pk__in=sessions) if sessions else Verification.objects.none()
    return set(map(str, rows.values_list("mailbox_id", flat=True)))


def _holders(proposed: Proposed) -> Iterable[str]:
    """Who is given or loses a role by it, and who holds a role that becomes another; never who asks for more."""
    for move in proposed.moves(Grant):
        if row := move.then if move.opens else _closed(move):
            yield row["person_id"]
    changed = {move.now["name"] for move in proposed.moves(Role) if move.now}
    if changed:
        held = Grant.objects.filter(role__in=changed, ended_at=None)
        yield from map(str, held.values_list("person_id", flat=True))


def _invited(proposed: Proposed) -> list[Row]:
    return [move.then or move.now or {} for move in proposed.moves(Invite)]


def _closed(move: Move) -> Row | None:
    return move.now if move.closes else None
