"""CAA: which authorities may issue certificates for a name (RFC 8659; for mail RFC 9495): found and read."""

import re
from functools import lru_cache
from typing import NamedTuple

from postroom.protocols.answers import Answers, Held

CRITICAL = 128
KNOWN = frozenset({"issue", "issuewild", "issuemail", "issuevmc", "iodef", "contactemail", "contactphone"})
ISSUERS = frozenset({"issue", "issuewild", "issuemail", "issuevmc"})
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_PARAMETER = r"[A-Za-z0-9][A-Za-z0-9-]*[ \t]*=[ \t]*[\x21-\x3a\x3c-\x7e]*"
_ISSUE = re.compile(
    rf"[ \t]*({_LABEL}(?:\.{_LABEL})*)?[ \t]*"
    rf"(?:;[ \t]*(?:{_PARAMETER}[ \t]*(?:;[ \t]*{_PARAMETER}[ \t]*)*)?)?[ \t]*"
)


class Relevant(NamedTuple):
    """The record set that counts for a name, and where it stands. failed: why it is not known."""

    name: str
    held: Held
    failed: str = ""


def relevant(domain: str, answers: Answers) -> Relevant:
    """The nearest CAA on the way up; the root is not asked (3). Raises Missing."""
    labels = domain.split(".")
    names = [".".join(labels[place:]) for place in range(len(labels))]
    for name, held in zip(names, answers.all((name, "CAA") for name in names), strict=True):
        if held.failed:
            return Relevant(name, held, held.failed)
        if held.values:
            return Relevant(name, held)
    return Relevant(domain, Held())


@lru_cache(maxsize=1024)
def issuer(value: str) -> str | None:
    """The authority an issue value names, lower case; empty for nobody, None where it breaks the grammar (4.2)."""
    found = _ISSUE.fullmatch(value) if len(value) <= 1024 else None
    return (found[1] or "").lower() if found else None
