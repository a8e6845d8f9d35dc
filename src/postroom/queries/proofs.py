"""What proves an entry: the way from its leaf to the root that was signed (posture/signed.py)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from postroom.models import TreeNode
from postroom.posture.signed import Signed, checkpoint, key_line, signed
from postroom.protocols import merkle, note

T = TypeVar("T")


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
        kept = checkpoint(text.replace("\r\n", "\n").strip() + "\n", key)
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
    if now.note and (now.size > size or roots[1] != checkpoint(now.note, now.key).root):
        return Compared(False, "The log is not the one its newest checkpoint was made of.", kept.size)
    return Compared(True, f"The same log: its {kept.size:,} entries are the first of today's {size:,}.", kept.size)
