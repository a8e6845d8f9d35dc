"""Signed notes: one that Go's own tests know, round trips, and everything that is no note."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from postroom.protocols.note import BadNote, Checkpoint, Verifier, checkpoint, opened, signed, verifier

# From the documentation of golang.org/x/mod/sumdb/note.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SAID = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
US = Verifier("postroom.example/log", KEY.public_key().public_bytes_raw())


def test_gos_own_example_opens() -> None:
    assert opened(SAID, verifier(PETER)).startswith("If you think")
    assert str(verifier(PETER)) == PETER


@pytest.mark.parametrize("place", range(0, len(SAID), 7))
def test_one_changed_character_is_found(place: int) -> None:
    changed = SAID[:place] + ("x" if SAID[place] != "x" else "y") + SAID[place + 1 :]
    with pytest.raises(BadNote):
        opened(changed, verifier(PETER))


@given(st.text(max_size=200), st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_what_was_signed_comes_back(text: str, size: int, root: bytes) -> None:
    whole = text.encode("utf-8", "replace").decode() + "\n"
    assert opened(signed(whole, US.name, KEY), US) == whole
    said = Checkpoint("postroom.example/log", size, root)
    assert checkpoint(opened(signed(str(said), US.name, KEY), US)) == said


def test_a_note_may_carry_others_signatures_and_needs_ours() -> None:
    note = signed("a\n", US.name, KEY)
    other = Ed25519PrivateKey.generate()
    both = note + signed("a\n", "witness.example", other).rpartition("\n\n")[2]
    assert opened(both, US) == "a\n"
    with pytest.raises(BadNote, match="not signed by"):
        opened(note, Verifier(US.name, other.public_key().public_bytes_raw()))


@pytest.mark.parametrize("text", [
    "", "a", "a\n", "a\n\n", "a\n\nb\n", "a\n\n— \n", "a\n\n— x\n", "a\n\n— x !!!!\n", "a\n\n— x YQ==\n", SAID.rstrip(),
])  # fmt: skip
def test_what_is_no_note_says_so(text: str) -> None:
    with pytest.raises(BadNote, match=r"\w"):
        opened(text, verifier(PETER))


@pytest.mark.parametrize("text", [
    "", "o\n1\n", "o\n1\nAAAA\n", "o\n-1\n" + "A" * 43 + "=\n", "o\n01\n" + "A" * 43 + "=\n",
    "\n1\n" + "A" * 43 + "=\n",
    "o\n" + "9" * 30 + "\n" + "A" * 43 + "=\n", "o\n1\n" + "A" * 43 + "=",
])  # fmt: skip
def test_what_is_no_checkpoint_says_so(text: str) -> None:
    with pytest.raises(BadNote, match=r"\w"):
        checkpoint(text)


@pytest.mark.parametrize(
    "line", ["", "a+b", "a b+00000000+AQ==", PETER[:-4], PETER.replace("c74f", "c74e"), "+" + PETER]
)
def test_what_is_no_key_says_so(line: str) -> None:
    with pytest.raises(BadNote, match=r"\w"):
        verifier(line)
