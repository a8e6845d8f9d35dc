"""Where a DMARC record sends reports, and whether those places take them (RFC 9990, 4; failure reports: RFC 9991).

An address under another organization counts only if that one says so: a record `v=DMARC1` at
`<domain>._report._dmarc.<its domain>`, or at `*._report._dmarc.<its domain>` for everybody.
"""

from functools import lru_cache
from typing import NamedTuple

from postroom.protocols.answers import Answers
from postroom.protocols.dmarc import is_dmarc, parse
from postroom.protocols.dmarc_result import aligned


class Target(NamedTuple):
    """A report address. tag: rua or ruf. host: the domain of the address."""

    tag: str
    address: str
    host: str


@lru_cache(maxsize=4096)
def targets(text: str) -> tuple[Target, ...]:
    """The mail addresses of a record, in their order. Raises BadDmarc."""
    record = parse(text)
    return tuple(
        Target(tag, uri[7:].partition("!")[0], _host(uri))
        for tag, uris in (("rua", record.rua), ("ruf", record.ruf))
        for uri in uris
        if uri[:7].lower() == "mailto:"
    )


def permission(domain: str, host: str) -> str:
    """Where the host agrees to take reports about the domain."""
    return f"{domain}._report._dmarc.{host}"


def authorised(domain: str, host: str, answers: Answers) -> bool | None:
    """Whether reports about the domain may go to the host. None: a look-up failed. Raises Missing."""
    if host == domain:
        return True
    held = answers.get(permission(domain, host), "TXT")
    if any(is_dmarc(text) for text in held.values):
        return True
    same = aligned(domain, host, False, answers)
    return same if same or not held.failed else None


def takes_mail(host: str, answers: Answers) -> bool | None:
    """Whether mail to the host can arrive: an MX that is not null, or an address. None: a look-up failed."""
    mx = answers.get(host, "MX")
    if mx.failed:
        return None
    if mx.values:
        return any(exchange for _, exchange in mx.values)
    if mx.nowhere:
        return False
    addresses = answers.all([(host, "A"), (host, "AAAA")])
    if any(held.values for held in addresses):
        return True
    return None if any(held.failed for held in addresses) else False


def _host(uri: str) -> str:
    return uri[7:].partition("!")[0].partition("?")[0].rpartition("@")[2].lower().rstrip(".")
