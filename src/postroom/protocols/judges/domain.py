"""All judges over one domain, in the order of the table: what posture asks, and `postroom check`.

A sweep asks again until nothing is missing, so all of them are asked each time and what any of them misses is raised
together: three rounds of look-ups suffice, or four. A parked domain is judged as parked, not as a domain with mail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from postroom.protocols.answers import Answers
from postroom.protocols.judged import Judged, at_once, in_order
from postroom.protocols.judges import bimi, caa, cname, dane, dkim, dmarc, mta_sts, mx, ns, parked, spf, tls_rpt
from postroom.protocols.judges.dkim import Selector
from postroom.protocols.judges.mta_sts import Fetched
from postroom.protocols.spf_reach import Memo

WATCHED = ("autoconfig", "autodiscover", "mta-sts")


@dataclass(frozen=True)
class Known:
    """What is known of a domain beside its DNS. sought: selectors that may be in use: judged where they
    are there. reports: the address offered in records to publish. policy: what came
    of fetching its MTA-STS policy. certificates: by MX, DER, its own first. authorities: CAA names of who issues our
    certificates. watched: labels under the domain that may be aliases. private: it is on a network of its own, as a
    demo is, where addresses that are not on the internet are right."""

    parked: bool = False
    selectors: tuple[Selector, ...] = ()
    sought: tuple[str, ...] = ()
    reports: str = ""
    policy: Fetched | None = None
    certificates: Mapping[str, Sequence[bytes]] = field(default_factory=dict)
    authorities: tuple[str, ...] = ()
    watched: tuple[str, ...] = WATCHED
    private: bool = False


def judge(domain: str, answers: Answers, known: Known, memo: Memo | None = None) -> tuple[Judged, ...]:
    """Every result for a domain: lower case, A-labels, without the last dot. memo: of what SPF records lead to,
    kept over many domains. Raises Missing for all judges at once."""
    asked: list[Callable[[], tuple[Judged, ...]]] = [
        lambda: ns.judge(domain, answers, private=known.private),
        lambda: cname.judge(domain, answers, known.watched),
        lambda: spf.judge(domain, answers, memo),
        lambda: caa.judge(domain, answers, known.authorities),
    ]
    if known.parked:
        asked.append(lambda: parked.judge(domain, answers))
    else:
        asked += [
            lambda: mx.judge(domain, answers, private=known.private),
            lambda: dkim.judge(domain, answers, known.selectors, known.sought),
            lambda: dmarc.judge(domain, answers, reports=known.reports),
            lambda: mta_sts.judge(domain, answers, known.policy),
            lambda: tls_rpt.judge(domain, answers, reports=known.reports),
            lambda: dane.judge(domain, answers, known.certificates),
            lambda: bimi.judge(domain, answers),
        ]
    return in_order(one for results in at_once(asked) for one in results)
