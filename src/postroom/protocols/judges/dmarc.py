"""DMARC of one domain (RFC 9989, reports RFC 9990): the record, the policy that follows from it, where reports go."""

from collections.abc import Iterator
from functools import lru_cache

from postroom.protocols.answers import Answers, Held
from postroom.protocols.dmarc import POLICIES, BadDmarc, Dmarc, build, is_dmarc, parse, write
from postroom.protocols.dmarc_reports import Target, authorised, permission, takes_mail, targets
from postroom.protocols.dmarc_walk import Policy, Step, policy
from postroom.protocols.judged import Judged, Parsed, at, at_once, in_order, judged, record
from postroom.protocols.rrset import RRset

_MENDED = frozenset({"bad_policy", "p_missing", "obsolete", "syntax", "bad_value", "uri_size", "bad_uri"})
_FOLLOWS = {
    "bad_policy": "the record reads as p=none, and without a rua= as no policy",
    "p_missing": "older receivers discard the record",
    "obsolete": "it is better taken out",
    "syntax": "older receivers discard the record",
    "bad_value": "its default counts",
    "bad_uri": "no report goes there",
    "uri_size": "it is better taken out",
    "uri_scheme": "receivers need not know it",
    "unknown_tag": "receivers skip it",
    "p_late": "receivers older than RFC 9989 want it second",
}


def judge(domain: str, answers: Answers, *, reports: str = "") -> tuple[Judged, ...]:
    """Results for one domain. reports: the address to offer for rua=, where a record is to be made. Raises Missing."""
    name = f"_dmarc.{domain}"
    own, apex = answers.all([(name, "TXT"), (domain, "TXT")])
    out = list(_around(domain, name, own, apex))
    texts = [text for text in own.values if is_dmarc(text)]
    if own.failed:
        out.append(judged("dmarc.unknown", f"The DMARC record of {at(domain)} is not known: {own.failed}.", name))
    elif len(texts) > 1:
        says = f"{at(name)} has {len(texts)} DMARC records; receivers discard them all, as if there were none."
        out.append(judged("dmarc.several", says, name, tuple(texts), chain=own.chain))
    elif texts:
        out += _own(domain, name, texts[0], own, answers)
    else:
        out += _from_above(domain, name, policy(domain, answers), reports)
    return in_order(out)


def _around(domain: str, name: str, own: Held, apex: Held) -> Iterator[Judged]:
    """What stands beside the record or in its place."""
    if strays := tuple(text for text in own.values if not is_dmarc(text)):
        says = f"{at(name)} holds a text that is no DMARC record: “{strays[0][:60]}”. Receivers skip it."
        yield judged("dmarc.stray", says, name, strays, chain=own.chain)
    if lost := tuple(text for text in apex.values if is_dmarc(text)):
        says = f"A DMARC record stands at {at(domain)}; receivers look at {at(name)} only."
        there = any(map(is_dmarc, own.values))
        offer = None if there or own.failed else record(name, "TXT", lost[0])
        yield judged("dmarc.misplaced", says, domain, lost, publish=offer)
    if own.chain and own.values:
        says = f"The DMARC record of {at(domain)} is that of {at(own.chain[-1])}."
        yield judged("dmarc.delegated", says, name, own.values, chain=own.chain)


def _own(domain: str, name: str, text: str, held: Held, answers: Answers) -> Iterator[Judged]:
    try:
        found = parse(text)
    except BadDmarc as why:
        says = f"Receivers discard the DMARC record of {at(domain)}: {why}."
        yield judged("dmarc.broken", says, name, (text,), chain=held.chain)
        return
    mended = record(name, "TXT", write(found)) if found.faults else None
    for cause, what in found.faults:
        says = f"DMARC of {at(domain)}: {what}; {_FOLLOWS[cause]}."
        publish = mended if cause in _MENDED else None
        yield judged(f"dmarc.{cause}", says, name, (text,), parsed=_parsed(text), publish=publish)
    if not {"bad_policy", "p_missing"} & {cause for cause, _ in found.faults}:
        yield _strength(domain, Policy(Step(domain, text, found), "p", found.p, POLICIES[found.strength(found.p)]))
    yield from _beneath(domain, name, text, found)
    if not found.rua:
        yield judged("dmarc.no_rua", f"Nobody gets the reports about {at(domain)}.", name, (text,))
    for target in targets(text) if found.rua or found.ruf else ():
        yield from _report(domain, target, answers)


