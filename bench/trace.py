"""Tracing one address at 1,000,000 mailboxes beside the same at 10,000, in one run: queries, and the time.

Every tenth address is an alias of two steps, every hundredth a forward that leaves; each client has a catch-all. What
is traced goes by a catch-all, two aliases and a forward, and is led to by others. Rows are put in as superuser past the
guard, as in lists.py. Goal: at most 12 queries, as many at either size, and at most 1.5 times the time; where one is
missed, it ends with 1.
Usage: trace.py [few] [many]
"""

import sys
import time

import psycopg
from house import house, median, newer_columns
from lists import EACH, _fill

TRIES = 40
MOST, GOAL = 12, 1.5
ROUTES = """
INSERT INTO addresses (id, client_id, domain_id, address, keep_copy)
  SELECT md5('alias ' || a.address)::uuid, a.client_id, a.domain_id, 'a-' || a.address, true
  FROM addresses a WHERE a.address ~ '^u[0-9]*0@c' AND NOT EXISTS (
    SELECT FROM addresses b WHERE b.id = md5('alias ' || a.address)::uuid);
INSERT INTO aliases (id, client_id, address_id, targets)
  SELECT md5('to ' || a.address)::uuid, a.client_id, a.id, ARRAY[CASE
    WHEN a.address ~ '^a-u[0-9]*00@c' THEN 'u1@' || split_part(a.address, '@', 2)
    WHEN a.address ~ '^a-u10@' THEN 'a-u100@' || split_part(a.address, '@', 2)
    ELSE substr(a.address, 3) END]
  FROM addresses a WHERE a.address LIKE 'a-u%' AND NOT EXISTS (SELECT FROM aliases l WHERE l.address_id = a.id);
INSERT INTO forwards (id, client_id, address_id, "to", until, made)
  SELECT md5('forward ' || a.address)::uuid, a.client_id, a.id, 'x@far.example', now() + interval '30 days', now()
  FROM addresses a WHERE a.address ~ '^u[0-9]*1@c' AND NOT EXISTS (SELECT FROM forwards f WHERE f.address_id = a.id);
INSERT INTO catch_alls (id, client_id, domain_id, target, until, made)
  SELECT d.id, d.client_id, d.id, 'a-u10@' || d.name, now() + interval '30 days', now()
  FROM domains d WHERE d.name ~ '^c[0-9]+.example' AND NOT EXISTS (SELECT FROM catch_alls g WHERE g.domain_id = d.id);
"""


def main(few: int, many: int) -> None:
    with house() as (cluster, people), psycopg.connect(cluster.dsn("postgres", "bench"), autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        newer_columns(admin)
        _grown(admin, 1, few // EACH)
        small = _measured(people)
        _grown(admin, few // EACH + 1, many // EACH)
        large, missed = _measured(people), 0
        for what, (queries, seconds) in large.items():
            ratio = seconds / small[what][1]
            print(f"{what}: {queries} queries at {many:,} mailboxes, {small[what][0]} at {few:,} (goal {MOST});"
                  f" {seconds * 1000:.1f} and {small[what][1] * 1000:.1f} ms, ratio {ratio:.2f} ({GOAL:.2f})",
                  flush=True)  # fmt: skip
            missed += queries > MOST or queries != small[what][0] or ratio > GOAL
    sys.exit(missed > 0)


def _grown(admin: psycopg.Connection, first: int, last: int) -> None:  # type: ignore[type-arg]
    _fill(admin, first, last)
    for statement in filter(str.strip, ROUTES.split(";\n")):
        admin.execute(statement)
    admin.execute("VACUUM ANALYZE")


def _measured(people: object) -> dict[str, tuple[int, float]]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from postroom.access.acting import acting_as
    from postroom.queries.tracing import traced

    olive, found = people.olive, {}  # type: ignore[attr-defined]
    for what, address in (("a chain", "nobody@c1.example"), ("what others lead to", "u1@c1.example")):
        times = []
        for _ in range(TRIES):
            with acting_as(olive), CaptureQueriesContext(connection) as asked:
                start = time.perf_counter()
                told = traced(olive, address)
                times.append(time.perf_counter() - start)
        assert told["landings"] and (told["hops"] or told["leads_here"]), told
        found[what] = (len(asked), median(times))
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
