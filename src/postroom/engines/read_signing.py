"""Read back what signs for a domain: the milter's own word, key by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .asking import Answer
from .expected import Expected, Signing

if TYPE_CHECKING:
    from .read_back import Round

SIGNING = "milter keys of {domain}"


def judge(read: Round, one: Expected, status: Answer) -> None:
    """status: what the milter answered; in it the keys that sign for each domain it was asked about."""
    result, signs = read.results[one.todo.todo], status.get("signs", {})
    for domain, keys in sorted(one.signing.items()):
        for key in sorted(keys):
            if not in_use(key, signs.get(domain)):
                result.differs(f"milter: {domain} signs with {said(signs.get(domain))}, not with {key[0]}")
    for domain, selector in sorted(one.not_signing):
        now = signs.get(domain)
        if isinstance(now, list) and selector in {held[0] for held in now}:
            result.differs(f"milter: {domain} still signs with {selector}")
    for domain in sorted({*one.signing, *(domain for domain, _ in one.not_signing)}):
        read.add(result, SIGNING.format(domain=domain), signs.get(domain), "milter")


def in_use(key: Signing, now: Any) -> bool:
    """Whether it signs, or one that came after it, or with it, does in its place. An Ed25519 key may wait for the RSA
    key that it signs beside."""
    if not isinstance(now, list):
        return False
    selector, algorithm, since = key
    if any(held[0] == selector or (held[1] == algorithm and held[2] >= since) for held in now):
        return True
    return algorithm == "ed25519" and not now


def said(now: Any) -> str:
    if isinstance(now, list):
        return " and ".join(str(held[0]) for held in now) or "nothing"
    return str(now or "nothing")
