"""What one small change costs at a node that serves many."""

from collections.abc import Callable
from typing import Any

from django.db import connection

from cast import MIA, House, do, kind
from mail_nodes import Node, acknowledge
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve
from postroom.changes.pipeline import submit


def test_one_object_is_compiled_by_its_key_however_many_a_node_serves(
    house: House, node: Callable[[str], Node], sql: Any
) -> None:
    """In pulling and in reading back: a node with a million addresses is not walked for one of them."""
    mx1 = node("mx1")
    walked = (
        "SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_xact_user_tables"
        " WHERE relname IN ('addresses', 'mailboxes', 'secrets', 'node_todo')"
    )
    many = [kind("mailboxes.create", address=f"n{n}@acme.example") for n in range(1500)]
    made = submit(many, actor=house.olive, why="many")
    assert approve(made.pk, actor=house.ada, plan_hash=made.plan_hash).version
    while acknowledge(mx1):
        pass
    sql("ANALYZE")
    change = do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1001)
    with mx1.transaction():
        assert len(mx1.execute("SELECT * FROM node_pull()").fetchall()) == 1
        assert mx1.execute(walked).fetchall()[0][0] < 100
    acknowledge(mx1)
    with acting_as(SYSTEM), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM postroom_read_back(%s, %s)", [change.pk, change.delivery_set.get().object])
        assert len(cursor.fetchall()) == 1
        cursor.execute(walked)
        assert cursor.fetchone()[0] < 100
