"""What a mail node is made of: its settings, its folder, and who owns what in it.

    <folder>/           root, 0755; everybody may pass, which the daemons must
      db/maps|secrets|keys   2750 agent:readers, one folder a file: SQLite's -wal and -shm take the folder's group
      keys/             what opens things: the node's own key, doveadm's, the system sender's hash
      postfix/          conf -> conf-<marker>, spool (its queue), data
      dovecot/          conf -> conf-<marker>, run (base_dir), state
      mail/             Maildirs, one uid
      opened/           a link to each mailbox that others open (opening.py)
      openers/          who opens which, for lists of them (Dovecot's)
      policy/           who is known to which account (auth_policy.py)
      sieve/            what the agent read of scripts (sieve_known.py)
      returned/         a Maildir: what mail servers say of our own letters (returned.py)
      run/              pid files, sockets between our processes
      tls/ log/

Makes folders and reads versions; starts nothing.
"""

import json
import os
import re
import subprocess
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from postroom.host import files

MAPS = ("maps", "secrets", "keys")
PACKAGES = {"postfix": "postfix", "dovecot": "dovecot-core"}


class NodeRefused(Exception):
    """The node cannot be where or what the settings say; the message names what stands in the way."""


@dataclass(frozen=True)
class Ports:
    """On the node's address. LMTP and the milter are unix sockets (who may enter is the file system's business), so
    their numbers are only kept free."""

    smtp: int = 2525
    submission: int = 2587
    submissions: int = 2465
    imap: int = 2143
    imaps: int = 2993
    managesieve: int = 4190
    lmtp: int = 2524
    doveadm: int = 2080
    auth_policy: int = 2081
    behind: int = 2590
    sieve_out: int = 2591
    forwards: int = 2592
    bounces: int = 2593
    srs_forward: int = 2594
    srs_reverse: int = 2595
    milter: int = 2534


@dataclass(frozen=True)
class Users:
    """System users and groups; the installer makes them."""

    agent: str = "postroom-agent"
    auth: str = "postroom-auth"
    milter: str = "postroom-milter"
    policy: str = "postroom-policy"
    mail: str = "postroom-mail"
    srs: str = "postroom-srs"
    maps_group: str = "postroom-maps"
    secrets_group: str = "postroom-secrets"
    keys_group: str = "postroom-keys"
    web: str = "postroom"  # whose primary group it is too
    sieve: str = "postroom-sieve"


@dataclass(frozen=True)
class NodeConfig:
    """One mail node. Versions are (major, minor, patch) of what is installed; `versions()` asks for them."""

    name: str
    folder: Path
    address: str
    ports: Ports = field(default_factory=Ports)
    hostname: str = "mx.postroom.example"
    sink: Path | None = None  # a Maildir takes every message that would leave; None: it leaves
    generation: int = 1  # of what is rendered; raise it to have the same text loaded anew
    system_login: str = "postroom@system"  # the control plane's own mail
    system_password: Path | None = None  # file with its password, one line
    notices_from: str = "postroom@postroom.example"  # the one sender it may be
    users: Users = field(default_factory=Users)
    postfix_version: tuple[int, ...] = ()
    dovecot_version: tuple[int, ...] = ()

    def database(self, name: str) -> Path:
        return self.folder / "db" / name / f"{name}.db"

    @property
    def postfix_conf(self) -> Path:
        return self.folder / "postfix/conf"

    @property
    def dovecot_conf(self) -> Path:
        return self.folder / "dovecot/conf/dovecot.conf"

    @property
    def node_key(self) -> Path:
        return self.folder / "keys/node.key"

    @property
    def doveadm_key(self) -> Path:
        return self.folder / "keys/doveadm.key"

    @property
    def system_hash(self) -> Path:
        return self.folder / "keys/system.hash"

    @property
    def srs_key(self) -> Path:
        return self.folder / "keys/srs.key"

    @property
    def srs_domain(self) -> str:
        """What a sender that was passed on is rewritten to: the node's own name, since it alone can read it again."""
        return self.hostname

    @property
    def inside(self) -> str:
        """Where we speak to ourselves without a key: loopback, whatever address the node has."""
        return self.address if self.address.startswith("127.") else "127.0.0.1"

    @property
    def milter_socket(self) -> Path:
        return self.folder / "run/milter/milter.sock"

    @property
    def sieve_socket(self) -> Path:
        """The milter's, for what filters send."""
        return self.folder / "run/milter/sieve.sock"

    @property
    def milter_status(self) -> Path:
        return self.folder / "run/milter/status.sock"

    @property
    def web_auth(self) -> Path:
        """Where the pages ask for a mailbox's password; only their user enters the folder."""
        return self.folder / "run/web/auth-web"

    @property
    def policy_key(self) -> Path:
        return self.folder / "keys/policy.key"

    @property
    def policy_socket(self) -> Path:
        return self.folder / "run/policy/policy.sock"

    @property
    def known_sources(self) -> Path:
        return self.folder / "policy/known.db"

    @property
    def sieve_known(self) -> Path:
        return self.folder / "sieve/known.db"

    @property
    def returned(self) -> Path:
        return self.folder / "returned"

    @property
    def ask_socket(self) -> Path:
        return self.folder / "run/parent/ask.sock"

    @property
    def ready_file(self) -> Path:
        return self.folder / "run/agent/ready"


