"""App passwords at a whole node: each opens what it is for, and ends with its own sessions and nobody else's."""

import base64
import hashlib
import imaplib
import re
import smtplib
import socket
import subprocess
import time
from collections.abc import Callable

import pytest
from live_node import MIA, PASSWORD, BoundImap, LiveNode, mailbox, named, unchecked, until

from postroom.engines import compile
from postroom.engines.source import Compiled

pytestmark = pytest.mark.server

PHONE, LAPTOP = "phone-abcd-efgh-2345", "laptop-abcd-efgh-2345"
EVERY = "imap submission managesieve"


def app(address: str, secret: str, protocols: str = EVERY, until: int | None = None) -> dict[str, object]:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return {"address": address, "cred": str(named(secret)), "sha256": digest, "protocols": protocols, "until": until}


def account(address: str, *apps: dict[str, object], app_only: int | None = None) -> Compiled:
    compiled = mailbox(address)
    compiled["secrets"]["app"] = list(apps)
    compiled["secrets"]["password"][0]["app_only"] = app_only
    return compiled


def imap(node: LiveNode, address: str, secret: str) -> bool:
    return node.can_sign_in(address, secret)


def submission(node: LiveNode, address: str, secret: str) -> bool:
    try:
        node.submission(address, secret).quit()
    except smtplib.SMTPAuthenticationError:
        return False
    return True


def managesieve(node: LiveNode, address: str, secret: str) -> bool:
    """RFC 5804: STARTTLS, then AUTHENTICATE."""
    plain = base64.b64encode(f"\0{address}\0{secret}".encode())
    with socket.create_connection((node.address, node.config.ports.managesieve), 10, (node.client, 0)) as bare:
        said(bare)
        bare.sendall(b"STARTTLS\r\n")
        said(bare)
        with unchecked().wrap_socket(bare) as line:
            said(line)
            line.sendall(b'AUTHENTICATE "PLAIN" "%s"\r\n' % plain)
            return said(line).startswith(b"OK")


def said(line: socket.socket) -> bytes:
    """The last line of one answer."""
    answer = b""
    while not (answer.endswith(b"\r\n") and answer.splitlines()[-1].startswith((b"OK", b"NO", b"BYE"))):
        answer += line.recv(4096)
    return answer.splitlines()[-1]


def web(node: LiveNode, address: str, secret: str) -> bool:
    """As our pages ask: service=web."""
    command = ["doveadm", "-c", str(node.config.dovecot_conf), "auth", "test", "-x", "service=web", "-x",
               f"rip={node.client}", address, secret]  # fmt: skip
    return subprocess.run(command, capture_output=True, timeout=20).returncode == 0


DOORS: dict[str, Callable[[LiveNode, str, str], bool]] = {
    "imap": imap,
    "submission": submission,
    "managesieve": managesieve,
}


def idle(node: LiveNode, address: str, secret: str) -> BoundImap:
    box = node.imap(address, secret)
    box.select("INBOX")
    box.send(b"a IDLE\r\n")
    assert box.readline() == b"+ idling\r\n"
    return box  # type: ignore[return-value]


def goodbye(box: imaplib.IMAP4_SSL) -> bool:
    """Whether it is ended, rather than silent. Dovecot may say `* OK Still here` first."""
    said = box.readline()
    while said.startswith(b"* OK"):
        said = box.readline()
    return said.startswith(b"* BYE")


def is_open(box: imaplib.IMAP4_SSL) -> bool:
    """Whether it still answers. Dovecot may say `* OK Still here` first."""
    box.send(b"DONE\r\n")
    said = box.readline()
    while said.startswith(b"* ") and not said.startswith(b"* BYE"):
        said = box.readline()
    return said.startswith(b"a OK")


@pytest.mark.parametrize("protocol", DOORS)
def test_one_for_a_protocol_opens_that_and_no_other(node: LiveNode, protocol: str) -> None:
    name = f"only-{protocol}@acme.example"
    node.put("address", name, account(name, app(name, PHONE, protocol)))
    assert {door: opens(node, name, PHONE) for door, opens in DOORS.items()} == {
        door: door == protocol for door in DOORS
    }
    assert not web(node, name, PHONE), "what opens mail never opens the owner's page"
    assert all(opens(node, name, PASSWORD) for opens in (*DOORS.values(), web))


def test_the_log_says_which_one_it_was(node: LiveNode) -> None:
    name = "logged@acme.example"
    node.put("address", name, account(name, app(name, PHONE)))
    assert imap(node, name, PHONE) and imap(node, name, PASSWORD)
    said = re.compile(rf"(Login|Logged in): user=<{name}>")  # 2.3, 2.4
    lines = [line for line in node.log("dovecot").splitlines() if said.search(line)]
    assert [f"cred=app:{named(PHONE)}," in line for line in lines] == [True, False] and "cred=main," in lines[1]
    assert PHONE not in node.log("dovecot") + node.log("agent") + node.log()


