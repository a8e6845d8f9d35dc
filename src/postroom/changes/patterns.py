"""What the organization and a client allow and forbid of forwarding outside, as it stands."""

from uuid import UUID

from postroom.models import Client, Organization
from postroom.protocols.patterns import matches

from .state import State

Said = tuple[list[str], list[str]]


def allowed_at(target: str, client: UUID, state: State) -> str:
    """The pattern by which mail of the client may go there without an exception; empty for none."""
    allowed, forbidden = state.once(f"patterns of {client}", lambda: patterns_at(client))
    return "" if matches(forbidden, target) else matches(allowed, target)


def patterns_at(client: UUID | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(allowed, forbidden): the organization's, and the client's own beside."""
    row: Said = Client.objects.filter(pk=client).values_list("forward_allowed", "forward_forbidden").first() or ([], [])
    ours: Said = Organization.objects.values_list("forward_allowed", "forward_forbidden").first() or ([], [])
    return (*ours[0], *row[0]), (*ours[1], *row[1])
