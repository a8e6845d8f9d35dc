"""The inventory sheet of a client: its domains and who holds them where, its mailboxes and whose they are, its routes,
forwards and catch-alls, and who may do what. What nobody has said is None, and is counted: how many of its cells are
known.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, IntegerField, Q, Sum, Value, When
from django.utils import timezone

from postroom.access.acting import Actor, current
from postroom.access.scope import visible
from postroom.models import Alias, CatchAll, Client, Domain, Forward, Grant, Mailbox, Organization, RouteException
from postroom.models.mailboxes import OWNER_KNOWN

from . import access
from .page import MOST, Page, page
from .people import SOMEBODY

SIZE = 50
UNKNOWN = "unknown"
ADMIN, ADMINS = "client admin", 5  # of those who hold it, so many are named
Known = str | None  # None: not known


@dataclass(frozen=True)
class Line:
    """One row of a part: a value a column; None is not known."""

    cells: tuple[Known, ...]


@dataclass(frozen=True)
class Part:
    """A part of the sheet. columns: (name, what it is called). read: a page of it, after a key."""

    name: str
    title: str
    columns: tuple[tuple[str, str], ...]
    read: Callable[[Actor, Client, str | None, int], Page[Line]]


@dataclass(frozen=True)
class Complete:
    """How many of the cells that are asked for are known."""

    known: int = 0
    of: int = 0

    def __add__(self, more: "Complete") -> "Complete":
        return Complete(self.known + more.known, self.of + more.of)

    @property
    def whole(self) -> bool:
        return self.known == self.of


ASKED_OF_A_DOMAIN: Mapping[str, Q] = {
    "registrar": ~Q(registrar=""), "registrar_account": ~Q(registrar_account=""),
    "registrar_account_holder": ~Q(registrar_account_holder=""),
    "registrar_holder": ~Q(registrar_holder=""), "second_holder": ~Q(second_holder=""),
    "registrar_mfa": ~Q(registrar_mfa=UNKNOWN), "dns_holder": ~Q(dns_holder=""),
    "expires_on": Q(expires_on__isnull=False), "confirmed_on": Q(confirmed_on__isnull=False),
}  # fmt: skip


def complete(actor: Actor, client: Client) -> Mapping[str, Complete]:
    """Of the client itself, of its domains, of its mailboxes: three queries. Routes and roles are what they are."""
    itself = (client.sending != UNKNOWN, bool(client.security_contact), bool(client.may_ask))
    domains = _counted(_domains(actor, client), tuple(ASKED_OF_A_DOMAIN.values()))
    return {
        "client": Complete(sum(itself), len(itself)), "domains": domains,
        "mailboxes": _counted(_mailboxes(actor, client), (OWNER_KNOWN, _administered(actor, client))),
    }  # fmt: skip


def _administered(actor: Actor, client: Client) -> Q:
    """Of a mailbox: whether it is known who administers it, by name or as one of the client's own admins."""
    return Q(pk__isnull=False) if _admins(actor, client) else Q(client_admin__isnull=False)


def _admins(actor: Actor, client: Client) -> str:
    """Who administers the client for the client itself: that is the admin of each mailbox that names nobody else."""
    now = timezone.now()
    rows = visible(actor, Grant).filter(client=client, domain=None, role=ADMIN, ended_at=None, person__removed_at=None)
    rows = rows.filter(Q(until=None) | Q(until__gt=now), person__suspended_at=None)
    names = list(rows.order_by("person__name", "id").values_list("person__name", flat=True)[: ADMINS + 1])
    return ", ".join(names[:ADMINS]) + (" and others" if len(names) > ADMINS else "")


def _counted(rows: Any, asked: Sequence[Q]) -> Complete:
    cells = reduce(
        add, (Case(When(one, then=Value(1)), default=Value(0), output_field=IntegerField()) for one in asked)
    )
    found = rows.order_by().aggregate(rows=Count("pk"), known=Sum(cells))
    return Complete(found["known"] or 0, found["rows"] * len(asked))


def closed() -> frozenset[UUID]:
    """Clients that are closed to whoever reads now."""
    return frozenset(current().closed)


def total(parts: Mapping[str, Complete]) -> Complete:
    return sum(parts.values(), Complete())


def every(actor: Actor, client: Client, part: Part) -> Iterator[Line]:
    """All rows of a part, a page in memory at a time."""
    after: str | None = None
    while True:
        found = part.read(actor, client, after, MOST)
        yield from found.items
        if found.next is None:
            return
        after = found.next


def _domains(actor: Actor, client: Client) -> Any:
    return visible(actor, Domain).filter(client=client, removed_at=None)


def _mailboxes(actor: Actor, client: Client) -> Any:
    return visible(actor, Mailbox).filter(address__client=client, removed_at=None)


def _read_domains(actor: Actor, client: Client, after: str | None, limit: int) -> Page[Line]:
    found = page(_domains(actor, client), key="name", after=after, limit=limit)
    return Page([Line((one.name, *(_said(getattr(one, name)) for name in ASKED_OF_A_DOMAIN))) for one in found.items],
                found.next)  # fmt: skip


