"""The page of a mailbox's owner: what is theirs to see and do. Each section of it is one of PARTS, in their order."""

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import render

from postroom.access.scope import visible
from postroom.models import Organization
from postroom.web import mailbox_app_passwords
from postroom.web.mailbox_door import Asked, mailbox_page
from postroom.web.parts.plain_pages import OwnerMailbox, Part
from postroom.web.parts.shapes import Act

# Each is asked in the page's one transaction, as the owner, and may read a fixed number of times.
PARTS: list[Callable[[Asked], Part]] = [mailbox_app_passwords.part]


@mailbox_page
def mailbox(request: Asked) -> HttpResponse:
    own = request.own
    page = OwnerMailbox(
        organization=visible(request.actor, Organization).get().name, client=own.client_name, address=own.address,
        parts=tuple(part(request) for part in PARTS), out=Act("Sign out", "/mailbox/sign-out/", method="post"),
    )  # fmt: skip
    return render(request, "owner/mailbox.html", {"page": page})
