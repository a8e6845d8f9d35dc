"""The other side of the mail benches: the same Postfix and Dovecot with static maps, set up by hand, none of our code.

One process less on the way wherever a careful administrator would have it so: Postfix reads indexed files itself,
Dovecot one passwd-file that it keeps in memory, submission is Postfix's own port with SASL by Dovecot. Passwords have
the same hash as ours, so that what a sign-in costs is the same.
"""

import ipaddress
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from postroom.engines.layout import Ports, Users, versions
from postroom.host import claim, files, processes

HERE = Path(__file__).parent
MAIL = Users().mail
NETWORK = ipaddress.IPv4Network("127.64.0.0/10")  # as in the tests
PATH = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


@dataclass
class Plain:
    """Runs in a folder, on an address, with the port numbers of our node."""

    folder: Path
    address: str
    ports: Ports

    @property
    def mail(self) -> Path:
        return self.folder / "mail"

    @property
    def users(self) -> Path:
        return self.folder / "dovecot/users"

    def write_users(self, hashes: Mapping[str, str]) -> None:
        """The passwd-file anew, by one rename; Dovecot looks at its time and size at every sign-in."""
        lines = (f"{address}:{hash}::::::\n" for address, hash in hashes.items())
        files.write(self.users, "".join(lines).encode(), mode=0o640, group="dovecot")

    def doveadm(self, *words: str) -> tuple[int, str]:
        """(exit code, what it says)"""
        command = ["doveadm", "-c", str(self.folder / "dovecot/dovecot.conf"), *words]
        done = subprocess.run(command, env=PATH, capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout

    def prepare(self, tls: Path, hashes: Mapping[str, str]) -> None:
        """`tls` is the folder of our node's certificate, which both show."""
        for part in ("", "log", "dovecot", "postfix", "postfix/spool", "postfix/conf"):
            files.folder(self.folder / part)
        files.folder(self.folder / "postfix/data", owner="postfix", mode=0o700)
        files.folder(self.mail, owner=MAIL, mode=0o700)
        shutil.copytree(tls, self.folder / "tls")
        self.write_users(hashes)
        types = _run("postconf", "-m").split()
        values = {"folder": str(self.folder), "address": self.address, "mail": MAIL,
                  "type": next(one for one in ("hash", "lmdb", "cdb", "texthash") if one in types),
                  **{name: str(number) for name, number in vars(self.ports).items()}}  # fmt: skip
        language = "2.4" if versions()[1] >= (2, 4) else "2.3"
        _fill(HERE / f"dovecot/{language}.conf", self.folder / "dovecot/dovecot.conf", values)
        for name in ("main.cf", "master.cf"):
            _fill(HERE / "postfix" / name, self.folder / "postfix/conf" / name, values)
        self._maps(values["type"], hashes)

    def _maps(self, sort: str, addresses: Iterable[str]) -> None:
        conf = self.folder / "postfix/conf"
        rows = {"mailboxes": dict.fromkeys(addresses, "x"), "senders": {one: one for one in addresses},
                "domains": {one.partition("@")[2]: "x" for one in addresses},
                "aliases": {"postmaster@plain.example": next(iter(addresses))}}  # fmt: skip
        for name, table in rows.items():
            (conf / name).write_text("".join(f"{key} {value}\n" for key, value in table.items()))
            if sort != "texthash":
                _run("postmap", "-c", str(conf), f"{sort}:{conf / name}")

    def start(self) -> None:
        _run("dovecot", "-c", str(self.folder / "dovecot/dovecot.conf"))
        _run("postfix", "-c", str(self.folder / "postfix/conf"), "start")

    def stop(self) -> None:
        """Both by the pid their masters wrote."""
        for name in ("postfix/spool/pid/master.pid", "dovecot/run/master.pid"):
            if process := processes.from_pid_file(self.folder / name):
                processes.end([process], within=10)


def _fill(template: Path, target: Path, values: Mapping[str, str]) -> None:
    text = template.read_text()
    for word, value in values.items():
        text = text.replace(f"@{word}@", value)
    files.write(target, text.encode(), mode=0o644)


def _run(*command: str) -> str:
    """What it says goes to a file: a daemon it leaves behind would hold a pipe open."""
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(command, env=PATH, stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=60)
        said.seek(0)
        text = said.read()
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {text[-1000:]}")
    return text


@contextmanager
def plain(tls: Path, hashes: Mapping[str, str]) -> Iterator[Plain]:
    """Running, with these mailboxes (address → hash as Dovecot writes it)."""
    folder = Path(tempfile.mkdtemp(prefix="postroom-plain-", dir=os.environ.get("TMPDIR")))
    address = claim.address(network=NETWORK)
    stack = Plain(folder, address.name, Ports())
    try:
        folder.chmod(0o755)
        stack.prepare(tls, hashes)
        stack.start()
        yield stack
    finally:
        stack.stop()
        address.release()
        shutil.rmtree(folder, ignore_errors=True)
