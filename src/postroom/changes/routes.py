"""The rows that say where mail to some addresses goes: all that it can pass through, read in one query.

Under the row security of who acts. As far as that goes it is read whoever may look at each row: what rules.py makes of
it hides what is not to be shown.
"""

import json
from collections.abc import Collection

from postroom.access.known import ask
from postroom.models import Row

MOST = 3000  # addresses one reading follows; what lies behind is said not to be known

# An address with what it is looked up by; LIMIT ends what would go on for ever. How long an array is, is not guessed
# from what recursion might give, so each table is read by its index.
PARTS = """(SELECT r.address AS whole, split_part(r.address, '@', 2) AS domain,
    CASE WHEN position('+' IN split_part(r.address, '@', 1)) > 1
      THEN split_part(r.address, '+', 1) || '@' || split_part(r.address, '@', 2) ELSE r.address END AS bare,
    CASE WHEN position('+' IN split_part(r.address, '@', 1)) > 1
      THEN substr(split_part(r.address, '@', 1), position('+' IN r.address)) ELSE '' END AS extension) p"""
READ = f"""
WITH RECURSIVE reached(address) AS (
  SELECT one COLLATE "C" FROM unnest(%s::text[]) one
  UNION SELECT v.address COLLATE "C" FROM reached r CROSS JOIN LATERAL {PARTS} CROSS JOIN LATERAL (
    SELECT t.target FROM addresses a JOIN aliases l ON l.address_id = a.id, unnest(l.targets) t(target)
      WHERE a.address IN (p.whole, p.bare) AND l.removed_at IS NULL
    UNION ALL SELECT f."to" FROM addresses a JOIN forwards f ON f.address_id = a.id
      WHERE a.address IN (p.whole, p.bare) AND f.removed_at IS NULL AND f.disabled_at IS NULL
    UNION ALL SELECT s.one ->> 'to' FROM addresses a JOIN mailboxes m ON m.address_id = a.id
        JOIN sieve_scripts x ON x.mailbox_id = m.id, jsonb_array_elements(x.redirects) s(one)
      WHERE a.address IN (p.whole, p.bare) AND x.active AND position('@' IN s.one ->> 'to') > 1
    UNION ALL SELECT g.target FROM domains d JOIN catch_alls g ON g.domain_id = d.id
      WHERE d.name = p.domain AND g.removed_at IS NULL
    UNION ALL SELECT split_part(p.whole, '@', 1) || '@' || o.name FROM domains d JOIN domains o ON o.id = d.alias_of_id
      WHERE d.name = p.domain
  ) n CROSS JOIN LATERAL (
    VALUES (n.target), (split_part(n.target, '@', 1) || p.extension || '@' || split_part(n.target, '@', 2))
  ) v(address) WHERE length(v.address) <= 1000
), followed AS MATERIALIZED (
  SELECT r.address, p.whole, p.bare, p.domain FROM (SELECT * FROM reached LIMIT {MOST}) r CROSS JOIN LATERAL {PARTS}
), at AS MATERIALIZED (
  SELECT a.id, a.client_id, a.domain_id, a.address, a.keep_copy FROM addresses a
  WHERE a.address = ANY (ARRAY(SELECT whole FROM followed UNION SELECT bare FROM followed))
), in_ AS MATERIALIZED (
  SELECT d.id, d.client_id, d.name, d.proof, d.alias_of_id, d.removed_at FROM domains d
  WHERE d.name = ANY (ARRAY(SELECT domain FROM followed)) OR d.id = ANY (ARRAY(SELECT domain_id FROM at))
), boxes AS MATERIALIZED (
  SELECT m.id, m.client_id, m.address_id, m.vip, m.name, m.removed_at FROM mailboxes m
  WHERE m.address_id = ANY (ARRAY(SELECT id FROM at))
)
SELECT 'reached', jsonb_build_object('id', address) FROM followed
UNION ALL SELECT 'addresses', to_jsonb(at) FROM at
UNION ALL SELECT 'domains', to_jsonb(in_) FROM in_
UNION ALL SELECT 'mailboxes', to_jsonb(boxes) FROM boxes
UNION ALL SELECT 'domains', jsonb_build_object('id', o.id, 'client_id', o.client_id, 'name', o.name, 'proof', o.proof,
    'alias_of_id', o.alias_of_id, 'removed_at', o.removed_at) FROM domains o
  WHERE o.id = ANY (ARRAY(SELECT alias_of_id FROM in_))
UNION ALL SELECT 'clients', jsonb_build_object('id', c.id, 'removed_at', c.removed_at, 'node_id', c.node_id,
    'forward_allowed', c.forward_allowed, 'forward_forbidden', c.forward_forbidden) FROM clients c
  WHERE c.id = ANY (ARRAY(SELECT client_id FROM in_))
UNION ALL SELECT 'organizations', jsonb_build_object('id', o.id, 'forward_allowed', o.forward_allowed,
  'forward_forbidden', o.forward_forbidden)
  FROM organizations o
UNION ALL SELECT 'aliases', jsonb_build_object('id', l.id, 'client_id', l.client_id, 'address_id', l.address_id,
    'targets', l.targets, 'removed_at', l.removed_at) FROM aliases l WHERE l.address_id = ANY (ARRAY(SELECT id FROM at))
UNION ALL SELECT 'forwards', to_jsonb(f) FROM forwards f WHERE f.address_id = ANY (ARRAY(SELECT id FROM at))
UNION ALL SELECT 'catch_alls', to_jsonb(g) FROM catch_alls g WHERE g.domain_id = ANY (ARRAY(SELECT id FROM in_))
UNION ALL SELECT 'exceptions', to_jsonb(x) FROM exceptions x
  WHERE x.address_id = ANY (ARRAY(SELECT id FROM at)) AND x.ended_at IS NULL
UNION ALL SELECT 'redirect_stops', jsonb_build_object('id', s.id, 'mailbox_id', s.mailbox_id, 'target', s.target)
  FROM redirect_stops s WHERE s.mailbox_id = ANY (ARRAY(SELECT id FROM boxes)) AND s.ended_at IS NULL
UNION ALL SELECT 'transports', to_jsonb(t) FROM transports t
  WHERE t.address_id = ANY (ARRAY(SELECT id FROM at)) AND t.ended_at IS NULL
UNION ALL SELECT 'sieve_scripts', jsonb_build_object('id', s.id, 'mailbox_id', s.mailbox_id, 'name', s.name,
    'redirects', s.redirects, 'discards', s.discards, 'unreadable', s.unreadable, 'at', s.at, 'first', s.first)
  FROM sieve_scripts s
  WHERE s.mailbox_id = ANY (ARRAY(SELECT id FROM boxes)) AND (s.active OR s.name = '')
UNION ALL SELECT 'sieve_reads', jsonb_build_object('id', r.node_id, 'at', r.at) FROM sieve_reads r
  WHERE r.node_id = ANY (ARRAY(SELECT c.node_id FROM clients c WHERE c.id = ANY (ARRAY(SELECT client_id FROM boxes))))
"""


