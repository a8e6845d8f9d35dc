"""Who is signed in to a mailbox and who was: the cards of its page, and the whole history on a page of its own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.models import LiveSession, Mailbox, SignIn
from postroom.queries.mailboxes import whole
from postroom.queries.objects import row_of
from postroom.queries.owning import Devices, devices
from postroom.queries.sessions import Session, of_mailbox
from postroom.queries.sign_ins import VIEW, Now, history, live
from postroom.web.door import page
from postroom.web.framed import freeze_notes, offered, query
from postroom.web.lists import Narrow
from postroom.web.parts.pages import MailboxSignIns
from postroom.web.parts.shapes import Act, Badge, Cell, Code, Column, Crumb, Empty, PageHead, Row, Table, Words
from postroom.web.times import when

RECENT = 8
LIVE = (
    Column("Protocol"), Column("From"), Column("Credential"), Column("Program, by its own word"), Column("Since"),
)  # fmt: skip
DONE = (
    Column("When"), Column("What came of it", phone="right"), Column("Protocol"), Column("From"), Column("Credential"),
    Column("Program, by its own word"),
)  # fmt: skip
PROTOCOLS = {"imap": "IMAP", "submission": "Submission", "sieve": "ManageSieve", "web": "These pages"}
NOT_SAID = Badge("unknown", "not known")


def cards(request: Any, one: Mailbox) -> dict[str, Any]:
    """What the mailbox's page shows of it to who may see it; to others nothing."""
    if not request.access.can_about(VIEW, one.client_id, [one.address.domain_id]):
        return {}
    now, found = live(request.actor, one), history(request.actor, one, limit=RECENT)
    named, browsers = devices(request.actor, one.pk), of_mailbox(one.pk)
    return {
        "sessions": _live(now, named, browsers) if now.sessions or browsers else None,
        "sessions_note": _note(now, browsers),
        "sessions_acts": _ending(request, one),
        "sign_ins": _table(found.items, named) if found.items else None,
        "sign_ins_url": f"/mailboxes/{one.label}/sign-ins/",
    }


def _ending(request: Any, one: Mailbox) -> tuple[Act, ...]:
    if one.removed_at or one.kind == "shared":
        return ()
    url = f"/do/mailboxes.end_sessions/{query(mailbox=one.label)}"
    return offered(request, one.client_id, ("mailboxes.end_sessions", Act("End all…", url, "player-stop", "asks")),
                   domain=one.address.domain_id)  # fmt: skip


def _note(now: Now, browsers: Sequence[Session]) -> Words:
    """Nobody is said only where the node has just listed who is there."""
    if now.known:
        nobody = "No mail program is signed in: " if browsers else "Nobody is signed in: "
        return f"{'' if now.sessions else nobody}as listed at {when(now.at, seconds=True)}."
    last = f"its node last listed them {when(now.at)}" if now.at else "its node has never listed them"
    who = "which mail programs are signed in now" if browsers else "who is signed in now"
    return (Badge("unknown", "unknown"), f"{who}: {last}.")


def _live(now: Now, named: Devices, browsers: Sequence[Session]) -> Table:
    rows = (*(_session(one, named) for one in now.sessions), *map(_browser, browsers))
    return Table("Live sessions", LIVE, rows)


def _browser(one: Session) -> Row:
    """The owner, at their own page: by the password, a code or a link; the record says by which."""
    since = Cell(when(one.since), f"last seen {when(one.last_seen)}")
    return Row((PROTOCOLS["web"], Cell(Code(one.address)), NOT_SAID, one.program or "–", since))


def _session(one: LiveSession, named: Devices) -> Row:
    return Row((_protocol(one.protocol), Cell(Code(one.address)) if one.address else NOT_SAID,
                _credential(one.credential, named) or NOT_SAID, one.program or "–", _since(one.since)))  # fmt: skip


def _credential(said: str, named: Devices) -> str:
    """An app password or a consent by the name of its device; what this person may not look at, as nodes call it."""
    return named[said].name if said in named else said


def _since(moment: datetime | None) -> Words:
    return when(moment) if moment else NOT_SAID


def _protocol(name: str) -> str:
    return PROTOCOLS.get(name, name)


def _table(found: Any, named: Devices) -> Table:
    return Table("Sign-ins", DONE, tuple(_row(one, named) for one in found), dense=True)


def _row(one: SignIn, named: Devices) -> Row:
    times = f"{one.times} times within an hour" if one.times > 1 else ""
    return Row((
        Cell(when(one.at, seconds=True), times), _came_of(one), _protocol(one.protocol),
        Cell(Code(one.address)) if one.address else NOT_SAID, _credential(one.credential, named) or "–",
        one.program or "–",
    ), name=when(one.at, seconds=True))  # fmt: skip


def _came_of(one: SignIn) -> Badge:
    if one.success:
        return Badge("good", "signed in")
    return Badge("warn", "refused: too many") if one.refused else Badge("warn", "failed")


@page(VIEW, recorded="mailboxes")
def sign_ins(request: Any, ref: str) -> HttpResponse:
    one = request.opened = whole(request.actor, row_of(request.actor, "mailboxes", ref).pk)
    narrow = Narrow(request)
    after = narrow["after"] if narrow["after"].isascii() and narrow["after"].isdecimal() else None
    found = history(request.actor, one, after=after)
    nobody = Empty(
        "None was told of", "A sign-in stands here when its node has told of it, and for 90 days.", "device-desktop"
    )
    shown = MailboxSignIns(
        head=PageHead("Sign-ins", one.label,
                      crumbs=(Crumb("Mailboxes", "/mailboxes/"), Crumb(one.label, f"/mailboxes/{one.label}/"))),
        notes=freeze_notes(request, one.client_id), label="Sign-ins",
        table=_table(found.items, devices(request.actor, one.pk)),
        pager=narrow.pager([when(row.at, seconds=True) for row in found.items], found.next),
        empty=None if found.items else nobody,
    )  # fmt: skip
    return render(request, "sign_ins.html", {"page": shown})
