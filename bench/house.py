"""A database to measure in: the tests' private cluster, with a client of many domains served by a node."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]
sys.path[:0] = [str(CHECKOUT / "src"), str(CHECKOUT / "tests")]
os.environ["DJANGO_SETTINGS_MODULE"] = "postroom.settings"

import django  # noqa: E402

django.setup()

from django.db import connection  # noqa: E402

from postroom.host.cluster import Cluster  # noqa: E402

# As in production, but for the size of the machine: what is measured is durable on both sides.
SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB"}


@contextmanager
def house(**settings: str) -> Iterator[tuple[Cluster, object]]:
    """A fresh cluster and the cast of the tests in it; Django speaks to it as postroom_app. settings: PostgreSQL's."""
    with Cluster.temporary(nodes=("mx1", "mx2"), settings=SETTINGS | settings) as cluster:
        cluster.found(files("postroom").joinpath("sql/roles.sql").read_text(), database="bench")
        for node in ("mx1", "mx2"):
            cluster.execute(f"CREATE ROLE postroom_node_{node} LOGIN IN ROLE postroom_node")
        environ = {**os.environ, "POSTROOM_DATABASE_URL": cluster.dsn("postroom_owner", "bench")}
        environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        subprocess.run([sys.executable, "-m", "django", "migrate", "-v0", "--skip-checks"], check=True, env=environ)
        connection.settings_dict.update(
            NAME="bench", HOST=str(cluster.sockets), PORT=str(cluster.port), USER="postroom_app"
        )
        from cast import found

        yield cluster, found()
        connection.close()


NEWER = """
DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT a.attrelid::regclass AS t, quote_ident(attname) AS name, CASE typcategory
          WHEN 'B' THEN 'false' WHEN 'N' THEN '0' WHEN 'D' THEN 'now()' WHEN 'A' THEN '{}' ELSE '' END AS v
        FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
        WHERE attrelid = ANY (ARRAY['clients', 'domains', 'addresses', 'mailboxes', 'record_sets']::regclass[])
          AND attnum > 0 AND attnotnull AND NOT atthasdef AND attidentity = ''
          AND typcategory IN ('B', 'N', 'A', 'S', 'D')
    LOOP EXECUTE format('ALTER TABLE %s ALTER %s SET DEFAULT %L', c.t, c.name, c.v); END LOOP;
END $$"""


def newer_columns(admin: Any) -> None:
    """What a benchmark that fills tables by statements of its own does not name is empty, as a change leaves it."""
    admin.execute(NEWER)


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
