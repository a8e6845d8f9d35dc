"""Where mail goes, for the owner of one mailbox: what the tracer says of it, and of other addresses that lead there.

Worked out of all rules of the client, as the node has them; of others' nothing is told but whether it lands here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils import timezone

from postroom.access.acting import Actor, access_of, widened
from postroom.changes.routes import read
from postroom.changes.rules import COMPUTED, Rules
from postroom.models.routes import inside
from postroom.protocols.routing import Trace, trace

HERE, SOME, NOT, UNKNOWN = "here", "some of it", "not here", "not known"
MOST = 100  # addresses that are followed


@dataclass(frozen=True)
class Sent:
    """A redirect of the filter in force. to: empty where it is worked out as mail comes. goes: its node sends it."""

    to: str
    goes: bool
    keeps: bool
    sometimes: bool
    colleague: bool


@dataclass(frozen=True)
class OwnRoutes:
    """sent: where the filter in force sends mail; unknown: why it is not known what filters do. lands: of addresses
    that were asked for, whether mail to them lands in the mailbox: HERE, SOME, NOT or UNKNOWN."""

    sent: tuple[Sent, ...]
    unknown: str
    lands: Mapping[str, str]


def own_routes(actor: Actor, leading: Iterable[str] = ()) -> OwnRoutes:
    """Of the mailbox whose owner acts. leading: other addresses, @domain for whatever else is caught there. Three
    queries."""
    access = access_of(actor)
    if access.own is None:
        return OwnRoutes((), "", {})
    own, asked = access.own, list(leading)[:MOST]
    now, typed = timezone.now(), {one: f"*{one}" if one.startswith("@") else one for one in asked}
    with widened(access):
        rules = Rules(read([own.address, *typed.values()]), now)
        ours = inside(own.client)
    sieve = [one for one in rules.known.get(own.address, ()) if one.mechanism == "sieve"]
    sent = tuple(
        Sent(to, to not in one.barred, one.keep, one.sometimes, to.rpartition("@")[2] in ours.domains)
        for one in sieve
        for to in (("",) if one.unknown == COMPUTED else one.targets)
    )
    unknown = next((one.unknown for one in sieve if one.unknown not in ("", COMPUTED)), "")
    return OwnRoutes(sent, unknown, {one: _lands(trace(to, rules, at=now), own.address) for one, to in typed.items()})


def _lands(found: Trace, own: str) -> str:
    here = [one for one in found.landings if one.sort == "mailbox" and one.address == own]
    if any(not one.sometimes for one in here):
        return HERE
    if any(one.sort in ("unknown", "hidden") for one in found.landings):
        return UNKNOWN
    return SOME if here else NOT
