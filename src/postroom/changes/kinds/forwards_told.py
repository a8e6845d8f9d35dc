"""The owner of a mailbox is told by mail that its mail leaves, and where to."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind
from postroom.changes.leads import leaves
from postroom.changes.plan import Planned, create
from postroom.changes.routes import read
from postroom.changes.rules import COMPUTED, Rules
from postroom.changes.state import State
from postroom.models import Letter, Mailbox
from postroom.protocols.routing import trace

from .fields import MailAddress, MailboxRef

LEAVES = "mail leaves"  # what the letter says
AGAIN = timedelta(days=1)


class TellOwner(Kind, name="forwards.tell_owner"):
    """Mail the owner of a mailbox that mail of it leaves, where to, and what that rests on."""

    mailbox: MailboxRef
    target: MailAddress | None = Field(
        default=None, description="Where its mail goes; left out where its script works that out when mail comes"
    )

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = state.get(Mailbox, self.mailbox, where="mailbox")
        if mailbox.removed_at:
            raise Problem("mailbox", "it is removed: nobody reads there")
        if self.target and not leaves(self.target, mailbox.client_id, state, of=mailbox.label):
            raise Problem("target", f"{self.target} is inside; nothing to tell of")
        if not _goes(mailbox.label, self.target, state):
            raise Problem("target", f"no mail of {mailbox.label} goes to {self.target or 'where a script works out'}")
        if last := _told_lately(mailbox, self.target or "", state):
            raise Problem("target", f"its owner was told of that {last:%d %b %H:%M} UTC already: once a day is enough")
        told = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk, "says": LEAVES, "about": self.target or ""}
        for contact in dict.fromkeys(filter(None, (mailbox.label, mailbox.contact))):
            yield create(Letter, state.new_id(), **told, contact=contact, made=state.now)


def _told_lately(mailbox: Mailbox, target: str, state: State) -> datetime | None:
    """When the owner was last told of this target, within a day."""
    told = state.rows(Letter, mailbox=mailbox.pk, says=LEAVES, about=target, made__gt=state.now - AGAIN)
    last: datetime | None = told.order_by("-made").values_list("made", flat=True).first()
    return last


def _goes(address: str, target: str | None, state: State) -> bool:
    """Whether mail to it comes there, over however many hops; to where a script works out, where none is named."""
    found = trace(address, Rules(read([address]), state.now), at=state.now)
    if target is None:
        return any(one.why == COMPUTED for one in found.landings)
    return any(target in (*hop.to, *hop.rule.barred) for hop in found.hops)
