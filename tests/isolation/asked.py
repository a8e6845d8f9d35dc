"""Every operation of the API and every page, with what it takes, by hand, and what of a client it can be asked about.

A route without a line here fails test_matrix.py. `takes` is this table's own word on the permission, not the code's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid5

from three_clients import SPACE, Ground

PUBLIC, OWN, MAILBOX = "public", "own", "mailbox owner"
Body = Callable[[Ground], dict[str, Any]]
COUNTED = ("entry", "review", "browser", "key number")  # ids that are numbers


def phantom(like: Ground) -> Ground:
    """A client that there is not, with names and ids as a real one has them."""
    none = Ground("N")
    none.ids = {
        name: "987654321" if name in COUNTED else value if name.endswith("hash") else str(uuid5(SPACE, f"none {name}"))
        for name, value in like.ids.items()
    }
    return none


def value(here: Ground, key: str) -> str:
    """What stands for a client's object in a request: its id, or (`domain name`) what people call it."""
    names = {"slug": here.slug, "domain name": here.domain, "mail": here.at("mia"), "alias mail": here.at("info"),
             "person mail": here.at("viewer"), "postmaster": here.at("postmaster"), "word": here.mark}  # fmt: skip
    return names[key] if key in names else here.ids[key]


@dataclass(frozen=True)
class Asked:
    """args: path argument → keys of `value`, each a way to name it. filters: of a list, the same. about: a client has
    what it names; else nobody's in particular. body, form: what is sent beside the path. allowed: what it answers then.
    """

    takes: str
    args: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    body: Body | None = None
    also: str = ""  # what the act itself takes, where the route asks for less
    allowed: tuple[int, ...] = (200,)
    refused: tuple[int, ...] = (403,)
    foreign_filter: int = 200  # what a list answers that is narrowed to a client one must not know
    query: str = ""
    proposers: tuple[str, ...] = ()  # who asked for what is named: they may, whatever they hold

    @property
    def about(self) -> bool:
        return bool(self.args)


def why(here: Ground) -> dict[str, Any]:
    return {"why": "the matrix"}


def seen(here: Ground) -> dict[str, Any]:
    return {"plan_hash": here.ids["hash"]}


CLIENT, DOMAIN = ("client", "slug"), ("domain", "domain name")
LISTED = {"client": CLIENT, "domain": DOMAIN}
NOUNS: dict[str, tuple[str, ...]] = {
    "clients": CLIENT, "domains": DOMAIN, "mailboxes": ("mailbox", "mail"), "addresses": ("address", "postmaster"),
    "aliases": ("alias", "alias mail"), "people": ("person viewer", "person mail"), "grants": ("grant",),
    "freezes": ("freeze",), "record_sets": ("record_set",), "dkim_keys": ("key",),
    "credentials": ("app password", "consent"),
    "forwards": ("forward",), "catch_alls": ("catch-all", "domain name"), "exceptions": ("exception",),
    "transports": ("transport",),
    "destinations": ("destination",),
    "delegations": ("delegation",),
}  # fmt: skip
OF_A_DOMAIN = (
    "domains", "mailboxes", "addresses", "aliases", "record_sets", "dkim_keys", "forwards", "catch_alls", "exceptions",
    "transports",
)  # fmt: skip
MADE = (200, 202, 409)  # 409: the act before has been at it

