"""Does every authoritative server say what we published? Asked of the servers, never of our own files."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from postroom.protocols.rrset import RRset
from postroom.resolve.answer import Answer, NotRead, Server
from postroom.resolve.ask import ask

Ask = Callable[[Server, str, str], Answer | NotRead]


@dataclass(frozen=True)
class Evidence:
    """One question and what came back. `agrees` is None when the server told nothing: not known."""

    question: str
    answer: str
    server: str
    at: datetime
    agrees: bool | None

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "at": self.at.isoformat()}


def read_back(
    servers: Iterable[Server], expected: RRset | None, name: str, type: str, *, ask: Ask = ask
) -> list[Evidence]:
    """Ask every server for one record set; `expected` None means that there shall be none.

    TTLs are not compared: a secondary may round them. An answer that only points on (CNAME) disagrees
    with values that were expected.
    """
    return [evidence(ask(server, name, type), expected) for server in servers]


def evidence(answer: Answer | NotRead, expected: RRset | None) -> Evidence:
    """One answer held against what is expected."""
    wanted = expected.values if expected else ()
    agrees = None if isinstance(answer, NotRead) else answer.values == wanted
    return Evidence(f"{answer.type} {answer.name}", str(answer), str(answer.server or "-"), answer.at, agrees)


def all_agree(found: Iterable[Evidence]) -> bool | None:
    """True when every server agrees, False when one differs, None when none differs but not all is known."""
    seen = [one.agrees for one in found]
    if False in seen:
        return False
    return True if seen and None not in seen else None
