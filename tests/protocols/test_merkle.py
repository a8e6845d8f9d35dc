"""Trees of a log that only grows, beside RFC 9162's own definitions written out as they stand there."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.protocols import merkle
from postroom.protocols.merkle import BadProof, Frontier, check_consistency, check_inclusion, leaf_hash

# RFC 6962's well-known leaves, as every log implementation is tested with, and their roots.
LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def mth(leaves: list[bytes]) -> bytes:
    """2.1.1, word for word."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """2.1.3.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return [*path(m, leaves[:k]), mth(leaves[k:])] if m < k else [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], known: bool) -> list[bytes]:
    """2.1.4.1, word for word."""
    if m == len(leaves):
        return [] if known else [mth(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], known), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def grown(leaves: list[bytes]) -> tuple[Frontier, dict[tuple[int, int], bytes]]:
    tree, nodes = Frontier(), {}
    for leaf in leaves:
        nodes |= {(level, index): found for level, index, found in tree.append(leaf_hash(leaf))}
    return tree, nodes


def test_roots_are_the_well_known_ones() -> None:
    for size, expected in enumerate(ROOTS, start=1):
        tree, nodes = grown(LEAVES[:size])
        assert tree.root().hex() == expected == merkle.root(size, lambda *at, nodes=nodes: nodes[at]).hex()
    assert Frontier().root() == merkle.root(0, lambda *_: b"") == merkle.EMPTY


@given(st.integers(1, 70), st.data())
def test_proofs_are_the_rfcs_own_and_verify(size: int, data: st.DataObject) -> None:
    leaves = [bytes([n]) for n in range(size)]
    tree, known = grown(leaves)

    def nodes(level: int, index: int) -> bytes:
        return known[level, index]

    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    proof = merkle.inclusion(index, size, nodes)
    assert proof == path(index, leaves) and tree.root() == mth(leaves)
    check_inclusion(leaf_hash(leaves[index]), index, size, proof, tree.root())
    between = merkle.consistency(old, size, nodes)
    assert between == (subproof(old, leaves, True) if old < size else [])
    check_consistency(old, size, mth(leaves[:old]), tree.root(), between)
    assert merkle.frontier(old, nodes).root() == mth(leaves[:old])

    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index) if size > 1 else st.just(size))
    with pytest.raises(BadProof):
        check_inclusion(leaf_hash(leaves[index]), other, size, proof, tree.root())
    with pytest.raises(BadProof):
        check_inclusion(leaf_hash(b"another"), index, size, proof, tree.root())
    for wrong in ([*proof, tree.root()], proof[:-1], [sha256(one).digest() for one in proof]):
        if wrong != proof:
            with pytest.raises(BadProof):
                check_inclusion(leaf_hash(leaves[index]), index, size, wrong, tree.root())
    for roots in ((mth([b"x"]), tree.root()), (mth(leaves[:old]), mth([b"x"]))):
        with pytest.raises(BadProof):
            check_consistency(old, size, *roots, between)
    if old < size:
        for wrong in ([*between, tree.root()], between[:-1]):
            with pytest.raises(BadProof):
                check_consistency(old, size, mth(leaves[:old]), tree.root(), wrong)


def test_what_no_proof_can_be_made_of_is_said() -> None:
    for ask in (lambda: merkle.inclusion(3, 3, lambda *_: b""), lambda: merkle.consistency(4, 3, lambda *_: b"")):
        with pytest.raises(ValueError, match="of 3"):
            ask()
    with pytest.raises(BadProof):
        check_consistency(5, 4, b"", b"", [])
