"""A whole node, spoken to from outside: people, strangers, and a control plane that is a folder."""

import email
import imaplib
import smtplib
import socket
import ssl
import stat
import time
from pathlib import Path

import dkim
import pytest
from filters import remove, upload
from live_node import JOE, KEY, KIM, MIA, PASSWORD, LiveNode, letter, mailbox, unchecked, until

from postroom.engines.self_test import published

pytestmark = pytest.mark.server


def code(refused: pytest.ExceptionInfo[smtplib.SMTPResponseException]) -> int:
    return int(refused.value.smtp_code)


# Signing in


def test_the_right_password_opens_and_a_wrong_one_does_not(node: LiveNode) -> None:
    assert node.can_sign_in(MIA)
    assert not node.can_sign_in(MIA, PASSWORD + "x")
    assert not node.can_sign_in("nobody@acme.example")


def test_no_password_without_tls(node: LiveNode) -> None:
    plain = imaplib.IMAP4(node.address, node.config.ports.imap, timeout=5)
    assert "LOGINDISABLED" in plain.capabilities
    with pytest.raises(imaplib.IMAP4.error):
        plain.login(MIA, PASSWORD)
    plain.shutdown()
    with smtplib.SMTP(node.address, node.config.ports.submission, source_address=(node.client, 0), timeout=5) as line:
        line.ehlo()
        assert not line.has_extn("auth")
        line.starttls(context=unchecked())
        line.login(MIA, PASSWORD)


def test_a_suspended_one_is_out_at_once(node: LiveNode) -> None:
    name = "susan@acme.example"
    node.put_mailbox(name)
    box, line = node.imap(name), node.submission(name)
    box.select("INBOX")
    box.send(b"a IDLE\r\n")
    assert box.readline() == b"+ idling\r\n"

    took = node.put("address", name, mailbox(name, sign_in=0))
    assert box.readline().startswith(b"* BYE")
    box.shutdown()
    with pytest.raises((smtplib.SMTPServerDisconnected, smtplib.SMTPSenderRefused)):
        line.sendmail(name, [JOE], letter(name, "after the end"))
    line.close()
    assert not node.can_sign_in(name)
    assert took < 5

    with node.smtp() as stranger:  # mail keeps arriving
        assert stranger.sendmail("far@out.example", [name], letter("far@out.example", "kept")) == {}

    node.put("address", name, mailbox(name))
    assert node.received(name, "kept")


def test_a_raised_access_epoch_ends_sessions_and_lets_in_again(node: LiveNode) -> None:
    node.put_mailbox("eve@acme.example")
    box = node.imap("eve@acme.example")
    node.put("address", "eve@acme.example", mailbox("eve@acme.example", epoch=1))
    with pytest.raises(imaplib.IMAP4.abort):
        box.noop()
    box.shutdown()
    assert node.can_sign_in("eve@acme.example")


def test_what_ends_by_time_ends_without_anybody(node: LiveNode) -> None:
    name = "temp@acme.example"
    (node.source.folder / "away").unlink(missing_ok=True)
    node.put_mailbox(name, until=int(time.time()) + 3)
    box = node.imap(name)
    (node.source.folder / "away").touch()  # no control plane
    try:
        box.socket().settimeout(8)
        with pytest.raises(imaplib.IMAP4.abort):
            for _ in range(80):
                box.noop()
                time.sleep(0.1)
        box.shutdown()
        assert not node.can_sign_in(name)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            node.submission(name)
    finally:
        (node.source.folder / "away").unlink()


# Sending


def test_mail_to_another_mailbox_is_signed(node: LiveNode) -> None:
    with node.submission(MIA) as line:
        assert line.sendmail(MIA, [JOE], letter(f"Mia <{MIA}>", "signed")) == {}
    (message,) = node.received(JOE, "signed")
    asked: list[bytes] = []
    assert dkim.verify(message, dnsfunc=lambda name, timeout=5: asked.append(name) or published(KEY))
    assert asked == [b"s1._domainkey.acme.example."]
    assert email.message_from_bytes(message)["Subject"] == "signed"


def test_what_would_leave_is_in_the_sink(node: LiveNode) -> None:
    with node.submission(MIA) as line:
        line.sendmail(MIA, ["one@far.example", "two@away.example"], letter(MIA, "outside"))
    assert until(lambda: sum(b"Subject: outside" in one for one in node.sunk()) == 2)
    assert all(b"DKIM-Signature" in one for one in node.sunk() if b"Subject: outside" in one)


def test_a_sender_not_ones_own(node: LiveNode) -> None:
    with node.submission(MIA) as line, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        line.sendmail(JOE, [KIM], letter(MIA, "forged envelope"))
    assert refused.value.recipients[KIM][0] == 553


@pytest.mark.parametrize("sender", [JOE, KIM, f"{MIA}, {KIM}", f"({MIA}) {KIM}"])
def test_a_from_not_ones_own(node: LiveNode, sender: str) -> None:
    with node.submission(MIA) as line, pytest.raises(smtplib.SMTPDataError) as refused:
        line.sendmail(MIA, [JOE], letter(sender, "forged From"))
    assert code(refused) == 550


