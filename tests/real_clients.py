"""Mail programs that people use, from Debian's packages: mbsync (isync) reads, msmtp sends, openssl s_client stays.

Each comes from another address of this machine: Dovecot slows a source down for its failures, and of those tests have
many. mbsync cannot choose one, so it goes through a tunnel that `openssl s_client` makes, as its manual has it.
"""

import base64
import os
import secrets
import select
import shlex
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from world import Stack

PATIENCE = 20
# What mbsync says of a token that is refused, and then waits: the reason comes as one more challenge (RFC 7628, 3.2.3).
MORE_STEPS = "wants more steps"


@dataclass(frozen=True)
class Server:
    """Where a mail node answers. certificate: the one it shows, to be trusted. name: what that is made out to."""

    host: str
    imaps: int
    submissions: int
    managesieve: int
    certificate: Path
    name: str


def server_of(stack: Stack) -> Server:
    (host, imaps), (_, submissions), (_, sieve) = map(stack.host_port, ("imaps", "submissions", "managesieve"))
    return Server(host, imaps, submissions, sieve, stack.state / "node/tls/cert.pem", "localhost")


@dataclass(frozen=True)
class Credential:
    """What a program shows. mechanism: of SASL, by which it shows it (MECHANISMS)."""

    login: str
    secret: str
    mechanism: str = "PLAIN"

    @property
    def bearer(self) -> bool:
        """Whether it is a token, and no password."""
        return self.mechanism != "PLAIN"

    @property
    def shown(self) -> bytes:
        """The first answer to AUTHENTICATE."""
        return base64.b64encode(MECHANISMS[self.mechanism].format(login=self.login, secret=self.secret).encode())


MECHANISMS = {
    "PLAIN": "\0{login}\0{secret}",  # RFC 4616
    "XOAUTH2": "user={login}\x01auth=Bearer {secret}\x01\x01",  # as Google has it
    "OAUTHBEARER": "n,a={login},\x01auth=Bearer {secret}\x01\x01",  # RFC 7628, 3.1
}


def somewhere() -> str:
    return f"127.{64 + secrets.randbelow(64)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"


def _tls(server: Server, port: int) -> list[str]:
    trusted = ["-CAfile", str(server.certificate), "-verify_return_error", "-verify_hostname", server.name]
    at = ["-connect", f"{server.host}:{port}", "-servername", server.name, "-bind", f"{somewhere()}:0"]
    return ["openssl", "s_client", "-quiet", "-verify_quiet", *trusted, *at]