def _said(value: Any) -> Known:
    return None if value in (None, "", UNKNOWN) else str(value)


def _read_mailboxes(actor: Actor, client: Client, after: str | None, limit: int) -> Page[Line]:
    along = ("address", "owner", "operator", "client_admin")
    found = page(_mailboxes(actor, client), key="address__address", after=after, limit=limit, along=along)
    operated = visible(actor, Organization).values_list("name", flat=True).get()
    admins = _admins(actor, client) or None
    return Page([_mailbox(one, operated, admins) for one in found.items], found.next)


def _mailbox(one: Mailbox, operated: str, admins: Known) -> Line:
    """A person that this actor does not see is somebody, and known."""
    owner = _named(one, "owner") or (one.name if one.kind == "person" and one.name else None)
    return Line((one.label, one.kind, one.name, owner, _named(one, "operator") or operated,
                 _named(one, "client_admin") or admins))  # fmt: skip


def _named(one: Mailbox, layer: str) -> Known:
    if getattr(one, f"{layer}_id") is None:
        return None
    person = getattr(one, layer)
    return person.name if person else SOMEBODY


def _read_routes(actor: Actor, client: Client, after: str | None, limit: int) -> Page[Line]:
    rows = visible(actor, Alias).filter(address__client=client, removed_at=None)
    found = page(rows, key="address__address", after=after, limit=limit, along=("address",))
    return Page([Line((one.label, ", ".join(one.targets))) for one in found.items], found.next)


def _read_forwards(actor: Actor, client: Client, after: str | None, limit: int) -> Page[Line]:
    """In the order in which they were made; who answers for what leaves is the owner of its exception."""
    rows = visible(actor, Forward).filter(client=client, removed_at=None)
    found = page(rows, key="id", after=after, limit=limit, along=("address",))
    let = visible(actor, RouteException).filter(
        client=client, ended_at=None, address__in=[one.address_id for one in found.items]
    )
    owners = {(one.address_id, one.target): one.owner for one in let.order_by("until")}
    return Page([
        Line((one.address.address, one.to, f"{one.until:%Y-%m-%d}", "disabled" if one.disabled_at else "on",
              owners.get((one.address_id, one.to), "")))
        for one in found.items
    ], found.next)  # fmt: skip


def _read_catch_alls(actor: Actor, client: Client, after: str | None, limit: int) -> Page[Line]:
    rows = visible(actor, CatchAll).filter(client=client, removed_at=None)
    found = page(rows, key="domain__name", after=after, limit=limit, along=("domain",))
    return Page([Line((one.domain.name, one.target, f"{one.until:%Y-%m-%d}")) for one in found.items], found.next)


def _read_roles(actor: Actor, client: Client, after: str | None, limit: int) -> Page[Line]:
    """Roles that stand, newest first; on the last page also tokens, and who is seen by name alone."""
    found = access.grants(actor, client, after=after or "", limit=limit)
    rights = list(found.items)
    if found.next is None:
        rights += access.tokens(actor, client)
        rights += access.others(actor, client, [one.id for one in found.items])
    return Page([_right(one) for one in rights], found.next)


def _right(one: access.Right) -> Line:
    role = f"token: {one.role}" if one.sort == "token" else one.role
    where = one.domain or one.client or "organization"
    until = f"{one.until:%Y-%m-%d}" if one.until else ""
    return Line((one.name, one.email, role, where, f"{one.since:%Y-%m-%d}", until))


PARTS: Mapping[str, Part] = {
    one.name: one for one in (
        Part("domains", "Domains", (
            ("domain", "Domain"), ("registrar", "Registrar"), ("registrar_account", "Account address there"),
            ("registrar_account_holder", "Holds that address"), ("registrar_holder", "Holds that login"),
            ("second_holder", "Second holder"), ("registrar_mfa", "Second factor there"),
            ("dns_holder", "Holds the DNS login"), ("expires_on", "Registration ends"),
            ("confirmed_on", "Confirmed on"),
        ), _read_domains),
        Part("mailboxes", "Mailboxes", (
            ("address", "Address"), ("kind", "Kind"), ("name", "Name"), ("owner", "Owner"), ("operator", "Operator"),
            ("client_admin", "Client admin"),
        ), _read_mailboxes),
        Part("routes", "Routes", (("address", "Address"), ("lands_at", "Lands at")), _read_routes),
        Part("forwards", "Forwards", (
            ("address", "Address"), ("to", "Goes on to"), ("until", "Until"), ("state", "State"),
            ("exception_owner", "Answers for it"),
        ), _read_forwards),
        Part("catch_alls", "Catch-alls", (("domain", "Domain"), ("lands_at", "Lands at"), ("until", "Until")),
             _read_catch_alls),
        Part("roles", "Roles", (
            ("name", "Name"), ("email", "Mail address"), ("role", "Role"), ("where", "Where"), ("since", "Since"),
            ("until", "Until"),
        ), _read_roles),
    )
}  # fmt: skip
