"""Invites: one-time links. The token is drawn in the memory of one call; only its hash is ever kept."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from pydantic import Field

from postroom.changes.errors import NotThere, Problem
from postroom.changes.kind import ASKED, Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import Invite, Mailbox, Secret

from .fields import InviteRef, MailAddress, MailboxRef

VERIFIED = "the owner is verified first, by resets.start"
GOOD_FOR = timedelta(hours=72)
RESET_GOOD_FOR = timedelta(hours=24)  # of a verified reset; NIST SP 800-63B-4, 4.2.1.2: by mail, a day at most
REMINDED = timedelta(hours=48)  # after it was mailed
REDEEMED = "redeemed"  # what a letter says
OWNERS = ("password", "recovery code")  # what its owner sets


class SendInvite(Kind, name="invites.send"):
    """Invite the owner of a mailbox that has no secret yet; every older link of it is void."""

    mailbox: MailboxRef
    contact: MailAddress | None = Field(default=None, description="Where the link goes; as is known, if left out")
    by_hand: bool = Field(default=False, description="Mail no link: you copy one, and hand it over yourself")

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = state.get(Mailbox, self.mailbox, where="mailbox")
        if mailbox.kind == "shared" or mailbox.removed_at:
            raise Problem(
                "mailbox", f"{mailbox.label} has no sign-in: it is {'removed' if mailbox.removed_at else 'shared'}"
            )
        if has_secret(state, mailbox):
            raise Problem("mailbox", f"{mailbox.label} has its owner's secret; a link now would be a reset: {VERIFIED}")
        for old in state.hanging(Invite, "mailbox_id", mailbox.pk):
            if not old.used_at and not old.ended_at:
                yield from over(old, state)
        if not (contact := self.contact or mailbox.contact) and not self.by_hand:
            raise Problem(
                "contact", f"no contact of {mailbox.label} is known; name an address that its owner reads now"
            )
        readable(contact, mailbox.label)
        about = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk}
        yield create(Invite, state.new_id(), **about, contact=contact, by_mail=not self.by_hand, made=state.now)
        if contact:
            yield edit(mailbox, contact=contact)  # where its owner is reached from now on, also by a reset


def has_secret(state: State, mailbox: Mailbox) -> bool:
    """Whether its owner has set one, also where the proposer may not see that: else a link would be a reset unseen.

    The recovery code alone is left where another password is wanted (mailboxes.resume).
    """
    return any(one.purpose in OWNERS for one in state.hanging(Secret, "owner_row", mailbox.pk))


def readable(contact: str | None, address: str) -> None:
    """Problem with a link that is sent into the very mailbox that it opens."""
    if contact == address:
        raise Problem("contact", "its owner cannot read it there yet; name an address that they read now")


class IssueInvite(Kind, name="invites.issue"):
    """Draw a new link for an invite, good for 72 hours, or for a day from when a verified reset released it; the one
    before it is void."""

    step_up = frozenset({ASKED})
    by = frozenset({"person", "system"})
    carries_secret = True
    invite: InviteRef

    def plan(self, state: State) -> Iterator[Planned]:
        invite = open_invite(state, self.invite)
        until = invite.made + RESET_GOOD_FOR if invite.verification_id else state.now + GOOD_FOR
        yield from new_link(invite, state, until=until)


def new_link(invite: Invite, state: State, *, until: datetime) -> Iterator[Planned]:
    """A link of this invite that is good until then; the one before it is void."""
    yield edit(invite, until=until, issued=invite.issued + 1, remind_at=_reminder(invite, state))
    for old in state.hanging(Secret, "owner_row", invite.pk):
        yield end(old)
    about = {"client_id": invite.client_id, "owner_row": invite.pk}
    yield create(Secret, state.new_id(), **about, purpose="link", made=state.now)


def _reminder(invite: Invite, state: State) -> datetime | None:
    """Once, of a link that was mailed to the owner of a mailbox. Whoever asks for it to be sent again reminds them
    already; one that somebody copies is in that person's hands, and a reminder would void it."""
    mailed = invite.mailbox_id is not None and invite.by_mail and not state.access.actor.somebody
    mailed = mailed and invite.verification_id is None  # over by then, and whoever asked for it is on the phone
    return state.now + REMINDED if mailed and invite.reminded_at is None and not invite.asked else None


class RemindInvite(Kind, name="invites.remind"):
    """Its link was not used for two days: mail a new one, once, good for 72 hours like each."""

    by = frozenset({"clock"})
    invite: InviteRef

    def plan(self, state: State) -> Iterator[Planned]:
        invite = open_invite(state, self.invite)
        if invite.remind_at is not None:
            yield edit(invite, remind_at=None, reminded_at=state.now)


class ResendInvite(Kind, name="invites.resend"):
    """Mail a new link to the same contact."""

    invite: InviteRef

    def plan(self, state: State) -> Iterator[Planned]:
        invite = open_invite(state, self.invite)
        if not invite.by_mail:
            raise Problem("invite", "it is handed over by hand: copy its link, or name who else gets one by mail")
        if invite.verification_id and invite.made + RESET_GOOD_FOR <= state.now:
            raise Problem("invite", "the day of its verified reset is over: start another one")
        yield edit(invite, asked=invite.asked + 1)


class RedirectInvite(Kind, name="invites.redirect"):
    """Send the link to somebody else: another contact, a new link; the old one is void."""

    step_up = frozenset({ASKED})
    invite: InviteRef
    contact: MailAddress

    def plan(self, state: State) -> Iterator[Planned]:
        invite = open_invite(state, self.invite)
        if invite.verification_id:
            raise Problem("invite", "it was released by a verified reset, to whom was known before: start another one")
        if invite.mailbox:
            readable(self.contact, invite.mailbox.label)
            if has_secret(state, invite.mailbox):
                raise Problem("contact", f"it is the link of a reset and goes where it went; for another {VERIFIED}")
        yield from over(invite, state)
        about = {"client_id": invite.client_id, "mailbox_id": invite.mailbox_id, "person_id": invite.person_id}
        yield create(Invite, state.new_id(), **about, contact=self.contact, made=state.now)
        if invite.mailbox:
            yield edit(invite.mailbox, contact=self.contact)  # who was named before is reached no more, by no reset


class CancelInvite(Kind, name="invites.cancel"):
    """End an invite; its link opens nothing any more."""

    invite: InviteRef

    def plan(self, state: State) -> Iterator[Planned]:
        yield from over(open_invite(state, self.invite), state)


def open_invite(state: State, ref: str) -> Invite:
    """One whose link still sets a secret, or a sign-in; else a Problem."""
    invite = state.get(Invite, ref, where="invite")
    if invite.stops_id or invite.recovers or invite.confirms_id or invite.vouches:
        raise NotThere("invite", f"no invite {ref} that you can see")  # its link goes to whom it warns or asks, alone
    if invite.used_at or invite.ended_at:
        raise Problem("invite", f"it was {'used' if invite.used_at else 'ended'} already")
    return invite


def links_over(mailbox: Mailbox, state: State, *, but: Invite) -> Iterator[Planned]:
    """Whatever else would set its secret, or recover it, was made for a state that is no more."""
    others = state.rows(Invite, mailbox=mailbox, used_at=None, ended_at=None).exclude(pk=but.pk).order_by("id")
    for other in others:
        yield from over(other, state)


def over(invite: Invite, state: State) -> Iterator[Planned]:
    """An invite ends, and its link with it."""
    yield edit(invite, ended_at=state.now)
    for secret in state.hanging(Secret, "owner_row", invite.pk):
        yield end(secret)
