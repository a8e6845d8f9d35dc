"""Clients, domains, mailboxes, addresses, people, nodes and what hangs on them: lists, one of each, now or then."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from postroom.access.acting import Actor, current, widened
from postroom.access.scope import visible
from postroom.changes.errors import NotThere, Problem
from postroom.changes.history import Rows, clients_since, read_at, read_at_each, since
from postroom.models import (
    Address,
    Alias,
    CatchAll,
    Client,
    Credential,
    Delegation,
    Destination,
    DkimKey,
    Domain,
    Forward,
    Freeze,
    Grant,
    Invite,
    Mailbox,
    Node,
    Person,
    RecordSet,
    RouteException,
    Row,
    StateModel,
    Transport,
)
from postroom.protocols.refs import domain_ref, short_ref

from .called import by_id_or, called, canonical
from .gone import Then, once_called
from .page import Page, cut, page
from .searching import searched


@dataclass(frozen=True)
class Noun:
    """How a sort of object is listed: its model, unique key, what search looks at, and what is read along."""

    model: type[StateModel]
    key: str
    search: tuple[str, ...]
    along: tuple[str, ...] = ()


NOUNS: Mapping[str, Noun] = {
    "clients": Noun(Client, "slug", ("slug", "name"), ("node",)),
    "domains": Noun(Domain, "name", ("name",), ("client",)),
    "mailboxes": Noun(
        Mailbox, "address__address", ("address__address", "name"), ("address__domain", "client", "owner")
    ),
    "addresses": Noun(Address, "address", ("address",), ("client", "domain")),
    "aliases": Noun(Alias, "address__address", ("address__address",), ("address", "client")),
    "forwards": Noun(Forward, "id", ("address__address", "to"), ("address", "client")),
    "catch_alls": Noun(CatchAll, "domain__name", ("domain__name", "target"), ("domain", "client")),
    "exceptions": Noun(RouteException, "id", ("address__address", "target"), ("address", "client")),
    "transports": Noun(Transport, "id", ("address__address", "host"), ("address", "client")),
    "destinations": Noun(Destination, "id", ("name",), ("client",)),
    "delegations": Noun(
        Delegation,
        "id",
        ("mailbox__address__address", "to_mailbox__address__address"),
        ("mailbox__address", "to_mailbox__address", "client"),
    ),
    "people": Noun(Person, "email", ("email", "name"), ("client",)),
    "nodes": Noun(Node, "name", ("name",)),
    "grants": Noun(Grant, "id", ("role", "person__email"), ("person", "client", "domain")),
    "freezes": Noun(Freeze, "id", ("reason",), ("client",)),
    "record_sets": Noun(RecordSet, "id", ("name", "type"), ("domain", "client")),
    "dkim_keys": Noun(DkimKey, "id", ("selector",), ("domain", "client")),
    "credentials": Noun(Credential, "id", ("name", "mailbox__address__address"), ("mailbox__address", "client", "app")),
    "invites": Noun(Invite, "id", ("contact",), ("mailbox__address", "person", "client")),
}
KNOWN_BY_NAME = ("clients", "domains", "addresses", "mailboxes", "aliases", "destinations", "people", "nodes")


def listed(
    actor: Actor, noun: str, *, client: str | None = None, domain: str | None = None, search: str | None = None,
    after: str | None = None, limit: int = 50, at: str | None = None, extra: Q | None = None,
) -> Page[dict[str, Any]]:  # fmt: skip
    """One page of what this actor may see, as plain objects; `at` (a version or a time) needs one client. extra: which
    of these rows, as they are now."""
    about = NOUNS[noun]
    rows = narrowed(actor, about, client=client, domain=domain, search=search)
    rows = rows.filter(extra) if extra is not None else rows
    if at is None:
        found = page(rows, key=about.key, after=after, limit=limit, along=about.along)
        return Page([shown(row) for row in found.items], found.next)
    if current().narrow:
        raise Problem("at", "a role at single domains reads what is, and of what was, its own domains one by one")
    if about.model is Node or (client is None and _organizations(about.model)):
        _reads_the_organizations()
        if client is not None:
            raise Problem("client", "nodes are the organization's: what they were at a time is asked of all of them")
        rows = rows if about.model is Node else rows.filter(client__isnull=True)
    elif client is None and about.model is not Client:
        raise Problem("at", "name one client with ?client=, whose history is meant")
    return _then(actor, about, rows, at=at, client=client, domain=domain, search=search, after=after, limit=limit)


def narrowed(
    actor: Actor, about: Noun, *, client: str | None = None, domain: str | None = None, search: str | None = None
) -> "QuerySet[Any]":
    rows: QuerySet[Any] = visible(actor, about.model)
    if client is not None:
        owner = client_of(actor, client)
        if owner is None:
            return rows.none()
        # What hangs on an address is of the address's client: asked there, the page's order comes from one index.
        path = "address__client" if "address_id" in about.model.columns() else "client"
        rows = rows.filter(**({"pk": owner.pk} if about.model is Client else {path: owner}))
    if domain is not None:
        rows = rows.filter(_by_domain(about.model, domain_ref(domain)))
    within = client is not None or domain is not None
    return searched(rows, about.search, search, within=within) if search else rows


def _by_domain(model: type[StateModel], ref: str) -> Q:
    """Rows of one domain, by its name or id; a Problem where rows are of none."""
    ways = {"address_id": "address__domain__", "domain_id": "domain__"}
    path = "" if model is Domain else next((ways[one] for one in ways if one in model.columns()), None)
    if path is None:
        raise Problem("domain", f"{model._meta.verbose_name_plural} are of no domain")
    return by_id_or(f"{path}name", ref, pk=f"{path}pk")


def one(actor: Actor, noun: str, ref: str, *, at: str | None = None) -> dict[str, Any]:
    """One object by id or natural key; NotThere for none, or none of yours."""
    about = NOUNS[noun]
    try:
        row = row_of(actor, noun, ref)
    except NotThere:
        if at is None:
            raise
        return _gone(actor, noun, ref, at)
    if at is None:
        return shown(row)
    client = row.pk if isinstance(row, Client) else getattr(row, "client_id", None)
    if client is None:
        _reads_the_organizations()
    with widened(current()):
        then, now = since(client, read_at(at, client))
    key = (about.model._meta.db_table, row.pk)
    if key in then:
        return _merged(about.model, row, then[key], Then(actor, then))
    return _gone(actor, noun, ref, at) if key in now else shown(row)


def _organizations(model: type[StateModel]) -> bool:
    """Whether the organization itself has rows of these: people, roles, freezes."""
    columns: Mapping[str, Any] = {one.attname: one for one in model._meta.concrete_fields}
    return bool("client_id" in columns and columns["client_id"].null)


def _reads_the_organizations() -> None:
    """Who sees none of the organization's record would be told of now whatever they ask: they are told why not."""
    if not current().reaches(None):
        raise Problem("at", "its history is the organization's own, which your role does not read")


