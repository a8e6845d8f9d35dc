"""The frame around a page, from what this person may see; and the note that a freeze puts on its pages."""

from typing import Any
from uuid import UUID

from postroom.access.acting import Access
from postroom.queries.around import Around, Frozen
from postroom.web.parts.frame import Frame, nav
from postroom.web.parts.shapes import Act, Link, Note
from postroom.web.times import when

URLS = {
    "overview": "/", "clients": "/clients/", "domains": "/domains/", "mailboxes": "/mailboxes/", "people": "/people/",
    "changes": "/changes/", "approvals": "/approvals/", "nodes": "/nodes/", "entries": "/audit/",
}  # fmt: skip


def framed(access: Access, seen: Around) -> Frame:
    may = {key: url for key, url in URLS.items() if key == "overview" or access.can_somewhere(f"{key}.view")}
    waits = seen.waiting and access.can_somewhere("changes.approve")
    counts = {"approvals": (str(seen.waiting), "waiting")} if waits else {}
    return Frame(
        organization=seen.organization,
        person=access.actor.name,
        role=highest(access),
        initials=initials(access.actor.name),
        nav=nav(may, counts),
        palette_url="/find/",
        theme_url="/theme/",
        sign_out_url="/account/logout/",
        account_url="/account/",
        do_url="/do/",
        freeze_url="/do/freezes.start/" if access.can_somewhere("freezes.start") else "",
        scopes=tuple(Link(name, f"/clients/{slug}/") for name, slug in seen.clients) if len(seen.clients) > 1 else (),
    )


def initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]).upper()


def highest(access: Access) -> str:
    """The role to say beside a name: the highest held anywhere."""
    return max(access.held, key=lambda held: held.rank).role if access.held else "no role"


def freeze_notes(request: Any, client: UUID | None = None) -> tuple[Note, ...]:
    """On every page of a frozen client: why, until when, what still goes through. What freezes all is on every page."""
    return tuple(_note(one, request.access) for one in request.around.frozen if one.client in (None, client))


def _note(one: Frozen, access: Access) -> Note:
    whose = "Everything is frozen" if one.client is None else "Frozen"
    until = f" until {when(one.until)}" if one.until else ""
    why = f"“{one.reason}” " if one.reason else ""
    end = Act("End the freeze…", f"/do/freezes.end/?freeze={one.id}", icon="snowflake-off")
    return Note(
        f"{whose}{until}", f"{why}What only closes still goes through; anything else is refused meanwhile.",
        tone="frozen", acts=(end,) if access.can("freezes.end", one.client) else (),
    )  # fmt: skip


def offered(request: Any, client: UUID | None, *wanted: tuple[str, Act]) -> tuple[Act, ...]:
    """Of these acts, those that this person may do at this client; three at most."""
    return tuple(act for permission, act in wanted if request.access.can(permission, client))[:3]
