"""What names hold, as whoever evaluates asks for it: a store of answers, and what it does not hold yet.

An evaluator is a pure function of a store. What it asks for and is not there is raised as Missing: whoever fetches gets
that and asks the evaluator again, until it answers. A look-up that failed is an answer too: `failed` says why, and what
rests on it is unknown, never "there is none" (RFC 2308, 7: a server failure is no data about the name).

Names are lower case without the last dot, the root is empty; types are in capitals. Values, by type:

    A, AAAA         an address as text
    MX              (preference, exchange)
    NS, CNAME, PTR  a name
    TXT, SPF        text: its strings joined, an octet a character (latin-1)
    CAA             (flags, tag, value)
    DS              (key tag, algorithm, digest type, digest in hex)
    TLSA            (usage, selector, matching type, data in hex)
    SRV             (priority, weight, port, target)
    SOA             (primary, mailbox, serial, refresh, retry, expire, minimum)
    DNSKEY          (flags, protocol, algorithm, key in hex)
    anything else   its octets in hex
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Key = tuple[str, str]  # name, type
NXDOMAIN = "NXDOMAIN"


class Held(NamedTuple):
    """One answer. values: sorted, none twice. ttl: seconds for which it counts. nowhere: the name itself does not exist
    (NXDOMAIN). chain: the CNAMEs that led to it, the last one names where it stands. secure: DNSSEC was validated.
    failed: why nothing is known; then all else is empty."""

    values: tuple[Any, ...] = ()
    ttl: int = 0
    nowhere: bool = False
    chain: tuple[str, ...] = ()
    secure: bool = False
    failed: str = ""


class Missing(LookupError):
    """The store does not hold these yet. keys: what is to be fetched, before whoever asked is asked again."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.keys = tuple(keys)

    def __str__(self) -> str:  # raised by the thousand in a sweep, and hardly ever read
        return ", ".join(f"{name} {type}" for name, type in self.keys)


class Answers:
    """A store to evaluate against. held: by (name, type), as said above."""

    def __init__(self, held: Mapping[Key, Held]) -> None:
        self.held = held

    def get(self, name: str, type: str) -> Held:
        """What the name holds. Raises Missing."""
        try:
            return self.held[name, type]
        except KeyError:
            raise Missing(((name, type),)) from None

    def all(self, keys: Iterable[Key]) -> list[Held]:
        """Several, in their order. Raises Missing with all that are missing, so that they are fetched at once."""
        wanted, held = list(keys), self.held
        try:
            return [held[key] for key in wanted]
        except KeyError:
            raise Missing(dict.fromkeys(key for key in wanted if key not in held)) from None


def key(name: str, type: str) -> Key:
    """As the store calls it."""
    return name.rstrip(".").lower(), type.upper()
