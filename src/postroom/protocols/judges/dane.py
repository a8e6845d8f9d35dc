"""DANE of one domain's mail hosts (RFC 7672): TLSA at `_25._tcp` under each MX, signed, and fitting the certificate."""

from collections.abc import Iterator, Mapping, Sequence

from postroom.protocols.answers import Answers, Held
from postroom.protocols.judged import Judged, at, in_order, judged
from postroom.protocols.tlsa import counts, fits, malformed

Certificates = Mapping[str, Sequence[bytes]]  # by MX: what it shows after STARTTLS, DER, its own first


def judge(domain: str, answers: Answers, certificates: Certificates) -> tuple[Judged, ...]:
    """Results for one domain; none where it takes no mail. Raises Missing."""
    mx = answers.get(domain, "MX")
    if mx.failed:
        return (judged("dane.unknown", f"The MX of {at(domain)} are not known: {mx.failed}.", domain),)
    hosts = list(dict.fromkeys(exchange for _, exchange in mx.values if exchange))
    names = [f"_25._tcp.{host}" for host in hosts]
    held = answers.all((name, "TLSA") for name in names)
    out = [
        judged("dane.unknown", f"The TLSA records at {at(name)} are not known: {one.failed}.", name)
        for name, one in zip(names, held, strict=True)
        if one.failed
    ]
    with_some = [(host, name, one) for host, name, one in zip(hosts, names, held, strict=True) if one.values]
    if hosts and not with_some and not out:
        return (judged("dane.none", f"No MX of {at(domain)} has TLSA records.", domain),)
    out += _together(
        domain, mx, [name for name, one in zip(names, held, strict=True) if not (one.values or one.failed)]
    )
    if not with_some:
        return tuple(one for one in out if one.rule == "dane.unknown")
    for host, name, one in with_some:
        out += _host(host, name, one, certificates.get(host))
    return in_order(out)


def _together(domain: str, mx: Held, without: list[str]) -> Iterator[Judged]:
    if not mx.secure:
        says = f"The MX of {at(domain)} are not signed, so senders do not ask for TLSA records."
        yield judged("dane.mx_insecure", says, domain)
    if without:
        says = f"No TLSA record stands at {at(without[0])}, and some at other MX of {at(domain)}."
        yield judged("dane.partial", says, without[0])


def _host(host: str, name: str, held: Held, chain: Sequence[bytes] | None) -> Iterator[Judged]:
    raw = tuple(f"{usage} {selector} {matching} {data}" for usage, selector, matching, data in held.values)
    if not held.secure:
        yield judged("dane.insecure", f"The TLSA records at {at(name)} are not signed: senders ignore them.", name, raw)
        return
    if not any(map(counts, held.values)):
        says = f"No TLSA record at {at(name)} counts for mail: senders insist on TLS and check nothing."
        yield judged("dane.unusable", says, name, raw)
        return
    for record, line in zip(held.values, raw, strict=True):
        if why := malformed(record):
            yield judged("dane.malformed", f"A TLSA record at {at(name)} cannot be read: {why}.", name, (line,))
        elif not counts(record):
            yield judged(
                "dane.usage", f"A TLSA record at {at(name)} has usage {record[0]}; mail uses 2 and 3.", name, (line,)
            )
    yield _compared(host, name, held, raw, chain)


def _compared(host: str, name: str, held: Held, raw: tuple[str, ...], chain: Sequence[bytes] | None) -> Judged:
    if not chain:
        return judged("dane.unchecked", f"No certificate of {at(host)} was at hand to compare with.", name, raw)
    try:
        good = fits(held.values, chain)
    except ValueError:
        return judged("dane.unknown", f"What {at(host)} shows could not be read as a certificate.", name, raw)
    if good:
        return judged("dane.good", f"The TLSA records of {at(host)} fit its certificate.", name, raw)
    says = f"No TLSA record of {at(host)} fits its certificate: senders that check do not deliver."
    return judged("dane.mismatch", says, name, raw)