API: dict[str, Asked] = {
    "GET /api/v1/": Asked(PUBLIC, allowed=(404,)),
    "GET /api/v1/openapi.json": Asked(PUBLIC),
    "GET /api/v1/access": Asked("grants.view", filters={"client": CLIENT}, foreign_filter=404),
    "GET /api/v1/kinds": Asked("changes.view"),
    "GET /api/v1/changes": Asked("changes.view", filters={
        "client": CLIENT, "object": ("mailbox", "mail", "domain name"), "person": ("person admin",)}),
    "GET /api/v1/changes/<change_id>": Asked("changes.view", {"change_id": ("made",)}),
    "POST /api/v1/changes/<change_id>/undo": Asked(
        "changes.view", {"change_id": ("made",)}, body=why, also="history.roll_back", allowed=MADE),
    "POST /api/v1/changes/<change_id>/replan": Asked(
        "changes.view", {"change_id": ("withdrawn",)}, body=why, also="mailboxes.remove", allowed=MADE),
    "POST /api/v1/changes/<change_id>/withdraw": Asked(
        "changes.view", {"change_id": ("later",)}, body=why, also="changes.approve", allowed=MADE,
        proposers=("operator",)),  # a token withdraws what it proposed itself
    "GET /api/v1/batches/<batch_id>": Asked("changes.view", {"batch_id": ("batch",)}),
    "POST /api/v1/batches/<batch_id>/undo": Asked(
        "changes.view", {"batch_id": ("batch made",)}, body=why, also="history.roll_back", allowed=MADE),
    "POST /api/v1/batches/<batch_id>/replan": Asked(
        "changes.view", {"batch_id": ("batch gone",)}, body=why, also="mailboxes.remove", allowed=MADE),
    "POST /api/v1/batches/<batch_id>/withdraw": Asked(
        "changes.view", {"batch_id": ("batch",)}, body=why, also="changes.approve", allowed=MADE, refused=(403, 409),
        proposers=("client admin of A", "client admin of B")),
    "GET /api/v1/entries": Asked("entries.view", filters={
        "client": ("slug",), "object": ("mailbox", "mail", "domain name"), "person": ("person mail",)}),
    "GET /api/v1/entries/<number>": Asked("entries.view", {"number": ("entry",)}),
    "GET /api/v1/checkpoint": Asked("entries.view"),
    "GET /api/v1/clients/<ref>/record": Asked("entries.export", {"ref": CLIENT}, allowed=(409,), query="?why=x"),
    "GET /api/v1/clients/<ref>/sheet": Asked("sheets.view", {"ref": CLIENT}),
    "GET /api/v1/clients/<ref>/sheet/file": Asked("sheets.export", {"ref": CLIENT}, query="?why=x"),
    "GET /api/v1/findings": Asked("findings.view", filters={
        "client": CLIENT, "domain": DOMAIN, "object": ("domain",), "search": ("word",)}),
    "GET /api/v1/findings/counts": Asked("findings.view"),
    "GET /api/v1/findings/<finding_id>": Asked("findings.view", {"finding_id": ("finding",)}),
    # How much is known of a client is said of none that is not there: an empty list would say that all of it is.
    "GET /api/v1/forwards-leaving": Asked(
        "forwards.view", filters={"client": CLIENT, "search": ("word",)}, foreign_filter=404),
    "GET /api/v1/forwards-leaving/file": Asked("sheets.export"),
    "GET /api/v1/forwards-leaving/views": Asked("forwards.view"),
    "POST /api/v1/forwards-leaving/views": Asked(
        "forwards.view", body=lambda here: {"name": "mine"}, allowed=(200, 422)),
    "POST /api/v1/forwards-leaving/views/rename": Asked(
        "forwards.view", body=lambda here: {"name": "x", "to": "y"}, allowed=(404, 422)),
    "POST /api/v1/forwards-leaving/views/remove": Asked(
        "forwards.view", body=lambda here: {"name": "x"}, allowed=(404, 422)),
    "GET /api/v1/forwards-leaving/looks": Asked("forwards.view", filters={"client": CLIENT}, foreign_filter=404),
    "POST /api/v1/forwards-leaving/looks": Asked("forwards.view"),
    "GET /api/v1/invites": Asked("invites.view", filters={"client": CLIENT, "mailbox": ("mailbox", "mail")}),
    "POST /api/v1/invites/<invite_id>/link": Asked("invites.issue", {"invite_id": ("invite leo",)}, body=why,
                                                   allowed=MADE, refused=(403, 409)),
    "POST /api/v1/invites/<invite_id>/resend": Asked(
        "invites.resend", {"invite_id": ("invite leo",)}, body=why, allowed=MADE),
    "POST /api/v1/invites/<invite_id>/redirect": Asked(
        "invites.redirect", {"invite_id": ("invite leo",)},
        body=lambda here: {"contact": "other@home.example", "why": "x"}, allowed=MADE),
    "POST /api/v1/invites/<invite_id>/cancel": Asked(
        "invites.cancel", {"invite_id": ("invite kim",)}, body=why, allowed=MADE),
    "GET /api/v1/domains/<ref>/by_hand": Asked("domains.view", {"ref": DOMAIN}),
    "GET /api/v1/mailboxes/<ref>/sign-ins": Asked("sign_ins.view", {"ref": ("mailbox", "mail")}),
    "GET /api/v1/mailboxes/<ref>/sessions": Asked("sign_ins.view", {"ref": ("mailbox", "mail")}),
    "GET /api/v1/verifications/<verification_id>": Asked(
        "verifications.view", {"verification_id": ("verification",)}),
    "GET /api/v1/mailboxes/<ref>/who-can-reset": Asked("mailboxes.view", {"ref": ("mailbox", "mail")}),
    "GET /api/v1/postures": Asked("domains.view", filters={"client": CLIENT, "search": ("word",)}),
    "GET /api/v1/domains/<ref>/posture": Asked("domains.view", {"ref": DOMAIN}),
    "GET /api/v1/addresses/<address>/trace": Asked("addresses.view", {"address": ("mail",)}),
    "GET /api/v1/addresses/<address>/probe": Asked("probes.view", {"address": ("mail",)}),
    "POST /api/v1/addresses/<address>/probe": Asked(
        "probes.send", {"address": ("mail",)}, body=why, allowed=(*MADE, 422)),  # so many within the hour
    "GET /api/v1/nodes": Asked("nodes.view", filters={"search": ("word",)}),
    "GET /api/v1/nodes/<ref>": Asked("nodes.view"),
    "GET /api/v1/reviews": Asked("approvals.view", filters={"client": CLIENT}),
    "POST /api/v1/reviews/<review_id>/close": Asked(
        "changes.approve", {"review_id": ("review",)}, body=why, allowed=MADE),
    "GET /api/v1/access-reviews": Asked("rounds.view", filters={"client": CLIENT}),
    "GET /api/v1/access-reviews/<round_id>": Asked("rounds.view", {"round_id": ("access review",)}),
    "GET /api/v1/rosters": Asked("rounds.view", filters={"client": CLIENT}),
    "GET /api/v1/rosters/<round_id>": Asked("rounds.view", {"round_id": ("roster",)}),
    "POST /api/v1/device": Asked(PUBLIC, body=lambda here: {"label": "x"}),
    "POST /api/v1/device/token": Asked(PUBLIC, body=lambda here: {"device_code": "x"}, allowed=(400,)),
    "POST /api/v1/session/end": Asked("changes.view"),
    "GET /api/v1/tokens": Asked("tokens.view"),
    "POST /api/v1/tokens": Asked("tokens.create"),
    "POST /api/v1/changes": Asked("changes.view"),
    "POST /api/v1/batches": Asked("changes.view"),
    "POST /api/v1/batches/<batch_id>/approve": Asked(
        "changes.approve", {"batch_id": ("batch",)},
        body=lambda here: {"plan_hash": here.ids["batch hash"]}, allowed=MADE),
    "POST /api/v1/changes/<change_id>/approve": Asked(
        "changes.view", {"change_id": ("held",)}, body=seen, also="changes.approve", allowed=MADE),
}  # fmt: skip
for noun, refs in NOUNS.items():
    narrows = dict(LISTED) if noun in OF_A_DOMAIN else {"client": CLIENT}
    API[f"GET /api/v1/{noun}"] = Asked(f"{noun}.view", filters={**narrows, "search": ("word",)})
    API[f"GET /api/v1/{noun}/<ref>"] = Asked(f"{noun}.view", {"ref": refs})
