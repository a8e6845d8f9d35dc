"""What the organization and a client allow and forbid of forwarding outside, as it stands."""

from uuid import UUID

from postroom.models.routes import patterns_at
from postroom.protocols.patterns import matches

from .state import State


def allowed_at(target: str, client: UUID, state: State) -> str:
    """The pattern by which mail of the client may go there without an exception; empty for none."""
    allowed, forbidden = state.once(f"patterns of {client}", lambda: patterns_at(client))
    return "" if matches(forbidden, target) else matches(allowed, target)
