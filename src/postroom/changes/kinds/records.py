"""Record sets: what shall stand in DNS under one name and type, other people's values included.

An edit's before is the RRset as last read from the zone, its after the one to publish.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import APPROVED, ASKED, Kind
from postroom.changes.plan import Edit, Planned, create, edit
from postroom.changes.state import State
from postroom.models import Domain, RecordSet
from postroom.protocols.rrset import BadRRset, RRset, rrset

from .fields import DomainRef, Line, RecordSetRef, RecordValue


class SetRecords(Kind, name="record_sets.set"):
    """The whole RRset that shall stand under a name in a domain; values of others included."""

    step_up = frozenset({ASKED, APPROVED})
    domain: DomainRef
    name: Line = Field(default="@", description="The full name, or @ for the domain itself")
    type: Line = Field(description="A, AAAA, MX, TXT, CNAME, NS, CAA or SRV")
    values: tuple[RecordValue, ...] = Field(description="All values that shall stand there; none takes the set away")
    ttl: int = Field(default=3600, ge=30, le=604_800, description="Seconds a resolver may keep it")
    accept_loss: bool = Field(default=False, description="Yes, even if mail loses its MX, SPF, DKIM or DMARC by it")

    def needs(self) -> Iterator[str]:
        yield self.domain

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.domain, where="domain")
        if domain.removed_at:
            raise Problem("domain", f"{domain.name} is removed; restore it first")
        wanted = _checked(_absolute(self.name, domain.name), self.type, self.ttl, self.values, domain.name)
        yield stand(domain.client_id, domain.pk, domain.name, wanted, state, ours=wanted.values)


class ReleaseRecords(Kind, name="record_sets.release"):
    """Stop answering for a record set; what stands in the zone stays."""

    record_set: RecordSetRef

    def plan(self, state: State) -> Iterator[Planned]:
        yield edit(state.get(RecordSet, self.record_set, where="record_set"), ours=())


def _absolute(name: str, zone: str) -> str:
    return f"{zone}." if name in ("", "@") else name.rstrip(".") + "."


def _checked(name: str, type: str, ttl: int, values: Iterable[str], zone: str) -> RRset:
    """A canonical RRset, or every problem with what was typed. No values: a set with none."""
    values = tuple(values)
    try:
        whole = rrset(name, type, ttl, values or _any(type))
    except BadRRset as bad:
        raise Problem(_where(name, type, ttl), "; ".join(bad.problems)) from None
    if whole.name != f"{zone}." and not whole.name.endswith(f".{zone}."):
        raise Problem("name", f"{whole.name} is not inside {zone}")
    if whole.type == "NS" and whole.name == f"{zone}.":
        raise Problem("type", "the name servers of a whole domain are changed at its registrar, not here")
    return whole if values else RRset(whole.name, whole.type, whole.ttl, ())


def _where(name: str, type: str, ttl: int) -> str:
    """At which parameter it is wrong: the type and the name are tried with a value that is right."""
    for where, tried in (("type", "x.example."), ("name", name)):
        try:
            rrset(tried, type, ttl, _any(type))
        except BadRRset:
            return where
    return "values"


ANY_VALUE = {
    "A": "127.0.0.1", "AAAA": "::1", "MX": "0 .", "TXT": "x", "CNAME": "x.example.", "NS": "x.example.",
    "CAA": '0 issue "x.example"', "SRV": "0 0 0 x.example.",
}  # fmt: skip


def _any(type: str) -> tuple[str, ...]:
    """A value that is right for the type, so that name and type of an empty set are checked like any other."""
    return (ANY_VALUE.get(type.upper(), "x"),)


def stand(
    client: UUID, domain: UUID, zone: str, wanted: RRset, state: State, *, ours: Iterable[str], **more: Any
) -> Edit:
    """The edit after which `wanted` stands in the zone: its before is what was last read there."""
    found = standing(zone, wanted.name, wanted.type, state)
    values = {"ttl": wanted.ttl, "values": list(wanted.values), "ours": sorted(ours), **more}
    there = {(row.name, row.type): row for row in state.hanging(RecordSet, "domain_id", domain)}
    row = there.get((wanted.name, wanted.type))
    if row is None:
        about = {"client_id": client, "domain_id": domain, "name": wanted.name, "type": wanted.type}
        return create(RecordSet, state.new_id(), **about, found=found, **values)
    plain = edit(row, **values)
    return as_read(plain, found, values)


def standing(zone: str, name: str, type: str, state: State) -> dict[str, Any] | None:
    """{ttl, values} of an RRset as last read in its zone; None when nothing stands there."""
    reading = state.reading(zone, name, type)
    return {"ttl": reading.ttl, "values": list(reading.values)} if reading else None


def as_read(plain: Edit, found: dict[str, Any] | None, values: dict[str, Any]) -> Edit:
    """The same edit with the zone's own TTL and values as its before, where these are to change."""
    wanted = {"ttl": values["ttl"], "values": values["values"]}
    now = found or {"ttl": wanted["ttl"], "values": []}
    if now == wanted and not wanted.keys() & (plain.after or {}).keys():
        return plain
    return Edit(plain.table, plain.id, {**(plain.before or {}), **now}, {**(plain.after or {}), **wanted}, plain.client)
