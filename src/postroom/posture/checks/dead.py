"""Does every alias, forward and catch-all lead to an address that takes mail, of somebody who is still there?

RFC 5321, 3.9 (an alias is as good as what it expands to): mail to one that leads nowhere comes back to its sender, or
lies in a mailbox nobody reads. Mail inside a client is followed one step; what an address outside does with it nobody
can know.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

LEADING = """
WITH leads AS (
  SELECT 'aliases' AS noun, l.id, a.address AS source, t AS target, l.client_id, a.domain_id
    FROM aliases l JOIN addresses a ON a.id = l.address_id, unnest(l.targets) t WHERE l.removed_at IS NULL
  UNION ALL SELECT 'forwards', f.id, a.address, f.to, f.client_id, a.domain_id
    FROM forwards f JOIN addresses a ON a.id = f.address_id
    WHERE f.removed_at IS NULL AND f.disabled_at IS NULL AND f.until > %(now)s
  UNION ALL SELECT 'catch_alls', g.id, '@' || d.name, g.target, g.client_id, d.id
    FROM catch_alls g JOIN domains d ON d.id = g.domain_id WHERE g.removed_at IS NULL AND g.until > %(now)s
)
SELECT w.noun, w.id, w.source, w.target, w.client_id, w.domain_id, s.takes, s.departed
FROM leads w JOIN clients c ON c.id = w.client_id AND c.removed_at IS NULL
  JOIN domains d ON d.client_id = w.client_id AND d.name = split_part(w.target, '@', 2)
  LEFT JOIN domains o ON o.id = d.alias_of_id
  LEFT JOIN LATERAL (  -- itself, or without what stands after a +, there or at the domain that its own stands for
    SELECT x.id FROM addresses x JOIN unnest(ARRAY[split_part(w.target, '@', 1),
        regexp_replace(split_part(w.target, '@', 1), '(?<=.)[+].*$', '')]) l(local) ON x.address IN
        (l.local || '@' || d.name, l.local || '@' || o.name)
    ORDER BY x.address <> w.target, x.domain_id <> d.id, x.address DESC LIMIT 1
  ) b ON true
  LEFT JOIN mailboxes m ON m.address_id = b.id AND m.removed_at IS NULL
  LEFT JOIN people p ON p.id = m.owner_id
  CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM transports t
    WHERE t.address_id = b.id AND t.ended_at IS NULL AND t.until > %(now)s) AS handed) h
  CROSS JOIN LATERAL (SELECT d.removed_at IS NULL AND (m.id IS NOT NULL OR h.handed
    OR EXISTS (SELECT FROM aliases l WHERE l.address_id = b.id AND l.removed_at IS NULL)
    OR EXISTS (SELECT FROM forwards f WHERE f.address_id = b.id AND f.removed_at IS NULL AND f.disabled_at IS NULL
      AND f.until > %(now)s)
    OR EXISTS (SELECT FROM catch_alls g  -- not one that leads to the very same, and so catches for nobody
      WHERE g.domain_id = d.id AND g.removed_at IS NULL AND g.until > %(now)s AND g.target <> w.target)) AS takes,
    m.id IS NOT NULL AND NOT h.handed AND (
      m.suspended_at IS NOT NULL OR p.suspended_at IS NOT NULL OR p.removed_at IS NOT NULL) AS departed) s
WHERE NOT s.takes OR s.departed
ORDER BY w.id, w.target
"""
WORDS = {"aliases": "The alias {}", "forwards": "A forward of {}", "catch_alls": "The catch-all {}"}


@dataclass(frozen=True)
class Lead:
    """One way that leads to an address of the same client. takes: mail is taken there, by a mailbox, another server, or
    whatever passes or catches it. departed: its owner, or the mailbox, is suspended or gone."""

    noun: str
    id: UUID
    source: str
    target: str
    client: UUID
    domain: UUID
    takes: bool
    departed: bool


def evaluate(leads: Iterable[Lead]) -> Iterator[Found]:
    for one in leads:
        what = WORDS[one.noun].format(one.source)
        cause = f"departed {one.target}" if one.takes else f"dead {one.target}"
        yield Found(
            "medium" if one.takes else "high", one.noun, one.id, one.source,
            f"{what} leads to {one.target}, {'who has left' if one.takes else 'which takes no mail'}", cause,
            client=one.client, domain=one.domain, evidence={"target": one.target},
        )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    with connection.cursor() as cursor:
        cursor.execute(LEADING, {"now": now})
        return evaluate([Lead(*row) for row in cursor.fetchall()])


DEAD = Check("routes.dead", "Does every route lead to somebody who is there?", "RFC 5321, 3.9", 300, reading(_read))
