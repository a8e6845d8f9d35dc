"""Recovery channels: how the owner of a mailbox is reached who cannot get in. Each is another row, with its own age.

Whoever names one, everybody who has to know is told: the mailbox itself, its other addresses, the one that goes. One
counts only after seven days in which they could object, and while its holder says every half year that it is read.
"""

from collections.abc import Iterator
from uuid import UUID

from pydantic import Field

from postroom.access.known import ask
from postroom.changes.errors import Problem
from postroom.changes.kind import ASKED, Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import (
    Address,
    Alias,
    CatchAll,
    Domain,
    Forward,
    Invite,
    Letter,
    Mailbox,
    RecoveryChannel,
    Secret,
)
from postroom.models.recovery import ADDRESS, ALIVE, CONTACT, REMINDED

from .alive import confirmed
from .fields import AddressOrNumber, ChannelRef, InviteRef, Line, MailboxRef
from .invites import has_secret, new_link, over

NAMED, ENDED = "channel named", "channel ended"  # what a letter says
MOST = 6  # at one mailbox: more than these nobody keeps alive
NO_GOOD = "this link is no longer good"


class NameChannel(Kind, name="recovery_channels.name"):
    """An address or a number by which a mailbox's owner is reached who cannot get in. A click confirms that it is."""

    step_up = frozenset({ASKED})
    by = frozenset({"person", "owner"})
    mailbox: MailboxRef
    value: AddressOrNumber = Field(description="A mail address read elsewhere, or a number to call: +44 20 7946 0123")
    name: Line = Field(default="", description="Who reads or answers there")

    def plan(self, state: State) -> Iterator[Planned]:
        yield from named(state, signed_into(state, self.mailbox), self.value, self.name)


class AskChannel(Kind, name="recovery_channels.ask"):
    """Mail a link by which the holder of a recovery channel says that it is read still; the one before it is void."""

    by = frozenset({"person", "clock"})
    channel: ChannelRef

    def plan(self, state: State) -> Iterator[Planned]:
        channel = _open(state, self.channel)
        early = channel.ask_at is None or channel.ask_at > state.now
        if state.actor.sort == "clock" and early:
            return  # it was confirmed since
        mailbox = signed_into(state, str(channel.mailbox_id))
        yield from _void(state, channel)
        yield edit(channel, ask_at=None)
        yield asked(state, mailbox, channel.pk, read_at(channel, mailbox))


class IssueConfirmation(Kind, name="recovery_channels.issue"):
    """Draw the link that confirms a recovery channel or a contact, good for two weeks; the one before it is void."""

    by = frozenset({"system"})
    carries_secret = True
    confirmation: InviteRef

    def plan(self, state: State) -> Iterator[Planned]:
        invite = state.get(Invite, self.confirmation, where="confirmation")
        if (invite.confirms_id is None and not invite.vouches) or invite.used_at or invite.ended_at:
            raise Problem("confirmation", NO_GOOD)
        yield from new_link(invite, state, until=state.now + REMINDED)


class ConfirmChannel(Kind, name="recovery_channels.confirm"):
    """Whoever holds a recovery channel, or reads a contact, says by one click that it is read, for half a year."""

    by = frozenset({"link"})

    def plan(self, state: State) -> Iterator[Planned]:
        invite = state.get(Invite, state.access.invite or "", where="link")
        over = invite.until is None or invite.until <= state.now
        if (invite.confirms_id is None and not invite.vouches) or invite.used_at or invite.ended_at or over:
            raise Problem("link", NO_GOOD)
        yield edit(invite, used_at=state.now)
        for secret in state.hanging(Secret, "owner_row", invite.pk):
            yield end(secret)
        if invite.vouches:
            yield from confirmed(state, invite)
            return
        channel = _open(state, str(invite.confirms_id))
        yield edit(channel, confirmed_at=state.now, ask_at=state.now + ALIVE - REMINDED)


class EndChannel(Kind, name="recovery_channels.end"):
    """A recovery channel leads back into the mailbox no more; whoever held it is told, and so is the mailbox."""

    step_up = frozenset({ASKED})
    by = frozenset({"person", "owner"})
    channel: ChannelRef

    def plan(self, state: State) -> Iterator[Planned]:
        channel = _open(state, self.channel)
        mailbox = state.get(Mailbox, str(channel.mailbox_id), where="channel")
        yield from ended(state, channel, mailbox)
        yield from _led_there(state, channel, mailbox)


def ended(state: State, channel: RecoveryChannel, mailbox: Mailbox) -> Iterator[Planned]:
    """It leads back no more, and who has to know is told."""
    yield edit(channel, ended_at=state.now)
    yield from _void(state, channel)
    about = {"client_id": channel.client_id, "mailbox_id": mailbox.pk, "says": ENDED, "about": str(channel.pk)}
    for contact in to_tell(mailbox, alive(state, mailbox)):
        yield create(Letter, state.new_id(), **about, contact=contact, made=state.now)


