"""The frame around a page, from what this person may see; and the note that a freeze puts on its pages."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from postroom.access.acting import Access
from postroom.access.scope import visible
from postroom.models import Client
from postroom.queries.around import Around, Frozen
from postroom.web.parts.frame import Frame, nav
from postroom.web.parts.shapes import Act, Link, Note
from postroom.web.times import when

URLS = {
    "overview": "/", "clients": "/clients/", "domains": "/domains/", "posture": "/posture/", "mailboxes": "/mailboxes/",
    "trace": "/trace/", "forwards": "/forwards/", "exceptions": "/exceptions/",
    "people": "/people/",
    "access": "/access/", "changes": "/changes/", "approvals": "/approvals/", "findings": "/findings/",
    "nodes": "/nodes/", "entries": "/audit/",
}  # fmt: skip
PERMISSIONS = {  # where a page shows what is called otherwise
    "access": "grants.view", "trace": "addresses.view", "posture": "domains.view",
}  # fmt: skip

SHUT = (
    "Its own people closed it: nobody of the organization sees or changes anything of it but by a sealed login. What "
    "is not listed here is there all the same."
)
GO_ON = "Its people go on; of the others a sealed login alone gets in, and every owner is told."


def framed(access: Access, seen: Around) -> Frame:
    may = {key: url for key, url in URLS.items() if key == "overview" or _may_open(access, key)}
    waits = seen.waiting and access.can_somewhere("changes.approve")
    counts = {"approvals": (str(seen.waiting), "waiting")} if waits else {}
    counts |= {"findings": (str(seen.pressing), "critical or high")} if seen.pressing else {}
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


def _may_open(access: Access, key: str) -> bool:
    return access.can_somewhere(PERMISSIONS.get(key, f"{key}.view"))


def initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]).upper()


def highest(access: Access) -> str:
    """The role to say beside a name: the highest held anywhere."""
    return max(access.held, key=lambda held: held.rank).role if access.held else "no role"


def freeze_notes(request: Any, client: UUID | None = None) -> tuple[Note, ...]:
    """On every page of a frozen client: why, until when, what still goes through. What freezes all is on every page."""
    frozen = tuple(_note(one, request.access) for one in request.around.frozen if one.client in (None, client))
    return (*_narrowed_to_closed(request), *frozen)


def closed_notes(request: Any, one: Client | None) -> tuple[Note, ...]:
    """Of a client that closed itself: to the organization, that it sees nothing; to its own people, that it is so."""
    if one is None or one.closed_at is None:
        return ()
    since = f"{one.name} is closed to the organization since {when(one.closed_at)}"
    if one.pk in request.access.closed:
        return (Note(since, SHUT, "warn", "lock"),)
    again = Act("Open again…", f"/do/access.resume/?client={one.slug}", "lock-open")
    return (Note(since, GO_ON, "warn", "lock", acts=offered(request, one.pk, ("access.resume", again))),)


def _narrowed_to_closed(request: Any) -> tuple[Note, ...]:
    """A list that is narrowed to a client that closed itself: it is empty for that reason."""
    slug = request.GET.get("client", "")
    if not request.access.closed or not slug:
        return ()
    rows = visible(request.actor, Client).filter(pk__in=request.access.closed)
    return tuple(note for one in rows if one.slug == slug for note in closed_notes(request, one))


def _note(one: Frozen, access: Access) -> Note:
    whose = "Everything is frozen" if one.client is None else "Frozen"
    until = f" until {when(one.until)}" if one.until else " until somebody ends it"
    why = f"“{one.reason}” " if one.reason else ""
    end = Act("End the freeze…", f"/do/freezes.end/?freeze={one.id}", icon="snowflake-off")
    return Note(
        f"{whose}{until}", f"{why}What only closes still goes through; anything else is refused meanwhile.",
        tone="frozen", acts=(end,) if access.can("freezes.end", one.client) else (),
    )  # fmt: skip


def query(**named: str) -> str:
    """`?mailbox=mia@acme.example`, of what an address of ours shall say: quoted, as an address may hold + and &."""
    return "?" + urlencode(named, safe="@")


def offered(request: Any, client: UUID | None, *wanted: tuple[str, Act], domain: UUID | None = None) -> tuple[Act, ...]:
    """Of these acts, those that this person may do at this client, or with what is of this domain; three at most."""
    about = [domain] if domain else []
    return tuple(act for permission, act in wanted if request.access.can_about(permission, client, about))[:3]
