"""*Is it read still?* The page behind the link of a recovery channel: its button says so."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from postroom.access.acting import NoSuchLink, acting_as
from postroom.access.declared import CHANGE
from postroom.access.scope import visible
from postroom.changes.channels import confirm, holder, opened
from postroom.changes.errors import ChangeError
from postroom.models import Organization, RecoveryChannel
from postroom.models.recovery import ADDRESS
from postroom.web.door import public
from postroom.web.one_time import OneTime
from postroom.web.parts.forms import Form
from postroom.web.parts.plain_pages import Confirming, Notice

LINK = OneTime(
    "channel", "/confirm/",
    gone="It was used, it was replaced by a newer one, the channel has ended, or its two weeks are over.",
    ask="Whoever looks after the mailbox can have a new one mailed.",
)  # fmt: skip
link = LINK.opened
WRONG = "If you know nothing of this mailbox, close this page, and tell {organization}: somebody may have mistyped."


@public(GET="", POST=CHANGE)
def confirming(request: HttpRequest) -> HttpResponse:
    """Which mailbox it is about, and the button."""
    kept = LINK.of(request)
    try:
        with acting_as(holder(kept)) as access:
            channel, organization = opened(kept), visible(access.actor, Organization).get().name
        if request.method != "POST":
            return _form(request, channel, organization)
        return _confirmed(request, kept, channel, organization)
    except NoSuchLink:
        return LINK.no_good(request)


def _form(request: HttpRequest, channel: RecoveryChannel, organization: str) -> HttpResponse:
    words = "address" if channel.sort == ADDRESS else "number"
    page = Confirming(
        organization=organization, facts=(("Mailbox", channel.mailbox.label), (words.capitalize(), channel.value)),
        title=f"Is this {words} {'read' if channel.sort == ADDRESS else 'answered'} still?",
        form=Form((), "Yes, it is", "/confirm/"), wrong=WRONG.format(organization=organization),
    )  # fmt: skip
    return render(request, "confirming.html", {"page": page})


def _confirmed(request: HttpRequest, kept: str, channel: RecoveryChannel, organization: str) -> HttpResponse:
    try:
        change = confirm(kept)
    except ChangeError as error:
        return _said(request, organization, "Nothing was changed", str(error), status=409)
    if change.version is None:
        why = "; ".join(verdict["reason"] for verdict in change.verdicts)
        return _said(request, organization, "Not now", f"{why}. The link stays good; try again later.", status=409)
    LINK.forget(request)
    return _said(request, organization, "Thank you", f"{channel.value} is a way back into {channel.mailbox.label} for "
                 "another half year. You need do nothing more.")  # fmt: skip


def _said(request: HttpRequest, organization: str, title: str, words: str, *, status: int = 200) -> HttpResponse:
    page = Notice(organization=organization, title=title, words=(words,))
    return render(request, "notice.html", {"page": page}, status=status)
