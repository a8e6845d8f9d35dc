"""How far an applied change is: targets read back of all, polled until it is verified."""

from collections.abc import Mapping
from typing import Any

from postroom.web.parts.shapes import Progress
from postroom.web.times import when


def progress(one: Mapping[str, Any], url: str) -> Progress | None:
    if one["stage"] != "applied":
        return None
    done = sum(1 for each in one["deliveries"] if each["done"]) + sum(
        1 for f in one["follow_ups"] if f["stage"] == "verified"
    )
    total = max(len(one["deliveries"]) + len(one["follow_ups"]), 1)
    tries = [each["next_try"] for each in one["deliveries"] if each["next_try"] and not each["done"]]
    sub = f"next try {when(min(tries), seconds=True)}; " if tries else ""
    return Progress("Read back", done, total, f"{sub}it goes on when you leave", url)
