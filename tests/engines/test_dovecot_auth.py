"""The pages ask Dovecot whether a typed password is the mailbox's: what is said, what is a yes, and what is neither."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_dovecot import HELLO, FakeDovecot, fake_dovecot
from postroom.engines.dovecot_auth import LONGEST, NotAnswered, is_password

MIA, PASSWORD = "mia@acme.example", "a few plain words ☂ "


@pytest.fixture
def dovecot() -> Iterator[FakeDovecot]:
    with fake_dovecot() as fake:
        fake.passwords[MIA] = PASSWORD
        yield fake


def asks(dovecot: FakeDovecot, password: str = PASSWORD, source: str = "192.0.2.7", within: float = 5) -> bool:
    return is_password(dovecot.where, MIA, password, source, within=within)


def test_the_password_and_nothing_like_it(dovecot: FakeDovecot) -> None:
    assert asks(dovecot)
    for wrong in ("", PASSWORD.strip(), PASSWORD.upper(), "{PLAIN}" + PASSWORD, f"{PASSWORD}\t", f"{PASSWORD}\n"):
        assert not asks(dovecot, wrong), wrong


def test_a_password_that_looks_like_a_hash_is_itself(dovecot: FakeDovecot) -> None:
    dovecot.passwords[MIA] = "{PLAIN}a few plain words"
    assert asks(dovecot, "{PLAIN}a few plain words") and not asks(dovecot, "a few plain words")


def test_what_is_said(dovecot: FakeDovecot) -> None:
    """The client's address is what failures count by; resp= is the last word, as the protocol wants it."""
    assert asks(dovecot) and asks(dovecot, source="2001:db8::7") and asks(dovecot, source="testserver\tno-penalty")
    response = base64.b64encode(f"\0{MIA}\0{PASSWORD}".encode()).decode()
    first, second, third = (one.rstrip("\n").split("\t") for one in dovecot.asked)
    assert first == ["AUTH", "1", "PLAIN", "service=web", "rip=192.0.2.7", "secured", "nologin", f"resp={response}"]
    assert second[4] == "rip=2001:db8::7" and third[4] == "secured"


def test_what_cannot_be_one_is_not_asked(dovecot: FakeDovecot) -> None:
    assert not asks(dovecot, "a\0b") and not asks(dovecot, "x" * (LONGEST + 1)) and dovecot.asked == []
    assert not asks(dovecot, "x" * LONGEST) and len(dovecot.asked) == 1


def test_an_app_password_opens_no_page(dovecot: FakeDovecot) -> None:
    dovecot.says = lambda address, password: f"OK\tuser={address}\tcred=app:1"
    assert not asks(dovecot)
    dovecot.says = lambda address, password: f"OK\tuser={address}"
    assert not asks(dovecot), "which credential it was has to be said"


@pytest.mark.parametrize("line", ["FAIL\tuser=x\ttemp", "FAIL\tuser=x\tcode=temp_fail", "CONT\tabc"])
def test_neither_yes_nor_no(dovecot: FakeDovecot, line: str) -> None:
    dovecot.says = lambda address, password: line
    with pytest.raises(NotAnswered):
        asks(dovecot)


def test_another_protocol_silence_and_nobody_there(dovecot: FakeDovecot, tmp_path: Path) -> None:
    dovecot.hello = HELLO.replace("VERSION\t1", "VERSION\t2")
    with pytest.raises(NotAnswered, match="another protocol"):
        asks(dovecot)
    dovecot.hello, dovecot.slow = HELLO, 2
    began = time.monotonic()
    with pytest.raises(NotAnswered):
        asks(dovecot, within=0.2)
    assert time.monotonic() - began < 1.5
    dovecot.hello = "x" * 20_000
    with pytest.raises(NotAnswered):
        asks(dovecot)
    with pytest.raises(NotAnswered):
        is_password(tmp_path / "nothing", MIA, PASSWORD, "")
