"""What a forward passes on to outside: under a sender that leads back, by a way of its own, and for nobody's use."""

import json
import re
import smtplib
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest
from live_node import JOE, KIM, MIA, LiveNode, domain, letter, live_node, unchecked, until
from passing_on import answer, arrives, routes

pytestmark = pytest.mark.server
HOST = "mx.postroom.example"
OUT = "info@acme.example"  # leads to one@far.example
REWRITTEN = re.compile(rf"SRS0=[^=]+=[^=]+=out\.example=far@{re.escape(HOST)}")


def sunk(node: LiveNode, subject: str) -> dict[str, str]:
    """Of the one message that left with this subject: its envelope, by name."""
    mark = f"Subject: {subject}\n".encode()
    assert until(lambda: [one for one in node.sunk() if mark in one]), node.log("postfix")[-3000:]
    (found,) = [message_from_bytes(one) for one in node.sunk() if mark in one]
    return {name: str(found[name]).strip("<>") for name in ("Return-Path", "Delivered-To")}


def queued(node: LiveNode) -> list[dict[str, str]]:
    """sender and recipient of what waits."""
    said = subprocess.run(["postqueue", "-c", str(node.config.postfix_conf), "-j"], capture_output=True, check=True)
    rows = [json.loads(line) for line in said.stdout.splitlines()]
    return [{"sender": row["sender"], "to": one["address"]} for row in rows for one in row["recipients"]]


@pytest.fixture(scope="module", autouse=True)
def forward(node: LiveNode) -> None:
    routes(node, OUT, "one@far.example")


# Away


def test_a_sender_from_outside_is_rewritten(node: LiveNode) -> None:
    arrives(node, OUT, "passed on")
    left = sunk(node, "passed on")
    assert REWRITTEN.fullmatch(left["Return-Path"])
    assert left["Delivered-To"] == "one@far.example"


def test_a_copy_that_stays_keeps_its_sender(node: LiveNode) -> None:
    routes(node, "both@acme.example", JOE, "one@far.example")
    arrives(node, "both@acme.example", "kept and passed on")
    assert REWRITTEN.fullmatch(sunk(node, "kept and passed on")["Return-Path"])
    (kept,) = node.received(JOE, "kept and passed on")
    assert b"Return-Path: <far@out.example>" in kept


def test_a_client_of_ours_keeps_its_own(node: LiveNode) -> None:
    with node.submission(KIM) as line:
        line.sendmail(KIM, [OUT], letter(KIM, "passed on for kim"))
        line.sendmail(KIM, ["two@far.example"], letter(KIM, "kim to outside"))
    assert sunk(node, "passed on for kim")["Return-Path"] == KIM
    assert sunk(node, "kim to outside")["Return-Path"] == KIM


def test_the_null_sender_goes_once_and_stays_null(node: LiveNode) -> None:
    arrives(node, OUT, "a bounce passed on", sender="")
    assert sunk(node, "a bounce passed on")["Return-Path"] == ""


# Back


def led_back(node: LiveNode, subject: str, sender: str = "far@out.example") -> str:
    arrives(node, OUT, subject, sender)
    return sunk(node, subject)["Return-Path"]


def test_a_bounce_goes_to_who_sent_it(node: LiveNode) -> None:
    arrives(node, led_back(node, "to come back"), "it bounced", sender="")
    left = sunk(node, "it bounced")
    assert left == {"Return-Path": "", "Delivered-To": "far@out.example"}


def test_what_is_no_bounce_does_not(node: LiveNode) -> None:
    """Else whoever has such an address, which every forward gives away, could have us pass on what they like."""
    back = led_back(node, "for no use")
    assert answer(node, back, "spammer@evil.example") == 554
    assert answer(node, back, sender="") == 250


def test_who_tampers_is_told_at_once(node: LiveNode) -> None:
    back = led_back(node, "to tamper with")
    assert answer(node, back.replace("=far@", "=joe@"), sender="") == 550
    assert answer(node, back.replace("out.example", "elsewhere.example"), sender="") == 550
    for local in ("foo", "SRS0", "SRS0=aaaa=aa=out.example=far", "postmaster"):
        assert answer(node, f"{local}@{HOST}", sender="") == 550
    assert answer(node, back.replace(HOST, f"sub.{HOST}"), sender="") == 554


# For nobody's use


@pytest.mark.parametrize("port", ["forwards", "bounces", "sieve_out"])
def test_the_ports_between_are_for_postfix_alone(node: LiveNode, port: str) -> None:
    number = getattr(node.config.ports, port)
    with smtplib.SMTP(node.address, number, timeout=5) as line:
        line.ehlo()
        assert line.docmd("MAIL FROM:<far@out.example>")[0] == 530
    with smtplib.SMTP(node.address, number, timeout=5) as line, pytest.raises((ssl.SSLError, OSError)):
        line.starttls(context=unchecked())
        line.sendmail("far@out.example", ["one@far.example"], b"Subject: by the back door\r\n\r\n")
    line.close()


