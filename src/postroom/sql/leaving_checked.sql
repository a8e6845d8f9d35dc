-- Of how many mailboxes it is known what their scripts do, and of the others why not; one row a reason; and one for domains
-- of the same clients that are not seen, by which mail goes on unfollowed. A mailbox counts as
-- checked where its node has looked at all scripts within five minutes, after it was made, and could read all of its own.
-- An id tells when its row was made (UUIDv7, RFC 9562).
WITH seen AS MATERIALIZED (/*seen*/),
unread AS MATERIALIZED (
  SELECT mailbox_id, min(unreadable) AS why FROM sieve_scripts WHERE unreadable <> '' GROUP BY mailbox_id
),
looked AS MATERIALIZED (
  SELECT n.id, n.name, r.at, r.at > %(now)s - %(fresh)s AS fresh,
    (lpad(to_hex((extract(epoch FROM r.at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid AS made_before
  FROM nodes n LEFT JOIN sieve_reads r ON r.node_id = n.id
)
SELECT CASE WHEN c.node_id IS NULL THEN 'no node' WHEN l.at IS NULL THEN 'never' WHEN NOT l.fresh THEN 'long ago'
    WHEN d.proof <> 'read' THEN 'not there' WHEN m.id > l.made_before THEN 'new' WHEN u.why IS NOT NULL THEN 'unreadable'
    ELSE '' END AS reason,
  coalesce(l.name, '') AS node, l.at, coalesce(u.why, '') AS why, count(*), min(a.address COLLATE "C")
FROM mailboxes m JOIN addresses a ON a.id = m.address_id JOIN domains d ON d.id = a.domain_id JOIN clients c ON c.id = d.client_id
  LEFT JOIN looked l ON l.id = c.node_id LEFT JOIN unread u ON u.mailbox_id = m.id
WHERE m.removed_at IS NULL AND d.removed_at IS NULL AND c.removed_at IS NULL AND d.id IN (SELECT * FROM seen)
  AND (%(client)s = '' OR c.slug = %(client)s OR c.id::text = %(client)s)
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT 'not seen', '', NULL, '', 0, '' WHERE EXISTS (
  SELECT FROM domains o JOIN domains s ON s.client_id = o.client_id AND s.removed_at IS NULL JOIN clients c ON c.id = s.client_id
  WHERE s.id IN (SELECT * FROM seen) AND o.id NOT IN (SELECT * FROM seen) AND o.removed_at IS NULL
    AND (%(client)s = '' OR c.slug = %(client)s OR c.id::text = %(client)s))
ORDER BY 1, 2, 4
