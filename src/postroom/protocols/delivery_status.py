"""What a mail server says became of a letter: delivery status notifications (RFC 3464), read as a stranger's text.

Only a notification counts: multipart/report of the type delivery-status (RFC 6522), from the null sender (RFC 5321,
4.5.5), so that what answers by itself (RFC 3834) and what people write back say nothing. A notification about another
notification says nothing either: we send none. What it says is bounded and one line; it stands nowhere but as text.
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

LONGEST = 262_144  # bytes that are looked at; a notification has its parts near its beginning
SAID = 500  # characters kept of what the server said
ACTIONS = frozenset({"failed", "delayed", "delivered", "relayed", "expanded"})  # RFC 3464, 2.3.3
STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")  # RFC 3463
NULL = ("<>", "")


@dataclass(frozen=True)
class Status:
    """to: the address that the notification came to. status: as 5.1.1, empty where none is given. said: in words."""

    to: str
    action: str
    status: str
    said: str


def read(raw: bytes) -> Status | None:
    """None for anything that is no notification, or that cannot be taken apart. Envelope addresses are those that the
    delivery agent put on top (Return-Path, X-Original-To or Delivered-To)."""
    try:
        message = email.message_from_bytes(raw[:LONGEST])
        return _read(message)
    except (ValueError, LookupError, RecursionError, AttributeError, TypeError):  # of a parser that met hostile text
        return None


def _read(message: Message) -> Status | None:
    if str(message.get("Return-Path", "?")).strip() not in NULL or not _report(message):
        return None
    parts = _parts(message)
    if any(_returns_a_report(one) for one in parts[2:]):
        return None
    for block in _recipients(parts):
        action = line(str(block.get("Action", ""))).lower()
        if action in ACTIONS:
            found = STATUS.search(line(str(block.get("Status", ""))))
            said = " ".join(filter(None, (_typed(block, "Remote-MTA"), _typed(block, "Diagnostic-Code"))))
            return Status(_to(message), action, found[0] if found else "", said[:SAID])
    return None


def _report(message: Message) -> bool:
    wanted = "delivery-status"
    return message.get_content_type() == "multipart/report" and str(message.get_param("report-type")).lower() == wanted


def _returns_a_report(part: Message) -> bool:
    """Whether the message that came back, or its headers, were a notification, or came from nobody."""
    kept = part.get_payload()
    if part.get_content_type() == "message/rfc822":
        inner = next(iter(_parts(part)), Message())
    elif part.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers") and isinstance(kept, str):
        inner = email.message_from_string(kept)
    else:
        return False
    return inner.get_content_type() == "multipart/report" or str(inner.get("Return-Path", "?")).strip() in NULL


def _recipients(parts: list[Message]) -> Iterator[Message]:
    """Blocks of fields: the first is about the message, each further one about a recipient."""
    for part in parts[1:2]:
        if part.get_content_type() == "message/delivery-status":
            yield from _parts(part)[1:]


def _parts(message: Message) -> list[Message]:
    kept = message.get_payload()
    return [one for one in kept if isinstance(one, Message)] if isinstance(kept, list) else []


def _typed(block: Message, name: str) -> str:
    """The value of a field that says its type first: `smtp; 550 no such user`."""
    value = line(str(block.get(name, "")))
    return value.partition(";")[2].strip() if ";" in value else value


def _to(message: Message) -> str:
    return line(str(message.get("X-Original-To") or message.get("Delivered-To") or "")).strip("<>").lower()


def line(text: str) -> str:
    """One line of what can be shown, whatever was in it."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[: 2 * SAID]