def _gone(actor: Actor, noun: str, ref: str, at: str) -> dict[str, Any]:
    """What stood under this name then and is gone since, at a client whose whole record they read."""
    about = NOUNS[noun]
    seen = set(visible(actor, Client).values_list("pk", flat=True)) if not current().narrow else set()
    for id, client in once_called(actor, about.model, canonical(about.model, ref)) if seen else ():
        if client in seen:
            then, _ = since(client, read_at(at, client, come=False))
            if row := then.get((about.model._meta.db_table, id)):
                return _merged(about.model, None, row, Then(actor, then))
    raise NotThere(noun, f"no {about.model._meta.verbose_name} {ref} at {at} that you can see")


def row_of(actor: Actor, noun: str, ref: str) -> Any:
    about = NOUNS[noun]
    rows = visible(actor, about.model).select_related(*about.along).filter(called(about.model, ref))[:2]
    if len(rows) > 1:
        raise NotThere(
            noun, f"several clients have a {about.model._meta.verbose_name} {ref}: say whose, as in acme:{ref}"
        )
    if not rows:
        raise NotThere(noun, f"no {about.model._meta.verbose_name} {ref} that you can see")
    return rows[0]


def named(actor: Actor, ref: str) -> list[UUID]:
    """Everything this person may see that goes by a name or id: an address is of a mailbox, an alias, a person."""
    found: list[UUID] = []
    for about in map(NOUNS.__getitem__, KNOWN_BY_NAME):
        wanted = called(about.model, ref)
        found += visible(actor, about.model).filter(wanted).values_list("pk", flat=True)
    return found


