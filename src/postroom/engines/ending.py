"""Ends the sessions of accounts that are to have none, or whose old ones are to go: kept in maps.db until Dovecot says
that they are gone, so that a crash between forgets none."""

import logging
import time
from collections.abc import Collection

from . import compile, maps
from .doveadm import Doveadm, DoveadmAway

log = logging.getLogger("postroom.agent")
SIGNING_IN = 0.3  # a sign-in that passed just before has its session by then


class Ending:
    def __init__(self, files: maps.Files) -> None:
        self.files = files
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
            staying = self._staying(doveadm, ending)
        except DoveadmAway as error:
            log.warning("kick waits: %s", error)
            return
        compile.is_closed(self.files, set(ending) - staying)
        self.leaving = {address: old for address, old in self.leaving.items() if address in staying}
        log.info("ended the sessions of %d accounts, %d are still going", len(ending), len(staying))

    def _note_old(self, doveadm: Doveadm, ending: Collection[str]) -> None:
        """Of accounts that end anew: the sessions there are before the last kick. Raises DoveadmAway."""
        fresh = set(ending) - self.leaving.keys()
        found = [one for one in doveadm.sessions() if one.account in fresh]
        self.leaving |= {address: set() for address in fresh}
        for one in found:
            self.leaving[one.account].add(one.key)

    def _staying(self, doveadm: Doveadm, ending: Collection[str]) -> set[str]:
        """Accounts with sessions that should have ended: any; of those who may sign in, the ones of before.
        Raises DoveadmAway."""
        able = compile.able(self.files, ending)
        return {
            one.account
            for one in doveadm.sessions()
            if one.account in ending and (one.account not in able or one.key in self.leaving[one.account])
        }
