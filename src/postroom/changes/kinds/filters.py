"""Filters of a mailbox: the script that its node holds under our name, written by its owner, or set by who runs it.

What an owner writes is theirs: it is sealed to the node, and stands in no edit. Whoever sets one for somebody else
says in the change what it is, so that is recorded and its owner is told; and it passes no mail on, since a forward does
that, which is seen, asked for and ends.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import Filter, Letter, Mailbox, Secret
from postroom.models.filters import SEALED
from postroom.protocols.filters import DAYS, LONGEST_ANSWER, Answer, Filters, NoRule, script
from postroom.protocols.sieve_text import LONGEST, NoScript, parsed
from postroom.protocols.text import long_text

from .fields import Line, MailboxRef, Text

SET = "filter set"  # what a letter says
FORWARD = "a script set for somebody else passes no mail on: make a forward, which is seen, and ends"


def _script(text: str) -> str:
    return long_text(text, LONGEST)


ScriptText = Annotated[str, AfterValidator(_script)]


class WriteFilters(Kind, name="filters.write"):
    """Put a script of one's own in force. What stands in it is its owner's alone, and is not recorded."""

    by = frozenset({"owner"})
    carries_secret = True

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = state.get(Mailbox, state.actor.mailbox or "", where="script")
        if mailbox.removed_at or mailbox.suspended_at or mailbox.kind == "shared":
            raise Problem("script", f"{mailbox.label} lets nobody in")
        row, edits = _revision(state, mailbox, active=True)
        yield from edits
        yield create(Secret, state.new_id(), client_id=mailbox.client_id, owner_row=row, purpose=SEALED, made=state.now)


class SetFilters(Kind, name="filters.set"):
    """Put a script in force at somebody's mailbox, or an auto-reply, in place of what they had; they are told of it."""

    mailbox: MailboxRef
    script: ScriptText = Field(default="", description="A Sieve script; left out where an auto-reply is set")
    subject: Line = Field(default="", description="Of the auto-reply")
    reply: Text = Field(default="", description="What is answered", max_length=LONGEST_ANSWER)
    first: date | None = Field(default=None, description="The first day it answers; from now on, if left out")
    last: date | None = Field(default=None, description="The last day it answers; until it is ended, if left out")
    days: int = Field(default=7, ge=DAYS[0], le=DAYS[-1], description="Days between two answers to the same sender")

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = state.get(Mailbox, self.mailbox, where="mailbox")
        if mailbox.removed_at:
            raise Problem("mailbox", f"{mailbox.label} is removed")
        text = self._text()
        if any(one.text == text and one.active for one in state.hanging(Filter, "mailbox_id", mailbox.pk)):
            return
        _, edits = _revision(state, mailbox, text=text, active=True)
        yield from edits
        yield from _told(state, mailbox)

    def _text(self) -> str:
        if bool(self.script) == bool(self.reply):
            raise Problem("script", "say a script, or what is answered")
        if self.reply:
            try:
                return script(Filters(answer=Answer(self.subject, self.reply, self.first, self.last, self.days)))
            except NoRule as error:
                raise Problem("reply", str(error)) from None
        try:
            read = parsed(self.script)
        except NoScript as error:
            raise Problem("script", str(error)) from None
        if read.redirects:
            raise Problem("script", FORWARD)
        return self.script


class EndFilters(Kind, name="filters.end"):
    """Take what was put in force here out of it; a script that the owner uploaded themselves stays as it is."""

    by = frozenset({"person", "owner"})
    mailbox: MailboxRef

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = state.get(Mailbox, self.mailbox, where="mailbox")
        if not any(one.active for one in state.hanging(Filter, "mailbox_id", mailbox.pk)):
            raise Problem("mailbox", f"no script was put in force here for {mailbox.label}")
        yield from filters_ended(state, mailbox)


def filters_ended(state: State, mailbox: Mailbox) -> Iterator[Planned]:
    """Ours goes out of force."""
    if any(one.active for one in state.hanging(Filter, "mailbox_id", mailbox.pk)):
        yield from _revision(state, mailbox, active=False)[1]


def filters_cleared(state: State, mailbox: Mailbox) -> list[Planned]:
    """Whoever gets the mailbox next gets none: also not what was uploaded to it, of which nothing is kept here."""
    return _revision(state, mailbox, active=False, clears=True)[1]


def _revision(
    state: State, mailbox: Mailbox, *, text: str = "", active: bool, clears: bool = False
) -> tuple[object, list[Planned]]:
    """The row of the mailbox's filter, as it is to be next; what its owner wrote before goes with what it replaces."""
    for old in state.hanging(Filter, "mailbox_id", mailbox.pk):
        sealed = [one for one in state.hanging(Secret, "owner_row", old.pk) if one.purpose == SEALED]
        row = edit(old, text=text, active=active, clears=clears, revision=old.revision + 1)
        return old.pk, [row, *map(end, sealed)]
    made = state.new_id()
    about = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk}
    return made, [create(Filter, made, **about, text=text, active=active, clears=clears, made=state.now)]


def _told(state: State, mailbox: Mailbox) -> Iterator[Planned]:
    told = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk, "says": SET}
    for contact in dict.fromkeys(filter(None, (mailbox.label, mailbox.contact))):
        yield create(Letter, state.new_id(), **told, contact=contact, made=state.now)
