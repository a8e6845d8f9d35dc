"""DNSSEC of one domain (RFC 4033, 4035): whether what is read of it was proven, as the resolver that was asked says."""

from postroom.protocols.answers import Answers
from postroom.protocols.judged import Judged, at, judged


def judge(domain: str, answers: Answers) -> tuple[Judged, ...]:
    """One result: of the MX of the domain, proven also where there is none, and of its DS. Raises Missing."""
    mx, ds = answers.all([(domain, "MX"), (domain, "DS")])
    raw = tuple(" ".join(map(str, one)) for one in ds.values)
    if mx.failed and raw:
        says = f"{at(domain)} is signed and its answers are not to be had ({mx.failed}): its signatures may not hold."
        return (judged("dnssec.unknown", says, domain, raw),)
    if mx.failed or (ds.failed and not mx.secure):
        says = f"Whether {at(domain)} is signed is not known: {mx.failed or ds.failed}."
        return (judged("dnssec.unknown", says, domain),)
    if mx.secure:
        return (judged("dnssec.good", f"{at(domain)} is signed, and what is read of it was proven.", domain, raw),)
    if raw:
        says = f"{at(domain)} is signed, and whoever was asked did not prove what they said."
        return (judged("dnssec.unproven", says, domain, raw),)
    says = f"{at(domain)} is not signed: answers about it may be forged on the way, and DANE is not to be had."
    return (judged("dnssec.none", says, domain),)
