"""Where mail lands, in words: one end of it, and what a plan does to each address. What is not known is always said."""

from collections.abc import Mapping, Sequence
from typing import Any

from postroom.web.parts.shapes import Badge, Cell, Code, Column, Inline, Row, Table, Words

Landing = Mapping[str, Any]
COLUMNS = (Column("Mail to"), Column("Lands now"), Column("Would land"))
THROWN_AWAY = "nowhere: its own filter throws it away"
UNCHANGED = Badge("fact", "as before")


def end(one: Landing) -> Words:
    """One place where mail comes to an end."""
    name, why, sort = Code(one["address"]), str(one["why"]), one["sort"]
    perhaps, whose = "sometimes" if one["sometimes"] else "", of(one)
    if sort == "mailbox":
        return (perhaps, name, *whose)
    if sort == "outside":
        return (perhaps, Badge("warn", "outside", "world"), name, *whose, f"({why})" if why else "")
    if sort == "hidden":
        return (perhaps, Badge("unknown", "you do not see"), "what stands at", name, *whose)
    if sort == "unknown":
        return (Badge("unknown", "unknown"), "where", name, *whose, f"sends it on: {why}")
    return (perhaps, Badge("bad", "nowhere", "ban"), f"{name.text}: {why}", *whose)


def of(one: Mapping[str, Any]) -> tuple[Inline, ...]:
    """Whose it is, where that is another client."""
    return (Badge("warn", f"of {one['client']['name']}"),) if one["client"] else ()


def ends(landings: Sequence[Landing]) -> Words:
    """All of them, in one line."""
    if not landings:
        return THROWN_AWAY
    parts: list[Any] = []
    for n, one in enumerate(landings):
        words = end(one)
        parts += [*((";",) if n else ()), *(words if isinstance(words, tuple) else (words,))]
    return tuple(parts)


def address(name: str) -> Inline:
    return f"any other address at {name[2:]}" if name.startswith("*@") else Code(name)


def table(found: Mapping[str, Any]) -> Table | None:
    """Of a plan, or a change that waits: every address that was followed. None where it moves no mail."""
    rows = [_row(one) for one in found["landing"]]
    if found["more_landings"]:
        more = (Badge("unknown", "not followed"), f"{found['more_landings']} more addresses")
        rows.append(Row((more, "", ""), name="more"))
    return Table("Where mail lands", COLUMNS, tuple(rows), dense=True, high=True) if rows else None


def _row(one: Mapping[str, Any]) -> Row:
    then = ends(one["after"]) if one["moved"] else UNCHANGED
    return Row((address(one["address"]), Cell(ends(one["before"])), Cell(then)), name=one["address"])
