"""SPF of one domain (RFC 7208): what the linter says of its record and all it leads to, as results.

Whether the listed senders are the right ones is not said here.
"""

from collections.abc import Iterator

from postroom.protocols.answers import Answers
from postroom.protocols.judged import Judged, Parsed, at, in_order, judged
from postroom.protocols.spf_lint import Report, lint
from postroom.protocols.spf_reach import Memo, Problem

LONGEST = 240  # characters of what is wrong; the rest is in the evidence


def judge(domain: str, answers: Answers, memo: Memo | None = None) -> tuple[Judged, ...]:
    """Results for the record of a domain. memo: kept by the caller over many domains. Raises Missing."""
    report = lint(answers, domain, memo)
    return in_order(_results(domain, report, answers.get(domain, "TXT").chain))


def _results(domain: str, report: Report, chain: tuple[str, ...]) -> Iterator[Judged]:
    raw = (report.text,) if report.text else ()
    costs: Parsed = (("look-ups", f"{report.lookups}{' or more' if report.at_least else ''}"),) if raw else ()
    for one in report.problems:
        says = f"SPF of {at(domain)}{_led(one)}: {_short(one.text)}."
        yield judged(f"spf.{one.cause}", says, domain, raw, parsed=costs, chain=one.chain[1:])
    for failed in report.unknown:
        says = f"What SPF of {at(domain)} lets in is not known: {failed.type} of {at(failed.name)}: {failed.why[:80]}."
        yield judged("spf.unknown", says, failed.name, raw, chain=failed.chain[1:])
    if report.state == "usable" and all(one.level == "info" for one in report.problems):
        soft = report.end == "~"
        rest = "marks others and refuses none (~all)" if soft else "refuses all others (-all)"
        needs = f"needs {report.lookups} of ten look-ups"
        rule = "spf.softfail" if soft else "spf.good"
        yield judged(rule, f"SPF of {at(domain)} {needs} and {rest}.", domain, raw, parsed=costs, chain=chain)


def _led(one: Problem) -> str:
    return f", by way of {at(one.chain[-1])}" if len(one.chain) > 1 else ""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
