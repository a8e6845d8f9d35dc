"""Which DMARC record speaks for a name (RFC 9989, 4.10): the walk up the tree, the organizational domain, the policy.

At most eight names are asked; a longer one is cut to its last seven labels after its own. The Public Suffix List has no
part in it. A look-up that failed leaves what rests on it unknown: a record further up could be the one that counts.
"""

from functools import lru_cache
from typing import NamedTuple

from postroom.protocols.answers import Answers, Held
from postroom.protocols.dmarc import POLICIES, BadDmarc, Dmarc, is_dmarc, parse

MAX_QUERIES = 8


class Step(NamedTuple):
    """A name on the way up that has a record."""

    name: str
    text: str
    record: Dmarc


class Walk(NamedTuple):
    """Records from the longest name to the shortest. failed: what could not be looked up; the walk ends before it."""

    found: tuple[Step, ...]
    failed: str = ""


class Policy(NamedTuple):
    """The policy for a name. step: the record it is from, None for none. tag: p, sp or np. says: as written; applies:
    after t=y took a step off. failed: why it is not known."""

    step: Step | None = None
    tag: str = "p"
    says: str = "none"
    applies: str = "none"
    failed: str = ""


@lru_cache(maxsize=4096)
def asked(domain: str) -> tuple[str, ...]:
    """The names a walk asks, the domain first: a.b.example, b.example, example."""
    labels = domain.split(".")
    above = labels[1:][1 - MAX_QUERIES :]
    return (domain, *(".".join(above[place:]) for place in range(len(above))))


def record_of(name: str, held: Held) -> Step | None:
    """The record receivers use, of what stands at _dmarc under the name: the only one, and a tag list (4.10)."""
    texts = [text for text in held.values if is_dmarc(text)]
    if len(texts) != 1:
        return None
    try:
        return Step(name, texts[0], parse(texts[0]))
    except BadDmarc:
        return None


def walk(domain: str, answers: Answers) -> Walk:
    """The records on the way up; ends at psd=n, and above the domain itself at psd=y. Raises Missing."""
    names = asked(domain)
    found: list[Step] = []
    for name, held in zip(names, answers.all((f"_dmarc.{name}", "TXT") for name in names), strict=True):
        if held.failed:
            return Walk(tuple(found), f"_dmarc.{name}: {held.failed}")
        if step := record_of(name, held):
            found.append(step)
            if step.record.psd == "n" or (step.record.psd == "y" and name != domain):
                break
    return Walk(tuple(found))


def organization(domain: str, answers: Answers) -> str | None:
    """The organizational domain (4.10.2); None where a look-up failed. Raises Missing."""
    return _organization(domain, walk(domain, answers))


def policy(domain: str, answers: Answers) -> Policy:
    """The policy for mail From: this domain (4.10.1). Raises Missing."""
    own = answers.get(f"_dmarc.{domain}", "TXT")
    if own.failed:
        return Policy(failed=f"_dmarc.{domain}: {own.failed}")
    if step := record_of(domain, own):
        return Policy() if step.record.void else _policy(step, "p", step.record.p)
    steps = walk(domain, answers)
    if steps.failed and _organization(domain, steps) is None:
        return Policy(failed=steps.failed)
    step = _above(domain, steps)
    return _inherited(domain, step, answers) if step and not step.record.void else Policy()


def _organization(domain: str, steps: Walk) -> str | None:
    for step in steps.found:
        if step.record.psd == "n":
            return step.name
        if step.record.psd == "y" and step.name != domain:
            return ".".join(domain.split(".")[-2 - step.name.count(".") :])
    if steps.failed:
        return None
    return steps.found[-1].name if steps.found else domain


def _above(domain: str, steps: Walk) -> Step | None:
    """The organizational domain's record, or else that of the public suffix."""
    organization = _organization(domain, steps)
    at_it = [step for step in steps.found if step.name == organization]
    return at_it[0] if at_it else (steps.found[-1] if steps.found else None)


def _inherited(domain: str, step: Step, answers: Answers) -> Policy:
    record = step.record
    if record.nowhere == record.subdomains:
        return _policy(step, "sp" if record.sp else "p", record.subdomains)
    # A name exists unless it is NXDOMAIN (RFC 8020), whatever was asked for.
    own = answers.get(domain, "MX")
    if own.failed:
        return Policy(failed=f"{domain}: {own.failed}")
    if own.nowhere and not own.chain:
        return _policy(step, "np", record.nowhere)
    return _policy(step, "sp" if record.sp else "p", record.subdomains)


def _policy(step: Step, tag: str, says: str) -> Policy:
    return Policy(step, tag, says, POLICIES[step.record.strength(says)])
