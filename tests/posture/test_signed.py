"""record.signed: that nothing is signed any more, or that it was not the signer who did, reaches somebody by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.utils import timezone

from cast import MIA, House, do, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.environment import Environment
from postroom.host.cluster import Cluster
from postroom.models import Entry, Finding, Look, Organization
from postroom.posture.checks.signed import SIGNED, evaluate
from postroom.posture.run import run
from postroom.posture.signed import Signed
from postroom.protocols import note
from postroom.record.sequencer import Sequencer
from postroom.record.signer import Signer, turn
from postroom.worker.alarms import untold

CHECK, ORIGIN, US = "record.signed", "postroom.example/log", UUID(int=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "postroom.example/log+00000000+key"


@pytest.mark.parametrize(
    "log, waiting, wanted",
    [
        (Signed(7, NOW, "a note", KEY), None, []),
        (Signed(key=KEY), None, []),
        (Signed(7, NOW, "a note", KEY), NOW, [("high", "waiting")]),
        (Signed(key=KEY), NOW, [("high", "waiting")]),
        (Signed(7, NOW, "a note", KEY, wrong="not signed by it"), None, [("critical", "checkpoint")]),
        (Signed(7, NOW, "a note", "", alarm="leaves are gone", alarmed=NOW), None, [("critical", "alarm")]),
        (
            Signed(7, NOW, "a note", KEY, wrong="of another log", alarm="leaves are gone", alarmed=NOW), NOW,
            [("critical", "alarm"), ("critical", "checkpoint"), ("high", "waiting")],
        ),
    ],
)  # fmt: skip
def test_record_signed(log: Signed, waiting: datetime | None, wanted: list[tuple[str, str]]) -> None:
    found = list(evaluate(US, "Northlight", log, waiting))
    assert [(one.severity, one.cause) for one in found] == wanted
    assert all((one.object, one.noun, one.evidence["signed"]) == (US, "organizations", log.size) for one in found)


class Log:
    """The record's own processes, when a test says so."""

    def __init__(self, state: Path, signer: Any, system: Any) -> None:
        (state / "signer").mkdir()
        self.signer, self.connection, self.sequencer = Signer(state / "signer", ORIGIN), signer, Sequencer(system)

    def sign(self) -> None:
        self.sequencer.place()
        turn(self.signer, self.connection)


@pytest.fixture
def log(cluster: Cluster, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setattr(settings, "POSTROOM", Environment({**settings.POSTROOM.values, "STATE": tmp_path}))
    roles = ("postroom_signer", "postroom_system")
    opened = [psycopg.connect(cluster.dsn(role, database), autocommit=True) for role in roles]
    yield Log(tmp_path, *opened)
    for one in opened:
        one.close()


def looked() -> dict[str, Finding]:
    """Open findings by the first words of their titles."""
    run(SIGNED)
    with acting_as(SYSTEM):
        return {one.title.split(":")[0]: one for one in Finding.objects.filter(check_name=CHECK, closed_at=None)}


def waits(seconds: int) -> bool:
    seen = SIGNED.look(timezone.now() + timedelta(seconds=seconds))
    return [one.cause for one in seen.found] == ["waiting"]


def test_what_waits_for_longer_than_a_minute_is_a_finding(house: House, log: Log) -> None:
    with acting_as(SYSTEM):
        begun = Entry.objects.earliest("id").at  # of the whole run's founding: it may be minutes ago
    for seconds, found in ((59, []), (61, ["waiting"])):
        seen = SIGNED.look(begun + timedelta(seconds=seconds)).found
        assert [one.cause for one in seen] == found, "nothing is signed, and nothing was ever"
    log.sign()
    assert not waits(61)
    do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=300)
    assert not waits(50) and waits(61), "without its place"
    log.sequencer.place()
    assert not waits(50) and waits(61), "without a signature"
    log.sign()
    assert not waits(61)


def test_the_signers_alarm_is_a_finding_and_told_until_it_signs_again(house: House, log: Log, sql: Any) -> None:
    log.sign()
    assert looked() == {}
    sql("ALTER TABLE tree_nodes DISABLE TRIGGER USER", "CREATE TABLE kept AS SELECT * FROM tree_nodes",
        "UPDATE tree_nodes SET hash = '\\x00' WHERE level > 0")  # fmt: skip
    log.sign()
    (one,) = looked().values()
    assert (one.severity, one.object) == ("critical", the(Organization).pk) and "are not those" in one.title
    assert untold() == [one.pk], "every owner is written to"
    sql("UPDATE tree_nodes t SET hash = k.hash FROM kept k WHERE k.level = t.level AND k.index = t.index")
    log.sign()
    assert looked() == {}


def test_a_checkpoint_that_the_key_did_not_make_counts_for_nothing(
    house: House, log: Log, sql: Any, tmp_path: Path
) -> None:
    """Whoever writes to the database could say that everything is signed; without the key nobody knows."""
    log.sign()
    do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=300)
    log.sequencer.place()
    (tmp_path / "evil").mkdir()
    said = note.signed(str(note.Checkpoint(ORIGIN, 9_999, bytes(32))), ORIGIN, Signer(tmp_path / "evil", ORIGIN).key)
    sql(f"INSERT INTO checkpoints (size, root, note, at) VALUES (9999, '\\x00', '{said}', now())")
    assert looked()["The newest checkpoint counts for nothing"].severity == "critical"
    seen = SIGNED.look(timezone.now() + timedelta(seconds=61))
    assert [one.cause for one in seen.found] == ["checkpoint", "waiting"], "it signs nothing"
    (log.signer.folder / "public").unlink()
    one = looked()["The newest checkpoint counts for nothing"]
    assert one.unknown_since and "key cannot be read" in one.unknown_why, "and is not gone"
    with acting_as(SYSTEM):
        assert Look.objects.get(check_name=CHECK).failed == "1 could not be read"
