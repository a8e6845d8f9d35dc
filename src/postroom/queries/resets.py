"""Who can reset this? Every path to control of a mailbox, the weakest first: who holds it, since when, does it count.

What is not known is said so, and never counts as safe. Of what lies outside of what the actor sees (the client that an
address's domain is of, the people there) nothing is told but that it is not known. A fixed number of queries.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from postroom.access.acting import Actor, MayAct, access_of, may_act
from postroom.access.roles import ROLES, matches
from postroom.access.scope import visible
from postroom.models import ApiToken, Domain, Grant, Invite, Mailbox, RecoveryChannel, Role, Secret
from postroom.models.base import made_at
from postroom.models.recovery import ADDRESS, Ways, readable, unsaid

YES, NO, UNKNOWN = "yes", "no", "unknown"
# What lets somebody send a link or hold one, lead one elsewhere, begin what ends in one, give the mailbox to somebody
# else, or let through what another asked for.
LEADS_IN = (
    "invites.send", "invites.redirect", "invites.issue", "recovery_channels.name", "resets.start", "resets.send_link",
    "resets.approve", "mailboxes.transfer", "mailboxes.restore", "changes.approve",
)  # fmt: skip
MANY = 5  # people with one role: more than anybody watches


@dataclass(frozen=True)
class Holder:
    """A person by whose right a path goes."""

    name: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Path:
    """One way to control of the mailbox.

    sort: code, channel, link, role, token, registrar, dns. who: whoever goes it, in words. since: None where its age is
    not known. counts: YES, NO, UNKNOWN, where two proofs are asked for (a VIP). why: why not, or what is not known.
    weak: how easily it is taken, 0 for not at all; reason: why that is so.
    """

    sort: str
    who: str
    since: datetime | None = None
    counts: str = YES
    why: str = ""
    weak: int = 0
    reason: str = ""
    id: UUID | None = None
    held: tuple[Holder, ...] = ()
    weakest: bool = False


def paths(actor: Actor, mailbox: Mailbox, *, now: datetime | None = None) -> list[Path]:
    """All of them, the weakest first and marked. Seven queries, however many there are; of a VIP's mailbox nine."""
    at = now or timezone.now()
    if mailbox.removed_at or mailbox.kind == "shared":
        return []
    ways = Ways.of(mailbox)
    channels = list(visible(actor, RecoveryChannel).filter(ways.among(at), mailbox=mailbox.pk).order_by("id"))
    invites = list(visible(actor, Invite).filter(mailbox=mailbox.pk, used_at=None, ended_at=None).order_by("id"))
    domain = mailbox.address.domain
    addresses = [one.value for one in channels if one.sort == ADDRESS] + [one.contact for one in invites]
    control = _control(actor, [*addresses, domain.registrar_account])
    found = [
        _code(actor, mailbox), *(_channel(one, ways, control, at) for one in channels),
        *(_link(one, control) for one in invites if one.until is None or one.until > at),
        *_rights(actor, mailbox), _registrar(domain, control, at), _dns(domain),
    ]  # fmt: skip
    hidden = {sort: path for sorts, path in _unseen(actor, mailbox) for sort in sorts.split()}
    found = [one for one in found if one.sort not in hidden] + list(dict.fromkeys(hidden.values()))
    found.sort(key=lambda one: -one.weak)
    return [replace(found[0], weakest=found[0].weak > 0), *found[1:]]


SEEN_BY = {
    "secrets.view": ("code", "The owner, by a recovery code"),
    "recovery_channels.view": ("channel", "Whoever holds a recovery channel"),
    "invites.view": ("link", "Whoever holds an open link"),
    "grants.view": ("role token", "Whoever may act at this client"),
    "domains.view": ("registrar dns", "Whoever holds the login at the registrar, and the DNS"),
}


def _unseen(actor: Actor, mailbox: Mailbox) -> Iterator[tuple[str, Path]]:
    """(sorts, what is said instead) of the paths that the actor may not look at: nobody takes those for none."""
    access, domain = access_of(actor), mailbox.address.domain_id
    for permission, (sorts, who) in SEEN_BY.items():
        if not access.can_about(permission, mailbox.client_id, [domain]):
            sort = sorts.partition(" ")[0]
            yield sorts, Path(sort, who, None, UNKNOWN, "not yours to see", 45, "what there is is not known to you")


@dataclass(frozen=True)
class Control:
    """Who controls the domain of an address: words, and whether that is known."""

    known: bool
    words: str
    people: int = 0


