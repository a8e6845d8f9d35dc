"""A database with the cast in it, and connections to it as the record's own processes make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from postroom.host.cluster import Cluster
from postroom.record.sequencer import Sequencer
from postroom.record.signer import Signer

Connect = Callable[[str], "psycopg.Connection[Any]"]
ORIGIN = "postroom.example/log"


@pytest.fixture
def connect(cluster: Cluster, database: str) -> Iterator[Connect]:
    opened: list[psycopg.Connection[Any]] = []

    def as_role(role: str) -> psycopg.Connection[Any]:
        opened.append(psycopg.connect(cluster.dsn(role, database), autocommit=True))
        return opened[-1]

    yield as_role
    for one in opened:
        one.close()


@pytest.fixture
def sequencer(connect: Connect) -> Sequencer:
    return Sequencer(connect("postroom_system"))


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path, ORIGIN)
