"""What sorts and answers the mail of a mailbox now, as its node read it: for the mailbox's owner."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from postroom.access.acting import Actor, access_of
from postroom.access.own import own_filter, own_node
from postroom.access.scope import visible
from postroom.models import RedirectStop, SieveRead, SieveScript
from postroom.models.filters import SCRIPT
from postroom.models.nodes import WORD_HOLDS
from postroom.protocols.filters import Filters, read


@dataclass(frozen=True)
class Kept:
    """active: the script in force; rules: what it does, where it is one that was made here of rules. read_at: when its
    node last looked, none for never; unreadable: why it could not. waits: when the change was made that its node has
    not read back yet, or not told of since; late: when, of one it should have told of by now. stopped: to where it
    passes nothing on, as who runs the mail said.
    """

    active: SieveScript | None
    rules: Filters | None
    read_at: datetime | None
    unreadable: str
    waits: datetime | None
    late: datetime | None
    stopped: frozenset[str]

    @property
    def was(self) -> str:
        """By which it is known that what somebody changes is still what they saw."""
        return f"{self.active.name} {self.active.digest}" if self.active else ""


def own_filters(actor: Actor, mailbox: UUID) -> Kept:
    """Five queries."""
    access_of(actor)
    rows = list(visible(actor, SieveScript).filter(mailbox=mailbox))
    active = next((one for one in rows if one.active and one.name), None)
    ours = active if active and active.name == SCRIPT else None
    looked = SieveRead.objects.filter(node=own_node()[0]).first()
    unreadable = next((one.unreadable for one in rows if not one.name), "")
    rules = read(ours.text) if ours else None if active else Filters()
    since = _not_told(rows)
    waits = since if since and since > timezone.now() - WORD_HOLDS else None
    stops = visible(actor, RedirectStop).filter(mailbox=mailbox, ended_at=None).values_list("target", flat=True)
    late = since if since != waits else None
    return Kept(active, rules, looked.at if looked else None, unreadable, waits, late, frozenset(stops))


def _not_told(rows: list[SieveScript]) -> datetime | None:
    """When the last change was made, while its node has not read it back, or what is told of the scripts there is from
    before. By its text, and not by when it was told: all is told again by the hour, also what no change touched."""
    last = own_filter()
    if last is None:
        return None
    at, read_back, digest = last
    ours = [one for one in rows if one.name == SCRIPT]
    told = any(one.digest == digest for one in ours) if digest else not any(one.active for one in ours)
    return None if read_back and told else at
