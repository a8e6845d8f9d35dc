"""Whether mail of a domain is served here."""

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import Domain


def served(actor: Actor, name: str) -> bool:
    """In care, its control read from outside, and its client not removed. name: in its one form."""
    here = visible(actor, Domain).filter(name=name, proof="read", removed_at=None)
    return here.filter(client__removed_at=None).exists()
