"""How far the log is signed, as far as the key we know says so.

The signer's key is read from the signer's own folder, never from the database that it is to vouch for.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.conf import settings

from postroom.models import Alarm, Checkpoint
from postroom.protocols import note

State = Literal["no place", "not signed", "signed", "unknown", "wrong", "altered"]


@dataclass(frozen=True)
class Signed:
    """How far the log is signed. key: the signer's line, empty where it cannot be read. wrong: why the newest
    checkpoint counts for nothing. alarm: why the signer signs no more."""

    size: int = 0
    at: datetime | None = None
    note: str = ""
    key: str = ""
    wrong: str = ""
    alarm: str = ""
    alarmed: datetime | None = None

    @property
    def known(self) -> bool:
        """Whether anything can be said: there is a key to check by, what it signed fits, and it still signs."""
        return bool(self.key) and not self.wrong and not self.alarm

    def state(self, index: int | None) -> State:
        """Of the entry at this place in the log. Nothing is signed by a checkpoint that cannot be checked."""
        if index is None:
            return "no place"
        if index >= self.size and not self.wrong:
            return "not signed"
        return "signed" if self.known and index < self.size else "unknown"


def signed() -> Signed:
    """Two queries. The newest checkpoint, opened by the key we know."""
    row, alarm = Checkpoint.objects.order_by("-size").first(), Alarm.objects.exclude(why="").first()
    key, wrong = key_line(), ""
    if row is None:
        return Signed(key=key, alarm=alarm.why if alarm else "", alarmed=alarm.since if alarm else None)
    if key:
        try:
            opened = checkpoint(row.note, key)
            wrong = "" if opened.size == row.size else f"it is about {opened.size:,} entries, not {row.size:,}"
        except note.BadNote as bad:
            wrong = str(bad)
    told = (alarm.why, alarm.since) if alarm else ("", None)
    return Signed(row.size, row.at, row.note, key, wrong, *told)


def key_line() -> str:
    """The signer's line; empty where it cannot be read here, or is none."""
    try:
        return str(note.verifier((settings.POSTROOM.state / "signer" / "public").read_text()))
    except (OSError, note.BadNote):
        return ""


def checkpoint(text: str, key: str) -> note.Checkpoint:
    """What it says, if it is of this key and of its log; note.BadNote where it is not."""
    who = note.verifier(key)
    found = note.checkpoint(note.opened(text, who))
    if found.origin != who.name:
        raise note.BadNote(f"it is of another log, {found.origin}")
    return found
