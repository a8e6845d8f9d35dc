"""Tag lists, `v=DKIM1; k=rsa; p=…`: the form DKIM, DMARC and TLS-RPT records share (RFC 6376 3.2)."""

import re
from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class BadTags(ValueError):
    """Not a tag list; the message names the part that is wrong."""


def parse_tags(text: str) -> dict[str, str]:
    """Tags in their order, outer white space taken off. Raises BadTags on a bad or doubled tag."""
    tags, junk = read_tags(text)
    if junk:
        raise BadTags(f"“{junk[0][:40]}” is not a tag like p=none")
    return tags


def read_tags(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Tags as parse_tags gives them, and the parts that are none. Raises BadTags on a doubled tag: then nothing of the
    list counts (RFC 6376, 3.2)."""
    tags: dict[str, str] = {}
    junk: list[str] = []
    for part in text.split(";"):
        if not part.strip():
            continue
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not _NAME.fullmatch(name):
            junk.append(part.strip())
        elif name in tags:
            raise BadTags(f"the tag {name}= stands twice")
        else:
            tags[name] = value
    return tags, tuple(junk)


def write_tags(tags: Mapping[str, str]) -> str:
    """The tags as one text, in their order."""
    return "; ".join(f"{name}={value}" for name, value in tags.items())
