"""DKIM of one domain (RFC 6376, 8301, 8463): what each selector publishes, and whether it is what we sign with."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from postroom.protocols.answers import Answers, Held
from postroom.protocols.dkim import BITS, LONG_ABOVE, BadKeyRecord, KeyRecord, algorithm_of, key_record, parse
from postroom.protocols.judged import Judged, at, in_order, judged, record
from postroom.protocols.rrset import RRset


class Selector(NamedTuple):
    """One that is looked at. public: the key we sign with under it, base64; empty where it is not ours, or retired."""

    name: str
    public: str = ""


def judge(
    domain: str, answers: Answers, selectors: Iterable[Selector], sought: Iterable[str] = ()
) -> tuple[Judged, ...]:
    """Results for the selectors of a domain. sought: others that may be there; where one is not, nothing is said.

    Raises Missing.
    """
    known = (*selectors, *map(Selector, _there(domain, answers, tuple(sought))))
    if not known:
        says = f"No selector of {at(domain)} is known, so no key was looked at."
        return (judged("dkim.unlisted", says, f"_domainkey.{domain}"),)
    names = [f"{one.name}._domainkey.{domain}" for one in known]
    out: list[Judged] = []
    keys: list[KeyRecord | None] = []
    for one, name, held in zip(known, names, answers.all((name, "TXT") for name in names), strict=True):
        keys.append(_selector(one, name, held, out))
    usable = [key for key in keys if key is not None and not key.revoked]
    alone = usable and all(key.algorithm == "ed25519" for key in usable)
    if alone and not any(one.rule == "dkim.unknown" for one in out):
        says = f"All keys of {at(domain)} are Ed25519: verifiers that know RSA only see no signature."
        out.append(judged("dkim.ed25519_alone", says, names[0]))
    return in_order(out)


def _there(domain: str, answers: Answers, sought: tuple[str, ...]) -> list[str]:
    held = answers.all((f"{one}._domainkey.{domain}", "TXT") for one in sought)
    return [one for one, found in zip(sought, held, strict=True) if found.values or found.failed]


def _selector(one: Selector, name: str, held: Held, out: list[Judged]) -> KeyRecord | None:
    """Judges one selector into `out`; gives its key, if verifiers can use it."""
    if held.failed:
        out.append(judged("dkim.unknown", f"The key at {at(name)} is not known: {held.failed}.", name))
        return None
    if not held.values:
        out.append(_nothing(one, name, held))
        return None
    if held.chain:
        says = f"The key of {at(name)} is published at {at(held.chain[-1])}."
        out.append(judged("dkim.delegated", says, name, held.values, chain=held.chain))
    if len(held.values) > 1:
        says = f"{at(name)} holds {len(held.values)} texts; which of them verifiers use is undefined."
        out.append(judged("dkim.several", says, name, held.values, chain=held.chain, publish=_offer(one, name)))
        return None
    try:
        key = parse(held.values[0])
    except BadKeyRecord as why:
        says = f"Verifiers cannot use the key at {at(name)}: {why}."
        out.append(judged(f"dkim.{why.cause}", says, name, held.values, chain=held.chain, publish=_offer(one, name)))
        return None
    out += _key(one, name, held, key)
    return key


def _offer(one: Selector, name: str) -> RRset | None:
    """The record that would stand here, if the selector is ours."""
    return record(name, "TXT", key_record(one.public, algorithm_of(one.public))) if one.public else None


def _nothing(one: Selector, name: str, held: Held) -> Judged:
    if held.chain:
        says = f"{at(name)} is an alias that leads to {at(held.chain[-1])}, where there is no key: signatures fail."
        return judged("dkim.dangling", says, name, chain=held.chain)
    return judged(
        "dkim.missing", f"There is no key at {at(name)}: signatures with it fail.", name, publish=_offer(one, name)
    )


def _key(one: Selector, name: str, held: Held, key: KeyRecord) -> Iterator[Judged]:
    """A key record that reads; exactly one result about its strength."""
    raw, chain = held.values, held.chain
    parsed = (("k", key.algorithm), ("bits", str(key.bits or 0)), ("t", ":".join(sorted(key.flags))))
    if key.revoked:
        rule = "dkim.revoked_in_use" if one.public else "dkim.revoked"
        follows = "we sign with it, so our signatures fail" if one.public else "nothing signed with it verifies"
        says = f"The key at {at(name)} is revoked; {follows}."
        yield judged(rule, says, name, raw, parsed=parsed, chain=chain, publish=_offer(one, name))
        return
    if one.public and key.public.rstrip("=") != one.public.rstrip("="):
        says = f"The key at {at(name)} is not the one we sign with: our signatures fail."
        yield judged("dkim.other_key", says, name, raw, parsed=parsed, chain=chain, publish=_offer(one, name))
    if "y" in key.flags:
        says = f"The key at {at(name)} is being tested (t=y): verifiers may act as if mail were not signed."
        yield judged("dkim.testing", says, name, raw, parsed=parsed, chain=chain, publish=_offer(one, name))
    if "s" in key.flags:
        says = f"The key at {at(name)} is for the domain itself and no name under it (t=s)."
        yield judged("dkim.strict", says, name, raw, parsed=parsed, chain=chain)
    rule, says = _strength(key)
    yield judged(rule, f"The key at {at(name)} {says}.", name, raw, parsed=parsed, chain=chain)


def _strength(key: KeyRecord) -> tuple[str, str]:
    if key.algorithm != "rsa" or key.bits is None:
        return "dkim.good", "is an Ed25519 key that verifiers read"
    if key.weak:
        return "dkim.weak", f"has {key.bits} bits: verifiers take mail signed with it for unsigned"
    if key.bits < BITS:
        return "dkim.short", f"has {key.bits} bits; {BITS} are right"
    if key.bits > LONG_ABOVE:
        return "dkim.long", f"has {key.bits} bits, more than verifiers must know"
    return "dkim.good", f"is an RSA key of {key.bits} bits that verifiers read"
