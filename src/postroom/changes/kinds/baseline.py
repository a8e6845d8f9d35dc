"""What every domain's DNS starts from: MX to us, one SPF record, DMARC with reports; over what is found there."""

from collections.abc import Iterator

from django.conf import settings

from postroom.changes.errors import Problem
from postroom.changes.state import State
from postroom.protocols import dmarc, spf
from postroom.protocols.rrset import DEFAULT_TTL, RRset, rrset
from postroom.protocols.txt import txt_text

Wanted = tuple[RRset, tuple[str, ...]]  # the whole RRset, and which of its values are ours


def baseline(name: str, state: State) -> Iterator[Wanted]:
    """The RRsets a domain shall have, each with what stands there merged in. A zone not read is a Problem."""
    env = settings.POSTROOM
    yield _whole(rrset(f"{name}.", "MX", DEFAULT_TTL, [f"10 {env.mail_host}."]))
    yield _spf(name, state, f"include:{env.spf_include}" if env.spf_include else "mx")
    found = state.reading(name, f"_dmarc.{name}.", "TXT")
    if not any(dmarc.is_dmarc(txt_text(value)) for value in (found.values if found else [])):
        others = found.values if found else []
        ours = dmarc.build([env.reports_to])
        yield rrset(f"_dmarc.{name}.", "TXT", DEFAULT_TTL, [*others, ours]), (ours,)


def _spf(name: str, state: State, mechanism: str) -> Wanted:
    """One record out of those found and ours: two of them would be none (RFC 7208, 3.2)."""
    reading = state.reading(name, f"{name}.", "TXT")
    found = list(reading.values) if reading else []
    theirs = [value for value in found if spf.is_spf(txt_text(value))]
    try:
        merged = spf.merge([txt_text(value) for value in theirs], [mechanism])
    except spf.BadSpf as bad:
        raise Problem("name", f"the SPF record found at {name} cannot be merged: {bad}") from None
    others = [value for value in found if value not in theirs]
    ttl = reading.ttl if reading else DEFAULT_TTL
    whole = rrset(f"{name}.", "TXT", ttl, [*others, merged])
    return whole, (merged,)


def _whole(one: RRset) -> Wanted:
    return one, one.values
