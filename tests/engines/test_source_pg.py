"""The control plane's four functions, played by small ones in a real PostgreSQL: called rightly, and found again."""

import threading
import time
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from postroom.engines.source import SourceAway, Todo
from postroom.engines.source_pg import PgSource
from postroom.host.cluster import Cluster

ID, CHANGE = UUID(int=1), UUID(int=2)
PLAYED = """
CREATE TABLE said(what text, value jsonb);
CREATE FUNCTION node_pull(at_most int) RETURNS TABLE (todo bigint, object text, id uuid, change uuid, compiled jsonb)
  LANGUAGE sql AS $$
  SELECT * FROM (VALUES
    (1::bigint, 'domain', '00000000-0000-0000-0000-000000000001'::uuid, '00000000-0000-0000-0000-000000000002'::uuid,
     '{"maps": {"domain": [{"name": "acme.example"}]}}'::jsonb),
    (2::bigint, 'key', '00000000-0000-0000-0000-000000000001'::uuid, NULL, NULL)) v LIMIT at_most $$;
CREATE FUNCTION node_ack(todos bigint[], evidence jsonb) RETURNS bigint LANGUAGE sql AS $$
  INSERT INTO said VALUES ('ack', jsonb_build_object('todos', to_jsonb(todos), 'evidence', evidence));
  SELECT cardinality(todos)::bigint $$;
CREATE FUNCTION node_report(what text, rows jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO said VALUES (what, rows) $$;
CREATE FUNCTION node_rebuild() RETURNS bigint LANGUAGE sql AS $$
  INSERT INTO said VALUES ('rebuild', NULL); SELECT 1::bigint $$;
"""


@pytest.fixture(scope="module")
def playing() -> Iterator[Cluster]:
    with Cluster.temporary() as running:
        running.execute(PLAYED)
        yield running


@pytest.fixture
def source(playing: Cluster) -> Iterator[PgSource]:
    playing.execute("DELETE FROM said")
    source = PgSource(playing.dsn())
    yield source
    source.close()


def said(playing: Cluster) -> list[tuple[object, ...]]:
    return playing.execute("SELECT what, value FROM said")


def test_the_list_as_it_comes(source: PgSource) -> None:
    compiled = {"maps": {"domain": [{"name": "acme.example"}]}}
    assert source.pull(1000) == [Todo(1, "domain", ID, CHANGE, compiled), Todo(2, "key", ID, None, None)]
    assert len(source.pull(1)) == 1


def test_what_the_node_says(source: PgSource, playing: Cluster) -> None:
    source.ack([(1, [{"question": "q"}]), (2, [])])
    source.ack([])
    source.report("heartbeat", [{"maps_generation": 1}])
    source.rebuild()
    assert said(playing) == [
        ("ack", {"todos": [1, 2], "evidence": [[{"question": "q"}], []]}),
        ("heartbeat", [{"maps_generation": 1}]),
        ("rebuild", None),
    ]


def test_a_notice_ends_the_wait(source: PgSource, playing: Cluster) -> None:
    source.pull(1)
    assert not source.wait(0.1)
    timer = threading.Timer(0.2, lambda: playing.execute("NOTIFY postroom_node"))
    timer.start()
    started = time.monotonic()
    assert source.wait(10)
    assert time.monotonic() - started < 5
    timer.join()


def test_a_cut_connection_is_told_and_made_again(source: PgSource, playing: Cluster) -> None:
    source.pull(1)
    playing.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%node_pull%' "
                    "AND pid <> pg_backend_pid()")  # fmt: skip
    with pytest.raises(SourceAway):
        source.pull(1)
    assert len(source.pull(1)) == 1
    playing.execute("NOTIFY postroom_node")
    assert source.wait(5)


def test_nobody_there_is_away_and_not_a_crash() -> None:
    source = PgSource("host=/nowhere dbname=postroom connect_timeout=1")
    for call in (lambda: source.pull(1), source.rebuild, lambda: source.report("x", []), lambda: source.ack([(1, [])])):
        with pytest.raises(SourceAway):
            call()
    assert source.wait(0.05) is False


def test_a_function_that_fails_is_away_too(source: PgSource, playing: Cluster) -> None:
    """The node cannot tell a wrong answer from none; it serves on and asks again."""
    with psycopg.connect(playing.dsn()) as admin:
        admin.execute("ALTER FUNCTION node_rebuild() RENAME TO gone")
    try:
        with pytest.raises(SourceAway, match="node_rebuild"):
            source.rebuild()
    finally:
        playing.execute("ALTER FUNCTION gone() RENAME TO node_rebuild")
    source.rebuild()
