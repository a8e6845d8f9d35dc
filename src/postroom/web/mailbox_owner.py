"""The page of a mailbox's owner: what is theirs to see and do. Each section of it is one of PARTS, in their order."""

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from postroom.access.scope import visible
from postroom.models import Invite, Organization
from postroom.models.recovery import half_set_up
from postroom.queries.owning import aliases, made, story
from postroom.web import (
    mailbox_app_passwords,
    mailbox_channels,
    mailbox_reset,
    mailbox_secrets,
    mailbox_sign_in,
    mailbox_story,
)
from postroom.web.door import by_method
from postroom.web.mailbox_door import Asked, mailbox_page
from postroom.web.parts.plain_pages import OwnerMailbox, Part
from postroom.web.parts.shapes import Act, Code, Item
from postroom.web.times import when

FEW = 5


def secrets(request: Asked) -> Part:
    """The password and the recovery code: when each was set, and the way to another."""
    since = made(request.actor, request.own.mailbox)
    rows = tuple(
        Item(words, f"set {when(since[purpose])} UTC" if purpose in since else "not set", icon=icon,
             acts=(Act(act, url, of=words),))
        for words, purpose, icon, act, url in (
            ("Password", "password", "lock", "Another one", "/mailbox/password/"),
            ("Recovery code", "recovery code", "key", "Another one", "/mailbox/code/"),
        )
    )  # fmt: skip
    return Part("Your password and recovery code", "owner/parts/items.html", rows)


def lands(request: Asked) -> Part:
    """Other addresses whose mail comes here."""
    rows = tuple(Item((Code(one),), "mail to it lands here", icon="at") for one in aliases(request.actor))
    return Part("Other addresses", "owner/parts/items.html", rows or (Item("There is none", icon="at"),))


def happened(request: Asked) -> Part:
    """The newest entries about it."""
    found = story(request.actor, limit=FEW)
    more = (Item("All of it", icon="list-details", acts=(Act("Open", "/mailbox/record/", of="all that happened"),)),)
    rows = tuple(map(mailbox_story.item, found.items)) + (more if found.next else ())
    return Part("Who opened or changed it", "owner/parts/items.html", rows)


# Each is asked in the page's one transaction, as the owner, and may read a fixed number of times.
PARTS: list[Callable[[Asked], Part]] = [secrets, mailbox_channels.part, mailbox_app_passwords.part, lands, happened]


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
        organization=visible(request.actor, Organization).get().name, client=own.client_name, address=own.address,
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
