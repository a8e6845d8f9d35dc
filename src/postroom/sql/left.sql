-- By which ways mail left (models/left.py), as node_report hands it on. Run after nodes.sql; twice changes nothing.

-- Whether mail to a source of this client may leave to a target, by what stands there now: the target, empty where only a
-- script that works its target out leads there, nothing where it is no way. A source is an address the client has, that one
-- at a domain that stands for another of its domains, or @domain: so there are as many ways as the client itself made.
CREATE OR REPLACE FUNCTION postroom_leads(of_client uuid, source text, target text) RETURNS text STABLE LANGUAGE sql
BEGIN ATOMIC
  WITH RECURSIVE begins AS (
    SELECT postroom_leads.source COLLATE "C" AS address
    WHERE EXISTS (SELECT FROM addresses a WHERE a.address = postroom_leads.source AND a.client_id = of_client)
      OR (left(postroom_leads.source, 1) = '@' AND EXISTS (SELECT FROM domains d
        WHERE d.name = substr(postroom_leads.source, 2) AND d.client_id = of_client AND d.removed_at IS NULL))
      OR EXISTS (SELECT FROM domains d JOIN domains o ON o.id = d.alias_of_id
        JOIN addresses a ON a.domain_id = o.id AND a.address = split_part(postroom_leads.source, '@', 1) || '@' || o.name
        WHERE d.name = split_part(postroom_leads.source, '@', 2) AND d.client_id = of_client AND a.client_id = of_client)
  ), reached(address, worked_out, step) AS (
    SELECT address, false, 0 FROM begins
    UNION SELECT n.address COLLATE "C", n.worked_out, 1 FROM reached r CROSS JOIN LATERAL (
      SELECT CASE WHEN position('+' IN split_part(r.address, '@', 1)) > 1
        THEN split_part(r.address, '+', 1) || '@' || split_part(r.address, '@', 2) ELSE r.address END AS bare,
        split_part(r.address, '@', 1) AS local, split_part(r.address, '@', 2) AS domain) p CROSS JOIN LATERAL (
      SELECT t.target AS address, false AS worked_out FROM addresses a JOIN aliases l ON l.address_id = a.id,
          unnest(l.targets) t(target)
        WHERE a.address IN (r.address, p.bare) AND a.client_id = of_client AND l.removed_at IS NULL
      UNION ALL SELECT f."to", false FROM addresses a JOIN forwards f ON f.address_id = a.id
        WHERE a.address IN (r.address, p.bare) AND a.client_id = of_client AND f.removed_at IS NULL
      UNION ALL SELECT coalesce(s.one ->> 'to', ''), coalesce(s.one ->> 'to', '') = '' FROM addresses a
          JOIN mailboxes m ON m.address_id = a.id JOIN sieve_scripts x ON x.mailbox_id = m.id,
          jsonb_array_elements(x.redirects) s(one)
        WHERE a.address IN (r.address, p.bare) AND a.client_id = of_client AND x.active
          AND s.one ->> 'by' = 'redirect'
      UNION ALL SELECT t.host || ':' || t.port, false FROM addresses a JOIN transports t ON t.address_id = a.id
        WHERE a.address IN (r.address, p.bare) AND a.client_id = of_client AND t.ended_at IS NULL
      UNION ALL SELECT g.target, false FROM domains d JOIN catch_alls g ON g.domain_id = d.id
        WHERE d.name = p.domain AND d.client_id = of_client AND g.removed_at IS NULL
      UNION ALL SELECT p.local || '@' || o.name, false FROM domains d JOIN domains o ON o.id = d.alias_of_id
        WHERE d.name = p.domain AND d.client_id = of_client AND o.client_id = of_client
    ) n WHERE length(n.address) <= 1000
  ), few AS MATERIALIZED (SELECT * FROM reached LIMIT 3000)
  SELECT CASE WHEN bool_or(f.address = postroom_leads.target AND f.step > 0 AND f.address <> '') THEN postroom_leads.target
    WHEN bool_or(f.worked_out) THEN '' END FROM few f;
END;

-- Rows {{source, target, at}}, of clients that this node serves alone; and one {{"whole": true, since, at}} where the node
-- has read all its logs hold. What is no way of the client's is dropped, whoever says that mail left by it.
CREATE OR REPLACE FUNCTION postroom_left(me uuid, rows jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO last_hits AS h (at, client_id, domain_id, source, target)
    SELECT max(w.at), w.client, w.domain, w.source, w.way FROM (
      SELECT postroom_moment(r.at) AS at, c.id AS client, d.id AS domain, r.source,
        postroom_leads(c.id, r.source, r.target) AS way
      FROM (SELECT * FROM jsonb_to_recordset(rows) AS r (source text, target text, at float8) LIMIT 2000) r
        JOIN domains d ON d.name = split_part(r.source, '@', 2) AND d.removed_at IS NULL
        JOIN clients c ON c.id = d.client_id AND c.node_id = me
      WHERE r.target <> '' AND r.at > extract(epoch FROM now() - interval '365 days')) w
    WHERE w.way IS NOT NULL GROUP BY 2, 3, 4, 5
    ON CONFLICT (source, target) DO UPDATE SET at = excluded.at, client_id = excluded.client_id,
      domain_id = excluded.domain_id
      WHERE h.at < excluded.at OR h.client_id <> excluded.client_id;
  INSERT INTO left_reads AS k (at, node_id, since)
    SELECT postroom_moment(r.at), me, postroom_moment(r.since)
    FROM jsonb_to_recordset(rows) AS r (whole boolean, at float8, since float8)
    WHERE r.whole AND r.at > 0 AND r.at < 1e11 AND r.since > 0 AND r.since < 1e11 LIMIT 1  -- nothing that nobody can read
    ON CONFLICT (node_id) DO UPDATE SET at = excluded.at, since = excluded.since;
END $$;
REVOKE ALL ON FUNCTION postroom_leads(uuid, text, text), postroom_left(uuid, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_leads(uuid, text, text), postroom_left(uuid, jsonb) TO postroom_system;