def test_the_system_may_be_one_sender(node: LiveNode) -> None:
    password = node.config.system_password.read_text()  # type: ignore[union-attr]
    sender = node.config.notices_from
    with node.submission(node.config.system_login, password) as line:
        line.sendmail(sender, ["new@far.example"], letter(f"Postroom <{sender}>", "invite"))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            line.sendmail(MIA, ["new@far.example"], letter(MIA, "as somebody else"))
    assert until(lambda: any(b"Subject: invite" in one for one in node.sunk()))


# From outside


def test_mail_from_outside(node: LiveNode) -> None:
    with node.smtp() as line:
        line.starttls(context=unchecked())
        assert line.sendmail("far@out.example", [MIA], letter("far@out.example", "from far")) == {}
    assert node.received(MIA, "from far")


@pytest.mark.parametrize("sender, to, answer", [
    ("far@out.example", "nobody@acme.example", 550),
    ("far@out.example", "someone@elsewhere.example", 554),
    (MIA, JOE, 554),
    ("unknown@acme.example", KIM, 554),
])  # fmt: skip
def test_who_is_refused(node: LiveNode, sender: str, to: str, answer: int) -> None:
    with node.smtp() as line:
        line.ehlo()
        line.mail(sender)
        assert line.rcpt(to)[0] == answer


@pytest.mark.parametrize("end", [b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\n\n.\r\r\n"])
def test_no_second_message_is_smuggled(node: LiveNode, end: bytes) -> None:
    subject = f"smuggled {end.hex()}"
    inside = f"MAIL FROM:<ceo@far.example>\r\nRCPT TO:<{JOE}>\r\nDATA\r\nSubject: {subject}\r\n\r\nx\r\n.\r\n"
    with socket.create_connection((node.address, node.config.ports.smtp), 10, (node.client, 0)) as line:
        stream = line.makefile("rb")
        stream.readline()
        for command in ("HELO far.example", "MAIL FROM:<far@out.example>", f"RCPT TO:<{JOE}>", "DATA"):
            line.sendall(command.encode() + b"\r\n")
            assert stream.readline()[:1] in b"23"
        line.sendall(b"Subject: outer\r\n\r\nfirst" + end + inside.encode())
        line.settimeout(3)
        answers = []
        try:
            while answer := stream.readline():
                answers.append(answer)
                if answer.startswith(b"250"):
                    break
        except (TimeoutError, ConnectionError):
            pass
        stream.close()
    assert sum(answer.startswith(b"250") for answer in answers) <= 1
    time.sleep(0.5)
    assert not [
        one for one in node.received(JOE, subject, within=0.5) if b"From: ceo" in one or b"ceo@far" in one[:200]
    ]


def test_who_may_not_name_a_login_behind_the_proxy(node: LiveNode) -> None:
    """The port the submission proxy hands mail to: without its certificate there is no XCLIENT and no TLS."""
    with smtplib.SMTP(node.address, node.config.ports.behind, timeout=5) as line:
        line.ehlo()
        line.docmd(f"XCLIENT ADDR=127.0.0.1 LOGIN={MIA}")
        assert line.docmd("EHLO x")[0] == 250
        assert line.docmd(f"MAIL FROM:<{MIA}>")[0] == 530
    with (
        smtplib.SMTP(node.address, node.config.ports.behind, timeout=5) as line,
        pytest.raises((ssl.SSLError, OSError)),
    ):
        line.starttls(context=unchecked())
        line.ehlo()
        line.docmd(f"XCLIENT ADDR=127.0.0.1 LOGIN={MIA}")
        line.sendmail(MIA, [JOE], letter(MIA, "by the back door"))
    line.close()


def test_a_filter_sends_nothing_outside(node: LiveNode) -> None:
    """A redirect is kept as a script, and the mail is kept as mail (test_sieve_out_live.py has the rest)."""
    upload(node, JOE, 'redirect "spy@far.example";')
    with node.smtp() as stranger:
        stranger.sendmail("far@out.example", [JOE], letter("far@out.example", "filtered"))
    assert node.received(JOE, "filtered")
    assert not any(b"Subject: filtered" in one for one in node.sunk())
    remove(node, JOE)


# Who may read what


def test_secrets_are_for_those_who_need_them(node: LiveNode) -> None:
    folder = node.config.folder
    assert mode(folder / "db/secrets") == 0o2750
    assert {mode(one) for one in (folder / "db/secrets").iterdir()} == {0o640}
    assert {one.group() for one in (folder / "db/secrets").iterdir()} == {"postroom-secrets"}
    assert mode(folder / "dovecot/conf/dovecot.conf") == 0o600
    assert mode(folder / "tls/key.pem") == 0o600
    assert mode(folder / "keys/node.key") == 0o640
    loose = [
        one
        for one in folder.rglob("*")
        if not one.is_symlink() and mode(one) & 0o002 and not stat.S_ISSOCK(one.lstat().st_mode)
    ]
    assert [one for one in loose if "spool" not in str(one)] == []
    assert b"PRIVATE KEY" not in (folder / "db/keys/keys.db").read_bytes()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("verb", ["VRFY", "EXPN"])
def test_no_name_is_confirmed_to_who_only_asks(node: LiveNode, verb: str) -> None:
    with node.smtp() as line:
        line.ehlo()
        said = {line.docmd(verb, name)[0] for name in (MIA, "nobody@acme.example", "postmaster@acme.example")}
    assert len(said) == 1 and said <= {500, 502}, "one answer, whoever is asked for"
