"""The owner of a mailbox is told by mail that its mail leaves, and where to."""

from collections.abc import Iterator

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create
from postroom.changes.state import State
from postroom.models import Letter, Mailbox

from .fields import MailAddress, MailboxRef
from .leads import leaves

LEAVES = "mail leaves"  # what the letter says


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
        told = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk, "says": LEAVES, "about": self.target or ""}
        for contact in dict.fromkeys(filter(None, (mailbox.label, mailbox.contact))):
            yield create(Letter, state.new_id(), **told, contact=contact, made=state.now)
