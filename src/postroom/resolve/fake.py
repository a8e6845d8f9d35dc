"""A resolver that answers from a table, for tests and for trying things out.

    FakeResolver(TXT={"acme.example": "v=spf1 -all"}, delegations={"acme.example": ["ns1.x.example"]})

`present` are name servers that answer for a zone without a parent's word. Names in `silent` (of zones, records
or servers) are not read.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from postroom.protocols.rrset import as_read
from postroom.resolve.answer import Answer, NotRead, Server

AT = datetime(2026, 1, 1, tzinfo=UTC)
TTL = 300


class FakeResolver:
    """Every name exists once it is in a table; every other is NXDOMAIN."""

    def __init__(
        self,
        *,
        delegations: Mapping[str, Sequence[str]] | None = None,
        present: Mapping[str, Sequence[str]] | None = None,
        silent: Iterable[str] = (),
        **records: Mapping[str, str | Sequence[str]],
    ) -> None:
        self.delegations = {_dotted(zone): tuple(sorted(map(_dotted, ns))) for zone, ns in (delegations or {}).items()}
        self.present = {_dotted(zone): tuple(sorted(map(_dotted, ns))) for zone, ns in (present or {}).items()}
        self.silent = set(map(_dotted, silent))
        self.records = {
            (_dotted(name), type): (values,) if isinstance(values, str) else tuple(values)
            for type, table in records.items()
            for name, values in table.items()
        }

    def ask(self, server: Server, name: str, type: str) -> Answer | NotRead:
        owner = _dotted(name)
        if {owner, server.name} & self.silent:
            return NotRead(owner, type, "no answer within 2 s", server, AT)
        known = any(owner == other for other, _ in self.records)
        kept = as_read(owner, type, TTL, self.records.get((owner, type), ()))
        cname = as_read(owner, "CNAME", TTL, self.records.get((owner, "CNAME"), ())).values
        alias = cname[0] if cname and not kept.values else None
        rcode = "NOERROR" if known else "NXDOMAIN"
        return Answer(owner, type, kept.values, TTL if kept.values else 0, rcode, server, AT, alias=alias)

    def look_up(self, name: str, type: str) -> Answer | NotRead:
        return self.ask(Server("ns.fake.example.", "192.0.2.53"), name, type)

    def authoritative(self, zone: str) -> tuple[Server, ...] | NotRead:
        names = self.delegation(zone)
        if isinstance(names, NotRead):
            return names
        return tuple(Server(name, "192.0.2.53") for name in names or self.present.get(_dotted(zone), ()))

    def delegation(self, zone: str) -> tuple[str, ...] | NotRead:
        if _dotted(zone) in self.silent:
            return NotRead(_dotted(zone), "NS", "no answer within 2 s", None, AT)
        return self.delegations.get(_dotted(zone), ())


def _dotted(name: str) -> str:
    return name.lower().rstrip(".") + "."