def test_its_secret_is_its_own(node: LiveNode) -> None:
    key = node.config.srs_key
    assert (key.stat().st_mode & 0o777, key.group()) == (0o640, "postroom-srs")
    assert key.read_text().strip() not in (node.config.postfix_conf / "main.cf").read_text()
    assert Path(f"/proc/{node.pid('srs')}").owner() == "postroom-srs"


# Loops


def test_what_went_round_too_often_is_refused(node: LiveNode) -> None:
    for times, taken in ((20, True), (31, False)):
        text = b"Received: from a by b\r\n" * times + letter("far@out.example", f"round {times}")
        with node.smtp() as line:
            if taken:
                line.sendmail("far@out.example", [MIA], text)
                continue
            with pytest.raises(smtplib.SMTPDataError) as refused:
                line.sendmail("far@out.example", [MIA], text)
            assert refused.value.smtp_code == 554


def test_two_that_lead_to_each_other_deliver_to_nobody(node: LiveNode) -> None:
    routes(node, "ping@acme.example", "pong@acme.example")
    routes(node, "pong@acme.example", "ping@acme.example")
    with node.smtp() as line, pytest.raises(smtplib.SMTPDataError) as refused:
        line.sendmail("far@out.example", ["ping@acme.example"], letter("far@out.example", "ping"))
    assert refused.value.smtp_code == 451
    arrives(node, MIA, "while two lead to each other")
    assert node.received(MIA, "while two lead to each other")


# When it is not there


def test_it_is_started_again(node: LiveNode) -> None:
    before = node.pid("srs")
    subprocess.run(["kill", "-9", str(before)], check=True)
    assert until(lambda: node.pid("srs") not in (0, before), 10)
    arrives(node, OUT, "after its return")
    assert REWRITTEN.fullmatch(sunk(node, "after its return")["Return-Path"])


@pytest.fixture
def without() -> Iterator[tuple[LiveNode, list[socket.socket]]]:
    """A node whose postsrsd cannot have its ports: somebody else does, and does not listen."""
    with live_node() as running:
        squatters = [socket.socket() for _ in range(2)]
        for one, port in zip(squatters, (2594, 2595), strict=True):
            one.bind((running.address, port))
        running.start()
        assert running.ready(), running.log() + running.log("agent")
        running.put("domain", "acme.example", domain("acme.example"))
        running.put_mailbox(MIA)
        routes(running, OUT, "one@far.example")
        yield running, squatters
        for one in squatters:
            one.close()


def test_without_it_local_mail_goes_on_and_what_is_passed_on_waits(
    without: tuple[LiveNode, list[socket.socket]],
) -> None:
    node, squatters = without
    arrives(node, MIA, "local")
    assert node.received(MIA, "local")
    arrives(node, OUT, "waits")
    assert until(lambda: {"sender": "far@out.example", "to": "one@far.example"} in queued(node))
    assert not node.sunk()
    assert answer(node, f"SRS0=aaaa=aa=out.example=far@{HOST}", sender="") == 451

    for one in squatters:
        one.close()
    assert until(lambda: node.pid("srs") and srs_answers(node), 40), node.log()
    node.flush()
    assert REWRITTEN.fullmatch(sunk(node, "waits")["Return-Path"])
    assert not queued(node)


def srs_answers(node: LiveNode) -> bool:
    try:
        with socket.create_connection((node.address, 2594), 2) as line:
            line.sendall(b"get far@out.example\n")
            return line.recv(200).startswith(b"200 SRS0=")
    except OSError:
        return False


# Where mail leaves


def test_it_leaves_by_a_transport_of_its_own(leaving: LiveNode) -> None:
    with leaving.submission(MIA) as line:
        line.sendmail(MIA, [OUT], letter(MIA, "by the client's own"))
    arrives(leaving, OUT, "by another")
    arrives(leaving, OUT, "with no sender", sender="")
    assert until(lambda: len(by_transport(leaving)) == 3, 20), leaving.log("postfix")[-3000:]
    assert sorted(by_transport(leaving)) == ["forwarded", "forwarded", "letters"]


def by_transport(node: LiveNode) -> list[str]:
    """Which tried the last step; `srs` only leads round."""
    tried = re.findall(r"postfix/(\w+)/smtp\[\d+\]: \w+: to=<one@nowhere\.invalid>", node.log("postfix"))
    return [one for one in tried if one != "srs"]


@pytest.fixture
def leaving() -> Iterator[LiveNode]:
    """A node whose mail leaves; the client's transport is one that its log tells apart."""
    with live_node() as running:
        running.config = replace(running.config, sink=None)
        running.start()
        assert running.ready(), running.log() + running.log("agent")
        running.put("domain", "acme.example", domain("acme.example"))
        running.put(
            "pool", "acme.example pool", {"maps": {"pool": [{"domain": "acme.example", "transport": "letters:"}]}}
        )
        running.put_mailbox(MIA)
        routes(running, OUT, "one@nowhere.invalid")
        yield running
