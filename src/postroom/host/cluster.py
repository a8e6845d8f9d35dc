"""A private PostgreSQL cluster: made, configured, started, stopped. Ours alone; the machine's own is never touched.

Programs reach it by the socket folder, where the kernel says which system user asks and `pg_ident.conf` which roles
that user may take (peer authentication, PostgreSQL manual 21.9): there are no passwords to keep. Over TCP, if at all,
only roles with a password (SCRAM).
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from . import files, processes
from .service import Service

PROGRAMS = Path("/usr/lib/postgresql")
SUPERUSER = "postgres"
SERVER_ROLES = ("postgres", "postroom_owner", "postroom_app", "postroom_system", "postroom_signer")
MAP = "postroom"
OWN_ROLE = {"postroom": "postroom_app", "postroom-record": "postroom_system", "postroom-signer": "postroom_signer"}

SETTINGS: Mapping[str, str] = {
    # A container's /dev/shm is often 64 MB, too small for a parallel hash join.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "password_encryption": "scram-sha-256",
    # Our queries are many and small; compiling them costs more than it saves.
    "jit": "off",
    "max_connections": "120",
    "max_wal_size": "512MB",
    "shared_buffers": "128MB",
    "random_page_cost": "1.1",
    "idle_in_transaction_session_timeout": "10min",
}
# A cluster that is thrown away need not survive a power cut.
THROWAWAY: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
}


class ClusterError(Exception):
    """The cluster cannot be made, started or used; the message says why."""


def peers(nodes: tuple[str, ...] = (), *, root: str = "root") -> tuple[tuple[str, str], ...]:
    """(system user, role) pairs: root may take all, the pages and the worker's user one, the agent its node's."""
    mine = (*SERVER_ROLES, *(f"postroom_node_{node}" for node in nodes))
    pairs = [(user, role) for user in dict.fromkeys((root, SUPERUSER)) for role in mine]
    pairs += OWN_ROLE.items()
    pairs += [("postroom-agent", f"postroom_node_{node}") for node in nodes]
    return tuple(pairs)


@dataclass(frozen=True)
class Cluster:
    """`folder` holds the data, `sockets` the socket; `listen` is an address for TCP besides, or None."""

    folder: Path
    sockets: Path
    listen: str | None = None
    port: int = 5432
    peers: tuple[tuple[str, str], ...] = field(default_factory=peers)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def user(self) -> str:
        """Who runs it: PostgreSQL refuses root, so root makes it the package's own user."""
        return SUPERUSER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

    @property
    def programs(self) -> Path:
        """The folder of the version that made it, or of the highest one installed."""
        found = sorted(PROGRAMS.glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
        version = self.folder / "PG_VERSION"
        if not version.exists():
            if not found:
                raise ClusterError(f"PostgreSQL is not installed: nothing in {PROGRAMS}/*/bin")
            return found[-1].parent
        made_by = PROGRAMS / version.read_text().strip() / "bin"
        if not (made_by / "postgres").exists():
            raise ClusterError(f"{self.folder} was made by PostgreSQL {made_by.parent.name}, which is not installed: "
                               "install it, or move the data with pg_upgrade")  # fmt: skip
        return made_by

    def make(self) -> None:
        """initdb, once: beside, then renamed, so that half a cluster never counts as one."""
        if (self.folder / "PG_VERSION").exists():
            return
        beside = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(beside, ignore_errors=True)
        files.folder(beside, owner=self.user, mode=0o700)
        sync = ["--no-sync"] if self.settings.get("fsync") == "off" else []
        self._run("initdb", "--pgdata", str(beside), "--username", SUPERUSER, "--auth", "peer",
                  "--locale=C.UTF-8", "--encoding=UTF8", "--no-instructions", *sync)  # fmt: skip
        beside.rename(self.folder)

    def configure(self) -> None:
        """Write what it reads at its start; ours alone, so nothing of it is edited by hand."""
        files.folder(self.sockets, owner=self.user)
        if len(str(self.sockets / ".s.PGSQL.65535.lock")) > 107:  # sun_path, unix(7)
            raise ClusterError(f"the path of the socket folder is too long for a socket: {self.sockets}")
        place = {
            "listen_addresses": self.listen or "",
            "port": str(self.port),
            "unix_socket_directories": str(self.sockets),
            "hba_file": str(self.folder / "pg_hba.conf"),
            "ident_file": str(self.folder / "pg_ident.conf"),
        }
        values = {**SETTINGS, **place, **self.settings}
        lines = "".join(f"{name} = '{value}'\n" for name, value in values.items())
        self._write("postgresql.conf", lines)
        hba = [f"local all all peer map={MAP}"]
        if self.listen:
            hba += [f"host all {SUPERUSER} all reject", f"host all all {self.listen}/32 scram-sha-256"]
        self._write("pg_hba.conf", "\n".join(hba) + "\n")
        self._write_peers()

    def allow(self, user: str, role: str) -> "Cluster":
        """Let a system user take one more role, at once; the cluster that also does so from its next start."""
        more = replace(self, peers=tuple(dict.fromkeys((*self.peers, (user, role)))))
        more._write_peers()
        self.execute("SELECT pg_reload_conf()")
        return more

    def service(self) -> Service:
        return Service(
            "postgres",
            (str(self.programs / "postgres"), "-D", str(self.folder)),
            user=self.user,
            before=self.end_leftovers,
            ready=self.answers,
            stop_signal=signal.SIGINT,  # "fast": does not wait for its clients to leave
            stop_within=30,
        )

    def answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def end_leftovers(self) -> None:
        """After a kill -9: end who still works in the data folder, then remove what only looks like a running one."""
        # A broken start ends faster than a clean stop and loses nothing: the log is replayed.
        processes.end(processes.working_in(self.folder, "postgres"), by=signal.SIGQUIT, within=10)
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        for path in self.sockets.glob(".s.PGSQL.*"):
            path.unlink(missing_ok=True)

    def dsn(self, role: str = SUPERUSER, database: str = "postgres") -> str:
        """For psycopg, by the socket: `host=/… port=5432 user=… dbname=…`."""
        return make_conninfo(host=str(self.sockets), port=self.port, user=role, dbname=database)

    def execute(self, text: str, database: str = "postgres", role: str = SUPERUSER) -> list[tuple[object, ...]]:
        """Run statements in one transaction; the rows of the last."""
        with psycopg.connect(self.dsn(role, database), connect_timeout=5) as connection:
            cursor = connection.execute(text)
            return cursor.fetchall() if cursor.description else []

    def found(self, roles: str, database: str = "postroom", owner: str = "postroom_owner") -> None:
        """As superuser: make the roles that are missing, with this SQL, and the owner's database."""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            with connection.transaction():
                connection.execute(roles)
            there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
            if not there:
                names = sql.Identifier(database), sql.Identifier(owner)
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(*names))

    def make_member(self, role: str, group: str) -> None:
        """As superuser: a role that may sign in and has what the group has; left alone if it is there."""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                names = sql.Identifier(role), sql.Identifier(group)
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}").format(*names))

    @contextlib.contextmanager
    def running(self, *, within: float = 30) -> Iterator["Cluster"]:
        """Started now, stopped at the end. For tests and tools: `up` has its supervisor start `service()` instead."""
        self.make()
        self.configure()
        # The kernel interrupts it should this process be killed: a test run leaves no cluster behind.
        bound = ["setpriv", "--pdeathsig", "INT", "--"]
        if os.geteuid() == 0:
            bound[1:1] = ["--reuid", self.user, "--regid", self.user, "--init-groups"]
        log = self.folder.parent / f"{self.folder.name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen([*bound, *self.service().command], cwd="/", stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=output, start_new_session=True)  # fmt: skip
        try:
            processes.until(lambda: process.poll() is not None or self.answers(), within)
            if process.poll() is not None or not self.answers():
                raise ClusterError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
            yield self
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait(10)

    @classmethod
    @contextlib.contextmanager
    def temporary(
        cls, *, nodes: tuple[str, ...] = ("test",), settings: Mapping[str, str] = THROWAWAY
    ) -> Iterator["Cluster"]:
        """A running cluster in a folder that goes away: no TCP, no sync, and whoever runs the tests is its `root`."""
        base = Path(tempfile.mkdtemp(prefix="postroom-pg-"))
        base.chmod(0o755)
        me = pwd.getpwuid(os.geteuid()).pw_name
        try:
            with cls(base / "data", base / "run", peers=peers(nodes, root=me), settings=settings).running() as cluster:
                yield cluster
        finally:
            shutil.rmtree(base, ignore_errors=True)

    def _write_peers(self) -> None:
        self._write("pg_ident.conf", "".join(f"{MAP} {user} {role}\n" for user, role in self.peers))

    def _write(self, name: str, text: str) -> None:
        # The superuser's group: the folder is his alone, and 0640 needs no owner of its own.
        path = self.folder / name
        files.write(path, text.encode(), mode=0o640, group=SUPERUSER if self.user == SUPERUSER else None)

    def _run(self, program: str, *arguments: str) -> None:
        identity: dict[str, Any] = {"user": self.user, "group": self.user, "extra_groups": []}
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **(identity if os.geteuid() == 0 else {}),
        )
        if done.returncode:
            raise ClusterError(f"{program} failed: {done.stderr.strip() or done.stdout.strip()}")