def _from_above(domain: str, name: str, found: Policy, reports: str) -> Iterator[Judged]:
    if found.failed:
        yield judged("dmarc.unknown", f"The policy that applies to {at(domain)} is not known: {found.failed}.", name)
    elif found.step is None:
        says = f"No DMARC policy applies to {at(domain)}: anybody may write mail From: it."
        yield judged("dmarc.none", says, name, publish=_first(name, reports))
    else:
        says = f"{at(domain)} has no DMARC record; that of {at(found.step.name)} applies ({found.tag}={found.says})."
        yield judged("dmarc.inherited", says, f"_dmarc.{found.step.name}", (found.step.text,))
        yield _strength(domain, found)


def _strength(domain: str, found: Policy) -> Judged:
    """What receivers do with mail that does not pass. The step is there."""
    step, name = found.step, f"_dmarc.{found.step.name}" if found.step else ""
    raw = (step.text,) if step else ()
    parsed = (*_parsed(raw[0]), ("applies", found.applies)) if raw else ()
    if found.says != found.applies:
        says = f"{at(domain)} asks for {found.says} but tests it (t=y): receivers apply {found.applies}."
        return judged("dmarc.testing", says, name, raw, parsed=parsed)
    rule = {"none": "dmarc.p_none", "quarantine": "dmarc.quarantine", "reject": "dmarc.reject"}[found.applies]
    does = {"none": "deliver and only report", "quarantine": "set aside", "reject": "refuse"}[found.applies]
    says = f"The policy for {at(domain)} is {found.applies}: receivers {does} what does not pass."
    return judged(rule, says, name, raw, parsed=parsed)


def _beneath(domain: str, name: str, text: str, found: Dmarc) -> Iterator[Judged]:
    """Names under the domain."""
    own, under, nowhere = (POLICIES.index(one) for one in (found.p, found.subdomains, found.nowhere))
    if under < own:
        says = f"Names under {at(domain)} have the policy {found.subdomains}, the domain itself {found.p}."
        yield judged("dmarc.sp_weaker", says, name, (text,), parsed=_parsed(text))
    if nowhere < under:
        says = f"Names under {at(domain)} that do not exist have the policy {found.nowhere}: anybody may make one up."
        yield judged("dmarc.np_weaker", says, name, (text,), parsed=_parsed(text))
    if found.psd == "y":
        says = f"{at(domain)} says that it is a public suffix (psd=y): names under it are strangers to it."
        yield judged("dmarc.psd", says, name, (text,), parsed=_parsed(text))


def _report(domain: str, target: Target, answers: Answers) -> Iterator[Judged]:
    """One report address."""
    agreed, arrives = at_once(
        (lambda: authorised(domain, target.host, answers), lambda: takes_mail(target.host, answers))
    )
    name, raw = permission(domain, target.host), (f"{target.tag}=mailto:{target.address}",)
    if arrives is False:
        says = f"{at(target.host)} takes no mail, so reports to {target.address[:80]} are lost."
        yield judged("dmarc.report_dead", says, target.host, raw)
    elif agreed is False:
        says = f"{at(target.host)} has not agreed to take reports about {at(domain)}, so none go there."
        yield judged("dmarc.report_unauthorised", says, name, raw, publish=record(name, "TXT", "v=DMARC1"))
    elif agreed is None or arrives is None:
        says = f"Whether reports about {at(domain)} reach {target.address[:80]} is not known: a look-up failed."
        yield judged("dmarc.report_unknown", says, name, raw)


def _first(name: str, reports: str) -> RRset | None:
    try:
        return record(name, "TXT", build([reports] if reports else []))
    except BadDmarc:
        return None


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Parsed:
    found = parse(text)
    policies = (("p", found.p), ("sp", found.subdomains), ("np", found.nowhere), ("t", "y" if found.t else "n"))
    return (*policies, ("adkim", found.adkim), ("aspf", found.aspf), ("rua", " ".join(found.rua)))
