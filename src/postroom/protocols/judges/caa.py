"""CAA of one domain (RFC 8659): whether the authority that issues our certificates may, and whether others may too."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from postroom.protocols.answers import Answers
from postroom.protocols.caa import CRITICAL, ISSUERS, KNOWN, issuer, relevant
from postroom.protocols.judged import Judged, at, in_order, judged

Record = tuple[int, str, str]


class Read(NamedTuple):
    """A record set. odd: (rule, what) of single records. named, wild: who may issue; "" for nobody, None unreadable."""

    raw: tuple[str, ...]
    odd: tuple[tuple[str, str], ...]
    named: frozenset[str | None]
    wild: frozenset[str | None]


def judge(domain: str, answers: Answers, authorities: Iterable[str] = ()) -> tuple[Judged, ...]:
    """Results for a domain. authorities: CAA names of which one issues our certificates. Raises Missing."""
    found = relevant(domain, answers)
    if found.failed:
        says = f"Who may issue certificates for {at(domain)} is not known: {found.failed}."
        return (judged("caa.unknown", says, found.name),)
    if not found.held.values:
        return (judged("caa.none", f"Every authority may issue certificates for {at(domain)}.", domain),)
    records = _read(found.held.values)
    out = [judged(rule, f"CAA at {at(found.name)} has {what}.", found.name, records.raw) for rule, what in records.odd]
    if None not in records.named | records.wild:
        out.append(_together(domain, found.name, records, frozenset(authorities)))
    return in_order(out)


@lru_cache(maxsize=4096)
def _read(values: tuple[Record, ...]) -> Read:
    return Read(
        tuple(f'{flags} {tag} "{value}"' for flags, tag, value in values),
        tuple(odd for flags, tag, value in values for odd in _odd(flags, tag.lower(), value)),
        frozenset(issuer(value) for _, tag, value in values if tag.lower() == "issue"),
        frozenset(issuer(value) for _, tag, value in values if tag.lower() == "issuewild"),
    )


def _odd(flags: int, tag: str, value: str) -> Iterator[tuple[str, str]]:
    if tag not in KNOWN and flags & CRITICAL:
        yield "caa.critical", f"the critical property “{tag[:30]}”, which is not known: no authority issues"
    elif tag not in KNOWN:
        yield "caa.unknown_property", f"the property “{tag[:30]}”, which is not known and skipped"
    if flags not in (0, CRITICAL):
        yield "caa.flags", f"the flags {flags}; 0 and {CRITICAL} mean something"
    if tag in ISSUERS and issuer(value) is None:
        yield "caa.bad_value", f"{tag} “{value[:60]}”, which names no authority and permits nobody"


def _together(domain: str, name: str, records: Read, ours: frozenset[str]) -> Judged:
    named, wild, raw = records.named, records.wild, records.raw
    who = named | wild
    if not who:
        return judged("caa.open", f"CAA at {at(name)} restricts no certificates for hosts.", name, raw)
    if ours and named and not ours & named:
        says = f"CAA at {at(name)} lets no authority issue that our certificates for {at(domain)} come from."
        return judged("caa.shuts_ours_out", says, name, raw)
    if who == {""}:
        return judged("caa.closed", f"No authority may issue certificates for {at(domain)}.", name, raw)
    listed = ", ".join(sorted(one for one in who if one))
    return judged("caa.good", f"Certificates for {at(domain)} are issued by {listed[:120]} only.", name, raw)
