"""The secrets of a mailbox, in its owner's own hands: another password, another recovery code, and back in by either.

Nobody else submits any of these, and no value is in an edit. Whoever does one proves anew who they are: the door asks
the password, the code is the actor's, or the link is. Of each, mail tells all that is known of the owner.
"""

from collections.abc import Iterable, Iterator

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import Client, Invite, Letter, Mailbox, Secret
from postroom.models.recovery import ADDRESS, Ways

from .app_passwords import after_reset
from .fields import MailAddress
from .recovery import NO_GOOD, opened
from .recovery_channels import alive, to_tell

PASSWORD, CODE = "password", "recovery code"
MAILBOX = "mailbox"  # what the link of such an invite recovers
CHANGED, RENEWED, RESET = "password changed", "code renewed", "mailbox got back"  # what a letter says


class ChangePassword(Kind, name="secrets.change"):
    """The owner chooses another password. Every other session of the mailbox ends, and every link to it is void."""

    by = frozenset({"owner"})
    carries_secret = True

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = own(state)
        yield from renewed(state, mailbox, (PASSWORD,))
        yield from _shut(state, mailbox)
        yield from _told(state, mailbox, CHANGED)


class RenewCode(Kind, name="secrets.renew"):
    """The owner has another recovery code made; the one before it is void."""

    by = frozenset({"owner"})
    carries_secret = True

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = own(state)
        yield from renewed(state, mailbox, (CODE,))
        yield from _told(state, mailbox, RENEWED)


class ResetSecrets(Kind, name="secrets.reset"):
    """The owner is back, by the recovery code or a mailed link, which is spent: another password and another code.
    Every session of the mailbox ends, and every other link to it is void."""

    by = frozenset({"code", "link"})
    carries_secret = True

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = own(state) if state.actor.sort == "code" else _by_link(state)
        yield from renewed(state, mailbox, (PASSWORD, CODE))
        yield from after_reset(mailbox, state)
        yield from _shut(state, mailbox)
        yield from _told(state, mailbox, RESET, Client.objects.get(pk=mailbox.client_id).security_contact)


class ForgotPassword(Kind, name="mailboxes.forgot"):
    """Somebody says that they own a mailbox and cannot get in: links go to its recovery addresses that count."""

    by = frozenset({"clock"})
    email: MailAddress

    def plan(self, state: State) -> Iterator[Planned]:
        open_ones = state.rows(Mailbox, suspended_at=None, removed_at=None).exclude(kind="shared")
        mailbox = open_ones.select_related("address").filter(address__address=self.email).first()
        if mailbox is None or not state.rows(Secret, owner_row=mailbox.pk, purpose=PASSWORD).exists():
            return
        ways = Ways.of(mailbox)
        among = [one for one in alive(state, mailbox) if one.sort == ADDRESS]  # not what ended: see decision 19
        contacts = [one.value for one in among if not ways.why_not(one, state.now)]
        # Links that were mailed before stay good until their hour is over: anybody may ask, and so would void, or put
        # off, what the owner holds. All of them end with the first that is used.
        about = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk, "recovers": MAILBOX}
        for contact in contacts:
            yield create(Invite, state.new_id(), **about, contact=contact, made=state.now)


def own(state: State) -> Mailbox:
    """The mailbox whose owner acts."""
    if state.access.own is None:
        raise Problem("mailbox", "it is not open to its owner")
    return state.get(Mailbox, state.access.own.mailbox, where="mailbox")


def renewed(state: State, mailbox: Mailbox, purposes: tuple[str, ...]) -> Iterator[Planned]:
    """Other values for these, of which the edits say that they were set."""
    for old in state.rows(Secret, owner_row=mailbox.pk, purpose__in=purposes).order_by("id"):
        yield end(old)
    about = {"client_id": mailbox.client_id, "owner_row": mailbox.pk}
    for purpose in purposes:
        yield create(Secret, state.new_id(), **about, purpose=purpose, made=state.now)


def _by_link(state: State) -> Mailbox:
    invite = opened(state)
    if invite.recovers != MAILBOX or invite.mailbox_id is None:
        raise Problem("link", NO_GOOD)
    mailbox = state.get(Mailbox, invite.mailbox_id, where="link")
    if mailbox.removed_at or mailbox.suspended_at or mailbox.kind == "shared":
        raise Problem("link", NO_GOOD)
    return mailbox


def _shut(state: State, mailbox: Mailbox) -> Iterator[Planned]:
    """Sessions end by the epoch; links that would set its secret, or recover it, are over."""
    yield edit(mailbox, access_epoch=mailbox.access_epoch + 1)
    used = str(state.access.invite or "")
    yield from _void(state, state.rows(Invite, mailbox=mailbox, used_at=None, ended_at=None).order_by("id"), used)


def _void(state: State, invites: Iterable[Invite], used: str = "") -> Iterator[Planned]:
    invites = list(invites)
    for invite in invites:
        yield edit(invite, **{"used_at" if str(invite.pk) == used else "ended_at": state.now})
    for secret in state.rows(Secret, owner_row__in=[one.pk for one in invites]).order_by("id"):
        yield end(secret)


def _told(state: State, mailbox: Mailbox, says: str, *more: str) -> Iterator[Planned]:
    """A letter to the mailbox, to what leads back into it, to where its first link went, and to these."""
    contacts = [*to_tell(mailbox, alive(state, mailbox)), *filter(None, [mailbox.contact, *more])]
    about = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk, "says": says}
    for contact in dict.fromkeys(contacts):
        yield create(Letter, state.new_id(), **about, contact=contact, made=state.now)
