"""The organization itself, and the mail nodes that belong to it."""

from collections.abc import Iterator

from pydantic import BaseModel, Field

from postroom.changes.along import staying
from postroom.changes.errors import Problem
from postroom.changes.kind import APPROVED, ASKED, Kind
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import Client, Grant, Node, Organization, Person

from .fields import Line, MailAddress, Name, NodeRef, OurRole, PageUrl, Patterns


class Member(BaseModel, frozen=True, extra="forbid"):
    """Somebody who is there from the first day."""

    name: Name
    email: MailAddress
    role: OurRole


class Found(Kind, name="organization.found"):
    """The first change of all: the organization, its first owner, and who else is there from the first day."""

    by = frozenset({"founder"})
    name: Name = Field(description="What the organization is called")
    owner_name: Name = Field(description="Who owns it: a person")
    owner_email: MailAddress = Field(description="Where they are reached, and what they sign in with")
    postmaster: MailAddress = Field(description="Where mail to postmaster@ and abuse@ of every domain goes")
    team: tuple[Member, ...] = Field(default=(), description="Who else is there from the first day, with which role")

    def plan(self, state: State) -> Iterator[Planned]:
        if state.rows(Organization).exists():
            raise Problem("name", "this installation serves an organization already")
        yield create(Organization, state.new_id(), name=self.name, postmaster=self.postmaster)
        owner = Member(name=self.owner_name, email=self.owner_email, role="owner")
        for one in (owner, *self.team):
            person = state.new_id()
            yield create(Person, person, name=one.name, email=one.email)
            yield create(Grant, state.new_id(), person_id=person, role=one.role, reason="there from the first day")


class ChangeOrganization(Kind, name="organization.change"):
    """Another name for the organization, another postmaster mailbox, or where its terms and privacy notice stand."""

    name: Name | None = None
    postmaster: MailAddress | None = Field(
        default=None, description="Where postmaster@ and abuse@ lead; all of them follow"
    )
    terms_url: PageUrl | None = Field(default=None, description="Its terms, https; linked where people set a secret")
    privacy_url: PageUrl | None = Field(default=None, description="Its privacy notice, https; linked there too")
    forward_allowed: Patterns | None = Field(
        default=None, description="Addresses, domains or *.domains outside that mail may be passed on to"
    )
    forward_forbidden: Patterns | None = Field(
        default=None,
        description="Those it may never be passed on to, whatever exception there is; also: private providers",
    )

    def steps_up(self, act: str) -> bool:
        return act == ASKED and self.postmaster is not None  # who hears of what waits for nobody

    def plan(self, state: State) -> Iterator[Planned]:
        ours = state.rows(Organization).get()
        yield edit(ours, **self.model_dump(exclude_none=True))
        if self.postmaster not in (None, ours.postmaster):
            yield from staying(ours.postmaster, self.postmaster)


class AddNode(Kind, name="nodes.add"):
    """A mail server host, known by the database role it signs in with and the key secrets are sealed to."""

    by = frozenset({"person", "system"})
    node: Name = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$", description="A short name: letters, digits, dashes")
    role: Name = Field(pattern=r"^postroom_node_[a-z0-9_]{1,40}$", description="The database role it signs in with")
    public_key: Line = Field(default="", description="Its X25519 public key, base64: what is sealed to it")
    region: Line = ""

    def plan(self, state: State) -> Iterator[Planned]:
        yield create(
            Node, state.new_id(), name=self.node, role=self.role, public_key=self.public_key, region=self.region
        )


class DrainNode(Kind, name="nodes.drain"):
    """Give a node no further clients; those it has stay."""

    node: NodeRef

    def plan(self, state: State) -> Iterator[Planned]:
        yield edit(state.get(Node, self.node, where="node"), drained_at=state.now)


class RemoveNode(Kind, name="nodes.remove"):
    """Take out a node that serves no client any more."""

    step_up = frozenset({APPROVED})
    node: NodeRef

    def plan(self, state: State) -> Iterator[Planned]:
        node = state.get(Node, self.node, where="node")
        if served := state.rows(Client, node=node).count():
            raise Problem("node", f"{node.name} is home to {served} clients; move them first")
        yield edit(node, removed_at=state.now, drained_at=node.drained_at or state.now)
