"""A private PostgreSQL: who may be whom, and what a kill leaves."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from postroom.host import processes
from postroom.host.cluster import Cluster, ClusterError, peers

pytestmark = pytest.mark.server

ROLES = """DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'postroom_owner') THEN
CREATE ROLE postroom_owner LOGIN; CREATE ROLE postroom_app LOGIN; CREATE ROLE postroom_node NOLOGIN; END IF; END $$"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster.temporary() as cluster:
        cluster.found(ROLES)
        yield cluster


def test_it_is_utf8_whatever_the_locale_of_the_caller(cluster: Cluster) -> None:
    assert cluster.execute("SHOW server_encoding", "postroom") == [("UTF8",)]
    assert cluster.execute("SELECT datcollate FROM pg_database WHERE datname = 'postroom'") == [("C.UTF-8",)]
    assert cluster.execute("SHOW timezone") == [("UTC",)]


def test_the_database_belongs_to_the_owner_and_making_it_again_changes_nothing(cluster: Cluster) -> None:
    cluster.found(ROLES)
    cluster.execute("CREATE TABLE a (b int)", "postroom", "postroom_owner")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        cluster.execute("CREATE TABLE c (d int)", "postroom", "postroom_app")


def test_a_role_nobody_mapped_is_refused_until_it_is_allowed(cluster: Cluster) -> None:
    cluster.make_member("postroom_node_late", "postroom_node")
    cluster.make_member("postroom_node_late", "postroom_node")
    with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
        psycopg.connect(cluster.dsn("postroom_node_late", "postroom")).close()

    cluster.allow(_myself(), "postroom_node_late")
    assert processes.until(lambda: _reaches(cluster, "postroom_node_late"), 5)


@pytest.mark.skipif(os.geteuid() != 0, reason="changes to another user")
@pytest.mark.parametrize("role, code", [("postroom_app", 0), ("postroom_owner", 2), ("postgres", 2)])
def test_the_user_of_pages_and_worker_may_be_the_application_and_nothing_more(
    cluster: Cluster, role: str, code: int
) -> None:
    asked = ["psql", "-tAc", "SELECT 1", cluster.dsn(role, "postroom")]
    done = subprocess.run(asked, user="postroom", group="postroom", extra_groups=[], cwd="/", capture_output=True)
    assert done.returncode == code, done.stderr


def test_nothing_listens_on_a_network(cluster: Cluster) -> None:
    assert cluster.execute("SHOW listen_addresses") == [("",)]


def test_after_a_kill_it_starts_again_over_what_was_left(state: Path) -> None:
    cluster = Cluster(state / "data", state / "run", peers=peers(root=_myself()), settings={"fsync": "off"})
    with cluster.running():
        cluster.execute("CREATE TABLE kept (a int)")
        server = processes.working_in(cluster.folder, "postgres")
        main = int((cluster.folder / "postmaster.pid").read_text().split()[0])
        os.kill(main, signal.SIGSTOP)  # its children stay, as after a kill they sometimes do for a while
        for process in server:
            if process.pid == main:
                process.send(signal.SIGKILL)
        cluster.end_leftovers()
        assert processes.working_in(cluster.folder, "postgres") == []
    with cluster.running():
        assert cluster.execute("SELECT count(*) FROM kept") == [(0,)]


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(state: Path) -> None:
    cluster = Cluster(state / "data", state / "run", peers=peers(root=_myself()), settings={"fsync": "off"})
    cluster.make()
    (cluster.folder / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.folder}\n")
    cluster.end_leftovers()
    with cluster.running():
        assert cluster.answers()


def test_an_initdb_that_was_cut_short_is_done_again(state: Path) -> None:
    (state / "data.new").mkdir()
    (state / "data.new" / "half").touch()
    cluster = Cluster(state / "data", state / "run")
    cluster.make()
    assert (state / "data" / "PG_VERSION").exists()
    assert not (state / "data.new").exists()


def test_data_of_a_version_that_is_not_installed_is_named(state: Path) -> None:
    (state / "data").mkdir()
    (state / "data" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(ClusterError, match=r"made by PostgreSQL 9\.6, which is not installed"):
        Cluster(state / "data", state / "run").service()


def _myself() -> str:
    return "root" if os.geteuid() == 0 else Path.home().owner()


def _reaches(cluster: Cluster, role: str) -> bool:
    try:
        return cluster.execute("SELECT session_user", "postroom", role) == [(role,)]
    except psycopg.OperationalError:
        return False
