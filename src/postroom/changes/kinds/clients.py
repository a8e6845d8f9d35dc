"""Clients: the agency's customers, each a boundary nothing crosses."""

from collections.abc import Iterator
from typing import Literal

from django.db.models import Count
from pydantic import Field

from postroom.changes.back import RESTORABLE_DAYS
from postroom.changes.errors import Problem
from postroom.changes.kind import APPROVED, Kind
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import Client, Letter, Node
from postroom.models.clients import HELD_OVER, UNDO_WITHIN
from postroom.models.recovery import SECURITY
from postroom.protocols.addresses import slug

from .alive import anew
from .fields import ClientRef, MailAddress, Name, NodeRef, Patterns, Text

Sending = Literal["shared", "isolated", "unknown"]
CHECKPOINT = "checkpoint"  # what a letter says
STANDARD = {"held_over": HELD_OVER, "undo_within": UNDO_WITHIN}


class CreateClient(Kind, name="clients.create"):
    """A new client. Making it is version 1 of its own history; the slug is made from its name."""

    name: Name = Field(description="What the client is called")
    security_contact: MailAddress | None = None
    may_ask: tuple[MailAddress, ...] = Field(default=(), description="Who at the client may ask for changes")
    notes: Text = ""
    sending: Sending = Field(default="unknown", description="Whether its mail leaves with other clients' or by itself")

    def plan(self, state: State) -> Iterator[Planned]:
        yield create(
            Client, state.new_id(), name=self.name, slug=_slug(self.name), node_id=_home(state),
            security_contact=self.security_contact or "", may_ask=self.may_ask, notes=self.notes,
            sending=self.sending, **anew(SECURITY, "", self.security_contact, state),
        )  # fmt: skip


def _slug(name: str) -> str:
    try:
        short = slug(name)
        if short == "organization":
            raise ValueError("that is what the whole organization is called here")
        return short
    except ValueError as error:
        raise Problem("name", str(error)) from None


def _home(state: State) -> object:
    """The least loaded node that takes clients; none is fine: its objects wait, and say so."""
    taking = state.rows(Node, drained_at=None, removed_at=None).annotate(load=Count("client"))
    node = taking.order_by("load", "name").first()
    return node.pk if node else None


class ChangeClient(Kind, name="clients.change"):
    """Another name, contact or note, how its mailboxes are signed in to, or what waits for a second person; the slug
    stays.

    An undo never goes by itself for longer than the standard: what it takes back may have served people since.
    """

    client: ClientRef
    name: Name | None = None
    security_contact: MailAddress | None = None
    may_ask: tuple[MailAddress, ...] | None = None
    notes: Text | None = None
    sending: Sending | None = Field(
        default=None, description="Whether its mail leaves with other clients' or by itself"
    )
    app_passwords_only: bool | None = Field(
        default=None, description="Mail is opened with app passwords alone; the main password opens the owner's page"
    )
    reset_keeps_app_passwords: bool | None = Field(
        default=None, description="App passwords stay when the owner of a mailbox gets it back by a code or a link"
    )
    held_over: int | None = Field(
        default=None, ge=1, le=1000,
        description=f"More objects in one change than this wait for a second person; {HELD_OVER} is the standard",
    )  # fmt: skip
    undo_within: int | None = Field(
        default=None, ge=0, le=UNDO_WITHIN,
        description=f"For how many minutes one's own untouched undo waits for nobody; {UNDO_WITHIN} is the standard",
    )  # fmt: skip
    forward_allowed: Patterns | None = Field(
        default=None, description="Addresses, domains or *.domains outside that mail may be passed on to"
    )
    forward_forbidden: Patterns | None = Field(
        default=None,
        description="Those it may never be passed on to, whatever exception there is; also: private providers",
    )

    def plan(self, state: State) -> Iterator[Planned]:
        said = self.model_dump(exclude_none=True, exclude={"client"})
        values = {name: None if value == STANDARD.get(name) else value for name, value in said.items()}
        client = state.get(Client, self.client, where="client")
        yield edit(client, **values, **anew(SECURITY, client.security_contact, self.security_contact, state))


class PlaceClient(Kind, name="clients.place"):
    """Give a client its home node: where its domains, mailboxes and keys are served."""

    by = frozenset({"person", "system"})
    client: ClientRef
    node: NodeRef

    def plan(self, state: State) -> Iterator[Planned]:
        client, node = state.get(Client, self.client, where="client"), state.get(Node, self.node, where="node")
        if client.node_id:
            raise Problem("node", f"{client.name} has a home node; moving between nodes is not built yet")
        yield edit(client, node_id=node.pk)


class SuspendClient(Kind, name="clients.suspend"):
    """Stop sign-in and sending for a whole client; mail keeps arriving."""

    client: ClientRef

    def plan(self, state: State) -> Iterator[Planned]:
        client = state.get(Client, self.client, where="client")
        if client.suspended_at is None:
            yield edit(client, suspended_at=state.now)


class ResumeClient(Kind, name="clients.resume"):
    """Let a suspended client work again."""

    client: ClientRef

    def plan(self, state: State) -> Iterator[Planned]:
        yield edit(state.get(Client, self.client, where="client"), suspended_at=None)


class RemoveClient(Kind, name="clients.remove"):
    """Take a client out of service: no sign-in, no mail in or out. Thirty days of restore; no mail is deleted."""

    step_up = frozenset({APPROVED})
    client: ClientRef

    def plan(self, state: State) -> Iterator[Planned]:
        client = state.get(Client, self.client, where="client")
        if client.removed_at is None:
            yield edit(client, removed_at=state.now)


class RestoreClient(Kind, name="clients.restore"):
    """Bring back a client removed within thirty days."""

    client: ClientRef

    def plan(self, state: State) -> Iterator[Planned]:
        client = state.get(Client, self.client, where="client")
        within_restore(client.removed_at, state, "client")
        yield edit(client, removed_at=None)


def within_restore(removed_at: object, state: State, where: str) -> None:
    """Refuse what is not removed, or was removed too long ago."""
    if removed_at is None:
        raise Problem(where, "it is not removed")
    if (state.now - removed_at).days > RESTORABLE_DAYS:  # type: ignore[operator]
        raise Problem(where, f"it was removed more than {RESTORABLE_DAYS} days ago")


class MailCheckpoint(Kind, name="clients.mail_checkpoint"):
    """Mail the newest checkpoint of the record to a client's security contact, who can compare it later."""

    by = frozenset({"system"})
    client: ClientRef

    def plan(self, state: State) -> Iterator[Planned]:
        client = state.get(Client, self.client, where="client")
        if client.removed_at or not client.security_contact:
            raise Problem("client", f"{client.slug} has no security contact to write to")
        about = {"client_id": client.pk, "contact": client.security_contact, "says": CHECKPOINT}
        yield create(Letter, state.new_id(), **about, made=state.now)
