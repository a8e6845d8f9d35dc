"""The program `postroom` in somebody's terminal is one more door: it tells no more of a foreign client than the API.

It runs whole, up to its requests, which go to the API in this process with the token of its environment.
"""

from __future__ import annotations

import io
import json
import urllib.error
from collections.abc import Callable
from typing import Any

import pytest
from belongings import digest, dump
from cells import grounds
from click.testing import CliRunner
from principals import NAMED, Principal
from test_matrix import unhurried  # noqa: F401  a fixture
from three_clients import Ground, World

from postroom.cli import COMMANDS, main

pytestmark = pytest.mark.matrix
Typed = Callable[[Ground], list[str]]
WHY = ["--why", "x"]
# Every command that goes by the API, asked about a client. Empty: about nobody's, or somebody's own session.
SAID: dict[str, list[Typed]] = {
    "change": [
        lambda here: ["mailboxes.suspend", "-p", f"mailbox={here.at('mia')}", *WHY],
        lambda here: ["mailboxes.suspend", "-p", f"mailbox={here.ids['mailbox']}", "--dry-run", *WHY],
        lambda here: ["clients.change", "-p", f"client={here.slug}", "-p", "notes=x", *WHY],
        lambda here: ["domains.change", "-p", f"domain={here.domain}", "-p", "registrar=x", *WHY],
    ],
    "approve": [
        lambda here: [here.ids["held"]],
        lambda here: [here.ids["held"], "--plan-hash", here.ids["hash"]],
    ],
    "withdraw": [lambda here: [here.ids["later"], *WHY]],
    "undo": [lambda here: [here.ids["made"], *WHY]],
    "replan": [lambda here: [here.ids["withdrawn"], *WHY]],
    "review": [lambda here: [here.ids["review"], *WHY]],
    "findings": [lambda here: ["--client", here.slug], lambda here: [here.ids["finding"]]],
    "posture": [lambda here: ["--client", here.slug], lambda here: [here.domain]],
    "leaving": [lambda here: ["--client", here.slug]],
    "access": [lambda here: ["--client", here.slug]],
    "access-review": [
        lambda here: ["list", "--client", here.slug], lambda here: ["show", here.ids["access review"]],
        lambda here: ["sign", here.ids["right line"], "keep", *WHY], lambda here: ["open", here.slug, *WHY],
    ],
    "roster": [
        lambda here: ["list", "--client", here.slug], lambda here: ["show", here.ids["roster"]],
        lambda here: ["answer", here.ids["roster line"], "here", *WHY], lambda here: ["open", here.slug, *WHY],
    ],
    "log": [lambda here: ["--client", here.slug], lambda here: ["--object", here.ids["mailbox"]]],
    "by-hand": [lambda here: [here.domain]],
    "show": [
        lambda here: [here.ids["made"]], lambda here: ["mailboxes", here.at("mia")],
        lambda here: ["clients", here.slug], lambda here: ["mailboxes", "--client", here.slug],
        lambda here: ["domains", here.domain, "--at", "1"],
    ],
    "who-can-reset": [lambda here: [here.at("mia")]], "sheet": [lambda here: [here.slug]],
    "sign-ins": [lambda here: [here.at("mia")]], "trace": [lambda here: [here.at("mia")]],
    "sessions": [lambda here: [here.at("mia")], lambda here: [here.at("mia"), "--end", *WHY],
                 lambda here: [here.ids["person plain"], "--person"],
                 lambda here: [here.ids["person plain"], "--person", "--end", *WHY]],
    "login": [], "logout": [], "kinds": [],
}  # fmt: skip


def test_every_command_that_goes_by_the_api_is_here() -> None:
    """`audit` does both: what needs the machine needs root; its list is held by GET /entries. `check` asks the DNS."""
    apart = {"up", "node", "check"}
    assert set(SAID) == {name for name, command in COMMANDS.items() if command.before is None} - apart


@pytest.fixture
def by_the_api(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[Principal, list[str]], tuple[int, str]]:
    """(exit code, all it printed) of the program with somebody's token."""

    def typed(who: Principal, words: list[str]) -> tuple[int, str]:
        http = who.at_api(world)

        def urlopen(request: Any, timeout: float) -> Any:
            assert request.get_header("Authorization") == f"Bearer {world.secrets[who.bearer]}"
            path = request.full_url.removeprefix("http://localhost")
            answer = http.generic(request.method, path, request.data or b"", content_type="application/json")
            if answer.status_code >= 400:
                found = io.BytesIO(answer.content)
                raise urllib.error.HTTPError(request.full_url, answer.status_code, "", None, found)  # type: ignore[arg-type]
            return io.BytesIO(answer.content)

        monkeypatch.setattr("urllib.request.urlopen", urlopen)
        monkeypatch.setenv("POSTROOM_URL", "http://localhost")
        monkeypatch.setenv("POSTROOM_TOKEN", world.secrets[who.bearer])
        done = CliRunner().invoke(main, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), (words, done.exception)
        return done.exit_code, done.output

    return typed


def told(said: tuple[int, str], here: Ground) -> tuple[int, str]:
    """What it said, without what was typed."""
    text = said[1]
    for one in sorted([*here.ids.values(), here.slug, here.canary, here.at("mia"), here.domain], key=len, reverse=True):
        text = text.replace(one, "…") if len(one) > 8 else text
    return said[0], text


WHO = ("client admin of A", "operator of A", "token that writes A", "ended token", "nobody's role")


@pytest.mark.parametrize("name", WHO)
@pytest.mark.usefixtures("unhurried")
def test_it_tells_a_foreign_client_from_none_by_nothing(world: World, admin: Any, by_the_api: Any, name: str) -> None:
    who, all_of = NAMED[name], grounds(world, NAMED[name])
    none, theirs = all_of["N"], world["B"]
    before = digest(dump(admin, theirs.client))
    for command, lines in SAID.items():
        for line in lines:
            code, text = said = by_the_api(who, [command, *line(theirs)])
            typed = " ".join(line(theirs)).lower()
            assert theirs.mark not in text.lower() or theirs.mark in typed, (command, text)
            assert told(said, theirs) == told(by_the_api(who, [command, *line(none)]), none), command
            assert code in (1, 2) or "list" in line(theirs) or "--client" in line(theirs) or command == "log", text
    assert digest(dump(admin, theirs.client)) == before


@pytest.mark.usefixtures("unhurried")
def test_with_its_own_client_it_works_and_a_filter_that_is_dropped_is_seen(
    world: World, admin: Any, by_the_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = NAMED["client admin of A"]
    assert by_the_api(who, ["show", "mailboxes", world["A"].at("mia")])[0] == 0
    asked = ["show", "mailboxes", world["B"].at("mia")]
    assert by_the_api(who, asked)[0] == 1
    for table in ("mailboxes", "addresses", "clients", "domains", "people"):
        admin.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    monkeypatch.setattr("postroom.queries.objects.visible", lambda actor, model, permission=None: model.objects.all())
    code, text = by_the_api(who, [*asked, "--json"])
    assert code == 0 and json.loads(text)["client"] == world["B"].slug
