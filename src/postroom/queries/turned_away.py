"""Who was turned away at a door, at whose object: an entry of that client, where who asked may see the object.

Of any other the refusal is the organization's, as of a page that names none: so who is refused learns nothing of what
is there, and writes in the record of no client where they hold no role (decision 33). At a client it is one entry a
person, permission, object and hour, however often they try: its own people read it, and the owner of a mailbox theirs.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.access.scope import changes_seen, visible
from postroom.changes.errors import NotThere
from postroom.changes.looks import once_an_hour, opened
from postroom.changes.record import event, note
from postroom.models import ApiToken, Change, Doubt, Finding, RecoveryChannel, Round, RoundLine, Verification

from .objects import NOUNS, row_of

API = "/api/v1/"
# What is not among the objects of lists, by what addresses and forms call it. A batch is of several clients; a session,
# a mail app and a role are of none: a refusal there is the organization's.
BY_ID: Mapping[str, Any] = {
    "changes": Change, "findings": Finding, "api_tokens": ApiToken, "doubts": Doubt,
    "recovery_channels": RecoveryChannel, "verifications": Verification, "resets": Verification,
    "round_lines": RoundLine, "rosters": Round, "access_reviews": Round,
}  # fmt: skip


def turned_away(actor: Actor, permission: str, noun: str = "", ref: str = "") -> None:
    """An entry of its own transaction. noun, ref: what the request names, as its address says it; empty for none."""
    facts = _about(actor, noun, ref)
    facts |= {"person": actor.person, "permission": permission}
    with acting_as(SYSTEM):
        if facts["client"] is None:
            note("refused", **facts)
        else:
            once_an_hour(actor.person, event("refused", **facts), uuid5(facts["of"], permission))


def named_in(path: str) -> tuple[str, str]:
    """What an address names: its noun and which one. `/mailboxes/mia@acme.example/…` and `/api/v1/…` alike."""
    noun, _, rest = path.removeprefix(API).strip("/").partition("/")
    return noun.replace("-", "_"), rest.partition("/")[0]


def _about(actor: Actor, noun: str, ref: str) -> dict[str, Any]:
    with acting_as(actor) as access:
        row = _seen(actor, noun, ref) if ref and ref.isprintable() else None
        if row is None:
            return {"client": None}
        whose = {"id": row.pk, "client": row.client_id, "label": ""} if noun in BY_ID else opened(row)
        if whose["client"] and not access.reaches(whose["client"]):
            return {"client": None}  # their own still, as a grant that ended, at a client where they hold nothing
    return {
        "client": whose["client"], "of": whose["id"], "name": actor.name, "noun": noun, "object": whose["label"]
    }  # fmt: skip


def _seen(actor: Actor, noun: str, ref: str) -> Any:
    """The row, if who asks may see it; None for any other, and for what is no row at all."""
    try:
        return row_of(actor, noun, ref) if noun in NOUNS else _by_id(actor, noun, ref)
    except (NotThere, ValueError):
        return None


def _by_id(actor: Actor, noun: str, ref: str) -> Any:
    if noun not in BY_ID:
        return None
    seen = Change.objects.filter(changes_seen()) if noun == "changes" else visible(actor, BY_ID[noun])
    return seen.filter(pk=UUID(ref)).first()
