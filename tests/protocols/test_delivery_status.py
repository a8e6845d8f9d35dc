"""Notifications as servers send them, and what looks like one: what is read, how much of it, and what is not."""

import pytest

from postroom.protocols import return_address
from postroom.protocols.delivery_status import LONGEST, SAID, Status, read

TOKEN = "abcdefghijklmnopqrstuvwx23"
TO = f"postroom+{TOKEN}@northlight.example"


def notification(action: str = "failed", status: str = "5.1.1", said: str = "smtp; 550 5.1.1 no such user", *,
                 sender: str = "<>", sort: str = "multipart/report; report-type=delivery-status",
                 returned: str = "Return-Path: <x@y.example>\nSubject: An invite") -> bytes:  # fmt: skip
    return f"""Return-Path: {sender}
X-Original-To: {TO}
Delivered-To: {TO}
From: MAILER-DAEMON@far.example
Content-Type: {sort}; boundary="B"
MIME-Version: 1.0

--B
Content-Type: text/plain

I could not deliver it.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; far.example
Arrival-Date: Mon, 30 Nov 2026 04:00:00 +0000

Final-Recipient: rfc822; leo@home.example
Action: {action}
Status: {status}
Remote-MTA: dns; mx.home.example
Diagnostic-Code: {said}

--B
Content-Type: text/rfc822-headers

{returned}

--B--
""".encode()


def test_what_came_back_says_its_code_and_words() -> None:
    assert read(notification()) == Status(TO, "failed", "5.1.1", "mx.home.example 550 5.1.1 no such user")


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded", "FAILED"])
def test_every_action_of_the_standard(action: str) -> None:
    found = read(notification(action))
    assert found is not None and found.action == action.lower()


@pytest.mark.parametrize(("why", "raw"), [
    ("somebody answered", notification(sender="<leo@home.example>")),
    ("a holiday note from nobody", notification(sort="text/plain")),
    ("a reading receipt", notification(sort="multipart/report; report-type=disposition-notification")),
    ("about a notification", notification(returned="Return-Path: <>\nSubject: x")),
    ("about a report", notification(returned="Return-Path: <a@b.example>\nContent-Type: multipart/report; boundary=C")),
    ("no action of the standard", notification("deleted")),
    ("nothing", b""), ("no mail", b"\xff\xfe\x00" * 100),
    ("no recipient", notification().replace(b"Final-Recipient", b"X-Recipient").replace(b"Action: failed\n", b"")),
])  # fmt: skip
def test_what_is_no_notification_says_nothing(why: str, raw: bytes) -> None:
    assert read(raw) is None, why


def test_hostile_words_are_one_short_line() -> None:
    found = read(
        notification(said="smtp; 550 <script>alert(1)</script>\n\t\x1b[2J\u202e" + "x" * 9000, status="5.1.1'; DROP")
    )
    assert found is not None and len(found.said) <= SAID and found.said.isprintable() and found.status == "5.1.1"
    assert "<script>alert(1)</script>" in found.said, "told as it is; who shows it escapes it"
    assert read(notification(status="9.9.9 nonsense")) is not None and read(notification(status="x")).status == ""  # type: ignore[union-attr]


def test_what_is_too_deep_or_too_long_is_not_worked_on() -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(20_000))
    assert read(b"Return-Path: <>\n" + deep) is None
    long = notification(returned="A: " + "y" * 2 * LONGEST)
    assert read(long) == read(notification())


def test_the_envelope_is_what_the_delivery_agent_put_on_top() -> None:
    forged = notification().replace(b"From: MAILER", b"X-Original-To: postroom+zzz@x\nReturn-Path: <a@b>\nFrom: MAILER")
    found = read(forged)
    assert found is not None and found.to == TO


def test_a_return_address_is_one_letters_and_cannot_be_guessed() -> None:
    drawn = {return_address.drawn() for _ in range(50)}
    assert len(drawn) == 50 and all(len(one) == 26 for one in drawn)
    address = return_address.address("postroom@northlight.example", TOKEN)
    assert address == TO and return_address.names_letter(address.upper()) == TOKEN
    for other in ("postroom@northlight.example", "postroom+short@northlight.example", "", "x+" + "1" * 26 + "@y"):
        assert return_address.names_letter(other) == "", other
