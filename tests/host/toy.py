"""A toy installation for the tests: `python toy.py STATE [--demo]` runs `up` over services that only write a line.

Each start of a service adds its name to <state>/started, each asked stop to <state>/stopped. "daemon" starts a child
that leaves its session, as Postfix does, and names it in a pid file of its own.
"""

import sys
from pathlib import Path

from postroom.host.cluster import THROWAWAY
from postroom.host.installation import AlreadyRunning, Installation, StateRefused
from postroom.host.service import Service
from postroom.host.up import Hooks, up

LOOP = """
import signal, sys, time
from pathlib import Path
name, state = sys.argv[1], Path(sys.argv[2])
def note(where):
    with (state / where).open("a") as file:
        file.write(name + "\\n")
def stop(*_):
    note("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
note("started")
(state / f"{name}.there").touch()
while True:
    time.sleep(0.05)
"""
DAEMON = """
import os, subprocess, sys
from pathlib import Path
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True, env={})
Path(sys.argv[2], "daemon.child").write_text(f"{child.pid}\\n")
""" + LOOP.replace("sys.exit(0)", "os._exit(0)")
ROLES = """DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'postroom_owner') THEN
CREATE ROLE postroom_owner LOGIN; CREATE ROLE postroom_app LOGIN; END IF; END $$"""


def toy(name: str, state: Path, code: str = LOOP, daemons: tuple[Path, ...] = ()) -> Service:
    there = state / f"{name}.there"
    return Service(name, (sys.executable, "-c", code, name, str(state)), before=lambda: there.unlink(missing_ok=True),
                   ready=there.exists, daemons=daemons, stop_within=5)  # fmt: skip


def services(installation: Installation) -> list[Service]:
    state = installation.state
    return [toy("first", state), toy("daemon", state, DAEMON, (state / "daemon.child",)), toy("last", state)]


def migrate(installation: Installation) -> Service:
    return Service("migrate", (sys.executable, "-c", "print('migrated')"))


if __name__ == "__main__":
    try:
        up(Path(sys.argv[1]), "--demo" in sys.argv, Hooks(ROLES, migrate, services, database=THROWAWAY))
    except AlreadyRunning as error:
        print(error)
        sys.exit(4)
    except StateRefused as error:
        print(error)
        sys.exit(3)
