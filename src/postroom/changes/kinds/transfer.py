"""A mailbox gets another owner: what the old one knew opens it no more, the new one is invited, and both are told."""

from collections.abc import Iterator
from datetime import timedelta

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import APPROVED, ASKED, Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import Client, Invite, Letter, Mailbox, Person, Secret

from .app_passwords import all_ended
from .delegations import delegations_ended
from .fields import Line, MailAddress, MailboxRef, PersonRef
from .filters import filters_cleared
from .forwards import forwards_disabled, leaving_ended
from .invites import over, readable
from .recovery_channels import alive, ended, signed_into, to_tell
from .resets import CANCEL_WITHIN, stopped

TRANSFERRED = "transferred"  # what the letter says


class TransferMailbox(Kind, name="mailboxes.transfer"):
    """Give a mailbox, its mail in it, to another owner: the old one's secrets die, the new one sets their own."""

    step_up = frozenset({ASKED, APPROVED})
    mailbox: MailboxRef
    contact: MailAddress = Field(description="Where the new owner gets the one-time link; somewhere they read now")
    owner: PersonRef | None = Field(default=None, description="Who answers for it from now on, if they sign in here")
    name: Line | None = Field(default=None, description="What people read beside the address, if that changes")

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = self._there(state)
        owner = state.get(Person, self.owner, where="owner") if self.owner else None
        before = mailbox.owner_id and state.rows(Person, pk=mailbox.owner_id).first()
        yield edit(
            mailbox, contact=self.contact, owner_id=owner.pk if owner else None, access_epoch=mailbox.access_epoch + 1,
            **({} if self.name is None else {"name": self.name}),
        )  # fmt: skip
        yield from map(end, state.hanging(Secret, "owner_row", mailbox.pk))
        yield from all_ended(mailbox, state)
        for channel in alive(state, mailbox):
            yield from ended(state, channel, mailbox)
        for invite in state.hanging(Invite, "mailbox_id", mailbox.pk):
            if not invite.ended_at and not invite.used_at:
                yield from over(invite, state)
        yield from stopped(mailbox, state)
        yield from delegations_ended(mailbox, state)
        yield from filters_cleared(state, mailbox)
        yield from leaving_ended(state, mailbox.client_id, mailbox.address_id)
        yield from forwards_disabled(state, mailbox.address_id)
        about = {"client_id": mailbox.client_id}
        yield create(Invite, state.new_id(), **about, mailbox_id=mailbox.pk, contact=self.contact, made=state.now)
        yield from self._told(mailbox, before.email if before else "", state)

    def _told(self, mailbox: Mailbox, own: str, state: State) -> Iterator[Planned]:
        """Whoever had it, wherever they were reached; the new owner; whoever watches over the client."""
        office = Client.objects.get(pk=mailbox.client_id).security_contact
        had = [mailbox.contact, own, *to_tell(mailbox, alive(state, mailbox)), office]
        for contact in dict.fromkeys([*filter(None, had), self.contact]):
            told = {"contact": contact, "says": TRANSFERRED, "about": mailbox.label}
            yield create(Letter, state.new_id(), client_id=mailbox.client_id, **told, made=state.now)

    def waits_for(self, state: State) -> timedelta | None:
        """A VIP hears of it, wherever they are reached, while they can still say that it was not them (flow F3)."""
        mailbox = state.find(Mailbox, self.mailbox)
        return CANCEL_WITHIN if mailbox and mailbox.vip else None

    def _there(self, state: State) -> Mailbox:
        mailbox = signed_into(state, self.mailbox)
        readable(self.contact, mailbox.label)
        if self.contact == mailbox.contact:
            words = "its present owner reads that already; a new link for the same owner is a reset, not a transfer"
            raise Problem("contact", words)
        return mailbox
