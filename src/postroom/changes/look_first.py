"""Before a plan: zones it needs are read anew where the last reading is old. A plan never asks the network itself."""

from collections.abc import Sequence
from uuid import UUID

from postroom.access.acting import acting_as
from postroom.access.actor import Actor
from postroom.access.scope import visible
from postroom.models import Domain
from postroom.protocols.addresses import BadName, domain_name

from . import readings
from .kind import Kind


def read_zones(kinds: Sequence[Kind], actor: Actor) -> None:
    """Have the zones read that these plans need: of domains this person sees, or that can be names at all."""
    wanted = {(zone, getattr(kind, "hosting", "hosted")) for kind in kinds for zone in kind.needs()}
    if not wanted:
        return
    with acting_as(actor) as access:
        if actor.somebody and not access.can_somewhere(kinds[0].permission):
            return
        zones = [(name, hosting) for zone, hosting in wanted if (name := _zone_name(zone, actor))]
    readings.refresh(zones)


def _zone_name(zone: str, actor: Actor) -> str:
    """The name of a domain given by id or name; empty for what is neither, which the plan then says."""
    try:
        return visible(actor, Domain).filter(pk=UUID(zone)).values_list("name", flat=True).first() or ""
    except ValueError:
        pass
    try:
        return domain_name(zone)
    except BadName:
        return ""
