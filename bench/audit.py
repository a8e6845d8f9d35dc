"""Pages of the audit log among very many entries: each search that the page offers, as an owner and as a client.

One entry in a hundred is of a small client, one in a thousand by a person who seldom acts. What is timed is the whole
read behind a page (queries/entries.py), under row security. Goal: a quarter of a second each. Usage: audit.py [entries]
"""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from house import house, median

from postroom.access.acting import acting_as
from postroom.queries.entries import Wanted, entries
from postroom.queries.proofs import Signed

GOAL = 0.25  # seconds
FILL = """
INSERT INTO entries (client_id, leaf, at)
  SELECT (SELECT id FROM clients WHERE slug = CASE WHEN n %% 100 = 0 THEN 'acme' ELSE 'globex' END), '\\x00',
    now() - (%(many)s - n) * interval '30 seconds' FROM generate_series(1, %(many)s) n;
INSERT INTO edits (entry_id, n, client_id, "table", "row", before, after, salt)
  SELECT e.id, 0, e.client_id, CASE WHEN e.id %% 10 = 0 THEN 'events' ELSE 'changes' END, gen_random_uuid(), NULL,
    jsonb_build_object('kind', CASE WHEN e.id %% 500 = 0 THEN 'clients.suspend' ELSE 'mailboxes.change' END,
      'what', 'looked at', 'params', '{}'::jsonb, 'why', 'a bench', 'stage', 'verified', 'proposer_id',
      CASE WHEN e.id %% 1000 = 0 THEN %(seldom)s ELSE %(often)s END), '\\x00'
  FROM entries e WHERE e.leaf = '\\x00';
INSERT INTO places (entry_id, client_id, log_index, client_index)
  SELECT e.id, e.client_id, row_number() OVER (ORDER BY e.id) + 1000000, row_number() OVER (ORDER BY e.id) + 1000000
  FROM entries e WHERE e.leaf = '\\x00';
"""


def main(many: int) -> None:
    with house() as (cluster, people):
        _filled(cluster, people, many)
        slow = 0
        for name, who, wanted in _searches(people):
            took = median([_timed(who, wanted) for _ in range(5)])
            slow += took > GOAL
            print(f"{took * 1000:8.1f} ms  {name}")
        print(f"{many:,} entries; {'every page' if not slow else f'{slow} pages NOT'} within {GOAL * 1000:.0f} ms")
        sys.exit(bool(slow))


def _filled(cluster: Any, people: Any, many: int) -> None:
    import psycopg

    with psycopg.connect(cluster.dsn("postgres", "bench"), autocommit=True) as admin:
        values = {"many": many, "seldom": str(people.henry.person), "often": str(people.olive.person)}
        with psycopg.ClientCursor(admin) as cursor:
            cursor.execute(FILL.encode(), values)
        for table in ("entries", "edits", "places"):
            admin.execute(f"VACUUM ANALYZE {table}".encode())


def _searches(people: Any) -> Iterator[tuple[str, Any, Wanted]]:
    long_ago = datetime.now(UTC) - timedelta(days=60)
    for name, who in (("owner", people.oskar), ("a small client's admin", people.carl)):
        yield f"{name}: newest", who, Wanted(limit=25)
        yield f"{name}: one small client", who, Wanted(client="acme", limit=25)
        yield f"{name}: by who seldom acts", who, Wanted(person="henry@northlight.example", limit=25)
        yield f"{name}: by who often acts", who, Wanted(person="olive@northlight.example", limit=25)
        yield f"{name}: a rare kind", who, Wanted(said=("clients.suspend",), limit=25)
        yield (
            f"{name}: a rare kind by who seldom acts",
            who,
            Wanted(said=("clients.suspend",), person="henry@northlight.example", limit=25),
        )
        yield f"{name}: a kind that never was", who, Wanted(said=("domains.remove",), limit=25)
        yield f"{name}: an object", who, Wanted(object="mia@acme.example", limit=25)
        yield f"{name}: until 60 days ago", who, Wanted(until=long_ago, limit=25)
        yield f"{name}: far down", who, Wanted(after="5000", limit=25)


def _timed(who: Any, wanted: Wanted) -> float:
    with acting_as(who):
        started = time.perf_counter()
        entries(who, wanted, Signed())
        return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
