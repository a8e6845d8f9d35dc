"""A validating resolver of our own on loopback: its configuration, and the command that runs it.

Debian's unbound with the root's addresses and key from Debian's dns-root-data; nothing of /etc/unbound is read, there
is no remote control, and it answers to loopback alone. It keeps nothing on disk. Started as root it drops to a user
that owns nothing. Where zones are served by our own servers, as in a demo or a test, stubs say so.

Debian's AppArmor profile of /usr/sbin/unbound, where it is enforced, lets it read no configuration outside of
/etc/unbound and /var/lib/unbound: `profile_line` is what /etc/apparmor.d/local/usr.sbin.unbound has to say then.
"""

import ipaddress
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

HINTS, KEY = Path("/usr/share/dns/root.hints"), Path("/usr/share/dns/root.key")
REMEMBERED = 300  # seconds at most that an answer is kept, whatever its TTL: what was changed is seen soon
# Zones that unbound answers itself unless told otherwise (RFC 6761, 6303, 8375), by their ends.
OWN_ZONES = ("test", "invalid", "onion", "localhost", "home.arpa", "in-addr.arpa", "ip6.arpa")


class UnboundNotReady(Exception):
    """It cannot be set up; the message says what is missing."""


@dataclass(frozen=True)
class Stub:
    """A zone asked at these servers, (address, port), whatever its parent says. zone: without its last dot, the root is
    `.`. anchors: DS or DNSKEY records in text from which it is validated; without any, and where no anchor stands above
    it, nothing in it is."""

    zone: str
    servers: tuple[tuple[str, int], ...]
    anchors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unbound:
    """folder: its own. address, port: where it answers, on loopback. With a stub for the root, the real one is neither
    asked nor its key believed."""

    folder: Path
    address: str
    port: int = 53
    stubs: tuple[Stub, ...] = ()
    user: str = "unbound"

    def __post_init__(self) -> None:
        if not ipaddress.ip_address(self.address).is_loopback:
            raise ValueError(f"{self.address} is not on loopback: whoever reaches it could use it")

    @property
    def conf(self) -> Path:
        return self.folder / "unbound.conf"

    @property
    def profile_line(self) -> str:
        return f"{self.folder}/** r,"


def rendered(instance: Unbound, *, as_root: bool) -> str:
    """unbound.conf(5)."""
    lines = [
        "server:", f"interface: {instance.address}@{instance.port}", "interface-automatic: no",
        "access-control: 0.0.0.0/0 refuse", "access-control: 127.0.0.0/8 allow", "access-control: ::0/0 refuse",
        "access-control: ::1 allow",
        f'username: "{instance.user if as_root else ""}"', 'chroot: ""', f'directory: "{instance.folder}"',
        'pidfile: ""', "do-daemonize: no", "use-syslog: no", 'logfile: ""', "verbosity: 0",
        'module-config: "validator iterator"', "num-threads: 1", "msg-cache-size: 32m", "rrset-cache-size: 64m",
        "key-cache-size: 8m", "neg-cache-size: 4m", "outgoing-range: 1024", "num-queries-per-thread: 1024",
        "edns-buffer-size: 1232", "minimal-responses: yes",
        f"cache-max-ttl: {REMEMBERED}", f"cache-max-negative-ttl: {REMEMBERED}",
        "serve-expired: no", "prefetch: no", "hide-identity: yes", "hide-version: yes", "harden-glue: yes",
        "harden-dnssec-stripped: yes", "harden-below-nxdomain: yes", "qname-minimisation: yes", "use-caps-for-id: no",
        "val-permissive-mode: no", "ignore-cd-flag: yes", "val-log-level: 0",
    ]  # fmt: skip
    if not any(stub.zone == "." for stub in instance.stubs):
        lines += [f'root-hints: "{HINTS}"', f'trust-anchor-file: "{KEY}"']
    if any(ipaddress.ip_address(address).is_loopback for stub in instance.stubs for address, _ in stub.servers):
        lines.append("do-not-query-localhost: no")
    for stub in instance.stubs:
        lines += _judged(stub, instance.stubs)
    lines += ["remote-control:", "control-enable: no"]
    for stub in instance.stubs:
        lines += ["stub-zone:", f'name: "{stub.zone}"', "stub-no-cache: no", "stub-prime: no"]
        lines += [f"stub-addr: {address}@{port}" for address, port in stub.servers]
    return "".join(f"{line}\n" if line.endswith(":") else f"    {line}\n" for line in lines)


def _judged(stub: Stub, stubs: tuple[Stub, ...]) -> list[str]:
    """What is needed for a zone of ours to be answered, and validated from its own anchors or not at all."""
    zone = stub.zone.rstrip(".")
    # A local zone of exactly this name lets through what the one above it, which is unbound's own, says is not there.
    own = any(zone == one or zone.endswith(f".{one}") for one in OWN_ZONES)
    lines = [f'local-zone: "{zone}." transparent'] if own else []
    if not zone and not any(other.zone == "test" for other in stubs):
        lines = ['local-zone: "test." transparent']
    anchored = stub.anchors or any(other.anchors and _above(other.zone, stub.zone) for other in stubs)
    return lines + [f'trust-anchor: "{one}"' for one in stub.anchors] + (
        [] if anchored else [f'domain-insecure: "{stub.zone}"']
    )  # fmt: skip


def _above(zone: str, other: str) -> bool:
    return zone == "." or f".{other}".endswith(f".{zone}")


def prepare(instance: Unbound) -> None:
    """Make the folder and the configuration. Raises UnboundNotReady."""
    if not HINTS.exists() or not KEY.exists():
        raise UnboundNotReady("the root's addresses and key are not there (Debian: dns-root-data)")
    instance.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = instance.conf.with_suffix(".new")
    fresh.write_text(rendered(instance, as_root=os.geteuid() == 0))
    fresh.chmod(0o644)
    fresh.rename(instance.conf)


def command(instance: Unbound) -> list[str]:
    """The command line that runs it in the foreground; SIGTERM ends it."""
    program = shutil.which("unbound", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise UnboundNotReady("unbound is not installed (Debian: unbound)")
    return [program, "-d", "-c", str(instance.conf)]
