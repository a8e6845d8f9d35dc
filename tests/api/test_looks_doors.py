"""Nodes are asked to look at all scripts now, by every door; one that is down is never green."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from django.utils import timezone
from psycopg.types.json import Jsonb

from api.test_shapes import Described
from cast import House
from mail_nodes import Node, acknowledge
from postroom.access.acting import SYSTEM, acting_as
from postroom.cli import leaving as program
from postroom.cli import remote
from postroom.models import NodeTodo, SieveAsked, SieveRead
from web.visitors import visitor

Ask = Callable[[str], Any]
LOOKS = "/forwards-leaving/looks"


def post(caller: Any, path: str) -> Any:
    return caller.post(path, {})


def on_list(node: Node) -> list[int]:
    return [row[0] for row in node.execute("SELECT todo, object FROM node_pull()").fetchall() if row[1] == "scripts"]


def tells(node: Node, *asked: int, **more: Any) -> None:
    row = {"whole": True, "at": time.time(), "mailboxes": 1, "unread": [], "asked": list(asked), **more}
    node.execute("SELECT node_report('sieve', %s)", [Jsonb([row])])


def states(answer: Any) -> dict[str, str]:
    return {one["node"]: one["state"] for one in answer["items"]}


@pytest.fixture
def mx1(node: Callable[[str], Node], house: House) -> Node:
    one = node("mx1")
    acknowledge(one)
    return one


def silent() -> None:
    with acting_as(SYSTEM):
        SieveAsked.objects.update(at=timezone.now() - timedelta(seconds=61))


def test_a_node_has_looked_when_a_look_that_began_after_it_was_asked_is_told(
    house: House, at_api: Ask, mx1: Node
) -> None:
    olive, described = at_api("olive"), Described()
    none = described.held(olive.get(LOOKS), "get", LOOKS)
    assert states(none) == {"mx1": "not asked", "mx2": "not asked"} and none["over"] and none["asked_at"] is None
    asked = described.held(post(olive, LOOKS), "post", LOOKS)
    assert states(asked) == {"mx1": "waited for", "mx2": "waited for"}
    assert (asked["looked"], asked["nodes"], asked["over"]) == (0, 2, False)
    (todo,) = on_list(mx1)
    tells(mx1)
    assert states(olive.get(LOOKS).json())["mx1"] == "waited for", "that look began before"
    tells(mx1, todo + 1000)
    tells(mx1, todo, asked=str(todo))
    assert on_list(mx1) == [todo] and olive.get(LOOKS).json()["looked"] == 0
    tells(mx1, todo)
    one = olive.get(LOOKS).json()
    assert states(one) == {"mx1": "looked", "mx2": "waited for"} and not one["over"] and on_list(mx1) == []
    assert one["items"][0]["answered_at"] >= one["asked_at"]
    silent()
    late = olive.get(LOOKS).json()
    assert states(late) == {"mx1": "looked", "mx2": "no answer"} and late["over"] and late["looked"] == 1


def test_an_agent_that_only_strikes_it_off_has_not_looked(house: House, at_api: Ask, mx1: Node) -> None:
    post(at_api("olive"), LOOKS)
    acknowledge(mx1)
    assert on_list(mx1) == [] and states(at_api("olive").get(LOOKS).json())["mx1"] == "waited for"


def test_who_asks_again_takes_the_place_of_who_asked_before(house: House, at_api: Ask, mx1: Node) -> None:
    post(at_api("olive"), LOOKS)
    (first,) = on_list(mx1)
    post(at_api("ada"), LOOKS)
    (second,) = on_list(mx1)
    tells(mx1, first)
    assert second != first and states(at_api("olive").get(LOOKS).json())["mx1"] == "waited for"
    tells(mx1, first, second)
    assert states(at_api("olive").get(LOOKS).json())["mx1"] == "looked"


def test_nobody_asks_a_node_that_serves_nothing_they_see(house: House, at_api: Ask, mx1: Node) -> None:
    carl = at_api("carl")
    assert states(post(carl, LOOKS).json()) == {"mx1": "waited for"}
    for client in ("globex", "nothing-here"):
        url = f"{LOOKS}?client={client}"
        assert post(carl, url).status_code == carl.get(url).status_code == 404
    with acting_as(SYSTEM):
        assert list(NodeTodo.objects.filter(object="scripts").values_list("node__name", flat=True)) == ["mx1"]
        assert not SieveRead.objects.exists(), "to be asked is not to have looked"
    assert states(post(at_api("olive"), f"{LOOKS}?client=globex").json()) == {"mx2": "waited for"}


def test_who_asks_too_often_waits(house: House, at_api: Ask) -> None:
    olive = at_api("olive")
    answers = [post(olive, LOOKS).status_code for _ in range(13)]
    assert answers == [200] * 12 + [429]
    assert post(at_api("ada"), LOOKS).status_code == 200, "they are counted by person"
    assert visitor(house.olive).post("/forwards/looks/").status_code == 429


@pytest.mark.parametrize("answers", [True, False])
def test_the_program_waits_for_all_and_says_who_does_not_answer(
    house: House, at_api: Ask, mx1: Node, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    olive, asked = at_api("olive"), list[str]()

    def ask(method: str, path: str, *_: Any, **__: Any) -> Any:
        asked.append(f"{method} {path.partition('?')[0]}")
        return (post(olive, path) if method == "POST" else olive.get(path)).json()

    def later(seconds: float) -> None:
        tells(mx1, *on_list(mx1)) if answers else None
        silent()

    monkeypatch.setattr(remote, "ask", ask)
    monkeypatch.setattr(program.time, "sleep", later)
    told = CliRunner().invoke(program.leaving, ["--refresh", "--client", "acme"])
    assert told.exit_code == 0, told.output
    assert asked == [f"POST {LOOKS}", f"GET {LOOKS}", "GET /forwards-leaving"]
    assert told.stderr.splitlines() == [
        f"  mx1: {'looked' if answers else 'no answer'}",
        f"{int(answers)} of 1 nodes have looked at all scripts since they were asked",
    ]


def test_the_page_asks_again_until_it_is_over_and_shows_who_is_down(house: House, mx1: Node) -> None:
    olive = visitor(house.olive)
    assert 'action="/forwards/looks/"' in olive.get("/forwards/?client=acme").content.decode()
    answer = olive.post("/forwards/looks/", {"client": ""})
    assert (answer.status_code, answer["Location"]) == (302, "/forwards/looks/")
    said = olive.get("/forwards/looks/").content.decode()
    assert '<noscript><meta http-equiv="refresh"' in said and 'hx-get="/forwards/looks/" hx-trigger="every 2s"' in said
    assert said.count("waited for") == 2 and "Ask again" not in said
    tells(mx1, *on_list(mx1))
    silent()
    said = olive.get("/forwards/looks/").content.decode()
    assert 'http-equiv="refresh"' not in said and "every 2s" not in said and "Ask again" in said
    assert "No answer from mx2" in said and "no answer" in said and "1 of 2" in said
    assert visitor(house.audrey).get("/forwards/looks/?client=nothing-here").status_code == 404
