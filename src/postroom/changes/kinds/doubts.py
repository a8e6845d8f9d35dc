"""*I do not know this change*: the owner of a mailbox says so of one entry, and somebody else finds out what it was."""

from collections.abc import Iterator

from pydantic import Field

from postroom.access.own import own_entry
from postroom.changes.errors import Problem
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State, seconds
from postroom.models import Doubt, RecordedEdit

from .fields import DoubtRef, Name
from .own_secrets import own

MOST = 10  # open ones of a mailbox: each may call every owner of the organization
LAST = 2**63 - 2
# By which somebody gets in, or mail gets out, are as bad as their likes among findings; what is left is worth a look.
WAYS_IN = ("secrets.", "invites.", "recovery_channels.", "app_passwords.create", "consents.grant",
           "resets.send_link", "mailboxes.transfer", "signed in")  # fmt: skip
BY_OTHERS = ("aliases.", "mailboxes.", "resets.", "app_passwords.", "consents.", "delegations.", "filters.", "history.")


def severity_of(said: str) -> str:
    """How bad it is when the owner did not know of it; said: a kind, or an event."""
    if said.startswith(WAYS_IN):
        return "critical"
    return "high" if said.startswith(BY_OTHERS) else "medium"


class RaiseDoubt(Kind, name="doubts.raise"):
    """Say that you do not know something that was done to your mailbox. It is a finding until somebody settles it."""

    by = frozenset({"owner"})
    entry: int = Field(ge=1, le=LAST, description="The number of the entry in the record")

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox, found = own(state), own_entry(self.entry)
        if found is None:
            raise Problem("entry", f"there is no entry {self.entry} about your mailbox")
        said, happened = found
        there = [one for one in state.hanging(Doubt, "mailbox_id", mailbox.pk) if one.settled_at is None]
        if any(one.entry == self.entry for one in there):
            return
        if len(there) >= MOST:
            raise Problem("entry", f"you have said it of {MOST} already; they are looked at first")
        yield create(
            Doubt, state.new_id(), client_id=mailbox.client_id, mailbox_id=mailbox.pk, entry=self.entry, said=said,
            happened=seconds(happened), severity=severity_of(said), made=state.now,
        )  # fmt: skip


class SettleDoubt(Kind, name="doubts.settle"):
    """Say what it was that the owner of a mailbox did not know, and what was done. Never by who did it themselves."""

    doubt: DoubtRef
    outcome: Name = Field(max_length=500, description="What it was, and what was done; the owner reads it")

    def plan(self, state: State) -> Iterator[Planned]:
        doubt = state.get(Doubt, self.doubt, where="doubt")
        if doubt.settled_at is not None:
            raise Problem("doubt", f"it is settled since {doubt.settled_at:%d %b %Y}")
        did = RecordedEdit.objects.filter(entry=doubt.entry, n=0).values_list("person", flat=True).first()
        if state.actor.person is not None and did == str(state.actor.person):
            raise Problem("doubt", "you did it yourself; somebody else finds out whether it was right")
        yield edit(doubt, settled_at=state.now, outcome=self.outcome)
