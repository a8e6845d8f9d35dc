"""What is said of a script that the compiler refuses: its line, and of no other mailbox. The compiler is a stand-in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, cast

import pytest

from postroom.engines import asking, sieve_box
from postroom.engines.asking import ParentAway
from postroom.engines.filters import Filters

MIA, ZOE = "mia@acme.example", "zoe@globex.example"
WORDS = "unknown tagged argument ':dr-brown' for the header test"


def row(address: str) -> dict[str, Any]:
    return {"address": address, "revision": 1, "active": 1, "script": "", "digest": hashlib.sha256(b"").hexdigest()}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, str], Filters]:
    """A node on which every compile ends so."""

    def node(code: int, said: str) -> Filters:
        ended = sieve_box._ended("sievec", code, said)
        answer = {"why": str(ended), "again": ended.again}
        monkeypatch.setattr(asking, "ask", lambda config, question: dict(answer))
        return Filters(*cast(Any, (None, None, None)))

    return node


def test_a_script_that_two_mailboxes_have_is_told_of_each_under_its_own_address(
    told: Callable[[int, str], Filters], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = told(1, f"x: line 2: error: {WORDS}.\nx: error: validation failed.")

    assert node._why_not(row(MIA)) == f"the script of {MIA} was not put: line 2: the compiler refuses it"
    monkeypatch.setattr(asking, "ask", lambda config, question: pytest.fail("it was asked once"))
    assert node._why_not(row(ZOE)) == f"the script of {ZOE} was not put: line 2: the compiler refuses it"


@pytest.mark.parametrize(
    ("code", "said", "why"),
    [
        (1, f"x: line 2: error: {WORDS}", "line 2: the compiler refuses it"),
        (1, f"x: error: {WORDS}", "the compiler refuses it"),
        (139, WORDS, "sievec was stopped by SIGSEGV"),
    ],
)
def test_no_word_of_the_compiler_is_told(told: Callable[[int, str], Filters], code: int, said: str, why: str) -> None:
    assert told(code, said)._why_not(row(MIA)) == f"the script of {MIA} was not put: {why}"


def test_nor_where_another_try_may_help(told: Callable[[int, str], Filters]) -> None:
    with pytest.raises(ParentAway) as away:
        told(75, f"Fatal: {WORDS}")._why_not(row(MIA))
    assert str(away.value) == "sievec ended with 75"