def _environ(folder: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"}


def _run(*words: str, folder: Path, said: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(words, input=said, capture_output=True, timeout=60, env=_environ(folder), cwd=folder)


def _heard(*words: str, folder: Path, until: str) -> tuple[int, str]:
    """(how it ended, all it said); it is ended as soon as it says this."""
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(words, env=_environ(folder), cwd=folder, text=True, errors="replace", **pipe) as process:
        late, said = threading.Timer(60, process.kill), ""
        late.start()
        for line in process.stdout or ():
            said += line
            if until in line:
                process.kill()
        late.cancel()
    return process.returncode, said


def mbsync(server: Server, by: Credential, *, tunnel: bool = True) -> list[bytes]:
    """The messages of the inbox as they are on this machine afterwards; PermissionError where it was not let in."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "secret").write_text(by.secret)
        way = (
            f'Tunnel "{shlex.join(_tls(server, server.imaps))} -no_ign_eof 2>/dev/null"\n' if tunnel
            else f"Host {server.host}\nPort {server.imaps}\nSSLType IMAPS\nCertificateFile {server.certificate}\n"
            "SystemCertificates no\n"
        )  # fmt: skip
        (folder / "rc").write_text(
            f'IMAPStore far\n{way}User {by.login}\nPassCmd "cat {folder}/secret"\n'
            f"AuthMechs {by.mechanism if by.bearer else 'LOGIN'}\n\n"
            f"MaildirStore near\nPath {folder}/mail/\nInbox {folder}/mail/INBOX\n\n"
            "Channel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n"
        )
        (folder / "mail").mkdir()
        for _ in range(3):
            ended, said = _heard("mbsync", "-c", str(folder / "rc"), "-a", folder=folder, until=MORE_STEPS)
            if ended and ("LOGIN" in said or MORE_STEPS in said):
                raise PermissionError(said)
            if not ended:
                break
            time.sleep(1)  # cut off: a node kicks twice, a moment apart, and a program comes back (engines/ending.py)
        assert ended == 0, said
        return [path.read_bytes() for path in sorted((folder / "mail/INBOX").rglob("*")) if path.parent.name == "new"]


def msmtp(server: Server, by: Credential, to: str, message: bytes) -> None:
    """Hands a message in; PermissionError where it was not let in (EX_NOPERM, sysexits.h)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rc = folder / "rc"
        rc.write_text(
            f"account default\nhost {server.host}\nport {server.submissions}\ntls on\ntls_starttls off\n"
            f"tls_trust_file {server.certificate}\ntls_host_override {server.name}\nsource_ip {somewhere()}\n"
            f"auth {by.mechanism.lower()}\nuser {by.login}\nfrom {by.login}\n"
            'passwordeval "cat secret"\n'  # a line of its own file is 500 characters at most, and a token is more
        )
        (folder / "secret").write_text(by.secret)
        for _ in range(3):
            done = _run("msmtp", "-C", str(rc), to, folder=folder, said=message)
            said = done.stderr.decode(errors="replace")
            if " 421 " not in said:  # for now (RFC 5321, 4.2.1): a node kicks twice, a moment apart
                break
            time.sleep(1)
        if done.returncode == 77:
            raise PermissionError(said)
        assert done.returncode == 0, said


class Held:
    """A session that stays open in `openssl s_client`, until somebody ends it."""

    def __init__(self, server: Server, port: int, *more: str) -> None:
        self.process = subprocess.Popen(
            [*_tls(server, port), *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.heard = b""

    def say(self, line: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + b"\r\n")
        self.process.stdin.flush()

    def hear(self, *one_of: bytes) -> bytes:
        """The next line that begins with one of these; PermissionError for one that refuses."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            while b"\n" in self.heard:
                line, _, self.heard = self.heard.partition(b"\n")
                if line.startswith(one_of):
                    return line
                if line.startswith((b"a NO", b"NO ", b"535")):
                    raise PermissionError(line.decode())
            self._more(end)
        raise AssertionError(f"none of {one_of} came; {self.heard!r}")

    def _more(self, end: float) -> None:
        assert self.process.stdout
        ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
        got = os.read(self.process.stdout.fileno(), 65536) if ready else b""
        assert got, f"it ended: {self.heard!r}"
        self.heard += got

    def signs_in(self, line: bytes, let_in: bytes, challenged: bytes, answer: bytes) -> None:
        """A token that is refused gets a challenge with the reason, and waits for an answer (RFC 7628, 3.2.3)."""
        try:
            self.say(line)
            if not self.hear(let_in, challenged).startswith(let_in):
                self.say(answer)
                self.hear(let_in)
        except PermissionError:
            self.close()
            raise

    def is_open(self) -> bool:
        """Whether it is there still, and answers."""
        try:
            self.say(self.question)
            self.hear(self.answer)
        except (AssertionError, OSError):
            return False
        return True

    question, answer = b"NOOP", b"OK"

    def is_open_after(self, since: float, *, ending: bool) -> bool:
        """Whether it goes on. ending: it should not, so it is given time, until so long after `since`."""
        while ending and self.process.poll() is None and time.monotonic() < since + PATIENCE and self.is_open():
            time.sleep(0.2)
        return self.process.poll() is None and self.is_open()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


class Reading(Held):
    """IMAP, waiting for mail as a phone does (IDLE, RFC 2177)."""

    question, answer = b"DONE\r\na IDLE", b"+ "

    def __init__(self, server: Server, by: Credential) -> None:
        super().__init__(server, server.imaps)
        self.hear(b"* OK")
        self.signs_in(f"a AUTHENTICATE {by.mechanism} ".encode() + by.shown, b"a OK", b"+ ", b"")
        self.say(b"a SELECT INBOX")
        self.hear(b"a OK")
        self.say(b"a IDLE")
        self.hear(b"+ ")


class Sending(Held):
    """SMTP submission, signed in and with nothing to send yet."""

    question, answer = b"NOOP", b"250"

    def __init__(self, server: Server, by: Credential) -> None:
        super().__init__(server, server.submissions)
        self.hear(b"220")
        self.say(b"EHLO laptop.example")
        self.hear(b"250 ")
        self.signs_in(f"AUTH {by.mechanism} ".encode() + by.shown, b"235", b"334", b"")


class Filtering(Held):
    """ManageSieve (RFC 5804)."""

    def __init__(self, server: Server, by: Credential) -> None:
        super().__init__(server, server.managesieve, "-starttls", "sieve")
        self.hear(b"OK")
        self.signs_in(b'AUTHENTICATE "%s" "%s"' % (by.mechanism.encode(), by.shown), b"OK", b'"', b'""')


PROTOCOLS: dict[str, Callable[[Server, Credential], Held]] = {
    "imap": Reading, "submission": Sending, "managesieve": Filtering,
}  # fmt: skip


def opens(server: Server, by: Credential) -> dict[str, bool]:
    """Which protocols it opens."""
    return {name: _let_in(lambda at, by, one=one: one(at, by).close(), server, by) for name, one in PROTOCOLS.items()}


def signs_in(server: Server, by: Credential) -> dict[str, bool]:
    """By which program somebody gets in. Tokens mbsync shows by a plugin of SASL's, and Debian has one for XOAUTH2."""
    can = {name: attempt for name, attempt in PROGRAMS.items() if name != "mbsync" or by.mechanism != "OAUTHBEARER"}
    return {name: _let_in(attempt, server, by) for name, attempt in can.items()}


def _let_in(attempt: Callable[[Server, Credential], object], server: Server, by: Credential) -> bool:
    try:
        attempt(server, by)
    except PermissionError:
        return False
    return True


def _sends_to_itself(server: Server, by: Credential) -> None:
    message = f"From: {by.login}\r\nTo: {by.login}\r\nSubject: sent by msmtp\r\n\r\nHello\r\n"
    msmtp(server, by, by.login, message.encode())


def _filters(server: Server, by: Credential) -> None:
    Filtering(server, by).close()


PROGRAMS: dict[str, Callable[[Server, Credential], object]] = {
    "mbsync": mbsync, "msmtp": _sends_to_itself, "openssl": _filters,
}  # fmt: skip
