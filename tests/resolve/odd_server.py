"""A name server that answers as a test tells it to, on UDP and TCP at one port of its own."""

import socket
import struct
import threading
from collections.abc import Callable

import dns.message

Reply = Callable[[dns.message.Message, str], bytes | None]


class OddServer:
    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.asked: list[str] = []
        while True:
            self.tcp = socket.create_server(("127.0.0.1", 0))
            self.port = self.tcp.getsockname()[1]
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self.udp.bind(("127.0.0.1", self.port))
                break
            except OSError:
                self.tcp.close()
                self.udp.close()
        self.threads = [threading.Thread(target=serve) for serve in (self._serve_udp, self._serve_tcp)]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
            plug.sendto(b"", ("127.0.0.1", self.port))
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in self.threads:
            thread.join(5)
        self.udp.close()
        self.tcp.close()

    def _serve_udp(self) -> None:
        while data := self.udp.recvfrom(4096):
            if not data[0]:
                return
            if (wire := self._answered(data[0], "udp")) is not None:
                self.udp.sendto(wire, data[1])

    def _serve_tcp(self) -> None:
        while True:
            plug, _ = self.tcp.accept()
            with plug, plug.makefile("rb") as file:
                head = file.read(2)
                if len(head) < 2:
                    return
                wire = self._answered(file.read(struct.unpack("!H", head)[0]), "tcp")
                if wire is not None:
                    plug.sendall(struct.pack("!H", len(wire)) + wire)

    def _answered(self, wire: bytes, way: str) -> bytes | None:
        query = dns.message.from_wire(wire)
        self.asked.append(f"{way} {query.question[0].name}")
        return self.reply(query, way)
