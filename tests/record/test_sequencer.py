"""Places: every entry one, none changed, no gap in the log or in a client, whatever order entries are committed in."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from cast import MIA, House, do
from postroom.protocols import merkle
from postroom.record.sequencer import Sequencer

GLOBEX = "mia@globex.example"


def gapless(sql: Any) -> bool:
    """Counting from 0 in the log and in each client, and every entry there."""
    log = [n for (n,) in sql("SELECT log_index FROM places ORDER BY 1")]
    own = sql("SELECT count(*), min(client_index), max(client_index) FROM places GROUP BY client_id")
    ((entries,),) = sql("SELECT count(*) FROM entries")
    return log == list(range(entries)) and all((low, high) == (0, n - 1) for n, low, high in own)


def test_every_entry_gets_a_place_and_the_tree_is_over_their_leaves(
    house: House, sequencer: Sequencer, sql: Any
) -> None:
    placed = sequencer.place()
    assert placed > 10 and gapless(sql) and sequencer.place() == 0
    for n in range(7):
        do("mailboxes.change", house.olive, mailbox=MIA if n % 2 else GLOBEX, quota_mb=100 + n)
        sequencer.place()
    assert gapless(sql)
    leaves = [
        bytes(leaf)
        for (leaf,) in sql("SELECT leaf FROM entries e JOIN places p ON p.entry_id = e.id ORDER BY log_index")
    ]
    nodes = {(level, index): bytes(one) for level, index, one in sql("SELECT level, index, hash FROM tree_nodes")}
    assert [nodes[0, n] for n in range(len(leaves))] == leaves
    tree = merkle.Frontier()
    for leaf in leaves:
        list(tree.append(leaf))
    assert merkle.root(len(leaves), lambda *at: nodes[at]) == tree.root()


def test_what_is_committed_late_comes_later_and_nothing_moves(
    house: House, sequencer: Sequencer, sql: Any, connect: Any
) -> None:
    slow = connect("postgres")
    slow.execute("BEGIN")
    slow.execute("INSERT INTO entries (leaf, at) VALUES ('\\x00', now())")
    do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=77)
    sequencer.place()
    before = sql("SELECT entry_id, log_index, client_index FROM places ORDER BY 1")
    slow.execute("COMMIT")
    assert sequencer.place() == 1
    after = sql("SELECT entry_id, log_index, client_index FROM places ORDER BY 1")
    assert set(before) < set(after) and gapless(sql)
    ((late,),) = sql("SELECT log_index FROM places p JOIN entries e ON e.id = p.entry_id WHERE leaf = '\\x00'")
    assert late == len(before)


def test_two_sequencers_at_once_place_each_entry_once(house: House, connect: Any, sql: Any) -> None:
    both = [Sequencer(connect("postroom_system")) for _ in range(2)]
    for n in range(10):
        do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=200 + n)
        threads = [threading.Thread(target=one.place) for one in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    both[0].place()
    assert gapless(sql)


def test_one_that_died_half_way_left_nothing_and_goes_on(house: House, sequencer: Sequencer, sql: Any) -> None:
    real = sequencer._written

    def dies(*args: Any) -> None:
        real(*args)
        raise SystemExit

    sequencer._written = dies  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        sequencer.place()
    assert sql("SELECT count(*) FROM places") == sql("SELECT count(*) FROM tree_nodes") == [(0,)]
    sequencer._written = real  # type: ignore[method-assign]
    assert sequencer.place() and gapless(sql)


def test_nobody_changes_or_takes_away_what_was_recorded(sequencer: Sequencer, house: House, connect: Any) -> None:
    sequencer.place()
    columns = {"entries": "leaf", "edits": "salt", "places": "log_index", "tree_nodes": "hash", "checkpoints": "note"}
    for role in ("postroom_app", "postroom_owner", "postroom_system", "postgres"):
        connection = connect(role)
        for table, column in columns.items():
            for query in (
                f"UPDATE {table} SET {column} = {column}",
                f"DELETE FROM {table}",
                f"TRUNCATE {table} CASCADE",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(query.encode())


def test_the_application_gives_no_places_and_signs_nothing(house: House, sql: Any) -> None:
    for statement in (
        "INSERT INTO places (entry_id, log_index, client_index) SELECT id, 0, 0 FROM entries LIMIT 1",
        "INSERT INTO tree_nodes VALUES (0, 0, '\\x00')",
        "INSERT INTO checkpoints (size, root, note) VALUES (1, '\\x00', '')",
        "SELECT record_sign(1, '\\x00', '')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            sql(statement, role="postroom_app")
