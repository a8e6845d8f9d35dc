"""The signer signs what it has read, remembers it outside the database, and never signs a log that was rewritten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from cast import MIA, House, do
from postroom.protocols import merkle, note
from postroom.record.sequencer import Sequencer
from postroom.record.signer import Rewritten, Signer

ORIGIN = "postroom.example/log"
INTRUDER = "SET session_replication_role = replica"


@pytest.fixture
def signed(house: House, sequencer: Sequencer, signer: Signer, connect: Any) -> Any:
    """A log with some entries, signed; the signer's connection."""
    for n in range(9):
        do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=300 + n)
    sequencer.place()
    connection = connect("postroom_signer")
    assert signer.sign(connection)
    return connection


def more(house: House, sequencer: Sequencer) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, name="another")
    sequencer.place()


def test_a_checkpoint_says_size_and_root_and_verifies(signed: Any, signer: Signer, sql: Any) -> None:
    ((size, root, said),) = sql("SELECT size, root, note FROM checkpoints")
    found = note.checkpoint(note.opened(said, note.verifier((signer.folder / "public").read_text())))
    nodes = {(level, index): bytes(one) for level, index, one in sql("SELECT level, index, hash FROM tree_nodes")}
    assert found == note.Checkpoint(ORIGIN, size, bytes(root)) and [(size,)] == sql("SELECT count(*) FROM places")
    assert merkle.root(size, lambda *at: nodes[at]) == bytes(root)
    assert (signer.folder / "last.note").read_text() == said


def test_nothing_new_is_not_signed_again_and_what_came_is(
    house: House, signed: Any, signer: Signer, sequencer: Sequencer, sql: Any
) -> None:
    assert not signer.sign(signed)
    more(house, sequencer)
    assert signer.sign(signed) and len(sql("SELECT 1 FROM checkpoints")) == 2


def test_started_again_it_knows_what_it_signed(house: House, signed: Any, signer: Signer, sequencer: Sequencer) -> None:
    again = Signer(signer.folder, ORIGIN)
    assert again.who == signer.who and again.tree == signer.tree and not again.sign(signed)
    more(house, sequencer)
    assert again.sign(signed)


def test_killed_before_it_told_it_tells_the_same_note(
    house: House, signed: Any, signer: Signer, sequencer: Sequencer, sql: Any
) -> None:
    more(house, sequencer)
    signer._told = lambda _: (_ for _ in ()).throw(SystemExit)  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        signer.sign(signed)
    again = Signer(signer.folder, ORIGIN)
    assert not again.sign(signed)
    assert sql("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1") == [(again.last,)]


@pytest.mark.parametrize("tampering", [
    ("UPDATE tree_nodes SET hash = '\\x00'",),
    ("DELETE FROM tree_nodes WHERE level > 0",),
    ("DELETE FROM places WHERE log_index > 5", "DELETE FROM tree_nodes WHERE (index + 1) << level > 6"),
    ("TRUNCATE places, tree_nodes",),
])  # fmt: skip
def test_over_a_log_that_was_rewritten_nothing_is_signed(
    house: House, signed: Any, signer: Signer, sql: Any, tampering: tuple[str, ...]
) -> None:
    sql(INTRUDER, *tampering)
    with pytest.raises(Rewritten):
        signer.sign(signed)


def test_truncated_and_replayed_it_is_not_signed(
    house: House, signed: Any, signer: Signer, sequencer: Sequencer, sql: Any
) -> None:
    """The same entries in another order, the tree made anew over them: whole in itself, and not what was signed."""
    sql(
        INTRUDER,
        "TRUNCATE places, tree_nodes",
        "UPDATE entries SET id = 100000 - id",
        "UPDATE edits SET entry_id = 100000 - entry_id",
    )
    sequencer.tree, sequencer.thorough = None, 0.0
    sequencer.place()
    more(house, sequencer)
    with pytest.raises(Rewritten, match="are not those that were signed"):
        signer.sign(signed)


def test_its_role_asks_four_questions_and_nothing_else(signed: Any, signer: Signer) -> None:
    for query in (
        "SELECT * FROM entries",
        "SELECT * FROM checkpoints",
        "SELECT * FROM people",
        "INSERT INTO places VALUES (1)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            signed.execute(query)
    assert (signer.folder / "key").stat().st_mode & 0o777 == 0o600


def test_a_key_is_drawn_once(tmp_path: Path) -> None:
    assert Signer(tmp_path, ORIGIN).who == Signer(tmp_path, ORIGIN).who
