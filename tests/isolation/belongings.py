"""What belongs to a client, worked out from the models: every row that leads to it by foreign keys, and a digest.

Read as the database's superuser, past row security: what is compared is what stands there, not what somebody may see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from uuid import UUID

import psycopg
from django.apps import apps
from django.db import models

from postroom.models import Client

DEEP = 4  # foreign keys from a row to its client, at most
Path = tuple["models.ForeignKey[object, object]", ...]


def paths(model: type[models.Model], seen: frozenset[type[models.Model]] = frozenset()) -> Iterator[Path]:
    """Every way from a row of this model to a client, by its foreign keys; through no model twice."""
    if model is Client:
        yield ()
        return
    if len(seen) >= DEEP:
        return
    for one in model._meta.concrete_fields:
        target = one.remote_field and one.remote_field.model
        if (
            isinstance(one, models.ForeignKey)
            and isinstance(target, type)
            and target not in seen
            and target is not model
        ):
            yield from ((one, *rest) for rest in paths(target, seen | {model}))


def belonging() -> list[type[models.Model]]:
    """Every model with a way to a client."""
    return [model for model in apps.get_models() if any(True for _ in paths(model))]


def _rows(model: type[models.Model], path: Path) -> str:
    """SQL: the rows that lead to the client by this path, as text."""
    joins, last = "", "t0"
    for n, one in enumerate(path, start=1):
        target = one.remote_field.model._meta  # type: ignore[union-attr]
        joins += f' JOIN "{target.db_table}" t{n} ON t{n}."{target.pk.column}" = {last}."{one.column}"'
        last = f"t{n}"
    return f'SELECT to_jsonb(t0)::text AS row FROM "{model._meta.db_table}" t0{joins} WHERE {last}.id = %(client)s'


def of(model: type[models.Model]) -> str:
    """SQL: every row of this model that leads to the client, whichever way, once."""
    return " UNION ".join(_rows(model, path) for path in paths(model))


def rows(admin: psycopg.Connection[tuple[str, ...]], model: type[models.Model], client: UUID) -> list[str]:
    return sorted(row[0] for row in admin.execute(of(model), {"client": client}).fetchall())


@cache
def _dump() -> str:
    parts = [
        f"SELECT '{model._meta.db_table}', encode(sha256(convert_to(coalesce(string_agg(row, E'\\n' ORDER BY row"
        f" COLLATE \"C\"), ''), 'UTF8')), 'hex') FROM ({of(model)}) r"
        for model in belonging()
    ]
    return " UNION ALL ".join(parts)


def dump(admin: psycopg.Connection[tuple[str, ...]], client: UUID) -> dict[str, str]:
    """Table → SHA-256 of its sorted rows that belong to this client. To plan it takes far longer than to run it: once
    a connection, for whichever client."""
    admin.execute("SET plan_cache_mode = force_generic_plan")
    return dict(admin.execute(_dump(), {"client": client}, prepare=True).fetchall())  # type: ignore[arg-type]


def served(admin: psycopg.Connection[tuple[str, ...]], client: UUID) -> dict[str, str]:
    """What the nodes would be told of this client: sort of object → SHA-256 of all that is compiled of it, secrets too.

    Made of more rows than the client's own: a node, or an owner's right, that somebody else moved would show here."""
    asked = """
        SELECT 'compiled ' || object, encode(sha256(convert_to(string_agg(
            concat_ws(' ', id, node_id, compiled), E'\n' ORDER BY id), 'UTF8')), 'hex')
        FROM compiled WHERE client_id = %s GROUP BY object
    """
    return dict(admin.execute(asked, [client]).fetchall())  # type: ignore[arg-type]


def digest(tables: dict[str, str]) -> str:
    return hashlib.sha256("\n".join(f"{name} {of}" for name, of in sorted(tables.items())).encode()).hexdigest()