def _control(actor: Actor, addresses: Iterable[str]) -> Mapping[str, Control]:
    """By address. Two queries: the domains of ours among theirs, and who holds rights at their clients."""
    names = {one: one.rpartition("@")[2] for one in addresses if "@" in one}
    above = {name: _and_above(name) for name in names.values()}
    wanted = {one for all_of in above.values() for one in all_of}
    ours = {one.name: one for one in visible(actor, Domain).filter(name__in=wanted, removed_at=None)
            .select_related("client")}  # fmt: skip
    people = _people_at(actor, {one.client_id for one in ours.values()})
    return {one: _of_domain(name, next((ours[up] for up in above[name] if up in ours), None), people)
            for one, name in names.items()}  # fmt: skip


def _and_above(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[n:]) for n in range(len(labels) - 1)]


def _people_at(actor: Actor, clients: set[UUID]) -> Mapping[UUID, list[str]]:
    rows = visible(actor, Grant).filter(_standing(), client__in=clients).select_related("person").order_by("id")
    found: dict[UUID, list[str]] = {}
    for one in rows:
        if one.client_id and one.person and one.person.name not in found.setdefault(one.client_id, []):
            found[one.client_id].append(one.person.name)
    return found


def _standing() -> Q:
    open_ended = Q(until=None) | Q(until__gt=timezone.now())
    return open_ended & Q(ended_at=None, person__suspended_at=None, person__removed_at=None)


def _of_domain(name: str, domain: Domain | None, people: Mapping[UUID, list[str]]) -> Control:
    if domain is None:
        return Control(False, f"who controls {name} is not known")
    there = people.get(domain.client_id, [])
    rights = f"rights there: {_listed(there)}" if there else "nobody of theirs holds rights there"
    return Control(True, f"{domain.name} is here, at {domain.client.name}; {rights}", len(there))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MANY]) + (f" and {len(names) - MANY} more" if len(names) > MANY else "")


def _code(actor: Actor, mailbox: Mailbox) -> Path:
    made = visible(actor, Secret).filter(owner_row=mailbox.pk, purpose="recovery code").values_list("made", flat=True)
    since = made.first()
    if since is None:
        return Path("code", "The owner, by a recovery code", None, NO, "none is set")
    return Path("code", "The owner, by the recovery code", since, YES, "one use; nobody here can read it", 5,
                "whoever finds where it is kept")  # fmt: skip


def _channel(one: RecoveryChannel, ways: Ways, control: Mapping[str, Control], now: datetime) -> Path:
    who = f"Whoever reads {one.value}" if one.sort == ADDRESS else f"Whoever answers {one.value}"
    who += f" ({one.name})" if one.name else ""
    held = control.get(one.value)
    said = held.words if held else "who holds the number is not known"
    which = None if one.ended_at else one.pk  # there is nothing more to be done about it
    said = f"ended {one.ended_at:%d %b}, which counts seven days later; {said}" if one.ended_at else said
    if why := ways.why_not(one, now):
        # Where one proof is enough, what is too new or not confirmed is no way in for the helpdesk either.
        return Path("channel", who, one.made, NO, f"{why}; {said}", 1, "", which)
    known = held is not None and held.known
    weak, reason = (55, held.words) if known and held and held.people else (60, said) if not known else (20, said)
    return Path("channel", who, one.made, YES if known else UNKNOWN, said, weak, reason, which)


def _link(one: Invite, control: Mapping[str, Control]) -> Path:
    held = control.get(one.contact)
    said = held.words if held else "who reads it is not known"
    known = held is not None and held.known
    return Path("link", f"Whoever reads {one.contact}", one.made, YES if known else UNKNOWN,
                f"a link is open, {f'until {one.until:%d %b %H:%M} UTC' if one.until else 'not sent yet'}; {said}",
                90, "whoever opens that link sets the password", one.pk)  # fmt: skip


