"""Creating mailboxes in changes of 10,000, with entries, beside a direct COPY of the same rows.

The other side is its own best practice: one COPY a table (addresses, mailboxes, edits), in one transaction, into tables
with the same columns, indexes, constraints and foreign keys, as superuser, with none of our code, no trigger and no row
security. Goal: at least 0.4 of its rate. Usage: bulk.py [rounds] [mailboxes]
"""

import sys
import time

import psycopg
from house import house, median

N = 10_000
TABLES = ("addresses", "mailboxes", "edits")
KEYS = {
    "addresses": (("client_id", "clients"), ("domain_id", "domains")),
    "mailboxes": (
        ("client_id", "clients"), ("address_id", "direct_addresses"), ("owner_id", "people"),
        ("operator_id", "people"), ("client_admin_id", "people"),
    ),
    "edits": (("entry_id", "entries"),),
}  # fmt: skip


def main(rounds: int, n: int) -> None:
    with house() as (cluster, people):
        from cast import do
        from postroom.changes.kind import KINDS
        from postroom.changes.pipeline import submit
        from postroom.changes.policies import high_risk

        high_risk.MANY = 10**9  # what is measured is not the wait for a second person
        for d in range(10):
            do("domains.add", people.oskar, client="acme", name=f"d{d}.example")
        kind = KINDS["mailboxes.create"]
        with psycopg.connect(cluster.dsn("postgres", "bench"), autocommit=True) as admin:
            _twins(admin)

            def ours(r: int) -> float:
                body = [{"address": f"u{r}x{i}@d{i % 10}.example", "name": f"Person {i}"} for i in range(n)]
                start = time.perf_counter()
                change = submit([kind.model_validate(one) for one in body], actor=people.oskar, why="load")
                took = time.perf_counter() - start
                assert change.version, change.verdicts
                return took

            ours(0)
            pairs = []
            for r in range(1, rounds + 1):
                pairs.append((ours(r), _direct(cluster.dsn("postgres", "bench"), _rows(admin))))
                print(f"round {r}: ours {pairs[-1][0]:.3f} s, direct {pairs[-1][1]:.3f} s")
            a, b = median([one for one, _ in pairs]), median([two for _, two in pairs])
            print(f"bulk: {n / a:,.0f} mailboxes/s ours, {n / b:,.0f} direct; ratio {b / a:.2f} (goal 0.40)")


def _twins(admin: psycopg.Connection) -> None:  # type: ignore[type-arg]
    for table in TABLES:
        admin.execute(f"CREATE TABLE direct_{table} (LIKE {table} INCLUDING ALL)")
        for column, target in KEYS[table]:
            key = f"FOREIGN KEY ({column}) REFERENCES {target} DEFERRABLE INITIALLY DEFERRED"
            admin.execute(f"ALTER TABLE direct_{table} ADD {key}")


def _rows(admin: psycopg.Connection) -> dict[str, bytes]:  # type: ignore[type-arg]
    """What the last change wrote, as COPY would have it."""
    entry = admin.execute("SELECT max(entry_id) FROM edits").fetchone()[0]  # type: ignore[index]
    found = {}
    for table in TABLES:
        of_entry = f'SELECT "row" FROM edits WHERE entry_id = {entry} AND "table" = \'{table}\''
        where = f"entry_id = {entry}" if table == "edits" else f"id IN ({of_entry})"
        names = ", ".join(_written(admin, table))
        with admin.cursor().copy(f"COPY (SELECT {names} FROM {table} WHERE {where}) TO STDOUT") as copy:
            found[table] = b"".join(bytes(part) for part in copy)
    return found


def _written(admin: psycopg.Connection, table: str) -> list[str]:  # type: ignore[type-arg]
    """The columns that are not worked out from others."""
    asked = "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
    more = " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
    return [str(name) for (name,) in admin.execute(asked + more, [table])]  # type: ignore[arg-type]


def _direct(dsn: str, rows: dict[str, bytes]) -> float:
    with psycopg.connect(dsn) as connection:
        start = time.perf_counter()
        for table, data in rows.items():
            with connection.cursor().copy(f"COPY direct_{table} FROM STDIN") as copy:
                copy.write(data)
        connection.commit()
        return time.perf_counter() - start


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, int(sys.argv[2]) if len(sys.argv) > 2 else N)
