"""A checkpoint kept elsewhere, against somebody who has the database and the signer's key: one client's record.

They rewrite an entry, make places and tree anew, take away every checkpoint there was and sign what they made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cast import MIA, House, do
from postroom.protocols import merkle, note
from postroom.record import signer as signing
from postroom.record.sequencer import Sequencer
from postroom.record.signer import Signer
from postroom.record.verify import LOG, Verification, _log, hashed, node

RENAME = "UPDATE edits SET after = jsonb_set(after, '{name}', '\"Eve\"') WHERE entry_id = %s AND n = 1"


@dataclass
class Rewritten:
    """intruder: over the database. kept: the early note, and which roots it knew. last: what they signed at the end."""

    intruder: psycopg.Connection[Any]
    acme: Any
    who: note.Verifier
    kept: str
    before: dict[tuple[int, int], bytes]
    last: str

    def problems(self, *trusted: str) -> list[str]:
        return Verification(self.intruder, self.who, trusted).of_client(self.acme).problems


@pytest.fixture
def grow(house: House, sequencer: Sequencer, signer: Signer, connect: Any) -> Callable[[int], None]:
    numbers = count()

    def more(changes: int) -> None:
        for n in islice(numbers, changes):
            do("mailboxes.change", house.olive, mailbox=MIA, name=f"Mia {n}", quota_mb=700 + n)
        sequencer.place()
        signer.sign(connect("postroom_signer"))

    return more


@pytest.fixture
def rewritten(
    grow: Any, house: House, signer: Signer, connect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Rewritten:
    grow(5)
    intruder = connect("postgres")
    kept, size = signer.last, signer.tree.size
    before = {at: node(intruder, *at) for at in merkle.whole(0, size)}
    assert size & (size - 1), "or its root is a node of the newest tree"
    grow(9)
    grow(size)
    intruder.execute("SET session_replication_role = replica")
    (acme,) = intruder.execute("SELECT id FROM clients WHERE slug = 'acme'").fetchone() or (None,)
    (entry,) = intruder.execute(
        "SELECT p.entry_id FROM places p JOIN edits x USING (entry_id) WHERE p.client_id = %s AND p.log_index < %s"
        """ AND x."table" = 'mailboxes' AND x.n = 1 AND after ? 'name' ORDER BY 1 DESC LIMIT 1""", [acme, size]
    ).fetchone() or (None,)  # fmt: skip
    intruder.execute(RENAME, [entry])
    (changed,) = _log(intruder, f"{LOG} WHERE e.id = %s ORDER BY x.n", [entry])
    intruder.execute("UPDATE entries SET leaf = %s WHERE id = %s", [hashed(changed), entry])
    intruder.execute("DELETE FROM places; DELETE FROM tree_nodes; DELETE FROM checkpoints")
    Sequencer(intruder).place()
    (tmp_path / "theirs").mkdir()
    monkeypatch.setattr(signing, "_key", lambda folder: signer.key)
    theirs = Signer(tmp_path / "theirs", signer.origin)
    assert theirs.sign(intruder)
    return Rewritten(intruder, acme, signer.who, kept, before, theirs.last)


def test_a_note_kept_elsewhere_tells_it_to_one_client_too(rewritten: Rewritten) -> None:
    assert rewritten.problems() == rewritten.problems(rewritten.last) == [], "nothing else does: it is signed"
    (problem,) = rewritten.problems(rewritten.kept)
    size = note.checkpoint(note.opened(rewritten.kept, rewritten.who)).size
    assert problem.startswith(f"the first {size:,} entries are not those that were signed")


def test_nodes_left_as_the_kept_note_knew_them_are_no_way_around_it(rewritten: Rewritten) -> None:
    """Its root can be worked out from the tree then; that what is signed now grew from it cannot."""
    for (level, index), one in rewritten.before.items():
        put = "UPDATE tree_nodes SET hash = %s WHERE level = %s AND index = %s"
        assert rewritten.intruder.execute(put, [one, level, index]).rowcount == 1
    kept = note.checkpoint(note.opened(rewritten.kept, rewritten.who))
    assert merkle.root(kept.size, lambda *at: node(rewritten.intruder, *at)) == kept.root
    found = rewritten.problems(rewritten.kept)
    assert any(one.startswith(f"the first {kept.size:,} entries are not") for one in found), found


def test_an_honest_record_grew_from_every_checkpoint_there_is(
    grow: Any, house: House, signer: Signer, connect: Any, sql: Any
) -> None:
    notes = []
    for n in range(1, 6):
        grow(n)
        notes.append(signer.last)
    ((acme,),) = sql("SELECT id FROM clients WHERE slug = 'acme'")
    over = Verification(connect("postroom_system"), signer.who, notes)
    assert over.of_client(acme).problems == []
    assert sql("SELECT count(*) FROM checkpoints") == [(5,)]
    other = note.signed(str(note.Checkpoint(signer.origin, 3, bytes(32))), signer.origin, signer.key)
    (problem,) = Verification(connect("postroom_system"), signer.who, [other]).of_client(acme).problems
    assert problem.startswith("the first 3 entries are not those that were signed")


def test_a_note_of_more_than_is_there_is_told_once(grow: Any, signer: Signer, connect: Any, sql: Any) -> None:
    grow(3)
    size = signer.tree.size
    far = note.signed(str(note.Checkpoint(signer.origin, 4 * size, bytes(32))), signer.origin, signer.key)
    ((other,),) = sql("SELECT gen_random_uuid()")
    (problem,) = Verification(connect("postroom_system"), signer.who, [far]).of_client(other).problems
    assert problem.startswith(f"{4 * size:,} entries were signed, and the tree has no node")
