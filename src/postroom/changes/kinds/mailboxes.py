"""Mailboxes: made without a secret, which only their owner ever sets."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import APPROVED, Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import Address, Credential, Domain, Invite, Mailbox, Person, Secret, StateModel
from postroom.models.mailboxes import once_set_up
from postroom.models.recovery import counting

from .app_passwords import all_ended
from .clients import within_restore
from .delegations import delegations_ended
from .fields import AppPasswordRef, Line, MailAddress, MailboxRef, PersonRef
from .filters import filters_ended
from .forwards import leaving_ended
from .invites import over, readable
from .own_secrets import compelled
from .resets import stopped


class CreateMailbox(Kind, name="mailboxes.create"):
    """A mailbox that keeps mail at once; nobody can sign in until its owner has set the secret from an invite."""

    address: MailAddress
    name: Line = Field(default="", description="What people read beside the address")
    kind: Literal["person", "role", "shared", "admin"] = "person"
    contact: MailAddress | None = Field(default=None, description="Where the owner gets the one-time link")
    by_hand: bool = Field(default=False, description="Mail no link: you copy one, and hand it over yourself")
    owner: PersonRef | None = None
    operator: PersonRef | None = None
    vip: bool = Field(default=False, description="High risk: owner, finance, director")
    quota_mb: int = Field(default=10_000, ge=1, le=1_000_000)

    def names(self) -> Iterator[tuple[str, type[StateModel], str]]:
        yield "address", Domain, self.address.rpartition("@")[2]
        yield from super().names()

    def claims(self, state: State) -> Iterator[Planned]:
        if domain := state.find(Domain, self.address.rpartition("@")[2]):
            about = {"client_id": domain.client_id, "domain_id": domain.pk}
            yield create(Address, state.new_id(), **about, address=self.address)

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.address.rpartition("@")[2], where="address")
        if domain.removed_at:
            raise Problem("address", f"{domain.name} is removed")
        if self.kind == "shared" and (self.contact or self.by_hand):
            raise Problem(
                "contact" if self.contact else "by_hand",
                "a shared mailbox has no sign-in of its own, so nobody is invited",
            )
        readable(self.contact, self.address)
        client, address, mailbox = domain.client_id, state.new_id(), state.new_id()
        yield create(Address, address, client_id=client, domain_id=domain.pk, address=self.address)
        yield create(
            Mailbox, mailbox, client_id=client, address_id=address, kind=self.kind, name=self.name,
            contact=self.contact or "", vip=self.vip, quota_mb=self.quota_mb, **people(self, state),
        )  # fmt: skip
        if self.contact or self.by_hand:
            yield create(
                Invite, state.new_id(), client_id=client, mailbox_id=mailbox, contact=self.contact or "",
                by_mail=not self.by_hand, made=state.now,
            )  # fmt: skip


class ChangeMailbox(Kind, name="mailboxes.change"):
    """What is known of a mailbox, and how much it may hold."""

    mailbox: MailboxRef
    name: Line | None = None
    owner: PersonRef | None = None
    operator: PersonRef | None = None
    client_admin: PersonRef | None = None
    vip: bool | None = None
    quota_mb: int | None = Field(default=None, ge=1, le=1_000_000)

    def plan(self, state: State) -> Iterator[Planned]:
        values = self.model_dump(exclude_none=True, include={"name", "vip", "quota_mb"})
        mailbox, named = state.get(Mailbox, self.mailbox, where="mailbox"), people(self, state)
        if mailbox.owner_id and named.get("owner_id", mailbox.owner_id) != mailbox.owner_id:
            raise Problem("owner", f"{mailbox.label} has an owner; mailboxes.transfer gives it to another")
        yield edit(mailbox, **values, **named)


def people(kind: Kind, state: State) -> dict[str, object]:
    """The persons a mailbox names, by column; what is left out stays as it is."""
    names = [name for name in ("owner", "operator", "client_admin") if getattr(kind, name, None)]
    return {f"{name}_id": state.get(Person, getattr(kind, name), where=name).pk for name in names}


class SuspendMailbox(Kind, name="mailboxes.suspend"):
    """Stop sign-in and sending for one mailbox and end its sessions; mail keeps arriving, the secret stays."""

    mailbox: MailboxRef

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = _there(state, self.mailbox)
        if mailbox.suspended_at is None:
            yield edit(mailbox, suspended_at=state.now, access_epoch=mailbox.access_epoch + 1)


class ResumeMailbox(Kind, name="mailboxes.resume"):
    """Let the owner of a suspended mailbox in again; with another password, where the one so far is known to others."""

    mailbox: MailboxRef
    new_password: bool = Field(
        default=False, description="What opened it ends for good; its owner sets another password before they get in"
    )

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = _there(state, self.mailbox)
        if self.new_password and mailbox.suspended_at is None:
            raise Problem("mailbox", f"{mailbox.label} is open: suspend it first, which ends what goes on there now")
        yield edit(mailbox, suspended_at=None)
        if self.new_password:
            yield from compelled(state, mailbox)


class EndSessions(Kind, name="mailboxes.end_sessions"):
    """End every session of a mailbox, or of one device; who has a credential that stands signs in anew."""

    by = frozenset({"person", "owner"})
    mailbox: MailboxRef
    app_password: AppPasswordRef | None = Field(
        default=None, description="Only what was opened with this one; the id of a consent stands for its app"
    )

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = _there(state, self.mailbox)
        opened_by = self._device(state, mailbox) if self.app_password else mailbox
        yield edit(opened_by, access_epoch=opened_by.access_epoch + 1)

    def _device(self, state: State, mailbox: Mailbox) -> Credential:
        one = state.get(Credential, str(self.app_password), where="app_password")
        if one.mailbox_id != mailbox.pk:
            raise Problem("app_password", f"it is none of {mailbox.label}")
        if one.ended_at is not None:
            raise Problem("app_password", "it has ended, and every session with it")
        return one


class RemoveMailbox(Kind, name="mailboxes.remove"):
    """Take a mailbox out of use: no mail in, no sign-in, its secrets deleted. Thirty days of restore; no mail goes."""

    step_up = frozenset({APPROVED})
    mailbox: MailboxRef

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = state.get(Mailbox, self.mailbox, where="mailbox")
        if mailbox.removed_at is None:
            yield edit(mailbox, removed_at=state.now, access_epoch=mailbox.access_epoch + 1)
        yield from map(end, state.hanging(Secret, "owner_row", mailbox.pk))
        yield from all_ended(mailbox, state)
        yield from stopped(mailbox, state)
        yield from delegations_ended(mailbox, state)
        yield from filters_ended(state, mailbox)
        yield from leaving_ended(state, mailbox.client_id, mailbox.address_id)
        for invite in state.hanging(Invite, "mailbox_id", mailbox.pk):
            if not invite.ended_at and not invite.used_at:
                yield from over(invite, state)


class RestoreMailbox(Kind, name="mailboxes.restore"):
    """Bring back a mailbox removed within thirty days, its mail as it was; its owner is invited to set a new secret."""

    mailbox: MailboxRef
    contact: MailAddress | None = Field(default=None, description="Where the new link goes; as before if left out")

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = state.get(Mailbox, self.mailbox, where="mailbox")
        within_restore(mailbox.removed_at, state, "mailbox")
        readable(self.contact, mailbox.label)
        contact = self.contact or mailbox.contact
        if contact != mailbox.contact and once_set_up([mailbox.pk]) and contact not in counting(mailbox, state.now):
            raise Problem("contact", "it has an owner: restore it as it was, then mailboxes.transfer")
        yield edit(mailbox, removed_at=None, contact=contact)
        if contact and mailbox.kind != "shared":
            about = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk}
            yield create(Invite, state.new_id(), **about, contact=contact, made=state.now)


def _there(state: State, ref: str) -> Mailbox:
    mailbox = state.get(Mailbox, ref, where="mailbox")
    if mailbox.removed_at:
        raise Problem("mailbox", f"{mailbox.label} is removed; restore it first")
    return mailbox
