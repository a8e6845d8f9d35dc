"""Reads at the API: clients, domains, mailboxes, addresses, people, nodes; lists and one of each, now or then."""

from typing import Any

from django.utils import timezone
from ninja import Router

from postroom.access.acting import Actor
from postroom.changes.errors import Problem
from postroom.queries import records, resets, sessions
from postroom.queries.exceptions import in_state, with_agreed
from postroom.queries.mailboxes import whole
from postroom.queries.objects import listed, one, row_of
from postroom.queries.sign_ins import with_last_use

from .door import reads

router = Router(tags=["objects"])
CREDENTIALS, PEOPLE = "credentials", "people"
EXCEPTIONS = ("exceptions", "transports")
NOUNS = (
    "clients", "domains", "mailboxes", "addresses", "aliases", PEOPLE, "nodes", "grants", "freezes", "record_sets",
    "dkim_keys", CREDENTIALS, "forwards", "catch_alls", "exceptions", "transports", "destinations", "delegations",
)  # fmt: skip

# Whoever runs the service and reads one of these stands in the record, with what they looked at: from where a
# credential was used last is a look at its mailbox.
RECORDED = {"clients": "clients", "mailboxes": "mailboxes", "people": "people", CREDENTIALS: "mailboxes"}


def _list(noun: str) -> Any:
    @reads(f"{noun}.view")
    def view(
        request: Any, client: str | None = None, domain: str | None = None, search: str | None = None,
        after: str | None = None, limit: int = 50, at: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        found = listed(
            request.auth.actor, noun, client=client, domain=domain, search=search, after=after, limit=limit, at=at
        )
        items = found.items
        if noun == CREDENTIALS and at is None:
            items = with_last_use(request.auth.actor, items, address=False)
        return {"items": items, "next": found.next}

    view.__doc__ = f"{noun.replace('_', ' ').capitalize()} you may see, a page at a time."
    return view


def _list_of_exceptions(noun: str) -> Any:
    @reads(f"{noun}.view")
    def view(
        request: Any, client: str | None = None, domain: str | None = None, search: str | None = None,
        after: str | None = None, limit: int = 50, at: str | None = None, state: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        if state and at is not None:
            raise Problem("state", "is of what stands now; leave out at")
        found = listed(
            request.auth.actor, noun, client=client, domain=domain, search=search, after=after, limit=limit, at=at,
            extra=in_state(state, timezone.now()) if state else None,
        )  # fmt: skip
        return {"items": with_agreed(found.items) if at is None else found.items, "next": found.next}

    view.__doc__ = (
        f"{noun.capitalize()} you may see, a page at a time. state: standing, review (its day has come), soon (ends "
        "within 30 days) or ended; left out, all there ever were."
    )
    return view


def _beside(actor: Actor, noun: str, found: dict[str, Any]) -> dict[str, Any]:
    """What is no part of the row: how a credential was used last, who agreed to an exception, and where a person is
    signed in."""
    if noun == CREDENTIALS:
        return with_last_use(actor, [found], address=True)[0]
    if noun in EXCEPTIONS:
        return with_agreed([found])[0]
    if noun != PEOPLE:
        return {}
    return {"sessions": sessions.shown(sessions.of_person(actor, row_of(actor, noun, found["id"])))}


def _one(noun: str) -> Any:
    @reads(f"{noun}.view", recorded=RECORDED.get(noun, ""))
    def view(request: Any, ref: str, at: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = one(request.auth.actor, noun, ref, at=at)
        request.opened = found
        if noun == CREDENTIALS:
            request.opened = {**found, "id": found["mailbox_id"], "label": found.get("mailbox") or found["mailbox_id"]}
        return found if at else {**found, **_beside(request.auth.actor, noun, found)}

    view.__doc__ = f"One of {noun.replace('_', ' ')}, by id or by what people call it."
    return view


@router.get("/domains/{ref}/by_hand")
@reads("domains.view")
def by_hand(request: Any, ref: str) -> dict[str, Any]:
    """What has to be typed in where the domain's DNS is run, as record sets and as lines of a zone file."""
    domain = row_of(request.auth.actor, "domains", ref)
    found = records.by_hand(domain, records.live(request.auth.actor, domain))
    return {
        "items": [one.as_json() for one in found.sets],
        "moved": [one.as_json() for one in found.moved],
        "zone_file": found.lines(),
    }


@router.get("/mailboxes/{ref}/who-can-reset")
@reads("mailboxes.view", recorded="mailboxes")
def who_can_reset(request: Any, ref: str) -> dict[str, Any]:
    """Every path to control of a mailbox, the weakest first: who, since when, and whether it counts for a VIP."""
    actor = request.auth.actor
    request.opened = one(actor, "mailboxes", ref)
    mailbox = whole(actor, request.opened["id"])
    return resets.shown(mailbox, resets.paths(actor, mailbox))


for noun in NOUNS:
    listing = _list_of_exceptions if noun in EXCEPTIONS else _list
    router.add_api_operation(f"/{noun}", ["GET"], listing(noun), operation_id=f"list_{noun}")
    router.add_api_operation(f"/{noun}/{{ref}}", ["GET"], _one(noun), operation_id=f"one_of_{noun}")
