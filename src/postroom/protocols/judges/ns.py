"""Who answers for one domain (RFC 1034, 4.1; 2181, 10.3; 2182): its NS as the zone has them, and their addresses.

Whether each server answers, and alike, is measured and not judged here.
"""

from collections.abc import Iterator

from postroom.protocols.answers import Answers, Held
from postroom.protocols.judged import Judged, at, in_order, judged
from postroom.protocols.judges.mx import fine, is_host, public


def judge(domain: str, answers: Answers, *, private: bool = False) -> tuple[Judged, ...]:
    """Results for one domain. private: addresses that are not on the internet are right here. Raises Missing."""
    held = answers.get(domain, "NS")
    if held.failed:
        return (judged("ns.unknown", f"The name servers of {at(domain)} are not known: {held.failed}.", domain),)
    if not held.values:
        return (judged("ns.inherited", f"{at(domain)} is no zone of its own; the zone above it answers.", domain),)
    out: list[Judged] = []
    if len(held.values) == 1:
        says = f"{at(domain)} has one name server, {at(held.values[0])}: when it is down the domain is gone."
        out.append(judged("ns.single", says, domain, held.values))
    good = [name for name in held.values if is_host(name)]
    for name in held.values:
        if name not in good:
            says = f"A name server of {at(domain)} is “{at(name)}”, which cannot be a host."
            out.append(judged("ns.bad_name", says, name, held.values))
    addresses = answers.all((name, type) for name in good for type in ("A", "AAAA"))
    sets = list(zip(good, addresses[::2], addresses[1::2], strict=True))
    for name, four, six in sets:
        if not fine(four, six):
            out += (one for one in _server(domain, name, four, six) if not (private and one.rule == "ns.private"))
    found = {value for _, four, six in sets for value in four.values + six.values}
    all_known = all((four.values or six.values) and not (four.failed or six.failed) for _, four, six in sets)
    if len(found) == 1 and len(sets) > 1 and all_known:
        says = f"All name servers of {at(domain)} have the address {next(iter(found))}: they fail together."
        out.append(judged("ns.same_address", says, domain, held.values))
    if not any(one.level in ("bad", "warn", "unknown") for one in out):
        says = f"{len(held.values)} name servers answer for {at(domain)}."
        out.append(judged("ns.good", says, domain, held.values))
    return in_order(out)


def _server(domain: str, name: str, four: Held, six: Held) -> Iterator[Judged]:
    values = (*four.values, *six.values)
    if chain := four.chain or six.chain:
        says = f"The name server {at(name)} of {at(domain)} is an alias; resolvers may not follow it."
        yield judged("ns.cname", says, name, values, chain=chain)
    elif not values and (why := four.failed or six.failed):
        yield judged("ns.unknown", f"Whether the name server {at(name)} has an address is not known: {why}.", name)
    elif not values:
        says = f"The name server {at(name)} of {at(domain)} has no address: it is never asked."
        yield judged("ns.unresolved", says, name)
    if private := tuple(value for value in values if not public(value)):
        says = f"The name server {at(name)} of {at(domain)} has the address {private[0]}, which is not on the internet."
        yield judged("ns.private", says, name, private)
