"""App passwords: one a device, made by the owner of the mailbox alone, for the protocols it names; shown once."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import Client, Credential, Invite, Letter, Mailbox, RecoveryChannel, Secret
from postroom.models.credentials import APP_PASSWORD
from postroom.models.recovery import ADDRESS, half_set_up

from .fields import AppPasswordRef, Moment, Name

MOST = 50  # live ones of a mailbox
MADE, LET_IN = "app password made", "mail app let in"  # what a letter says
HALF = "confirm a way back in first: the link for it was mailed"


class CreateAppPassword(Kind, name="app_passwords.create"):
    """A password for one device of yours, for mail alone. It is shown once, and can be taken back by itself."""

    by = frozenset({"owner"})
    carries_secret = True
    mints = True
    name: Name = Field(max_length=80, description="The device or program, as you will know it again")
    protocols: list[Literal["imap", "submission", "managesieve"]] = Field(
        min_length=1, description="imap: read mail; submission: send it; managesieve: filters"
    )
    until: Moment | None = Field(default=None, description="When it ends by itself; never, if left out")

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = state.get(Mailbox, state.actor.mailbox or "", where="name")
        if mailbox.removed_at or mailbox.suspended_at or mailbox.kind == "shared":
            raise Problem("name", f"{mailbox.label} lets nobody in")
        if half_set_up(state.rows(Invite), mailbox.pk):
            raise Problem("name", HALF)
        if self.until is not None and self.until <= state.now:
            raise Problem("until", "that is past already")
        live = [one for one in state.hanging(Credential, "mailbox_id", mailbox.pk) if not one.ended_at]
        if self.name in {one.name for one in live}:
            raise Problem("name", "there is one of this name; end it, or call this one otherwise")
        if len(live) >= MOST:
            raise Problem("name", f"there are {MOST}; end those that are not used any more")
        made = state.new_id()
        yield create(
            Credential, made, client_id=mailbox.client_id, mailbox_id=mailbox.pk, name=self.name,
            protocols=sorted(set(self.protocols)), until=self.until, made=state.now,
        )  # fmt: skip
        about = {"client_id": mailbox.client_id, "owner_row": made}
        yield create(Secret, state.new_id(), **about, purpose=APP_PASSWORD, made=state.now)
        yield from told_of(mailbox, MADE, state)


class EndAppPassword(Kind, name="app_passwords.end"):
    """End one app password: its device is signed out at once and cannot sign in again; no other is touched."""

    by = frozenset({"person", "owner", "clock", "system"})
    app_password: AppPasswordRef

    def plan(self, state: State) -> Iterator[Planned]:
        yield from ended(state.get(Credential, self.app_password, where="app_password"), state)


def told_of(mailbox: Mailbox, says: str, state: State) -> Iterator[Planned]:
    """Letters to the mailbox and its recovery addresses: whoever has an app password made, or an app let in, keeps a
    way in that the next password does not shut (NIST SP 800-63B-4, 4.1.2)."""
    others = RecoveryChannel.objects.filter(mailbox=mailbox, sort=ADDRESS, ended_at=None).order_by("id")
    told = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk, "says": says, "made": state.now}
    for contact in (mailbox.label, *others.values_list("value", flat=True)):
        yield create(Letter, state.new_id(), **told, contact=contact)


def ended(one: Credential, state: State) -> Iterator[Planned]:
    """It opens nothing any more; of one that has ended already, that its secret is gone."""
    if one.ended_at is None:
        yield edit(one, ended_at=state.now, access_epoch=one.access_epoch + 1)
    yield from map(end, state.hanging(Secret, "owner_row", one.pk))


def all_ended(mailbox: Mailbox, state: State) -> Iterator[Planned]:
    """Every one of a mailbox."""
    for one in state.hanging(Credential, "mailbox_id", mailbox.pk):
        if one.ended_at is None:
            yield from ended(one, state)


def after_reset(mailbox: Mailbox, state: State) -> Iterator[Planned]:
    """What it means for them that the owner got the mailbox back: they end, unless the client keeps them."""
    # A rule, whoever asks: the owner of a mailbox does not see the client's row.
    if not Client.objects.get(pk=mailbox.client_id).reset_keeps_app_passwords:
        yield from all_ended(mailbox, state)
