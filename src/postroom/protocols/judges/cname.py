"""Aliases of one domain (RFC 1034, 3.6.2; 1912, 2.4; 2181, 10.1): where none may be, and where each one leads.

An alias to a name that does not exist is worse than none: whoever registers that name speaks as the domain.
"""

from collections.abc import Iterable, Iterator

from postroom.protocols.answers import Answers, Held
from postroom.protocols.judged import Judged, at, in_order, judged


def judge(domain: str, answers: Answers, watched: Iterable[str] = ()) -> tuple[Judged, ...]:
    """Results for a domain. watched: labels under it that may be aliases for a host (autoconfig). Raises Missing."""
    names = [f"{label}.{domain}" for label in watched]
    policy = f"_dmarc.{domain}"
    apex, beside, text, *hosts = answers.all(
        [(domain, "CNAME"), (policy, "CNAME"), (policy, "TXT"), *((name, "A") for name in names)]
    )
    out = [*_apex(domain, apex), *_beside(policy, beside, text)]
    aliases = [(name, four) for name, four in zip(names, hosts, strict=True) if four.chain or four.failed]
    if aliases:
        out += _hosts(aliases, answers)
    if not any(one.level in ("bad", "warn", "unknown") for one in out):
        out.append(judged("cname.good", f"No alias of {at(domain)} stands where none may be or leads nowhere.", domain))
    return in_order(out)


def _apex(domain: str, held: Held) -> Iterator[Judged]:
    if held.failed:
        yield judged("cname.unknown", f"Whether {at(domain)} is an alias is not known: {held.failed}.", domain)
    if len(held.values) > 1:
        yield judged("cname.several", f"{at(domain)} has {len(held.values)} CNAMEs.", domain, held.values)
    elif held.values:
        says = f"{at(domain)} is an alias for {at(held.values[0])}; its MX, TXT and NS cannot stand beside that."
        yield judged("cname.apex", says, domain, held.values, chain=held.values)


def _beside(name: str, held: Held, text: Held) -> Iterator[Judged]:
    if held.failed:
        yield judged("cname.unknown", f"Whether {at(name)} is an alias is not known: {held.failed}.", name)
    if len(held.values) > 1:
        yield judged("cname.several", f"{at(name)} has {len(held.values)} CNAMEs.", name, held.values)
    elif held.values and text.values and not text.chain:
        says = f"{at(name)} has a CNAME and a text beside it; what is read depends on who is asked."
        yield judged("cname.beside", says, name, (*held.values, *text.values), chain=held.values)


def _hosts(aliases: list[tuple[str, Held]], answers: Answers) -> Iterator[Judged]:
    """Those that are aliases, or may be; the second kind of address is asked where the first is not there."""
    empty = [name for name, four in aliases if not (four.values or four.failed or four.nowhere)]
    second = dict(zip(empty, answers.all((name, "AAAA") for name in empty), strict=True))
    for name, four in aliases:
        yield from _host(name, four, second.get(name))


def _host(name: str, four: Held, six: Held | None) -> Iterator[Judged]:
    if four.failed or (six is not None and six.failed):
        why = four.failed or (six.failed if six else "")
        yield judged("cname.unknown", f"Where {at(name)} leads is not known: {why}.", name, chain=four.chain)
    elif four.chain and (name in four.chain or len(set(four.chain)) < len(four.chain)):
        yield judged("cname.loop", f"{at(name)} is an alias that leads back to itself.", name, chain=four.chain)
    elif four.chain and four.nowhere:
        says = (
            f"{at(name)} is an alias for {at(four.chain[-1])}, which does not exist: whoever takes that name gets all."
        )
        yield judged("cname.dangling", says, name, chain=four.chain)
    elif four.chain and not four.values and not (six and six.values):
        says = f"{at(name)} is an alias for {at(four.chain[-1])}, which has no address."
        yield judged("cname.empty", says, name, chain=four.chain)
