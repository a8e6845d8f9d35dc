"""List, detail and in-client search at 1,000,000 mailboxes beside the same at 10,000, in one run.

The same client of 1,000 mailboxes is looked at both times; what grows is everybody else's. Rows are put in as
superuser past the guard, since how they come in is measured in bulk.py. Goal: at most 1.5 times the time.
Usage: lists.py [few] [many]
"""

import sys
import time
from collections.abc import Callable

import psycopg
from house import house, newer_columns

TRIES = 40
FILL = """
WITH made AS (
  SELECT gen_random_uuid() AS client, 'c' || c AS slug FROM generate_series({first}, {last}) c
), clients_ AS (
  INSERT INTO clients (id, slug, name, node_id, security_contact, may_ask, notes, version)
  SELECT client, slug, slug, (SELECT id FROM nodes LIMIT 1), '', '{{}}', '', 1 FROM made
), domains_ AS (
  INSERT INTO domains (id, client_id, name, hosting, registrar, registrar_holder, registrar_account, dns_holder, proof,
    proof_token)
  SELECT client, client, slug || '.example', 'hosted', '', '', '', '', 'read', '' FROM made
), addresses_ AS (
  INSERT INTO addresses (id, client_id, domain_id, address, keep_copy)
  SELECT md5(slug || '/' || n)::uuid, client, client, 'u' || n || '@' || slug || '.example', true
  FROM made, generate_series(1, {each}) n RETURNING id, client_id
)
INSERT INTO mailboxes (id, client_id, address_id, kind, name, contact, vip, quota_mb, access_epoch)
  SELECT md5('m' || id)::uuid, client_id, id, 'person', 'Person ' || left(id::text, 6), '', false, 1000, 0
  FROM addresses_
"""
EACH = 1000


def main(few: int, many: int) -> None:
    with house() as (cluster, people), psycopg.connect(cluster.dsn("postgres", "bench"), autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        newer_columns(admin)
        _fill(admin, 1, few // EACH)
        small = _measured(people)
        _fill(admin, few // EACH + 1, many // EACH)
        large = _measured(people)
        for what in small:
            ratio = large[what] / small[what]
            print(f"{what}: {small[what] * 1000:.1f} ms at {few:,}, {large[what] * 1000:.1f} ms at {many:,}; "
                  f"ratio {ratio:.2f} (goal 1.50)")  # fmt: skip


def _fill(admin: psycopg.Connection, first: int, last: int) -> None:  # type: ignore[type-arg]
    for at in range(first, last + 1, 50):
        admin.execute(FILL.format(first=at, last=min(at + 49, last), each=EACH))
    admin.execute("VACUUM ANALYZE")


def _measured(people: object) -> dict[str, float]:
    from postroom.access.acting import acting_as
    from postroom.queries.objects import listed, one

    olive = people.olive  # type: ignore[attr-defined]
    asked: dict[str, Callable[[], object]] = {
        "list of everything": lambda: listed(olive, "mailboxes"),
        "list of everything, further on": lambda: listed(olive, "mailboxes", after="u5@c5.example"),
        "list of one client": lambda: listed(olive, "mailboxes", client="c3"),
        "list of one client, further on": lambda: listed(olive, "mailboxes", client="c3", after="u500@c3.example"),
        "one mailbox": lambda: one(olive, "mailboxes", "u77@c3.example"),
        "search in one client": lambda: listed(olive, "mailboxes", client="c3", search="u77"),
        "search everywhere": lambda: listed(olive, "mailboxes", search="u777@c3."),
    }
    found = {}
    for what, ask in asked.items():
        times = []
        for _ in range(TRIES):
            with acting_as(olive):
                start = time.perf_counter()
                ask()
                times.append(time.perf_counter() - start)
        found[what] = sorted(times)[TRIES // 10]  # the machine is shared: what it takes when it is let
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
