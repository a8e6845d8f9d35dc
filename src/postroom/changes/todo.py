"""What mail nodes have to look at again: a set of compiled objects (domain, address, key) per node and change.

A set, not a log, so a late commit cannot be skipped. Which objects an edit touches is worked out in one
statement from the edits just recorded: a domain that opens or closes takes its addresses and keys along. A key that
tokens are signed by is every node's, also of one that comes later. What somebody asks a node to write again goes to
that node, whether it serves the client or not.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from postroom.models import Change, Delivery, NodeTodo

# table → the objects that an edit of it touches, as (object, id) from `e`, the edits of the entry: `row` holds what one
# says, before under after; `whole`, that the row is made or goes. Asked of those tables alone that are among the edits:
# to plan all of it takes longer than to carry out the one part that most changes need.
# A delegation that is only asked for is nothing to a node, and who is to answer it signs in meanwhile.
TOUCHED = {
    "addresses": "SELECT 'address' AS object, id FROM e WHERE t = 'addresses'",
    "mailboxes": """SELECT 'address' AS object,
    coalesce((row ->> 'address_id')::uuid, (SELECT m.address_id FROM mailboxes m WHERE m.id = e.id)) AS id
    FROM e WHERE t = 'mailboxes'
  UNION SELECT 'filter', f.id FROM filters f JOIN e ON e.id = f.mailbox_id
    WHERE t = 'mailboxes' AND row ? 'removed_at'""",
    "filters": "SELECT 'filter' AS object, id FROM e WHERE t = 'filters'",
    "redirect_stops": """SELECT 'address' AS object, m.address_id AS id
    FROM e JOIN redirect_stops s ON s.id = e.id JOIN mailboxes m ON m.id = s.mailbox_id WHERE t = 'redirect_stops'""",
    "aliases": """SELECT 'address' AS object,
    coalesce((row ->> 'address_id')::uuid, (SELECT l.address_id FROM aliases l WHERE l.id = e.id)) AS id
    FROM e WHERE t = 'aliases'""",
    "forwards": """SELECT 'address' AS object,
    coalesce((row ->> 'address_id')::uuid, (SELECT f.address_id FROM forwards f WHERE f.id = e.id)) AS id
    FROM e WHERE t = 'forwards'""",
    "exceptions": """SELECT 'address' AS object,
    coalesce((row ->> 'address_id')::uuid, (SELECT x.address_id FROM exceptions x WHERE x.id = e.id)) AS id
    FROM e WHERE t = 'exceptions'""",
    "transports": """SELECT 'address' AS object,
    coalesce((row ->> 'address_id')::uuid, (SELECT h.address_id FROM transports h WHERE h.id = e.id)) AS id
    FROM e WHERE t = 'transports'""",
    "catch_alls": """SELECT 'domain' AS object,
    coalesce((row ->> 'domain_id')::uuid, (SELECT g.domain_id FROM catch_alls g WHERE g.id = e.id)) AS id
    FROM e WHERE t = 'catch_alls'""",
    "delegations": """SELECT 'address' AS object, m.address_id AS id
    FROM e JOIN delegations g ON g.id = e.id AND g.started_at IS NOT NULL
      JOIN mailboxes m ON m.id IN (g.mailbox_id, g.to_mailbox_id)
    WHERE t = 'delegations'""",
    "credentials": """SELECT 'address' AS object, m.address_id AS id
    FROM e JOIN mailboxes m ON m.id = coalesce((row ->> 'mailbox_id')::uuid,
      (SELECT k.mailbox_id FROM credentials k WHERE k.id = e.id))
    WHERE t = 'credentials'""",
    "secrets": """SELECT 'address' AS object, m.address_id AS id
    FROM e JOIN mailboxes m ON m.id = (row ->> 'owner_row')::uuid
    WHERE t = 'secrets' AND row ->> 'purpose' = 'password'""",
    "dkim_keys": "SELECT 'key' AS object, id FROM e WHERE t = 'dkim_keys'",
    "domains": """SELECT 'domain' AS object, id FROM e WHERE t = 'domains'
  UNION SELECT 'address', a.id FROM addresses a JOIN e ON e.id = a.domain_id WHERE t = 'domains'
  UNION SELECT 'key', k.id FROM dkim_keys k JOIN e ON e.id = k.domain_id WHERE t = 'domains'
  UNION SELECT 'filter', f.id FROM e JOIN addresses a ON a.domain_id = e.id JOIN mailboxes m ON m.address_id = a.id
    JOIN filters f ON f.mailbox_id = m.id WHERE t = 'domains'""",
    "clients": """SELECT 'domain' AS object, d.id
    FROM domains d JOIN e ON e.id = d.client_id WHERE t = 'clients' AND NOT whole
  UNION SELECT 'address', a.id FROM addresses a JOIN e ON e.id = a.client_id WHERE t = 'clients' AND NOT whole
  UNION SELECT 'key', k.id FROM dkim_keys k JOIN e ON e.id = k.client_id WHERE t = 'clients' AND NOT whole
  UNION SELECT 'filter', f.id FROM filters f JOIN e ON e.id = f.client_id WHERE t = 'clients' AND NOT whole""",
}  # fmt: skip
# The same of what is named nodes', whoever is served there, as (node_id, object, object_id).
AIMED = {
    "redeliveries": """SELECT r.node_id, r.object, r.object_id FROM e JOIN redeliveries r ON r.id = e.id
    WHERE t = 'redeliveries'""",
    "organizations": """SELECT c.node_id, 'domain' AS object, d.id AS object_id
    FROM e, domains d JOIN clients c ON c.id = d.client_id
    WHERE t = 'organizations' AND NOT whole AND c.node_id IS NOT NULL
      AND (row ? 'forward_allowed' OR row ? 'forward_forbidden')""",
    "token_keys": """SELECT n.id AS node_id, 'token key' AS object, e.id AS object_id FROM e, nodes n
    WHERE t = 'token_keys' AND n.removed_at IS NULL""",
    "nodes": """SELECT n.id AS node_id, 'token key' AS object, k.id AS object_id
    FROM e JOIN nodes n ON n.id = e.id, token_keys k WHERE t = 'nodes' AND n.removed_at IS NULL""",
}
LEFT = """
  UNION SELECT (before ->> 'node_id')::uuid FROM e WHERE t = 'clients' AND before ->> 'node_id' IS NOT NULL"""
PUT = """
WITH e AS (
  SELECT "table" AS t, "row" AS id, coalesce(before, '{{}}') || coalesce(after, '{{}}') AS row, before, after,
    before IS NULL OR after IS NULL AS whole
  FROM edits WHERE entry_id = %(entry)s AND "table" = ANY (%(tables)s)
), touched AS (
  {touched}
), serving AS (
  SELECT node_id FROM clients WHERE id = %(client)s AND node_id IS NOT NULL{left}
), put AS (
  INSERT INTO node_todo (node_id, object, object_id, change_id)
    SELECT s.node_id, t.object, t.id, %(change)s::uuid FROM touched t, serving s WHERE t.id IS NOT NULL
    {aimed}
    RETURNING node_id
)
SELECT p.node_id, n.name, count(*) FROM put p JOIN nodes n ON n.id = p.node_id GROUP BY 1, 2
UNION ALL SELECT NULL, '', count(*) FROM touched WHERE id IS NOT NULL HAVING NOT EXISTS (SELECT FROM put)
ORDER BY 2
"""
NOTHING = "SELECT NULL::text AS object, NULL::uuid AS id WHERE false"
NOBODY = "no mail node serves this client yet"


def enqueue(change: Change, entry: int, tables: list[str]) -> list[Delivery]:
    """Put what the edits on `tables` touch on the lists of the nodes that serve it; one delivery a node.

    Where something is touched and no node serves it, one delivery says so; where nothing is, there is none.
    """
    with connection.cursor() as cursor:
        about: dict[str, Any] = {"entry": entry, "tables": tables, "client": change.client_id, "change": change.pk}
        cursor.execute(_put(tables), about)
        touched: list[tuple[UUID | None, str, int]] = [line for line in cursor.fetchall() if line[2]]
        if any(node for node, _, _ in touched):
            cursor.execute("NOTIFY postroom_node")
    delivery = {"change": change, "client_id": change.client_id, "target": "nodes"}
    return [
        Delivery(**delivery, object=node, label=name, why=f"{n} to go" if node else NOBODY)
        for node, name, n in touched
    ]  # fmt: skip


def _put(tables: Sequence[str]) -> str:
    touched = "\n  UNION ".join(TOUCHED[table] for table in tables if table in TOUCHED)
    aimed = (f"UNION SELECT *, %(change)s::uuid FROM ({AIMED[table]}) aimed" for table in tables if table in AIMED)
    left = LEFT if "clients" in tables else ""
    return PUT.format(touched=touched or NOTHING, left=left, aimed="\n    ".join(aimed))


def again(change: Change, node: UUID, objects: set[tuple[str, UUID]]) -> None:
    """Put these objects of a change back on a node's list: what it read back did not agree."""
    NodeTodo.objects.bulk_create(
        NodeTodo(node_id=node, object=object, object_id=id, change=change) for object, id in sorted(objects)
    )
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY postroom_node")
