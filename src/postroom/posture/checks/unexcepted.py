"""Does mail leave a client by a forward or an alias that nothing lets it leave by?

MITRE ATT&CK T1114.003 (email forwarding rule: mail that leaves by a rule nobody looks at is how an intruder stays)
and NIST SP 800-53 r5, AC-4. A forward is planned with its exception (decision 37), so what is found here was let go
of since: an exception that was ended, a pattern that is allowed no more, a domain that went to another client.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from postroom.models.routes import patterns_at
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading
from postroom.protocols.patterns import matches, private

LEAVING = """
SELECT w.noun, w.id, a.address, w.target, a.client_id, a.domain_id, coalesce(m.vip, false),
  EXISTS (SELECT FROM exceptions x WHERE x.address_id = w.address_id AND x.target = w.target AND x.ended_at IS NULL
    AND x.until > %(now)s)
FROM (
  SELECT 'forwards' AS noun, f.id, f.address_id, f.client_id, f.to AS target FROM forwards f
    WHERE f.removed_at IS NULL AND f.disabled_at IS NULL AND f.until > %(now)s
  UNION ALL SELECT 'aliases', l.id, l.address_id, l.client_id, t FROM aliases l, unnest(l.targets) t
    WHERE l.removed_at IS NULL
) w JOIN addresses a ON a.id = w.address_id JOIN clients c ON c.id = w.client_id AND c.removed_at IS NULL
  LEFT JOIN mailboxes m ON m.address_id = a.id
WHERE NOT EXISTS (SELECT FROM domains d WHERE d.client_id = w.client_id AND d.name = split_part(w.target, '@', 2)
    AND (d.id = a.domain_id OR (d.removed_at IS NULL AND d.proof = 'read')))
  AND w.target NOT IN (SELECT o.postmaster FROM organizations o)
ORDER BY w.id, w.target
"""


@dataclass(frozen=True)
class Leaving:
    """One way out. noun: forwards or aliases. vip: whose mail it is. excepted: an exception stands."""

    noun: str
    id: UUID
    address: str
    target: str
    client: UUID
    domain: UUID
    vip: bool
    excepted: bool


Patterns = tuple[tuple[str, ...], tuple[str, ...]]  # allowed, forbidden


def evaluate(ways: Iterable[Leaving], patterns: dict[UUID, Patterns]) -> Iterator[Found]:
    """patterns: by client. What is forbidden is found, whatever lets it leave."""
    for one in ways:
        allowed, forbidden = patterns[one.client]
        if not matches(forbidden, one.target) and (one.excepted or matches(allowed, one.target)):
            continue
        worse = one.vip or private(one.target)
        ends = ("forwards.disable", {"forward": str(one.id)}) if one.noun == "forwards" else ("aliases.change", {})
        yield Found(
            "critical" if worse else "high", one.noun, one.id, f"{one.address} to {one.target}",
            f"Mail of {one.address} leaves to {one.target} {_why(one, forbidden)}", one.target, client=one.client,
            domain=one.domain, evidence={"target": one.target, "private": private(one.target), "vip": one.vip},
            kind=ends[0] if ends[1] else "", params=ends[1],
        )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    with connection.cursor() as cursor:
        cursor.execute(LEAVING, {"now": now})
        ways = [Leaving(*row) for row in cursor.fetchall()]
    return evaluate(ways, {one: patterns_at(one) for one in {way.client for way in ways}})


def _why(one: Leaving, forbidden: tuple[str, ...]) -> str:
    by = matches(forbidden, one.target)
    return f"which {by} forbids" if by else "without an exception"


UNEXCEPTED = Check(
    "forwards.unexcepted", "Does mail leave only by an exception?", "MITRE ATT&CK T1114.003", 60, reading(_read)
)
