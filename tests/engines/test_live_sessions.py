"""Who is signed in, at a real Dovecot: listed with address and since when; all ended, and only then acknowledged."""

import imaplib
import time
from collections.abc import Iterator

import pytest
from live_node import MIA, PASSWORD, BoundImap, LiveNode, domain, live_node, mailbox, named, until

from postroom.engines.accounts import LOGIN
from postroom.host import processes

pytestmark = pytest.mark.server
LAPTOP, PHONE = "127.70.0.2", "127.71.0.2"


@pytest.fixture(scope="module")
def node() -> Iterator[LiveNode]:
    with live_node() as running:
        running.start()
        assert running.ready(), running.log()
        running.put("domain", "acme.example", domain("acme.example"))
        running.put_mailbox(MIA)
        yield running


def signed_in(node: LiveNode, source: str) -> BoundImap:
    box = BoundImap(node.address, node.config.ports.imaps, source)
    box.login(MIA, PASSWORD)
    return box


def told(node: LiveNode) -> dict[str, dict[str, object]]:
    """Key → session, as whoever hears the node's reports has them now."""
    now: dict[str, dict[str, object]] = {}
    for row in node.source.reported("sessions"):
        if row.get("whole"):
            now = {}
        elif "ended" in row:
            now.pop(str(row["ended"]), None)
        elif "key" in row:
            now[str(row["key"])] = row
    return now


def test_sessions_are_told_as_they_begin_and_end(node: LiveNode) -> None:
    laptop, began = signed_in(node, LAPTOP), time.time()
    phone = signed_in(node, PHONE)
    assert until(lambda: {one["address"] for one in told(node).values()} == {LAPTOP, PHONE}, 30), told(node)
    for one in told(node).values():
        assert (one["login"], one["protocol"]) == (MIA, "imap")
        assert isinstance(one["since"], int | float) and abs(float(one["since"]) - began) < 5
    phone.logout()
    assert until(lambda: [one["address"] for one in told(node).values()] == [LAPTOP], 30), told(node)
    laptop.logout()


def test_all_sessions_end_and_the_node_says_so_only_then(node: LiveNode) -> None:
    boxes = [signed_in(node, source) for source in (LAPTOP, PHONE)]
    kept = mailbox(MIA)
    again = {**kept, "maps": {**kept["maps"], "login": mailbox(MIA, epoch=7)["maps"]["login"]}}
    number = node.source.put("address", named(MIA), again)
    assert until(lambda: node.source.evidence(number) is not None, 20), node.log("agent")[-2000:]
    for box in boxes:
        with pytest.raises((imaplib.IMAP4.abort, OSError)):
            box.noop()
            box.noop()
        box.shutdown()
    said = {line["question"]: line["answer"] for line in node.source.evidence(number) or ()}
    assert said[f"sessions of before {MIA}"] == []
    box = signed_in(node, PHONE)
    assert box.noop()[0] == "OK", "the secret stands, and a new session is let be"
    box.logout()


def test_more_than_a_hundred_are_signed_in_at_once(node: LiveNode) -> None:
    """With a process for each TLS connection, which is Dovecot's default, the hundredth was the last (decision 28)."""
    boxes = [signed_in(node, f"127.72.{n // 50}.{1 + n % 50}") for n in range(120)]
    assert [box.noop()[0] for box in boxes] == ["OK"] * 120
    dovecot = processes.from_pid_file(node.config.folder / "dovecot/run/master.pid")
    assert dovecot is not None
    running = [processes.program(one.pid) for one in processes.in_session(dovecot.pid)]
    assert running.count("imap") == 120, "a session still has a process of its own, which is what is ended"
    assert 2 <= running.count("imap-login") <= LOGIN["login_processes"]
    for box in boxes:
        box.logout()
