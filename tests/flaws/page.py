"""docs/flaws.md, made of the table: `PYTHONPATH=src:tests .venv/bin/python -m flaws.page > docs/flaws.md`."""

from __future__ import annotations

from .table import ROWS, Row

COMMAND = "PYTHONPATH=src:tests .venv/bin/python -m flaws.page > docs/flaws.md"
HEAD = f"""# Flaws that others shipped, and what holds them here

Each of these was found in software like Postroom, or at those who run it. Each has a test of ours, and each test was
seen to fail: the flaw is planted (`tests/flaws/plants.py`, `reset_plants.py`), and the test runs once more with it in
place (`test_x[planted-17a]`) and has to find it. What waits for a feature that does not exist yet is **not covered**; a
test fails as soon as something of that name appears, and when a test named here is gone. Made of
`tests/flaws/table.py`, never written by hand: `{COMMAND}`.
"""


def page() -> str:
    return "\n".join([HEAD, *(_row(one) for one in ROWS)])


def _row(one: Row) -> str:
    lines = [f"## {one.number}. {one.flaw}", "", f"Seen at: {one.seen}."]
    if one.tests:
        lines += ["", "Held by:", *(f"- `{test}`" for test in one.tests)]
    if one.planted:
        lines += ["", "Planted, and found:", *(f"- {what}" for what, _, _ in one.planted)]
    if one.note:
        lines += ["", one.note]
    for waits in one.waits:
        lines += ["", f"**Not covered yet**: {waits.what}; there is none ({waits.brings})."]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    print(page(), end="")
