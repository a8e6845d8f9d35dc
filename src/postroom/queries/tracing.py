"""Where mail to an address lands, hop by hop, and by which addresses mail gets there; as whoever asks may see it.

A rule they may not look at is not followed for them: the landing says that something stands there. What lies outside of
all that they see is outside, whoever has it: so nobody learns whether another client has an address.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from postroom.access.acting import Actor, acted
from postroom.access.scope import changes_seen, visible
from postroom.changes.edit import Edit
from postroom.changes.errors import NotThere, Problem
from postroom.changes.landing import Moved, diff
from postroom.changes.routes import Facts, leading_to, read
from postroom.changes.rules import Ref, Rules, moment
from postroom.models import (
    Address,
    Alias,
    CatchAll,
    Change,
    Client,
    Domain,
    Forward,
    Mailbox,
    RecordedEdit,
    RouteException,
    Row,
    SieveScript,
    StateModel,
    Transport,
)
from postroom.models.routes import server
from postroom.protocols.addresses import BadAddress
from postroom.protocols.addresses import address as canonical
from postroom.protocols.extensions import parts
from postroom.protocols.routing import Hop, Landing, Trace, trace

from .last_hits import last_hits

VIEW, SCRIPTS = "addresses.view", "sieve_scripts.view"
SHOWN, MOVED = 50, 25  # addresses that lead here; of a plan, those that are followed
RULES: tuple[type[StateModel], ...] = (Domain, Address, Mailbox, Alias, Forward, CatchAll, Transport)
AT_AN_ADDRESS = ("aliases", "forwards", "mailboxes", "transports")
EDITS = 500  # of all rules of one trace; each has a handful
Made = Mapping[str, dict[str, Any]]  # row → by which change it stands as it does


def traced(actor: Actor, typed: str, *, now: datetime | None = None) -> dict[str, Any]:
    """One address; NotThere where its domain is none of theirs. At most twelve queries, however many hops."""
    address, at = _address(typed), now or timezone.now()
    facts = read([address])
    hidden = _hidden(actor, facts)
    domain = _domain(facts, address, hidden)
    rules = Rules(facts, at, hidden)
    found = trace(address, rules, at=at)
    may = _exceptions(actor, facts)
    others = _others(actor, [*(hop.at for hop in found.hops), *(one.address for one in found.landings)], facts, address)
    made = _made(actor, [hop.rule.ref[1] for hop in found.hops if hop.rule.ref[0] != "sieve_scripts"])
    leads, more = _leads_here(actor, address, str(domain["client_id"]), at)
    return {
        "address": address, "at": at.isoformat(timespec="seconds"),
        "hops": [{**_hop(hop, facts, made, may), "client": _of(hop.at, others)} for hop in found.hops],
        "landings": [{**landing(one, facts), "client": _of(one.address, others)} for one in found.landings],
        "nowhere": found.nowhere,
        "last_hits": [{"target": to, "at": when} for to, when in sorted(last_hits(actor, found).items())],
        "leads_here": leads, "more_lead_here": more,
    }  # fmt: skip


def _address(typed: str) -> str:
    try:
        return canonical(typed)
    except BadAddress as wrong:
        raise Problem("address", str(wrong)) from None


def _domain(facts: Facts, address: str, hidden: Iterable[Ref]) -> Mapping[str, Any]:
    name = parts(address)[2][1:]
    for id, row in facts.get("domains", {}).items():
        if row["name"] == name and ("domains", id) not in hidden:
            return row
    raise NotThere("address", f"no address {address} at a domain that you can see")


def _hidden(actor: Actor, facts: Facts) -> frozenset[Ref]:
    """Those of the rows that this actor may not look at."""
    read = {model._meta.db_table: facts.get(model._meta.db_table, {}) for model in RULES}
    asked = [visible(actor, m).filter(pk__in=list(read[m._meta.db_table])).values_list("pk", flat=True) for m in RULES]
    seen = {str(pk) for pk in asked[0].union(*asked[1:], all=True)}
    hidden = {(table, id) for table, rows in read.items() for id in rows if id not in seen}
    scripts = facts.get("sieve_scripts", {})
    may = visible(actor, SieveScript, SCRIPTS).filter(pk__in=list(scripts)).values_list("pk", flat=True)
    hidden |= {("sieve_scripts", id) for id in scripts.keys() - {str(pk) for pk in may}}
    return frozenset(hidden)


Others = Mapping[str, dict[str, str]]  # domain → its client, where that is another than the mail's own


def _others(actor: Actor, places: Iterable[str], facts: Facts, address: str) -> Others:
    """No query where all that mail passes is one client's, as far as it was read."""
    clients = {row["name"]: str(row["client_id"]) for row in facts.get("domains", {}).values()}
    own = clients.get(parts(address)[2][1:])
    names = {parts(one)[2][1:] for one in places}
    return _clients(actor, {one for one in names if clients.get(one, own) != own})


