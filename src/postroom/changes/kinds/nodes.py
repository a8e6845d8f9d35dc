"""What a mail node is told to do over: nothing is decided anew, it writes what is compiled for it."""

from collections.abc import Iterator
from uuid import UUID

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import Address, DkimKey, Domain, Node, Redelivery

from .fields import Line, NodeRef

Served = Address | Domain | DkimKey
SORTS: tuple[tuple[str, type[Served]], ...] = (("address", Address), ("domain", Domain), ("key", DkimKey))
NOBODYS = UUID(int=0)  # stands for the node's own rows


class DeliverAgain(Kind, name="nodes.deliver_again"):
    """Have a mail node write what is compiled of an object once more: somebody was at its files. What the node has and
    nobody compiled goes; what it has otherwise is put back.
    """

    node: NodeRef
    object: Line = Field(default="", description="An address, a domain or a key, by its id; none: the node's own rows")

    def plan(self, state: State) -> Iterator[Planned]:
        node = state.get(Node, self.node, where="node")
        if node.removed_at:
            raise Problem("node", f"{node.name} is removed")
        id = self._id()
        sort, client = _about(state, id) if id.int else ("node", None)
        rows = state.rows(Redelivery, node=node, object_id=id, client=client)
        if row := rows.first():
            yield edit(row, times=row.times + 1)
            return
        about = {"client_id": client, "node_id": node.pk, "object": sort, "object_id": id}
        yield create(Redelivery, state.new_id(), **about)

    def _id(self) -> UUID:
        try:
            return UUID(self.object) if self.object else NOBODYS
        except ValueError:
            raise Problem("object", "an id, as the finding names it") from None


def _about(state: State, id: UUID) -> tuple[str, UUID | None]:
    """(which sort of object, whose); an id that is no object's here is the organization's to have taken out."""
    for sort, model in SORTS:
        whose: list[UUID] = list(state.rows(model, pk=id).values_list("client_id", flat=True))
        if whose:
            return sort, whose[0]
    return "address", None
