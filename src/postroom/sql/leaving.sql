-- Every way by which mail leaves a client, as queries/leaving.py asks for it: a page of them, worst first. Run as whoever
-- asks, under row security, and of the domains in `seen` alone, which are those that visible() gives them.
--   steps   each rule by which mail of an address goes on: forwards, aliases, catch-alls, and what active scripts do
--   reach   an address, and a step outside that its mail comes to, over up to fifty more steps of the same client, as many as Postfix takes
-- Outside is what is at no domain that a node serves for the same client, as mail is routed there by its MX. Of a domain
-- that none serves there is no rule: mail to it goes elsewhere, and by these comes nothing. The organization's own
-- postmaster is outside but for mail to role accounts, which lead to it of themselves (`ours`; RFC 2142): what others pass
-- on to such an account leaves there, by an exception of its own or none. models/routes.py says the same.
WITH RECURSIVE seen AS MATERIALIZED (/*seen*/),
dom AS MATERIALIZED (
  SELECT d.id, d.client_id, d.name, o.name AS alias_of, c.slug, c.name AS client, c.forward_allowed || g.forward_allowed AS allowed,
    c.forward_forbidden || g.forward_forbidden AS forbidden, g.postmaster
  FROM domains d JOIN clients c ON c.id = d.client_id CROSS JOIN organizations g LEFT JOIN domains o ON o.id = d.alias_of_id
  WHERE d.id IN (SELECT * FROM seen) AND d.removed_at IS NULL AND d.proof = 'read' AND c.removed_at IS NULL
    AND (%(client)s = '' OR c.slug = %(client)s OR c.id::text = %(client)s)
),
own AS MATERIALIZED (SELECT client_id, name FROM domains WHERE removed_at IS NULL AND proof = 'read'),
rules AS (
  SELECT 'forward' AS sort, 'f' || f.id AS key, f.id AS row, a.domain_id, a.id AS address_id, a.address AS source,
    f.to AS target, f.until, f.disabled_at, false AS conditional, NULL::boolean AS copy, '' AS script, f.made,
    NULL::bigint AS of, NULL::bigint AS n, '' AS anyway
  FROM forwards f JOIN addresses a ON a.id = f.address_id WHERE f.removed_at IS NULL AND f.until > %(now)s
UNION ALL
  SELECT 'alias', 'a' || l.id || '.' || t.n, l.id, a.domain_id, a.id, a.address, t.target, NULL, NULL, false, NULL, '', NULL, NULL, NULL, ''
  FROM aliases l JOIN addresses a ON a.id = l.address_id, unnest(l.targets) WITH ORDINALITY t(target, n)
  WHERE l.removed_at IS NULL
UNION ALL
  SELECT 'catch-all', 'c' || k.id, k.id, d.id, NULL, '@' || d.name, k.target, k.until, NULL, false, NULL, '', k.made, NULL, NULL, ''
  FROM catch_alls k JOIN domains d ON d.id = k.domain_id WHERE k.removed_at IS NULL AND k.until > %(now)s
UNION ALL
  SELECT 'transport', 't' || t.id, t.id, a.domain_id, a.id, a.address, t.host || ':' || t.port, t.until, NULL, false, false, '', t.made, NULL, NULL, ''
  FROM transports t JOIN addresses a ON a.id = t.address_id WHERE t.ended_at IS NULL AND t.until > %(now)s
UNION ALL
  SELECT CASE r.what ->> 'by' WHEN 'notify' THEN 'sieve notify' ELSE 'sieve redirect' END, 's' || s.id || '.' || r.n, NULL,
    a.domain_id, a.id, a.address, coalesce(r.what ->> 'to', ''), NULL, x.made, coalesce((r.what ->> 'conditional')::boolean, true),
    coalesce((r.what ->> 'copy')::boolean, false) OR r.what ->> 'by' = 'notify', s.name, s.first,
    CASE WHEN r.what ->> 'by' IS DISTINCT FROM 'notify' THEN s.id END, r.n, coalesce(r.what ->> 'anyway', '')
  FROM sieve_scripts s JOIN mailboxes m ON m.id = s.mailbox_id AND m.removed_at IS NULL
    JOIN addresses a ON a.id = m.address_id CROSS JOIN jsonb_array_elements(s.redirects) WITH ORDINALITY r(what, n)
    LEFT JOIN redirect_stops x ON x.mailbox_id = s.mailbox_id AND x.target = r.what ->> 'to' AND x.ended_at IS NULL
      AND r.what ->> 'by' IS DISTINCT FROM 'notify'
  WHERE s.active AND NOT EXISTS (  -- no mail comes by it of what is handed to another server
    SELECT FROM transports t WHERE t.address_id = a.id AND t.ended_at IS NULL AND t.until > %(now)s)
),
steps AS MATERIALIZED (
  SELECT r.*, d.client_id, r.disabled_at IS NOT NULL AS off, split_part(split_part(r.target, '@', -1), ':', 1) AS host,
    r.target = '' OR o.name IS NULL AS outside,
    o.name IS NULL AND r.target = d.postmaster AND split_part(r.source, '@', 1) IN ('postmaster', 'abuse') AS ours
  FROM rules r JOIN dom d ON d.id = r.domain_id
    LEFT JOIN own o ON o.client_id = d.client_id AND o.name = split_part(r.target, '@', -1)
),
excepted AS MATERIALIZED (
  SELECT DISTINCT ON (address_id, target) id, address_id, target, owner, until, reason, review_on
  FROM (SELECT id, address_id, target, owner, until, reason, review_on, ended_at FROM exceptions
    UNION ALL SELECT id, address_id, host || ':' || port, owner, until, reason, review_on, ended_at FROM transports) x
  WHERE ended_at IS NULL AND until > %(now)s ORDER BY address_id, target, until DESC
),
-- What a script would send on after a redirect that is refused of every message, where nothing it does stands by then
-- (protocols/kept.py). Refused for certain is what is stopped, comes back to itself, or leaves by nothing that lets it.
unsent AS MATERIALIZED (
  SELECT key FROM (
    SELECT key, n, min(n) FILTER (WHERE refused AND NOT conditional) OVER w AS ends, min(n) FILTER (WHERE NOT refused OR anyway <> '') OVER w AS stands
    FROM (
      SELECT s.key, s.of, s.n, s.conditional, s.anyway, s.off OR (s.target <> '' AND CASE
        WHEN NOT s.outside THEN s.source IN (s.target, split_part(s.target, '+', 1) || '@' || s.host)
        ELSE EXISTS (SELECT FROM unnest(d.forbidden) one WHERE one IN (s.target, s.host) OR (one = 'private providers' AND s.host = ANY (%(providers)s))
            OR (left(one, 2) = '*.' AND (s.host = substr(one, 3) OR right(s.host, length(one) - 1) = substr(one, 2))))
          OR NOT (EXISTS (SELECT FROM excepted p WHERE p.address_id = s.address_id AND p.target = s.target)
            OR EXISTS (SELECT FROM unnest(d.allowed) one WHERE one IN (s.target, s.host) OR (one = 'private providers' AND s.host = ANY (%(providers)s))
              OR (left(one, 2) = '*.' AND (s.host = substr(one, 3) OR right(s.host, length(one) - 1) = substr(one, 2))))) END) AS refused
      FROM steps s JOIN dom d ON d.id = s.domain_id WHERE s.of IS NOT NULL
    ) each WINDOW w AS (PARTITION BY of)
  ) o WHERE ends < n AND (stands IS NULL OR ends < stands)
),
onward AS MATERIALIZED (
  SELECT key, sort, domain_id, source, client_id,
    -- What is nobody's address there is caught, where all is.
    CASE WHEN '@' || host IN (SELECT source FROM steps WHERE sort = 'catch-all')
      AND named NOT IN (SELECT source FROM steps WHERE NOT off) AND NOT EXISTS (
        SELECT FROM addresses a JOIN mailboxes m ON m.address_id = a.id AND m.removed_at IS NULL WHERE a.address = named)
    THEN '@' || host ELSE named END AS look
  FROM steps CROSS JOIN LATERAL (  -- by what it is found: itself, or without what stands after a +
    SELECT CASE WHEN position('+' IN split_part(target, '@', 1)) > 1 AND target NOT IN (SELECT source FROM steps WHERE NOT off)
      AND NOT EXISTS (SELECT FROM addresses a JOIN mailboxes m ON m.address_id = a.id AND m.removed_at IS NULL WHERE a.address = target)
      THEN split_part(target, '+', 1) || '@' || host ELSE target END AS named) n
  WHERE NOT outside AND NOT off AND key NOT IN (SELECT key FROM unsent)
UNION ALL
  SELECT 'd' || id, 'domain alias', id, name, client_id, '@@' || alias_of FROM dom WHERE alias_of IS NOT NULL
),
-- filtered: a script sends it on after its first step, and in that mail's log nobody knows any more to whom it came first.
-- look: by what the next step finds it, its address, or its domain where that has an alias; one row of each.
reach AS (
  SELECT key AS entry, sort, domain_id, source, '' COLLATE "C" AS via, key AS exit, 0 AS hops, client_id, off,
    false AS filtered, ours, unnest(ARRAY[source, '@@' || split_part(source, '@', -1)]) AS look
  FROM steps WHERE outside
UNION
  SELECT n.key, n.sort, n.domain_id, to_.source, r.source, r.exit, r.hops + 1, r.client_id, false,
    r.filtered OR r.sort LIKE 'sieve%%', r.ours, unnest(ARRAY[to_.source, '@@' || split_part(to_.source, '@', -1)])
  FROM reach r JOIN onward n ON n.look = r.look AND n.client_id = r.client_id CROSS JOIN LATERAL (
    SELECT CASE n.sort WHEN 'domain alias' THEN split_part(r.source, '@', 1) || '@' || n.source ELSE n.source END AS source) to_
  WHERE r.hops < 50 AND NOT r.off
),
once AS (
  SELECT DISTINCT ON (entry, source, exit) entry, sort, domain_id, source, via, exit, hops, off, filtered
  FROM reach WHERE NOT (ours AND split_part(source, '@', 1) IN ('postmaster', 'abuse'))
  ORDER BY entry, source, exit, hops, via, filtered
),
judged AS MATERIALIZED (
  SELECT w.sort, w.source, w.via, w.hops, w.off, w.filtered OR w.sort = 'sieve notify' OR x.sort = 'sieve notify' AS filtered, x.sort AS leaves_by, x.key AS exit, w.entry, e.row, d.slug, d.client, d.id AS domain_id, d.client_id,
    e.address_id, x.source AS leaves_at, x.target, x.host,
    least(e.until, x.until) AS until, x.disabled_at, coalesce(e.made, x.made) AS made,
    x.conditional OR coalesce(e.conditional, false) AS conditional, e.copy, coalesce(e.script, '') AS script, x.host = ANY (%(providers)s)
      OR (x.sort = 'transport' AND EXISTS (SELECT FROM unnest(%(providers)s::text[]) v WHERE right(x.host, length(v) + 1) = '.' || v)) AS private,
    x.key IN (SELECT key FROM unsent) AS unsent, p.id AS exception, p.owner AS exception_owner, p.until AS exception_until, p.reason AS exception_reason, p.review_on AS exception_review_on,
    (SELECT one FROM unnest(d.forbidden) one WHERE one IN (x.target, x.host) OR (one = 'private providers' AND x.host = ANY (%(providers)s))
      OR (left(one, 2) = '*.' AND (x.host = substr(one, 3) OR right(x.host, length(one) - 1) = substr(one, 2)))
      OR (x.sort = 'transport' AND right(x.host, length(one) + 1) = '.' || one) LIMIT 1) AS forbidden,
    (SELECT one FROM unnest(d.allowed) one WHERE one IN (x.target, x.host) OR (one = 'private providers' AND x.host = ANY (%(providers)s))
      OR (left(one, 2) = '*.' AND (x.host = substr(one, 3) OR right(x.host, length(one) - 1) = substr(one, 2))) LIMIT 1) AS allowed
  FROM once w JOIN steps x ON x.key = w.exit JOIN dom d ON d.id = w.domain_id LEFT JOIN steps e ON e.key = w.entry
    LEFT JOIN excepted p ON p.address_id = CASE WHEN x.ours THEN e.address_id ELSE x.address_id END AND p.target = x.target
),
ranked AS (
  SELECT *, CASE WHEN off THEN 2
    WHEN unsent OR leaves_by LIKE 'sieve%%' AND target <> '' AND (forbidden IS NOT NULL OR (exception IS NULL AND allowed IS NULL)) THEN 1  -- its node stops it
    WHEN target = '' OR private OR forbidden IS NOT NULL THEN 0 WHEN exception IS NOT NULL THEN 1
    WHEN allowed IS NULL THEN 0 ELSE 2 END AS risk
  FROM judged
),
placed AS (
  SELECT *, (risk || ' ' || source || ' ' || entry || ' ' || exit) COLLATE "C" AS place FROM ranked
  WHERE (%(mechanism)s = '' OR sort = %(mechanism)s OR (%(mechanism)s = 'by way' AND hops > 0)) AND (%(risk)s < 0 OR risk = %(risk)s) AND (NOT %(private)s OR private)
    AND (NOT %(unexcepted)s OR exception IS NULL)
    AND (%(search)s = '' OR strpos(source || ' ' || target || ' ' || via || ' ' || leaves_at, %(search)s) > 0)
),
page AS MATERIALIZED (SELECT * FROM placed WHERE place > %(after)s ORDER BY place LIMIT %(limit)s),
alike AS MATERIALIZED (SELECT exit, count(*) AS ways FROM once WHERE exit IN (SELECT exit FROM page) GROUP BY exit)
SELECT p.place, p.sort, p.slug, p.client, p.source, p.via, p.hops, p.off, p.leaves_at, p.target, p.until, p.disabled_at, p.made,
  p.conditional, CASE WHEN p.copy IS NOT NULL THEN p.copy WHEN m.id IS NOT NULL THEN a.keep_copy END AS copy, p.script, p.private, p.exception, p.exception_owner,
  p.exception_until, p.exception_reason, p.exception_review_on, p.forbidden, CASE WHEN p.forbidden IS NULL THEN p.allowed END AS allowed, p.risk,
  CASE p.sort WHEN 'domain alias' THEN p.domain_id ELSE p.row END AS row, m.id AS mailbox, x.id AS leaves_box, p.client_id,
  p.domain_id, h.at AS last_hit, CASE WHEN NOT p.filtered THEN t.since END AS told_since, t.at AS told_at,
  p.leaves_by, s.ways, p.unsent
FROM page p JOIN alike s USING (exit) LEFT JOIN addresses a ON a.id = p.address_id LEFT JOIN mailboxes m ON m.address_id = a.id AND m.removed_at IS NULL
  LEFT JOIN addresses b ON b.address = p.leaves_at LEFT JOIN mailboxes x ON x.address_id = b.id AND x.removed_at IS NULL
  LEFT JOIN last_hits h ON h.source = p.source AND h.target = p.target AND h.domain_id = p.domain_id AND NOT p.filtered
  LEFT JOIN clients o ON o.id = p.client_id LEFT JOIN left_reads t ON t.node_id = o.node_id
ORDER BY p.place
