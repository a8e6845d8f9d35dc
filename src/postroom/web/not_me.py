"""*This was not me*: the page behind the link of a notice. Its button withdraws the change and ends the sessions of who
proposed it, those in browsers too.
"""

from uuid import UUID

from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from postroom.access.acting import NoSuchLink, acting_as
from postroom.access.declared import CHANGE
from postroom.changes.approvals import WAITING
from postroom.changes.errors import ChangeError
from postroom.changes.kinds.notices import RESET, TRANSFER
from postroom.changes.notices import NOT_ME, holder, stop, warned
from postroom.changes.record import note
from postroom.changes.recovery import RECOVER
from postroom.models import Change, Login
from postroom.web.door import public
from postroom.web.one_time import OneTime
from postroom.web.parts.forms import Form
from postroom.web.parts.plain_pages import Notice, NotMe
from postroom.web.parts.shapes import Act
from postroom.web.told import Told, told

RECOVERY = "Somebody with the mailed link says that password and second factor are lost, and asks for a new sign-in."
ASKED = "Somebody who says that they own the mailbox asks for a link to a new password. A second person has to agree."
GIVEN = "Somebody asks to give the mailbox, its mail in it, to another owner. What opens it now would open it no more."
LINK = OneTime(
    "notice", "/not-me/", gone="It was used, it was replaced by a newer one, or its time is over.",
    ask="Sign in, and look under Changes what became of the change; what was made is undone there.",
)  # fmt: skip
opened = LINK.opened
AFTER = (
    "Sign in, and look under Changes for what else was done in that name; undo what you do not know.",
    "Whoever that name belongs to sets another password and a new second factor, under Your sign-in.",
    "Give a second person the role owner or approver: then nothing of this sort is made by waiting.",
)


@public(GET="", POST=CHANGE)
def not_me(request: HttpRequest) -> HttpResponse:
    """What the change is, and the button; pressed, it is withdrawn."""
    link = LINK.of(request)
    try:
        change, said = _about(link)
        if change.stage not in WAITING:
            return _too_late(request, said, change)
        return _form(request, said) if request.method != "POST" else _stopped(request, link, change, said)
    except NoSuchLink:
        return LINK.no_good(request)


def _about(link: str) -> tuple[Change, Told]:
    with acting_as(holder(link)) as access:
        about = warned(link)
        return about.change, told(about.change, access.actor, to=about.contact)


def _stopped(request: HttpRequest, link: str, change: Change, said: Told) -> HttpResponse:
    try:
        _stop(request, link, change.proposer_id)
    except ChangeError as error:  # between looking and pressing something else became of it
        return _told(request, said, "Nothing was changed", (str(error), *AFTER), status=409)
    words = (f"Withdrawn: {said.what}. The sessions of {said.who} have ended.", *AFTER)
    return _told(request, said, "The change is stopped", words)


def _stop(request: HttpRequest, link: str, proposer: UUID | None) -> None:
    """One transaction: the change, the API's sessions, and those the sign-in library keeps."""
    own = isinstance(request.user, Login) and request.user.person_id == proposer
    with acting_as(holder(link)):
        stop(link)
        for one in UserSession.objects.filter(user__person=proposer) if proposer else ():
            one.end()
        note("sessions ended", client=None, person=str(proposer or ""), because=NOT_ME)
    if own:
        request.session.flush()
    else:
        LINK.forget(request)


def _form(request: HttpRequest, said: Told) -> HttpResponse:
    form = Form((), "This was not me: stop it", "/not-me/")
    lead = {RECOVER: RECOVERY, RESET: ASKED, TRANSFER: GIVEN}.get(said.kind, NotMe.lead)
    page = NotMe(organization=said.organization, facts=_facts(said), form=form, lead=lead)
    return render(request, "not_me.html", {"page": page})


def _facts(said: Told) -> tuple[tuple[str, str], ...]:
    return (
        ("What", said.what), ("By", said.who), ("Why", said.why), ("Held because", said.held),
        ("Will be made", said.when),
    )  # fmt: skip


def _too_late(request: HttpRequest, said: Told, change: Change) -> HttpResponse:
    """It waits no more: what became of it, and what can still be done."""
    became = "was made" if change.version is not None else f"waits no more: it is {change.stage}"
    what = "Sign in and undo it on its own page." if change.version is not None else "There is nothing to stop."
    words = (f"{said.what}: it {became}. {what}", *AFTER[1:])
    return _told(request, said, "This change waits no more", words)


def _told(request: HttpRequest, said: Told, title: str, words: tuple[str, ...], *, status: int = 200) -> HttpResponse:
    acts = (Act("Sign in", "/sign-in/", weight="primary"),)
    page = Notice(organization=said.organization, title=title, words=words, acts=acts)
    return render(request, "notice.html", {"page": page}, status=status)
