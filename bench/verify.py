"""The whole record verified, beside reading the same rows and hashing them with hashlib alone.

A million entries: those of real changes and notes, repeated with ids, versions, times and salts of their own, hashed as
ours are, placed by the sequencer, signed by a signer. The other side is what one would write to hash the same lines and
nothing else: one query over `edits` in the order of the log, a server-side cursor, groupby, json and hashlib; it looks
at no place, number, version or time, keeps no tree and knows no checkpoint. Goal: at most 3 times its time.
Usage: verify.py [entries] [rounds]
"""

import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from house import house, median

Connection = psycopg.Connection[Any]
ORIGIN = "bench.example/log"
AT_ONCE = 20_000
LINES = (
    'SELECT p.log_index, jsonb_build_array(x."table", x."row", x.before, x.after)::text, x.salt'
    " FROM places p JOIN edits x ON x.entry_id = p.entry_id ORDER BY p.log_index, x.n"
)
canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def main(entries: int, rounds: int) -> None:
    with house() as (cluster, people), tempfile.TemporaryDirectory() as folder:
        _some_of_each(people)
        with psycopg.connect(cluster.dsn("postgres", "bench"), autocommit=True) as admin:
            _filled(admin, entries)
        system = psycopg.connect(cluster.dsn("postroom_system", "bench"), autocommit=True)
        signer = _signed(
            system, psycopg.connect(cluster.dsn("postroom_signer", "bench"), autocommit=True), Path(folder)
        )
        ((lines,),) = system.execute("SELECT count(*) FROM edits").fetchall()
        pairs = []
        for n in range(rounds):
            sides = [lambda: _ours(system, signer), lambda: _by_hand(system)]
            took = [side() for side in (sides if n % 2 else sides[::-1])]
            pairs.append(took if n % 2 else took[::-1])
            print(f"round {n + 1}: ours {pairs[-1][0]:.1f} s, by hand {pairs[-1][1]:.1f} s", flush=True)
        a, b = median([one for one, _ in pairs]), median([two for _, two in pairs])
        print(f"verify: {entries:,} entries of {lines:,} lines in {a:.1f} s, read and hashed alone in {b:.1f} s; "
              f"ratio {a / b:.2f} (goal 3.00)")  # fmt: skip


def _ours(system: Connection, signer: Any) -> float:
    from postroom.record.verify import Verification

    start = time.perf_counter()
    found = Verification(system, signer.who, [signer.last]).whole()
    took = time.perf_counter() - start
    assert not found.problems and found.entries == found.signed, found.problems[:3]
    return took


def _by_hand(system: Connection) -> float:
    start, count = time.perf_counter(), 0
    with system.transaction(), system.cursor(name="lines", binary=True) as cursor:
        cursor.itersize = 5_000
        for _, lines in groupby(cursor.execute(LINES), key=itemgetter(0)):
            leaf = hashlib.sha256(b"\x00")
            for _, text, salt in lines:
                leaf.update(hashlib.sha256(salt + canonical(json.loads(text)).encode()).digest())
            leaf.digest()
            count += 1
    assert count > 1
    return time.perf_counter() - start


def _some_of_each(people: Any) -> None:
    """What there is of every day, to be repeated: small changes, some of many lines, notes."""
    from cast import MIA, do

    for n in range(40):
        do("mailboxes.change", people.olive, mailbox=MIA, quota_mb=500 + n, name=f"Mia {n}")
        do("clients.change", people.oskar, client="acme", notes=f"What was said on the phone, {n}")
    for n in range(4):
        do("mailboxes.create", people.olive, address=f"new{n}@acme.example", name=f"New {n}")
        do("aliases.create", people.olive, address=f"to{n}@acme.example", targets=[MIA])


def _filled(admin: Connection, entries: int) -> None:
    query = """SELECT e.id, e.version, x."table", x."row"::text, x.before, x.after FROM entries e
        JOIN edits x ON x.entry_id = e.id WHERE e.client_id = %s ORDER BY e.id, x.n"""
    ((there, last, client),) = admin.execute(
        "SELECT count(*), max(id), (SELECT id FROM clients WHERE slug = 'acme') FROM entries"
    )
    rows = admin.execute(query, [client]).fetchall()
    models = [[line[2:] for line in lines] for _, lines in groupby(rows, key=itemgetter(0))]
    version = max(row[1] or 0 for row in rows)
    admin.execute("SET session_replication_role = replica")
    made = _made(models, last, version, str(client), entries - there)
    while some := list(islice(made, AT_ONCE)):
        _copied(admin, some)
    admin.execute("SELECT setval(pg_get_serial_sequence('entries', 'id'), (SELECT max(id) FROM entries))")
    admin.execute("VACUUM ANALYZE entries, edits")


def _made(models: list[Any], last: int, version: int, client: str, count: int) -> Iterator[tuple[Any, ...]]:
    """(id, client, version, leaf, lines)."""
    from postroom.protocols import entry

    for n in range(count):
        lines, made = [], []
        model = models[n % len(models)]
        versioned = len(model) > 1
        version += versioned
        for at, (table, row, before, after) in enumerate(model):
            if at == 0:
                after = {**after, "version": version} if versioned else after
                row = str(uuid4())
            salt = os.urandom(16)
            texts = tuple(None if one is None else entry.encode(one) for one in (before, after))
            made.append((table, row, *texts, salt))
            lines.append(entry.salted(salt, entry.line(table, row, *texts)))
        yield last + 1 + n, client, version if versioned else None, entry.leaf(lines), made


def _copied(admin: Connection, made: list[tuple[Any, ...]]) -> None:
    with admin.cursor() as cursor:
        with cursor.copy("COPY entries (id, client_id, version, leaf, at) FROM STDIN") as copy:
            now = time.strftime("%Y-%m-%d %H:%M:%S%z")
            for id, client, version, leaf, _ in made:
                copy.write_row((id, client, version, leaf, now))
        with cursor.copy('COPY edits (entry_id, n, client_id, "table", "row", before, after, salt) FROM STDIN') as copy:
            for id, client, _, _, lines in made:
                for n, line in enumerate(lines):
                    copy.write_row((id, n, client, *line))


def _signed(system: Connection, signing: Connection, folder: Path) -> Any:
    from postroom.record.sequencer import Sequencer
    from postroom.record.signer import Signer

    sequencer, signer = Sequencer(system), Signer(folder, ORIGIN)
    while sequencer.place():
        pass
    signer.sign(signing)
    system.execute("ANALYZE")
    return signer


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
