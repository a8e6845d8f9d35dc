"""A database with the cast in it, and connections to it as the record's own processes make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cast import House, do, kind, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.pipeline import submit
from postroom.host.cluster import Cluster
from postroom.models import Change, Entry
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


NAMED = "Mia Muster"
Erase = Callable[..., Change]


@pytest.fixture
def erase(house: House) -> Erase:
    """Erase lines (none named: all of them) of the entry in which a change was applied; what the erasure is."""

    def erased(change: Change, *lines: int) -> Change:
        with acting_as(SYSTEM):
            entry = Entry.objects.get(client=change.client_id, version=change.version)
            every = list(entry.recordededit_set.order_by("n").values_list("n", flat=True))
        named = [f"{entry.pk}.{n}" for n in lines or every]
        return with_consent(house, do("record.erase", house.oskar, lines=named, reason="asked for"))

    return erased


@pytest.fixture
def entries(
    house: House, sequencer: Sequencer, signer: Signer, connect: Connect, erase: Erase, sql: Any
) -> dict[str, Any]:
    """Entries erased at two clients, one that is not, those that say so; signed. Name → (entry, leaf, client)."""
    people = ("henry@northlight.example", "audrey@northlight.example")
    given = [kind("grants.give", person=who, role="client viewer", client="acme", reason=NAMED) for who in people]
    changes = {"three": submit(given, actor=house.oskar, why=NAMED)}
    erase(changes["three"])
    for name in ("first", "second", "kept"):
        changes[name] = do("clients.change", house.olive, client="acme", notes=f"{NAMED}, {name}")
    changes["other"] = do("clients.change", house.olive, client="globex", notes=NAMED)
    changes["erasing"] = erase(changes["first"])
    changes["part"] = erase(changes["second"], 1)
    changes["elsewhere"] = erase(changes["other"])
    do("clients.change", house.olive, client="acme", notes="none")
    sequencer.place()
    signer.sign(connect("postroom_signer"))
    find = "SELECT id, encode(leaf, 'hex'), client_id FROM entries WHERE client_id = '{}' AND version = {}"
    return {name: sql(find.format(one.client_id, one.version))[0] for name, one in changes.items()}
