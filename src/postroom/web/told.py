"""What is said of a change that nobody could approve, in the letter that warns of it and on the page behind its link.

Each is one line, whatever was typed. Inside `acting_as`, by somebody who sees the organization.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.changes.approvals import waiting_with
from postroom.models import Change, Organization
from postroom.queries.naming import Names
from postroom.web.lines import OURS
from postroom.web.titles import title

LONGEST, NAMED = 500, 4


@dataclass(frozen=True)
class Told:
    """what: of which client too; held: what made it wait; when: to the minute, UTC."""

    organization: str
    what: str
    who: str
    why: str
    held: str
    when: str
    kind: str = ""


def told(change: Change, by: Actor, *, to: str) -> Told:
    """Of it and all that waits with it: what needs a second person first, so that nothing harmless stands before it.

    to: whom it is told. What is at a client that closed itself is named to its own people alone.
    """
    parts = list(waiting_with(change).select_related("client", "undoes")) or [change]
    reasons = {part.pk: [v["reason"] for v in part.verdicts if v["says"] == "hold"] for part in parts}
    parts.sort(key=lambda part: not reasons[part.pk])
    more = len(parts) - NAMED
    person = change.proposer
    mine = person is not None and person.email == to
    shut = [part for part in parts if not mine and part.client and part.client.closed_at]
    if shut:
        reasons |= {part.pk: [] for part in shut}
    return Told(
        organization=visible(by, Organization).get().name,
        what=_line(_shut(part) if part in shut else _what(part) for part in parts[:NAMED])
        + (f"; and {more} more" if more > 0 else ""),
        who=_line([_who(change, named=not shut or not person or person.client_id is None)]),
        why=_line([] if shut else [change.why, change.ticket]),
        held=_line(dict.fromkeys(reason for part in parts for reason in reasons[part.pk])),
        when=f"{change.at:%d %B %Y, %H:%M} UTC" if change.stage == "scheduled" else _held(change),
        kind=change.kind,
    )


def _held(change: Change) -> str:
    return "when somebody approves it" + (f", not before {change.at:%d %B %Y, %H:%M} UTC" if change.at else "")


def _who(change: Change, *, named: bool) -> str:
    person = change.proposer
    if person is None:
        return OURS.get(change.actor, "an unknown actor")
    return f"{person.name}, {person.email}" if named else "somebody of the client"


def _shut(change: Change) -> str:
    return f"a change at {change.client.name if change.client else ''}, which shows it to its own people alone"


def _what(change: Change) -> str:
    names = Names({"table": t, "id": i, "before": b, "after": a} for t, i, b, a, _ in change.plan or [])
    back = (change.undoes.kind, change.undoes.params) if change.undoes else None
    at = f" (client {change.client.name})" if change.client else ""
    return _cut(title(change.kind, change.params, names, back) + at, LONGEST // NAMED)


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def _line(parts: Iterable[str]) -> str:
    words = "; ".join(" ".join(part.split()) for part in parts if part)
    return _cut(words, LONGEST)