def test_anothers_opens_nothing_here(node: LiveNode) -> None:
    name = "neighbour@acme.example"
    node.put("address", name, account(name, app(name, LAPTOP)))
    assert not imap(node, MIA, LAPTOP) and not imap(node, name, LAPTOP + "x") and not imap(node, name, "")


def test_one_that_expired_is_refused_and_its_session_ends(node: LiveNode) -> None:
    """By the maps alone, at that second: nobody has to act, and no control plane has to be there."""
    name = "expires@acme.example"
    node.put("address", name, account(name, app(name, PHONE, until=int(time.time()) + 4), app(name, LAPTOP)))
    phone, laptop = idle(node, name, PHONE), idle(node, name, LAPTOP)
    phone.socket().settimeout(15)
    assert goodbye(phone)
    assert not any(opens(node, name, PHONE) for opens in DOORS.values())
    assert is_open(laptop)
    phone.shutdown()
    laptop.logout()


def test_a_revoked_one_ends_its_own_device_and_no_other(node: LiveNode) -> None:
    name = "two@acme.example"
    node.put("address", name, account(name, app(name, PHONE), app(name, LAPTOP)))
    phone, laptop, main = (idle(node, name, secret) for secret in (PHONE, LAPTOP, PASSWORD))
    sending, kept = node.submission(name, PHONE), node.submission(name, LAPTOP)

    took = node.put("address", name, account(name, app(name, LAPTOP)))
    assert goodbye(phone)
    with pytest.raises((smtplib.SMTPServerDisconnected, smtplib.SMTPResponseException)):
        sending.mail(name)
        sending.rcpt(MIA)
        sending.mail(name)
    assert not any(opens(node, name, PHONE) for opens in DOORS.values())
    assert is_open(laptop) and is_open(main) and kept.mail(name)[0] == 250
    assert took < 10, "with servers of others beside it; alone it takes a tenth of a second"
    for line in (phone, laptop, main):
        line.shutdown()
    sending.close()
    kept.close()


def test_a_session_of_which_the_log_says_nothing_ends_too(node: LiveNode) -> None:
    """The log was rotated: what may be the revoked device's is not left open."""
    name = "rotated@acme.example"
    node.put("address", name, account(name, app(name, PHONE), app(name, LAPTOP)))
    phone = idle(node, name, PHONE)
    log = node.config.folder / "log/dovecot.log"
    text = log.read_text()
    log.write_text("")
    laptop = idle(node, name, LAPTOP)
    node.put("address", name, account(name, app(name, LAPTOP)))
    assert goodbye(phone)
    assert is_open(laptop), "the log knows this one"
    log.write_text(text + log.read_text())
    phone.shutdown()
    laptop.logout()


def test_the_last_one_that_goes_takes_nothing_else_along(node: LiveNode) -> None:
    name = "last@acme.example"
    node.put("address", name, account(name, app(name, PHONE)))
    main = idle(node, name, PASSWORD)
    node.put("address", name, account(name))
    assert is_open(main) and not imap(node, name, PHONE)
    main.logout()


def test_where_app_passwords_alone_are_for_mail(node: LiveNode) -> None:
    name = "policy@acme.example"
    node.put("address", name, account(name, app(name, PHONE)))
    main = idle(node, name, PASSWORD)

    node.put("address", name, account(name, app(name, PHONE), app_only=1))
    assert goodbye(main)
    assert not any(opens(node, name, PASSWORD) for opens in DOORS.values())
    assert all(opens(node, name, PHONE) for opens in DOORS.values())
    assert web(node, name, PASSWORD) and not web(node, name, PHONE)
    main.shutdown()

    node.put("address", name, account(name, app(name, PHONE)))
    assert imap(node, name, PASSWORD)


def test_a_suspended_account_lets_none_of_them_in(node: LiveNode) -> None:
    name = "suspended@acme.example"
    node.put("address", name, account(name, app(name, PHONE)))
    phone = idle(node, name, PHONE)
    node.put("address", name, mailbox(name, sign_in=0))
    assert goodbye(phone) and not imap(node, name, PHONE)
    phone.shutdown()
    node.put("address", name, account(name, app(name, PHONE)))
    assert imap(node, name, PHONE), "resumed, it is there again"


def test_what_is_acknowledged_says_which_are_served(node: LiveNode) -> None:
    name = "evidence@acme.example"
    number = node.source.put("address", named(name), account(name, app(name, PHONE)))
    assert until(lambda: node.source.evidence(number) is not None)
    said = {line["question"]: line["answer"] for line in node.source.evidence(number) or ()}
    assert said[f"app passwords of {name}"] == [str(named(PHONE))]
    assert said["generation of secrets"] > 0
    assert compile.NODE_ITSELF not in str(said)
