"""Merkle trees of a log that only grows (RFC 9162, 2.1): roots, proofs, and their verification. SHA-256, no I/O.

A tree of any size is made of *whole* subtrees, 2^level leaves each, which never change again: `Nodes` looks one up by
(level, index). Everything that a size asks for is put together from these.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

Nodes = Callable[[int, int], bytes]  # (level, index) → hash of a whole subtree
EMPTY = sha256(b"").digest()  # the root of no leaves (2.1.1)


class BadProof(ValueError):
    """A proof that does not lead to the root, and what is wrong with it."""


def leaf_hash(entry: bytes) -> bytes:
    """2.1.1: a leaf can never be mistaken for a node."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@dataclass
class Frontier:
    """A growing tree, remembered by its whole subtrees alone: at most 64 hashes, the largest first."""

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Add the hash of a leaf; every subtree that is whole by now, as (level, index, hash)."""
        index, level, whole = self.size, 0, leaf
        yield level, index, whole
        while index & 1:
            whole, index, level = node_hash(self.hashes.pop(), whole), index >> 1, level + 1
            yield level, index, whole
        self.hashes.append(whole)
        self.size += 1

    def root(self) -> bytes:
        return _folded(self.hashes)


def root(size: int, nodes: Nodes) -> bytes:
    """The root of the first `size` leaves."""
    return _range(0, size, nodes) if size else EMPTY


def frontier(size: int, nodes: Nodes) -> Frontier:
    """The whole subtrees of the first `size` leaves."""
    return Frontier(size, [nodes(level, index) for level, index in whole(0, size)])


def inclusion(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """2.1.3.1: the hashes that lead from leaf `index` to the root of `size` leaves."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range(middle, end, nodes))
            end = middle
        else:
            path.append(_range(start, middle, nodes))
            start = middle
    return path[::-1]


def consistency(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """2.1.4.1: the hashes that show that the first `old` leaves of `new` are what they were."""
    if not 0 <= old <= new:
        raise ValueError(f"{old} is no earlier size of a tree of {new}")
    if old in (0, new):
        return []
    path, start, end, whole = [], 0, new, True
    while end - start != old - start:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range(middle, end, nodes))
            end = middle
        else:
            path.append(_range(start, middle, nodes))
            start, whole = middle, False
    return ([] if whole else [_range(start, end, nodes)]) + path[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], claimed: bytes) -> None:
    """2.1.3.2; raises BadProof. `leaf` is the hash of the leaf, `claimed` the root."""
    if not 0 <= index < size:
        raise BadProof(f"leaf {index} is not in a tree of {size}")
    found = leaf
    for one, on_the_left in _steps(index, size - 1, proof):
        found = node_hash(one, found) if on_the_left else node_hash(found, one)
    if found != claimed:
        raise BadProof(f"leaf {index} leads to another root")


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """2.1.4.2; raises BadProof."""
    if not 0 <= old <= new:
        raise BadProof(f"{old} is no earlier size of a tree of {new}")
    if old in (0, new):
        if proof or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY):
            raise BadProof("one size, and not one root" if old == new else "nothing is before the first leaf")
        return
    _both_roots(old, new, old_root, new_root, list(proof))


def _both_roots(old: int, new: int, old_root: bytes, new_root: bytes, proof: list[bytes]) -> None:
    path = [old_root, *proof] if old & (old - 1) == 0 else proof
    if not path:
        raise BadProof("the proof is too short")
    number, last = old - 1, new - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    before = after = path[0]
    for one, on_the_left in _steps(number, last, path[1:]):
        if on_the_left:
            before = node_hash(one, before)
        after = node_hash(one, after) if on_the_left else node_hash(after, one)
    if before != old_root:
        raise BadProof(f"the first {old} leaves lead to another root")
    if after != new_root:
        raise BadProof(f"the {new} leaves lead to another root")


def _steps(number: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The way up of both verifications: each hash of a proof, and whether it stands on the left."""
    for one in proof:
        if last == 0:
            raise BadProof("the proof is too long")
        on_the_left = bool(number & 1) or number == last
        yield one, on_the_left
        while on_the_left and not number & 1 and number:
            number, last = number >> 1, last >> 1
        number, last = number >> 1, last >> 1
    if last:
        raise BadProof("the proof is too short")


def _range(start: int, end: int, nodes: Nodes) -> bytes:
    """The hash over leaves start..end-1 of a range that the splitting of some tree gives."""
    return _folded([nodes(level, index) for level, index in whole(start, end)])


def whole(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The whole subtrees that make up such a range, the largest first."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _folded(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return EMPTY
    found = hashes[-1]
    for one in reversed(hashes[:-1]):
        found = node_hash(one, found)
    return found


def _split(size: int) -> int:
    """The largest power of two that is smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1
