"""Invites that nobody has used yet; and the one page where a link appears, sent no-store."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from postroom.access.acting import acting_as
from postroom.access.declared import ALWAYS
from postroom.access.scope import visible
from postroom.access.tokens import draw, invite_link
from postroom.changes import step_up
from postroom.changes.errors import NotThere
from postroom.changes.kinds.invites import IssueInvite
from postroom.changes.pipeline import submit
from postroom.models import Delivery, Invite
from postroom.queries.invites import mailed, waiting
from postroom.web.door import act, page
from postroom.web.framed import freeze_notes
from postroom.web.lists import Narrow, reason, scopes
from postroom.web.parts.change_pages import FormPage
from postroom.web.parts.forms import Field, Form, Option
from postroom.web.parts.pages import InvitesPage
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Bulk,
    BulkAct,
    Cell,
    Code,
    Column,
    Crumb,
    Link,
    Note,
    PageHead,
    Row,
    Table,
)
from postroom.web.parts.shown_once import CopiedLink, LinkPage
from postroom.web.step_up import fresh
from postroom.web.times import ago, when

COLUMNS = (
    Column("For"), Column("Sent to"), Column("Mail"), Column("Link"), Column("Waits"),
    Column("Act", num=True, hidden=True),
)  # fmt: skip
STATES = (
    Option("", "Every link"),
    Option("good", "Still good"),
    Option("over", "Ran out"),
    Option("unsent", "Not sent yet"),
)
BULK = (
    ("invites.resend", BulkAct("Send again…", "invites.resend", "mail")),
    ("invites.cancel", BulkAct("Cancel…", "invites.cancel", "mail-off", "asks")),
)
HERE = (Crumb("Mailboxes", "/mailboxes/"), Crumb("Pending invites", "/invites/"))


@page("invites.view")
def invites(request: Any) -> HttpResponse:
    narrow = Narrow(request, by_id=True)
    found = waiting(request.actor, client=narrow["client"], state=narrow["state"], search=narrow.asked.search,
                    after=narrow.after)  # fmt: skip
    fields = [narrow.select("client", "Client", scopes(request)), narrow.select("state", "Link", STATES)]
    sent = mailed(found.items)
    acts = tuple(act for permission, act in BULK if request.access.can_somewhere(permission))
    shown = InvitesPage(
        head=PageHead("Pending invites", "sent, and not used yet", crumbs=HERE[:1]),
        notes=(*narrow.notes(), *freeze_notes(request)), label="Invites", filters=narrow.filters("Invites", fields),
        table=Table("Invites", COLUMNS, tuple(_row(request, one, sent.get(one.pk)) for one in found.items), dense=True,
                    bulk=Bulk("/do/", "invite", acts, "invites") if acts else None),
        pager=narrow.pager([whose(one) for one in found.items], found.next),
        empty=None if found.items else narrow.nothing("invite", "Whoever was invited has set a password.", "mail"),
    )  # fmt: skip
    return render(request, "invites.html", {"page": shown})


def whose(one: Invite) -> str:
    return one.mailbox.label if one.mailbox else one.person.email if one.person else ""


def _row(request: Any, one: Invite, mail: Delivery | None) -> Row:
    name, at = whose(one), f"?invite={one.pk}"
    url = f"/mailboxes/{name}/" if one.mailbox_id else f"/people/{name}/"
    asked = f"asked for {one.asked + 1} times" if one.asked else "of a verified reset" if one.verification_id else ""
    wanted = (
        ("invites.resend", Act("Send again", f"/do/invites.resend/{at}", of=name)),
        ("invites.issue", Act("Copy link", f"/invites/{one.pk}/link/", of=name)),
        ("invites.redirect", Act("Other recipient", f"/do/invites.redirect/{at}", of=name)),
        ("invites.cancel", Act("Cancel…", f"/do/invites.cancel/{at}", weight="asks", of=name)),
    )
    # A VIP's is mailed, and nobody copies it.
    copied: tuple[str, ...] = ("invites.issue",) if one.mailbox and one.mailbox.vip else ()
    if one.verification_id:  # released by a verified reset, to whom was known before
        copied = ("invites.issue", "invites.redirect")
    may = request.access.can
    acts = tuple(act for permission, act in wanted if permission not in copied and may(permission, one.client_id))
    vip = Badge("fact", "VIP", "star") if one.mailbox and one.mailbox.vip else ""
    return Row((
        (Link(name, url, strong=True), vip), Cell(Code(one.contact), asked), _mail(mail),
        Cell(_until(one), _reminder(one)), Cell(ago(one.made), f"since {when(one.made)}"), Cell(acts=acts),
    ), value=str(one.pk), name=name)  # fmt: skip


def _mail(mail: Delivery | None) -> Badge | Cell:
    """Whether our own submission has taken it. What becomes of it after that is not seen here."""
    if mail is None:
        return Badge("fact", "none was due", "mail-off")
    if not mail.done:
        return Cell(
            Badge("warn", "not handed over yet") if mail.why else Badge("waits", "on its way", "clock"), mail.why
        )
    said = (mail.evidence or [{}])[-1]
    return Cell(Badge("waits", "handed over", "mail"), str(said.get("answer", ""))[:80])


def _reminder(one: Invite) -> str:
    if one.reminded_at:
        return f"reminded {when(one.reminded_at)}"
    return f"reminder {when(one.remind_at)}" if one.remind_at else ""


def _until(one: Invite) -> Badge:
    if one.until is None:
        return Badge("waits", "not sent yet", "clock")
    now = when(one.until)
    return Badge("waits", f"good until {now}", "hourglass") if _good(one) else Badge("warn", f"ran out {now}")


def _good(one: Invite) -> bool:
    return one.until is not None and one.until > timezone.now()


@act("invites.issue", recorded="")
def ask(request: Any, invite: UUID) -> HttpResponse:
    """Why a link is copied: it stands in the record."""
    return _form(request, _read(request, invite), "")


@act("invites.issue", step_up=ALWAYS)
def link(request: Any, invite: UUID) -> HttpResponse:
    """A new link, in this answer and nowhere else; the one before it is void."""
    row, why = _read(request, invite), reason(request)
    if not why:
        return _form(request, row, "Say why; it stands in the record")
    kind = IssueInvite(invite=str(invite))
    step_up.before([kind], actor=request.actor, fresh=fresh(request))
    token, hashed = draw()
    change = submit(kind, actor=request.actor, why=why, secrets={"link": hashed})
    if change.version is None:
        said = "; ".join(v["reason"] for v in change.verdicts)
        return _form(request, row, "", refused=said)
    until = _read(request, invite).until
    shown = LinkPage(
        head=PageHead(f"A new link for {whose(row)}", crumbs=HERE),
        copied=CopiedLink(whose(row), invite_link(token), f"{when(until)} UTC"),
        back=Act("Back to the list", "/invites/"),
    )  # fmt: skip
    answer = render(request, "invite_link.html", {"page": shown})
    answer["Cache-Control"] = "no-store"
    return answer


def _read(request: Any, invite: UUID) -> Invite:
    with acting_as(request.actor):
        along = ("mailbox__address", "person")
        row = (
            visible(request.actor, Invite)
            .select_related(*along)
            .filter(pk=invite, used_at=None, ended_at=None, stops=None, recovers="", confirms=None)
            .first()
        )
    if row is None:
        raise NotThere("invite", "no such invite")
    return row


def _form(request: Any, row: Invite, wrong: str, *, refused: str = "") -> HttpResponse:
    why = Field("why", "Why", "textarea", str(request.POST.get("why", "")), hint="Stands in the record.",
                error=wrong, required=True, maxlength=1000)  # fmt: skip
    notes = (Note("No link was made", refused, tone="bad", alert=True),) if refused else ()
    shown = FormPage(
        head=PageHead(f"Copy a link for {whose(row)}", crumbs=HERE), notes=notes,
        about="Copying makes a new link, good for 72 hours; the one sent before stops working. Whoever opens it sets "
              "the password, so give it to nobody else.",
        form=Form((why,), "Make the link", f"/invites/{row.pk}/link/", icon="link", back=Act("Not now", "/invites/")),
    )  # fmt: skip
    return render(request, "link_form.html", {"page": shown}, status=422 if wrong or refused else 200)
