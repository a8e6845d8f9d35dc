"""`postroom up`: from a state folder to a running installation, and back when asked to stop.

Reads downwards: this is the order in which everything happens. What runs, migrates and is loaded comes in by hooks,
so that this layer knows nothing of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import claim, keys, pid_files
from . import installation as installations
from .cluster import Cluster, peers
from .installation import Installation
from .service import Service
from .supervise import Interrupted, Supervisor


def _nothing(*_: object) -> None:
    pass


@dataclass(frozen=True)
class Hooks:
    """What an installation consists of. `migrate` is a job as root, reaching the database as postroom_owner.

    `nodes` get a login role each. `services` comes in the order of the start, without PostgreSQL. `loaded` and
    `announce` run when all of them answer, and may use the supervisor's `once`.
    """

    roles: str  # SQL, run once by the superuser
    migrate: Callable[[Installation], Service]
    services: Callable[[Installation], Sequence[Service]]
    nodes: tuple[str, ...] = ()
    database: Mapping[str, str] = field(default_factory=dict)  # settings of PostgreSQL besides ours
    prepare: Callable[[Installation], None] = _nothing
    loaded: Callable[[Installation, Supervisor], None] = _nothing
    announce: Callable[[Installation, Supervisor], None] = _nothing


def say(text: str) -> None:
    # Flushed: whoever reads us through a pipe shall not wait for a full buffer.
    print(f"postroom: {text}", flush=True)


def up(state: Path, demo: bool, hooks: Hooks, *, locks: Path = claim.LOCKS) -> None:
    """Run in the foreground until SIGINT or SIGTERM. StateRefused, ServiceFailed, ClusterError, NoFreeAddress."""
    installations.refuse_closed(state)
    with installations.locked(state):
        (state / "endpoints.json").unlink(missing_ok=True)
        for name in pid_files.end_leftovers(state / "run", state):
            say(f"ended {name}, left over from before")
        installation, claims = installations.opened(state, demo=demo, locks=locks)
        try:
            _run(installation, hooks)
        except Interrupted:
            say("stopped")
        finally:
            for held in claims:
                held.release()


def cluster_of(installation: Installation, nodes: Sequence[str] = ()) -> Cluster:
    """The installation's own PostgreSQL."""
    return Cluster(installation.state / "postgres", installation.run / "postgres", listen=installation.address,
                   peers=peers(tuple(nodes)))  # fmt: skip


def _run(installation: Installation, hooks: Hooks) -> None:
    cluster = replace(cluster_of(installation, hooks.nodes), settings=hooks.database)
    with Supervisor(installation.state, say).listening() as supervisor:
        try:
            keys.make_all(installation.keys)
            hooks.prepare(installation)
            say(f"starting on {installation.address}")
            cluster.make()
            cluster.configure()
            supervisor.start([cluster.service()])
            cluster.found(hooks.roles)
            for node in hooks.nodes:
                cluster.make_member(f"postroom_node_{node}", "postroom_node")
            supervisor.once(hooks.migrate(installation))
            supervisor.start(hooks.services(installation))
            hooks.loaded(installation, supervisor)
            hooks.announce(installation, supervisor)
            installation.tell()
            supervisor.watch()
        finally:
            installation.untell()
