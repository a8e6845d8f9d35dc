"""How much of what scripts do with mail is known: mailboxes that were checked, and why the others were not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.known import ask
from postroom.models.nodes import WORD_HOLDS
from postroom.protocols.refs import short_ref

from .leaving import seen_client, seen_domains

SAID = {
    "no node": "no node serves their client yet",
    "never": "{node} has never looked at scripts",
    "long ago": "{node} has not looked within five minutes; it last did at {at}",
    "asked": "{node} was asked to look again and has not told yet; it last did at {at}",
    "not there": "the proof of their domain is not read, so no node has them",
    "new": "made since {node} last looked",
    "unreadable": "not readable: {why}",
    "not seen": "what goes on by way of domains of a client that you do not see is not followed",
}


@dataclass(frozen=True)
class Unchecked:
    """Some mailboxes that were not checked; of domains that are not seen, and at a silent node that is to serve none,
    none. reason: one of SAID. example: the
    address of one of them."""

    reason: str
    node: str
    at: datetime | None
    why: str
    mailboxes: int
    example: str

    @property
    def counted(self) -> str:
        """The words with how many, where they are known."""
        return f"{self.mailboxes:,} not checked: {self.words}" if self.mailboxes else f"Not known: {self.words}"

    @property
    def words(self) -> str:
        at = f"{self.at:%Y-%m-%d %H:%M} UTC" if self.at else ""
        return SAID[self.reason].format(node=self.node, at=at, why=self.why)


@dataclass(frozen=True)
class Coverage:
    """checked of all mailboxes. at: how old what is known is, the node that looked longest ago; None for nothing."""

    checked: int
    all: int
    at: datetime | None
    unchecked: tuple[Unchecked, ...] = ()

    @property
    def last(self) -> datetime | None:
        """When one of the nodes that are silent last looked; None where each of them never did."""
        return max((one.at for one in self.unchecked if one.at), default=None)

    @property
    def whole(self) -> bool:
        return self.checked == self.all and not self.unchecked


def coverage(actor: Actor, client: str = "") -> Coverage:
    """One query, and one where a client is named. NotThere for one that nothing is seen of."""
    seen_client(actor, client)
    from_domains, values = seen_domains(actor)
    found = ask(_statement().replace("/*seen*/", from_domains), **named(client), **values)
    rows = [Unchecked(*row) for row in found]
    checked = [one for one in rows if not one.reason]
    return Coverage(
        sum(one.mailboxes for one in checked), sum(one.mailboxes for one in rows),
        min((one.at for one in checked if one.at), default=None), tuple(one for one in rows if one.reason),
    )  # fmt: skip


def named(client: str) -> dict[str, Any]:
    """What the statement is sent with, by name."""
    return {"client": short_ref(client), "now": timezone.now(), "fresh": WORD_HOLDS}


@cache
def _statement() -> str:
    return files("postroom").joinpath("sql/leaving_checked.sql").read_text()


def shown(found: Coverage) -> dict[str, Any]:
    """As the API shows it."""
    return {
        "checked": found.checked, "mailboxes": found.all, "whole": found.whole,
        "at": found.at.isoformat() if found.at else None, "unchecked": list(_unchecked(found)),
    }  # fmt: skip


def _unchecked(found: Coverage) -> Iterator[dict[str, Any]]:
    for one in found.unchecked:
        yield {
            "reason": one.reason, "words": one.words, "node": one.node or None, "mailboxes": one.mailboxes,
            "at": one.at.isoformat() if one.at else None, "example": one.example,
        }  # fmt: skip
