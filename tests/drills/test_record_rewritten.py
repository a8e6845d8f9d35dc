"""The record under fire: sequencer and signer die, an intruder with all rights rewrites it; what was signed tells."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hands import Hands

from conftest import House, quotas
from world import Stack, until

pytestmark = pytest.mark.drill


def verified(stack: Stack) -> tuple[int, Any]:
    """`postroom audit verify`: its exit code and what it says."""
    environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "POSTROOM_STATE": str(stack.state), "LC_ALL": "C.UTF-8"}
    command = [stack.program, "audit", "verify", "--json"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120)
    return done.returncode, json.loads(done.stdout)


def all_signed(stack: Stack) -> bool:
    code, verdict = verified(stack)
    return code == 0 and verdict["signed"] == verdict["entries"]


def as_intruder(hands: Hands, *statements: str) -> None:
    """A superuser of the database, past every trigger."""
    at = f"host={hands.state}/run/postgres port=5432 user=postgres dbname=postroom"
    with psycopg.connect(at) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement.encode())


def test_sequencer_and_signer_die_and_nothing_is_lost_or_signed_twice(
    stack: Stack, hands: Hands, house: House, mia: str, tmp_path: Path
) -> None:
    """Guard: places and tree are one transaction; the signer writes down what it signed before it says so."""
    for n in range(6):
        name = ("record", "signer")[n % 2]
        was = hands.pid(name)
        house.operator.change("mailboxes.change", {"mailbox": mia, "quota_mb": next(quotas)}, "a drill")
        hands.kill(was)
        house.operator.change("mailboxes.change", {"mailbox": mia, "quota_mb": next(quotas)}, "a drill")
        hands.back(name, was)
    until("all of it is signed", lambda: all_signed(stack), within=60, every=1)
    archive = tmp_path / "drill.zip"
    key = stack.run("audit", "key").strip()
    stack.run("audit", "export", "--client", house.client, "--out", str(archive))
    zipfile.ZipFile(archive).extractall(tmp_path / "out")
    checked = [sys.executable, "-I", str(tmp_path / "out/verify.py"), str(tmp_path / "out"), key]
    assert subprocess.run(checked, capture_output=True, text=True, timeout=60).stdout.strip().startswith("every entry")
    sizes = hands.one("SELECT count(*) - count(DISTINCT size) FROM checkpoints")
    assert sizes == 0
    steps = "SELECT log_index - lag(log_index) OVER (ORDER BY log_index) AS step FROM places"
    assert hands.one(f"SELECT count(*) FROM ({steps}) s WHERE step <> 1") == 0


def test_what_an_intruder_rewrites_is_named(stack: Stack, hands: Hands, house: House, mia: str) -> None:
    changed = house.operator.change(
        "mailboxes.change", {"mailbox": mia, "quota_mb": next(quotas)}, "asked on the phone"
    )
    until("it is signed", lambda: all_signed(stack), within=30, every=1)
    (entry, place), *_ = hands.sql("SELECT e.entry_id, p.log_index FROM edits e JOIN places p USING (entry_id)"
                                   ' WHERE e.n = 0 AND e."row" = %s ORDER BY 1', changed["id"])  # fmt: skip
    lie = "UPDATE edits SET after = jsonb_set(after, '{{why}}', '\"{why}\"') WHERE entry_id = {entry} AND n = 0"
    as_intruder(hands, lie.format(why="asked in writing", entry=entry))
    code, verdict = verified(stack)
    assert code == 1 and verdict["problems"][0] == f"entry at {place:,}: what it holds is not what was recorded"
    as_intruder(hands, lie.format(why="asked on the phone", entry=entry))
    assert verified(stack)[0] == 0


def test_over_a_tree_made_anew_nothing_is_signed_and_the_doctor_says_so(
    stack: Stack, hands: Hands, house: House, mia: str
) -> None:
    """Guard: the signer compares the log with what it remembers outside of the database."""
    until("all of it is signed", lambda: all_signed(stack), within=30, every=1)
    alarm = stack.state / "signer/alarm"
    as_intruder(hands, "UPDATE tree_nodes SET hash = sha256(hash)")
    house.operator.change("mailboxes.change", {"mailbox": mia, "quota_mb": next(quotas)}, "a drill")
    until("the signer refuses", alarm.exists, within=20)
    assert "signs nothing any more" in stack.run("doctor", ok=False)
    assert verified(stack)[1]["signed"] < verified(stack)[1]["entries"]
    hands.kill(hands.pid("record"))  # it has the tree as it was in its memory no more
    as_intruder(hands, "DELETE FROM tree_nodes")
    restored(hands)
    until("it signs again", lambda: not alarm.exists() and all_signed(stack), within=60, every=1)


def restored(hands: Hands) -> None:
    """The tree as it follows from the leaves, by SQL of our own: level after level."""
    as_intruder(
        hands,
        "INSERT INTO tree_nodes SELECT 0, p.log_index, e.leaf FROM places p JOIN entries e ON e.id = p.entry_id",
        *(
            f"INSERT INTO tree_nodes SELECT {level + 1}, l.index / 2, sha256('\\x01'::bytea || l.hash || r.hash)"
            f" FROM tree_nodes l JOIN tree_nodes r ON r.level = l.level AND r.index = l.index + 1"
            f" WHERE l.level = {level} AND l.index %% 2 = 0".replace("%%", "%")
            for level in range(30)
        ),
    )
