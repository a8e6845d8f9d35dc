"""Two clients who know nothing of each other: what each may do in a step, and all that one of them can see.

A step is (side, verb, who, n) and the same words do the same in any database: nothing in it is an id. What both share
is left out on purpose: a name can be held by one of them alone, so each takes names from a store of their own.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError
from pydantic import ValidationError

from cast import House, kind, reasons
from postroom.access.acting import SYSTEM, Access, Actor, acting_as
from postroom.access.scope import visible
from postroom.changes.approvals import approve, withdraw
from postroom.changes.errors import ChangeError
from postroom.changes.pipeline import submit
from postroom.models import Change, Client, Finding, Freeze, Invite, Node
from postroom.posture.findings import Found, observed
from postroom.posture.signed import signed
from postroom.queries import access, approvals, clients, findings, lists, objects, people, records, suggest, tokens
from postroom.queries.around import around
from postroom.queries.changes import timeline, whole
from postroom.queries.entries import Wanted, entries, entry
from postroom.queries.invites import waiting
from postroom.queries.service import beats
from postroom.queries.today import today

OTHER = {"acme": "globex", "globex": "acme"}
DETAILS = 4  # so many of the newest changes and entries are opened, too; the others are read in their lists
UNTIL = "2099-01-01T00:00:00Z"


@dataclass(frozen=True)
class Pair:
    """Who acts: of each client its admin and an operator who works for it alone; and Ada, who approves for all."""

    house: House
    admin: dict[str, Actor]
    operator: dict[str, Actor]


@dataclass(frozen=True)
class Step:
    side: str
    verb: str
    by_admin: bool
    n: int


Params = dict[str, Any]
# verb → kind, and what it is asked with; {c} the client, {z} its domain, {n} a number.
VERBS: dict[str, tuple[str, Params]] = {
    "make": ("mailboxes.create", {"address": "box{n}@{z}", "name": "Box {n}", "contact": "box{n}@{c}.test"}),
    "name": ("mailboxes.change", {"mailbox": "box{n}@{z}", "name": "Called {n}"}),
    "VIP": ("mailboxes.change", {"mailbox": "mia@{z}", "vip": True}),
    "suspend": ("mailboxes.suspend", {"mailbox": "box{n}@{z}"}),
    "resume": ("mailboxes.resume", {"mailbox": "box{n}@{z}"}),
    "remove": ("mailboxes.remove", {"mailbox": "box{n}@{z}"}),
    "alias": ("aliases.create", {"address": "alias{n}@{z}", "targets": ["mia@{z}"]}),
    "point": ("aliases.change", {"alias": "alias{n}@{z}", "targets": ["box{n}@{z}"]}),
    "domain": ("domains.add", {"client": "{c}", "name": "{c}{n}.example"}),
    "record": ("record_sets.set", {"domain": "{z}", "name": "r{n}.{z}", "type": "A", "values": ["192.0.2.{n}"]}),
    "stop domain": ("domains.suspend", {"domain": "{z}"}),
    "invite": ("invites.send", {"mailbox": "mia@{z}", "contact": "mia{n}@{c}.test"}),
    "person": ("people.invite", {"name": "P{n}", "email": "p{n}@{z}", "client": "{c}"}),
    "grant": ("grants.give", {"person": "p{n}@{z}", "role": "client viewer", "client": "{c}", "until": UNTIL}),
    "stop person": ("people.suspend", {"person": "p{n}@{z}"}),
    "freeze": ("freezes.start", {"scope": "{c}", "reason": "reason {n}"}),
    "notes": ("clients.change", {"client": "{c}", "notes": "note {n}", "security_contact": "s{n}@{c}.test"}),
    "stop": ("clients.suspend", {"client": "{c}"}),
    "close": ("access.suspend", {"client": "{c}"}),
    "open": ("access.resume", {"client": "{c}"}),
}
# At the other's, where nothing of it may come through: {o} the other client, {y} its domain.
TRIES: dict[str, tuple[str, Params]] = {
    "their mailbox": ("mailboxes.suspend", {"mailbox": "mia@{y}"}),
    "their new one": ("mailboxes.remove", {"mailbox": "box{n}@{y}"}),
    "in their domain": ("mailboxes.create", {"address": "mine{n}@{y}"}),
    "mail to them": ("aliases.create", {"address": "way{n}@{z}", "targets": ["mia@{y}"]}),
    "mail from them": ("aliases.create", {"address": "way{n}@{y}", "targets": ["mia@{z}"]}),
    "their zone": ("record_sets.set", {"domain": "{y}", "name": "@", "type": "MX", "values": ["0 x{n}.test."]}),
    "above them": ("record_sets.set", {"domain": "{z}", "name": "{y}", "type": "A", "values": ["192.0.2.{n}"]}),
    "their people": ("people.change", {"person": "p{n}@{y}", "name": "Mine"}),
    "their owner": ("mailboxes.change", {"mailbox": "mia@{z}", "owner": "p{n}@{y}"}),
    "a role there": ("grants.give", {"person": "p{n}@{z}", "role": "client admin", "client": "{o}"}),
    "their freeze": ("freezes.start", {"scope": "{o}", "reason": "x"}),
    "their notes": ("clients.change", {"client": "{o}", "notes": "mine"}),
    "shut them": ("access.suspend", {"client": "{o}"}),
}
OTHERS = ("back", "approve", "withdraw", "thaw", "finding", "their history", "their held one")
ALL_VERBS = (*VERBS, *TRIES, *OTHERS)


def taken(pair: Pair, step: Step) -> str:
    """Do it; what its doer is told."""
    who = (pair.admin if step.by_admin else pair.operator)[step.side]
    try:
        return said(_done(pair, step, who))
    except (ChangeError, ValidationError) as error:
        return f"{type(error).__name__} {error}"
    except DatabaseError as error:
        return f"{type(error.__cause__).__name__}"


def said(change: Change | None) -> str:
    return "nothing" if change is None else f"{change.kind} {change.stage} {reasons(change)}"


def _done(pair: Pair, step: Step, who: Actor) -> Change | None:
    if step.verb in VERBS or step.verb in TRIES:
        permission, params = {**VERBS, **TRIES}[step.verb]
        return submit(kind(permission, **_filled(params, step)), actor=who, why=f"why {step.n}")
    return _special(pair, step, who)


def _filled(value: Any, step: Step) -> Any:
    c, o = step.side, OTHER[step.side]
    if isinstance(value, dict):
        return {key: _filled(one, step) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, step) for one in value]
    words = {"c": c, "z": f"{c}.example", "o": o, "y": f"{o}.example", "n": step.n}
    return value.format(**words) if isinstance(value, str) else value


def _special(pair: Pair, step: Step, who: Actor) -> Change | None:
    side = OTHER[step.side] if step.verb.startswith("their") else step.side
    if step.verb == "finding":
        _look(side, step.n)
    elif step.verb in ("back", "their history"):
        if change := _last(side, version__isnull=False):
            return submit(kind("history.roll_back", change=str(change.pk)), actor=who, why="back")
    elif change := _last(side, stage="held"):
        if step.verb == "withdraw":
            return withdraw(change.pk, actor=who, why="no")
        by = who if step.verb == "their held one" else pair.house.ada
        return approve(change.pk, actor=by, plan_hash=change.plan_hash) if step.verb != "thaw" else None
    if step.verb == "thaw" and (freeze := _freeze(side)):
        return submit(kind("freezes.end", freeze=str(freeze)), actor=who, why="thaw")
    return None


def _last(side: str, **where: Any) -> Change | None:
    with acting_as(SYSTEM):
        return Change.objects.filter(client__slug=side, **where).order_by("id").last()


def _freeze(side: str) -> Any:
    with acting_as(SYSTEM):
        return Freeze.objects.filter(client__slug=side, ended_at=None).values_list("pk", flat=True).last()


def _look(side: str, n: int) -> None:
    with acting_as(SYSTEM):
        client = Client.objects.get(slug=side)
    found = [Found("high", "clients", client.pk, client.name, f"wrong {one}", str(one), client.pk) for one in range(n)]
    observed(f"t.{side}", found)


# What one client can see: whatever its admin and its operator may read, its rows at the nodes, its line of the record.


def view(pair: Pair, side: str, sql: Callable[..., list[tuple[Any, ...]]]) -> list[str]:
    seen = [f"{who.name} {text}" for who in (pair.admin[side], pair.operator[side]) for text in _read(who)]
    ((client,),) = sql(f"SELECT id FROM clients WHERE slug = '{side}'")
    compiled = sql(f"SELECT object, compiled::text FROM compiled WHERE client_id = '{client}' ORDER BY id")
    recorded = sql("SELECT p.client_index, e.version, d.n, d.\"table\", d.\"row\", d.before::text, d.after::text FROM"
                   " places p JOIN entries e ON e.id = p.entry_id JOIN edits d ON d.entry_id = e.id WHERE"
                   f" e.client_id = '{client}' ORDER BY 1, 3")  # fmt: skip
    rows = [f"served {one}" for one in compiled] + [f"recorded {one}" for one in recorded]
    return Names().of([*seen, *rows])


def _read(who: Actor) -> Iterator[str]:
    with acting_as(who) as held:
        for noun in objects.NOUNS:
            yield f"{noun} {_plain(objects.listed(who, noun, limit=500).items)}"
            yield f"{noun} as a page {[str(row) for row in lists.listed(who, noun, lists.Asked(state='active')).items]}"
        for noun in suggest.PICKS:
            yield f"pick {noun} {suggest.suggested(who, noun)}"
        yield from _history(who, held)
        yield from _rights(who)
        yield f"findings {[findings.shown(one) for one in findings.listed(who, findings.Asked(), limit=200).items]}"
        yield f"counts {findings.counts(who)} {around(who)} {today(who)}"
        yield f"nodes {[(one.node.name, one.todo, one.clients) for one in beats(who)]}"


def _history(who: Actor, held: Access) -> Iterator[str]:
    lines = timeline(who, limit=500).items
    yield f"timeline {_plain(lines)}"
    for one in lines[:DETAILS]:
        yield f"change {_plain(whole(one['id']))}"
    found = entries(who, Wanted(limit=500), signed()).items
    yield f"record {_plain([_unnumbered(one) for one in found])}"
    for one in found[:DETAILS]:
        yield f"entry {_plain(_unnumbered(entry(who, int(one['id']), signed())))}"
    yield f"queue {approvals.queue(held)} {approvals.decided(held)} {approvals.to_review(who)}"


def _unnumbered(one: dict[str, Any]) -> dict[str, Any]:
    """Its place in the log is counted over all clients, as a log of one tree is."""
    return {key: value for key, value in one.items() if key not in ("id", "log_index", "proof", "index", "number")}


def _rights(who: Actor) -> Iterator[str]:
    for client in visible(who, Client):
        rights = access.grants(who, client).items
        yield f"rights {[access.shown(one) for one in rights]} {access.tokens(who, client)}"
        yield f"others {sorted(str(access.shown(one)) for one in access.others(who, client, []))}"
        yield f"holds {clients.held(who, [client])} {clients.worst_first(who, records.standing(who), 5)}"
    yield f"tokens {tokens.tokens(who).items} invites {[str(one) for one in waiting(who).items]}"
    for one in objects.listed(who, "people", limit=500).items:
        yield f"person {people.mailboxes(who, one['id'])} {people.grants(who, [one['id']])}"


def _plain(value: Any) -> str:
    return json.dumps(value, default=str, sort_keys=True)


class Names:
    """Ids, hashes and times by the order in which they come: what is left is what the two runs have to agree on."""

    PATTERN = re.compile(
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{64}\b|\b[0-9a-f]{20}\b"
        r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(?:\+00:00|Z)?|datetime\.datetime\([^()]*(?:\([^()]*\))?[^()]*\)"
        r"|\d\d? \w+ \d{4},? \d\d:\d\d(?::\d\d)?|\d\d? \w{3} \d\d:\d\d"
    )

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    # What says *now*, in whole seconds: two within one are equal, and then the field is no part of the edit.
    PLAN_HASH = re.compile(r"(plan_hash\W+)[0-9a-f]{64}")
    ASK_AT = re.compile(r"['\"]security_ask_at['\"]: (?:['\"][^'\"]*['\"]|None|null), ")

    def of(self, texts: list[str]) -> list[str]:
        return [self.PATTERN.sub(self._name, self._without_now(text)) for text in texts]

    def _without_now(self, text: str) -> str:
        return self.ASK_AT.sub("", self.PLAN_HASH.sub(r"\1<hash>", text))

    def _name(self, found: "re.Match[str]") -> str:
        text = found[0]
        if re.match(r"\d{4}-\d\d|datetime|\d\d? \w", text):
            return "<time>"
        return self.known.setdefault(text, f"<{len(self.known)}>")


def everything_else(side: str) -> tuple[int, int]:
    """(findings, invites) there are of it, to see that a script did something."""
    with acting_as(SYSTEM):
        assert Node.objects.exists()
        return Finding.objects.filter(client__slug=side).count(), Invite.objects.filter(client__slug=side).count()
