"""Where a change has arrived: a row a target, with the question asked, the answer and who gave it."""

from collections.abc import Iterable, Mapping
from typing import Any

from postroom.web.parts.shapes import Badge, Code, Delivery, Evidence, Item, Words
from postroom.web.plans import TARGETS
from postroom.web.times import when

SHOWN, MOST = 4, 100  # answers a target: at once, and behind a click; how many there are besides is said
LONG = 160


def arrived(one: Mapping[str, Any]) -> tuple[Delivery, ...]:
    return tuple(_delivery(each) for each in one["deliveries"])


def _delivery(one: Mapping[str, Any]) -> Delivery:
    noun, what = TARGETS.get(one["target"], (one["target"], ""))
    answers = list(_answers(one["evidence"]))
    more = f"and {len(answers) - MOST} more answers" if len(answers) > MOST else ""
    if not one["done"]:
        tried = f"next try {when(one['next_try'], seconds=True)}" if one["next_try"] else "it goes on by itself"
        more = f"{one['why'] or 'on its way'}; {tried}"
    return Delivery(
        (noun, Code(one["object"])) if one["object"] else noun, what,
        _state(one),
        sent=when(one["since"], seconds=True), evidence=tuple(answers[:SHOWN]), more=more,
        rest=tuple(answers[SHOWN:MOST]),
    )  # fmt: skip


def _state(one: Mapping[str, Any]) -> Badge:
    """What was signed to end is asked for once: that this was done says nothing of whether it ended."""
    if not one["done"]:
        return Badge("waits", "not read back yet")
    if one["target"] != "end":
        return Badge("good", "read back")
    ended = [each.get("ended") for each in one["evidence"] or ()]
    if False in ended:
        return Badge("warn", "not ended at once")
    return Badge("good", "ended") if True in ended else Badge("fact", "not asked for any more")


def _answers(evidence: Any) -> Iterable[Evidence]:
    """Zones and mail give a list of answers; a node one list an object."""
    for one in evidence if isinstance(evidence, list) else ():
        for line in one.get("seen", ()) if "seen" in one else (one,):
            yield Evidence(
                _cut(line.get("question", "")), _cut(_answer(line.get("answer", ""))), _cut(line.get("server", "")),
                when(line.get("at"), seconds=True), str(one.get("object", "")),
            )  # fmt: skip


def _answer(value: Any) -> str:
    """Maps answer with what stands under each key, which may be nothing at all."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_answer(found)}" for key, found in value.items()) or "nothing"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "nothing"
    return str(value)


def _cut(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONG else text[:LONG] + "…"


def left(one: Mapping[str, Any]) -> tuple[Item, ...]:
    """What is left of an applied change, each with why and the next try."""
    return tuple(_left(each) for each in one["incomplete"])


def _left(one: Mapping[str, Any]) -> Item:
    noun = "Follow-up" if one["target"] == "change" else TARGETS.get(one["target"], (one["target"], ""))[0]
    said: Words = (noun, Code(one["object"])) if one["object"] else noun
    tried = f"; next try {when(one['next_try'], seconds=True)}" if one["next_try"] else ""
    return Item(said, f"{one['why']}, since {when(one['since'], seconds=True)}{tried}", "warn")
