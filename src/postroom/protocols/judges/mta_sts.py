"""MTA-STS of one domain (RFC 8461): the record, the policy file as it was fetched, and whether it covers every MX."""

from collections.abc import Iterator
from typing import NamedTuple

from postroom.protocols.answers import Answers, Held
from postroom.protocols.judged import Judged, at, in_order, judged
from postroom.protocols.judges.mx import takes_none
from postroom.protocols.mta_sts import MAX_OCTETS, BadPolicy, MtaSts, is_record, matches, parse_policy, record_id

DAY = 86_400


class Fetched(NamedTuple):
    """What came of fetching the policy file. status: of HTTP, after no redirect (3.3). untrusted: why the certificate
    is not valid for the host. failed: why there was no answer; then nothing is known."""

    status: int = 200
    media_type: str = "text/plain"
    body: bytes = b""
    untrusted: str = ""
    failed: str = ""


def judge(domain: str, answers: Answers, fetched: Fetched | None) -> tuple[Judged, ...]:
    """Results for one domain. fetched: None where nobody has fetched yet. Raises Missing."""
    name = f"_mta-sts.{domain}"
    held, mx = answers.all([(name, "TXT"), (domain, "MX")])
    if held.failed or mx.failed:
        why = held.failed or mx.failed
        return (judged("mta_sts.unknown", f"Whether {at(domain)} has an MTA-STS policy is not known: {why}.", name),)
    texts = tuple(text for text in held.values if is_record(text))
    if len(texts) > 1:
        says = f"{at(name)} has {len(texts)} records; senders act as if there were none."
        return (judged("mta_sts.several", says, name, texts, chain=held.chain),)
    if not texts:
        return _nothing(domain, name, held, mx, fetched)
    if record_id(texts[0]) is None:
        says = f"The record at {at(name)} has no id= of up to 32 letters and digits; senders act as if there were none."
        return (judged("mta_sts.broken", says, name, texts, chain=held.chain),)
    hosts = tuple(exchange for _, exchange in mx.values if exchange)
    return _host(domain, answers) or in_order(_file(domain, fetched, hosts))


def _nothing(domain: str, name: str, held: Held, mx: Held, fetched: Fetched | None) -> tuple[Judged, ...]:
    if fetched is not None and fetched.status == 200 and fetched.body and not fetched.failed:
        says = f"A policy file is served for {at(domain)}, and no record announces it: senders do not look for it."
        return (judged("mta_sts.no_record", says, name, held.values, chain=held.chain),)
    if takes_none(mx):
        return ()
    says = f"{at(domain)} has no MTA-STS record: senders may hand mail over without TLS."
    return (judged("mta_sts.none", says, name, held.values, chain=held.chain),)


def _host(domain: str, answers: Answers) -> tuple[Judged, ...]:
    name = f"mta-sts.{domain}"
    addresses = answers.all([(name, "A"), (name, "AAAA")])
    if any(held.values for held in addresses):
        return ()
    if failed := [held.failed for held in addresses if held.failed]:
        return (judged("mta_sts.unknown", f"Whether {at(name)} has an address is not known: {failed[0]}.", name),)
    says = f"{at(name)} has no address, so senders cannot fetch the policy."
    return (judged("mta_sts.no_host", says, name, chain=addresses[0].chain),)


def _file(domain: str, fetched: Fetched | None, hosts: tuple[str, ...]) -> Iterator[Judged]:
    name = f"mta-sts.{domain}"
    if fetched is None or fetched.failed:
        why = fetched.failed if fetched else "nobody has fetched it yet"
        yield judged("mta_sts.unread", f"The policy of {at(domain)} is not known: {why}.", name)
        return
    if fetched.untrusted:
        says = f"The certificate of {at(name)} is not valid, so senders ignore the policy: {fetched.untrusted[:120]}."
        yield judged("mta_sts.untrusted", says, name)
        return
    if fetched.status != 200:
        says = f"{at(name)} answers {fetched.status} instead of the policy; senders ignore the record."
        yield judged("mta_sts.no_policy", says, name)
        return
    if len(fetched.body) > MAX_OCTETS:
        yield judged("mta_sts.big", f"The policy of {at(domain)} has {len(fetched.body)} octets.", name)
        return
    try:
        policy = parse_policy(fetched.body)
    except BadPolicy as why:
        raw = (fetched.body[:1000].decode("utf-8", "replace"),)
        yield judged("mta_sts.bad_policy", f"Senders ignore the policy of {at(domain)}: {why}.", name, raw)
        return
    yield from _policy(domain, name, fetched, policy, hosts)


def _policy(domain: str, name: str, fetched: Fetched, policy: MtaSts, hosts: tuple[str, ...]) -> Iterator[Judged]:
    raw = (fetched.body.decode("utf-8", "replace"),)
    parsed = (("mode", policy.mode), ("max_age", str(policy.max_age)), ("mx", " ".join(policy.mx)))
    if fetched.media_type.partition(";")[0].strip().lower() != "text/plain":
        says = f"The policy of {at(domain)} is served as “{fetched.media_type[:40]}”, not text/plain."
        yield judged("mta_sts.media_type", says, name, raw)
    if policy.doubled:
        says = f"The policy of {at(domain)} has {policy.doubled[0]}: twice; the first one counts."
        yield judged("mta_sts.duplicate_key", says, name, raw, parsed=parsed)
    if policy.mode == "none":
        yield judged("mta_sts.mode_none", f"{at(domain)} takes its policy back (mode none).", name, raw, parsed=parsed)
        return
    if policy.max_age < DAY:
        says = f"Senders forget the policy of {at(domain)} after {policy.max_age} seconds."
        yield judged("mta_sts.short_age", says, name, raw, parsed=parsed)
    bare = [host for host in hosts if not policy.covers(host)]
    for host in bare:
        says = f"The MX {at(host)} is not in the policy of {at(domain)}: senders that keep to it do not deliver there."
        yield judged("mta_sts.mx_uncovered", says, name, raw, parsed=parsed)
    for pattern in dict.fromkeys(policy.mx):
        if not any(matches(pattern, host) for host in hosts):
            says = f"The policy of {at(domain)} names {at(pattern)}, which is no MX."
            yield judged("mta_sts.mx_unused", says, name, raw, parsed=parsed)
    if policy.mode == "testing":
        says = f"The policy of {at(domain)} is in testing: senders report, and hand mail over without TLS."
        yield judged("mta_sts.testing", says, name, raw, parsed=parsed)
    elif not bare:
        says = f"Senders insist on TLS and a valid certificate at every MX of {at(domain)}."
        yield judged("mta_sts.good", says, name, raw, parsed=parsed)