def client_of(actor: Actor, ref: str) -> Client | None:
    """A client by slug or id, if this person may see it."""
    return visible(actor, Client).filter(by_id_or("slug", short_ref(ref))).first()


def _then(
    actor: Actor, about: Noun, rows: "QuerySet[Any]", *, at: str, client: str | None, domain: str | None,
    search: str | None, after: str | None, limit: int,
) -> Page[dict[str, Any]]:  # fmt: skip
    """The list as it stood: what was touched since is unwound, the rest is as it is."""
    whole, now = _unwound(actor, about.model, client, at)
    table = about.model._meta.db_table
    then: dict[Any, Row] = {id: row for (t, id), row in whole.items() if t == table}
    then |= {id: {} for (t, id) in now.keys() - whole.keys() if t == table}
    untouched = page(rows.exclude(pk__in=then), key=about.key, after=after, limit=limit, along=about.along)
    known = {row.pk: row for row in about.model.objects.filter(pk__in=then).select_related(*about.along)}
    called = Then(actor, whole)
    stood = [_merged(about.model, known.get(id), row, called) for id, row in then.items() if row]
    touched = [item for item in stood if _asked_for(item, about, domain, search)]
    both = sorted([shown(row) for row in untouched.items] + touched, key=_key)
    return cut(both, key=_key, after=after, limit=limit) if touched else Page(both, untouched.next)


def _unwound(actor: Actor, model: type[StateModel], client: str | None, at: str) -> tuple[Rows, Rows]:
    """(then, now) of what was touched since: of one client, of the organization, or of all clients' own rows."""
    seen = visible(actor, Client)
    if client is None and model is Client:
        return clients_since(read_at_each(at, list(seen.values_list("pk", flat=True))))
    whole: Rows = {}
    now: Rows = {}
    owners = seen.filter(by_id_or("slug", short_ref(client))).values_list("pk", flat=True) if client else [None]
    for owner in owners:
        unwound, stands = since(owner, read_at(at, owner))
        whole, now = whole | unwound, now | stands
    return whole, now


def _asked_for(item: dict[str, Any], about: Noun, domain: str | None, search: str | None) -> bool:
    """As the database would narrow it, had it stood so there."""
    at = str(item.get("address", "")).rpartition("@")[2]
    of = str(item["label"]) if about.model is Domain else str(item.get("domain") or at)
    texts = (item.get(column.partition("__")[0]) for column in about.search)
    found = search is None or any(search.lower() in str(text or "").lower() for text in texts)
    return found and (domain is None or domain_ref(domain) in (of, str(item.get("domain_id") or item["id"])))


def _key(item: dict[str, Any]) -> str:
    return str(item["label"])


def _merged(model: type[StateModel], row: Any, then: Row, called: Then) -> dict[str, Any]:
    now = shown(row) if row is not None else {}
    merged = {**now, **then, **called.names(model, then, now)}
    merged.pop("proof_token", None)
    return merged


STILL_SAID = ("label", "id", "slug", "name", "closed_at")


def shown(row: Any) -> dict[str, Any]:
    """A row as the API shows it: its columns, what people call it, and the names of what it refers to.

    Of a client that closed itself to whoever asks: that it is there, and closed.
    """
    item: dict[str, Any] = {"label": row.label, **row.row()}
    if isinstance(row, Client) and row.pk in current().closed:
        return {name: value if name in STILL_SAID else None for name, value in item.items()}
    for name in ("client", "domain", "node", "person", "owner", "mailbox", "address", "app"):
        if f"{name}_id" in item and name in row._state.fields_cache:
            other = getattr(row, name)
            item[name] = other.label if other is not None else None
    if isinstance(row, Address):
        item["address"] = row.address
    item.pop("proof_token", None)
    return item
