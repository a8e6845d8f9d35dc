"""Delegations: who signs in to one mailbox opens another, or writes in its name, until a day.

Into a person's nobody is let before its owner has said so, signed in to it; of a VIP's one of the client's own admins
too. Whoever asks consents to nothing, and no operator does in an owner's stead. Everybody who has to know is told when
it is asked for, when it starts and when it ends. A shared or role mailbox has no such owner: who may is let in at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID

from pydantic import Field

from postroom.changes.cover import admins_of
from postroom.changes.errors import Problem
from postroom.changes.kind import ASKED, Kind, Ref
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State, not_there
from postroom.models import Client, Delegation, Letter, Mailbox, Person
from postroom.models.delegations import CLIENT, NOBODYS, OWNER, wanted

from .fields import DelegationRef, MailAddress, Moment
from .recovery_channels import alive, to_tell

LONGEST = timedelta(days=366)
MOST = 100  # of a mailbox, in either direction
MOST_ASKED = 10  # that an owner has asked for, and nobody has answered
ASKED_FOR, STARTED, ENDED, DECLINED = (f"delegation {what}" for what in ("asked", "started", "ended", "declined"))
Right = Literal["open", "send-as", "send-on-behalf"]


class AskDelegation(Kind, name="delegations.ask"):
    """Ask that who signs in to one mailbox opens another, or writes in its name. A person's opens when they consent."""

    by = frozenset({"person", "owner"})
    mailbox: MailAddress = Field(description="Whose mailbox it is about")
    to: MailAddress = Field(description="The mailbox whose owner gets it")
    rights: list[Right] = Field(
        min_length=1,
        description="open: reads a person’s, works in a shared one; send-as: writes as it; send-on-behalf: for it, and "
        "it is shown",
    )
    until: Moment | None = Field(
        default=None,
        description="When it ends by itself, a year from now at most: of a mailbox of a task, where it is "
        "left out, then; of a person’s it has to be said",
    )

    def reads(self) -> Iterator[Ref]:
        yield from ((Mailbox, one) for one in (self.mailbox, self.to))

    def plan(self, state: State) -> Iterator[Planned]:
        return self.planned(state)

    def planned(self, state: State, *, replaces: Sequence[str] = ()) -> Iterator[Planned]:
        """replaces: ways out that end once it has begun (replacing.py), each "address target"."""
        mailbox, to = (_there(state, ref, where) for ref, where in ((self.mailbox, "mailbox"), (self.to, "to")))
        self._fits(state, mailbox, to)
        asked = wanted(mailbox)
        self._ends(state, asked)
        self._not_twice(state, mailbox, to)
        made = state.new_id()
        until = self.until or state.now + LONGEST
        yield create(
            Delegation, made, client_id=mailbox.client_id, mailbox_id=mailbox.pk, to_mailbox_id=to.pk,
            rights=sorted(set(self.rights)), requester_id=state.actor.person, reason=state.why, made=state.now,
            until=until, wants=asked, started_at=None if asked else state.now, replaces=list(replaces),
        )  # fmt: skip
        if asked:
            yield from _told(state, mailbox, ASKED_FOR, made, _watching(state, mailbox))
        else:
            yield from _instead(state, mailbox, to.pk, but=made)
            yield from _told(state, mailbox, STARTED, made, [*_known(state, mailbox), to.label])

    def _fits(self, state: State, mailbox: Mailbox, to: Mailbox) -> None:
        own = state.access.own
        if own and to.pk != own.mailbox:
            raise Problem("to", "you ask for yourself")
        if mailbox.pk == to.pk:
            raise Problem("to", f"{to.label} is the mailbox itself")
        if mailbox.client_id != to.client_id:
            raise Problem("to", f"{to.label} is another client’s")
        if to.kind == "shared":
            raise Problem("to", f"nobody signs in to {to.label}: it is shared")
        if state.actor.person is not None and mailbox.owner_id == state.actor.person and wanted(mailbox):
            raise Problem("mailbox", "it is yours: whoever shall get it asks, and you consent")

    def _ends(self, state: State, asked: list[str]) -> None:
        if self.until is None and asked:
            raise Problem("until", "say until when: into a person’s mailbox nobody is let for good")
        if self.until and self.until <= state.now:
            raise Problem("until", f"{self.until.isoformat()} has passed")
        if self.until and self.until > state.now + LONGEST:
            raise Problem("until", "a year from now at most: then it is asked for again")

    def _not_twice(self, state: State, mailbox: Mailbox, to: Mailbox) -> None:
        got = _live(state.hanging(Delegation, "to_mailbox_id", to.pk), state)
        for one in got:
            if one.mailbox_id != mailbox.pk:
                continue
            if one.started_at is None:
                raise Problem("to", f"it was asked for on {one.made:%d %b %Y}, and is not answered yet")
            if set(one.rights) == set(self.rights) and (self.until is None or one.until == self.until):
                ends = f", until {one.until:%d %b %Y}: say until when to have another end" if one.until else ""
                raise Problem("to", f"{to.label} may just this already{ends}")
        if state.access.own and sum(one.started_at is None for one in got) >= MOST_ASKED:
            raise Problem("mailbox", f"you have asked for {MOST_ASKED}; they are answered first")
        if max(len(got), len(_live(state.hanging(Delegation, "mailbox_id", mailbox.pk), state))) >= MOST:
            raise Problem("to", f"there are {MOST} already: end those that nobody needs")


