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
  AND NOT (w.target IN (SELECT o.postmaster FROM organizations o)
    AND split_part(a.address, '@', 1) IN ('postmaster', 'abuse'))
ORDER BY w.id, w.target
"""
# Aliases whose mail leaves by a forward of somebody else, over however many aliases and forwards, and its exception.
BY_WAY = """
WITH RECURSIVE onward AS MATERIALIZED (
  SELECT l.client_id, a.address AS source, t AS target FROM aliases l JOIN addresses a ON a.id = l.address_id,
      unnest(l.targets) t WHERE l.removed_at IS NULL
  UNION ALL SELECT f.client_id, a.address, f.to FROM forwards f JOIN addresses a ON a.id = f.address_id
    WHERE f.removed_at IS NULL AND f.disabled_at IS NULL AND f.until > %(now)s
), led AS (
  SELECT l.id, l.address_id, l.client_id, t COLLATE "C" AS at FROM aliases l, unnest(l.targets) t
    WHERE l.removed_at IS NULL
  UNION SELECT l.id, l.address_id, l.client_id, n.target COLLATE "C" FROM led l
    JOIN onward n ON n.source = l.at AND n.client_id = l.client_id
)
SELECT l.id, a.address, v.address, f.to, l.client_id, a.domain_id FROM led l JOIN addresses a ON a.id = l.address_id
  JOIN clients c ON c.id = l.client_id AND c.removed_at IS NULL
  JOIN addresses v ON v.address = l.at AND v.client_id = l.client_id
  JOIN forwards f ON f.address_id = v.id AND f.removed_at IS NULL AND f.disabled_at IS NULL AND f.until > %(now)s
WHERE EXISTS (SELECT FROM exceptions x WHERE x.address_id = v.id AND x.target = f.to AND x.ended_at IS NULL
    AND x.until > %(now)s)
  AND NOT EXISTS (SELECT FROM exceptions x WHERE x.address_id = l.address_id AND x.target = f.to AND x.ended_at IS NULL
    AND x.until > %(now)s)
ORDER BY l.id, f.to, v.address
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


@dataclass(frozen=True)
class Led:
    """An alias whose mail leaves by the forward of `via`, and the exception of that address, to the target."""

    id: UUID
    address: str
    via: str
    target: str
    client: UUID
    domain: UUID


def led(ways: Iterable[Led]) -> Iterator[Found]:
    """Those to a private mailbox: whoever answers for the exception did not answer for mail to the alias."""
    for one in ways:
        if private(one.target):
            yield Found(
                "medium", "aliases", one.id, f"{one.address} to {one.target}",
                f"Mail of {one.address} leaves to {one.target}, a private mailbox, by the exception of {one.via}",
                one.target, client=one.client, domain=one.domain,
                evidence={"target": one.target, "via": one.via, "private": True},
            )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    with connection.cursor() as cursor:
        cursor.execute(BY_WAY, {"now": now})
        once = {(row[0], row[3]): Led(*row) for row in cursor.fetchall()}
        cursor.execute(LEAVING, {"now": now})
        ways = [Leaving(*row) for row in cursor.fetchall()]
    yield from evaluate(ways, {one: patterns_at(one) for one in {way.client for way in ways}})
    direct = {(way.id, way.target) for way in ways}
    yield from led(one for key, one in once.items() if key not in direct)


def _why(one: Leaving, forbidden: tuple[str, ...]) -> str:
    by = matches(forbidden, one.target)
    return f"which {by} forbids" if by else "without an exception"


UNEXCEPTED = Check(
    "forwards.unexcepted", "Does mail leave only by an exception?", "MITRE ATT&CK T1114.003", 60, reading(_read)
)
