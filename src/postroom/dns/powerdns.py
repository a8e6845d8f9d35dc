"""A private PowerDNS for one installation: its configuration, its database, the command that runs it.

Debian's pdns-server 4.7 and 4.9 with the SQLite backend. Everything lies in one folder, nothing of
/etc/powerdns is read; zones are native, written through the API alone. Starting, watching and stopping
the process is somebody else's work.
"""

import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

DNS_PORT, API_PORT = 5300, 5302
SCHEMAS = (
    Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"),
    Path("/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql"),
)
SOCKET_PATH_LIMIT = 107  # of a Unix socket, in octets


class PowerDnsNotReady(Exception):
    """The private PowerDNS cannot be set up; the message says what is missing."""


@dataclass(frozen=True)
class PowerDns:
    """One instance. `folder` is its own; `address` the loopback address of the installation.

    also: a further port of that address where it answers, 53 for whoever follows a delegation; 0: none.
    """

    folder: Path
    address: str
    api_key: str
    nameservers: tuple[str, ...] = ("ns1.postroom.example", "ns2.postroom.example")
    port: int = DNS_PORT
    api_port: int = API_PORT
    user: str = "pdns"
    also: int = 0

    def __post_init__(self) -> None:
        # It becomes one line of a configuration and one HTTP header.
        object.__setattr__(self, "api_key", self.api_key.strip())
        if not (self.api_key.isascii() and self.api_key.isprintable() and self.api_key):
            raise PowerDnsNotReady("the API key must be one line of plain characters")

    @property
    def database(self) -> Path:
        return self.folder / "data" / "zones.sqlite3"

    @property
    def settings(self) -> dict[str, str]:
        """What `dns.providers.open_provider("powerdns", …)` needs."""
        return {"host": self.address, "port": str(self.api_port), "api_key": self.api_key}


def rendered(instance: PowerDns, *, as_root: bool) -> str:
    """The text of pdns.conf."""
    primary = instance.nameservers[0].rstrip(".")
    lines = {
        "launch": "gsqlite3",
        "gsqlite3-database": str(instance.database),
        "gsqlite3-pragma-foreign-keys": "yes",
        "local-address": instance.address + (f",{instance.address}:{instance.also}" if instance.also else ""),
        "local-port": str(instance.port),
        "socket-dir": str(instance.folder / "data"),
        "webserver": "yes",
        "webserver-address": instance.address,
        "webserver-port": str(instance.api_port),
        "webserver-allow-from": "127.0.0.0/8",
        "webserver-loglevel": "none",
        "api": "yes",
        "api-key": instance.api_key,
        "default-soa-content": f"{primary} hostmaster.@ 0 10800 3600 604800 60",
        "default-api-rectify": "yes",
        "disable-axfr": "yes",
        # What stands in the database is what is served: read-back must not meet a cache.
        "cache-ttl": "0",
        "query-cache-ttl": "0",
        "negquery-cache-ttl": "0",
        "zone-cache-refresh-interval": "0",
        # Asks a host of the makers for known flaws once an hour; nothing here goes outside.
        "security-poll-suffix": "",
        "version-string": "anonymous",
        "daemon": "no",
        "guardian": "no",
        "disable-syslog": "yes",
        "log-timestamp": "yes",
        "loglevel": "4",
        "receiver-threads": "1",
        "distributor-threads": "1",
    }
    if as_root:
        lines |= {"setuid": instance.user, "setgid": instance.user}
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def prepare(instance: PowerDns) -> None:
    """Make the folder, the database and the configuration; what is there already keeps its zones.

    Raises PowerDnsNotReady.
    """
    if len(os.fsencode(instance.folder / "data" / "pdns.controlsocket")) > SOCKET_PATH_LIMIT:
        raise PowerDnsNotReady(f"{instance.folder} is too long a path for a socket")
    as_root = os.geteuid() == 0
    instance.folder.mkdir(mode=0o755, exist_ok=True)
    data = instance.database.parent
    data.mkdir(mode=0o750, exist_ok=True)
    if not instance.database.exists():
        _make_database(instance.database)
    conf = instance.folder / "pdns.conf"
    # Root reads it before it drops its rights: the key is nobody else's.
    conf.unlink(missing_ok=True)
    with open(os.open(conf, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(rendered(instance, as_root=as_root))
    if as_root:
        for path in (data, *data.iterdir()):
            if path.is_dir() or path.is_file():
                shutil.chown(path, instance.user, instance.user)


def command(instance: PowerDns) -> list[str]:
    """The command line that runs it in the foreground; SIGTERM ends it."""
    program = shutil.which("pdns_server", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise PowerDnsNotReady("pdns_server is not installed (Debian: pdns-server, pdns-backend-sqlite3)")
    return [program, f"--config-dir={instance.folder}"]


def _make_database(path: Path) -> None:
    schema = next((one for one in SCHEMAS if one.exists()), None)
    if schema is None:
        raise PowerDnsNotReady("the SQLite schema of PowerDNS is not installed (Debian: pdns-backend-sqlite3)")
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    database = sqlite3.connect(fresh)
    try:
        database.executescript(schema.read_text())
        database.execute("PRAGMA journal_mode=WAL")
    finally:
        database.close()
    fresh.rename(path)
