"""The agent ends the sessions of what ended, and of nothing else: however late it comes to it."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from live_node import MIA, mailbox, named

from postroom.engines import agent_loop, compile, ending, expected, maps, one_device, read_back
from postroom.engines.agent_loop import Agent
from postroom.engines.doveadm import Doveadm, DoveadmAway, Session
from postroom.engines.fake_source import FakeSource
from postroom.engines.layout import MAPS, NodeConfig
from postroom.engines.source import Compiled, Todo

NEW = "another long pass phrase"


class Dovecot(Doveadm):
    """Sessions as Dovecot has them: each of the secret that stood in secrets.db when it was opened."""

    def __init__(self, files: maps.Files) -> None:
        self.files, self.away, self.pids = files, False, count(100)
        self.open: list[Session] = []
        self.stubborn: list[Session] = []  # of these, those that no kick ends
        self.seen: list[str | None] = []  # the secret that could be signed in with, at each kick

    def secret(self) -> str | None:
        row = self.files.secrets.connection.execute("SELECT hash FROM password WHERE address = ?", (MIA,)).fetchone()
        return row and str(row[0])

    def sign_in(self) -> None:
        secret = self.secret()
        assert secret
        self.open.append(Session(MIA, "imap", str(next(self.pids))))

    def kick(self, addresses: list[str]) -> None:
        if self.away:
            raise DoveadmAway("away")
        self.seen.append(self.secret())
        self.open = [one for one in self.open if one in self.stubborn]

    def sessions(self) -> list[Session]:
        if self.away:
            raise DoveadmAway("away")
        return list(self.open)


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    folder = Path(tempfile.mkdtemp())
    for name in MAPS:
        (folder / "db" / name).mkdir(parents=True)
    (folder / "key").write_text("k")
    monkeypatch.setattr(ending, "SIGNING_IN", 0)
    monkeypatch.setattr(agent_loop, "doveadm_api_key", lambda config: "k")
    config = NodeConfig("mx1", folder, "127.0.0.1")
    files = maps.open_files(config)
    one = Agent(config, FakeSource(folder / "source"), files)
    one.doveadm = Dovecot(files)
    for each in files:
        each.mark("filled", "0")
    yield one
    for each in files:
        each.connection.close()


def delivered(agent: Agent, compiled: Compiled | None) -> Dovecot:
    """One round, but for the question to daemons that are none."""
    assert isinstance(agent.doveadm, Dovecot) and isinstance(agent.source, FakeSource)
    agent.source.put("address", named(MIA), compiled)
    todo = agent.source.pull(10)
    if not agent.write(todo):
        agent.kick()
    agent.source.ack([(one.todo, []) for one in todo])
    return agent.doveadm


def test_a_first_secret_ends_nothing_however_late_the_rest_of_the_round_is(agent: Agent) -> None:
    """Who signs in as soon as it is there keeps the session: it is of this secret, and there was none before."""
    delivered(agent, mailbox(MIA, None))
    dovecot = delivered(agent, mailbox(MIA, epoch=1))
    dovecot.sign_in()
    agent.kick()
    assert len(dovecot.open) == 1 and dovecot.seen == [] and compile.closing(agent.files) == set()
    delivered(agent, mailbox(MIA, epoch=1) | {"keys": {}})
    assert len(dovecot.open) == 1, "the same again"


def test_a_first_secret_after_dovecot_was_away_ends_nothing(agent: Agent) -> None:
    dovecot = delivered(agent, mailbox(MIA, None))
    dovecot.away = True
    delivered(agent, mailbox(MIA, epoch=1))
    dovecot.sign_in()
    dovecot.away = False
    agent.kick()
    assert len(dovecot.open) == 1


def test_sessions_of_an_old_secret_end_before_the_new_one_opens_any(agent: Agent) -> None:
    delivered(agent, mailbox(MIA, None))
    dovecot = delivered(agent, mailbox(MIA, epoch=1))
    old = dovecot.secret()
    dovecot.sign_in()
    delivered(agent, mailbox(MIA, NEW, epoch=2))
    assert dovecot.seen == [None, None] and dovecot.open == [], "nobody could sign in while they were ended"
    assert dovecot.secret() not in (None, old)
    dovecot.sign_in()
    agent.kick()
    assert len(dovecot.open) == 1


def test_a_new_secret_does_not_wait_for_a_dovecot_that_does_not_answer(agent: Agent) -> None:
    """The old one is refused at once; its sessions end when Dovecot says so, and whoever came since signs in again."""
    delivered(agent, mailbox(MIA, None))
    dovecot = delivered(agent, mailbox(MIA, epoch=1))
    dovecot.sign_in()
    dovecot.away = True
    delivered(agent, mailbox(MIA, NEW, epoch=2))
    assert dovecot.secret() and compile.closing(agent.files) == {MIA}
    dovecot.away = False
    agent.kick()
    assert dovecot.open == [] and compile.closing(agent.files) == set()


def test_a_secret_that_stays_is_there_while_sessions_end(agent: Agent) -> None:
    delivered(agent, mailbox(MIA, None))
    kept = mailbox(MIA, epoch=1)
    dovecot = delivered(agent, kept)
    dovecot.sign_in()
    ended = {**kept, "maps": {**kept["maps"], "login": mailbox(MIA, epoch=2)["maps"]["login"]}}
    delivered(agent, ended)
    assert dovecot.open == [] and None not in dovecot.seen


def test_where_secrets_are_filled_again_that_none_is_there_says_nothing(agent: Agent) -> None:
    """The file was damaged and set aside: sessions of what stood in it may be open still."""
    delivered(agent, mailbox(MIA, None))
    agent.files.secrets.connection.execute("DELETE FROM canary WHERE k = 'filled'")
    dovecot = delivered(agent, mailbox(MIA, epoch=1))
    assert dovecot.seen != []


def test_sessions_are_ended_only_when_those_of_before_are_gone_and_new_ones_do_not_count(agent: Agent) -> None:
    """What was there stays on the list, by which the node does not acknowledge; who signed in since is let be."""
    delivered(agent, mailbox(MIA, None))
    kept = mailbox(MIA, epoch=1)
    dovecot = delivered(agent, kept)
    dovecot.sign_in()
    dovecot.stubborn = list(dovecot.open)
    ended = {**kept, "maps": {**kept["maps"], "login": mailbox(MIA, epoch=2)["maps"]["login"]}}
    delivered(agent, ended)
    assert compile.closing(agent.files) == {MIA}
    result = read_back.Round(agent.config, dovecot, {}, [], compile.closing(agent.files))
    one = expected.of(Todo(1, "address", named(MIA), None, ended), {})
    result.expected, result.results = [one], {1: read_back.ReadBack(1)}
    result._old_sessions()
    assert result.results[1].finding == "differs"
    assert result.results[1].evidence[0]["question"] == f"sessions of before {MIA}"
    dovecot.sign_in()
    dovecot.stubborn = dovecot.open[1:]  # a new one that is slow to go holds up nothing
    agent.kick()
    assert compile.closing(agent.files) == set() and len(dovecot.open) == 1


def test_what_stays_after_a_kick_is_told_to_end_by_its_process(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a session on 2.4 does that opened another's mailbox."""
    delivered(agent, mailbox(MIA, None))
    dovecot = delivered(agent, mailbox(MIA, epoch=1))
    dovecot.sign_in()
    dovecot.sign_in()
    dovecot.stubborn = [dovecot.open[0]]
    told: list[tuple[str, list[int]]] = []

    def end_these(config: NodeConfig, address: str, pids: list[int]) -> None:
        told.append((address, pids))
        dovecot.open = []

    monkeypatch.setattr(one_device, "end_these", end_these)
    stays = int(dovecot.open[0].pid)
    delivered(agent, mailbox(MIA, NEW, epoch=2))
    assert told == [(MIA, [stays])] and compile.closing(agent.files) == set()


