"""Redirects of filters, stopped where they leave: no script is changed, so no rule's text is read or lost.

A filter is its owner's own, and what stands in it is theirs. Where one of its redirects shall not go on, the mail
node's port for what filters send refuses that one target of that one mailbox; the mail stays where it came.
"""

from collections.abc import Iterator
from uuid import UUID

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind, Ref
from postroom.changes.plan import Planned, create, edit
from postroom.changes.routes import read
from postroom.changes.rules import Rules
from postroom.changes.state import State
from postroom.models import Letter, Mailbox, RedirectStop

from .fields import MailAddress, MailboxRef

SHOWN = 10  # targets that are named
STOPPED, RESUMED = "redirect stopped", "redirect resumed"  # what letters say


class StopRedirect(Kind, name="redirects.stop"):
    """Have no filter of a mailbox pass mail on to one address: it stays in the mailbox, and the script as it is."""

    mailbox: MailboxRef
    target: MailAddress = Field(description="Where its filters pass mail on to no more, inside or outside")

    def reads(self) -> Iterator[Ref]:
        yield Mailbox, self.mailbox

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = state.get(Mailbox, self.mailbox, where="mailbox")
        if mailbox.removed_at:
            raise Problem("mailbox", f"{mailbox.label} is removed")
        if wrong := _not_there(state, mailbox, self.target):
            raise Problem("target", wrong)
        yield from redirect_stopped(state, mailbox, self.target)


class ResumeRedirect(Kind, name="redirects.resume"):
    """Let filters of a mailbox pass mail on to an address again, as far as an exception or a pattern lets it leave."""

    mailbox: MailboxRef
    target: MailAddress = Field(description="Where they are stopped from passing mail on to")

    def reads(self) -> Iterator[Ref]:
        yield Mailbox, self.mailbox

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = state.get(Mailbox, self.mailbox, where="mailbox")
        stop = standing(state, mailbox.pk, self.target)
        if stop is None:
            raise Problem("target", f"filters of {mailbox.label} are not stopped from passing mail on to {self.target}")
        yield edit(stop, ended_at=state.now)
        yield from _told(state, mailbox, RESUMED, self.target)


def redirect_stopped(state: State, mailbox: Mailbox, target: str) -> Iterator[Planned]:
    """Nothing, where it stands so already."""
    if standing(state, mailbox.pk, target):
        return
    yield create(
        RedirectStop, state.new_id(), client_id=mailbox.client_id, mailbox_id=mailbox.pk, target=target,
        reason=state.why, made=state.now,
    )  # fmt: skip
    yield from _told(state, mailbox, STOPPED, target)


def _not_there(state: State, mailbox: Mailbox, target: str) -> str:
    """That no filter in force passes mail on there, and where they do; empty where it does, or where nobody knows."""
    rules = Rules(read([mailbox.label]), state.now).known.get(mailbox.label, ())
    filters = [one for one in rules if one.mechanism == "sieve"]
    to = sorted({one for each in filters for one in each.targets})
    if target in to or any(one.unknown for one in filters) or standing(state, mailbox.pk, target):
        return ""
    may = state.access.can("sieve_scripts.view", mailbox.client_id)
    there = f"; they do to {', '.join(to[:SHOWN])}" if to and may else "" if to else "; they pass none on"
    return f"no filter of {mailbox.label} passes mail on to {target}{there}"


def standing(state: State, mailbox: UUID, target: str) -> RedirectStop | None:
    stops = state.hanging(RedirectStop, "mailbox_id", mailbox)
    return next((one for one in stops if one.target == target and one.ended_at is None), None)


def _told(state: State, mailbox: Mailbox, says: str, target: str) -> Iterator[Planned]:
    told = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk, "says": says, "about": target}
    for contact in dict.fromkeys(filter(None, (mailbox.label, mailbox.contact))):
        yield create(Letter, state.new_id(), **told, contact=contact, made=state.now)
