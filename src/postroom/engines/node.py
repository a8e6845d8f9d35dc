"""One mail node, run from here: `run()` makes its folder, renders, and starts and watches six programs.

    agent    first, and ready before anybody reads its files (agent.py)
    auth_policy  counts who tries passwords (auth_policy.py)
    milter   checks and signs what is sent (milter.py)
    srs      gives what is passed on to outside a sender that leads back (Debian's postsrsd)
    dovecot  IMAP, submission, ManageSieve, delivery
    postfix  SMTP

This is the parent, as root: it starts what must be root (Postfix, Dovecot), answers the few questions that need root
(asking.py says why), restarts what dies, and stops all on TERM. HUP reads the settings again: what is rendered from
them is checked, switched, reloaded, and its marker read back from the running daemons. With the control plane away
everything serves on; should the parent itself be killed, Postfix and Dovecot go on and the next parent finds them.
"""

import argparse
import logging
import os
import pwd
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import asking, certificates, daemons, dovecot, one_device, own_keys, postfix, probe, rendering, sign_ins
from .daemons import Daemon
from .layout import NodeConfig, NodeRefused, load, make_folders, save, versions
from .milter_status import milter_status
from .own_keys import doveadm_api_key

log = logging.getLogger("postroom.node")
WATCH, GUARD = 0.5, 30  # seconds


