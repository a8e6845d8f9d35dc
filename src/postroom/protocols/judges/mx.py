"""Where mail for one domain goes (RFC 5321, 5.1; RFC 7505): MX, and the hosts they name."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address

from postroom.protocols.answers import Answers, Held
from postroom.protocols.judged import Judged, at, in_order, judged, record
from postroom.protocols.rrset import NULL_MX

_HOST = re.compile(r"(?!.{254})(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.I)
_LITERAL = re.compile(r"[0-9.]+|.*:.*", re.S)


def judge(domain: str, answers: Answers, *, private: bool = False) -> tuple[Judged, ...]:
    """Results for one domain. private: addresses that are not on the internet are right here. Raises Missing."""
    held = answers.get(domain, "MX")
    if held.failed:
        return (judged("mx.unknown", f"The MX of {at(domain)} are not known: {held.failed}.", domain),)
    if not held.values:
        return (_without(domain, answers),)
    raw = tuple(f"{preference} {exchange}." for preference, exchange in held.values)
    if any(not exchange for _, exchange in held.values):
        return (_null(domain, held, raw),)
    hosts = list(dict.fromkeys(exchange for _, exchange in held.values))
    out = [one for exchange in hosts if (one := _named(domain, exchange, raw))]
    wrong = {one.evidence.name for one in out}
    rest = [exchange for exchange in hosts if exchange not in wrong]
    addresses = answers.all((exchange, type) for exchange in rest for type in ("A", "AAAA"))
    pairs = list(zip(rest, addresses[::2], addresses[1::2], strict=True))
    for exchange, four, six in pairs:
        if not fine(four, six):
            out += (one for one in _host(domain, exchange, four, six) if not (private and one.rule == "mx.private"))
    out += _together(domain, held, raw, pairs)
    if not any(one.level in ("bad", "unknown") for one in out):
        says = f"Mail for {at(domain)} goes to {', '.join(hosts)[:120]}."
        out.append(judged("mx.good", says, domain, raw, chain=held.chain))
    return in_order(out)


def takes_none(held: Held) -> bool:
    """Whether this MX answer says that no mail is taken (RFC 7505): there is nothing to protect on the way."""
    return bool(held.values) and not any(exchange for _, exchange in held.values)


def _without(domain: str, answers: Answers) -> Judged:
    addresses = answers.all([(domain, "A"), (domain, "AAAA")])
    if found := tuple(value for held in addresses for value in held.values):
        says = f"{at(domain)} has no MX: senders fall back to its address {found[0]}."
        return judged("mx.implicit", says, domain, found, chain=addresses[0].chain)
    if failed := [held.failed for held in addresses if held.failed]:
        return judged("mx.unknown", f"Where mail for {at(domain)} goes is not known: {failed[0]}.", domain)
    says = f"{at(domain)} has neither an MX nor an address: mail to it comes back."
    return judged("mx.none", says, domain, publish=record(domain, "MX", NULL_MX))


def _null(domain: str, held: Held, raw: tuple[str, ...]) -> Judged:
    others = [f"{preference} {exchange}." for preference, exchange in held.values if exchange]
    if others:
        says = f"{at(domain)} has a null MX beside others: some senders give up, others deliver."
        return judged("mx.null_and_others", says, domain, raw, publish=record(domain, "MX", *others))
    if len(held.values) > 1 or held.values[0][0] != 0:
        says = f"The null MX of {at(domain)} is not 0 but {held.values[0][0]}; some senders look the root up."
        return judged("mx.null_preference", says, domain, raw, publish=record(domain, "MX", NULL_MX))
    return judged("mx.null", f"{at(domain)} takes no mail, and senders know it at once.", domain, raw)


def _named(domain: str, exchange: str, raw: tuple[str, ...]) -> Judged | None:
    """What is wrong with the name alone; then nothing is looked up."""
    if is_host(exchange) and not exchange[-1].isdigit():
        return None
    if _LITERAL.fullmatch(exchange):
        says = f"An MX of {at(domain)} names the address {at(exchange)}; it is read as a host that does not exist."
        return judged("mx.literal", says, exchange, raw)
    if not is_host(exchange):
        says = f"An MX of {at(domain)} names “{at(exchange)}”, which cannot be a host; senders refuse it."
        return judged("mx.bad_name", says, exchange, raw)
    return None


def _host(domain: str, exchange: str, four: Held, six: Held) -> Iterator[Judged]:
    values = (*four.values, *six.values)
    if chain := four.chain or six.chain:
        says = f"The MX {at(exchange)} of {at(domain)} is an alias for {at(chain[-1])}; some senders refuse it."
        yield judged("mx.cname", says, exchange, values, chain=chain)
    elif not values and (why := four.failed or six.failed):
        yield judged("mx.unknown", f"Whether the MX {at(exchange)} has an address is not known: {why}.", exchange)
    elif not values:
        rule = "mx.nowhere" if four.nowhere or six.nowhere else "mx.no_address"
        lacks = "does not exist" if rule == "mx.nowhere" else "has no address"
        yield judged(rule, f"The MX {at(exchange)} of {at(domain)} {lacks}: nothing is delivered there.", exchange)
    if private := tuple(value for value in values if not public(value)):
        says = f"The MX {at(exchange)} of {at(domain)} has the address {private[0]}, which is not on the internet."
        yield judged("mx.private", says, exchange, private)


@lru_cache(maxsize=16384)
def public(address: str) -> bool:
    """Whether an address can be reached over the internet (RFC 6890); what is no address cannot."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return found.is_global and not found.is_multicast


@lru_cache(maxsize=16384)
def is_host(name: str) -> bool:
    """Whether a name can be that of a host (RFC 1123, 2.1), with at least one dot."""
    return _HOST.fullmatch(name) is not None


def fine(four: Held, six: Held) -> bool:
    """Whether a host's addresses are known, its own, and on the internet."""
    if four.chain or six.chain or not (four.values or six.values):
        return False
    return all(map(public, four.values)) and all(map(public, six.values))


def _together(domain: str, held: Held, raw: tuple[str, ...], pairs: list[tuple[str, Held, Held]]) -> Iterator[Judged]:
    times = Counter(exchange for _, exchange in held.values) if len(pairs) < len(held.values) else {}
    for exchange, count in times.items():
        if count > 1:
            says = f"{at(exchange)} stands in {count} MX of {at(domain)}; one is enough."
            kept = {exchange: preference for preference, exchange in reversed(held.values)}
            lines = [f"{preference} {exchange}." for exchange, preference in kept.items()]
            yield judged("mx.duplicate", says, exchange, raw, publish=record(domain, "MX", *lines))
    sets = {four.values + six.values for _, four, six in pairs}
    known = () not in sets and not any(four.failed or six.failed for _, four, six in pairs)
    if known and len(sets) == 1 and len(pairs) > 1:
        says = f"All MX of {at(domain)} have the same addresses; if one is down, so are all."
        yield judged("mx.same_address", says, domain, raw)
