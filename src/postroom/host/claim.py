"""One loopback address for one installation, so that two on a machine never meet.

A claim is an `flock` on `/run/lock/postroom/<address>`, held while its installation runs: the kernel lets go of it
however the holder ends. An address is free when nobody holds its lock and every port of the table can be bound.
Not 127.0.0.0/24: other programs live there. Tests claim from a network of their own.
"""

import contextlib
import errno
import fcntl
import ipaddress
import os
import secrets
import socket
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .ports import PORTS, Port

LOCKS = Path("/run/lock/postroom")
# Everything in 127.0.0.0/8 can be bound without set-up; the lower half is left to tests and other programs.
NETWORK = ipaddress.IPv4Network("127.128.0.0/9")
WEB_PORTS = range(8480, 8580)
TRIES = 200


class NoFreeAddress(Exception):
    """No address or port could be claimed; the message says what stood in the way."""


@dataclass(frozen=True)
class Claim:
    """Held until `release` or the end of the process."""

    name: str
    descriptor: int

    def release(self) -> None:
        os.close(self.descriptor)


def address(*, kept: str | None = None, network: ipaddress.IPv4Network = NETWORK, ports: Iterable[Port] = PORTS,
            locks: Path = LOCKS) -> Claim:  # fmt: skip
    """Claim `kept` if it is still free, else a random free address of the network. Its name is the address."""
    table = tuple(ports)
    blocked: Counter[str] = Counter()
    for attempt in range(TRIES):
        wanted = kept if kept and attempt == 0 else _random(network)
        claim = hold(wanted, locks)
        if claim is None:
            blocked["claimed by another installation"] += 1
            continue
        taken = [port for port in table if not free(wanted, port.number, udp=port.udp)]
        if not taken:
            return claim
        claim.release()
        blocked[
            f"port {taken[0].number} ({taken[0].name}) is taken, as by a program that listens on every address"
        ] += 1
    reasons = "; ".join(f"{count} x {reason}" for reason, count in blocked.most_common())
    raise NoFreeAddress(f"no free address in {network} after {TRIES} tries: {reasons}")


def web_port(numbers: Iterable[int] = WEB_PORTS, *, locks: Path = LOCKS) -> tuple[int, Claim]:
    """The first port free on 127.0.0.1 and, where there is one, ::1: browsers try `localhost` at ::1 first."""
    for number in numbers:
        claim = hold(f"localhost-{number}", locks)
        if claim is None:
            continue
        if all(free(host, number) for host in localhosts()):
            return number, claim
        claim.release()
    raise NoFreeAddress(f"no free port on localhost among {numbers}")


def localhosts() -> tuple[str, ...]:
    """127.0.0.1, and ::1 where the machine has it."""
    return ("127.0.0.1", "::1") if _bound("::1", 0, socket.SOCK_STREAM) else ("127.0.0.1",)


def hold(name: str, locks: Path = LOCKS) -> Claim | None:
    """Lock the file of this name; None if somebody else has it.

    The folder is for everybody, like /tmp: sticky, so that nobody removes another's file, and a file that may not be
    opened counts as held.
    """
    if not locks.is_dir():
        locks.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):
        locks.chmod(0o1777)
    try:
        descriptor = os.open(locks / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.ELOOP, errno.EPERM):
            return None
        raise
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Claim(name, descriptor)


def free(host: str, number: int, *, udp: bool = False) -> bool:
    """Can this port be bound now, as the daemons will bind it?"""
    return _bound(host, number, socket.SOCK_STREAM) and (not udp or _bound(host, number, socket.SOCK_DGRAM))


def _bound(host: str, number: int, sort: socket.SocketKind) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, sort) as probe:
            if sort == socket.SOCK_STREAM:  # connections just ended are no obstacle to servers either
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, number))
            return True
    except OSError:
        return False


def _random(network: ipaddress.IPv4Network) -> str:
    return str(network[1 + secrets.randbelow(network.num_addresses - 2)])
