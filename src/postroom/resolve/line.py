"""One connected UDP socket and the questions that are on their way through it.

Connected, so that the kernel passes on only what comes from the server's own address and port, and says when nothing
listens there. Ids are random and used in the order in which they were drawn.
"""

import contextlib
import os
import socket
from array import array
from collections import deque
from typing import Any

IN_FLIGHT = 64  # the kernel's usual buffer loses answers to more
DRAWN = 2048
BUFFER = 1 << 20


class Line:
    __slots__ = ("ids", "in_flight", "send", "socket")

    def __init__(self, address: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.socket.connect((address, port))
        self.send = self.socket.send
        self.in_flight: dict[int, Any] = {}  # what is asked, by id
        self.ids: deque[int] = deque()

    def has_room(self) -> bool:
        return len(self.in_flight) < IN_FLIGHT

    def enter(self, ask: object) -> int:
        """The id under which its answer will come."""
        while True:
            if not self.ids:
                self.ids.extend(array("H", os.urandom(2 * DRAWN)))
            id = self.ids.popleft()
            if id not in self.in_flight:
                self.in_flight[id] = ask
                return id