class ConsentToDelegation(Kind, name="delegations.consent"):
    """Let somebody in, or write in your name, as they asked; of a VIP's the client's own admin agrees too."""

    by = frozenset({"owner", "person"})
    mints = True
    step_up = frozenset({ASKED})
    delegation: DelegationRef

    def plan(self, state: State) -> Iterator[Planned]:
        asked, mailbox = _waiting(state, self.delegation)
        wants = sorted({*asked.wants, *wanted(mailbox)})  # it may have become a VIP's since
        word = _whose_word(state, asked, mailbox)
        given = (
            {"owner_at": state.now} if word == OWNER else {"client_at": state.now, "client_by_id": state.actor.person}
        )
        if getattr(asked, f"{word}_at"):
            raise Problem("delegation", "that was said already; it waits for the other consent")
        left = [one for one in wants if one != word and not getattr(asked, f"{one}_at")]
        yield edit(asked, wants=wants, **given, **({} if left else {"started_at": state.now}))
        if not left:
            yield from _instead(state, mailbox, asked.to_mailbox_id, but=asked.pk)
            yield from _told(state, mailbox, STARTED, asked.pk, _both(state, mailbox, asked.to_mailbox_id))


class DeclineDelegation(Kind, name="delegations.decline"):
    """Let nobody in: whoever asked is told."""

    by = frozenset({"owner", "person"})
    delegation: DelegationRef

    def plan(self, state: State) -> Iterator[Planned]:
        asked, mailbox = _waiting(state, self.delegation)
        _whose_word(state, asked, mailbox)
        yield edit(asked, ended_at=state.now)
        yield from _told(state, mailbox, DECLINED, asked.pk, _both(state, mailbox, asked.to_mailbox_id))


class EndDelegation(Kind, name="delegations.end"):
    """Nobody gets in or writes by it any more, from now on; both owners end it, and who may for either of them."""

    by = frozenset({"person", "owner", "clock"})
    delegation: DelegationRef

    def plan(self, state: State) -> Iterator[Planned]:
        one = state.get(Delegation, self.delegation, where="delegation")
        early = state.actor.sort == "clock" and (one.until is None or one.until > state.now)
        if one.ended_at is None and not early:
            yield from ended(state, one, _whole(one.mailbox_id))


def ended(state: State, one: Delegation, mailbox: Mailbox) -> Iterator[Planned]:
    """It allows nothing any more, and who has to know is told."""
    yield edit(one, ended_at=state.now)
    yield from _told(state, mailbox, ENDED, one.pk, _both(state, mailbox, one.to_mailbox_id))


