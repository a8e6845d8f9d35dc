"""End the sessions of one app password or consent, and no other session of its account.

Dovecot 2.4 knows of each session which app password opened it, and kicks by that. 2.3 does not: of the processes that
`who` names for the account, the node's parent asks the login log which were signed in with this credential and ends
those; a process of which the log says nothing is ended too, since it may be one (decision 20). So it is with tokens on
2.4, which names none of them: every session of the mailbox that no password is named for ends, and no other.

A process is held by a descriptor of the kernel's (pidfd_open(2)) from before it is looked at until it is told to end,
so its number cannot have become another's meanwhile.
"""

import logging
import os
import signal
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress

from postroom.host import processes
from postroom.host.processes import Process

from . import asking, compile, login_log, maps
from .asking import ParentAway
from .doveadm import Doveadm, DoveadmAway
from .layout import NodeConfig

log = logging.getLogger("postroom.agent")
SIGNING_IN = 0.3  # a sign-in that passed just before has its session by then
GOING = 2.0  # seconds that a process has to go
ANY = "*"  # in place of a credential: whatever they were opened with
SESSIONS = ("imap", "submission", "managesieve")


def end_all(config: NodeConfig, files: maps.Files, doveadm: Doveadm) -> None:
    """Of every one that ended; what is not known to be gone stays to be done."""
    for cred, address in compile.closing_credentials(files).items():
        try:
            gone = end(config, doveadm, cred, address)
        except DoveadmAway as error:
            log.warning("sessions of %s wait: %s", signed_in_by(cred), error)
            return
        if gone:
            compile.credentials_closed(files, [cred])
        log.info("ended the sessions of %s%s", signed_in_by(cred), "" if gone else ", some are still going")


def signed_in_by(cred: str) -> str:
    """As Dovecot and its log name it: an app password has its id alone here, a consent says what it is."""
    return cred if ":" in cred else f"app:{cred}"


def end(config: NodeConfig, doveadm: Doveadm, cred: str, address: str) -> bool:
    """Whether none is left, of those that were open. Raises DoveadmAway where that is not known."""
    if config.dovecot_version >= (2, 4) and not cred.startswith("oauth:"):
        doveadm.kick_credential(signed_in_by(cred))
        time.sleep(SIGNING_IN)
        return not doveadm.kick_credential(signed_in_by(cred))
    told = _tell(config, doveadm, cred, address)
    time.sleep(SIGNING_IN)
    told |= _tell(config, doveadm, cred, address)
    until = time.monotonic() + GOING
    while (left := told & _may_be(config, doveadm, address)) and time.monotonic() < until:
        time.sleep(0.05)
    return not left


def _may_be(config: NodeConfig, doveadm: Doveadm, address: str) -> set[int]:
    """The processes of the account's sessions; on 2.4, which names passwords, those that it names none for."""
    if config.dovecot_version < (2, 4):
        return doveadm.processes(address)
    return {int(one.pid) for one in doveadm.sessions() if one.account == address and not one.credential}


def _tell(config: NodeConfig, doveadm: Doveadm, cred: str, address: str) -> set[int]:
    if not (pids := _may_be(config, doveadm, address)):
        return set()
    try:
        answer = asking.ask(config, {"ask": "end", "cred": cred, "address": address, "pids": sorted(pids)})
    except ParentAway as error:
        raise DoveadmAway(f"the node's parent: {error}") from error
    if not isinstance(answer.get("told"), list):
        raise DoveadmAway(f"the node's parent: {answer.get('error', 'no answer')}")
    return set(answer["told"])


def end_these(config: NodeConfig, address: str, pids: Iterable[int]) -> None:
    """Tell these sessions of one account to end, whatever opened them. Raises ParentAway."""
    asking.ask(config, {"ask": "end", "cred": ANY, "address": address, "pids": sorted(pids)})


# In the parent, which is root


def tell(config: NodeConfig, cred: str, address: str, pids: Iterable[int]) -> list[int]:
    """Tell those of these sessions to end that were opened with the credential (ANY: whatever opened them, by this
    account), or of which the log knows none."""
    with ExitStack() as held:
        lines = {pid: line for pid in pids if (line := _held(pid, held)) is not None}
        master = processes.from_pid_file(config.folder / "dovecot/run/master.pid")
        ours = {pid: one for pid in lines if master and (one := _session(pid, master)) is not None}
        started = {pid: processes.started_at(one) for pid, one in ours.items()}
        known = login_log.credentials(config.folder / "log/dovecot.log", started)
        ending = [pid for pid in ours if not _another(known.get(pid), signed_in_by(cred), address)]
        for pid in ending:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(lines[pid], signal.SIGTERM)
        return ending


def _held(pid: int, held: ExitStack) -> int | None:
    """A descriptor of this process and of none that has its number later; None if there is none."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return None
    held.callback(os.close, descriptor)
    return descriptor


def _session(pid: int, master: Process) -> Process | None:
    """None for what is no session of mail, or another Dovecot's."""
    process = processes.read(pid)
    mine = process is not None and process.session == master.session and process.alive
    return process if mine and processes.program(pid) in SESSIONS else None


def _another(known: tuple[str, str] | None, cred: str, address: str) -> bool:
    if cred == signed_in_by(ANY):
        return known is not None and known[0] != address
    return known is not None and known[0] == address and known[1] not in ("", cred)
