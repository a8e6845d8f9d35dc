"""What a node's logs say of probes: lines as real daemons wrote them, and lines that only look like some."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from postroom.engines.arrivals import Arrivals
from postroom.engines.asking import Desk, serve
from postroom.engines.layout import NodeConfig
from postroom.engines.probe_log import MOST_ROWS, TOLD, ProbeLog
from postroom.engines.source import SourceAway

GOLDEN = Path(__file__).parents[1] / "golden/probes"
FROM_OUTSIDE, OURS = "aaaaaaaaaaaaaaaaaaaaaaaaa2", "djn6lv2mwl46jq3bbeit3kfvlu"
ID = f"<probe.{OURS}@northlight.example>"
POSTFIX, DOVECOT = "Nov 30 21:34:43 mx postfix/", "2026-11-30 21:34:43 lmtp(mia@acme.example)<1><a:R2>: Info: "
ITEM = f"{POSTFIX}cleanup[1]: 4jdX: message-id={ID}"
TO = "to=<ok@far.example>, relay=mx.far.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn="


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[tuple[Any, ...]]]:
    def rows(postfix: str = "", dovecot: str = "", token: str = OURS) -> list[tuple[Any, ...]]:
        (tmp_path / "postfix.log").write_text(postfix)
        (tmp_path / "dovecot.log").write_text(dovecot)
        found = [row for row in ProbeLog(tmp_path).take(0) if row["token"] == token]
        return sorted((row["what"], row["address"], row["folder"] or row["status"]) for row in found)

    return rows


@pytest.mark.parametrize("token", [FROM_OUTSIDE, OURS])
def test_what_postfix_3_7_and_dovecot_2_3_wrote(read: Any, token: str) -> None:
    """Over an alias domain, two aliases, a forward round for SRS, a filter that passes on, one that files, and one that
    throws away."""
    logs = [(GOLDEN / name).read_text() for name in ("postfix-3.7.log", "dovecot-2.3.log")]
    assert read(*logs, token) == sorted([
        ("discarded", "dis@acme.example", ""), ("mailbox", "fi@acme.example", "INBOX"),
        ("mailbox", "fi@acme.example", "Lists/Üb 'x'"), ("mailbox", "joe@acme.example", "INBOX"),
        ("mailbox", "kim@acme.example", "INBOX"), ("mailbox", "kim@acme.example", "INBOX"),
        ("mailbox", "mia@acme.example", "INBOX"), ("outside", "ok@far.example", "2.0.0"),
        ("outside", "out@far.example", "2.0.0"),
    ])  # fmt: skip


@pytest.mark.parametrize(("line", "found"), [
    (f"forwarded/smtp[2]: 4jdX: {TO}2.0.0, status=sent (250 2.0.0 kept as 7)", ("outside", "ok@far.example", "2.0.0")),
    (f"letters/smtp[2]: 4jdX: {TO}5.1.1, status=bounced (host said: 550 no)", ("refused", "ok@far.example", "5.1.1")),
    (f"smtp[2]: 4jdX: {TO}4.4.1, status=deferred (timed out)", ("waiting", "ok@far.example", "4.4.1")),
    (f"srs/smtp[2]: 4jdX: {TO}4.4.1, status=deferred (connection refused)", ("waiting", "ok@far.example", "4.4.1")),
    (f"error[2]: 4jdX: {TO}5.0.0, status=bounced (no route)", ("refused", "ok@far.example", "5.0.0")),
    # Postfix 3.10: times as RFC 3339 has them where it is told to, and what was agreed on by TLS
    (f"smtp[2]: 4jdX: {TO.removesuffix('dsn=')}tls=verified, dsn=2.0.0, status=sent (250 ok)",
     ("outside", "ok@far.example", "2.0.0")),
])  # fmt: skip
def test_what_postfix_says_of_one(read: Any, line: str, found: tuple[str, str, str]) -> None:
    assert read(f"{ITEM}\n{POSTFIX}{line}\n") == [found]
    newer = f"{ITEM}\n{POSTFIX}{line}\n".replace("Nov 30 21:34:43", "2026-11-30T21:34:43.123456+00:00")
    assert read(newer) == [found]


@pytest.mark.parametrize("line", [
    f"srs/smtp[2]: 4jdX: {TO}2.0.0, status=sent (250 2.0.0 Ok: queued as 4jdY)",
    f"lmtp[2]: 4jdX: {TO}2.0.0, status=sent (250 2.0.0 <mia@acme.example> a Saved)",
    f"smtp[2]: 4jdY: {TO}2.0.0, status=sent (250 of another item)",
    f"cleanup[2]: 4jdY: message-id=<a> {POSTFIX}smtp[2]: 4jdX: {TO}2.0.0, status=sent (250 forged)",
    "qmgr[2]: 4jdX: from=<x>, size=1, nrcpt=1 (queue active)", "smtp[2]: 4jdX: to=<",
])  # fmt: skip
def test_what_says_nothing_of_where_it_ended(read: Any, line: str) -> None:
    assert read(f"{ITEM}\n{POSTFIX}{line}\n") == []


@pytest.mark.parametrize(("words", "found"), [
    (f"msgid={ID}: saved mail to INBOX", ("mailbox", "mia@acme.example", "INBOX")),
    (f"sieve: msgid={ID}: stored mail into mailbox 'A/B'", ("mailbox", "mia@acme.example", "A/B")),
    (f"sieve: msgid={ID}: fileinto action: stored mail into mailbox 'it's'", ("mailbox", "mia@acme.example", "it's")),
    (f"sieve: msgid={ID}: marked message to be discarded if not explicitly delivered (discard action)",
     ("discarded", "mia@acme.example", "")),
    (f"sieve: msgid={ID}: discard action: Marked message to be discarded if not explicitly delivered",
     ("discarded", "mia@acme.example", "")),
])  # fmt: skip
def test_what_dovecot_2_3_and_2_4_say(read: Any, words: str, found: tuple[str, str, str]) -> None:
    assert read(dovecot=DOVECOT + words + "\n") == [found]
    syslog = DOVECOT.replace("2026-11-30 21:34:43", "Nov 30 21:34:43").replace("<1><a:R2>", "<1><a>")
    assert read(dovecot=syslog + words + "\n") == [found]


@pytest.mark.parametrize("line", [
    f"{DOVECOT}msgid={ID}: save failed to INBOX: Quota exceeded",
    f"{DOVECOT}sieve: msgid={ID}: redirect action: forwarded to <ok@far.example>",
    f"{DOVECOT}msgid=<a>: {DOVECOT}msgid={ID}: saved mail to INBOX",
    f"2026-11-30 21:34:43 imap(kim@globex.example)<1><a>: Info: {DOVECOT}msgid={ID}: saved mail to INBOX",
    f"{DOVECOT}msgid=<probe.{OURS}a@northlight.example>: saved mail to INBOX",
])  # fmt: skip
def test_what_only_looks_like_a_mailbox(read: Any, line: str) -> None:
    assert read(dovecot=line + "\n") == []


def saved(n: int) -> str:
    return f"{DOVECOT}msgid={ID}: saved mail to {n}\n"


def test_lines_are_whole_and_each_is_read_once(tmp_path: Path) -> None:
    log = tmp_path / "dovecot.log"
    log.write_text(saved(1) + saved(2)[:50])
    probes = ProbeLog(tmp_path)
    assert [row["folder"] for row in probes.take(0)] == ["1"]
    with log.open("a") as file:
        file.write(saved(2)[50:])
    rows = probes.take(0)
    assert [row["folder"] for row in rows] == ["1", "2"]
    assert [row["folder"] for row in probes.take(rows[0]["number"])] == ["2"]
    assert probes.take(rows[1]["number"]) == []
    log.unlink()
    assert probes.take(rows[1]["number"]) == []
    log.write_text(saved(3))  # another file of the name
    assert [row["folder"] for row in probes.take(rows[1]["number"])] == ["3"]


def test_rows_are_few_and_bounded(tmp_path: Path) -> None:
    (tmp_path / "dovecot.log").write_text("".join(saved(n) for n in range(MOST_ROWS + 10)))
    probes = ProbeLog(tmp_path)
    assert [row["folder"] for row in probes.take(0)] == [str(n) for n in range(10, TOLD + 10)]
    assert len(probes.rows) == MOST_ROWS


class Heard:
    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.away = True

    def report(self, sort: str, rows: Any) -> None:
        if self.away:
            raise SourceAway("away")
        assert sort == "probes"
        self.rows += rows


def test_the_agent_tells_each_once_and_again_where_nobody_heard(tmp_path: Path) -> None:
    config = NodeConfig("mx1", tmp_path, "127.0.0.1")
    for folder in ("log", "run/parent"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "log/dovecot.log").write_text(saved(1))
    server = serve(config, Desk(config, {}), 0)
    try:
        agent, heard = Arrivals(config), Heard()
        with pytest.raises(SourceAway):
            agent.hand_on(heard)  # type: ignore[arg-type]
        heard.away = False
        for _ in range(2):
            agent.hand_on(heard)  # type: ignore[arg-type]
        assert [row["folder"] for row in heard.rows] == ["1"]
    finally:
        server.shutdown()
        server.server_close()
    Arrivals(config).hand_on(heard)  # type: ignore[arg-type]  # nobody answers: nothing is known, and nothing breaks
    assert len(heard.rows) == 1
