"""Roles of the organization's own, made of permissions; ours stand in code (access/roles.py)."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from postroom.access.actor import CLOSED
from postroom.access.roles import ROLES
from postroom.changes.cover import permissions
from postroom.changes.errors import Problem, Problems
from postroom.changes.kind import ASKED, Kind
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import Grant, Role

from .fields import Line, Name, OwnRoleRef


def _lower(text: str) -> str:
    return text.lower()


Permission = Annotated[Line, AfterValidator(_lower), Field(json_schema_extra={"ref": "permissions"})]
Permissions = Annotated[list[Permission], Field(min_length=1, description="Each by its name, as mailboxes.suspend")]


class CreateRole(Kind, name="roles.create"):
    """A role of the organization's own: what its holder may do, each by name. It ranks with the lowest of ours that may
    do all of it.
    """

    mints = True
    step_up = frozenset({ASKED})
    name: Annotated[Name, AfterValidator(_lower)]
    permissions: Permissions

    def plan(self, state: State) -> Iterator[Planned]:
        if self.name in (*ROLES, CLOSED):
            raise Problem("name", f"{self.name} is one of Postroom's own roles")
        yield create(Role, state.new_id(), name=self.name, permissions=known(self.permissions))


class ChangeRole(Kind, name="roles.change"):
    """Other permissions for a role; whoever holds it may that from then on."""

    mints = True
    step_up = frozenset({ASKED})
    role: OwnRoleRef
    permissions: Permissions

    def plan(self, state: State) -> Iterator[Planned]:
        role = state.get(Role, self.role, where="role")
        yield edit(role, permissions=known(self.permissions))


class EndRole(Kind, name="roles.end"):
    """End a role that nobody holds any more. Its name stays taken, so that old grants say what they said."""

    role: OwnRoleRef

    def plan(self, state: State) -> Iterator[Planned]:
        role = state.get(Role, self.role, where="role")
        if state.rows(Grant, role=role.name, ended_at=None).exists():
            raise Problem("role", f"somebody holds {role.name}: end those grants first")
        if role.ended_at is None:
            yield edit(role, ended_at=state.now)


def known(asked: Sequence[str]) -> list[str]:
    """These, sorted, each once; Problems where one is none, each at its place."""
    there = set(permissions())
    problems = [
        Problem(f"permissions.{n}", f"{one} is no permission") for n, one in enumerate(asked) if one not in there
    ]
    if problems:
        raise Problems(problems)
    return sorted(set(asked))
