"""Does mail of any address go round, and never land?

RFC 5321, 6.3, and Postfix's virtual(5): an address that expands to itself has its mail put off, and sent back after
days. No change opens such a ring, but one may come by an end, after which a catch-all takes what had another way, by a
script that somebody uploaded, or by what stood before. Looked for over all clients, among the addresses that lead to
one another; whether mail does go round says who follows it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from postroom.access.known import ask
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading
from postroom.protocols.extensions import parts

Standing = Callable[[Collection[str], datetime], Mapping[str, tuple[str, ...]]]  # address → the way by which it is back
AT_ONCE = 500
ANOTHERS = "an address of another client"
# Each step by which mail goes on to where it may go on again: to what passes on itself, or is caught, or is a twin.
LEADING = """
WITH leads AS MATERIALIZED (
  SELECT 'aliases' AS noun, l.id, a.address AS source, t AS target, l.client_id, a.domain_id
    FROM aliases l JOIN addresses a ON a.id = l.address_id, unnest(l.targets) t WHERE l.removed_at IS NULL
  UNION ALL SELECT 'forwards', f.id, a.address, f.to, f.client_id, a.domain_id
    FROM forwards f JOIN addresses a ON a.id = f.address_id
    WHERE f.removed_at IS NULL AND f.disabled_at IS NULL AND f.until > %(now)s
  UNION ALL SELECT 'catch_alls', g.id, '*@' || d.name, g.target, g.client_id, d.id
    FROM catch_alls g JOIN domains d ON d.id = g.domain_id WHERE g.removed_at IS NULL AND g.until > %(now)s
  UNION ALL SELECT 'mailboxes', m.id, a.address, r.what ->> 'to', m.client_id, a.domain_id
    FROM sieve_scripts s JOIN mailboxes m ON m.id = s.mailbox_id AND m.removed_at IS NULL
      JOIN addresses a ON a.id = m.address_id, jsonb_array_elements(s.redirects) r(what)
    WHERE s.active AND r.what ->> 'to' <> ''
), twins AS MATERIALIZED (
  SELECT d.name, o.name AS of FROM domains d JOIN domains o ON o.id = d.alias_of_id WHERE d.removed_at IS NULL
)
SELECT w.noun, w.id, w.source, w.target, w.client_id, w.domain_id, x.of
FROM leads w LEFT JOIN twins x ON x.name = split_part(w.target, '@', 2)
WHERE x.of IS NOT NULL OR w.target IN (SELECT source FROM leads)
  OR '*@' || split_part(w.target, '@', 2) IN (SELECT source FROM leads)
  OR split_part(split_part(w.target, '@', 1), '+', 1) || '@' || split_part(w.target, '@', 2)
    IN (SELECT source FROM leads)
ORDER BY w.source, w.noun, w.id
"""


@dataclass(frozen=True)
class Lead:
    """One step. source: an address, or *@domain of a catch-all. other: the domain that the target's stands for."""

    noun: str
    id: UUID
    source: str
    target: str
    client: UUID
    domain: UUID
    other: str | None


def may_come_back(leads: Iterable[Lead]) -> set[str]:
    """The sources among which every ring is: those that are led to, and lead on, once all others are left out."""
    steps = list(leads)
    left = {one.source for one in steps}
    while True:
        edges = {(one.source, at) for one in steps if one.source in left for at in _looked_up(one) & left}
        on = {source for source, _ in edges} & {at for _, at in edges}
        if on == left:
            return left
        left = on


def _looked_up(one: Lead) -> set[str]:
    """By what the next step may be found."""
    domains = [parts(one.target)[2], *([f"@{one.other}"] if one.other else [])]
    local = one.target.rpartition("@")[0]
    names = {f"{local}{domain}" for domain in domains}
    return {*names, *(parts(name)[0] for name in names), *(f"*{domain}" for domain in domains)}


def evaluate(leads: Iterable[Lead], back: Mapping[str, tuple[str, ...]]) -> Iterator[Found]:
    """One for each address that mail comes back to. back: each of them with its way."""
    first: dict[str, Lead] = {}
    for one in leads:
        first.setdefault(one.source, one)
    homes = {one.source.rpartition("@")[2]: one.client for one in first.values()}
    for address, way in sorted(back.items()):
        lead, at = first[address], way.index(address)
        along = [*way[at + 1 :], *way[:at]]
        named = [one if homes.get(one.rpartition("@")[2]) == lead.client else ANOTHERS for one in along]
        by = ", ".join(dict.fromkeys(named)) or "itself"
        yield Found(
            "high", lead.noun, lead.id, address, f"Mail to {address} goes round and lands nowhere, by way of {by}",
            client=lead.client, domain=lead.domain, evidence={"address": address, "by": list(dict.fromkeys(named))},
        )  # fmt: skip


def check(standing: Standing) -> Check:
    """standing: which of some addresses mail comes back to, as the tracer has it."""

    def read(now: datetime) -> Iterator[Found]:
        leads = [Lead(*row) for row in ask(LEADING, now=now)]
        asked = sorted(may_come_back(leads))
        back: dict[str, tuple[str, ...]] = {}
        for at in range(0, len(asked), AT_ONCE):
            back |= standing(asked[at : at + AT_ONCE], now)
        return evaluate(leads, back)

    return Check("routes.loop", "Does mail of any address go round?", "RFC 5321, 6.3", 300, reading(read))
