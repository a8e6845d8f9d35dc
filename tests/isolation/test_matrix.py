"""Everybody asks everything of everybody's: who may is let do it, and nobody learns of a client that is not theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from asked import API, MAILBOX, OWN, PUBLIC, Asked
from asked_kinds import OF_A_CLIENT, OF_NO_CLIENT, SECRET, of_batches, of_kinds
from asked_pages import BEFORE_FACTOR, EXPORTS, LAST, PAGES, of_exports, of_forms, of_others
from belongings import digest, dump, served
from cells import Answer, Cell, grounds, normal, of_lists, of_objects, of_owners, plain, sends, wrong
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from principals import NAMED, NO_FACTOR, NOBODY, TOKEN, Principal
from three_clients import Ground, World

from postroom.changes.kind import KINDS
from postroom.environment import Environment
from postroom.web.routes import routes

pytestmark = pytest.mark.matrix
KINDS_AT = ("POST /api/v1/changes", "POST /api/v1/batches", "POST /api/v1/tokens", "POST /api/v1/session/end")
EVERYTHING = {**API, **PAGES}
SIGNING_IN = ("logins", "usersessions_usersession", "account_emailaddress")  # as the tests' own browsers sign in


def test_every_method_of_every_route_is_in_the_matrix() -> None:
    assert {f"{one.method} {one.path}" for one in routes()} == set(EVERYTHING)


def test_every_kind_that_people_submit_is_in_the_matrix() -> None:
    asked = {*OF_A_CLIENT, *OF_NO_CLIENT, *SECRET}
    assert asked == {name for name, kind in KINDS.items() if "person" in kind.by}


def test_the_table_and_the_code_say_the_same_of_every_permission() -> None:
    said = {f"{one.method} {one.path}": one.said.permission for one in routes() if one.said}
    assert said == {what: asked.takes for what, asked in EVERYTHING.items()}


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """How often somebody may ask is another test's (tests/access/test_throttle.py); here they ask a thousand times."""
    more = {**settings.POSTROOM.values, "API_REQUESTS": 1_000_000}
    monkeypatch.setattr(settings, "POSTROOM", Environment(more))
    monkeypatch.setattr("postroom.access.throttle.Limit.__call__", lambda self, who, most=None: None)


def cells(who: Principal, what: str, world: World) -> Iterator[Cell]:
    asked, all_of = EVERYTHING[what], grounds(world, who)
    if what.endswith("/do/<str:name>/"):
        yield from of_forms(who, what, all_of)
    elif what in EXPORTS:
        yield from of_exports(who, what, all_of)
    elif asked.takes == MAILBOX:
        yield from of_owners(who, what, asked)
    elif asked.takes == OWN and not (who.comes == NO_FACTOR and what in BEFORE_FACTOR):
        yield from of_others(who, what, all_of)
    elif asked.takes in (PUBLIC, OWN) or not (asked.about or asked.filters):
        yield from plain(
            who, _anybodys(what), asked if asked.takes != OWN else Asked(PUBLIC, allowed=asked.allowed), all_of
        )
    elif asked.about:
        yield from of_objects(who, what, asked, all_of)
    else:
        yield from of_lists(who, what, asked, all_of)


def _anybodys(what: str) -> str:
    """A node is everybody's; a token that opens nothing is nobody's."""
    return what.replace("<ref>", "mx1").replace("<str:ref>", "mx1").replace("<str:token>", "x" * 43)


class Watch:
    """The rows of clients that somebody must not touch, and what is compiled of them; says which moved since it last
    looked. Every write leaves a line in the client's part of the record, so none is hidden by another after it.
    """

    def __init__(self, admin: Any, world: World, who: Principal) -> None:
        self.admin, self.grounds = admin, world.foreign(who.knows + who.shows)
        self.turned_away = "A" if who.name == "suspended person" else ""
        self.known = self.now()

    def now(self) -> dict[str, str]:
        return {here.letter: self._digest(here) for here in self.grounds}

    def _digest(self, here: Ground) -> str:
        found = dump(self.admin, here.client) | served(self.admin, here.client)
        if here.letter == self.turned_away:  # each time they come with a session it is noted as used, and ended
            found = {table: of for table, of in found.items() if table not in SIGNING_IN}
        return digest(found)

    def moved(self) -> list[str]:
        before, self.known = self.known, self.now()
        return [letter for letter, of in self.known.items() if of != before[letter]]


