"""What the end of a forward takes along, what it leaves open, and when it waits for somebody to say (decision 56)."""

from collections.abc import Iterator

from django.db.models import QuerySet

from postroom.changes.errors import Problem
from postroom.changes.leads import leaves
from postroom.changes.patterns import allowed_at
from postroom.changes.plan import LeftOut, Planned, edit
from postroom.changes.state import State
from postroom.models import Address, Forward, RedirectStop, RouteException, SieveScript
from postroom.models.routes import ASK, patterns_at
from postroom.protocols.patterns import matches

BY_FILTER = "mail of {} goes on leaving to {} {}: stop the redirect of its filter (redirects.stop), or end what lets it"
INSIDE = "mail of {} goes on to {} by a filter of its own: stop that redirect (redirects.stop)"
STANDS = "mail of {} may go to {} until {:%d %b %Y} all the same: end this too where no filter is to send it there"
NONE_RESTS = "no filter of {} passes mail on to {}: nothing would rest on its exception"


def asked_first(forward: Forward, state: State) -> bool:
    """Whether its exception ends with it, or did, and somebody is to be asked then: it stays for that, and lets
    nothing out, since its own time is over. Nobody is asked of one that something else lets leave, nor of one that
    somebody disabled before."""
    asks = _same(forward).filter(on_end=ASK)
    if forward.disabled_at:
        return asks.filter(ended_at=forward.disabled_at).exists()
    together = asks.filter(until=forward.until).exclude(ended_at__lt=forward.until).exists()
    return together and not _open(forward, state) and not allowed_at(forward.to, forward.client_id, state)


def closed(state: State, forward: Forward, *, keep: bool) -> Iterator[Planned]:
    """The exceptions that were planned with it, unless kept for a filter; and word of what mail leaves by after it."""
    left = _open(forward, state)
    rests = _filtered(forward)
    if keep and not rests:
        raise Problem("keep_exception", NONE_RESTS.format(_source(forward), forward.to))
    if not keep and state.actor.sort != "clock":
        along = [one for one in left if one.made == forward.made]  # of one change
        yield from (edit(one, ended_at=state.now) for one in along)
        left = [one for one in left if one not in along]
    if rests:
        yield from _said(state, forward, left)
    else:
        for one in left:
            yield LeftOut(one._meta.db_table, str(one.pk), STANDS.format(_source(forward), one.target, one.until))


def still_leaves(state: State, forward: Forward) -> Iterator[LeftOut]:
    """That mail goes on leaving by a filter although the forward passes nothing on; nothing where it does not."""
    if _filtered(forward):
        yield from _said(state, forward, _open(forward, state))


def _said(state: State, forward: Forward, left: list[RouteException]) -> Iterator[LeftOut]:
    """By what a filter goes on: inside, by an exception of these, or by a pattern."""
    source, client = _source(forward), forward.client_id
    row = Forward._meta.db_table, str(forward.pk)
    if not leaves(forward.to, client, state, of=source):
        yield LeftOut(*row, INSIDE.format(source, forward.to))
    elif matches(state.once(f"patterns of {client}", lambda: patterns_at(client))[1], forward.to):
        return
    elif left:
        until = max(one.until for one in left)
        yield LeftOut(*row, BY_FILTER.format(source, forward.to, f"by its exception until {until:%d %b %Y}"))
    elif by := allowed_at(forward.to, client, state):
        yield LeftOut(*row, BY_FILTER.format(source, forward.to, f"by the pattern {by}"))


def _same(forward: Forward) -> "QuerySet[RouteException]":
    found: QuerySet[RouteException] = RouteException.objects.filter(address=forward.address_id, target=forward.to)
    return found


def _open(forward: Forward, state: State) -> list[RouteException]:
    """The exceptions that let mail go where it leads."""
    return list(_same(forward).filter(ended_at=None, until__gt=state.now).order_by("until", "id"))


def _filtered(forward: Forward) -> bool:
    """Whether a filter in force of the same mailbox passes mail on there, as its node read it, and is not stopped."""
    stopped = RedirectStop.objects.filter(mailbox__address=forward.address_id, target=forward.to, ended_at=None)
    scripts = SieveScript.objects.filter(active=True, mailbox__address=forward.address_id, mailbox__removed_at=None)
    going = scripts.filter(redirects__contains=[{"to": forward.to}])
    return going.exists() and not stopped.exists()


def _source(forward: Forward) -> str:
    return str(Address.objects.values_list("address", flat=True).get(pk=forward.address_id))
