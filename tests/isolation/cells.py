"""Cells of the matrix: somebody asks an operation in one shape, and what has to come of it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from urllib.parse import quote, urlencode

from asked import OWN, PUBLIC, Asked, phantom, value
from django.test import Client
from oracle import STOPPED, Verdict, stranger, verdict
from principals import OWNER, Principal
from three_clients import Ground, World

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Cell:
    """shape: own, foreign, none (nobody has it), list, and what else an operation can be asked. letter: whose object.

    twin: cells with the same twin, foreign and none, answer the same. sent: what the answer may repeat.
    """

    who: Principal
    what: str
    shape: str
    letter: str
    url: str
    expect: Verdict
    body: Any = None
    sent: tuple[str, ...] = ()
    twin: str = ""
    allowed: tuple[int, ...] = (200,)
    refused: tuple[int, ...] = (403,)
    unseen: tuple[int, ...] = (404,)

    @property
    def method(self) -> str:
        return self.what.partition(" ")[0]

    @property
    def at_api(self) -> bool:
        return self.url.startswith("/api/")

    def __str__(self) -> str:
        return f"{self.who.name} | {self.what} | {self.shape} of {self.letter} | {self.url}"


@dataclass
class Answer:
    code: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        kept = (f"{name}: {one}" for name, one in self.headers.items() if name not in ("Content-Length", "ETag"))
        return self.body.decode(errors="replace") + "\n".join(kept)

    @property
    def refused(self) -> bool:
        """Whether it is a change, or a batch of them, of which nothing came."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return False
        parts = found.get("changes", [found]) if isinstance(found, dict) else []
        return bool(parts) and all(isinstance(one, dict) and one.get("stage") == "refused" for one in parts)

    @property
    def about(self) -> str:
        """What it says, in short, where it is a problem."""
        return self.body.decode(errors="replace")[:300] if self.headers.get("Content-Type", "").endswith("json") else ""


def sends(http: Client, cell: Cell) -> Answer:
    kind = "application/json" if cell.at_api else FORM
    plain = cell.body is None or cell.method == "GET"
    body = "" if plain else json.dumps(cell.body) if cell.at_api else urlencode(cell.body, doseq=True)
    found = http.generic(cell.method, cell.url, body.encode(), content_type=kind)
    content = b"".join(found.streaming_content) if found.streaming else found.content  # type: ignore[attr-defined]
    found.close()
    return Answer(found.status_code, content, dict(found.items()))


def grounds(world: World, who: Principal) -> dict[str, Ground]:
    """Those that somebody knows, the first that they do not, and one that there is not."""
    known = list(who.knows)[:1] if "*" in who.roles else list(who.knows)
    foreign = [here.letter for here in world.foreign(who.knows)][:1]
    if not known:
        known, foreign = [], ["A", "B"]
    return {**{letter: world[letter] for letter in [*known, *foreign]}, "N": phantom(world["A"])}


def filled(path: str, values: dict[str, str]) -> str:
    for name, one in values.items():
        path = re.sub(rf"<(?:\w+:)?{name}>", quote(one, safe="@"), path)
    return path


def whose(who: Principal, letter: str) -> str:
    return "none" if letter == "N" else "own" if letter in who.knows else "foreign"


def of_objects(who: Principal, what: str, asked: Asked, all_of: dict[str, Ground]) -> Iterator[Cell]:
    """Each object by each of its names: one's own, a foreign one, one that there is not."""
    path = what.split(" ", 1)[1]
    for letter, here in all_of.items():
        for keys in product(*asked.args.values()):
            values = {name: value(here, key) for name, key in zip(asked.args, keys, strict=True)}
            expect = verdict(who, asked.also or asked.takes, letter, door=asked.takes, of=keys[0])
            if who.name in asked.proposers and letter in who.knows and expect == "refused":
                expect = "allowed"  # theirs: it is they who asked for it
            yield Cell(
                who, what, whose(who, letter), letter, filled(path, values) + asked.query, expect,
                body=asked.body(here) if asked.body else None, sent=tuple(values.values()), twin=f"{what} by {keys}",
                allowed=asked.allowed, refused=asked.refused,
            )  # fmt: skip


