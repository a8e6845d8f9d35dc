"""CAA of one domain (RFC 8659): whether the authority that issues our certificates may, and whether others may too."""

from collections.abc import Iterable, Iterator

from postroom.protocols.answers import Answers
from postroom.protocols.caa import CRITICAL, ISSUERS, KNOWN, Relevant, issuer, relevant
from postroom.protocols.judged import Judged, at, in_order, judged

Record = tuple[int, str, str]


def judge(domain: str, answers: Answers, authorities: Iterable[str] = ()) -> tuple[Judged, ...]:
    """Results for a domain. authorities: CAA names of which one issues our certificates. Raises Missing."""
    found = relevant(domain, answers)
    if found.failed:
        says = f"Who may issue certificates for {at(domain)} is not known: {found.failed}."
        return (judged("caa.unknown", says, found.name),)
    if not found.held.values:
        return (judged("caa.none", f"Every authority may issue certificates for {at(domain)}.", domain),)
    records: list[Record] = [(flags, tag.lower(), value) for flags, tag, value in found.held.values]
    raw = tuple(f'{flags} {tag} "{value}"' for flags, tag, value in found.held.values)
    out = [one for record in records for one in _each(found.name, record, raw)]
    out += _together(domain, found, records, raw, frozenset(authorities))
    return in_order(out)


def _each(name: str, record: Record, raw: tuple[str, ...]) -> Iterator[Judged]:
    flags, tag, value = record
    if tag not in KNOWN:
        if flags & CRITICAL:
            says = f"CAA at {at(name)} has the critical property “{tag[:30]}”, which is not known: no authority issues."
            yield judged("caa.critical", says, name, raw)
        else:
            yield judged("caa.unknown_property", f"CAA at {at(name)} has the property “{tag[:30]}”.", name, raw)
    if flags not in (0, CRITICAL):
        yield judged(
            "caa.flags", f"CAA at {at(name)} has the flags {flags}; 0 and {CRITICAL} mean something.", name, raw
        )
    if tag in ISSUERS and issuer(value) is None:
        says = f"CAA at {at(name)} has {tag} “{value[:60]}”, which names no authority and permits nobody."
        yield judged("caa.bad_value", says, name, raw)


def _together(
    domain: str, found: Relevant, records: list[Record], raw: tuple[str, ...], ours: frozenset[str]
) -> Iterator[Judged]:
    named = {issuer(value) for _, tag, value in records if tag == "issue"}
    wild = {issuer(value) for _, tag, value in records if tag == "issuewild"}
    if None in named | wild:
        return  # said above, by record
    if not named | wild:
        yield judged("caa.open", f"CAA at {at(found.name)} restricts no certificates for hosts.", found.name, raw)
    elif ours and named and not ours & named:
        says = f"CAA at {at(found.name)} lets no authority issue that our certificates for {at(domain)} come from."
        yield judged("caa.shuts_ours_out", says, found.name, raw)
    elif (named | wild) == {""}:
        yield judged("caa.closed", f"No authority may issue certificates for {at(domain)}.", found.name, raw)
    else:
        who = ", ".join(sorted(one for one in named | wild if one))
        yield judged("caa.good", f"Certificates for {at(domain)} are issued by {who[:120]} only.", found.name, raw)
