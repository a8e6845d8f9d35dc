"""*Is it read still?* The page behind the link of a recovery channel: its button says so."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from postroom.access.acting import NoSuchLink, acting_as
from postroom.access.declared import CHANGE
from postroom.access.scope import visible
from postroom.changes.channels import RECOVERY, Asked, confirm, holder, opened
from postroom.changes.errors import ChangeError
from postroom.models import Organization
from postroom.models.recovery import REGISTRAR, SECURITY
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
LEADS = {
    RECOVERY: "It is kept as a way to get a mailbox back, for somebody who cannot get in any more.",
    SECURITY: "It is kept as where a client is written to about the safety of its mail.",
    REGISTRAR: "It is kept as where the registrar of a domain writes to: whoever reads there can move the domain.",
}
THANKS = {
    RECOVERY: "{value} is a way back into {of} for another half year.",
    SECURITY: "{value} is where {of} is written to for another half year.",
    REGISTRAR: "{value} is known as where the registrar of {of} writes to for another half year.",
}
WRONG = "If you know nothing of it, close this page, and tell {organization}: somebody may have mistyped."


@public(GET="", POST=CHANGE)
def confirming(request: HttpRequest) -> HttpResponse:
    """Which mailbox it is about, and the button."""
    kept = LINK.of(request)
    try:
        with acting_as(holder(kept)) as access:
            asked, organization = opened(kept), visible(access.actor, Organization).get().name
        if request.method != "POST":
            return _form(request, asked, organization)
        return _confirmed(request, kept, asked, organization)
    except NoSuchLink:
        return LINK.no_good(request)


def _form(request: HttpRequest, asked: Asked, organization: str) -> HttpResponse:
    words, read = ("address", "read") if "@" in asked.value else ("number", "answered")
    page = Confirming(
        organization=organization, facts=((asked.noun, asked.of), (words.capitalize(), asked.value)),
        title=f"Is this {words} {read} still?", lead=LEADS[asked.what],
        form=Form((), "Yes, it is", "/confirm/"), wrong=WRONG.format(organization=organization),
    )  # fmt: skip
    return render(request, "confirming.html", {"page": page})


def _confirmed(request: HttpRequest, kept: str, asked: Asked, organization: str) -> HttpResponse:
    try:
        change = confirm(kept)
    except ChangeError as error:
        return _said(request, organization, "Nothing was changed", str(error), status=409)
    if change.version is None:
        why = "; ".join(verdict["reason"] for verdict in change.verdicts)
        return _said(request, organization, "Not now", f"{why}. The link stays good; try again later.", status=409)
    LINK.forget(request)
    thanks = THANKS[asked.what].format(value=asked.value, of=asked.of)
    return _said(request, organization, "Thank you", f"{thanks} You need do nothing more.")


def _said(request: HttpRequest, organization: str, title: str, words: str, *, status: int = 200) -> HttpResponse:
    page = Notice(organization=organization, title=title, words=(words,))
    return render(request, "notice.html", {"page": page}, status=status)
