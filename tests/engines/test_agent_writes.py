"""What is on the list is held against the files, whatever the agent remembers to have written."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from live_node import mailbox, named

from postroom.engines import compile, maps
from postroom.engines.agent_loop import Agent
from postroom.engines.fake_source import FakeSource
from postroom.engines.layout import MAPS, NodeConfig
from postroom.engines.source import Todo

MIA, EVIL = "mia@acme.example", "evil@elsewhere.example"
HERS = mailbox(MIA)


@pytest.fixture
def agent() -> Iterator[Agent]:
    folder = Path(tempfile.mkdtemp())
    for name in MAPS:
        (folder / "db" / name).mkdir(parents=True)
    config = NodeConfig("mx1", folder, "127.0.0.1")
    config.doveadm_key.parent.mkdir(exist_ok=True)
    config.doveadm_key.write_text("a test")
    files = maps.open_files(config)
    yield Agent(config, FakeSource(folder / "source"), files)
    for one in files:
        one.connection.close()


def put(agent: Agent, todo: int) -> None:
    agent.write([Todo(todo, "address", named(MIA), None, HERS)])


def by_hand(agent: Agent, statement: str, *values: object) -> None:
    assert agent.files.maps.connection.execute(statement, values).rowcount == 1


def landing(agent: Agent) -> list[str]:
    return [str(to) for (to,) in agent.files.maps.connection.execute("SELECT destination FROM route ORDER BY 1")]


def test_an_object_that_comes_again_is_written_over_what_a_hand_made_of_it(agent: Agent) -> None:
    put(agent, 1)
    by_hand(agent, "UPDATE route SET destination = ?", EVIL)
    put(agent, 1)
    assert landing(agent) == [EVIL], "the same line of the list is not held against the files again and again"
    put(agent, 2)
    assert landing(agent) == [MIA]


def test_the_nodes_own_rows_come_back_and_what_has_no_id_goes(agent: Agent) -> None:
    put(agent, 1)
    agent.config.system_hash.write_text("{PLAIN}x")
    agent.write_own_rows()
    by_hand(agent, "UPDATE login SET access_epoch = 9 WHERE object = ?", compile.NODE_ITSELF)
    by_hand(agent, "INSERT INTO route(source, destination, object) VALUES ('x@acme.example', ?, 'hm')", EVIL)
    braced = "{" + str(named(MIA)) + "}"  # an id to whoever reads it loosely, and on nobody's list
    by_hand(agent, "INSERT INTO route(source, destination, object) VALUES ('y@acme.example', ?, ?)", EVIL, braced)
    said = {str(one["question"]): one["answer"] for one in agent.own_again()}
    assert said["rows without an id of anybody"] == "2 were taken out" and said["generation of maps"]
    assert landing(agent) == [MIA]
    own = "SELECT access_epoch FROM login WHERE object = ?"
    assert agent.files.maps.connection.execute(own, [compile.NODE_ITSELF]).fetchone() == (0,)
    assert UUID(compile.NODE_ITSELF).int == 0


def test_what_asks_for_a_look_stays_on_the_list_and_is_no_object(agent: Agent) -> None:
    looks, box = Todo(3, "scripts", named("mx1"), None, None), Todo(4, "address", named(MIA), None, HERS)
    assert agent.answer([looks, box]) == [box]
    assert agent.to_look == {3}


def test_scripts_are_looked_at_after_what_came_back_was_written(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []
    looks, box = Todo(3, "scripts", named("mx1"), None, None), Todo(4, "address", named(MIA), None, HERS)
    monkeypatch.setattr(agent.source, "pull", lambda most: [looks, box])
    monkeypatch.setattr(agent, "read_back", lambda todo: [])
    look_now = agent.seen.sieve.look_now
    monkeypatch.setattr(agent.seen.sieve, "look_now", lambda todos: (done.append(landing(agent)), look_now(todos)))
    agent.round()
    assert done == [[MIA]] and agent.seen.sieve.asked == {3}
    assert agent.pause(0) <= 0.25, "it waits for what will be told"
