"""The rules by which mail of a client's addresses goes on, read as they stand: one query a mechanism.

A script that could not be read is a rule that leads to nobody knows where; it is never left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import Alias, CatchAll, Client, Domain, Forward, Mailbox, RedirectStop, SieveScript, Transport
from postroom.models.routes import server

MOST = 300  # routes on one map
OK, WARN, BAD, UNKNOWN = "ok", "warn", "bad", "unknown"
ALIAS, FORWARD, CATCH_ALL, MIRROR, SIEVE = "alias", "forward", "catch-all", "domain alias", "sieve"
TRANSPORT = "transport"


@dataclass(frozen=True)
class Route:
    """One rule of one source: an address, or *@domain. targets: where it leads, none where nobody knows. keeps: its own
    mailbox has the mail as well. until: when it ends by itself. words: what is wrong, or to be known of it. id: of its
    row; of a script its mailbox's."""

    source: str
    sort: str
    id: UUID
    targets: tuple[str, ...]
    keeps: bool = False
    until: datetime | None = None
    state: str = OK
    words: str = ""


@dataclass(frozen=True)
class Asked:
    """Whose routes: a client's, or of one domain of it; after a source; so many at most, as they are now."""

    actor: Actor
    client: Client
    now: datetime
    domain: Domain | None = None
    after: str = ""
    limit: int = MOST

    def of(self, rows: "QuerySet[Any]", path: str) -> "QuerySet[Any]":
        """What is asked for of these. path: of the address."""
        if self.domain is not None:
            rows = rows.filter(**{f"{path}__domain": self.domain})
        return rows.filter(**{f"{path}__address__gt": self.after}).order_by(f"{path}__address")[: self.limit + 1]


def _aliases(asked: Asked) -> Iterator[Route]:
    rows = asked.of(visible(asked.actor, Alias).filter(address__client=asked.client, removed_at=None), "address")
    for pk, source, targets in rows.values_list("pk", "address__address", "targets"):
        yield Route(source, ALIAS, pk, tuple(targets))


def _forwards(asked: Asked) -> Iterator[Route]:
    rows = asked.of(visible(asked.actor, Forward).filter(address__client=asked.client, removed_at=None), "address")
    there = Exists(visible(asked.actor, Mailbox).filter(address=OuterRef("address"), removed_at=None))
    columns = ("pk", "address__address", "to", "until", "disabled_at", "address__keep_copy", "box")
    for pk, source, to, until, disabled, keeps, box in rows.annotate(box=there).values_list(*columns):
        off = "disabled" if disabled else "its time is over" if until <= asked.now else ""
        yield Route(source, FORWARD, pk, (to,), box and (keeps or bool(off)), until, WARN if off else OK, off)


def _catch_alls(asked: Asked) -> Iterator[Route]:
    rows = visible(asked.actor, CatchAll).filter(client=asked.client, removed_at=None)
    rows = rows if asked.domain is None else rows.filter(domain=asked.domain)
    for pk, name, target, until in rows.order_by("domain__name").values_list("pk", "domain__name", "target", "until"):
        if f"*@{name}" > asked.after:
            over = "its time is over" if until <= asked.now else "temporary"
            yield Route(f"*@{name}", CATCH_ALL, pk, (target,), False, until, WARN, over)


def _transports(asked: Asked) -> Iterator[Route]:
    rows = asked.of(visible(asked.actor, Transport).filter(address__client=asked.client, ended_at=None), "address")
    for pk, source, host, port, until in rows.values_list("pk", "address__address", "host", "port", "until"):
        over = until <= asked.now
        words = "its time is over" if over else "handed to another server"
        yield Route(source, TRANSPORT, pk, (server(host, port),), False, until, WARN if over else OK, words)


def _mirrors(asked: Asked) -> Iterator[Route]:
    rows = visible(asked.actor, Domain).filter(client=asked.client, removed_at=None, alias_of__isnull=False)
    if asked.domain is not None:
        rows = rows.filter(Q(pk=asked.domain.pk) | Q(alias_of=asked.domain.pk))
    for pk, name, of in rows.order_by("name").values_list("pk", "name", "alias_of__name"):
        if f"*@{name}" > asked.after:
            yield Route(f"*@{name}", MIRROR, pk, (f"*@{of}",))


def _scripts(asked: Asked) -> Iterator[Route]:
    """Only those in force: of others nothing leaves. Where somebody stopped one, its node sends nothing there."""
    rows = visible(asked.actor, SieveScript).filter(client=asked.client, mailbox__removed_at=None)
    rows = rows.filter((Q(active=True) & ~Q(redirects=[])) | ~Q(unreadable=""))
    stops = visible(asked.actor, RedirectStop).filter(mailbox=OuterRef("mailbox"), ended_at=None)
    also = {"source": F("mailbox__address__address"), "stopped": ArraySubquery(stops.values("target"))}
    for one in asked.of(rows, "mailbox__address").annotate(**also):
        if one.unreadable:
            said = f"not readable: {one.unreadable}"[:60]
            yield Route(one.source, SIEVE, one.mailbox_id, (), True, None, UNKNOWN, said)
        for each in one.redirects if one.active else ():
            off = each["to"] in one.stopped and each.get("by") != "notify"
            yield Route(
                one.source, SIEVE, one.mailbox_id, (each["to"],) if each["to"] else (), bool(each["copy"]), None,
                WARN if off else OK if each["to"] else UNKNOWN, "stopped at its node" if off else _how(each),
            )  # fmt: skip


def _how(redirect: dict[str, Any]) -> str:
    words = "notify" if redirect.get("by") == "notify" else "redirect :copy" if redirect["copy"] else "redirect"
    words += ", sometimes" if redirect.get("conditional") else ""
    return words if redirect["to"] else f"{words}, to what it works out"


READS = (_aliases, _forwards, _transports, _catch_alls, _mirrors, _scripts)
