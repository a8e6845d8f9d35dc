"""Which credential opened a session, from the login log: what it says of this process, and of no other before it."""

import time
from pathlib import Path

import pytest

from postroom.engines import login_log
from postroom.engines.login_log import credentials

MIA = "mia@acme.example"
NOW = 1_790_000_000.0


def line(pid: int, cred: str, at: float, user: str = MIA, service: str = "imap") -> str:
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
    rest = f"method=PLAIN, rip=127.0.0.1, mpid={pid}, TLS, session=<{pid}>"
    return f"{stamp} {service}-login: Info: Login: user=<{user}>, cred={cred}, {rest}"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "dovecot.log"


def test_each_session_by_its_process(log: Path) -> None:
    log.write_text("\n".join([line(1, "app:a", NOW), line(2, "main", NOW, service="submission"), "other line", ""]))
    assert credentials(log, {1: NOW, 2: NOW, 3: NOW}) == {1: (MIA, "app:a"), 2: (MIA, "main")}


def test_a_line_older_than_the_process_was_anothers(log: Path) -> None:
    log.write_text(line(1, "app:a", NOW - 60) + "\n")
    assert credentials(log, {1: NOW}) == {}
    assert credentials(log, {1: NOW, 2: NOW - 90}) == {}
    assert credentials(log, {1: NOW - 60}) == {1: (MIA, "app:a")}


def test_the_newest_line_of_a_number_counts(log: Path) -> None:
    log.write_text(line(1, "app:a", NOW - 10) + "\n" + line(1, "app:b", NOW) + "\n")
    assert credentials(log, {1: NOW - 10}) == {1: (MIA, "app:b")}


@pytest.mark.parametrize("forged", [
    "2026-11-30 00:44:24 imap(mia@acme.example): Info: {}",  # what somebody's session says
    "2026-11-30 00:44:24 lmtp(1): Info: msgid=<{}>",
    " {}",
    "2026-11-30 00:44:24 imap-login: Info: Aborted login: user=<{}>",
])  # fmt: skip
def test_what_only_looks_like_a_sign_in(log: Path, forged: str) -> None:
    log.write_text(forged.format(line(1, "app:b", NOW)) + "\n")
    assert credentials(log, {1: NOW}) == {}


def test_a_log_that_is_not_there_says_nothing(log: Path) -> None:
    assert credentials(log, {1: NOW}) == {}


@pytest.mark.parametrize("block", [1, 7, 64, 65_536])
def test_lines_are_whole_however_they_are_read(log: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_log, "BLOCK", block)
    log.write_text("".join(line(n, f"app:{n}", NOW) + "\n" for n in range(1, 9)))
    assert credentials(log, dict.fromkeys(range(1, 9), NOW)) == {n: (MIA, f"app:{n}") for n in range(1, 9)}


def test_no_further_back_than_the_oldest_process(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []
    backwards = login_log._backwards
    monkeypatch.setattr(login_log, "_backwards", lambda path: (read.append(one) or one for one in backwards(path)))
    log.write_text("".join(line(n, "main", NOW - 1000 + n) + "\n" for n in range(900)))
    assert credentials(log, {5000: NOW - 110}) == {}
    assert len(read) < 20
