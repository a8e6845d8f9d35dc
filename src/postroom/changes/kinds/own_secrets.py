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
from postroom.models.recovery import ADDRESS, SETTLED, Ways

from .app_passwords import after_reset, all_ended
from .fields import MailAddress
from .invites import VERIFIED, has_secret
from .recovery import NO_GOOD, opened
from .recovery_channels import alive, to_tell

PASSWORD, CODE = "password", "recovery code"
MAILBOX = "mailbox"  # what the link of such an invite recovers
CHANGED, RENEWED, RESET = "password changed", "code renewed", "mailbox got back"  # what a letter says
COMPELLED = "another password wanted"


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
        if mailbox is None or not has_secret(state, mailbox):
            return
        # Links that were mailed before stay good until their hour is over: anybody may ask, and so would void, or put
        # off, what the owner holds. All of them end with the first that is used.
        yield from _linked(state, mailbox, _counting(state, mailbox))


def compelled(state: State, mailbox: Mailbox) -> Iterator[Planned]:
    """Its password is known to somebody else: all that it could open ends, and the owner sets another by the recovery
    code, or by a link to where they get back in (NIST SP 800-63B-4, 3.1.1.2). Nobody here chooses it.

    Problem with a code younger than a channel has to be to count: whoever has a password can have a code made by it.
    """
    secrets = {one.purpose: one for one in state.hanging(Secret, "owner_row", mailbox.pk)}
    if CODE not in secrets:
        raise Problem("new_password", f"the owner of {mailbox.label} has set none yet: invite them")
    if secrets[CODE].made > state.now - SETTLED:
        words = "its recovery code is not a week old, so whoever had the password may have that code too"
        raise Problem("new_password", f"{words}: {VERIFIED}")
    contacts = _counting(state, mailbox)
    yield from (end(one) for purpose, one in secrets.items() if purpose == PASSWORD)
    yield from all_ended(mailbox, state)
    yield edit(mailbox, access_epoch=mailbox.access_epoch + 1)
    invites = state.hanging(Invite, "mailbox_id", mailbox.pk)
    yield from _void(state, [one for one in invites if not one.used_at and not one.ended_at])
    yield from _linked(state, mailbox, contacts)
    office = Client.objects.get(pk=mailbox.client_id).security_contact
    yield from _told(state, mailbox, COMPELLED, office, but=contacts)


def _counting(state: State, mailbox: Mailbox) -> list[str]:
    """Where a link may go: of what stands, never of what ended (decision 19)."""
    ways = Ways.of(mailbox)
    return [one.value for one in alive(state, mailbox) if one.sort == ADDRESS and not ways.why_not(one, state.now)]


def _linked(state: State, mailbox: Mailbox, contacts: Iterable[str]) -> Iterator[Planned]:
    """A link to each, by which its owner sets another password."""
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
    for secret in Secret.objects.filter(owner_row__in=[one.pk for one in invites]).order_by("id"):
        yield end(secret)


def _told(state: State, mailbox: Mailbox, says: str, *more: str, but: Iterable[str] = ()) -> Iterator[Planned]:
    """A letter to the mailbox, to what leads back into it, to where its first link went, and to these."""
    contacts = [*to_tell(mailbox, alive(state, mailbox)), *filter(None, [mailbox.contact, *more])]
    about = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk, "says": says}
    for contact in [one for one in dict.fromkeys(contacts) if one not in but]:
        yield create(Letter, state.new_id(), **about, contact=contact, made=state.now)
