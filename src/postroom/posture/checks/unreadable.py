"""Sieve scripts in force that cannot be read, and mailboxes whose scripts cannot: where their mail goes is not known.

RFC 5228, 10, as for a redirect (redirect.py): what is not understood is not taken for a script that passes nothing on.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import SieveScript
from postroom.posture.findings import Found
from postroom.posture.run import Check, Seen

from .redirect import elsewhere, fresh_nodes, in_force

NAME = "sieve.unreadable"
STALE = "its node has not looked at its scripts for five minutes, or could not"


def evaluate(scripts: Iterable[SieveScript]) -> Iterator[Found]:
    """One a script; one without a name stands for all of its mailbox. A VIP's is high."""
    for script in scripts:
        box = script.mailbox
        if not script.unreadable:
            continue
        what = f"The Sieve script “{script.name}” of {box.label}" if script.name else f"What {box.label} has of scripts"
        yield Found(
            "high" if box.vip else "medium", "mailboxes", box.pk, box.label,
            f"{what} cannot be read: where its mail goes is not known", script.name, client=box.client_id,
            domain=box.address.domain_id,
            evidence={"script": script.name, "why": script.unreadable,
                      "first": script.first.isoformat(timespec="seconds")},
        )  # fmt: skip


def _look(now: datetime) -> Seen:
    with acting_as(SYSTEM):
        nodes = fresh_nodes(now)
        scripts, shut = in_force(nodes)
        found = tuple(evaluate(scripts))
        unread = shut | elsewhere(NAME, nodes)
    return Seen(found, unread=unread, why=STALE if unread else "")


UNREADABLE = Check(NAME, "Can every script that is in force be read?", "RFC 5228, 10", 30, _look)