def versions() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of the Postfix and the Dovecot that are installed."""
    postfix = _output("postconf", "-dh", "mail_version")
    return _version(postfix), _version(_output("dovecot", "--version"))


def _output(*command: str) -> str:
    path = os.pathsep.join((os.environ.get("PATH", "/usr/bin:/bin"), "/usr/sbin", "/sbin"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, env={"PATH": path}, check=True)
    return done.stdout.strip()


def _version(text: str) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    if found is None:
        raise NodeRefused(f"no version number in {text!r}")
    return tuple(int(part or 0) for part in found.groups())


def packages(config: NodeConfig) -> dict[str, str]:
    """Engine → its version as the distribution counts it, mends of its own included (1:2.3.19.1+dfsg1-2.1+deb12u7);
    where no package is known, the engine's own number. Empty for one that is not known at all."""
    own = {"postfix": config.postfix_version, "dovecot": config.dovecot_version}
    return {engine: _packaged(PACKAGES[engine]) or ".".join(map(str, number)) for engine, number in own.items()}


def _packaged(package: str) -> str:
    try:
        return _output("dpkg-query", "-W", "-f", "${Version}", package)
    except (OSError, subprocess.SubprocessError):
        return ""


def make_folders(config: NodeConfig) -> None:
    """Every folder with its owner and mode; asked again it changes nothing. Needs root."""
    refuse_closed(config.folder)
    users, top = config.users, config.folder
    for plain in ("", "db", "keys", "postfix", "dovecot", "run", "tls", "log"):
        files.folder(top / plain)
    for name, group in zip(MAPS, (users.maps_group, users.secrets_group, users.keys_group), strict=True):
        files.folder(top / "db" / name, owner=users.agent, group=group, mode=0o2750)
    files.folder(top / "postfix/spool")
    files.folder(top / "postfix/data", owner="postfix", mode=0o700)
    files.folder(top / "run/agent", owner=users.agent, mode=0o750)
    files.folder(top / "run/milter", owner=users.milter, group=users.maps_group, mode=0o2750)
    files.folder(top / "run/policy", owner=users.policy, group=users.agent, mode=0o2750)
    files.folder(top / "policy", owner=users.policy, mode=0o700)
    files.folder(top / "sieve", owner=users.agent, mode=0o700)
    for folder in (config.returned, *(config.returned / part for part in ("cur", "new", "tmp"))):
        files.folder(folder, owner=users.agent, mode=0o700)
    files.folder(top / "run/parent", owner="root", group=users.agent, mode=0o750)
    files.folder(top / "run/web", owner="root", group=users.web, mode=0o750)
    for mails in ("mail", "openers"):
        files.folder(top / mails, owner=users.mail, mode=0o700)
    files.folder(top / "opened")
    if config.sink is not None:
        for folder in (config.sink, *(config.sink / part for part in ("cur", "new", "tmp"))):
            if not folder.exists():
                files.folder(folder, owner=users.mail, mode=0o755)


def refuse_closed(folder: Path) -> None:
    """A folder above that the service users cannot enter is refused by name."""
    for above in folder.resolve().parents:
        if above.exists() and not above.stat().st_mode & 0o001:
            raise NodeRefused(f"{above}: service users cannot enter it (its mode lacks o+x)")


def save(config: NodeConfig, dsn: str, path: Path, group: str | None = None) -> None:
    """The settings as JSON, for `python -m postroom.engines.node --config`. For root and this group: a dsn may hold a
    key."""
    value = asdict(config) | {"dsn": dsn}
    text = json.dumps(value, indent=2, default=str) + "\n"
    files.write(path, text.encode(), mode=0o640, group=group)


def load(path: Path) -> tuple[NodeConfig, str]:
    """(settings, dsn) from such a file; raises NodeRefused naming everything in it that is unknown or missing."""
    value = json.loads(path.read_text())
    dsn = value.pop("dsn", "")
    known = {one.name for one in fields(NodeConfig)}
    wrong = sorted(set(value) - known) + [f"no {name}" for name in ("name", "folder", "address") if name not in value]
    wrong += [f"{name} is more than one word" for name in sorted(known & set(value)) if not _one_word(value[name])]
    if wrong:
        raise NodeRefused(f"{path}: {', '.join(wrong)}")
    return NodeConfig(**{name: _read(name, one) for name, one in value.items()}), dsn


def _one_word(value: Any) -> bool:
    """Settings are rendered into the daemons' configurations as they are: a line end would make two of one."""
    return not isinstance(value, str) or not re.search(r"[\s\x00-\x1f\x7f$%{}\"';]", value)


def _read(name: str, value: Any) -> Any:
    if name in ("folder", "sink", "system_password"):
        return None if value is None else Path(value)
    if name == "ports":
        return Ports(**value)
    if name == "users":
        return Users(**value)
    return tuple(value) if name.endswith("_version") else value