class Node:
    """The parent's state. `settings` is the file the children read: the configuration and the dsn."""

    def __init__(self, config: NodeConfig, dsn: str, source: Path | None = None) -> None:
        self.config = config if config.postfix_version else with_versions(config)
        self.settings = config.folder / "run/node.json"
        self.dsn, self.source = dsn, source
        self.over, self.again = threading.Event(), threading.Event()
        self.lock = threading.RLock()  # one starts or stops daemons at a time
        users = config.users
        all_groups = (users.maps_group, users.secrets_group, users.keys_group)
        self.agent = daemons.program(self.config, "agent", users.agent, all_groups, self._agent_ready, self.settings)
        self.milter = daemons.program(
            self.config,
            "milter",
            users.milter,
            (users.maps_group, users.keys_group),
            self._milter_ready,
            self.settings.with_name("milter.json"),
        )
        self.auth_policy = daemons.program(
            self.config,
            "auth_policy",
            users.policy,
            (users.maps_group,),
            self._policy_ready,
            self.settings.with_name("auth_policy.json"),
        )
        self.srs = daemons.postsrsd(self.config, self._srs_ready)
        self.desk = asking.Desk(self.config, self._actions())
        self.dovecot, self.postfix = daemons.dovecot(self.config), daemons.postfix(self.config)

    @property
    def all(self) -> tuple[Daemon, ...]:
        return self.agent, self.auth_policy, self.milter, self.srs, self.dovecot, self.postfix

    def prepare(self) -> None:
        make_folders(self.config)
        certificates.make_missing(self.config)
        own_keys.make_missing(self.config)
        save(self.config, self.dsn, self.settings, self.config.users.agent)
        save(self.config, "", self.settings.with_name("milter.json"), self.config.users.milter)
        save(self.config, "", self.settings.with_name("auth_policy.json"), self.config.users.policy)

    def start(self) -> None:
        """In order, each once the one before is ready. Raises ConfigurationRefused if nothing good was ever in force,
        DaemonFailed."""
        for leftover in (self.agent, self.auth_policy, self.milter, self.srs):
            leftover.end()
        uid = pwd.getpwnam(self.config.users.agent).pw_uid
        asking.serve(self.config, self.desk, uid)
        while not self.over.is_set() and not self._ready(self.agent, self._agent_ready):
            self.over.wait(0.2)
        if self.over.is_set():
            return
        self.auth_policy.ensure()
        self.milter.ensure()
        self._keep(self.srs)  # without it what is passed on waits, and nothing else
        self._configure_or_keep()
        self._wait_for_the_guard()
        for daemon in (self.dovecot, self.postfix):
            if not daemon.ensure():
                raise daemons.DaemonFailed(f"{daemon.name} does not run; see its log in {self.config.folder}/log")

    def _wait_for_the_guard(self) -> None:
        """Before Dovecot is: while it is not answered it lets passwords through, and asks less and less often."""
        until = time.monotonic() + GUARD
        while not self.over.is_set() and not self._ready(self.auth_policy, self._policy_ready):
            if time.monotonic() > until:
                log.error("nobody counts who tries passwords yet; mail starts without")
                return
            self.over.wait(0.2)

    def _configure_or_keep(self) -> None:
        try:
            self.configure()
        except rendering.ConfigurationRefused as error:
            if any(rendering.in_force(conf) is None for _, conf, *_ in self._rendered()):
                raise
            log.error("settings: %s; the last good ones stay in force", error)

    def _ready(self, daemon: Daemon, ready: Any) -> bool:
        return daemon.ensure() and bool(ready())

    # Configuration

    def configure(self) -> None:
        """Render both; what is new is checked, and only when all of it passed switched, and loaded by the daemon if it
        runs. Raises ConfigurationRefused with nothing changed."""
        staged = []
        for name, conf, render, check, mode in self._rendered():
            marker = rendering.marker(self.config.generation, render)
            staged.append((name, conf, rendering.stage(conf, marker, render(marker), check, mode=mode)))
        for name, conf, new in staged:
            daemon = self.dovecot if name == "dovecot" else self.postfix
            if new is not None:
                rendering.switch(conf, new)
            # Not new and not loaded: switched by a parent that did not live to say so.
            if daemon.running() and (new is not None or not self.loaded()[name]):
                daemons.reload(self.config, name)

    def _rendered(self) -> Any:
        config, key = self.config, doveadm_api_key(self.config)
        policy = own_keys.policy_key(config), own_keys.policy_nonce(config)
        mail, agent = pwd.getpwnam(config.users.mail), pwd.getpwnam(config.users.agent)
        ids = (mail.pw_uid, mail.pw_gid), (agent.pw_uid, agent.pw_gid)
        return (
            ("dovecot", config.dovecot_conf.parent, lambda marker: dovecot.render(config, marker, key, policy),
             rendering.check_dovecot, 0o600),
            ("postfix", config.postfix_conf, lambda marker: postfix.render(config, marker, *ids),
             rendering.check_postfix, 0o644),
        )  # fmt: skip

    def loaded(self) -> dict[str, bool]:
        """Has the running daemon loaded what is in force? Its own answer: a map it lists, a field it gives."""
        mine = {name: rendering.in_force(conf) for name, conf, *_ in self._rendered()}
        if None in mine.values():
            return dict.fromkeys(mine, False)
        table = self.desk.answer({"ask": "map", "map": "marker", "keys": [mine["postfix"]]})
        user = self.desk.answer({"ask": "loaded", "addresses": [self.config.system_login]})
        row = (user.get("rows") or [None])[0] or {}
        return {"postfix": table.get("code") == 0, "dovecot": row.get("cfg") == mine["dovecot"]}

    # Watching

    def watch(self) -> None:
        while not self.over.wait(WATCH):
            daemons.reap()
            if self.again.is_set():
                self.again.clear()
                self.reread()
            with self.lock:
                for daemon in self.all:
                    self._keep(daemon)

    def _keep(self, daemon: Daemon) -> None:
        if daemon.running() or self.over.is_set():
            return
        try:
            if daemon.ensure():
                log.warning("%s had ended; started again", daemon.name)
        except (daemons.DaemonFailed, OSError) as error:
            log.error("%s: %s", daemon.name, error)

    def reread(self) -> None:
        """HUP: the settings file may say something new; what does not pass leaves all as it is."""
        before = self.config
        try:
            config, self.dsn = load(self.source or self.settings)
            if (config.folder, config.address) != (before.folder, before.address):
                raise NodeRefused("a node that runs cannot change its folder or address")
            self.config = with_versions(config)
            self.prepare()
            self.configure()
        except (NodeRefused, rendering.ConfigurationRefused, daemons.DaemonFailed, ValueError, OSError) as error:
            self.config = before
            log.error("settings: %s", error)
            return
        if self.config != before:  # ours read theirs at their start
            self.agent.end()
            self.auth_policy.end()
            self.milter.end()
            self.srs.end()
        log.info("settings read: %s", self.loaded())

    def stop(self) -> None:
        """Postfix first, so nothing is handed to what is going; the agent last."""
        self.over.set()
        with self.lock:
            for daemon in reversed(self.all):
                daemon.end()
                log.info("%s stopped", daemon.name)
        self.desk.close()

    # Asked by the agent

    def _actions(self) -> dict[str, Any]:
        def running() -> dict[str, Any]:
            up = {daemon.name: daemon.running() is not None for daemon in self.all}
            return up | {"configuration": self.loaded()}

        def restart(name: str) -> dict[str, Any]:
            daemon = self.postfix if name == "postfix" else self.dovecot
            with self.lock:
                if not self.over.is_set():
                    daemon.end()
                    daemon.not_before = 0
                    daemon.ensure()
            return {"code": 0 if daemon.running() else 1}

        def end(cred: str, address: str, pids: list[int]) -> dict[str, Any]:
            return {"told": one_device.tell(self.config, cred, address, pids)}

        return {"daemons": running, "restart": restart, "end": end}

    def _agent_ready(self) -> bool:
        path, process = self.config.ready_file, self.agent.running()
        return process is not None and path.exists() and path.read_text().strip() == str(process.pid)

    def _policy_ready(self) -> bool:
        return "error" not in sign_ins.asked(self.config, {})

    def _milter_ready(self) -> bool:
        return "error" not in milter_status(self.config)

    def _srs_ready(self) -> bool:
        return probe.answers(self.config.inside, self.config.ports.srs_reverse)


def with_versions(config: NodeConfig) -> NodeConfig:
    theirs, ours = versions()
    return replace(config, postfix_version=theirs, dovecot_version=ours)


def run(config: NodeConfig, dsn: str, settings: Path | None = None) -> None:
    """Until SIGTERM or SIGINT. Needs root.

    `dsn`: PostgreSQL as this node's own role, or `file:/folder` (fake). `settings`: the file that HUP reads again.
    """
    node = Node(config, dsn, settings)
    node.prepare()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: node.over.set())
    signal.signal(signal.SIGHUP, lambda *_: node.again.set())
    pid_file = config.folder / "run/node.pid"
    pid_file.write_text(f"{os.getpid()}\n")
    try:
        node.start()
        log.info("%s serves on %s", config.name, config.address)
        node.watch()
    finally:
        node.stop()
        pid_file.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    settings = parser.parse_args().config
    config, dsn = load(settings)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    run(config, dsn, settings)


if __name__ == "__main__":
    main()
