"""A ManageSieve client (RFC 5804), for tests: scripts as their owners put them there."""

import base64
import re
import socket

from live_node import PASSWORD, LiveNode, unchecked


def upload(node: LiveNode, address: str, script: str, password: str = PASSWORD) -> None:
    """Stored and active. Raises AssertionError with what the server said."""
    text = script.encode()
    plain = base64.b64encode(f"\0{address}\0{password}".encode())
    put = b'PUTSCRIPT "test" {%d+}\r\n%s' % (len(text), text)
    spoken(node, b'AUTHENTICATE "PLAIN" "%s"' % plain, put, b'SETACTIVE "test"')


def remove(node: LiveNode, address: str, password: str = PASSWORD) -> None:
    plain = base64.b64encode(f"\0{address}\0{password}".encode())
    spoken(node, b'AUTHENTICATE "PLAIN" "%s"' % plain, b'SETACTIVE ""')


def spoken(node: LiveNode, *commands: bytes) -> None:
    with socket.create_connection((node.address, node.config.ports.managesieve), 20, (node.client, 0)) as bare:
        told(bare)
        bare.sendall(b"STARTTLS\r\n")
        told(bare)
        with unchecked().wrap_socket(bare) as line:
            told(line)
            for command in commands:
                line.sendall(command + b"\r\n")
                told(line)


def told(line: socket.socket) -> None:
    """One answer, which must be OK."""
    answer = b""
    while not (re.search(rb"(?m)^(OK|NO|BYE)", answer) and answer.endswith(b"\r\n")):
        more = line.recv(4096)
        assert more, answer
        answer += more
    assert re.search(rb"(?m)^OK", answer), answer
