"""A parked domain: takes no mail, sends none, and says so (M3AAWG, Protecting Parked Domains; RFC 7505, 7208, 9989)."""

from collections.abc import Iterator

from postroom.protocols.answers import Answers, Held
from postroom.protocols.dkim import BadKeyRecord, parse
from postroom.protocols.dmarc_walk import Policy, policy
from postroom.protocols.judged import Judged, at, in_order, judged, record
from postroom.protocols.rrset import NULL_MX
from postroom.protocols.spf import spf_in_use

CLOSED = "v=spf1 -all"
REJECT = "v=DMARC1; p=reject"
REVOKED = "v=DKIM1; p="


def judge(domain: str, answers: Answers) -> tuple[Judged, ...]:
    """Results for one domain that is to be parked. Raises Missing."""
    keys = f"*._domainkey.{domain}"
    wanted = [(domain, "MX"), (domain, "TXT"), (keys, "TXT"), (f"_dmarc.{domain}", "TXT")]
    mx, text, wild, _ = answers.all(wanted)
    out = [
        *_mail(domain, mx),
        *_spf(domain, text),
        *_dmarc(domain, policy(domain, answers)),
        *_dkim(domain, keys, wild),
    ]
    if not out:
        out = [judged("parked.good", f"{at(domain)} takes no mail and sends none, and says so.", domain)]
    return in_order(out)


def _unknown(domain: str, name: str, why: str) -> Judged:
    return judged("parked.unknown", f"Whether {at(domain)} is locked is not known: {why}.", name)


def _mail(domain: str, held: Held) -> Iterator[Judged]:
    if held.failed:
        yield _unknown(domain, domain, held.failed)
    elif held.values != ((0, ""),):
        raw = tuple(f"{preference} {exchange}." for preference, exchange in held.values)
        says = f"{at(domain)} is parked and has no null MX: mail to it waits for days before it comes back."
        yield judged("parked.takes_mail", says, domain, raw, publish=record(domain, "MX", NULL_MX))


def _spf(domain: str, held: Held) -> Iterator[Judged]:
    if held.failed:
        yield _unknown(domain, domain, held.failed)
    elif " ".join((spf_in_use(held.values) or "").lower().split()) != CLOSED:
        says = f"{at(domain)} is parked and does not say {CLOSED}: others may send in its name."
        others = [text for text in held.values if not text.lower().startswith("v=spf1")]
        yield judged("parked.spf_open", says, domain, held.values, publish=record(domain, "TXT", CLOSED, *others))


def _dmarc(domain: str, found: Policy) -> Iterator[Judged]:
    name = f"_dmarc.{domain}"
    if found.failed:
        yield _unknown(domain, name, found.failed)
        return
    weakest = found.applies if found.step else "none"
    if found.step and found.step.name == domain:
        read = found.step.record
        weakest = "reject" if min(map(read.strength, (read.p, read.subdomains, read.nowhere))) == 2 else "less"
    if weakest != "reject":
        says = f"{at(domain)} is parked, and its DMARC policy is not reject for it and all names under it."
        raw = (found.step.text,) if found.step else ()
        yield judged("parked.dmarc_open", says, name, raw, publish=record(name, "TXT", REJECT))


def _dkim(domain: str, name: str, held: Held) -> Iterator[Judged]:
    if held.failed:
        yield _unknown(domain, name, held.failed)
    elif not any(_revoked(text) for text in held.values):
        says = f"{at(domain)} is parked and does not revoke every DKIM key at once."
        yield judged("parked.dkim_open", says, name, held.values, publish=record(name, "TXT", REVOKED))


def _revoked(text: str) -> bool:
    try:
        return parse(text).revoked
    except BadKeyRecord:
        return False
