"""What mail nodes have to look at again: a set of compiled objects (domain, address, key) per node and change.

A set, not a log, so a late commit cannot be skipped. Which objects an edit touches is worked out in one
statement from the edits just recorded: a domain that opens or closes takes its addresses and keys along. A key that
tokens are signed by is every node's, also of one that comes later. What somebody asks a node to write again goes to
that node, whether it serves the client or not.
"""

from typing import Any
from uuid import UUID

from django.db import connection

from postroom.models import Change, Delivery, NodeTodo

# Each edit of the entry → the objects it touches. `row` holds what the edit says, before under after.
TOUCHED = """
WITH e AS (
  SELECT "table" AS t, "row" AS id, coalesce(before, '{}') || coalesce(after, '{}') AS row, before, after,
    before IS NULL OR after IS NULL AS whole
  FROM edits WHERE entry_id = %(entry)s AND "table" = ANY (%(tables)s)
), domain AS (
  SELECT id FROM e WHERE t = 'domains'
), client AS (
  SELECT id FROM e WHERE t = 'clients' AND NOT whole
), touched AS (
  SELECT 'address' AS object, id FROM e WHERE t = 'addresses'
  UNION SELECT 'address',
    coalesce((row ->> 'address_id')::uuid, (SELECT m.address_id FROM mailboxes m WHERE m.id = e.id))
    FROM e WHERE t = 'mailboxes'
  UNION SELECT 'address',
    coalesce((row ->> 'address_id')::uuid, (SELECT l.address_id FROM aliases l WHERE l.id = e.id))
    FROM e WHERE t = 'aliases'
  UNION SELECT 'address', m.address_id
    FROM e JOIN mailboxes m ON m.id = coalesce((row ->> 'mailbox_id')::uuid,
      (SELECT k.mailbox_id FROM credentials k WHERE k.id = e.id))
    WHERE t = 'credentials'
  UNION SELECT 'address', m.address_id FROM e JOIN mailboxes m ON m.id = (row ->> 'owner_row')::uuid
    WHERE t = 'secrets' AND row ->> 'purpose' = 'password'
  UNION SELECT 'key', id FROM e WHERE t = 'dkim_keys'
  UNION SELECT 'domain', id FROM domain
  UNION SELECT 'address', a.id FROM addresses a JOIN domain d ON d.id = a.domain_id
  UNION SELECT 'key', k.id FROM dkim_keys k JOIN domain d ON d.id = k.domain_id
  UNION SELECT 'domain', d.id FROM domains d JOIN client c ON c.id = d.client_id
  UNION SELECT 'address', a.id FROM addresses a JOIN client c ON c.id = a.client_id
  UNION SELECT 'key', k.id FROM dkim_keys k JOIN client c ON c.id = k.client_id
), aimed AS (
  SELECT r.node_id, r.object, r.object_id FROM e JOIN redeliveries r ON r.id = e.id WHERE t = 'redeliveries'
), everywhere AS (
  SELECT n.id AS node_id, 'token key' AS object, e.id AS object_id FROM e, nodes n
    WHERE t = 'token_keys' AND n.removed_at IS NULL
  UNION SELECT n.id, 'token key', k.id FROM e JOIN nodes n ON n.id = e.id, token_keys k
    WHERE t = 'nodes' AND n.removed_at IS NULL
), serving AS (
  SELECT node_id FROM clients WHERE id = %(client)s AND node_id IS NOT NULL
  UNION SELECT (before ->> 'node_id')::uuid FROM e WHERE t = 'clients' AND before ->> 'node_id' IS NOT NULL
), put AS (
  INSERT INTO node_todo (node_id, object, object_id, change_id)
    SELECT s.node_id, t.object, t.id, %(change)s::uuid FROM touched t, serving s WHERE t.id IS NOT NULL
    UNION SELECT a.node_id, a.object, a.object_id, %(change)s::uuid FROM aimed a
    UNION SELECT w.node_id, w.object, w.object_id, %(change)s::uuid FROM everywhere w
    RETURNING node_id
)
SELECT p.node_id, n.name, count(*) FROM put p JOIN nodes n ON n.id = p.node_id GROUP BY 1, 2
UNION ALL SELECT NULL, '', count(*) FROM touched WHERE id IS NOT NULL HAVING NOT EXISTS (SELECT FROM put)
ORDER BY 2
"""
NOBODY = "no mail node serves this client yet"


def enqueue(change: Change, entry: int, tables: list[str]) -> list[Delivery]:
    """Put what the edits on `tables` touch on the lists of the nodes that serve it; one delivery a node.

    Where something is touched and no node serves it, one delivery says so; where nothing is, there is none.
    """
    with connection.cursor() as cursor:
        about: dict[str, Any] = {"entry": entry, "tables": tables, "client": change.client_id, "change": change.pk}
        cursor.execute(TOUCHED, about)
        touched: list[tuple[UUID | None, str, int]] = [line for line in cursor.fetchall() if line[2]]
        if any(node for node, _, _ in touched):
            cursor.execute("NOTIFY postroom_node")
    delivery = {"change": change, "client_id": change.client_id, "target": "nodes"}
    return [
        Delivery(**delivery, object=node, label=name, why=f"{n} to go" if node else NOBODY)
        for node, name, n in touched
    ]  # fmt: skip


def again(change: Change, node: UUID, objects: set[tuple[str, UUID]]) -> None:
    """Put these objects of a change back on a node's list: what it read back did not agree."""
    NodeTodo.objects.bulk_create(
        NodeTodo(node_id=node, object=object, object_id=id, change=change) for object, id in sorted(objects)
    )
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY postroom_node")
