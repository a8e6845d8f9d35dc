"""What a node sees by itself, handed on: sign-ins, letters that come back, scripts, probes, ways by which mail left."""

from __future__ import annotations

import logging

from .arrivals import Arrivals
from .doveadm import Doveadm
from .layout import NodeConfig
from .left import Left
from .returned import Returned
from .sieve_scripts import SieveScripts
from .sign_ins import Sessions, SignIns
from .source import Source, SourceAway

log = logging.getLogger("postroom.agent")


class Seen:
    """Each keeps what it saw until it is handed on."""

    def __init__(self, config: NodeConfig) -> None:
        self.sign_ins, self.sessions = SignIns(config), Sessions(config.system_login)
        self.returned, self.sieve, self.arrivals = Returned(config), SieveScripts(config), Arrivals(config)
        self.left = Left(config)

    def hand_on(self, doveadm: Doveadm, source: Source) -> None:
        try:
            self.sign_ins.hand_on(source)
            self.sessions.hand_on(doveadm, source)
            for one in (self.returned, self.sieve, self.arrivals, self.left):
                one.hand_on(source)
        except SourceAway as error:
            log.debug("sign-ins, letters, scripts, probes and ways out wait: %s", error)