def of_lists(who: Principal, what: str, asked: Asked, all_of: dict[str, Ground]) -> Iterator[Cell]:
    """The list as it is, narrowed by each filter to each client's, and by two that do not belong together."""
    path = what.split(" ", 1)[1]
    expect = verdict(who, asked.takes, "*")
    expect = expect if expect in STOPPED else "allowed"

    def narrowed(shape: str, letter: str, code: int, **by: str) -> Cell:
        return Cell(who, what, shape, letter, f"{path}?{urlencode(by)}", expect, sent=tuple(by.values()),
                    allowed=(code,), twin=f"{what} {shape.split(' ', 1)[-1]}")  # fmt: skip

    yield Cell(who, what, "list", "*", path, expect)
    for letter, here in all_of.items():
        strange = 200 if letter in who.knows and not who.narrow else asked.foreign_filter
        for name, keys in asked.filters.items():
            code = strange if name == "client" else 200
            for key in keys if whose(who, letter) != "own" else keys[:1]:
                yield narrowed(f"{whose(who, letter)} {name}={key}", letter, code, **{name: value(here, key)})
    if {"client", "domain"} <= set(asked.filters) and len(all_of) > 2:
        first, second, *_ = all_of
        for mine, theirs in ((first, second), (second, first)):
            both = {"client": value(all_of[mine], "client"), "domain": value(all_of[theirs], "domain name")}
            yield narrowed(f"parent {mine} child {theirs}", "*", asked.foreign_filter, **both)


def plain(who: Principal, what: str, asked: Asked, all_of: dict[str, Ground]) -> Iterator[Cell]:
    """An operation that names nobody's object."""
    told = stranger(who) if asked.takes == OWN else verdict(who, asked.takes, "*")
    expect: Verdict = told if told in STOPPED and asked.takes != PUBLIC else "allowed"
    body = asked.body(next(iter(all_of.values()))) if asked.body else None
    yield Cell(who, what, "plain", "*", what.split(" ", 1)[1], expect, body=body, allowed=asked.allowed)


def of_owners(who: Principal, what: str, asked: Asked) -> Iterator[Cell]:
    """A page of a mailbox's owner: theirs, who signed in to it; whoever else comes signs in to it first."""
    expect: Verdict = "allowed" if who.comes == OWNER else "to that sign-in"
    yield Cell(who, what, "plain", "*", what.split(" ", 1)[1], expect, allowed=asked.allowed)


def normal(answer: Answer, cell: Cell) -> str:
    """The answer without what was sent: what is left tells no foreign object from none."""
    text = re.sub(r"/sign-in/\?next=\S*", "/sign-in/", answer.text)  # where they wanted to go, as they said it
    for one in sorted(cell.sent, key=len, reverse=True):
        for spelt in {one, html.escape(one), quote(one), quote(one, safe=""), one.lower()}:
            text = re.sub(rf"(?<![\w.]){spelt}(?![\w.])", "…", text) if spelt.isdigit() else text.replace(spelt, "…")
    return re.sub(
        r"""name="csrfmiddlewaretoken" value="[^"]*"|csrf\w*["']?[:=][^;}]*|name="key" value="[^"]*\"""", "", text
    )


def leaks(answer: Answer, cell: Cell, world: World) -> list[str]:
    """Marks of clients that whoever asks must not know, beside what they sent themselves."""
    text = normal(answer, cell).lower()
    return [here.letter for here in world.foreign(cell.who.knows + cell.who.shows) if here.mark in text]


def wrong(cell: Cell, answer: Answer, world: World) -> list[str]:
    """What is wrong with an answer; empty is good."""
    found = [f"holds what is {letter}'s" for letter in leaks(answer, cell, world)]
    code, to = answer.code, answer.headers.get("Location", "")
    right = {
        "nobody": code == 401 if cell.at_api else code == 302 and to.startswith("/sign-in/?next="),
        "their mailbox": code == 401 if cell.at_api else code == 302 and to == "/mailbox/",
        "to that sign-in": code == 302 and to == "/mailbox/sign-in/",
        "enrol": code == 401 if cell.at_api else code == 302 and to == "/enrol/",
        "not let in": code == 403, "not there": code in cell.unseen,
        "refused": code in cell.refused or (code in (200, 202) and answer.refused),
        "allowed": code in cell.allowed and not answer.refused,
    }[cell.expect]  # fmt: skip
    return found if right else [*found, f"{code} {to}, and it should be {cell.expect}: {answer.about}"]
