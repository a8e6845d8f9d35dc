"""Objects that a mail node has otherwise in its files than they are compiled: somebody was at the node.

NIST SP 800-53 r5, SI-7 (integrity of software and information). A node says every minute a digest per bucket of
objects; a bucket that differs is asked for, object by object, and those that differ are findings. What is on the node's
list is on its way and is no drift. Of hashes and keys only that they differ is ever told.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from postroom.access.acting import SYSTEM, acting_as
from postroom.engines.digests import bucket
from postroom.models import DkimKey, Finding, Node, Report
from postroom.posture.findings import Found
from postroom.posture.run import Check, Seen

NAME, RECENT = "nodes.maps", timedelta(minutes=3)
AGAIN = "nodes.deliver_again"
ASKED = 8  # buckets at once, those first that were told longest ago
NOUNS = {"domain": "domains", "address": "addresses", "key": "dkim_keys"}
DIFFERING = "SELECT bucket FROM postroom_differing(%s, %s::jsonb, %s)"
DRIFTED = "SELECT id, client, object, wanted, wanted_digests FROM postroom_drifted(%s, %s, %s::jsonb, %s)"
Told = Mapping[str, Any]


@dataclass(frozen=True)
class Drifted:
    """One object that differs. wanted, has: {"digests": {file: digest}, "rows": {table: rows of maps.db}}, or none."""

    node: str
    node_id: UUID
    id: str
    client: UUID | None
    object: str
    wanted: Told | None
    has: Told | None
    label: str = ""


def evaluate(objects: Iterable[Drifted]) -> Iterator[Found]:
    for one in objects:
        label = one.label or _called(one.wanted) or _called(one.has) or f"{one.object or 'object'} {one.id}"
        what = "is not on it" if one.has is None else "is not as compiled" if one.wanted else "was put there by nobody"
        before, after = _sides(one.wanted, one.has)
        title, noun = f"{label} at the mail node {one.node} {what}", NOUNS.get(one.object, "nodes")
        yield Found(
            "critical", noun, _id(one.id) or one.node_id, label, title, f"{one.node} {one.id}", client=one.client,
            evidence={"before": before, "after": after, "node": one.node}, kind=AGAIN, params=_again(one),
        )  # fmt: skip


def _again(one: Drifted) -> dict[str, str]:
    """What is nobody's, and cannot be on a list, goes when the node is told to see to its own rows."""
    id = _id(one.id)
    return {"node": one.node} | ({"object": one.id} if id and id.int else {})


def _sides(wanted: Told | None, has: Told | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of the files that differ alone: the rows of maps.db; of the others, whether there is something."""
    mine, theirs = (side["digests"] if side else {} for side in (wanted, has))
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for file in sorted(mine.keys() | theirs.keys()):
        if mine.get(file) == theirs.get(file):
            continue
        if file == "maps":
            before |= {table: rows for table, rows in (wanted or {}).get("rows", {}).items() if rows}
            after |= (has or {}).get("rows", {})
        else:
            before[file] = "as set" if file in mine else "none"
            after[file] = "another" if file in theirs and file in mine else "one" if file in theirs else "none"
    return before, after


def _id(text: str) -> UUID | None:
    """An id that somebody made up on the node need not be one, nor be written as we write them: what it is then found
    at is the node, since by an id that is spelled otherwise its bucket would be another."""
    try:
        id = UUID(text)
    except ValueError:
        return None
    return id if str(id) == text else None


def _called(side: Told | None) -> str:
    rows = (side or {}).get("rows", {})
    named = (row.get(name) for table, name in NAMES for row in rows.get(table, ()))
    return next((str(name) for name in named if name), "")


NAMES = (("mailbox", "address"), ("route", "source"), ("domain", "name"), ("login", "address"), ("sender", "sender"),
         ("alias_domain", "name"), ("allowed", "source"), ("behalf", "sender"),
         ("opens", "address"))  # fmt: skip


def _look(now: datetime) -> Seen:
    found: list[Drifted] = []
    unread: set[UUID] = set()
    silent: list[str] = []
    with acting_as(SYSTEM):
        for node in Node.objects.filter(removed_at=None).order_by("name"):
            said = _newest(node, "digest", now)
            if said is None or "buckets" not in said.facts:
                silent.append(node.name)
                unread |= {node.pk, *_open(node)}
                continue
            for which in _differing(node, said.facts["buckets"]):
                told = _newest(node, "objects", now, facts__bucket=which)
                found += _drifted(node, which, told) if told else ()
                unread |= set() if told else {one for one in _open(node) if one == node.pk or bucket(str(one)) == which}
    why = f"{', '.join(silent)}: has not said for three minutes what it serves" if silent else "it is asked for"
    return Seen(tuple(evaluate(found)), unread=frozenset(unread), why=why)


def _newest(node: Node, sort: str, now: datetime, **where: Any) -> Report | None:
    return Report.objects.filter(node=node, sort=sort, at__gt=now - RECENT, **where).order_by("-at").first()


def _open(node: Node) -> set[UUID]:
    """What is open at the node; itself, where something is that has no id."""
    rows = Finding.objects.filter(check_name=NAME, closed_at=None, evidence__node=node.name, object__isnull=False)
    return {one for one in rows.values_list("object", flat=True) if one}


def _differing(node: Node, reported: Mapping[str, str]) -> list[str]:
    return [which for (which,) in _ask(DIFFERING, node.pk, _json(reported), ASKED)]


def _drifted(node: Node, which: str, told: Report) -> Iterator[Drifted]:
    said = told.facts["objects"]
    for id, client, object, rows, digests in _ask(DRIFTED, node.pk, which, _json(said), told.at):
        wanted = {"digests": _read(digests), "rows": _read(rows) or {}} if digests else None
        called = _key(id) if object == "key" else ""
        yield Drifted(node.name, node.pk, id, client, object or "", wanted, said.get(id), called)


def _key(id: str) -> str:
    key = DkimKey.objects.select_related("domain").get(pk=id)
    return f"The key {key.selector} of {key.domain.name}"


def _ask(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _json(value: Any) -> str:
    return json.dumps(value)


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


MAPS = Check(NAME, "Does every node serve what is compiled for it?", "NIST SP 800-53 r5, SI-7", 60, _look)
