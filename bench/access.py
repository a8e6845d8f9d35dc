"""What it costs to ask who may see what: the list of domains, 200,000 of them, for a person who holds 40 grants.

The page is asked for as a browser does, through Django's own client, by somebody who is an auditor at 40 of 2,000
clients; their 4,000 domains stand all over the list. The other side (bench/plain/page.py) is the same page of the same
rows with access check, scope filter and row security taken out, and the ids of its rows known beforehand. Both pages
are compared, letter by letter. CPU is that of the process and of its PostgreSQL backend together. Goal: at most two
queries and 15 % CPU more. Usage: access.py [rounds] [pages a round]
"""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psycopg
from house import CHECKOUT, house, median, newer_columns

sys.path.append(str(CHECKOUT / "tests/web"))

from plain.page import unguarded

CLIENTS, EACH, GRANTS = 2_000, 100, 40
QUERIES, GOAL = 2, 0.15
FILL = """
WITH made AS (
  SELECT gen_random_uuid() AS client, 'c' || c AS slug FROM generate_series({first}, {last}) c
), clients_ AS (
  INSERT INTO clients (id, slug, name, node_id, security_contact, may_ask, notes, version)
  SELECT client, slug, 'Client ' || slug, (SELECT id FROM nodes LIMIT 1), '', '{{}}', '', 1 FROM made
), domains_ AS (
  INSERT INTO domains (id, client_id, name, hosting, registrar, registrar_holder, registrar_account, dns_holder, proof,
    proof_token)
  SELECT gen_random_uuid(), client, left(md5(slug || '/' || n), 12) || '.example', 'hosted', '', '', '', '', 'read', ''
  FROM made, generate_series(1, {each}) n RETURNING id, client_id, name
)
INSERT INTO record_sets (id, client_id, domain_id, name, type, ttl, values, ours)
  SELECT gen_random_uuid(), client_id, id, name || '.', 'MX', 3600, '{{10 mx.postroom.example.}}',
    '{{10 mx.postroom.example.}}' FROM domains_
"""


def main(rounds: int, pages: int) -> None:
    with house() as (cluster, people):
        _filled(cluster.dsn("postgres", "bench"))
        pat = _auditor(people)
        from visitors import visitor

        browser = visitor(pat)
        ours, theirs = _Side("postroom_app", browser), _Side("postgres", browser)
        for path, access, shown in _pages(pat):
            found: list[tuple[float, float]] = []
            for n in range(rounds):
                took = {}
                for side in (ours, theirs) if n % 2 else (theirs, ours):
                    with unguarded(access, shown) if side is theirs else nullcontext():
                        took[side] = side.measure(path, pages)
                found.append((took[ours], took[theirs]))
            assert ours.page == theirs.page, "not the same page"
            _tell(path, found, ours, theirs)


def _tell(path: str, found: list[tuple[float, float]], ours: "_Side", theirs: "_Side") -> None:
    """The machine is shared: what each takes when it is let, the tenth part of the rounds; and the median of all."""
    a, b = (sorted(one)[len(one) // 10] for one in zip(*found, strict=True))
    more = median([one / two - 1 for one, two in found])
    print(f"access {path}: {a * 1000:.2f} ms CPU a page, {b * 1000:.2f} without; {a / b - 1:+.1%} (goal {GOAL:+.0%}), "
          f"median of rounds {more:+.1%}; {ours.queries} queries, {theirs.queries} without (goal {QUERIES} more): "
          + " ".join(f"{x / y - 1:+.0%}" for x, y in found), flush=True)  # fmt: skip


def _filled(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        newer_columns(admin)
        for at in range(1, CLIENTS, 50):
            admin.execute(FILL.format(first=at, last=at + 49, each=EACH).encode())
        admin.execute("VACUUM ANALYZE")


def _auditor(people: Any) -> Any:
    from cast import do, person

    do("people.invite", people.oskar, name="Pat", email="pat@northlight.example")
    for n in range(1, GRANTS + 1):
        client = f"c{n * (CLIENTS // GRANTS)}"
        assert do("grants.give", people.oskar, person="pat@northlight.example", role="auditor", client=client).version
    return person("pat@northlight.example", people.oskar)


def _pages(pat: Any) -> Iterator[tuple[str, Any, dict[type, list[Any]]]]:
    """The first page and one in the middle: (its address, what pat holds, the ids of the rows that are on it)."""
    from postroom.access.acting import acting_as
    from postroom.access.scope import visible
    from postroom.models import Client, Domain
    from postroom.queries.around import SCOPES
    from postroom.queries.lists import SIZE

    with acting_as(pat) as access:
        names = list(visible(pat, Domain).order_by("name").values_list("name", "pk"))
        clients = list(visible(pat, Client).order_by("slug").values_list("pk", flat=True)[:SCOPES])
    assert (len(access.held), len(names)) == (GRANTS, GRANTS * EACH)
    for start in (0, len(names) // 2):
        path = f"/domains/?after={names[start - 1][0]}" if start else "/domains/"
        yield path, access, {Domain: [pk for _, pk in names[start : start + SIZE + 1]], Client: clients}


class _Side:
    """The page over a connection of its own role."""

    def __init__(self, role: str, browser: Any) -> None:
        self.role, self.browser = role, browser
        self.page, self.queries = "", 0

    def measure(self, path: str, pages: int) -> float:
        """Seconds of CPU a page."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        connection.close()
        connection.settings_dict["USER"] = self.role
        with CaptureQueriesContext(connection) as queries:
            self._get(path)
        self.queries = len(queries)
        for _ in range(10):  # plans are made for good after some
            self._get(path)
        backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
        start, there = time.process_time(), int(backend.read_text().split()[0])
        for _ in range(pages):
            self._get(path)
        return (time.process_time() - start + (int(backend.read_text().split()[0]) - there) / 1e9) / pages

    def _get(self, path: str) -> None:
        answer = self.browser.get(path)
        assert answer.status_code == 200, answer.status_code
        self.page = re.sub(r'(csrf\w*|nonce)[^>]*?(value|content)="[^"]+"', "", answer.content.decode())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 21, int(sys.argv[2]) if len(sys.argv) > 2 else 20)
