"""By which way mail left, as logs say it: real lines, rounds, restarts, rotation, floods, lies."""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from postroom.engines import left_log
from postroom.engines.kept_tail import KeptTail
from postroom.engines.left_log import LeftLog

GOLDEN = Path(__file__).parents[1] / "golden/probes"
SAYS = "Nov 30 21:34:43 mx postfix/"
MILTER = "2026-11-30 21:34:43,123 postroom.milter INFO "
OUT, ALL = "out@far.example", "all@acme.example"
DSN = "relay=mx.far.example[192.0.2.1]:25, delay=1, dsn=2.0.0, status="


def sent(
    id: str, to: str = OUT, first: str = "", by: str = "forwarded/smtp", said: str = "sent (250 2.0.0 kept)"
) -> str:
    whose = f"orig_to=<{first}>, " if first else ""
    return f"{SAYS}{by}[2]: {id}: to=<{to}>, {whose}{DSN}{said}\n"


def goes_round(id: str, onward: str, first: str = "", to: str = OUT) -> str:
    return sent(id, to, first, "srs/smtp", f"sent (250 2.0.0 Ok: queued as {onward})")


def comes_by(id: str) -> str:
    return f"{SAYS}forwards/smtpd[3]: {id}: client=localhost[127.0.0.1]\n"


def removed(id: str) -> str:
    return f"{SAYS}qmgr[1]: {id}: removed\n"


def passes_on(id: str, mailbox: str = "mia@acme.example") -> str:
    return f"{MILTER}{id}: filter of {mailbox}: passes on\n"


