"""A node's own life: killed, found again, filled, damaged, stopped."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from live_node import LiveNode, domain, live_node, mailbox, named, until

from postroom.engines.layout import save
from postroom.host import processes

pytestmark = pytest.mark.server
MIA = "mia@acme.example"


def daemons_of(node: LiveNode) -> set[int]:
    paths = (node.config.folder / "postfix/spool/pid/master.pid", node.config.folder / "dovecot/run/master.pid")
    return {process.pid for path in paths if (process := processes.from_pid_file(path)) and process.alive}


def ours(node: LiveNode) -> list[int]:
    """Whatever still runs and names this node's folder."""
    lines = [(pid, Path(f"/proc/{pid}/cmdline")) for pid in map(int, filter(str.isdigit, os.listdir("/proc")))]
    return [pid for pid, path in lines if path.exists() and str(node.config.folder).encode() in path.read_bytes()]


def test_a_life() -> None:
    with live_node() as node:
        # Work that waits while the node is not there yet is done before anybody is served.
        node.source.put("domain", named("acme.example"), domain("acme.example"))
        todo = node.source.put("address", named(MIA), mailbox(MIA))
        node.start()
        assert node.ready(), node.log()
        assert node.can_sign_in(MIA)
        assert until(lambda: node.source.evidence(todo) is not None, within=30)

        # The parent is killed: mail goes on, and the next one finds the daemons that still run.
        before = daemons_of(node)
        assert node.process is not None
        node.process.kill()
        node.process.wait()
        assert node.can_sign_in(MIA)
        agent = node.pid("agent")
        node.start()
        assert until(lambda: node.log().count("serves on") == 2, 20), node.log()
        assert node.pid("agent") != agent
        assert daemons_of(node) == before
        node.put_mailbox("joe@acme.example")

        # A file is damaged: set aside, filled again from everything there is, and read by daemons that begin anew.
        os.kill(node.pid("agent"), signal.SIGKILL)
        node.config.database("secrets").write_bytes(b"no database" * 1000)
        node.config.database("secrets").with_name("secrets.db-wal").unlink(missing_ok=True)
        assert until(lambda: "filling with 3 objects" in node.log("agent"), 20), node.log("agent")[-2000:]
        assert until(lambda: node.can_sign_in(MIA), 20), node.log("agent")[-2000:]
        assert list((node.config.folder / "db/secrets").glob("*.damaged-*"))
        node.put_mailbox("kim@acme.example")

        # Settings that no daemon takes leave the last good ones in force.
        marker = os.readlink(node.config.postfix_conf)
        node.config = replace(node.config, hostname="bad name = x\nbroken")
        save(node.config, f"file:{node.source.folder}", node.settings)
        os.kill(node.pid("node"), signal.SIGHUP)
        assert until(lambda: "ERROR settings" in node.log()), node.log()
        assert os.readlink(node.config.postfix_conf) == marker

        # Settings that do are loaded, and the running daemons say so.
        node.config = replace(node.config, hostname="mx2.postroom.example")
        save(node.config, f"file:{node.source.folder}", node.settings)
        os.kill(node.pid("node"), signal.SIGHUP)
        assert until(lambda: "settings read: {'postfix': True, 'dovecot': True}" in node.log(), 20), node.log()
        with node.smtp() as line:
            assert b"mx2.postroom.example" in line.ehlo()[1]
        node.put_mailbox("liv@acme.example")

        # Stopped: nothing of it is left, but the side files its readers will need.
        node.stop()
        assert until(lambda: not ours(node), 5), ours(node)
        assert node.config.database("maps").with_name("maps.db-shm").exists()
        assert node.config.database("keys").with_name("keys.db-shm").exists()
