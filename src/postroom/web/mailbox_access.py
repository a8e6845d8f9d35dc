"""On a mailbox's page: who has access to it and what it has access to, until when, by whose consent."""

from collections.abc import Iterator
from typing import Any

from postroom.changes.cover import admins_of
from postroom.models import Delegation, Mailbox
from postroom.models.delegations import CLIENT
from postroom.queries.delegations import delegations, who_asked
from postroom.web.framed import offered, query
from postroom.web.parts.shapes import Act, Badge, Code, Item
from postroom.web.times import when

MEANS = {"open": "opens it", "send-as": "writes as it", "send-on-behalf": "writes on its behalf"}
WAITS_FOR = {"owner": "its owner", CLIENT: "the client’s own admin"}


def items(request: Any, one: Mailbox) -> tuple[Item, ...]:
    """Those that others have to it first, then those that its owner has to others."""
    found = delegations(request.actor, one.pk)
    found.sort(key=lambda row: row.mailbox_id != one.pk)
    agrees = any(CLIENT in row.missing for row in found) and request.actor.person in admins_of(one.client_id)
    names = who_asked(found)
    return tuple(_item(request, one, row, names.get(row.pk, ""), agrees=agrees) for row in found)


def new(request: Any, one: Mailbox) -> tuple[Act, ...]:
    if one.removed_at:
        return ()
    ask = Act("Ask for access", f"/do/delegations.ask/{query(mailbox=one.label)}", icon="plus", of=f"to {one.label}")
    return offered(request, one.client_id, ("delegations.ask", ask), domain=one.address.domain_id)


def rights(row: Delegation) -> str:
    return ", ".join(MEANS[right] for right in row.rights)


def consents(row: Delegation) -> Iterator[str]:
    """By whose consent, or whose is missing."""
    if row.missing:
        yield f"waits for {' and '.join(WAITS_FOR[one] for one in row.missing)}"
    if row.owner_at:
        yield f"its owner consented {when(row.owner_at)}"
    if row.client_at:
        yield f"{row.client_by.name if row.client_by else 'the client'} consented {when(row.client_at)}"
    if not row.wants:
        yield "needs nobody’s consent: it is of a task"


def _item(request: Any, one: Mailbox, row: Delegation, named: str, *, agrees: bool) -> Item:
    own = row.mailbox_id == one.pk
    whose = row.to_mailbox.label if own else row.mailbox.label
    who = named or (f"the owner of {whose}" if own else "its own owner")
    words = f"asked for by {who} {when(row.made)}: {row.reason} · {' · '.join(consents(row))}"
    words += f" · until {when(row.until)}" if row.until else " · without an end"
    title = (Code(whose), rights(row)) if own else ("Its owner", rights(row).replace(" it", f" {whose}", 1))
    waits = Badge("warn", "asked for") if row.started_at is None else None
    return Item(title, words, icon="user-cog", badge=waits, acts=_acts(request, one, row, own and agrees))


def _acts(request: Any, one: Mailbox, row: Delegation, agrees: bool) -> tuple[Act, ...]:
    at = query(delegation=str(row.pk))
    of = f"{row.to_mailbox.label} at {row.mailbox.label}"
    wanted = [("delegations.end", Act("End…", f"/do/delegations.end/{at}", weight="asks", of=of))]
    if agrees and CLIENT in row.missing and row.requester_id != request.actor.person:
        wanted[:0] = [
            ("delegations.consent", Act("Consent", f"/do/delegations.consent/{at}", of=of)),
            ("delegations.decline", Act("Decline…", f"/do/delegations.decline/{at}", weight="asks", of=of)),
        ]
    return offered(request, one.client_id, *wanted, domain=one.address.domain_id)