class Logs:
    """A node's folder of logs, and who reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.taken = folder, 0
        for name in ("postfix", "milter"):
            (folder / f"{name}.log").touch()
        self.log = self.reader()

    def reader(self) -> LeftLog:
        return LeftLog(self.folder, self.folder / ".left.json")

    def write(self, *lines: str, to: str = "postfix") -> None:
        with (self.folder / f"{to}.log").open("a") as file:
            file.writelines(lines)

    def take(self) -> dict[str, Any]:
        said = self.log.take(self.taken)
        self.taken = said["number"]
        return said

    def ways(self) -> list[tuple[str, str, str]]:
        return sorted((row["source"], row["to"], row["by"]) for row in self.take()["rows"])


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path)


def test_what_postfix_3_7_wrote(logs: Logs) -> None:
    """Over an alias domain and two aliases, round for SRS and straight; a filter that passes on outside and inside."""
    logs.write((GOLDEN / "postfix-3.7.log").read_text())
    logs.write(passes_on("4jdcjt6zb9zMpbw"), passes_on("4jdcjv0yXkzMpc2"), to="milter")
    outside = [way for way in logs.ways() if way[1].endswith("@far.example")]
    assert outside == [
        ("", "ok@far.example", "mia@acme.example"), ("all+x@acme.test", OUT, ""), (ALL, OUT, ""),
    ]  # fmt: skip


def test_nothing_else_is_taken_from_a_log(logs: Logs) -> None:
    logs.write((GOLDEN / "postfix-3.7.log").read_text())
    logs.take()
    kept = (logs.folder / ".left.json").read_text()
    assert "probe." not in kept and "far@out.example" not in kept and "SRS0" not in kept
    assert (logs.folder / ".left.json").stat().st_mode & 0o777 == 0o600


def test_it_left_when_the_next_server_has_it_and_not_before(logs: Logs) -> None:
    logs.write(comes_by("4jdC"), goes_round("4jdB", "4jdC", ALL), removed("4jdB"))
    assert logs.ways() == []
    logs.write(sent("4jdC", said="deferred (timed out)"), sent("4jdX", first=ALL, said="bounced (550 no)"))
    assert logs.ways() == []
    logs.write(sent("4jdC"), removed("4jdC"))
    assert logs.ways() == [(ALL, OUT, "")] and not logs.log.items


def test_a_round_that_is_quicker_than_who_logs_it(logs: Logs) -> None:
    logs.write(comes_by("4jdC"), sent("4jdC"), removed("4jdC"))
    assert logs.ways() == []
    logs.write(goes_round("4jdB", "4jdC", ALL))
    assert logs.ways() == [(ALL, OUT, "")] and not logs.log.items


def test_each_recipient_of_a_round_is_told_apart(logs: Logs) -> None:
    logs.write(
        comes_by("4jdC"), goes_round("4jdB", "4jdC", ALL), goes_round("4jdB", "4jdC", "b@acme.example", "b@far.example")
    )
    logs.write(sent("4jdC", "b@far.example"), sent("4jdC", said="deferred (later)"))
    assert logs.ways() == [("b@acme.example", "b@far.example", "")]


@pytest.mark.parametrize("line", [
    sent("4jdX"), sent("4jdX", first=ALL, said="deferred (host said: 450 dsn=2.0.0, status=sent (250 ok)"),
    sent("4jdX", first=ALL, said="bounced (550 status=sent )"), "x" + sent("4jdX", first=ALL),
    f"{SAYS}cleanup[2]: 4jdX: message-id=<a> {sent('4jdX', first=ALL)}",
    f"{SAYS}cleanup[2]: 4jdX: reject: header Subject: {sent('4jdX', first=ALL)}",
    goes_round("4jdB", "4jdC"), goes_round("4jdB", "4jdC", ALL),
])  # fmt: skip
def test_what_only_looks_as_if_mail_of_an_address_had_left(logs: Logs, line: str) -> None:
    logs.write(comes_by("4jdC"), line)
    assert logs.ways() == []
    logs.write(sent("4jdC") if line == goes_round("4jdB", "4jdC") else "")
    assert logs.ways() == []


@pytest.mark.parametrize("words", [
    "4jdD: filter of mia@acme.example: passed", "4jdD: filter of <>: passed",
    "4jdD: mia@acme.example: passed, 1 signature",
    "4jdD: filter of mia@acme.example: 550 5.7.1 x may not pass mail on to y: passes on",
])  # fmt: skip
def test_a_filter_that_answers_passes_nothing_on(logs: Logs, words: str) -> None:
    logs.write(f"{MILTER}{words}\n", to="milter")
    logs.write(sent("4jdD"))
    assert logs.ways() == []


def test_a_time_is_the_lines_own(logs: Logs) -> None:
    stamp = time.time() - 7200
    said = sent("4jdX", first=ALL).replace("Nov 30 21:34:43", time.strftime("%b %e %H:%M:%S", time.localtime(stamp)))
    logs.write(said, sent("4jdY", first="b@acme.example").replace("Nov 30 21:34:43", "2026-11-30T21:34:43.123+00:00"))
    rows = {row["source"]: row["at"] for row in logs.take()["rows"]}
    assert rows == {ALL: int(stamp), "b@acme.example": pytest.approx(1796074483.123)}


# Restarts and rotation


def test_a_batch_comes_until_it_is_taken_over_restarts_too(logs: Logs) -> None:
    logs.write(sent("4jdX", first=ALL), comes_by("4jdC"), goes_round("4jdB", "4jdC", "b@acme.example"))
    first = logs.log.take(0)
    again = logs.reader().take(0)
    assert again["rows"] == first["rows"] and again["number"] == first["number"] and again["since"] == first["since"]
    logs.write(sent("4jdC"))
    after = logs.reader().take(first["number"])
    assert [row["source"] for row in after["rows"]] == ["b@acme.example"]
    assert after["since"] == first["since"] and after["upto"] > first["since"]


@pytest.mark.parametrize("how", ["rename", "copy and cut"])
def test_a_rotated_log_is_read_to_its_end(logs: Logs, how: str) -> None:
    logs.write(sent("4jdX", first=ALL))
    since = logs.take()["since"]
    logs.write(sent("4jdY", first="b@acme.example"))
    rotate(logs.folder / "postfix.log", how)
    logs.write(*[sent(f"4jd{n}", first="c@acme.example") for n in range(20)])  # longer than it was before
    logs.log = logs.reader()
    said = logs.take()
    assert sorted(row["source"] for row in said["rows"]) == ["b@acme.example", "c@acme.example"]
    assert said["since"] == since


def rotate(log: Path, how: str) -> None:
    if how == "rename":
        log.rename(f"{log}.1")
        log.touch()
    else:
        shutil.copy(log, f"{log}.1")
        log.write_text("")


@pytest.mark.parametrize("how", ["rename", "copy and cut"])
def test_what_was_rotated_away_unread_is_not_made_up_for(logs: Logs, how: str) -> None:
    logs.write(sent("4jdX", first=ALL))
    since = logs.take()["since"]
    logs.write(sent("4jdY", first="b@acme.example"))
    rotate(logs.folder / "postfix.log", how)
    (logs.folder / "postfix.log.1").unlink()
    logs.write(sent("4jdZ", first="c@acme.example"))
    said = logs.take()
    assert [row["source"] for row in said["rows"]] == ["c@acme.example"] and said["since"] > since


def test_what_it_kept_and_cannot_be_read_is_a_new_beginning(logs: Logs) -> None:
    logs.write(sent("4jdX", first=ALL))
    since = logs.take()["since"]
    for text in ("", "{", json.dumps({"since": 1})):
        (logs.folder / ".left.json").write_text(text)
        assert logs.reader().since > since


# Bounds


def test_it_reads_so_much_at_once_and_says_that_there_is_more(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postroom.engines.kept_tail.AT_ONCE", 400)
    logs.write(*[sent(f"4jd{n}", first=f"{n}@acme.example") for n in range(10)])
    first = logs.take()
    assert 0 < len(first["rows"]) < 4 and first["upto"] is None
    seen, said = len(first["rows"]), first
    while said["upto"] is None:
        said = logs.take()
        seen += len(said["rows"])
    assert seen == 10


@pytest.mark.parametrize(("bound", "flood"), [
    ("MOST_ITEMS", [comes_by(f"4jd{n}") for n in range(20)]),
    ("MOST_WAYS", [sent(f"4jd{n}", first=f"{n}@acme.example") for n in range(20)]),
])  # fmt: skip
def test_a_flood_pushes_out_and_is_said(
    logs: Logs, monkeypatch: pytest.MonkeyPatch, bound: str, flood: list[str]
) -> None:
    since = logs.take()["since"]
    monkeypatch.setattr(left_log, bound, 10)
    logs.write(*flood)
    said = logs.take()
    assert len(said["rows"]) <= 10 and len(logs.log.items) <= 10 and said["since"] > since


def test_a_line_without_end_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postroom.engines.kept_tail.AT_ONCE", 100)
    (tmp_path / "a.log").write_text("x" * 150)
    tail = KeptTail(tmp_path / "a.log")
    assert list(tail.lines()) == [] and tail.lost
    assert list(tail.lines()) == []
    with (tmp_path / "a.log").open("a") as file:
        file.write("y\nwhole\n")
    assert list(tail.lines())[-1] == b"whole"


FAX, SERVER = "fax@acme.example", "mx.far.example:25"


@pytest.mark.parametrize("first", ["", ALL])
@pytest.mark.parametrize("quick", [False, True])
def test_what_another_server_took_is_whose_it_was_first(logs: Logs, first: str, quick: bool) -> None:
    """Of one that came to nobody else first, its own; whoever logs first."""
    there = [comes_by("4jdH"), sent("4jdH", FAX, by="handed/smtp"), removed("4jdH")]
    said = [goes_round("4jdG", "4jdH", first, FAX)]
    since = logs.take()["since"]
    logs.write(*(there + said if quick else said + there), sent("4jdK", FAX, by="handed/smtp", said="deferred (later)"))
    told = logs.take()
    assert [(row["source"], row["to"], row["by"]) for row in told["rows"]] == [(first or FAX, SERVER, "")]
    assert told["since"] == since and not logs.log.items


def test_what_waits_for_whose_it_was_is_known_after_a_restart(logs: Logs) -> None:
    logs.write(comes_by("4jdH"), sent("4jdH", FAX, by="handed/smtp"), removed("4jdH"))
    assert logs.ways() == []
    logs.log = logs.reader()
    logs.write(goes_round("4jdG", "4jdH", "", FAX))
    assert logs.ways() == [(FAX, SERVER, "")]


def test_an_update_begins_anew_with_what_was_not_read_before(logs: Logs) -> None:
    since = logs.take()["since"]
    kept = json.loads((logs.folder / ".left.json").read_text())
    assert kept.pop("handed")
    (logs.folder / ".left.json").write_text(json.dumps(kept))
    logs.log = logs.reader()
    assert logs.take()["since"] > since


def test_what_left_and_is_no_rounds_is_not_kept_for_good(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.take()
    logs.write(comes_by("4jdN"), sent("4jdN"), removed("4jdN"))
    assert logs.ways() == [] and list(logs.log.items) == ["4jdN"]
    monkeypatch.setattr(left_log, "_moment", lambda said: time.time())
    logs.write(sent("4jdO"))
    assert logs.ways() == [] and not logs.log.items


def test_a_log_that_went_by_between_two_looks_is_lost(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("one\n")
    tail = KeptTail(log)
    assert list(tail.lines()) == [b"one"]
    log.rename(tmp_path / "a.log.2")
    os.utime(tmp_path / "a.log.2", (1, 1))
    log.write_text("two\n")
    log.rename(tmp_path / "a.log.1")
    log.write_text("three\n")
    assert list(tail.lines()) == [b"three"] and tail.lost


@pytest.mark.parametrize("how", ["rename", "copy and cut"])
def test_a_log_that_was_filled_and_rotated_away_since_it_was_seen_empty_is_lost(logs: Logs, how: str) -> None:
    since = logs.take()["since"]
    rotate(logs.folder / "postfix.log", how)  # an empty one: nothing is lost
    assert logs.take()["since"] == since
    logs.write(sent("4jdX", first=ALL))
    os.utime(logs.folder / "postfix.log", (time.time() + 1, time.time() + 1))  # file systems' clocks are coarse
    rotate(logs.folder / "postfix.log", how)
    os.utime(logs.folder / "postfix.log.1", (time.time() + 1, time.time() + 1))
    logs.log = logs.reader()
    logs.write(sent("4jdY", first="b@acme.example"))
    said = logs.take()
    assert [row["source"] for row in said["rows"]] == ["b@acme.example"] and said["since"] > since
