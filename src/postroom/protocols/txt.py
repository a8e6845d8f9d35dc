"""TXT values: one logical string here, strings of up to 255 octets on the wire (RFC 1035 3.3.14, 7208 3.3).

Our form of a value is the logical string, unquoted: `v=spf1 mx -all`. Octets that are not printable
ASCII, and the backslash, are written `\\DDD`. A value whose strings are cut elsewhere than after each
255th octet (other people's, as found) keeps its cuts and is written quoted, `"ab" "c"`, so that what
was found can be put back record for record.
"""

import re

CUT = 255
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"\s*', re.S)
_SPECIAL = re.compile(r"\\034|\\092")
_ESCAPE = re.compile(rb"\\(?:([0-9]{3})|(.))", re.S)


def txt_value(strings: tuple[bytes, ...]) -> str:
    """Our one form of the strings of one TXT record."""
    whole = b"".join(strings)
    if strings == _cut(whole) and not whole.startswith(b'"') and whole == whole.strip(b" "):
        return _written(whole)
    return " ".join(f'"{_written(part, quoted=True)}"' for part in strings)


def txt_of(text: str) -> str:
    """Our form of a text as answers hold it: an octet a character, nothing escaped (answers.py)."""
    return txt_value(_cut(text.encode("latin-1", "replace")))


def txt_strings(value: str) -> tuple[bytes, ...]:
    """The strings of one TXT record, each at most 255 octets; takes our form and what people paste.

    Raises ValueError on a broken quote or escape, or a quoted string above 255 octets.
    """
    if not value.startswith('"'):
        return _cut(_read(value))
    parts, place = [], 0
    while found := _TOKEN.match(value, place):
        parts.append(_read(found[1]))
        place = found.end()
    if place != len(value):
        raise ValueError(f"the quotes do not match at character {place + 1}")
    # Panels show long keys as one quoted string; the wire cannot carry one of that length.
    return _cut(parts[0]) if len(parts) == 1 else _fitting(tuple(parts))


def txt_text(value: str) -> str:
    """The logical text of a TXT value, its strings joined without a space (RFC 7208 3.3, 6376 3.6.2.2)."""
    return b"".join(txt_strings(value)).decode("utf-8", "backslashreplace")


def txt_quoted(value: str) -> str:
    """The zone-file form: every string quoted, quotes and backslashes escaped as servers write them."""
    escaped = {"\\034": '\\"', "\\092": "\\\\"}
    strings = (_written(part, quoted=True) for part in txt_strings(value))
    return " ".join(f'"{_SPECIAL.sub(lambda found: escaped[found[0]], text)}"' for text in strings)


def _cut(whole: bytes) -> tuple[bytes, ...]:
    return tuple(whole[place : place + CUT] for place in range(0, len(whole), CUT)) or (b"",)


def _fitting(parts: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if any(len(part) > CUT for part in parts):
        raise ValueError(f"one quoted string holds more than {CUT} octets")
    return parts


def _read(text: str) -> bytes:
    return _ESCAPE.sub(_octet, text.encode("utf-8", "surrogatepass"))


def _octet(found: re.Match[bytes]) -> bytes:
    if found[1] is None:
        return found[2]
    if int(found[1]) > 255:
        raise ValueError(f"\\{found[1].decode()} is not an octet")
    return bytes((int(found[1]),))


def _written(octets: bytes, quoted: bool = False) -> str:
    apart = b'"\\' if quoted else b"\\"
    return "".join(chr(o) if 32 <= o < 127 and o not in apart else f"\\{o:03d}" for o in octets)
