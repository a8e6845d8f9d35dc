"""Nodes are asked to look at all scripts now, and not when their turn comes. It changes nothing, so it is no change.

The asking stands on each node's list until a look that began after it was told whole (sql/nodes.sql,
`postroom_sieve`): a node that is down, or could not look, has it there still. Who asks again takes the place of who
asked before.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

SORT = "scripts"  # on a node's list, under the node's own id
ASK = """
WITH wanted AS (SELECT DISTINCT unnest(%s::uuid[]) AS node),
before AS (DELETE FROM node_todo t USING wanted w WHERE t.node_id = w.node AND t.object = %s),
asked AS (
  INSERT INTO sieve_asked (node_id, at) SELECT node, now() FROM wanted ORDER BY node
    ON CONFLICT (node_id) DO UPDATE SET at = excluded.at, answered_at = NULL
)
INSERT INTO node_todo (node_id, object, object_id) SELECT node, %s, node FROM wanted
"""


# What comes back, or is proven, has scripts that nobody looked at since: its node looks at once, and says so.
CAME_BACK = """
SELECT c.node_id FROM clients c WHERE c.id = %s AND c.node_id IS NOT NULL AND EXISTS (
  SELECT FROM edits e WHERE e.entry_id = %s AND e.before IS NOT NULL AND e.after IS NOT NULL AND CASE e."table"
    WHEN 'mailboxes' THEN e.after -> 'removed_at' = 'null'
    WHEN 'clients' THEN (e.after -> 'removed_at' = 'null' OR e.after ? 'node_id') AND EXISTS (
      SELECT FROM mailboxes m WHERE m.client_id = c.id)
    WHEN 'domains' THEN (e.after -> 'removed_at' = 'null' OR e.after ->> 'proof' = 'read') AND EXISTS (
      SELECT FROM addresses a JOIN mailboxes m ON m.address_id = a.id WHERE a.domain_id = e."row"::uuid)
    ELSE false END)
"""


def of_what_came_back(client: UUID | None, entry: int) -> None:
    """Ask the node of a client whose mailboxes it serves again by the edits of this entry."""
    with connection.cursor() as cursor:
        cursor.execute(CAME_BACK, [client, entry])
        ask([row[0] for row in cursor.fetchall()])


def ask(nodes: Sequence[UUID]) -> None:
    """Put it on their lists, and wake them."""
    if nodes:
        with connection.cursor() as cursor:
            cursor.execute(ASK, [list(nodes), SORT, SORT])
            cursor.execute("NOTIFY postroom_node")
