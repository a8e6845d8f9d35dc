"""What an evaluation of SPF will ask next, so that it is fetched at once and not one name after the other.

A guess, not a rule: it walks the records at hand and names what their terms look up. Nothing depends on it but rounds.
"""

from collections.abc import Iterator, Mapping

from postroom.protocols.answers import Answers, Held, Key
from postroom.protocols.spf import MAX_LOOKUPS, Spf, is_spf, read
from postroom.protocols.spf_macros import BadMacro, Parts, as_name, domain_spec, expand, letters
from postroom.protocols.spf_sender import Sender, values
from postroom.protocols.spf_terms import Term

Store = Mapping[Key, Held]


def ahead(held: Store, sender: Sender, domain: str) -> list[Key]:
    """The keys that the records reachable from this domain lead to and that are not held."""
    seen: dict[str, None] = {domain: None}
    keys: dict[Key, None] = {}
    waiting = [domain]
    while waiting and len(seen) <= 2 * MAX_LOOKUPS:
        name = waiting.pop(0)
        for key, followed in _asked(held, sender, name):
            keys[key] = None
            if followed and key[0] not in seen:
                seen[key[0]] = None
                waiting.append(key[0])
    return [key for key in keys if key not in held]


def _asked(held: Store, sender: Sender, domain: str) -> Iterator[tuple[Key, bool]]:
    """(key, whether it leads to a record) of each term up to `all`, of `redirect=`."""
    texts = [text for text in held.get((domain, "TXT"), Held()).values if is_spf(text)]
    spf = read(texts[0], {})[0] if len(texts) == 1 else Spf(())
    for term in spf.terms:
        if term.name == "all":
            return
        if term.name not in {"ip4", "ip6"}:
            yield from _of_term(held, sender, term, domain)
    if redirect := spf.modifier("redirect"):
        try:
            if name := _name(sender, domain_spec(redirect), domain):
                yield (name, "TXT"), True
        except BadMacro:  # the evaluation says so
            return


def _of_term(held: Store, sender: Sender, term: Term, domain: str) -> Iterator[tuple[Key, bool]]:
    name = _name(sender, term.spec, domain)
    if term.name == "ptr":
        yield (sender.reverse, "PTR"), False
    elif not name:
        return
    elif term.name == "include":
        yield (name, "TXT"), True
    elif term.name == "mx":
        yield (name, "MX"), False
        exchanges = held.get((name, "MX"), Held()).values
        yield from (((exchange, sender.type), False) for _, exchange in exchanges[:MAX_LOOKUPS] if exchange)
    else:
        yield (name, "A" if term.name == "exists" else sender.type), False


def _name(sender: Sender, spec: Parts | None, domain: str) -> str:
    """Empty when it cannot be known before PTR records are."""
    if spec is None:
        return domain
    return "" if "p" in letters(spec) else as_name(expand(spec, values(Answers({}), sender, domain)))