def delegations_ended(mailbox: Mailbox, state: State) -> Iterator[Planned]:
    """Every one of a mailbox that goes, or goes to another owner: what it let in, and what it was let into."""
    for column in ("mailbox_id", "to_mailbox_id"):
        for one in state.hanging(Delegation, column, mailbox.pk):
            if one.ended_at is None:
                yield from ended(state, one, mailbox if one.mailbox_id == mailbox.pk else _whole(one.mailbox_id))


def _there(state: State, ref: str, where: str) -> Mailbox:
    """A mailbox that stands. An owner names others of their own client, which they do not see otherwise."""
    box = state.there(Mailbox, ref) if state.access.own else state.find(Mailbox, ref)
    if box is None or box.removed_at:
        raise not_there(Mailbox, ref, where)
    return box


def _waiting(state: State, ref: str) -> tuple[Delegation, Mailbox]:
    asked = state.get(Delegation, ref, where="delegation")
    if asked.ended_at or asked.started_at:
        raise Problem("delegation", f"it {'has ended' if asked.ended_at else 'was agreed to'} already")
    if asked.until and asked.until <= state.now:
        raise Problem("delegation", "its time is over")
    mailbox = _whole(asked.mailbox_id)
    if mailbox.removed_at:
        raise Problem("delegation", f"{mailbox.label} is removed")
    return asked, mailbox


def _whose_word(state: State, asked: Delegation, mailbox: Mailbox) -> str:
    """In whose place the one who acts answers: OWNER, or CLIENT; else a Problem. Never who asked."""
    if own := state.access.own:
        if own.mailbox != asked.mailbox_id:
            raise Problem("delegation", "its owner answers, and not who asks")
        return OWNER
    if CLIENT not in {*asked.wants, *wanted(mailbox)} or state.actor.person not in admins_of(mailbox.client_id):
        raise Problem(
            "delegation", f"the owner of {mailbox.label} answers, signed in to it; nobody does in their stead"
        )
    if state.actor.person in {asked.requester_id, _whole(asked.to_mailbox_id).owner_id}:
        raise Problem("delegation", "you asked for it, or it is for you: another admin of the client answers")
    return CLIENT


def _instead(state: State, mailbox: Mailbox, to: UUID, *, but: UUID) -> Iterator[Planned]:
    """What the same one was allowed before ends with it."""
    for one in state.hanging(Delegation, "mailbox_id", mailbox.pk):
        if one.to_mailbox_id == to and one.pk != but and one.ended_at is None:
            yield edit(one, ended_at=state.now)


def _live(rows: Iterable[Delegation], state: State) -> list[Delegation]:
    return [one for one in rows if one.ended_at is None and (one.until is None or one.until > state.now)]


def _whole(mailbox: UUID) -> Mailbox:
    """A rule, whoever asks: an owner does not see the other mailbox, and is not shown it by this."""
    found: Mailbox = Mailbox.objects.select_related("address").get(pk=mailbox)
    return found


def _both(state: State, mailbox: Mailbox, to: UUID) -> list[str]:
    return [*_known(state, mailbox), _whole(to).label]


def _known(state: State, mailbox: Mailbox) -> list[str]:
    """Wherever its owner is reached; of a VIP's, whoever watches over the client too. Nobody reads a shared one as
    its owner."""
    if mailbox.kind in NOBODYS:
        return [mailbox.label] if mailbox.kind != "shared" else []
    office = Client.objects.get(pk=mailbox.client_id).security_contact if mailbox.vip else ""
    return [*to_tell(mailbox, alive(state, mailbox)), *filter(None, [office])]


def _watching(state: State, mailbox: Mailbox) -> list[str]:
    """The same, and of a VIP's those who have to agree as well."""
    admins = Person.objects.filter(pk__in=admins_of(mailbox.client_id)) if mailbox.vip else Person.objects.none()
    return [*_known(state, mailbox), *admins.order_by("email").values_list("email", flat=True)]


def _told(state: State, mailbox: Mailbox, says: str, about: UUID, contacts: Iterable[str]) -> Iterator[Planned]:
    told = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk, "says": says, "about": str(about)}
    for contact in dict.fromkeys(contacts):
        yield create(Letter, state.new_id(), **told, contact=contact, made=state.now)
