"""Whether a message passes DMARC, and what is to happen to it (RFC 9989, 4.4 and 5.3).

What SPF and DKIM found is handed in; which domains belong together is asked of the answers, by tree walk. Only the MAIL
FROM domain counts for SPF (4.4.2); an error that may pass (temperror) never makes a message fail.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from postroom.protocols.answers import Answers
from postroom.protocols.dmarc_walk import Policy, organization, policy


class Authenticated(NamedTuple):
    """What one mechanism found. domain: of MAIL FROM, or d=. result: as RFC 8601 has it: pass, fail, temperror …"""

    mechanism: Literal["spf", "dkim"]
    domain: str
    result: str


class Outcome(NamedTuple):
    """result: pass, fail, none (no policy) or temperror. disposition: none, quarantine or reject, as the owner asks.
    aligned: what made it pass. policy: where the policy is from. why: what is not known."""

    result: str
    disposition: str
    aligned: tuple[Authenticated, ...]
    policy: Policy
    why: str = ""


def aligned(author: str, other: str, strict: bool, answers: Answers) -> bool | None:
    """Whether two domains belong together (4.4): the same, or in relaxed mode the same organizational domain. None:
    a look-up failed. Raises Missing."""
    author, other = author.lower().rstrip("."), other.lower().rstrip(".")
    if author == other:
        return True
    # Organizational domains are tails of their names; other top labels have no tail in common.
    if strict or author.rpartition(".")[2] != other.rpartition(".")[2]:
        return False
    ours, theirs = organization(author, answers), organization(other, answers)
    return None if ours is None or theirs is None else ours == theirs


def evaluate(author: str, results: Iterable[Authenticated], answers: Answers) -> Outcome:
    """One message. author: the domain of From, in A-labels. results: SPF and each DKIM signature. Raises Missing."""
    author = author.lower().rstrip(".")
    found = policy(author, answers)
    if found.failed:
        return Outcome("temperror", "none", (), found, found.failed)
    if found.step is None:
        return Outcome("none", "none", (), found)
    known = tuple(results)
    aspf, adkim = found.step.record.aspf == "s", found.step.record.adkim == "s"
    said = [
        (one, aligned(author, one.domain, aspf if one.mechanism == "spf" else adkim, answers))
        for one in known
        if one.result == "pass"
    ]
    if passing := tuple(one for one, fits in said if fits):
        return Outcome("pass", "none", passing, found)
    if unknown := [one for one, fits in said if fits is None]:
        return Outcome("temperror", "none", (), found, f"the organizational domain of {unknown[0].domain}")
    if erring := [one for one in known if one.result == "temperror"]:
        return Outcome("temperror", "none", (), found, f"{erring[0].mechanism} of {erring[0].domain}")
    return Outcome("fail", found.applies, (), found)
