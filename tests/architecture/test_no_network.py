"""No quick test speaks to another machine: the guard that says so finds it."""

import asyncio
import socket
from collections.abc import Callable

import pytest

OUTSIDE = ("192.0.2.1", 53)


def by_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"?", OUTSIDE)


def by_tcp() -> None:
    with socket.socket() as s:
        s.settimeout(0.1)
        s.connect(OUTSIDE)


def by_asyncio() -> None:
    asyncio.run(asyncio.wait_for(asyncio.open_connection(*OUTSIDE), 0.2))


def by_name() -> None:
    socket.create_connection(("mail.example.com", 25), timeout=0.1)


@pytest.mark.parametrize("way", [by_udp, by_tcp, by_asyncio, by_name])
def test_what_leaves_the_machine_is_stopped(way: Callable[[], None]) -> None:
    with pytest.raises(AssertionError, match=r"192\.0\.2\.1|mail\.example\.com"):
        way()


def test_what_stays_on_it_is_not() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        for host in ("127.0.0.1", "localhost"):
            socket.create_connection((host, server.getsockname()[1]), timeout=2).close()
