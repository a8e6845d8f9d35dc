"""Another mail server, on loopback, that keeps what it is handed; and the rows by which a node hands it mail."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from live_node import LiveNode, mailbox


@dataclass
class Message:
    """One message as the other server was given it."""

    sender: str
    to: list[str]
    text: bytes

    @property
    def subject(self) -> str:
        return next(line[9:].decode() for line in self.text.splitlines() if line.startswith(b"Subject: "))


@dataclass
class Other:
    """It takes all, without TLS; whom it refuses is said in `refuses`."""

    host: str
    port: int
    got: list[Message] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    def with_subject(self, subject: str) -> list[Message]:
        return [one for one in self.got if one.subject == subject]


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        other: Other = self.server.other  # type: ignore[attr-defined]
        sender, to = "", list[str]()
        self._say("220 other.example ESMTP")
        while line := self.rfile.readline().decode().strip():
            word, rest = line[:4].upper(), line.partition(":")[2]
            address = rest.partition("<")[2].partition(">")[0]
            if word == "EHLO":
                self._say("250 other.example")
            elif word == "MAIL":
                sender, to = address, []
                self._say("250 ok")
            elif word == "RCPT" and address in other.refuses:
                self._say("550 5.1.1 nobody of this name here")
            elif word == "RCPT":
                to.append(address)
                self._say("250 ok")
            elif word == "DATA":
                self._say("354 go on")
                other.got.append(Message(sender, to, self._text()))
                self._say("250 2.0.0 kept")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok" if word in ("RSET", "NOOP") else "502 5.5.1 not here")

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")

    def _text(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        return b"".join(lines)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True


@contextlib.contextmanager
def another_server(host: str) -> Iterator[Other]:
    server = _Server((host, 0), _Session)
    server.other = Other(host, server.server_address[1])  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.other  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


def hand_over(
    node: LiveNode, address: str, host: str, port: int, *, tls: int = 0, until: int | None = None, box: bool = True
) -> None:
    """As the control plane compiles it: mail of the address is taken, for the other server."""
    rows = mailbox(address) if box else {"maps": {}, "secrets": {}}
    route = {"source": address, "destination": address, "until": None if box else until}
    handed = {"address": address, "host": host, "port": port, "tls": tls, "until": until}
    node.put("address", address, {**rows, "maps": {**rows["maps"], "route": [route], "handed": [handed]}})