def named(state: State, mailbox: Mailbox, value: str, name: str, *, where: str = "value") -> Iterator[Planned]:
    """One more way back in: asked whether it is read, and told to everybody who has to know. None where it is one."""
    if value == mailbox.label:
        raise Problem(where, "whoever cannot get into the mailbox cannot read it there; name another")
    if _lands(value, lands_in(state, mailbox), state):
        raise Problem(where, f"what is sent there lands in {mailbox.label} itself; name another")
    others = alive(state, mailbox)
    along: list[str] = state.once(f"channels of {mailbox.pk}", list)  # by the parts of this change before this one
    if any(one.value == value for one in others) or value in along:
        return
    along.append(value)
    if len(others) + len(along) > MOST:
        raise Problem("mailbox", f"{mailbox.label} has {MOST} already: end one that nobody needs")
    channel, about = state.new_id(), {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk}
    sort, contact = (ADDRESS, value) if "@" in value else (CONTACT, mailbox.label)
    yield create(RecoveryChannel, channel, **about, sort=sort, value=value, name=name, made=state.now)
    yield asked(state, mailbox, channel, contact)
    for told in to_tell(mailbox, others):
        yield create(Letter, state.new_id(), **about, contact=told, says=NAMED, about=str(channel), made=state.now)


def lands_in(state: State, mailbox: Mailbox) -> set[str]:
    """The addresses whose mail comes to this mailbox, also by way of another; its owner sees those that lead there.

    Those of aliases and forwards, what a catch-all catches (as @domain), and what they are called at domain aliases.
    """
    if state.access.own is not None:
        return {str(address) for (address,) in ask("SELECT address FROM postroom_own_leads()")}
    found: set[str] = set()
    ahead = {mailbox.label}
    while ahead:
        ahead = set(_brought(mailbox.client_id, sorted(ahead), state)) - found
        found |= ahead
    same = Domain.objects.filter(client=mailbox.client_id, alias_of__isnull=False, removed_at=None)
    mirrors = list(same.values_list("alias_of__name", "name"))
    parts = [one.rpartition("@") for one in (*found, mailbox.label)]
    return found | {f"{local}@{name}" for local, _, of in parts for other, name in mirrors if local and of == other}


def _brought(client: UUID, to: list[str], state: State) -> Iterator[str]:
    """What of a client passes its mail on to any of these, in one step."""
    about = {"client": client, "removed_at": None}
    yield from Alias.objects.filter(**about, targets__overlap=to).values_list("address__address", flat=True)
    forwards = Forward.objects.filter(**about, disabled_at=None, until__gt=state.now, to__in=to)
    yield from forwards.values_list("address__address", flat=True)
    caught = CatchAll.objects.filter(**about, until__gt=state.now, target__in=to).values_list("domain__name", flat=True)
    yield from (f"@{name}" for name in caught)


def _lands(value: str, there: set[str], state: State) -> bool:
    """Whether it is one of these, or caught with what is nobody's at its domain."""
    return value in there or (f"@{value.rpartition('@')[2]}" in there and state.there(Address, value) is None)


def signed_into(state: State, ref: str) -> Mailbox:
    """A mailbox that somebody signs in to, and so may get back into; else a Problem."""
    mailbox = state.get(Mailbox, ref, where="mailbox")
    if mailbox.kind == "shared" or mailbox.removed_at:
        why = "removed" if mailbox.removed_at else "shared"
        raise Problem("mailbox", f"{mailbox.label} has no sign-in: it is {why}")
    return mailbox


def alive(state: State, mailbox: Mailbox) -> list[RecoveryChannel]:
    """Those that have not ended, confirmed or not; also where the proposer may not see them: they are told of it."""
    rows = RecoveryChannel.objects.filter(mailbox=mailbox.pk, ended_at=None).order_by("id")
    return state.once(f"channels alive of {mailbox.pk}", lambda: list(rows))


def to_tell(mailbox: Mailbox, channels: list[RecoveryChannel]) -> list[str]:
    """Addresses, each once: the mailbox itself, and every address of these."""
    return list(dict.fromkeys([mailbox.label, *(one.value for one in channels if one.sort == ADDRESS)]))


def read_at(channel: RecoveryChannel, mailbox: Mailbox) -> str:
    """Where the question goes whether it is read still: to the address itself; of a number, to who owns the mailbox."""
    return channel.value if channel.sort == ADDRESS else mailbox.label


def asked(state: State, mailbox: Mailbox, channel: object, contact: str) -> Planned:
    about = {"client_id": mailbox.client_id, "confirms_id": channel}
    return create(Invite, state.new_id(), **about, contact=contact, made=state.now)


def _open(state: State, ref: str) -> RecoveryChannel:
    channel = state.get(RecoveryChannel, ref, where="channel")
    if channel.ended_at:
        raise Problem("channel", "it has ended already")
    return channel


def _led_there(state: State, channel: RecoveryChannel, mailbox: Mailbox) -> Iterator[Planned]:
    """Links back into the mailbox that were mailed there, and are not used yet."""
    mailed = Invite.objects.filter(mailbox=mailbox.pk, contact=channel.value, used_at=None, ended_at=None)
    for invite in mailed.order_by("id") if has_secret(state, mailbox) else ():
        yield from over(invite, state)


def _void(state: State, channel: RecoveryChannel) -> Iterator[Planned]:
    """Questions to it that are open end, and their links."""
    for old in state.hanging(Invite, "confirms_id", channel.pk):
        if not old.used_at and not old.ended_at:
            yield edit(old, ended_at=state.now)
            for secret in state.hanging(Secret, "owner_row", old.pk):
                yield end(secret)
