"""When mail to an address last left to some places outside, for the tracer; nothing is said where nothing is known."""

from collections.abc import Collection

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import LastHit
from postroom.protocols.extensions import parts
from postroom.protocols.routing import Trace

VIEW = "forwards.view"


def last_hits(actor: Actor, found: Trace) -> dict[str, str]:
    """Place outside → when, of those that it lands at: as the way is called that mail to it begins. One query; none
    where nothing leaves. What is not there may never have been, or nobody looked: the list of ways says which."""
    outside = {one.address for one in found.landings if one.sort == "outside"}
    return _kept(actor, _called(found), outside) if outside else {}


def _called(found: Trace) -> set[str]:
    bare, _, domain = parts(found.address)
    caught = any(hop.at == found.address and hop.rule.mechanism == "catch-all" for hop in found.hops)
    return {domain} if caught else {found.address, bare}


def _kept(actor: Actor, sources: Collection[str], targets: Collection[str]) -> dict[str, str]:
    rows = visible(actor, LastHit, VIEW).filter(source__in=sources, target__in=targets).order_by("at")
    return {one.target: one.at.isoformat(timespec="seconds") for one in rows}
