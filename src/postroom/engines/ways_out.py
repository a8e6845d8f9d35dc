"""Which way out of a client it was by which mail left: of what the logs say, that which is one by the node's own maps.

A log names the first address of a chain and the last, as they were written; a way is called by the address whose rule
is its first (without an extension, `@domain` for all who are nobody there), and by the first address on it that is at
no domain of the same client. Everything else, mail inside a client above all, is nobody's business and goes no further.
"""

from collections.abc import Callable, Iterator

from postroom.protocols.extensions import parts
from postroom.protocols.routing import LIMIT

ROUTES = "SELECT destination FROM route WHERE source = ?"
BOX = "SELECT 1 FROM mailbox WHERE address = ?"
STANDS_FOR = "SELECT target FROM alias_domain WHERE name = ?"
HANDED = "SELECT host || ':' || CAST(port AS INT) FROM handed WHERE address = ?"
CLIENT = "SELECT client FROM domain WHERE name = ? AND client IS NOT NULL LIMIT 1"
Ask = Callable[..., list[tuple[str, ...]]]


class WaysOut:
    """For one reading of the maps. `ask(query, value)` gives its rows."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    def of(self, first: str, to: str, by: str) -> set[tuple[str, str]]:
        """(source, target), both as ways are called. by: the mailbox whose filter sent it to `first`, or `to`. to: an
        address, or another server (host:port) that took mail of one."""
        if "@" not in to:
            return set(self._handed(first, to)) if not by else set()
        found = set(self._by_rules(first, to)) if first else set()
        if not by:
            return found
        own = self.client(by)
        if own is None:
            return found
        begins = first or to
        if self.client(begins) != own:
            return found | {(parts(by)[0], begins)}
        return found | {(parts(by)[0], target) for _, target in found}

    def client(self, address: str) -> str | None:
        """Whose domain it is at; None outside."""
        name = address.rpartition("@")[2]
        rows = self.ask(CLIENT, name) or [
            row for (target,) in self.ask(STANDS_FOR, name) for row in self.ask(CLIENT, target)
        ]
        return rows[0][0] if rows else None

    def _by_rules(self, first: str, to: str) -> Iterator[tuple[str, str]]:
        own = self.client(first)
        source = self._called(first) if own is not None and self.client(to) != own else None
        if source is None:
            return
        for exit in self._reached(first, lambda address: self.client(address) == own):
            if self.client(exit) == own:
                continue
            if exit == to or (self.client(exit) is not None and parts(to)[0] in self._plain(exit)):
                yield source, exit

    def _handed(self, first: str, server: str) -> Iterator[tuple[str, str]]:
        """By the maps, mail to `first` comes to an address of the same client that is handed to this server."""
        own, source = self.client(first), self._called(first)
        if own is None or source is None:
            return
        for one in self._reached(first, lambda address: self.client(address) == own):
            rows = [row for key in dict.fromkeys((one, parts(one)[0])) for row in self.ask(HANDED, key)]
            if self.client(one) == own and (server,) in rows:
                yield source, server
                return

    def _plain(self, exit: str) -> set[str]:
        """What mail to another client of this node comes to, as far as the log can name it."""
        return {parts(one)[0] for one in self._reached(exit, lambda _: True)}

    def _reached(self, start: str, goes_on: Callable[[str], bool]) -> set[str]:
        seen, open_ = {start}, [start]
        while open_ and len(seen) < LIMIT:
            address = open_.pop()
            for one in self._steps(address) if goes_on(address) else ():
                if one not in seen:
                    seen.add(one)
                    open_.append(one)
        return seen

    def _steps(self, address: str) -> list[str]:
        bare, _, domain = parts(address)
        local = address.rpartition("@")[0]
        for key in dict.fromkeys((address, bare)):
            if rows := self.ask(ROUTES, key):
                return [row[0] for row in rows]
        if self.ask(BOX, address) or self.ask(BOX, bare):
            return []
        if rows := self.ask(STANDS_FOR, domain[1:]):
            return [f"{local}@{row[0]}" for row in rows]
        return [row[0] for row in self.ask(ROUTES, domain)]

    def _called(self, address: str) -> str | None:
        """The name of the way that mail to this address begins."""
        bare, _, domain = parts(address)
        for key in dict.fromkeys((address, bare)):
            if self._is_somebody(key):
                return key
        for (target,) in self.ask(STANDS_FOR, domain[1:]):
            for key in dict.fromkeys((address, bare)):
                if self._is_somebody(f"{key.rpartition('@')[0]}@{target}"):
                    return key
            return domain if self.ask(ROUTES, f"@{target}") else None
        return domain if self.ask(ROUTES, domain) else None

    def _is_somebody(self, address: str) -> bool:
        return bool(self.ask(ROUTES, address) or self.ask(BOX, address))
