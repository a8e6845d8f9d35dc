"""Domain names between text and the wire (RFC 1035 3.1 and 4.1.4).

Text is lower case and without the last dot, the root is empty. An octet that is no plain character of a name stands as
`\\DDD`, a dot inside of a label as `\\.` (RFC 1035 5.1), so that no two names read alike.
"""

import re

HEADER = 12  # octets of a message before its first name
LABEL, NAME = 63, 255  # octets; of a name with its lengths and the root's
_LENGTHS = [bytes((n,)) for n in range(LABEL + 1)]
_ROOT = b"\0"
_CHARACTERS = r"[a-z0-9_*/+=:,<>?|!#%&'\[\]^`{}~.-]*"
is_plain = re.compile(_CHARACTERS).fullmatch  # stands on the wire as it is written
_PLAIN = bytes(octet for octet in range(128) if is_plain(chr(octet)))
_ESCAPED = re.compile(r"\\(\d{3}|\D)|(\.)|([^\\.]+)", re.DOTALL)
_QUOTED = b'"().;\\@$'


class Malformed(ValueError):
    """A message that is no message: nothing in it is believed."""


class NoName(ValueError):
    """No question can be asked about this text: an empty or long label, a long name, an octet outside of ASCII."""


def to_wire(name: str) -> bytes:
    """Uncompressed. Raises NoName."""
    if not name:
        return _ROOT
    if "\\" in name:
        labels = _unescaped(name)
    else:
        try:
            labels = name.encode("ascii").split(b".")
        except UnicodeEncodeError:
            raise NoName(f"{name!r} has characters outside of ASCII") from None
    try:
        wire = b"".join([_LENGTHS[len(label)] + label for label in labels]) + _ROOT
    except IndexError:
        raise NoName(f"a label of {name!r} is longer than {LABEL} octets") from None
    if b"" in labels or len(wire) > NAME:
        raise NoName(f"{name!r} has an empty label or is longer than {NAME} octets")
    return wire


def _unescaped(name: str) -> list[bytes]:
    labels, at = [b""], 0
    while at < len(name):
        part = _ESCAPED.match(name, at)
        if part is None or (part[1] and part[1].isdigit() and int(part[1]) > 255):
            raise NoName(f"{name!r} has an escape that is none")
        at = part.end()
        if part[2]:
            labels.append(b"")
            continue
        digits = part[1] is not None and len(part[1]) == 3
        try:
            labels[-1] += bytes((int(part[1]),)) if digits else (part[1] or part[3]).encode("ascii")
        except UnicodeEncodeError:
            raise NoName(f"{name!r} has characters outside of ASCII") from None
    return labels


def from_wire(wire: bytes, at: int) -> tuple[str, int]:
    """The name that begins there, and where what follows it begins. Raises Malformed, or IndexError past the end.

    A pointer leads back, before everything of this name that was read so far: so none can run in circles.
    """
    labels: list[bytes] = []
    after, first, left = -1, at, NAME - 1
    while length := wire[at]:
        if length <= LABEL:
            left -= length + 1
            if left < 0:
                raise Malformed(f"a name longer than {NAME} octets")
            at += 1
            labels.append(wire[at : at + length])
            at += length
        elif length >= 0xC0:
            to = (length & 0x3F) << 8 | wire[at + 1]
            if after < 0:
                after = at + 2
            if to >= first or to < HEADER:
                raise Malformed("a name that points ahead, at itself or at no name")
            at = first = to
        else:
            raise Malformed(f"a label of the unknown type {length >> 6}")
    return text(labels), after if after >= 0 else at + 1


def passed(wire: bytes, at: int) -> int:
    """Where what follows the name begins; the name itself is not read. Raises as `from_wire`."""
    begin = at
    while length := wire[at]:
        if length >= 0xC0:
            if not HEADER <= ((length & 0x3F) << 8 | wire[at + 1]) < begin:
                raise Malformed("a name that points ahead, at itself or at no name")
            return at + 2
        if length > LABEL:
            raise Malformed(f"a label of the unknown type {length >> 6}")
        at += 1 + length
    return at + 1


def text(labels: list[bytes]) -> str:
    joined = b".".join(labels).lower()
    if not joined.translate(None, _PLAIN) and joined.count(b".") < (len(labels) or 1):
        return joined.decode("ascii")
    return ".".join("".join(map(_escaped, label.lower())) for label in labels)


def _escaped(octet: int) -> str:
    if octet in _QUOTED:
        return f"\\{octet:c}"
    return f"{octet:c}" if 0x20 < octet < 0x7F else f"\\{octet:03d}"
