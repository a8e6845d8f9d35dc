"""The newest probe to an address, in words: each landing as it was computed, and what came there."""

from collections.abc import Mapping
from typing import Any

from postroom.web.parts.shapes import Badge, Code, Item, Link, Words
from postroom.web.times import when

Landing = Mapping[str, Any]
VERDICTS: Mapping[str, Badge] = {
    "as computed": Badge("good", "arrived as computed"),
    "differs": Badge("bad", "not as computed"),
    "waits": Badge("waits", "not all of it yet"),
    "not known": Badge("unknown", "not all of it is known"),
    "not sent yet": Badge("waits", "not sent yet"),
    "not sent": Badge("bad", "not sent"),
}
TONES: Mapping[str, Any] = {"arrived": "ok", "left": "warn", "did not come": "bad", "thrown away": "bad"}
ICONS = {"mailbox": "mailbox", "outside": "world", "refused": "ban", "discarded": "ban", "loop": "refresh"}
SAID = {"left": "left to outside; the next server took it", "put off": "put off, and tried again"}
UNSURE = ("not arrived yet", "not known", "put off")


def head(found: Mapping[str, Any]) -> Words:
    """When it was asked for and sent, and what came of it."""
    said: list[Any] = [
        VERDICTS[found["verdict"]],
        Link(f"asked for {when(found['made'])}", f"/changes/{found['change']}/"),
    ]
    if found["not_sent"]:
        said.append(found["not_sent"])
    if found["sent"]:
        said.append(f"sent {when(found['sent'])}")
    if not found["heard"]:
        said.append(Badge("unknown", "its mail node was not heard of just now"))
    return tuple(said)


def items(found: Mapping[str, Any]) -> tuple[Item, ...]:
    return tuple(map(_item, found["landings"]))


def _item(one: Landing) -> Item:
    state = one["state"]
    name: Any = Code(one["address"]) if one["address"] else _unnamed(one)
    words: list[Any] = [name, _state(one)]
    if not one["computed"] and one["at"] and state != "put off":
        words.append(Badge("bad", "not computed"))
    if one["sometimes"]:
        words.append(Badge("warn", "sometimes"))
    return Item(tuple(words), _told(one), TONES.get(state, "plain"), ICONS.get(one["sort"], "question-mark"))


def _unnamed(one: Landing) -> Words:
    return "an address of a domain that you do not see" if one["hidden"] else "an address that is not the client's"


def _state(one: Landing) -> Any:
    state = str(one["state"])
    words: str = f"arrived in {one['folder']}" if state == "arrived" and one["folder"] else SAID.get(state, state)
    return Badge("unknown", words) if state in UNSURE else words


def _told(one: Landing) -> Words:
    seen = f"{when(one['at'])}." if one["at"] else ""
    server = f"“{one['said']}”" if one["said"] else one["status"]
    return tuple(part for part in (seen, server, one["why"]) if part)
