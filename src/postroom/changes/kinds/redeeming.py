"""The owner of a mailbox opens the link and sets the secret: from then on it is theirs, and nobody else's."""

from collections.abc import Iterator

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import Client, Invite, Letter, Mailbox, Secret

from .app_passwords import after_reset
from .fields import AddressOrNumber
from .invites import REDEEMED, links_over, open_invite
from .recovery_channels import named


class RedeemInvite(Kind, name="invites.redeem"):
    """The owner opened the link and set the secret: a password and a recovery code. Nobody else ever knows either."""

    by = frozenset({"link"})
    carries_secret = True
    recovery: AddressOrNumber | None = Field(
        default=None, description="By which they get back in, named where the link was handed over by hand"
    )

    def plan(self, state: State) -> Iterator[Planned]:
        invite = open_invite(state, str(state.access.invite or ""))
        if invite.mailbox_id is None or (invite.until and invite.until < state.now):
            raise Problem("link", "this link is no longer good")
        mailbox = state.get(Mailbox, invite.mailbox_id, where="link")
        if mailbox.removed_at or mailbox.kind == "shared":
            raise Problem("link", "this link is no longer good")
        yield edit(invite, used_at=state.now, remind_at=None)
        yield from self._back_in(invite, mailbox, state)
        told = {"client_id": invite.client_id, "contact": told_at(invite, mailbox, state), "about": mailbox.label}
        yield create(Letter, state.new_id(), **told, says=REDEEMED, made=state.now)
        yield edit(mailbox, access_epoch=mailbox.access_epoch + 1)
        for old in state.rows(Secret, owner_row__in=[invite.pk, mailbox.pk]):
            yield end(old)
        yield from links_over(mailbox, state, but=invite)
        yield from after_reset(mailbox, state)
        for purpose in ("password", "recovery code"):
            yield create(
                Secret,
                state.new_id(),
                client_id=mailbox.client_id,
                owner_row=mailbox.pk,
                purpose=purpose,
                made=state.now,
            )

    def _back_in(self, invite: Invite, mailbox: Mailbox, state: State) -> Iterator[Planned]:
        """Nobody knows of an address of an owner who got the link by hand: so they name one, and confirm it."""
        if self.recovery:
            yield from named(state, mailbox, self.recovery, "", where="recovery")
        elif not invite.by_mail:
            raise Problem("recovery", "name an address that you read elsewhere, or a number at which you are called")


def told_at(invite: Invite, mailbox: Mailbox, state: State) -> str:
    """Who hears that a link was used: where it was sent; of one handed over by hand whoever watches for the client."""
    security = state.rows(Client, pk=invite.client_id).values_list("security_contact", flat=True).first()
    return invite.contact or security or mailbox.label
