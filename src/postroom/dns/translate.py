"""Our record sets as octoDNS records and back, nothing lost.

octoDNS joins the strings of a TXT record and expects semicolons escaped. Values cut in an unusual way
travel through it with their quotes exchanged for a control character that no canonical value holds.
"""

from typing import Any

from octodns.record import Record
from octodns.record.rr import Rrset as OctoRrset
from octodns.zone import Zone as OctoZone
from octodns.zone.exception import ValidationError as ZoneInvalid

from postroom.dns.zone import Zone
from postroom.protocols.rrset import RRset, as_read
from postroom.resolve.ask import now

_MARK = "\x1f"


def empty_zone(name: str) -> Any:
    """An octoDNS zone without records."""
    return OctoZone(name, [])


def our_zone(octo: Any, exists: bool) -> Zone:
    """What octoDNS read, as ours."""
    rrsets = [our_rrset(record) for record in octo.records]
    return Zone(octo.name, {(rrset.name, rrset.type): rrset for rrset in rrsets}, exists, now())


def our_rrset(record: Any) -> RRset:
    """One octoDNS record as a record set."""
    if record._type == "TXT":
        return as_read(record.fqdn, "TXT", record.ttl, map(txt_from_octo, record.values))
    plain = record.to_rrset()
    return as_read(plain.name, record._type, plain.ttl, map(str, plain.rdatas))


def octo_record(octo: Any, rrset: RRset, *, lenient: bool = False) -> Any:
    """A record for an octoDNS zone, checked strictly unless `lenient`. Raises octoDNS' ValidationError."""
    if rrset.type != "TXT":
        return Record.from_rrset(
            octo, OctoRrset(rrset.name, rrset.type, rrset.ttl, list(rrset.values)), lenient=lenient
        )
    data = {"type": "TXT", "ttl": rrset.ttl, "values": list(map(txt_to_octo, rrset.values))}
    return Record.new(octo, octo.hostname_from_fqdn(rrset.name), data, lenient=lenient)


def zone_problems(octo: Any) -> set[str]:
    """What octoDNS' strict rules for whole zones find: loops, targets that are aliases, missing glue."""
    try:
        octo.validate()
    except ZoneInvalid as why:
        return set(map(str, why.reasons))
    return set()


def txt_to_octo(value: str) -> str:
    """A canonical TXT value as octoDNS keeps it."""
    marked = value.replace('"', _MARK) if value.startswith('"') else value
    return marked.replace(";", r"\;")


def txt_from_octo(value: str) -> str:
    """The canonical TXT value of what octoDNS keeps."""
    plain = value.replace(r"\;", ";")
    return plain.replace(_MARK, '"') if plain.startswith(_MARK) else plain
