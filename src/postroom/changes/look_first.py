"""Before a plan: zones it needs are read anew where the last reading is old. A plan never asks the network itself."""

from collections.abc import Sequence
from uuid import UUID

from postroom.access.acting import acting_as, taken
from postroom.access.actor import Actor
from postroom.access.scope import changes_seen, visible
from postroom.models import Change, Domain
from postroom.protocols.addresses import BadName, domain_name

from . import readings
from .kind import Kind


def read_zones(kinds: Sequence[Kind], actor: Actor) -> None:
    """Have the zones read that these plans need: of domains this person sees, or names that no domain here has.

    Nobody has another's zone read by naming it: that it was read lately shows in what its own people are told.
    """
    looked_at = [kind for kind in kinds if kind.takes_back is None or _sees(actor, kind.takes_back)]
    wanted = {(zone, getattr(kind, "hosting", "hosted")) for kind in looked_at for zone in kind.needs()}
    if not wanted:
        return
    with acting_as(actor) as access:
        if actor.somebody and not access.can_somewhere(kinds[0].permission):
            return
        ids = {id: zone for zone, _ in wanted if (id := _id(zone))}
        known = {ids[one.pk]: one.name for one in visible(actor, Domain).filter(pk__in=ids)} if ids else {}
        zones = [(known.get(zone) or _name(zone), hosting) for zone, hosting in wanted]
        names = sorted({name for name, _ in zones if name})
        seen = visible(actor, Domain).filter(name__in=names).values_list("name", flat=True)
        others = set(taken("domains", names)).difference(seen) if actor.somebody else set()
    readings.refresh((name, hosting) for name, hosting in zones if name and name not in others)


def _sees(actor: Actor, change: UUID) -> bool:
    """Whose change it is not has none of it read for them: by how long that takes one could learn that it is there."""
    with acting_as(actor):
        return Change.objects.filter(changes_seen(), pk=change).exists()


def _id(zone: str) -> UUID | None:
    try:
        return UUID(zone)
    except ValueError:
        return None


def _name(zone: str) -> str:
    """As domains are called; empty for what cannot be one, which the plan then says."""
    try:
        return domain_name(zone)
    except BadName:
        return ""
