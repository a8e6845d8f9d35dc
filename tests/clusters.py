"""A private cluster with the tables of the day in it, made once and kept for whoever starts with the same ones.

To migrate costs ten seconds of a processor, and each process of each part of `make test` has a cluster of its own. What
is kept is a whole data folder, as PostgreSQL left it; its name says all that it was made from. KEPT_CLUSTERS names the
folder for them (install/test.sh); without it each process migrates for itself.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import postroom
from postroom.host.cluster import Cluster, peers

SOURCE = Path(postroom.__file__).parent
CHECKOUT = SOURCE.parents[1]
# All that a database is made from: the migrations, and what `apps.install` puts on after them, worked out from models.
MADE_FROM = ("migrations", "models", "sql", "apps.py", "settings.py", "host/cluster.py")
AND_FROM = ("uv.lock", "tests/clusters.py", "tests/conftest.py")
MOST = 3  # kept; the one that was least lately asked for goes


def name_of(source: Path = SOURCE, checkout: Path = CHECKOUT) -> str:
    """SHA-256 over all that it is made from, and by which programs."""
    found = hashlib.sha256(sys.version.encode())
    folders = [source / one for one in MADE_FROM] + [checkout / one for one in AND_FROM]
    for file in sorted(one for folder in folders for one in (folder.rglob("*") if folder.is_dir() else [folder])):
        if file.is_file() and file.suffix != ".pyc":
            content = file.read_bytes()
            found.update(f"{file.name} {len(content)}\n".encode() + content)
    return found.hexdigest()


@contextmanager
def ready(make: Callable[[Cluster], None], nodes: tuple[str, ...], settings: Mapping[str, str]) -> Iterator[Cluster]:
    """A running cluster in a folder that goes away. make: found and migrate it, where none is kept."""
    base = Path(tempfile.mkdtemp(prefix="postroom-pg-"))
    base.chmod(0o755)
    try:
        me = pwd.getpwuid(os.geteuid()).pw_name
        cluster = Cluster(base / "data", base / "run", peers=peers(nodes, root=me), settings=settings)
        shelf = os.environ.get("KEPT_CLUSTERS")
        if shelf:
            _taken(cluster, make, Path(shelf))
        with cluster.running():
            if not shelf:
                make(cluster)
            yield cluster
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _taken(cluster: Cluster, make: Callable[[Cluster], None], shelf: Path) -> None:
    """The data folder from the shelf; the first who asks makes it, and all others wait for that."""
    shelf.mkdir(mode=0o755, parents=True, exist_ok=True)
    kept = shelf / f"{cluster.programs.parent.name}-{name_of()}"
    with (shelf / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            _copied(kept, cluster.folder)
        else:
            with cluster.running():
                make(cluster)
            _copied(cluster.folder, shelf / "half")
            (shelf / "half").rename(kept)
        os.utime(kept)
        for old in sorted(shelf.glob("*-*"), key=lambda one: one.stat().st_mtime)[:-MOST]:
            shutil.rmtree(old)


def _copied(one: Path, to: Path) -> None:
    """With its owner and modes: PostgreSQL starts in no other."""
    shutil.rmtree(to, ignore_errors=True)
    subprocess.run(["cp", "-a", str(one), str(to)], check=True)
