"""Mail daemons that are gone, hang, or serve something else than what was written: nothing becomes verified by that."""

import contextlib
import signal
import smtplib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hands import Hands

from conftest import SECRET, House
from world import Stack

pytestmark = pytest.mark.drill


@pytest.mark.parametrize("daemon", ["dovecot", "postfix"])
def test_a_daemon_is_gone(stack: Stack, hands: Hands, house: House, leo: str, daemon: str) -> None:
    """Guard: 75 and no answer are *not known*, never *gone* (read_back)."""
    parent = hands.pid("node")
    hands.hold(parent)  # or it would be started again at once
    hands.kill(*hands.below(daemon), hands.pid(daemon))
    suspended = house.operator.change("mailboxes.suspend", {"mailbox": leo})
    stays_applied(house, suspended, seconds=3)
    hands.let_go(parent)
    house.operator.verified(suspended, within=60)
    assert not stack.may_sign_in(leo, SECRET)
    assert stack.rcpt(leo) == 250


def test_dovecot_auth_hangs(stack: Stack, hands: Hands, house: House, leo: str) -> None:
    """Guard: as above; the old login cannot be asked about, so nobody says that it is over."""
    hands.hold(*hands.below("dovecot", "auth"))
    suspended = house.operator.change("mailboxes.suspend", {"mailbox": leo})
    stays_applied(house, suspended, seconds=8)
    hands.let_go()
    house.operator.verified(suspended, within=60)
    assert not stack.may_sign_in(leo, SECRET)


def test_proxymap_hangs(stack: Stack, hands: Hands, house: House, leo: str) -> None:
    """While what Postfix asks stands still nothing is verified; another proxymap, or a new Postfix, answers in the end.

    Guard: the generation the running proxymap reads is asked of it, not of the file.
    """
    assert stack.rcpt(leo) == 250
    with hands.holding(*hands.below("postfix", "proxymap")):
        suspended = house.operator.change("mailboxes.suspend", {"mailbox": leo})
        house.operator.verified(suspended, within=60)
        assert refused_sender(stack, leo)
        assert stack.rcpt(leo) == 250


def test_the_map_says_otherwise_than_what_was_written(stack: Stack, hands: Hands, house: House, leo: str) -> None:
    """Somebody with root makes the node's files keep what the agent takes out: the daemons really let them in.

    Guards: what is read back is asked of the daemons, never taken from what was written; and what differs is written
    again until it does not (agent).
    """
    with kept_in_files(hands, leo):
        suspended = house.operator.change("mailboxes.suspend", {"mailbox": leo})
        stays_applied(house, suspended, seconds=6)
        assert stack.may_sign_in(leo, SECRET), "the lie works"
        stays_applied(house, suspended, seconds=0)
    house.operator.verified(suspended, within=60)
    assert not stack.may_sign_in(leo, SECRET)


def stays_applied(house: House, change: Any, *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        now = house.operator.get(f"/changes/{change['id']}")
        assert now["stage"] == "applied", now["deliveries"]
        assert [one["target"] for one in now["incomplete"]] == ["nodes"] and now["incomplete"][0]["why"]
        if time.monotonic() >= end:
            return
        time.sleep(0.2)


@contextlib.contextmanager
def kept_in_files(hands: Hands, address: str) -> Iterator[None]:
    """Triggers in the node's files that put this address' way in back whenever it is taken out."""
    lies = {
        "secrets": "CREATE TRIGGER lie AFTER DELETE ON password WHEN old.address = '{0}' BEGIN INSERT OR REPLACE INTO "
        "password (object, address, hash, until) VALUES (old.object, old.address, old.hash, old.until); END",
        "maps": "CREATE TRIGGER lie AFTER INSERT ON login WHEN new.address = '{0}' AND new.sign_in = 0 BEGIN "
        "UPDATE login SET sign_in = 1 WHERE address = '{0}'; END",
    }
    files = {name: hands.state / f"node/db/{name}/{name}.db" for name in lies}
    for name, lie in lies.items():
        with contextlib.closing(sqlite3.connect(files[name], timeout=10)) as file, file:
            file.execute(lie.format(address))
    try:
        yield
    finally:
        for name in lies:
            with contextlib.closing(sqlite3.connect(files[name], timeout=10)) as file, file:
                file.execute("DROP TRIGGER lie")
        read_anew(hands)


def read_anew(hands: Hands) -> None:
    """A trigger is a change of schema, which nothing of ours makes while it serves: a worker of Dovecot's that meets it
    in its next look-up fails once (SQLITE_SCHEMA), and mail is put off for minutes. So they start again."""
    command = {pid: (Path("/proc") / str(pid) / "cmdline").read_bytes() for pid in hands.below("dovecot", "auth")}
    hands.kill(*(pid for pid, words in command.items() if b"-w" in words), by=signal.SIGTERM)


def refused_sender(stack: Stack, address: str) -> bool:
    try:
        stack.submit(address, SECRET, address, "may I?")
    except smtplib.SMTPException:
        return True
    return False
