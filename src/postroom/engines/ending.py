"""Ends the sessions of accounts that are to have none, or whose old ones are to go: kept in maps.db until Dovecot says
that they are gone, so that a crash between forgets none.

Of a session that opened another's mailbox Dovecot 2.4 says that it was kicked, and it goes on (tried on 2.4.1): what
stays after a kick is told to end by the node's parent, as a process.
"""

import logging
import time
from collections.abc import Collection

from . import compile, maps, one_device
from .asking import ParentAway
from .doveadm import Doveadm, DoveadmAway, Session
from .layout import NodeConfig

log = logging.getLogger("postroom.agent")
SIGNING_IN = 0.3  # a sign-in that passed just before has its session by then


class Ending:
    def __init__(self, config: NodeConfig, files: maps.Files) -> None:
        self.config, self.files = config, files
        self.leaving: dict[str, set[str]] = {}  # account → the sessions that it had

    def kick(self, doveadm: Doveadm) -> None:
        """Stays to be done until Dovecot says it is."""
        ending = sorted(compile.closing(self.files))
        if not ending:
            return
        try:
            doveadm.kick(ending)
            time.sleep(SIGNING_IN)
            self._note_old(doveadm, ending)
            doveadm.kick(ending)
            if staying := self._staying(doveadm, ending):
                self._tell(staying)
                staying = self._staying(doveadm, ending)
        except DoveadmAway as error:
            log.warning("kick waits: %s", error)
            return
        going = {one.account for one in staying}
        compile.is_closed(self.files, set(ending) - going)
        self.leaving = {address: old for address, old in self.leaving.items() if address in going}
        log.info("ended the sessions of %d accounts, %d are still going", len(ending), len(going))

    def _note_old(self, doveadm: Doveadm, ending: Collection[str]) -> None:
        """Of accounts that end anew: the sessions there are before the last kick. Raises DoveadmAway."""
        fresh = set(ending) - self.leaving.keys()
        found = [one for one in doveadm.sessions() if one.account in fresh]
        self.leaving |= {address: set() for address in fresh}
        for one in found:
            self.leaving[one.account].add(one.key)

    def _tell(self, staying: Collection[Session]) -> None:
        """By their processes; each has one of its own (decision 28)."""
        try:
            for address in sorted({one.account for one in staying}):
                pids = [int(one.pid) for one in staying if one.account == address and one.pid.isdigit()]
                one_device.end_these(self.config, address, pids)
            time.sleep(SIGNING_IN)
        except ParentAway as error:
            log.warning("sessions that stay: %s", error)

    def _staying(self, doveadm: Doveadm, ending: Collection[str]) -> list[Session]:
        """Sessions that should have ended: any; of who may sign in, the ones of before. Raises DoveadmAway."""
        able = compile.able(self.files, ending)
        return [
            one
            for one in doveadm.sessions()
            if one.account in ending and (one.account not in able or one.key in self.leaving[one.account])
        ]
