"""What is said of a change that nobody could approve, in the letter that warns of it and on the page behind its link.

Each is one line, whatever was typed. Inside `acting_as`, by somebody who sees the organization.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.changes.approvals import together
from postroom.models import Change, Organization
from postroom.queries.naming import Names
from postroom.web.lines import OURS
from postroom.web.titles import title

LONGEST = 500


@dataclass(frozen=True)
class Told:
    """what: of which client too; held: what made it wait; when: to the minute, UTC."""

    organization: str
    what: str
    who: str
    why: str
    held: str
    when: str


def told(change: Change, by: Actor) -> Told:
    names = Names({"table": t, "id": i, "before": b, "after": a} for t, i, b, a, _ in change.plan or [])
    back = (change.undoes.kind, change.undoes.params) if change.undoes else None
    at = f" (client {change.client.name})" if change.client else ""
    beside = together(change).count()
    also = f", and {beside} more change{'s' if beside > 1 else ''} asked for together with it" if beside else ""
    person = change.proposer
    return Told(
        organization=visible(by, Organization).get().name,
        what=_line([title(change.kind, change.params, names, back) + at]) + also,
        who=_line([f"{person.name}, {person.email}" if person else OURS.get(change.actor, "an unknown actor")]),
        why=_line([change.why, change.ticket]),
        held=_line(v["reason"] for v in change.verdicts if v["says"] == "hold"),
        when=f"{change.at:%d %B %Y, %H:%M} UTC" if change.stage == "scheduled" else "when somebody approves it",
    )


def _line(parts: Iterable[str]) -> str:
    words = "; ".join(" ".join(part.split()) for part in parts if part)
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
