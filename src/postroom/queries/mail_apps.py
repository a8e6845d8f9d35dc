"""Mail apps, and how many mailboxes each is let into."""

from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import Credential, MailApp

from .page import Page, page


@dataclass(frozen=True)
class Asking:
    """An app; the mailboxes that it is let into now, and their clients, of those that this actor may see."""

    app: MailApp
    mailboxes: int
    clients: int


def mail_apps(actor: Actor, *, search: str = "", ended: bool = False, after: str = "") -> Page[Asking]:
    """Newest first. Two queries."""
    rows = visible(actor, MailApp).filter(ended_at__isnull=not ended, name__icontains=search)
    found = page(rows, key="id", after=after or None, limit=25, newest_first=True)
    live = visible(actor, Credential).filter(Q(until=None) | Q(until__gt=timezone.now()), ended_at=None)
    into = live.filter(app__in=[one.pk for one in found.items]).values("app").order_by()
    many = {
        one["app"]: (one["mailboxes"], one["clients"])
        for one in into.annotate(mailboxes=Count("mailbox", distinct=True), clients=Count("client", distinct=True))
    }
    return Page([Asking(one, *many.get(one.pk, (0, 0))) for one in found.items], found.next)
