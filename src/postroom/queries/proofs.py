"""What proves an entry: the newest checkpoint, whether it is signed by the key we know, and the way from leaf to root.

The signer's key is read from the signer's own folder, never from the database that it is to vouch for.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from django.conf import settings

from postroom.models import Alarm, Checkpoint, TreeNode
from postroom.protocols import merkle, note

State = Literal["no place", "not signed", "signed", "unknown", "wrong", "altered"]
T = TypeVar("T")


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
            opened = _checkpoint(row.note, key)
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


def _checkpoint(text: str, key: str) -> note.Checkpoint:
    who = note.verifier(key)
    found = note.checkpoint(note.opened(text, who))
    if found.origin != who.name:
        raise note.BadNote(f"it is of another log, {found.origin}")
    return found


def inclusion(index: int, size: int) -> tuple[str, ...] | None:
    """The hashes from the leaf at `index` to the root of `size` leaves, hex; None where one is gone. One query."""
    try:
        return tuple(one.hex() for one in _looked_up(lambda nodes: merkle.inclusion(index, size, nodes)))
    except LookupError:
        return None


def leads(leaf: bytes, index: int, way: Sequence[str], signed: Signed) -> bool:
    """Whether the leaf leads to the root that was signed."""
    root = note.checkpoint(note.opened(signed.note, note.verifier(signed.key))).root
    try:
        merkle.check_inclusion(leaf, index, signed.size, [bytes.fromhex(one) for one in way], root)
    except merkle.BadProof:
        return False
    return True


def _looked_up(work: Callable[[merkle.Nodes], T]) -> T:
    """`work` done twice: once to see which nodes it asks for, then with these, read in one go."""
    asked: list[tuple[int, int]] = []

    def blank(level: int, index: int) -> bytes:
        asked.append((level, index))
        return bytes(32)

    work(blank)
    found = _nodes(asked)
    return work(lambda level, index: found[level, index])


def _nodes(wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    rows = TreeNode.objects.filter(pk__in=list(dict.fromkeys(wanted))).values_list("level", "index", "hash")
    return {(level, index): bytes(one) for level, index, one in rows}


@dataclass(frozen=True)
class Compared:
    """What a kept checkpoint says of today's log. same: True, False, or None where it cannot be said."""

    same: bool | None
    words: str
    size: int = 0


def compared(text: str) -> Compared:
    """Is a checkpoint that somebody kept one of this log, and are its entries the first of today's? Changes nothing."""
    key = key_line()
    if not key:
        return Compared(None, "The signer's key cannot be read here, so nothing can be said of it.")
    try:
        kept = _checkpoint(text.replace("\r\n", "\n").strip() + "\n", key)
    except note.BadNote as bad:
        return Compared(False, f"This is no checkpoint of this log: {bad}.")
    last = TreeNode.objects.filter(level=0).order_by("-index").values_list("index", flat=True).first()
    size = 0 if last is None else last + 1
    if kept.size > size:
        words = f"The log has {size:,} entries today, and {kept.size:,} were signed: {kept.size - size:,} are gone."
        return Compared(False, words, kept.size)
    return _held_against(kept, size)


def _held_against(kept: note.Checkpoint, size: int) -> Compared:
    now = signed()
    if now.wrong:
        return Compared(False, f"The newest checkpoint of the log is no good: {now.wrong}.", kept.size)
    sizes = [kept.size, min(now.size, size)]
    try:
        roots = _looked_up(lambda nodes: [merkle.root(one, nodes) for one in sizes])
    except LookupError:
        return Compared(False, "The log's tree has holes: some of its hashes are gone.", kept.size)
    if roots[0] != kept.root:
        words = f"The first {kept.size:,} entries of the log are not those that were signed. It was rewritten."
        return Compared(False, words, kept.size)
    if now.note and (now.size > size or roots[1] != _checkpoint(now.note, now.key).root):
        return Compared(False, "The log is not the one its newest checkpoint was made of.", kept.size)
    return Compared(True, f"The same log: its {kept.size:,} entries are the first of today's {size:,}.", kept.size)