def test_a_process_that_is_known_to_be_anothers_is_never_told() -> None:
    anything = one_device.signed_in_by(one_device.ANY)
    assert one_device._another(("joe@acme.example", "main"), anything, MIA)
    for known in (None, (MIA, "main"), (MIA, "app:1")):
        assert not one_device._another(known, anything, MIA)


def test_on_dovecot_2_4_a_consent_that_ends_ends_what_tokens_opened(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says of none by which token it was opened, so each of those may be the one; a password's is not."""
    dovecot, asked = agent.doveadm, []
    assert isinstance(dovecot, Dovecot)

    def ask(_: Any, what: dict[str, Any]) -> dict[str, Any]:
        asked.append(what)
        return {"told": [7] if len(asked) == 1 else []}

    monkeypatch.setattr(one_device, "SIGNING_IN", 0)
    monkeypatch.setattr(one_device.asking, "ask", ask)
    main, app = (Session(MIA, "imap", str(n), credential=by) for n, by in ((5, "main"), (6, "app:1")))
    token, another = (Session(MIA, "imap", str(n)) for n in (7, 8))
    elsewhere = Session("leo@acme.example", "imap", "9")
    lists = [[main, app, token, another, elsewhere], [main, app, another, elsewhere]]
    monkeypatch.setattr(dovecot, "sessions", lambda: lists[bool(asked)])
    config = replace(agent.config, dovecot_version=(2, 4, 1))
    assert one_device.end(config, dovecot, "oauth:x", MIA)
    assert asked[0] == {"ask": "end", "cred": "oauth:x", "address": MIA, "pids": [7, 8]}
    monkeypatch.setattr(one_device, "GOING", 0.1)
    asked.clear()
    monkeypatch.setattr(dovecot, "sessions", lambda: lists[0])
    assert not one_device.end(config, dovecot, "oauth:x", MIA), "one that is still going is still to be ended"
