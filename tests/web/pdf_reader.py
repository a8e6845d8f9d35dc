"""The text of a PDF as a reader finds it: streams inflated, glyphs mapped by each font's ToUnicode (ISO 32000)."""

from __future__ import annotations

import base64
import re
import zlib

OBJECT = re.compile(rb"(?ms)^(\d+) 0 obj\s(.*?)endobj")
SHOWN = re.compile(rb"(?s)/(F\d+\+?\d*) [\d.]+ Tf|\(((?:[^()\\]|\\.)*)\) Tj")
ESCAPED = re.compile(rb"(?s)\\([0-7]{1,3}|.)")
NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def texts(document: bytes) -> list[list[str]]:
    """For each page, the strings that are drawn on it, in order."""
    assert document.startswith(b"%PDF-") and document.rstrip().endswith(b"%%EOF")
    objects = {int(number): body for number, body in OBJECT.findall(document)}
    fonts = _fonts(objects)
    pages = sorted(n for n, body in objects.items() if re.search(rb"/Type /Page\b", body))
    contents = [int(re.search(rb"/Contents (\d+) 0 R", objects[n])[1]) for n in pages]  # type: ignore[index]
    return [list(_drawn(_stream(objects[n]), fonts)) for n in contents]


def _fonts(objects: dict[int, bytes]) -> dict[bytes, dict[int, str]]:
    found: dict[bytes, dict[int, str]] = {}
    for body in objects.values():
        if b"/ToUnicode" in body:
            name = re.search(rb"/Name /(F\d+\+?\d*)", body)
            number = re.search(rb"/ToUnicode (\d+) 0 R", body)
            assert name and number
            found[name[1]] = _mapped(_stream(objects[int(number[1])]))
    return found


def _mapped(cmap: bytes) -> dict[int, str]:
    pairs: dict[int, str] = {}
    for first, last, values in re.findall(rb"<(\w+)> <(\w+)>\s*\[(.*?)\]", cmap, re.DOTALL):
        for n, one in enumerate(re.findall(rb"<(\w+)>", values)):
            pairs[int(first, 16) + n] = bytes.fromhex(one.decode()).decode("utf-16-be")
        assert int(last, 16) - int(first, 16) + 1 >= 1
    for code, one in re.findall(rb"(?m)^<(\w\w)> <(\w{4,})>$", cmap):
        pairs[int(code, 16)] = bytes.fromhex(one.decode()).decode("utf-16-be")
    return pairs


def _stream(body: bytes) -> bytes:
    data = body[body.index(b"stream") + 6 :].lstrip(b"\r\n")
    data = data[: data.rindex(b"endstream")]
    if b"/ASCII85Decode" in body:
        data = base64.a85decode(data.strip(), adobe=False) if not data.strip().endswith(b"~>") else _a85(data)
    return zlib.decompress(data) if b"/FlateDecode" in body else data


def _a85(data: bytes) -> bytes:
    return base64.a85decode(data.strip()[:-2])


def _drawn(stream: bytes, fonts: dict[bytes, dict[int, str]]):  # type: ignore[no-untyped-def]
    font: dict[int, str] = {}
    for name, text in SHOWN.findall(stream):
        if name:
            font = fonts.get(name, {})
        else:
            yield "".join(font.get(code, chr(code)) for code in ESCAPED.sub(_plain, text))


def _plain(one: re.Match[bytes]) -> bytes:
    said = one[1]
    return bytes([int(said, 8) & 255]) if said.isdigit() else NAMED.get(said, said)
