"""What the addresses of a domain's MX are called, and whether these names lead back to them (RFC 1912, 2.1).

Large receivers refuse mail from an address whose name does not lead back. Servers that take a domain's mail mostly send
it too; which others send for it is not known here.
"""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address

from postroom.protocols.answers import Answers
from postroom.protocols.judged import Judged, at, in_order, judged
from postroom.protocols.judges.mx import is_host, public

MOST, NAMES = 40, 10  # addresses of one domain, and names of one address, that are looked at


def judge(domain: str, answers: Answers) -> tuple[Judged, ...]:
    """Results for the addresses that are on the internet; none where there is no MX with one. Raises Missing."""
    hosts = [exchange for _, exchange in answers.get(domain, "MX").values if is_host(exchange)]
    held = answers.all((host, type) for host in dict.fromkeys(hosts) for type in ("A", "AAAA"))
    found = list(dict.fromkeys(value for one in held for value in one.values if public(value)))[:MOST]
    out = list(_addresses(domain, found, answers))
    if found and not out:
        says = f"Each of the {len(found)} addresses of the MX of {at(domain)} has a name that leads back to it."
        out = [judged("ptr.good", says, domain, tuple(found))]
    return in_order(out)


def _addresses(domain: str, found: list[str], answers: Answers) -> Iterator[Judged]:
    named = answers.all((reverse(value), "PTR") for value in found)
    pairs = [(one, value) for value, held in zip(found, named, strict=True) for one in held.values[:NAMES]]
    back = answers.all((one, "AAAA" if ":" in value else "A") for one, value in pairs)
    forward = dict(zip(pairs, back, strict=True))
    for value, held in zip(found, named, strict=True):
        names = held.values[:NAMES]
        answered = [forward[one, value] for one in names]
        if any(value in one.values for one in answered):
            continue
        if why := held.failed or next((one.failed for one in answered if one.failed), ""):
            yield judged("ptr.unknown", f"What {value}, an MX of {at(domain)}, is called is not known: {why}.", value)
        elif not names:
            yield judged(
                "ptr.none", f"{value}, an MX of {at(domain)}, has no name: receivers may refuse its mail.", value
            )
        else:
            says = f"{value}, an MX of {at(domain)}, is called {at(names[0])}, which does not lead back to it."
            yield judged("ptr.other", says, value, names)


@lru_cache(maxsize=16384)
def reverse(address: str) -> str:
    """The name that is asked for the name of an address (RFC 1035, 3.5; RFC 3596, 2.5)."""
    return ip_address(address).reverse_pointer
