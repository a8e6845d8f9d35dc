"""The page of a mailbox's owner: what is theirs to see and do. Each section of it is one of PARTS, in their order."""

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from postroom.access.scope import visible
from postroom.models import Invite
from postroom.models.recovery import half_set_up
from postroom.queries.owning import story
from postroom.web import (
    mailbox_app_passwords,
    mailbox_channels,
    mailbox_delegations,
    mailbox_filters,
    mailbox_forwards,
    mailbox_front,
    mailbox_reset,
    mailbox_secrets,
    mailbox_sign_in,
    mailbox_story,
)
from postroom.web.door import by_method
from postroom.web.mailbox_door import Asked, mailbox_page
from postroom.web.parts.plain_pages import OwnerMailbox, Part
from postroom.web.parts.shapes import Act, Item

FEW = 5


def happened(request: Asked) -> Part:
    """The newest entries about it."""
    found = story(request.actor, limit=FEW)
    more = Item("All of it", "say there what you do not know", icon="list-details",
                acts=(Act("Open", "/mailbox/record/", of="all that happened"),))  # fmt: skip
    rows = (*mailbox_story.items(request, found.items, ask=False), more)
    return Part("Who opened or changed it", "owner/parts/items.html", rows)


# Each is asked in the page's one transaction, as the owner, and may read a fixed number of times.
PARTS: list[Callable[[Asked], Part]] = [
    mailbox_front.strange, mailbox_front.inside, mailbox_app_passwords.part, mailbox_front.resets,
    mailbox_channels.part, mailbox_delegations.part, mailbox_filters.part, mailbox_forwards.part, mailbox_front.lands,
    happened,
]  # fmt: skip


def one_step_left(request: Asked) -> Part:
    """Of a mailbox that was set up by hand: by what its owner is reached has to be confirmed first."""
    words = "open the link that was mailed to one of them; until then nothing else is shown here"
    return Part("One step is left", "owner/parts/items.html", (Item("Confirm a way back in", words, icon="mail"),))


@mailbox_page
def mailbox(request: Asked) -> HttpResponse:
    own = request.own
    half = half_set_up(visible(request.actor, Invite), own.mailbox)  # then one thing is left, and nothing else is shown
    parts = [one_step_left, mailbox_channels.part] if half else PARTS
    page = OwnerMailbox(
        organization=own.organization, client=own.client_name, address=own.address,
        parts=tuple(part(request) for part in parts), out=Act("Sign out", "/mailbox/sign-out/", method="post"),
    )  # fmt: skip
    return render(request, "owner/mailbox.html", {"page": page})


URLS: list[URLPattern] = [
    path("mailbox/", by_method(GET=mailbox), name="own-mailbox"),
    path("mailbox/sign-in/", mailbox_sign_in.sign_in, name="mailbox-sign-in"),
    path("mailbox/sign-out/", by_method(POST=mailbox_sign_in.sign_out), name="mailbox-sign-out"),
    path("mailbox/password/", by_method(GET=mailbox_secrets.password, POST=mailbox_secrets.change),
         name="mailbox-password"),
    path("mailbox/code/", by_method(GET=mailbox_secrets.code, POST=mailbox_secrets.renew), name="mailbox-code"),
    path("mailbox/record/", by_method(GET=mailbox_story.record), name="mailbox-record"),
    path("mailbox/recent/", by_method(GET=mailbox_story.recent, POST=mailbox_story.answer), name="mailbox-recent"),
    path("mailbox/recover/", mailbox_reset.by_code, name="mailbox-recover"),
    path("mailbox/recover/mail/", mailbox_reset.by_mail, name="mailbox-recover-mail"),
    path("mailbox/recover/set/", mailbox_reset.by_link, name="mailbox-recover-set"),
    path("mailbox/recover/<str:token>", mailbox_reset.link, name="mailbox-recover-link"),
]  # fmt: skip
