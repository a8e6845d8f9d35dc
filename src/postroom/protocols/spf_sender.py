"""Who sends, as SPF sees it: address, MAIL FROM, HELO name; and what macros stand for of it (RFC 7208, 4.1 and 7)."""

from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Literal

from postroom.protocols.answers import Answers
from postroom.protocols.spf_macros import Value, as_name

Address = IPv4Address | IPv6Address
MAX_NAMES = 10  # of a PTR answer; what follows them is ignored (4.6.4)


@dataclass(frozen=True)
class Sender:
    """ip: an IPv4 address where it is one in the form of IPv6 (5). local, domain: of MAIL FROM, the domain in A-labels.
    receiver: the host that checks. now: seconds since 1970. Made by `sender`."""

    ip: Address
    local: str
    domain: str
    helo: str
    receiver: str = "unknown"
    now: int = 0

    @property
    def kind(self) -> Literal["ip4", "ip6"]:
        return "ip4" if self.ip.version == 4 else "ip6"

    @property
    def type(self) -> Literal["A", "AAAA"]:
        return "A" if self.ip.version == 4 else "AAAA"

    @property
    def space(self) -> Literal["in-addr", "ip6"]:
        """Where the reverse names stand."""
        return "in-addr" if self.ip.version == 4 else "ip6"

    @cached_property
    def dotted(self) -> str:
        """`192.0.2.1`, or each hexadecimal digit of an IPv6 address (7.3)."""
        return str(self.ip) if self.ip.version == 4 else ".".join(f"{int(self.ip):032X}")

    @cached_property
    def reverse(self) -> str:
        return as_name(f"{'.'.join(reversed(self.dotted.split('.')))}.{self.space}.arpa")

    def within(self, network: str) -> bool:
        """Whether the address is in this network: `192.0.2.0/24`, an address alone is a network of one."""
        return self.ip in ip_network(network, strict=False)


def sender(ip: Address, mail_from: str, helo: str, *, receiver: str = "unknown", now: int = 0) -> Sender:
    """Of a session. An empty MAIL FROM is postmaster at the HELO name (2.4), so is one without a local part (4.3)."""
    plain = ip.ipv4_mapped if isinstance(ip, IPv6Address) and ip.ipv4_mapped else ip
    local, _, domain = (mail_from or helo).rpartition("@") if mail_from != "<>" else ("", "", helo)
    unscoped = IPv6Address(int(plain)) if isinstance(plain, IPv6Address) else plain
    return Sender(unscoped, local or "postmaster", domain.removesuffix("."), helo, receiver, now)


def validated(answers: Answers, sender: Sender) -> list[str]:
    """The names the address points to that point back to it (5.5); one that cannot be looked up is left out.

    Raises Missing.
    """
    pointed = answers.get(sender.reverse, "PTR").values[:MAX_NAMES]
    names = [name for value in pointed if (name := as_name(value))]
    found = zip(names, answers.all((name, sender.type) for name in names), strict=True)
    return [name for name, held in found if _one_of(sender, held.values)]


def values(answers: Answers, sender: Sender, domain: str) -> Value:
    """What each macro stands for while the record of this domain is read (7.2). What it returns raises Missing."""

    def value(letter: str) -> str:
        if letter == "p":
            return _best_name(validated(answers, sender), domain)
        return known[letter]

    known = {
        "s": f"{sender.local}@{sender.domain}",
        "l": sender.local,
        "o": sender.domain,
        "d": domain,
        "i": sender.dotted,
        "h": sender.helo,
        "v": sender.space,
        "c": str(sender.ip),
        "r": sender.receiver,
        "t": str(sender.now),
    }
    return value


def _one_of(sender: Sender, addresses: tuple[str, ...]) -> bool:
    return any(sender.within(address) for address in addresses)


def _best_name(names: list[str], domain: str) -> str:
    """The domain itself, else a name below it, else any, else `unknown` (7.3)."""
    below = [name for name in names if name.endswith(f".{domain}")]
    return domain if domain in names else next(iter([*below, *names]), "unknown")
