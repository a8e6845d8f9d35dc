"""The agent's side of what comes back: told once, kept while nobody hears it, and whatever else comes thrown away."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from postroom.engines.layout import NodeConfig
from postroom.engines.returned import AT_ONCE, Returned
from postroom.engines.source import SourceAway
from protocols.test_delivery_status import TOKEN, notification


class Source:
    """Hears reports, or is away."""

    def __init__(self) -> None:
        self.away, self.heard = False, list[dict[str, Any]]()

    def report(self, sort: str, rows: Any) -> None:
        if self.away:
            raise SourceAway("away")
        assert sort == "returns"
        self.heard += rows


@pytest.fixture
def config(tmp_path: Path) -> NodeConfig:
    made = NodeConfig("mx1", tmp_path, "127.0.0.1")
    (made.returned / "new").mkdir(parents=True)
    return made


def came(config: NodeConfig, raw: bytes, name: str = "1", age: float = 10) -> Path:
    path = config.returned / "new" / name
    path.write_bytes(raw)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_it_is_told_by_its_token_and_goes_when_it_was_heard(config: NodeConfig) -> None:
    source, returned = Source(), Returned(config)
    path = came(config, notification())
    source.away = True
    with pytest.raises(SourceAway):
        returned.hand_on(source)  # type: ignore[arg-type]
    assert path.exists()
    source.away = False
    returned.hand_on(source)  # type: ignore[arg-type]
    returned.hand_on(source)  # type: ignore[arg-type]
    assert not path.exists()
    assert source.heard == [{"token": TOKEN, "action": "failed", "status": "5.1.1",
                             "said": "mx.home.example 550 5.1.1 no such user"}]  # fmt: skip


def test_what_is_none_is_thrown_away_unread_by_anybody(config: NodeConfig) -> None:
    source = Source()
    paths = [came(config, notification(sender="<a@b>"), "1"), came(config, b"hello", "2"),
             came(config, notification().replace(TOKEN.encode(), b"guess"), "3")]  # fmt: skip
    Returned(config).hand_on(source)  # type: ignore[arg-type]
    assert source.heard == [] and not any(path.exists() for path in paths)


def test_what_just_came_waits_until_its_sender_has_kept_the_token(config: NodeConfig) -> None:
    source = Source()
    path = came(config, notification(), age=0)
    Returned(config).hand_on(source)  # type: ignore[arg-type]
    assert path.exists() and source.heard == []


def test_many_are_told_some_at_a_time_the_oldest_first(config: NodeConfig) -> None:
    for n in range(AT_ONCE + 5):
        came(config, notification(said=f"smtp; 550 n{n}"), str(n), age=1000 - n)
    source, returned = Source(), Returned(config)
    returned.hand_on(source)  # type: ignore[arg-type]
    assert len(source.heard) == AT_ONCE and source.heard[0]["said"].endswith("n0")
    returned.hand_on(source)  # type: ignore[arg-type]
    assert len(source.heard) == AT_ONCE + 5


def test_a_node_that_has_no_such_folder_yet_goes_on(tmp_path: Path) -> None:
    Returned(NodeConfig("mx1", tmp_path / "none", "127.0.0.1")).hand_on(Source())  # type: ignore[arg-type]