def _registrar(domain: Domain, control: Mapping[str, Control], now: datetime) -> Path:
    """Whoever holds the login can move the domain, and with it every mailbox."""
    takes = "can move the domain, and with it every mailbox"
    if not domain.registrar or not domain.registrar_holder:
        who = f"The registrar login of {domain.name}"
        return Path("registrar", who, None, UNKNOWN, "who holds it is not known", 80, f"whoever holds it {takes}")
    who = f"{domain.registrar_holder}, by the registrar login of {domain.name} at {domain.registrar}"
    account, reader = domain.registrar_account, domain.registrar_account_holder
    reads = f"held by {reader}" if reader else "who holds that address is not known"
    if account.rpartition("@")[2] == domain.name:
        return Path("registrar", who, None, YES if reader else UNKNOWN, f"its notices go to {account}: {reads}", 75,
                    "its notices go into the very domain: who has the one has the other")  # fmt: skip
    held = control.get(account)
    said = f"its notices go to {account}, {reads}; {held.words}" if held else "where its notices go is not known"
    if readable(account) and (why := unsaid(domain.registrar_confirmed_at, now)):
        return Path("registrar", who, None, NO, f"{why}: {said}", 65, f"{why}: {said}; whoever holds it {takes}")
    known = bool(reader) and held is not None and held.known
    return Path("registrar", who, None, YES if known else UNKNOWN, said, 30 if known else 65,
                f"{said}; whoever holds it {takes}")  # fmt: skip


def _dns(domain: Domain) -> Path:
    who = f"The DNS of {domain.name}"
    if domain.hosting == "hosted" and domain.proof == "read":
        said = "answered by our own name servers: changed here, on record"
        return Path("dns", who, made_at(domain.pk), YES, said, 10, said)
    if not domain.dns_holder:
        return Path("dns", who, None, UNKNOWN, "who holds it is not known", 70,
                    "whoever holds it can lead mail, and links, elsewhere")  # fmt: skip
    return Path("dns", f"{domain.dns_holder}, by the DNS of {domain.name}", None, YES, "can lead mail elsewhere", 35,
                "can lead mail, and links, elsewhere")  # fmt: skip


def _rights(actor: Actor, mailbox: Mailbox) -> Iterator[Path]:
    """Roles and programs by which somebody sends the owner a link, or lets one through. Three queries."""
    own = dict(visible(actor, Role).filter(ended_at=None).values_list("name", "permissions"))
    rows = [one for one in may_act(mailbox.client_id) if one.domain in (None, mailbox.address.domain.name)]
    roles: dict[str, list[MayAct]] = {}
    for one in rows:
        if one.sort == "role" and _leads_in(own.get(one.role) or ROLES.get(one.role) or ()):
            roles.setdefault(one.role, []).append(one)
    if not rows:
        yield Path("role", "Whoever may act at this client", None, UNKNOWN, "you see this one domain alone", 45,
                   "who they are is not known to you")  # fmt: skip
    yield from (_role(role, held) for role, held in roles.items())
    tokens = [one for one in rows if one.sort == "token"]
    may = dict(visible(actor, ApiToken).filter(pk__in=[one.id for one in tokens]).values_list("pk", "permissions"))
    for one in tokens:
        if one.id not in may or _leads_in(may[one.id]):
            yield _token(one, known=one.id in may)


def _leads_in(permissions: Iterable[str]) -> bool:
    allowed = list(permissions)
    return any(matches(allowed, one) for one in LEADS_IN)


def _role(role: str, held: Sequence[MayAct]) -> Path:
    people = tuple(Holder(one.name, made_at(one.id), one.until) for one in held)
    count = len({one.person for one in held})
    who = f"{role.capitalize()}: {_listed(list(dict.fromkeys(one.name for one in held)))}"
    return Path("role", who, max(one.since for one in people), YES, "by this role; each act on record",
                40 if count > MANY else 25, f"{count} {'people hold' if count > 1 else 'person holds'} this role",
                held=people)  # fmt: skip


def _token(one: MayAct, *, known: bool) -> Path:
    said = "a program; it proposes, and approves nothing" if known else "a program; what it may is not known to you"
    return Path("token", f"{one.role}, a token of {one.name}", made_at(one.id), YES if known else UNKNOWN, said,
                28 if known else 45, said, one.id)  # fmt: skip


def shown(mailbox: Mailbox, found: Sequence[Path]) -> dict[str, Any]:
    """As the API says it."""
    return {"mailbox": mailbox.label, "vip": mailbox.vip, "items": [_shown(one) for one in found]}


def _shown(one: Path) -> dict[str, Any]:
    return {
        "sort": one.sort, "id": str(one.id) if one.id else None, "who": one.who,
        "since": one.since.isoformat() if one.since else None, "counts": one.counts, "why": one.why,
        "weakest": one.weakest, "reason": one.reason or None,
        "people": [{"name": each.name, "since": each.since.isoformat(),
                    "until": each.until.isoformat() if each.until else None} for each in one.held],
    }  # fmt: skip
