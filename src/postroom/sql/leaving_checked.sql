-- Of how many mailboxes it is known what their scripts do, and of the others why not; one row a reason; one for each node
-- that serves none of them and is silent, since what it has all the same nobody knows; and one for domains of the same
-- clients that are not seen, by which mail goes on unfollowed. A mailbox counts as checked where its node has looked at all
-- scripts within five minutes, after it was made, is not to look again for what came back since, and could read all of its own.
-- An id tells when its row was made (UUIDv7, RFC 9562).
WITH seen AS MATERIALIZED (/*seen*/),
unread AS MATERIALIZED (
  SELECT mailbox_id, min(unreadable) AS why FROM sieve_scripts WHERE unreadable <> '' GROUP BY mailbox_id
),
looked AS MATERIALIZED (
  SELECT n.id, n.name, r.at, r.at > %(now)s - %(fresh)s AS fresh,
    a.at IS NOT NULL AND a.answered_at IS NULL AS asked,
    (lpad(to_hex((extract(epoch FROM r.at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid AS made_before
  FROM nodes n LEFT JOIN sieve_reads r ON r.node_id = n.id LEFT JOIN sieve_asked a ON a.node_id = n.id
), homes AS MATERIALIZED (
  SELECT DISTINCT c.id, c.node_id FROM clients c JOIN domains d ON d.client_id = c.id
  WHERE c.removed_at IS NULL AND c.node_id IS NOT NULL AND d.removed_at IS NULL AND d.id IN (SELECT * FROM seen)
    AND (%(client)s = '' OR c.slug = %(client)s OR c.id::text = %(client)s)
)
SELECT CASE WHEN c.node_id IS NULL THEN 'no node' WHEN l.at IS NULL THEN 'never' WHEN NOT l.fresh THEN 'long ago'
    WHEN l.asked THEN 'asked'
    WHEN d.proof <> 'read' THEN 'not there' WHEN m.id > l.made_before THEN 'new' WHEN u.why IS NOT NULL THEN 'unreadable'
    ELSE '' END AS reason,
  coalesce(l.name, '') AS node, l.at, coalesce(u.why, '') AS why, count(*), min(a.address COLLATE "C")
FROM mailboxes m JOIN addresses a ON a.id = m.address_id JOIN domains d ON d.id = a.domain_id JOIN clients c ON c.id = d.client_id
  LEFT JOIN looked l ON l.id = c.node_id LEFT JOIN unread u ON u.mailbox_id = m.id
WHERE m.removed_at IS NULL AND d.removed_at IS NULL AND c.removed_at IS NULL AND d.id IN (SELECT * FROM seen)
  AND (%(client)s = '' OR c.slug = %(client)s OR c.id::text = %(client)s)
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT CASE WHEN l.at IS NULL THEN 'never' WHEN NOT l.fresh THEN 'long ago' ELSE 'asked' END, l.name, l.at, '', 0, ''
FROM looked l WHERE (l.at IS NULL OR NOT l.fresh OR l.asked) AND l.id IN (SELECT node_id FROM homes) AND NOT EXISTS (
  SELECT FROM homes h JOIN domains d ON d.client_id = h.id AND d.removed_at IS NULL AND d.id IN (SELECT * FROM seen)
    JOIN addresses a ON a.domain_id = d.id JOIN mailboxes m ON m.address_id = a.id AND m.removed_at IS NULL
  WHERE h.node_id = l.id)
UNION ALL
SELECT 'not seen', '', NULL, '', 0, '' WHERE EXISTS (
  SELECT FROM domains o JOIN domains s ON s.client_id = o.client_id AND s.removed_at IS NULL JOIN clients c ON c.id = s.client_id
  WHERE s.id IN (SELECT * FROM seen) AND o.id NOT IN (SELECT * FROM seen) AND o.removed_at IS NULL
    AND (%(client)s = '' OR c.slug = %(client)s OR c.id::text = %(client)s))
ORDER BY 1, 2, 4
