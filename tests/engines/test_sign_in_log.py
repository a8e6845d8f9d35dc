"""What is told of sign-ins: few rows, bounded, none of them twice and none lost while nobody hears; and no password."""

import json
from pathlib import Path
from typing import Any

import pytest

from postroom.engines import sign_in_log, sign_ins
from postroom.engines.doveadm import Doveadm, DoveadmAway, Session
from postroom.engines.layout import NodeConfig
from postroom.engines.sign_in_log import HOUR, Log, network_of, program_of
from postroom.engines.sign_ins import Sessions, SignIns
from postroom.engines.source import SourceAway

MIA = "mia@acme.example"
REPORT = {"login": "Mia@acme.example", "pwhash": "059e", "remote": "192.0.2.7", "device_id": "", "protocol": "imap",
          "session_id": "abc", "success": True, "policy_reject": False, "cred": "main", "tls": True}  # fmt: skip


def rows(log: Log, taken: int = 0, now: float = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = log.take(taken, now)["rows"]
    return found


def test_a_row_holds_no_hash_of_the_password() -> None:
    log = Log()
    log.add(REPORT, 5)
    (row,) = rows(log)
    assert row | {"number": 0} == {
        "number": 0, "at": 5, "login": MIA, "protocol": "imap", "address": "192.0.2.7", "network": "192.0.2.0/24",
        "success": True, "refused": False, "credential": "main", "session": "abc", "program": "", "times": 1,
    }  # fmt: skip
    assert "059e" not in json.dumps(row)


def test_what_comes_again_within_the_hour_is_counted_by_the_next_row() -> None:
    log = Log()
    for now in range(0, 2 * HOUR, 60):
        log.add(REPORT, now)
    log.add({**REPORT, "protocol": "submission"}, 10)
    log.add({**REPORT, "cred": "app:1"}, 20)
    of_imap = [row for row in rows(log) if (row["protocol"], row["credential"]) == ("imap", "main")]
    assert [row["times"] for row in of_imap] == [1, 60]
    assert len(rows(log)) == 4


def test_rows_stay_until_they_are_taken_in_the_order_they_came() -> None:
    log = Log()
    for n in range(700):
        log.add({**REPORT, "remote": f"198.51.{n // 250}.{n % 250}", "success": n % 2 == 0}, n)
    first = rows(log)
    assert first == rows(log) and len(first) == sign_in_log.AT_ONCE
    second = rows(log, first[-1]["number"])
    assert [row["at"] for row in (*first, *second)] == list(range(700))
    assert rows(log, second[-1]["number"]) == []


def test_whoever_is_kept_out_pushes_out_nobody_who_came_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_log, "MOST_ROWS", 5)
    log = Log()
    log.add(REPORT, 0)
    for n in range(20):
        log.add({**REPORT, "remote": f"198.51.100.{n}", "success": False}, n)
    found = rows(log)
    assert [row["login"] for row in found if row.get("success")] == [MIA]
    assert found[-1] | {"number": 0} == {"number": 0, "at": 0, "login": "", "unknown": 0, "dropped": 15}
    assert len(found) <= 7


@pytest.mark.parametrize(("address", "network"), [
    ("192.0.2.7", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("::ffff:192.0.2.7", "192.0.2.0/24"),
    ("", ""), ("nonsense", ""),
])  # fmt: skip
def test_a_network_is_a_24_or_a_48(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(("said", "program"), [
    ('("name" "Birdmail" "version" "1.2")', "Birdmail"), ('"version" "1" "NAME" "Bird mail"', "Bird mail"),
    ("name=Birdmail version=1", "Birdmail"), ("", ""), ('"name"', ""), ('"name" "a\x00\n\x1bb"', "ab"),
    ('"name" "' + "x" * 900 + '"', "x" * 80), ('"os" "Linux"', ""),
])  # fmt: skip
def test_a_program_is_what_it_calls_itself(said: str, program: str) -> None:
    assert program_of(said) == program


class Heard:
    """A control plane that hears, or does not."""

    def __init__(self) -> None:
        self.away = False
        self.reports: list[tuple[str, list[dict[str, Any]]]] = []

    def report(self, sort: str, rows: Any) -> None:
        if self.away:
            raise SourceAway("away")
        self.reports.append((sort, list(rows)))


def test_what_was_not_heard_is_handed_on_again(monkeypatch: pytest.MonkeyPatch) -> None:
    log, heard = Log(), Heard()
    monkeypatch.setattr(sign_ins, "asked", lambda config, question: {"ok": True, **log.take(question["taken"], 0)})
    agent = SignIns(NodeConfig("mx1", Path("/nowhere"), "127.0.0.1"))
    for n in range(1200):
        log.add({**REPORT, "remote": f"198.51.{n // 250}.{n % 250}"}, n)
    heard.away = True
    with pytest.raises(SourceAway):
        agent.hand_on(heard)  # type: ignore[arg-type]
    heard.away = False
    agent.hand_on(heard)  # type: ignore[arg-type]
    told = [row["at"] for _, some in heard.reports for row in some]
    assert told == list(range(1200)) and agent.guard == {"ok": True}


def test_who_counts_and_does_not_answer_is_said_and_asked_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[int] = []
    monkeypatch.setattr(sign_ins, "asked", lambda config, question: times.append(1) or {"error": "timed out"})
    agent = SignIns(NodeConfig("mx1", Path("/nowhere"), "127.0.0.1"))
    for _ in range(5):
        agent.hand_on(Heard())  # type: ignore[arg-type]
    assert agent.guard == {"error": "timed out"} and len(times) == 1


class Dovecot(Doveadm):
    def __init__(self, *open_now: Session) -> None:
        self.open = list(open_now)
        self.away = False

    def sessions(self) -> list[Session]:
        if self.away:
            raise DoveadmAway("away")
        return self.open


def test_sessions_all_at_first_then_what_began_and_ended_and_all_again_when_unheard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sign_ins, "EVERY", 0)
    monkeypatch.setattr(sign_ins, "_began", lambda pid: 1000.0 + int(pid))
    one, two, ours = (Session(MIA, "imap", "1"), Session(MIA, "sieve", "2"), Session("postroom@system", "imap", "3"))
    told, heard, dovecot = Sessions("postroom@system"), Heard(), Dovecot(one, ours)

    def said() -> list[dict[str, Any]]:
        told.hand_on(dovecot, heard)  # type: ignore[arg-type]
        return heard.reports[-1][1]

    assert [row.get("key", row) for row in said()] == [{"whole": True}, "imap 1 1001.0"]
    dovecot.open = [two]
    assert [row.get("key", row) for row in said()] == [{"whole": False}, "sieve 2 1002.0", {"ended": "imap 1 1001.0"}]
    assert said() == [{"whole": False}]
    heard.away = True
    with pytest.raises(SourceAway):
        said()
    heard.away = False
    assert [row.get("key", row) for row in said()] == [{"whole": True}, "sieve 2 1002.0"]
    before = len(heard.reports)
    dovecot.away = True
    told.hand_on(dovecot, heard)  # type: ignore[arg-type]
    assert len(heard.reports) == before, "what is not known is not told"
