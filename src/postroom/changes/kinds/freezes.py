"""Freezes: nothing changes for now but what only closes."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import Client, Freeze
from postroom.protocols.refs import short_ref

from .fields import FreezeRef, Line, Moment, Name

Scope = Annotated[Name, AfterValidator(short_ref)]


class StartFreeze(Kind, name="freezes.start"):
    """Let nothing change here for now but what only closes access."""

    scope: Scope = Field(description="A client's slug or id, or organization", json_schema_extra={"ref": "clients"})
    until: Moment | None = None
    reason: Line = Field(default="", description="What people read meanwhile; the change's own why if left out")

    def plan(self, state: State) -> Iterator[Planned]:
        client = None if self.scope == "organization" else state.get(Client, self.scope, where="scope").pk
        if self.until and self.until <= state.now:
            raise Problem("until", f"{self.until.isoformat()} has passed")
        yield create(Freeze, state.new_id(), client_id=client, reason=self.reason or state.why, until=self.until)


class EndFreeze(Kind, name="freezes.end"):
    """Let changes through again."""

    by = frozenset({"person", "clock"})
    freeze: FreezeRef

    def plan(self, state: State) -> Iterator[Planned]:
        freeze = state.get(Freeze, self.freeze, where="freeze")
        if freeze.ended_at is None:
            yield edit(freeze, ended_at=state.now)
