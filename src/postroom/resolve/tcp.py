"""One question over TCP, for answers that do not fit a packet (RFC 7766)."""

import asyncio
import contextlib
import os

from .names import Malformed
from .wire import echoes, is_cut, query

FAILURES = (OSError, TimeoutError, asyncio.IncompleteReadError, Malformed)


async def over_tcp(address: str, port: int, asked: bytes, within: float) -> bytes:
    """The whole response. within: seconds. Raises one of FAILURES."""
    async with asyncio.timeout(within):
        reader, writer = await asyncio.open_connection(address, port)
        try:
            id = os.urandom(2)
            message = query(int.from_bytes(id, "big"), asked)
            writer.write(len(message).to_bytes(2, "big") + message)
            wire = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    if wire[:2] != id or not echoes(wire, asked) or is_cut(wire):
        raise Malformed("an answer to something else, or one that is cut over TCP too")
    return wire