def _clients(actor: Actor, domains: Collection[str]) -> dict[str, dict[str, str]]:
    """Whose each of these domains is, of those this actor sees, by its name."""
    seen = visible(actor, Domain).filter(name__in=domains, client__in=visible(actor, Client).values("pk"))
    rows = seen.values_list("name", "client__slug", "client__name") if domains else ()
    return {name: {"slug": slug, "name": client} for name, slug, client in rows}


def _of(address: str, others: Others) -> dict[str, str] | None:
    """Whose it is, where that is another client; at a server elsewhere nobody's here."""
    return others.get(parts(address)[2][1:])


# Each hop with its rule: who made it stand so, how old it is, until when, and by which exception mail leaves.


def _exceptions(actor: Actor, facts: Facts) -> set[str]:
    """Those whose owner and reason this actor may see."""
    ids = list(facts.get("exceptions", {}))
    rows = visible(actor, RouteException).filter(pk__in=ids).values_list("pk", flat=True) if ids else ()
    return {str(pk) for pk in rows} | facts.get("transports", {}).keys()  # of those that are hidden nothing is told


def _hop(hop: Hop, facts: Facts, made: Made, may: set[str]) -> dict[str, Any]:
    rule = hop.rule
    table, id = rule.ref
    return {
        "step": hop.step, "at": hop.at, "mechanism": rule.mechanism, "to": list(hop.to), "keeps": rule.keep,
        "sometimes": hop.sometimes, "until": rule.until.isoformat() if rule.until else None, "unknown": rule.unknown,
        "not_sent": sorted(rule.barred), "table": table or None, "id": id or None, "made": made.get(id),
        "read_at": facts["sieve_scripts"][id]["at"] if table == "sieve_scripts" else None,
        "exception": _exception(hop, facts, may),
    }  # fmt: skip


def _exception(hop: Hop, facts: Facts, may: set[str]) -> dict[str, Any] | None:
    """The newest that lets mail of this address go to one of these."""
    owners = {row["address"]: id for id, row in facts.get("addresses", {}).items()}
    own = owners.get(parts(hop.at)[0])
    ways = [*facts.get("exceptions", {}).values(), *map(_as_exception, facts.get("transports", {}).values())]
    of = [row for row in ways if row["address_id"] == own and row["target"] in hop.to]
    if not own or not of:
        return None
    one = max(of, key=lambda row: moment(row["until"]))
    seen = {name: one[name] if one["id"] in may else None for name in ("owner", "reason", "until")}
    return {"id": one["id"], "target": one["target"], **seen}


def _as_exception(transport: Row) -> Row:
    return {**transport, "target": server(transport["host"], transport["port"])}


def landing(one: Landing, facts: Facts | None = None) -> dict[str, Any]:
    """facts: of a domain of ours that no node serves, it is said why mail to it leaves."""
    domains = (facts or {}).get("domains", {}).values()
    ours = one.sort == "outside" and any(row["name"] == parts(one.address)[2][1:] for row in domains)
    why = "its domain is not proven, or removed: mail goes where its MX says" if ours else one.why
    return {"sort": one.sort, "address": one.address, "why": why, "sometimes": one.sometimes}


