"""The milter protocol, version 6, as much of it as a judge of whole messages needs. asyncio; no policy of its own.

Its source is libmilter's mfdef.h. Answering a command for which no answer was agreed puts the two sides out of step,
and Postfix then lets mail through unsigned with no warning (tried): hence exactly the steps asked for below.
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

VERSION = 6
ADD_HEADERS, CHANGE_SENDER = 0x1, 0x40
# No connect, HELO, RCPT, unknown, DATA; no answer to MAIL, header, end of headers, body; blanks before values kept.
STEPS = 0x1 | 0x2 | 0x8 | 0x100 | 0x200 | 0x4000 | 0x80 | 0x40000 | 0x80000 | 0x100000
# The same, and RCPT too, without an answer to it.
STEPS_WITH_RECIPIENTS = STEPS & ~0x8 | 0x8000
LONGEST = 4_000_000  # of one packet; Postfix sends a body in 64 kB pieces
LARGEST = 64_000_000  # of one message


@dataclass(frozen=True)
class Terms:
    """What is asked of Postfix: which changes to a message, which steps of it."""

    actions: int = ADD_HEADERS
    steps: int = STEPS


class OutOfStep(Exception):
    """The other side does not speak as agreed; the connection ends, and Postfix defers the mail."""


@dataclass
class Message:
    """One message, as far as it has come."""

    macros: dict[str, str] = field(default_factory=dict)
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    sender: str = ""  # of the envelope; empty for none
    recipients: list[str] = field(default_factory=list)  # where they were asked for


@dataclass(frozen=True)
class Answer:
    """What becomes of a message: `reply` (an SMTP reply, 4xx or 5xx) or, without one, it goes with these headers put
    on top, and without a sender if it shall have none."""

    reply: str | None = None
    add: tuple[tuple[str, str], ...] = ()
    no_sender: bool = False


Judge = Callable[[Message], Awaitable[Answer]]


async def converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, judge: Judge, terms: Terms = Terms()
) -> None:
    """One connection, many messages. Raises OutOfStep, IncompleteReadError when the other side is gone."""
    message = Message()
    while True:
        command, data = await _read(reader)
        match command:
            case b"O":
                _send(writer, b"O", _agreed(data, terms))
            case b"D":
                _macros(message, data)
            case b"L":
                name, value, *_ = data.split(b"\0")
                message.headers.append((name, value))
            case b"B":
                _more(message, data)
            case b"E":
                _more(message, data)
                _answer(writer, await judge(message))
                message = Message(macros=message.macros)
            case b"M":
                message = Message(macros=message.macros, sender=_address(data))
            case b"R":
                message.recipients.append(_address(data))
            case b"A":
                message = Message()
            case b"Q":
                return
            case b"K":
                message = Message()
            case b"N":
                pass
            case _:
                _send(writer, b"c")
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    if not 0 < length <= LONGEST:
        raise OutOfStep(f"a packet of {length} bytes")
    packet = await reader.readexactly(length)
    return packet[:1], packet[1:]


def _send(writer: asyncio.StreamWriter, command: bytes, data: bytes = b"") -> None:
    writer.write(struct.pack(">I", len(data) + 1) + command + data)


def _agreed(offer: bytes, terms: Terms) -> bytes:
    version, actions, steps = struct.unpack(">III", offer[:12])
    if version < VERSION or actions & terms.actions != terms.actions or steps & terms.steps != terms.steps:
        raise OutOfStep(f"offered version {version}, actions {actions:#x}, steps {steps:#x}")
    return struct.pack(">III", VERSION, terms.actions, terms.steps)


def _address(data: bytes) -> str:
    """Of MAIL and RCPT; what Postfix says besides is left off."""
    return data.partition(b"\0")[0].decode(errors="replace").strip("<>")


def _macros(message: Message, data: bytes) -> None:
    """Those of MAIL begin a message: what an earlier one said of its sender must not be left standing."""
    words = data[1:].split(b"\0")
    if data[:1] == b"M":
        message.macros = {}
    message.macros |= {
        name.decode(errors="replace").strip("{}"): value.decode(errors="replace")
        for name, value in zip(words[::2], words[1::2], strict=False)
    }


def _more(message: Message, data: bytes) -> None:
    message.body += data
    if len(message.body) > LARGEST:
        raise OutOfStep("a message larger than Postfix would take")


def _answer(writer: asyncio.StreamWriter, answer: Answer) -> None:
    if answer.reply is not None:
        _send(writer, b"y", answer.reply.replace("%", "%%").encode() + b"\0")
        return
    for name, value in answer.add:
        # Index 0 puts it above everything; line ends inside a value are single newlines in this protocol.
        _send(writer, b"i", struct.pack(">I", 0) + f"{name}\0{value}\0".replace("\r\n", "\n").encode())
    if answer.no_sender:
        _send(writer, b"e", b"<>\0")
    _send(writer, b"a")
