"""Guesses at a real Dovecot: one count for three protocols, by source; and what is when nobody counts."""

import base64
import imaplib
import os
import signal
import smtplib
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from live_node import JOE, MIA, PASSWORD, BoundImap, LiveNode, domain, live_node, unchecked, until

from postroom.engines.sign_ins import asked

pytestmark = pytest.mark.server
A, B, C = "127.70.0.1", "127.71.0.1", "127.72.0.1"
GONE = "gone@acme.example"


@pytest.fixture(scope="module")
def node() -> Iterator[LiveNode]:
    with live_node() as running:
        running.start()
        assert running.ready(), running.log() + running.log("auth_policy")
        running.put("domain", "acme.example", domain("acme.example"))
        for address in (MIA, JOE):
            running.put_mailbox(address)
        yield running


def imap(node: LiveNode, source: str, password: str, address: str = MIA) -> str:
    """What it answered; empty for a sign-in."""
    box = BoundImap(node.address, node.config.ports.imaps, source)
    box.sock.settimeout(40)
    try:
        box.xatom("ID", '("name" "Birdmail" "version" "1.2")')
        box.login(address, password)
        box.logout()
    except imaplib.IMAP4.error as error:
        box.shutdown()
        return str(error)
    return ""


def submission(node: LiveNode, source: str, password: str) -> str:
    line = smtplib.SMTP_SSL(node.address, node.config.ports.submissions, local_hostname="laptop.example", timeout=40,
                            context=unchecked(), source_address=(source, 0))  # fmt: skip
    line.ehlo()
    line.user, line.password = MIA, password
    try:
        code, said = line.auth("PLAIN", line.auth_plain)
    except smtplib.SMTPAuthenticationError as error:
        return str(error)
    finally:
        line.close()
    return "" if code == 235 else said.decode()


def sieve(node: LiveNode, source: str, password: str) -> str:
    """RFC 5804: STARTTLS, AUTHENTICATE."""
    plain = socket.create_connection((node.address, node.config.ports.managesieve), 40, (source, 0))
    with plain.makefile("rb") as lines:
        _answer(lines)
        plain.sendall(b"STARTTLS\r\n")
        _answer(lines)
    with unchecked().wrap_socket(plain) as line, line.makefile("rb") as lines:
        _answer(lines)
        response = base64.b64encode(f"\0{MIA}\0{password}".encode()).decode()
        line.sendall(f'AUTHENTICATE "PLAIN" "{response}"\r\n'.encode())
        said = _answer(lines)
    return "" if said.startswith("OK") else said


def _answer(lines) -> str:  # type: ignore[no-untyped-def]
    while line := lines.readline().decode():
        if line.startswith(("OK", "NO", "BYE")):
            return str(line.strip())
    raise ConnectionError("closed")


def test_three_wrong_over_three_protocols_refuse_the_right_one_there_and_nowhere_else(node: LiveNode) -> None:
    assert imap(node, B, PASSWORD) == ""
    assert "Authentication failed" in imap(node, A, "wrong one")
    assert submission(node, A, "wrong two") != ""
    assert sieve(node, A, "wrong three") != ""
    for tries in (imap, submission, sieve):
        assert "Too many attempts" in tries(node, A, PASSWORD), tries.__name__
    for tries in (imap, submission, sieve):
        assert tries(node, B, PASSWORD) == "", tries.__name__
    assert imap(node, C, PASSWORD, JOE) == ""
    assert "Authentication failed" in imap(node, C, "typed where a name goes", GONE)


def test_it_is_told_of_without_any_password_and_made_up_names_are_counted(node: LiveNode) -> None:
    assert until(lambda: any(row.get("unknown") for row in node.source.reported("sign-ins")), 45)
    rows = node.source.reported("sign-ins")
    of_mia = {(row["protocol"], row["address"], row["success"], row["refused"]) for row in rows if row["login"] == MIA}
    assert {("imap", B, True, False), ("imap", A, False, False), ("sieve", A, False, False)} <= of_mia
    assert {("submission", A, False, True), ("sieve", A, False, True), ("submission", B, True, False)} <= of_mia
    assert {row["program"] for row in rows if row.get("protocol") == "imap"} == {"Birdmail"}
    assert {row["credential"] for row in rows if row.get("success")} == {"main"}
    said = str(rows)
    assert GONE not in said and "pwhash" not in said and PASSWORD not in said and "wrong" not in said
    assert len({row["number"] for row in rows}) == len(rows)


def test_another_key_is_answered_nothing_and_told_of(node: LiveNode) -> None:
    url = f"http://{node.address}:{node.config.ports.auth_policy}/?command=allow"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(url, b"{}", {"X-API-Key": "guessed"}), timeout=5)
    assert refused.value.code == 403 and refused.value.read() == b"{}"
    assert asked(node.config, {})["ok"] is False
    assert imap(node, B, PASSWORD) == ""


def test_restarted_it_knows_who_signed_in_from_where(node: LiveNode) -> None:
    pid = node.pid("auth_policy")
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: node.pid("auth_policy") not in (0, pid) and "ok" in asked(node.config, {}), 20)
    assert imap(node, B, PASSWORD) == ""
    assert asked(node.config, {})["ok"] is True, "it was asked with Dovecot's key"


def test_while_it_hangs_people_get_in_and_the_heartbeat_says_so(node: LiveNode) -> None:
    pid = node.pid("auth_policy")
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert imap(node, B, PASSWORD) == ""
        assert time.monotonic() - began < 10
        assert until(lambda: "error" in node.source.reported("heartbeat")[-1]["sign_in_guard"], 45)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert until(lambda: node.source.reported("heartbeat")[-1]["sign_in_guard"].get("ok"), 45)


def test_nobody_else_may_ask_for_what_was_signed_in_to(node: LiveNode) -> None:
    socket_, file = node.config.policy_socket, node.config.known_sources
    assert socket_.stat().st_mode & 0o007 == 0 and socket_.parent.stat().st_mode & 0o007 == 0
    assert file.parent.stat().st_mode & 0o077 == 0
    assert node.config.policy_key.stat().st_mode & 0o007 == 0