def _made(actor: Actor, rows: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By which change each of these rows was made, and last changed; who asked for it. Four queries."""
    wanted = sorted({row for row in rows if row})
    edits = RecordedEdit.objects.filter(row__in=wanted).order_by("entry_id").values_list("row", "entry_id")[:EDITS]
    of: dict[str, list[int]] = {}
    for edited, entry in edits if wanted else ():
        of.setdefault(str(edited), []).append(entry)
    ends = {entry for entries in of.values() for entry in (entries[0], entries[-1])}
    heads = RecordedEdit.objects.filter(entry_id__in=ends, n=0, table="changes").values_list("entry_id", "row")
    moves: dict[int, UUID] = dict(heads) if ends else {}
    changes = Change.objects.filter(changes_seen(), pk__in=set(moves.values())).select_related("proposer")
    known = {one.pk: one for one in changes} if moves else {}
    names = acted({one.proposer_id for one in known.values() if one.proposer_id and one.proposer is None})
    said: dict[str, dict[str, Any]] = {}
    for row, entries in of.items():
        first, last = (known.get(moves[entry]) if entry in moves else None for entry in (entries[0], entries[-1]))
        if first:
            changed = _by(last, names) if last and last != first else None
            said[row] = {**_by(first, names), "changed": changed}
    return said


def _by(change: Change, names: Mapping[UUID, str]) -> dict[str, Any]:
    name = change.proposer.name if change.proposer else names.get(change.proposer_id, "") if change.proposer_id else ""
    return {
        "change": str(change.pk), "kind": change.kind, "at": change.now.isoformat(), "by": name or change.actor,
        "why": change.why,
    }  # fmt: skip


# The other way round.


def _leads_here(actor: Actor, address: str, client: str, at: datetime) -> tuple[list[dict[str, Any]], int]:
    """Other addresses of the client whose mail comes here, with how; and how many more there are, or are not seen."""
    found = leading_to([address], [client], most=SHOWN + 1)
    if not found:
        return [], 0
    facts = read(found[:SHOWN])
    hidden = _hidden(actor, facts)
    rules, unseen = Rules(facts, at, hidden), _unseen(facts, hidden)
    lines: list[dict[str, Any]] = []
    more = len(found) - SHOWN if len(found) > SHOWN else 0
    for one in found[:SHOWN]:
        if one in unseen:
            more += 1
            continue
        way = trace(one, rules, at=at)
        if address in {hop.at for hop in way.hops} | {landed.address for landed in way.landings}:
            lines.append({"address": one, "by": _first(way), "sometimes": _sometimes(way, address)})
    return sorted(lines, key=lambda line: str(line["address"])), more


def _unseen(facts: Facts, hidden: frozenset[Ref]) -> set[str]:
    """Addresses that are hidden, or at which something is."""
    names = {id: row["address"] for id, row in facts.get("addresses", {}).items()}
    at = {facts[table][id].get("address_id") for table, id in hidden if table in AT_AN_ADDRESS}
    own = {id for table, id in hidden if table == "addresses"}
    domains = {f"*@{facts['domains'][id]['name']}" for table, id in hidden if table == "domains"}
    return {name for id, name in names.items() if id in at | own} | domains


def _first(way: Trace) -> str:
    return way.hops[0].rule.mechanism if way.hops else "mailbox"


def _sometimes(way: Trace, address: str) -> bool:
    sure = {landed.address for landed in way.landings if not landed.sometimes} | {
        to for hop in way.hops if not hop.sometimes for to in hop.to
    }
    return address not in sure


# What a plan does to it.


def landings(actor: Actor, edits: Sequence[Edit], *, now: datetime | None = None) -> dict[str, Any]:
    """Of every address these edits touch, and of those that lead there: where its mail lands now, and by them."""
    found = diff(edits, now or timezone.now(), most=MOVED, hide=lambda facts: _hidden(actor, facts))
    places = {landed.address for one in found.moved for there in (one.before, one.after) for landed in there.landings}
    own = {one.address.rpartition("@")[2] for one in found.moved}
    names = {parts(one)[2][1:] for one in places} - {""}
    clients = _clients(actor, names | own) if names - own else {}
    return {"landing": [_moved(one, clients) for one in found.moved], "more_landings": found.more}


def _moved(one: Moved, clients: Others) -> dict[str, Any]:
    home = _of(one.address, clients)
    others = {name: client for name, client in clients.items() if client != home}
    before, after = (
        [{**landing(landed), "client": _of(landed.address, others)} for landed in there.landings]
        for there in (one.before, one.after)
    )
    return {"address": one.address, "before": before, "after": after, "moved": one.differs}