Facts = dict[str, dict[str, Row]]  # table → id → what matters of the row; `reached`: the addresses that were followed


def read(addresses: Collection[str]) -> Facts:
    """All that mail to these can come by. One query, whatever it passes through."""
    facts: Facts = {}
    for table, found in ask(READ, sorted(addresses)):
        row = json.loads(found)
        facts.setdefault(table, {})[str(row["id"])] = row
    return facts


# Whatever passes mail on at these clients, and back from some addresses along it. "*@name": any other address there.
BACK = """
WITH RECURSIVE asked AS (SELECT %s::text[] AS addresses, %s::uuid[] AS clients), passed AS MATERIALIZED (
  SELECT a.address AS source, t.target FROM aliases l JOIN addresses a ON a.id = l.address_id,
      unnest(l.targets) t(target)
    WHERE l.client_id = ANY ((SELECT clients FROM asked)::uuid[]) AND l.removed_at IS NULL
  UNION ALL SELECT a.address, f."to" FROM forwards f JOIN addresses a ON a.id = f.address_id
    WHERE f.client_id = ANY ((SELECT clients FROM asked)::uuid[]) AND f.removed_at IS NULL AND f.disabled_at IS NULL
  UNION ALL SELECT '*@' || d.name, g.target FROM catch_alls g JOIN domains d ON d.id = g.domain_id
    WHERE g.client_id = ANY ((SELECT clients FROM asked)::uuid[]) AND g.removed_at IS NULL
  UNION ALL SELECT a.address, s.one ->> 'to' FROM sieve_scripts x JOIN mailboxes m ON m.id = x.mailbox_id
      JOIN addresses a ON a.id = m.address_id, jsonb_array_elements(x.redirects) s(one)
    WHERE x.client_id = ANY ((SELECT clients FROM asked)::uuid[]) AND x.active
), led AS MATERIALIZED (  -- also where it comes without what stands after a +
  SELECT source, target FROM passed
  UNION ALL SELECT source, split_part(target, '+', 1) || '@' || split_part(target, '@', 2) FROM passed
    WHERE position('+' IN split_part(target, '@', 1)) > 1
), other AS MATERIALIZED (
  SELECT d.name, o.name AS of FROM domains d JOIN domains o ON o.id = d.alias_of_id
    WHERE d.client_id = ANY ((SELECT clients FROM asked)::uuid[]) AND d.removed_at IS NULL
), back(address) AS (
  SELECT unnest(addresses) COLLATE "C" FROM asked
  UNION SELECT v.source COLLATE "C" FROM back b CROSS JOIN LATERAL (
    SELECT p.source FROM led p WHERE p.target = b.address
    UNION ALL SELECT split_part(b.address, '@', 1) || '@' || o.name FROM other o
      WHERE o.of = split_part(b.address, '@', 2)
  ) v(source)
)
SELECT address FROM back, asked WHERE address <> ALL (addresses) LIMIT %s
"""


def leading_to(addresses: Collection[str], clients: Collection[str], *, most: int) -> list[str]:
    """By which other addresses of these clients mail may come to these, one way or another; at most so many. One
    query. Whether it does come there, trace() says."""
    return [str(address) for (address,) in ask(BACK, sorted(addresses), sorted(clients), most)]
