"""A real Postfix sends our letters, each from its own return address; what it and strangers say of them is told."""

import smtplib
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from live_node import MIA, NETWORK, PASSWORD, LiveNode, domain, letter, live_node, until

from postroom.host import claim
from postroom.protocols.return_address import address, drawn
from protocols.test_delivery_status import TOKEN, notification

pytestmark = pytest.mark.server
NO, LATER = "550 5.1.1 <script>no</script> such user here", "450 4.2.0 come back tomorrow"


class Outside(socketserver.StreamRequestHandler):
    """A mail server elsewhere: it knows `leo`, knows no `nobody`, and has never time for `busy`."""

    def handle(self) -> None:
        self.wfile.write(b"220 far.example ESMTP\r\n")
        data = False
        while raw := self.rfile.readline():
            line = raw.decode(errors="replace").strip()
            if data:
                if line != ".":
                    continue
                data = False
                self._say("250 2.0.0 kept as 7")
            elif line[:4].upper() == "EHLO":
                self._say("250-far.example\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES")
            elif line[:4].upper() == "RCPT":
                self.server.asked.append(line)  # type: ignore[attr-defined]
                self._say(NO if "nobody@" in line else LATER if "busy@" in line else "250 2.1.5 ok")
            elif line[:4].upper() == "MAIL":
                self.server.senders.append(line)  # type: ignore[attr-defined]
                self._say("250 2.1.0 ok")
            elif line[:4].upper() == "DATA":
                data = True
                self._say("354 go on")
            elif line[:4].upper() == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


@pytest.fixture(scope="module")
def outside() -> Iterator[Any]:
    where = claim.address(network=NETWORK)
    server = socketserver.ThreadingTCPServer((where.name, 25), Outside)
    server.daemon_threads = True
    server.asked, server.senders = [], []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
    where.release()


@pytest.fixture(scope="module")
def leaving() -> Iterator[LiveNode]:
    """A node whose mail leaves; it hosts one domain, and not that of our letters."""
    with live_node() as running:
        running.config = replace(running.config, sink=None)
        running.start()
        assert running.ready(), running.log() + running.log("agent")
        running.put("domain", "acme.example", domain("acme.example"))
        running.put_mailbox(MIA)
        yield running


def post(node: LiveNode, to: str) -> tuple[str, dict[int, Any]]:
    """As worker/mail.py does; the letter's token."""
    token, sender = drawn(), node.config.notices_from
    password = node.config.system_password.read_text()  # type: ignore[union-attr]
    with node.submission(node.config.system_login, password) as line:
        line.ehlo()  # what it offers to who is signed in
        assert line.has_extn("dsn"), line.ehlo_resp
        line.mail(address(sender, token), ["RET=HDRS"])
        said = line.rcpt(to, ["NOTIFY=SUCCESS,FAILURE,DELAY"])
        assert said[0] in (250, 251), said
        assert line.data(letter(f"Postroom <{sender}>", "An invite with https://localhost/invite/SECRET", to))[0] == 250
    return token, {}


def told(node: LiveNode, token: str) -> dict[str, Any]:
    def found() -> list[dict[str, Any]]:
        return [row for row in node.source.reported("returns") if row["token"] == token]

    assert until(found, 25), node.log("postfix")[-3000:] + node.log("agent")[-2000:]
    (row,) = found()
    return row


def at(outside: Any, who: str) -> str:
    return f"{who}@[{outside.server_address[0]}]"


def test_a_bounce_comes_back_with_its_code_and_words(leaving: LiveNode, outside: Any) -> None:
    token, _ = post(leaving, at(outside, "nobody"))
    row = told(leaving, token)
    assert (row["action"], row["status"]) == ("failed", "5.1.1") and NO[4:] in row["said"]
    assert "SECRET" not in str(row)
    assert any(token in sender for sender in outside.senders)
    assert until(lambda: not list((leaving.config.returned / "new").iterdir())), "read, told, and gone"


def test_what_the_next_server_took_is_told_by_us_whatever_that_server_would_have_said(
    leaving: LiveNode, outside: Any
) -> None:
    token, _ = post(leaving, at(outside, "leo"))
    row = told(leaving, token)
    assert (row["action"], row["status"][0]) == ("relayed", "2") and "kept as 7" in row["said"]
    assert not any("NOTIFY" in line for line in outside.asked)


def test_a_letter_that_waits_is_not_told_of_as_anything(leaving: LiveNode, outside: Any) -> None:
    token, _ = post(leaving, at(outside, "busy"))
    assert until(lambda: any("busy@" in line for line in outside.asked), 15)
    assert not [row for row in leaving.source.reported("returns") if row["token"] == token]


def test_a_strangers_notification_is_taken_and_told_by_the_token_it_names(leaving: LiveNode) -> None:
    raw = notification().partition(b"From: MAILER")
    to = address(leaving.config.notices_from, TOKEN)
    with leaving.smtp() as stranger:
        assert stranger.sendmail("", [to], raw[1] + raw[2]) == {}
    assert told(leaving, TOKEN)["status"] == "5.1.1"


@pytest.mark.parametrize("sender", ["leo@out.example", ""])
def test_what_answers_is_answered_by_nobody(leaving: LiveNode, outside: Any, sender: str) -> None:
    """An answer of a person or of a machine: taken, thrown away, and no mail of ours follows."""
    before = len(outside.senders)
    to = address(leaving.config.notices_from, drawn())
    text = letter("leo@out.example", "Out of office", to).replace(
        b"Subject", b"Auto-Submitted: auto-replied\r\nSubject"
    )
    with leaving.smtp() as stranger:
        assert stranger.sendmail(sender, [to], text) == {}
    new = leaving.config.returned / "new"
    assert until(lambda: leaving.log("postfix").count("delivered to maildir") and not list(new.iterdir()), 15)
    assert len(outside.senders) == before and "auto-replied" not in str(leaving.source.reported("returns"))


@pytest.mark.parametrize("to", ["postroom+guess@northlight.example", "postroom@northlight.example",
                                "other@northlight.example"])  # fmt: skip
def test_nothing_else_of_that_domain_is_taken(leaving: LiveNode, to: str) -> None:
    with leaving.smtp() as stranger, pytest.raises(smtplib.SMTPRecipientsRefused):
        stranger.sendmail("", [to], letter("x@out.example", "hello", to))


def test_nobody_else_sends_from_a_return_address(leaving: LiveNode, outside: Any) -> None:
    sender = address(leaving.config.notices_from, drawn())
    with leaving.submission(MIA, PASSWORD) as line, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        line.sendmail(sender, [at(outside, "leo")], letter(MIA, "as Postroom"))
    assert refused.value.recipients[at(outside, "leo")][0] == 553


def test_where_the_domain_is_hosted_here_too_its_letters_still_come_back(leaving: LiveNode, outside: Any) -> None:
    leaving.put("domain", "northlight.example", domain("northlight.example"))
    leaving.put_mailbox("olive@northlight.example")
    token, _ = post(leaving, at(outside, "nobody"))
    assert told(leaving, token)["action"] == "failed"
    with leaving.smtp() as stranger:
        assert stranger.sendmail("far@out.example", ["olive@northlight.example"], letter("far@out.example", "hi")) == {}
