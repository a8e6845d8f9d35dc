"""Nothing in the record is changed without being found: eight sorts of tampering, at random places, as superuser."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cast import MIA, House, do
from postroom.protocols import merkle, note
from postroom.record.sequencer import Sequencer
from postroom.record.signer import Signer
from postroom.record.verify import LOG, Verdict, Verification, _log, hashed

ORIGIN = "postroom.example/log"
GLOBEX = "mia@globex.example"


class Undone(Exception):
    """Leaves a transaction and takes what it did along."""


@pytest.fixture
def record(house: House, sequencer: Sequencer, signer: Signer, connect: Any) -> Callable[..., Verdict]:
    """A record of some sixty entries at three histories, signed twice; and how it is verified."""
    for n in range(8):
        for box in (MIA, GLOBEX):
            do("mailboxes.change", house.olive, mailbox=box, quota_mb=500 + n, name=f"Mia {n}")
        do("clients.change", house.oskar, client="acme", notes=f"note {n}")
        if n == 3:
            sequencer.place()
            signer.sign(connect("postroom_signer"))
    sequencer.place()
    signer.sign(connect("postroom_signer"))

    def verify(connection: psycopg.Connection[Any], client: Any = None) -> Verdict:
        over = Verification(connection, signer.who, [signer.last])
        return over.of_client(client) if client else over.whole()

    return verify


def test_a_record_nobody_touched_is_whole(record: Any, connect: Any, sql: Any, house: House) -> None:
    ((entries,),) = sql("SELECT count(*) FROM entries")
    assert record(connect("postroom_system")) == Verdict(entries, entries, []) and entries > 30
    for (client,) in sql("SELECT id FROM clients"):
        assert record(connect("postroom_system"), client).problems == []


def test_what_was_not_signed_yet_is_no_problem_and_what_has_no_place_is(
    record: Any, connect: Any, house: House, sequencer: Sequencer, sql: Any
) -> None:
    signed = record(connect("postroom_system")).signed
    do("mailboxes.change", house.olive, mailbox=MIA, name="later")
    sequencer.place()
    now = record(connect("postroom_system"))
    assert now.problems == [] and now.entries > now.signed == signed
    sql("INSERT INTO entries (leaf, at) VALUES ('\\x00', now() - interval '1 minute')")
    assert "has no place in the log" in record(connect("postroom_system")).problems[-1]


# Statements of an intruder; {entry} is one of the log, {index} its place.
ANY_LINE = "ctid = (SELECT ctid FROM edits WHERE {where} ORDER BY random() LIMIT 1)"
RENUMBER = (
    "UPDATE places SET client_index = -1 - entry_id",
    "UPDATE places p SET client_index = r.n FROM (SELECT entry_id, row_number() OVER (PARTITION BY client_id"
    " ORDER BY log_index) - 1 AS n FROM places) r WHERE r.entry_id = p.entry_id",
)


def line(change: str, where: str = "true") -> str:
    return f"UPDATE edits SET {change} WHERE {ANY_LINE.format(where=where)}"


def edit(rng: random.Random) -> list[str]:
    """A letter, a number, a person, a salt: somewhere in what an entry holds; or a line less."""
    kinds = [
        "UPDATE entries SET at = at - interval '1 day' WHERE id = {entry}",
        line("""after = jsonb_set(after, '{quota_mb}', '1')""", "after ? 'quota_mb' AND after->>'quota_mb' <> '1'"),
        line("""after = jsonb_set(after, '{why}', '"because"')""", "n = 0 AND after ? 'why'"),
        line("before = '{}'", "before <> '{}'"),
        line('"row" = gen_random_uuid()'),
        line(f"salt = '\\x{rng.randbytes(16).hex()}'"),
        f"DELETE FROM edits WHERE {ANY_LINE.format(where='n > 0')}",
    ]
    return [rng.choice(kinds)]


def delete(rng: random.Random) -> list[str]:
    gone = ["DELETE FROM edits WHERE entry_id = {entry}", "DELETE FROM entries WHERE id = {entry}"]
    return rng.choice([gone, ["DELETE FROM places WHERE entry_id = {entry}", *RENUMBER]])


def delete_tail(rng: random.Random) -> list[str]:
    """The newest entries, with everything that says that they were."""
    return [
        f"DELETE FROM places WHERE log_index > (SELECT max(log_index) FROM places) - {rng.randrange(1, 12)}",
        "DELETE FROM edits e WHERE NOT EXISTS (SELECT FROM places p WHERE p.entry_id = e.entry_id)",
        "DELETE FROM entries e WHERE NOT EXISTS (SELECT FROM places p WHERE p.entry_id = e.id)",
        "DELETE FROM tree_nodes WHERE (index + 1) << level > (SELECT max(log_index) + 1 FROM places)",
        "DELETE FROM checkpoints WHERE size > (SELECT max(log_index) + 1 FROM places)",
    ]


def insert(rng: random.Random) -> list[str]:
    """A second one like another, put before it; everything behind it moves on by one."""
    return [
        "INSERT INTO entries (id, client_id, leaf) SELECT 900000, client_id, leaf FROM entries WHERE id = {entry}",
        'INSERT INTO edits (entry_id, n, client_id, "table", "row", before, after, salt) SELECT 900000, n, client_id,'
        ' "table", "row", before, after, salt FROM edits WHERE entry_id = {entry}',
        "UPDATE places SET log_index = -1 - log_index WHERE log_index >= {index}",
        "UPDATE places SET log_index = -log_index WHERE log_index < 0",
        "INSERT INTO places (entry_id, client_id, log_index, client_index)"
        " SELECT 900000, client_id, {index}, 99999 FROM entries WHERE id = 900000",
        *RENUMBER,
    ]


def swap(rng: random.Random) -> list[str]:
    """Two entries change places, in the log and in their clients."""
    return [
        "CREATE TEMPORARY TABLE two ON COMMIT DROP AS SELECT * FROM places ORDER BY random() LIMIT 2",
        "UPDATE places SET log_index = -1 - log_index WHERE entry_id IN (SELECT entry_id FROM two)",
        "UPDATE places p SET log_index = t.log_index FROM two t"
        " WHERE t.entry_id <> p.entry_id AND p.entry_id IN (SELECT entry_id FROM two)",
        *RENUMBER,
    ]


OTHER = (
    "(SELECT id FROM clients WHERE id IS DISTINCT FROM (SELECT client_id FROM entries WHERE id = {entry})"
    " ORDER BY random() LIMIT 1) o"
)


def move(rng: random.Random) -> list[str]:
    """To another client, its place, its lines and the numbers of both clients put right; or some of its lines alone."""
    lines = f"UPDATE edits x SET client_id = o.id FROM {OTHER} WHERE entry_id = {{entry}}"
    if rng.randrange(2):
        return [rng.choice([lines, f"{lines} AND n = 0"])]
    taken = "SELECT FROM entries t WHERE t.client_id = o.id AND t.version = e.version"
    return [
        f"UPDATE entries e SET client_id = o.id, version = CASE WHEN NOT EXISTS ({taken}) THEN version END"
        f" FROM {OTHER} WHERE e.id = {{entry}}",
        "UPDATE edits x SET client_id = e.client_id FROM entries e WHERE e.id = {entry} AND x.entry_id = e.id",
        "UPDATE places SET client_index = -1 - entry_id",
        "UPDATE places p SET client_id = e.client_id FROM entries e WHERE e.id = p.entry_id",
        *RENUMBER,
    ]


def truncate_and_replay(rng: random.Random) -> list[str]:
    """One entry rewritten and hashed as we hash, places and tree made anew over all of them."""
    return ["REPLAY"]


def fork(rng: random.Random) -> list[str]:
    """Another history, whole in itself, under a checkpoint that somebody else signed in our name."""
    return ["REPLAY", "FORGE"]


SORTS = {one.__name__: one for one in (edit, delete, delete_tail, insert, swap, move, truncate_and_replay, fork)}


@pytest.mark.drill  # no server, but some seconds of work
@pytest.mark.parametrize("tamperings", [500, pytest.param(10_000, marks=pytest.mark.soak)])
def test_random_tamperings_of_eight_sorts_are_all_found(record: Any, connect: Any, tamperings: int) -> None:
    seed = int(os.environ.get("DRILL_SEED") or time.time_ns() % 1_000_000)
    rng, intruder = random.Random(seed), connect("postgres")
    intruder.execute("SET session_replication_role = replica")
    missed: list[str] = []
    done = dict.fromkeys(SORTS, 0)
    for n in range(tamperings):
        sort = list(SORTS)[n % len(SORTS)]
        with pytest.raises(Undone), intruder.transaction():
            if tampered(intruder, SORTS[sort](rng), rng):
                done[sort] += 1
                if record(intruder).problems == []:
                    missed.append(f"{sort} of seed {seed}, {n}")
            raise Undone
    assert missed == []
    assert min(done.values()) > tamperings / len(SORTS) / 2, done
    assert record(intruder).problems == []


def tampered(intruder: psycopg.Connection[Any], statements: list[str], rng: random.Random) -> bool:
    """Whether anything of the record is another than before."""
    before = digest(intruder)
    signed = "SELECT entry_id, log_index FROM places WHERE log_index < (SELECT max(log_index) FROM places)"
    entry, index = rng.choice(intruder.execute(signed).fetchall())  # a copy behind the last is one more, not another
    for statement in statements:
        if by_hand := {"REPLAY": replay, "FORGE": forge}.get(statement):
            by_hand(intruder, rng)
        else:
            intruder.execute(statement.replace("{entry}", str(entry)).replace("{index}", str(index)).encode())
    return digest(intruder) != before


def forge(intruder: psycopg.Connection[Any], rng: random.Random) -> None:
    """Checkpoints over the replayed log, signed with a key of the intruder's own, under the log's name."""
    nodes = {
        (level, index): bytes(one) for level, index, one in intruder.execute("SELECT * FROM tree_nodes").fetchall()
    }
    key = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
    for (size,) in intruder.execute("SELECT size FROM checkpoints").fetchall():
        root = merkle.root(size, lambda *at: nodes[at])
        said = note.signed(str(note.Checkpoint(ORIGIN, size, root)), ORIGIN, key)
        intruder.execute("UPDATE checkpoints SET root = %s, note = %s WHERE size = %s", [root, said, size])


MAILBOXES = (
    """SELECT p.entry_id FROM places p JOIN edits x USING (entry_id) WHERE x."table" = 'mailboxes' ORDER BY 1, n"""
)


def replay(intruder: psycopg.Connection[Any], rng: random.Random) -> None:
    """Rewrite an entry, hash it as we do, and let a sequencer of their own make the tree anew."""
    entry = rng.choice([id for (id,) in intruder.execute(MAILBOXES).fetchall()])
    rename = "UPDATE edits SET after = jsonb_set(after, '{name}', to_jsonb(%s::text)) WHERE entry_id = %s AND n = 1"
    intruder.execute(rename, [f"Eve {rng.random()}", entry])
    (changed,) = _log(intruder, f"{LOG} WHERE e.id = %s ORDER BY x.n", [entry])
    intruder.execute("UPDATE entries SET leaf = %s WHERE id = %s", [hashed(changed), entry])
    intruder.execute("DELETE FROM places; DELETE FROM tree_nodes")
    Sequencer(intruder).place()


def digest(intruder: psycopg.Connection[Any]) -> Any:
    tables = ("entries", "edits", "places")
    return [
        intruder.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {t} t".encode()).fetchone()
        for t in tables
    ]


@pytest.mark.parametrize("sort", ["edit", "swap", "move"])
def test_one_clients_entries_are_verified_by_themselves(record: Any, connect: Any, house: House, sort: str) -> None:
    intruder, rng, found = connect("postgres"), random.Random(7), 0
    intruder.execute("SET session_replication_role = replica")
    clients = [id for (id,) in intruder.execute("SELECT id FROM clients").fetchall()]
    for _ in range(20):
        with pytest.raises(Undone), intruder.transaction():
            if tampered(intruder, SORTS[sort](rng), rng):
                found += any(record(intruder, client).problems for client in clients)
            raise Undone
    assert found >= 10, "what was done to the organization's own entries is not theirs to see"


def test_what_another_client_may_read_of_it_is_found_at_both(
    record: Any, connect: Any, house: House, sequencer: Sequencer
) -> None:
    """By the client of a line row security goes, and nothing that was hashed says it: the rest of the entry stands."""
    intruder = connect("postgres")
    intruder.execute("SET session_replication_role = replica")
    acme, globex = (
        intruder.execute("SELECT id FROM clients WHERE slug = %s", [slug]).fetchone()[0] for slug in ("acme", "globex")
    )
    newest = "SELECT p.entry_id, p.log_index FROM places p WHERE client_id = %s ORDER BY log_index DESC LIMIT 1"
    entry, index = intruder.execute(newest, [acme]).fetchone()
    said = [f"entry at {index:,}: line 1 stands at another client than it is of"]
    for statement, problems in {
        f"UPDATE edits SET client_id = '{globex}' WHERE entry_id = {entry} AND n = 1": (said, said, said),
        f"UPDATE edits SET client_id = NULL WHERE entry_id = {entry} AND n = 1": (said, said, []),
    }.items():
        with pytest.raises(Undone), intruder.transaction():
            assert intruder.execute(statement.encode()).rowcount == 1
            assert tuple(record(intruder, client).problems for client in (None, acme, globex)) == problems
            raise Undone
    do("mailboxes.change", house.olive, mailbox=MIA, name="without a place")
    late = "SELECT max(id) FROM entries"
    intruder.execute(f"UPDATE edits SET client_id = '{globex}' WHERE entry_id = ({late}) AND n = 0".encode())
    intruder.execute(
        f"""INSERT INTO edits (entry_id, n, client_id, "table", "row", salt)
        VALUES (({late}) + 1, 0, '{globex}', 'mailboxes', gen_random_uuid(), '')""".encode()
    )
    assert [problem.partition(": ")[2] for problem in record(intruder).problems] == [
        "line 0 stands at another client than it is of"] * 2  # fmt: skip


def test_a_checkpoint_kept_elsewhere_finds_a_tail_that_was_cut_off_everywhere(record: Any, connect: Any) -> None:
    intruder = connect("postgres")
    intruder.execute("SET session_replication_role = replica")
    for statement in delete_tail(random.Random(1)):
        intruder.execute(statement.encode())
    (problem,) = record(intruder).problems
    assert "entries were signed" in problem