class Refusals:
    """How many refusals stand in the record, of routes and of changes: how many more each time it is asked.

    Each is asked for as in an hour of its own: at a client, a second one of the hour is no entry (decision 33).
    """

    SQL = """
        SELECT (SELECT count(*) FROM edits WHERE said = 'refused')
             + (SELECT count(*) FROM changes WHERE stage = 'refused')
    """

    def __init__(self, admin: Any) -> None:
        self.admin, self.known = admin, admin.execute(self.SQL).fetchone()[0]
        self.first = admin.execute("SELECT coalesce(max(id), 0) FROM looked_at").fetchone()[0]

    def more(self) -> int:
        self.admin.execute("DELETE FROM looked_at WHERE id > %s", [self.first])
        before, self.known = self.known, self.admin.execute(self.SQL).fetchone()[0]
        return int(self.known - before)


class Anew:
    """A browser that is signed in again before each request: a session that ends with the first would have told of
    one route alone. Its cookie is as good as on the day before its person was suspended."""

    def __init__(self, who: Principal, world: World) -> None:
        self.who, self.world, self.tried = who, world, 0

    def generic(self, *args: Any, **more: Any) -> Any:
        browser = self.who.at_pages(self.world)
        assert browser.session.get(SESSION_KEY), "it comes signed in"
        self.tried += 1
        return browser.generic(*args, **more)


def judged(found: Iterator[Cell], http: Any, world: World, refusals: Refusals) -> Iterator[str]:
    """What is wrong with any of these answers: its code, what it holds, what it tells apart, a refusal unrecorded."""
    twins: dict[str, tuple[Cell, str]] = {}
    for cell in found:
        if cell.expect in ("not let in", "refused"):
            refusals.more()  # what was refused before, in another way, is not this one's
        answer = sends(http, cell)
        yield from (f"{cell}: {one}" for one in wrong(cell, answer, world))
        if recorded(cell, answer) and (more := refusals.more()) != parts(cell):
            yield f"{cell}: the refusal is {more} times in the record"
        if cell.twin and cell.letter not in ("*", *cell.who.knows):
            first, said = twins.setdefault(cell.twin, (cell, normal(answer, cell)))
            if (now := normal(answer, cell)) != said:
                yield f"{cell}: told apart from {first.letter}: {parted(now, said)}"


def parts(cell: Cell) -> int:
    """How many changes it asks for: each that is refused is an entry of its own client."""
    return len(cell.body["changes"]) if cell.what == "POST /api/v1/batches" and cell.expect == "refused" else 1


def recorded(cell: Cell, answer: Answer) -> bool:
    """Whether this refusal has to stand in the record: of a route, or of a write, whatever it is."""
    told = cell.method != "GET" and (answer.code == 403 or answer.refused)
    return cell.expect == "not let in" or (cell.expect == "refused" and told)


def parted(one: str, other: str) -> str:
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    return f"{one[max(at - 60, 0) : at + 60]!r} and {other[max(at - 60, 0) : at + 60]!r}"


def tried(who: Principal, whats: list[str], http: Any, world: World, admin: Any) -> list[str]:
    watch, refusals = Watch(admin, world, who), Refusals(admin)
    found: list[str] = []
    for what in whats:
        found += judged(cells(who, what, world), http, world, refusals)
    return found + [f"{who.name}: rows of {letter} moved" for letter in watch.moved()]


def said(found: list[str]) -> str:
    return f"{len(found)} cells:\n" + "\n".join(one[:400] for one in found[:60])


@pytest.mark.parametrize("name", NAMED)
def test_at_the_api(world: World, admin: Any, unhurried: None, name: str) -> None:
    who = NAMED[name]
    whats = [what for what in sorted(API, key=lambda one: not one.startswith("GET")) if what not in KINDS_AT]
    found = tried(who, whats, who.at_api(world), world, admin)
    assert found == [], said(found)


@pytest.mark.parametrize("name", NAMED)
def test_by_every_kind_of_change(world: World, admin: Any, unhurried: None, name: str) -> None:
    who = NAMED[name]
    watch, refusals = Watch(admin, world, who), Refusals(admin)
    all_of, http = grounds(world, who), who.at_api(world)
    found = [one for some in (of_kinds, of_batches) for one in judged(some(who, all_of), http, world, refusals)]
    found += [f"{name}: rows of {letter} moved" for letter in watch.moved()]
    assert found == [], said(found)


@pytest.mark.parametrize("name", NAMED)
def test_at_the_pages(world: World, admin: Any, unhurried: None, name: str) -> None:
    who = NAMED[name]
    if who.comes == TOKEN:  # no page knows tokens
        who = replace(who, comes=NOBODY, knows="", roles={})
    whats = sorted(
        PAGES,
        key=lambda one: (
            one in LAST and LAST.index(one) + 1,
            PAGES[one].takes in (OWN, PUBLIC),
            not one.startswith("GET"),
        ),
    )
    http = Anew(who, world) if name == "suspended person" else who.at_pages(world)
    found = tried(who, whats, http, world, admin)
    assert found == [], said(found)
