"""All judges over one domain, in the order of the table: what posture asks, and `postroom check`.

A sweep asks again until nothing is missing, and what any of them misses is raised together: three rounds of look-ups
suffice, or four. A parked domain is judged as parked, not as a domain with mail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from postroom.protocols.answers import Answers, Key, Missing
from postroom.protocols.judged import Judged, in_order
from postroom.protocols.judges import (
    bimi,
    caa,
    cname,
    dane,
    dkim,
    dmarc,
    dnssec,
    mta_sts,
    mx,
    ns,
    parked,
    ptr,
    spf,
    tls_rpt,
)
from postroom.protocols.judges.dkim import Selector
from postroom.protocols.judges.mta_sts import Fetched
from postroom.protocols.spf_reach import Memo

Judge = Callable[[Answers], tuple[Judged, ...]]
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
    return Judging(domain, known, memo)(answers)


class Judging:
    """The same of one domain, asked again and again as its store fills: a judge that has answered is not asked again.

    The store may only gain answers between two calls, and never change one.
    """

    __slots__ = ("judges", "said")

    def __init__(self, domain: str, known: Known, memo: Memo | None = None) -> None:
        self.judges = _judges(domain, known, memo)
        self.said: list[Judged] = []

    def __call__(self, answers: Answers) -> tuple[Judged, ...]:
        """Raises Missing with what all judges that are left miss."""
        left: list[Judge] = []
        missing: dict[Key, None] = {}
        for one in self.judges:
            try:
                self.said += one(answers)
            except Missing as more:
                left.append(one)
                missing |= dict.fromkeys(more.keys)
        self.judges = left
        if missing:
            raise Missing(missing)
        return in_order(self.said)


def _judges(domain: str, known: Known, memo: Memo | None) -> list[Judge]:
    asked: list[Judge] = [
        lambda answers: ns.judge(domain, answers, private=known.private),
        lambda answers: cname.judge(domain, answers, known.watched),
        lambda answers: spf.judge(domain, answers, memo),
        lambda answers: caa.judge(domain, answers, known.authorities),
        lambda answers: dnssec.judge(domain, answers),
    ]
    if known.parked:
        return [*asked, lambda answers: parked.judge(domain, answers)]
    return [
        *asked,
        lambda answers: mx.judge(domain, answers, private=known.private),
        *([] if known.private else [lambda answers: ptr.judge(domain, answers)]),
        lambda answers: dkim.judge(domain, answers, known.selectors, known.sought),
        lambda answers: dmarc.judge(domain, answers, reports=known.reports),
        lambda answers: mta_sts.judge(domain, answers, known.policy),
        lambda answers: tls_rpt.judge(domain, answers, reports=known.reports),
        lambda answers: dane.judge(domain, answers, known.certificates),
        lambda answers: bimi.judge(domain, answers),
    ]
