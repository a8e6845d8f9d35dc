"""Mail apps that owners of mailboxes may be asked by: how each is known, whom it is let into, what may be done."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render

from postroom.queries.mail_apps import Asking, mail_apps
from postroom.web.door import page
from postroom.web.framed import freeze_notes, offered
from postroom.web.lists import IN_USE, Narrow
from postroom.web.parts.pages import MailAppsPage
from postroom.web.parts.shapes import Act, Badge, Cell, Code, Column, Crumb, PageHead, Row, Strong, Table
from postroom.web.times import when

COLUMNS = (Column("App"), Column("Its client_id"), Column("Where its users come back to"), Column("Let into"),
           Column("State", phone="right"), Column("Act", num=True, hidden=True))  # fmt: skip
ADD = Act("Add a mail app", "/do/mail_apps.add/", "plus", "primary")
WHAT = "An app that is named here may ask owners to be let into their mailboxes, without their password."


@page("mail_apps.view")
def named_apps(request: Any) -> HttpResponse:
    narrow = Narrow(request, by_id=True)
    found = mail_apps(request.actor, search=narrow.asked.search, ended=narrow["state"] == "removed",
                      after=narrow.after)  # fmt: skip
    add = offered(request, None, ("mail_apps.add", ADD))
    shown = MailAppsPage(
        head=PageHead("Mail apps", "who may ask owners to be let in without a password",
                      crumbs=(Crumb("Mailboxes", "/mailboxes/"),), acts=add),
        notes=(*narrow.notes(), *freeze_notes(request)), label="Mail apps",
        filters=narrow.filters("Mail apps", [narrow.select("state", "State", IN_USE)]),
        table=Table("Mail apps", COLUMNS, tuple(_row(request, one) for one in found.items)),
        pager=narrow.pager([one.app.name for one in found.items], found.next),
        empty=None if found.items else narrow.nothing("mail app", WHAT, "device-mobile", add),
    )  # fmt: skip
    return render(request, "mail_apps.html", {"page": shown})


def _row(request: Any, one: Asking) -> Row:
    app = one.app
    end = Act("End…", f"/do/mail_apps.end/?{urlencode({'mail_app': str(app.pk)})}", weight="asks", of=app.name)
    return Row((
        Cell(Strong(app.name), f"added {when(app.made)}"), Code(str(app.pk)), Code(", ".join(app.redirect_uris)),
        _into(one),
        Badge("fact", f"ended {when(app.ended_at)}", "ban") if app.ended_at else Badge("good", "may ask"),
        Cell(acts=() if app.ended_at else offered(request, None, ("mail_apps.end", end))),
    ), name=app.name)  # fmt: skip


def _into(one: Asking) -> Any:
    """Nobody is no zero: whoever sees single clients sees the consents of these alone."""
    if not one.mailboxes:
        return "no mailbox you may see"
    return Cell(_many(one.mailboxes, "mailbox", "mailboxes"), f"of {_many(one.clients, 'client', 'clients')}")


def _many(count: int, noun: str, nouns: str) -> str:
    return f"{count:,} {noun if count == 1 else nouns}"
