-- What a mail node serves, compiled; and the four functions that are all a node may do. A node is known by
-- the role it signed in with. Run after install.sql; twice changes nothing.

-- Who signs in to another mailbox and has this right at that one: the addresses, each with the latest of its ends.
CREATE OR REPLACE FUNCTION postroom_delegates(of_mailbox uuid, wanted text) RETURNS TABLE (login text, until bigint)
  STABLE LANGUAGE sql
BEGIN ATOMIC
  SELECT a.address, CASE WHEN bool_and(g.until IS NOT NULL) THEN max(extract(epoch FROM g.until)::bigint) END
    FROM delegations g JOIN mailboxes m ON m.id = g.to_mailbox_id AND m.removed_at IS NULL
      JOIN addresses a ON a.id = m.address_id
    WHERE g.mailbox_id = of_mailbox AND wanted = ANY (g.rights) AND g.started_at IS NOT NULL AND g.ended_at IS NULL
    GROUP BY a.address ORDER BY a.address;
END;
REVOKE ALL ON FUNCTION postroom_delegates(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_delegates(uuid, text) TO postroom_system;
-- Row security and rights are those of who asks: postroom_system, inside the functions below.
-- A pattern of protocols/patterns.py as a node has it: an address, @domain, @.domain for all below it too, or @private.
CREATE OR REPLACE FUNCTION postroom_pattern(p text) RETURNS text IMMUTABLE LANGUAGE sql
  RETURN CASE WHEN p LIKE '*.%' THEN '@' || substr(p, 2) WHEN p LIKE '%@%' THEN p
    WHEN p = 'private providers' THEN '@private' ELSE '@' || p END;
-- When a node says that something was, in seconds since 1970: never to come, and never what nobody can read, as one row with such
-- a time would be on everybody's lists (not a number is more than every number).
CREATE OR REPLACE FUNCTION postroom_moment(said float8) RETURNS timestamptz STABLE LANGUAGE sql
  RETURN CASE WHEN said > 0 AND said < 1e11 THEN least(now(), to_timestamp(said)) ELSE now() END;
CREATE OR REPLACE VIEW compiled WITH (security_invoker = true) AS
  SELECT 'domain'::text AS object, d.id, c.node_id, d.client_id,
    CASE WHEN d.proof = 'read' AND d.removed_at IS NULL AND c.removed_at IS NULL THEN
      jsonb_build_object('maps', jsonb_build_object(
        'domain', jsonb_build_array(jsonb_build_object('name', d.name, 'client', d.client_id)),
        'alias_domain', CASE WHEN o.id IS NULL THEN '[]' ELSE jsonb_build_array(
          jsonb_build_object('name', d.name, 'target', o.name, 'until', NULL)) END,
        'route', CASE WHEN g.id IS NULL THEN '[]' ELSE jsonb_build_array(jsonb_build_object(
          'source', '@' || d.name, 'destination', g.target, 'until', extract(epoch FROM g.until)::bigint)) END,
        'allowed', (
          SELECT coalesce(jsonb_agg(jsonb_build_object('source', '@' || d.name, 'target', postroom_pattern(p), 'until', NULL)
            ORDER BY p), '[]')
          FROM (SELECT unnest(c.forward_allowed) UNION SELECT unnest(forward_allowed) FROM organizations) one(p)),
        'forbidden', (
          SELECT coalesce(jsonb_agg(jsonb_build_object('source', '@' || d.name, 'target', postroom_pattern(p))
            ORDER BY p), '[]')
          FROM (SELECT unnest(c.forward_forbidden) UNION SELECT unnest(forward_forbidden) FROM organizations) one(p))))
    END AS compiled
  FROM domains d JOIN clients c ON c.id = d.client_id
    LEFT JOIN domains o ON o.id = d.alias_of_id AND o.proof = 'read' AND o.removed_at IS NULL
    LEFT JOIN catch_alls g ON g.domain_id = d.id AND g.removed_at IS NULL
UNION ALL
  SELECT 'address', a.id, c.node_id, a.client_id,
    CASE WHEN d.proof = 'read' AND d.removed_at IS NULL AND c.removed_at IS NULL
        AND (m.id IS NOT NULL OR l.id IS NOT NULL OR goes.on_ OR h.id IS NOT NULL) THEN
      jsonb_build_object(
        'maps', jsonb_build_object(
          'mailbox', CASE WHEN m.id IS NULL THEN '[]' ELSE jsonb_build_array(
            jsonb_build_object('address', a.address, 'quota_mb', m.quota_mb, 'until', NULL)) END,
          'route', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('source', a.address, 'destination', t.to_, 'until', t.until)), '[]')
            FROM (SELECT a.address AS to_, NULL::bigint AS until
                    WHERE m.id IS NOT NULL AND ((l.id IS NULL AND NOT goes.on_) OR a.keep_copy)
                  UNION ALL SELECT unnest(l.targets), NULL
                  UNION ALL SELECT a.address, h.ends WHERE h.id IS NOT NULL  -- it is taken, for the other server
                    AND NOT (m.id IS NOT NULL AND ((l.id IS NULL AND NOT goes.on_) OR a.keep_copy))
                  UNION ALL (SELECT f.to, extract(epoch FROM f.until)::bigint FROM forwards f
                    WHERE f.address_id = a.id AND f.removed_at IS NULL AND f.disabled_at IS NULL ORDER BY 1)) t),
          'allowed', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('source', a.address, 'target', x.target, 'until', x.until)), '[]')
            FROM (SELECT x.target, max(extract(epoch FROM x.until)::bigint) AS until FROM exceptions x
              WHERE x.address_id = a.id AND x.ended_at IS NULL GROUP BY 1 ORDER BY 1) x),
          'login', CASE WHEN m.id IS NULL THEN '[]' ELSE jsonb_build_array(
            jsonb_build_object('address', a.address, 'sign_in', may.sign_in::int, 'access_epoch', m.access_epoch,
              'until', NULL)) END,
          'consent', CASE WHEN may.sign_in THEN (
            SELECT coalesce(jsonb_agg(jsonb_build_object('address', a.address, 'cred', k.id, 'subject', m.id,
              'protocols', array_to_string(k.protocols, ' '), 'access_epoch', k.access_epoch,
              'until', extract(epoch FROM k.until)::bigint) ORDER BY k.id), '[]')
            FROM credentials k WHERE k.mailbox_id = m.id AND k.sort = 'oauth' AND k.ended_at IS NULL) ELSE '[]' END,
          'sender', CASE WHEN may.sign_in THEN jsonb_build_array(
            jsonb_build_object('sender', a.address, 'login', a.address, 'until', NULL)) ELSE '[]' END
            || CASE WHEN may.stands THEN (
            SELECT coalesce(jsonb_agg(jsonb_build_object('sender', a.address, 'login', g.login, 'until', g.until)), '[]')
            FROM postroom_delegates(m.id, 'send-as') g) ELSE '[]' END,
          'behalf', CASE WHEN may.stands THEN (
            SELECT coalesce(jsonb_agg(jsonb_build_object('sender', a.address, 'login', g.login, 'until', g.until)), '[]')
            FROM postroom_delegates(m.id, 'send-on-behalf') g) ELSE '[]' END)
          -- Only where there is one: an agent that has not been restarted yet refuses an object with a table it lacks.
          || coalesce((
            SELECT jsonb_build_object('opens', jsonb_agg(jsonb_build_object('address', a.address, 'login', g.login,
              'until', g.until, 'rights', CASE WHEN m.kind IN ('shared', 'role') THEN 'lrwstipek' ELSE 'lr' END)))
            FROM postroom_delegates(m.id, 'open') g WHERE may.stands HAVING count(*) > 0), jsonb_build_object())
          || coalesce((
            SELECT jsonb_build_object('forbidden', jsonb_agg(jsonb_build_object('source', a.address, 'target', x.target)
              ORDER BY x.target))
            FROM redirect_stops x WHERE x.mailbox_id = m.id AND x.ended_at IS NULL HAVING count(*) > 0), jsonb_build_object())
          || CASE WHEN h.id IS NULL THEN jsonb_build_object() ELSE jsonb_build_object('handed', jsonb_build_array(
            jsonb_build_object('address', a.address, 'host', h.host, 'port', h.port, 'tls', (h.tls = 'required')::int,
              'until', h.ends))) END,
        'secrets', jsonb_build_object(
          'password', CASE WHEN may.sign_in THEN (
            SELECT coalesce(jsonb_agg(jsonb_build_object('address', a.address, 'hash', s.value, 'until', NULL,
              'app_only', CASE WHEN c.app_passwords_only THEN 1 END)), '[]')
            FROM secrets s WHERE s.owner_row = m.id AND s.purpose = 'password') ELSE '[]' END,
          'app', CASE WHEN may.sign_in THEN (
            SELECT coalesce(jsonb_agg(jsonb_build_object('address', a.address, 'cred', k.id, 'sha256', s.value,
              'protocols', array_to_string(k.protocols, ' '), 'access_epoch', k.access_epoch,
              'until', extract(epoch FROM k.until)::bigint) ORDER BY k.id), '[]')
            FROM credentials k JOIN secrets s ON s.owner_row = k.id AND s.purpose = 'app password'
            WHERE k.mailbox_id = m.id AND k.ended_at IS NULL) ELSE '[]' END))
    END
  FROM addresses a
    JOIN domains d ON d.id = a.domain_id
    JOIN clients c ON c.id = a.client_id
    LEFT JOIN mailboxes m ON m.address_id = a.id AND m.removed_at IS NULL
    LEFT JOIN aliases l ON l.address_id = a.id AND l.removed_at IS NULL
    LEFT JOIN (SELECT id, address_id, host, port, tls, extract(epoch FROM until)::bigint AS ends FROM transports
      WHERE ended_at IS NULL) h ON h.address_id = a.id
    CROSS JOIN LATERAL (
      SELECT EXISTS (SELECT FROM forwards f WHERE f.address_id = a.id AND f.removed_at IS NULL AND f.disabled_at IS NULL)
        AS on_) goes
    CROSS JOIN LATERAL (
      SELECT s.stands, s.stands AND m.kind <> 'shared' AS sign_in FROM (
        SELECT m.id IS NOT NULL AND m.suspended_at IS NULL
          AND d.suspended_at IS NULL AND c.suspended_at IS NULL AS stands) s) may
UNION ALL
  SELECT 'key', k.id, c.node_id, k.client_id,
    CASE WHEN k.activated_at IS NOT NULL AND k.retired_at IS NULL AND k.revoked_at IS NULL
        AND d.removed_at IS NULL AND c.removed_at IS NULL THEN (
      SELECT jsonb_build_object('keys', jsonb_build_object('key', jsonb_build_array(jsonb_build_object(
        'domain', d.name, 'selector', k.selector, 'algorithm', k.algorithm, 'sealed', s.value,
        'since', extract(epoch FROM k.activated_at)::bigint))))
      FROM secrets s WHERE s.owner_row = k.id AND s.purpose = 'private key')
    END
  FROM dkim_keys k JOIN domains d ON d.id = k.domain_id JOIN clients c ON c.id = k.client_id
UNION ALL
  SELECT 'filter', f.id, c.node_id, f.client_id,
    CASE WHEN d.proof = 'read' AND d.removed_at IS NULL AND c.removed_at IS NULL AND m.removed_at IS NULL
        AND (script.text <> '' OR NOT f.active) THEN
      jsonb_build_object('secrets', jsonb_build_object('filter', jsonb_build_array(jsonb_build_object(
        'address', a.address, 'revision', f.revision, 'active', f.active::int, 'clears', f.clears::int,
        'digest', encode(sha256(convert_to(script.text, 'UTF8')), 'hex'),
        'script', translate(encode(convert_to(script.text, 'UTF8'), 'base64'), E'\n', '')))))
    END
  FROM filters f JOIN mailboxes m ON m.id = f.mailbox_id JOIN addresses a ON a.id = m.address_id
    JOIN domains d ON d.id = a.domain_id JOIN clients c ON c.id = f.client_id
    CROSS JOIN LATERAL (
      SELECT CASE WHEN NOT f.active THEN '' WHEN f.text <> '' THEN f.text ELSE coalesce(
        (SELECT s.value FROM secrets s WHERE s.owner_row = f.id AND s.purpose = 'filter'), '') END AS text) script
UNION ALL
  SELECT 'token key', k.id, n.id, NULL, jsonb_build_object('maps', jsonb_build_object('token_key', jsonb_build_array(
      jsonb_build_object('kid', k.kid, 'public', k.public, 'issuer', k.issuer,
        'until', extract(epoch FROM k.until)::bigint))))
  FROM token_keys k CROSS JOIN nodes n WHERE n.removed_at IS NULL;
GRANT SELECT ON compiled TO postroom_system;
REVOKE ALL ON compiled FROM postroom_app;

CREATE OR REPLACE FUNCTION postroom_this_node() RETURNS uuid STABLE LANGUAGE sql
  RETURN (SELECT id FROM nodes WHERE role = session_user);

-- One statement, one snapshot: a todo row that is seen comes with the object as that change left it. An object
-- that is gone, or that another node serves now, compiles to nothing here. `compiled` is asked in a sub-select for
-- each object by its key: joined to it, all that the node serves would be compiled first.
CREATE OR REPLACE FUNCTION node_pull(at_most int DEFAULT 1000)
  RETURNS TABLE (todo bigint, object text, id uuid, change uuid, compiled jsonb)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT t.id, t.object, t.object_id, t.change_id,
    (SELECT v.compiled FROM compiled v WHERE v.object = t.object AND v.id = t.object_id AND v.node_id = t.node_id)
  FROM (SELECT * FROM node_todo WHERE node_id = postroom_this_node() ORDER BY id LIMIT at_most) t
  ORDER BY t.id;
END;

-- Strikes rows off this node's list and keeps what was read back, a list as long as the array of answers each;
-- the worker compares it and moves the stage.
CREATE OR REPLACE FUNCTION node_ack(todos bigint[], evidence jsonb) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  struck bigint;
BEGIN
  WITH gone AS (
    DELETE FROM node_todo t WHERE t.node_id = postroom_this_node() AND t.id = ANY (todos) RETURNING t.*
  ), kept AS (
    INSERT INTO evidence (at, node_id, client_id, change_id, object, object_id, found)
      SELECT now(), g.node_id, c.client_id, g.change_id, g.object, g.object_id, coalesce(evidence -> (said.n - 1)::int, '[]')
      FROM gone g JOIN changes c ON c.id = g.change_id
        JOIN unnest(todos) WITH ORDINALITY said(todo, n) ON said.todo = g.id
  ) SELECT count(*) INTO struck FROM gone;
  IF struck > 0 THEN
    PERFORM pg_notify('postroom_worker', 'ack');
  END IF;
  RETURN struck;
END $$;

-- What the node tells. Sign-ins, sessions, scripts and last hits are of mailboxes it serves, whatever it says; what became of a letter, or
-- a probe, is of whoever knows its token; all else is of itself.
CREATE OR REPLACE FUNCTION node_report(what text, rows jsonb) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  me uuid := postroom_this_node();
BEGIN
  IF me IS NULL THEN
    RETURN;
  ELSIF what = 'sign-ins' THEN
    PERFORM postroom_sign_ins(me, rows);
  ELSIF what = 'sessions' THEN
    PERFORM postroom_sessions(me, rows);
  ELSIF what = 'returns' THEN
    PERFORM postroom_returns(rows);
  ELSIF what = 'sieve' THEN
    PERFORM postroom_sieve(me, rows);
  ELSIF what = 'probes' THEN
    PERFORM postroom_probes(me, rows);
  ELSIF what = 'left' THEN
    PERFORM postroom_left(me, rows);
  ELSE
    INSERT INTO reports (at, node_id, sort, facts) SELECT now(), me, what, r FROM jsonb_array_elements(rows) r;
  END IF;
END $$;

-- Mailboxes of these addresses that this node serves.
CREATE OR REPLACE FUNCTION postroom_served(me uuid, names text[])
  RETURNS TABLE (address text, mailbox uuid, domain uuid, client uuid) STABLE LANGUAGE sql
BEGIN ATOMIC
  SELECT a.address, m.id, a.domain_id, a.client_id
    FROM addresses a JOIN mailboxes m ON m.address_id = a.id JOIN clients c ON c.id = a.client_id AND c.node_id = me
    WHERE a.address = ANY (names);
END;
-- Sign-ins, and tries. A row that came before is known by its number. Of who was there before nobody is told: of the
-- first place of a mailbox, and of a network and a program it has each seen. Names of nobody are counted on the node.
CREATE OR REPLACE FUNCTION postroom_sign_ins(me uuid, rows jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s record;
BEGIN
  FOR s IN
    WITH said AS (
      SELECT r.*, postroom_moment(r.at) AS moment FROM jsonb_to_recordset(rows) AS r (number bigint, at float8,
        login text, protocol text, address text, network text, success boolean, refused boolean, credential text,
        session text, program text, times int)
    ), kept AS (
      INSERT INTO sign_ins (at, client_id, domain_id, mailbox_id, node_id, number, protocol, address, network, success,
          refused, credential, session, program, times)
        SELECT d.moment, v.client, v.domain, v.mailbox, me, d.number, d.protocol, d.address, d.network, d.success,
          d.refused, d.credential, d.session, d.program, d.times
        FROM said d JOIN postroom_served(me, (SELECT array_agg(login) FROM said)) v ON v.address = d.login
        WHERE d.moment > now() - interval '90 days' ORDER BY d.number
        ON CONFLICT (node_id, number) DO NOTHING RETURNING *
    ) SELECT * FROM kept k WHERE k.success AND k.network <> '' ORDER BY k.number
  LOOP
    UPDATE sign_in_places p SET last = greatest(p.last, s.at)
      WHERE p.mailbox_id = s.mailbox_id AND p.network = s.network AND p.program = s.program;
    IF NOT FOUND THEN
      INSERT INTO sign_in_places (at, client_id, domain_id, mailbox_id, network, program, protocol, address, last, told_to,
          wanted)
        SELECT s.at, s.client_id, s.domain_id, s.mailbox_id, s.network, s.program, s.protocol, s.address, s.at, '{{}}',
          bool_or(true) IS TRUE AND (bool_or(p.network = s.network) IS NOT TRUE
            OR (s.program <> '' AND bool_or(p.program = s.program) IS NOT TRUE))
        FROM sign_in_places p WHERE p.mailbox_id = s.mailbox_id
        ON CONFLICT (mailbox_id, network, program) DO NOTHING;
    END IF;
  END LOOP;
  INSERT INTO reports (at, node_id, sort, facts)
    SELECT now(), me, 'unknown sign-ins', jsonb_build_object('failed', r -> 'unknown', 'dropped', r -> 'dropped')
    FROM jsonb_array_elements(rows) r WHERE r ->> 'login' = '';
END $$;
-- Sessions that are open: one row {{"whole": true}} where the others are all there are; else those that began since the
-- last report, and the keys of those that ended. That it was told is a report of its own: what is older is not known.
CREATE OR REPLACE FUNCTION postroom_sessions(me uuid, rows jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM jsonb_array_elements(rows) r WHERE (r ->> 'whole')::boolean) THEN
    DELETE FROM live_sessions l WHERE l.node_id = me AND l.key NOT IN (
      SELECT r ->> 'key' FROM jsonb_array_elements(rows) r WHERE r ->> 'key' IS NOT NULL);
  END IF;
  DELETE FROM live_sessions l WHERE l.node_id = me
    AND l.key IN (SELECT r ->> 'ended' FROM jsonb_array_elements(rows) r WHERE r ->> 'ended' IS NOT NULL);
  INSERT INTO live_sessions (at, client_id, domain_id, mailbox_id, node_id, key, protocol, address, credential, since)
    SELECT now(), v.client, v.domain, v.mailbox, me, r.key, r.protocol, r.address, r.credential, postroom_moment(r.since)
    FROM jsonb_to_recordset(rows) AS r (login text, key text, protocol text, address text, credential text, since float8)
      JOIN postroom_served(me, (SELECT array_agg(x ->> 'login') FROM jsonb_array_elements(rows) x)) v ON v.address = r.login
    WHERE r.key IS NOT NULL
    ON CONFLICT (node_id, key) DO NOTHING;
  INSERT INTO reports (at, node_id, sort, facts)
    SELECT now(), me, 'sessions', jsonb_build_object('open', (SELECT count(*) FROM live_sessions WHERE node_id = me));
END $$;
-- What mail servers say of our own letters. It is by its token that a letter is known, whichever node it came back to. That
-- it came back is the last word; that it waits says nothing of one that was taken. In a stranger's words, cut short.
CREATE OR REPLACE FUNCTION postroom_returns(rows jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  r record;
BEGIN
  FOR r IN
    SELECT d.token, left(d.said, 500) AS said, substring(d.status FROM '^[245]\.\d{{1,3}}\.\d{{1,3}}$') AS status,
      CASE d.action WHEN 'failed' THEN 'bounced' WHEN 'delayed' THEN 'delayed' WHEN 'delivered' THEN 'accepted'
        WHEN 'relayed' THEN 'accepted' WHEN 'expanded' THEN 'accepted' END AS state
    FROM jsonb_to_recordset(rows) AS d (token text, action text, status text, said text)
  LOOP
    UPDATE mailed m SET state = r.state, status = coalesce(r.status, ''), said = coalesce(r.said, ''), said_at = now()
      WHERE m.token = encode(sha256(convert_to(r.token, 'UTF8')), 'hex') AND r.state IS NOT NULL
        AND m.state <> 'bounced' AND (r.state <> 'delayed' OR m.state NOT IN ('accepted', 'refused'));
  END LOOP;
END $$;
-- Sieve scripts: a row a mailbox with all it has now, each with what was read of it; `first` stays while its text does. A row
-- {{"whole": true}} ends a look at every mailbox: how many there were, and which could not be read; asked: the numbers on its
-- list by which it was asked to look, and did after it had seen them. A row without a name says of a mailbox that it could
-- not be read; what is known of its scripts is older then.
CREATE OR REPLACE FUNCTION postroom_sieve(me uuid, rows jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  r record;
BEGIN
  FOR r IN
    WITH said AS (SELECT d.value AS said, d.n FROM jsonb_array_elements(rows) WITH ORDINALITY d(value, n))
    SELECT v.*, d.said -> 'scripts' AS scripts, postroom_moment((d.said ->> 'at')::float8) AS at
      FROM said d JOIN postroom_served(me, (SELECT array_agg(said ->> 'login') FROM said)) v ON v.address = d.said ->> 'login'
      WHERE jsonb_typeof(d.said -> 'scripts') = 'array' ORDER BY d.n
  LOOP
    DELETE FROM sieve_scripts k WHERE k.mailbox_id = r.mailbox
      AND k.name NOT IN (SELECT coalesce(s ->> 'name', '') FROM jsonb_array_elements(r.scripts) s WHERE s ->> 'name' <> '');
    INSERT INTO sieve_scripts AS k (at, client_id, domain_id, mailbox_id, node_id, name, active, digest, text, cut, redirects,
        vacation, discards, unreadable, first)
      SELECT DISTINCT ON (s.name) r.at, r.client, r.domain, r.mailbox, me, s.name, coalesce(s.active, false),
        coalesce(s.digest, ''), coalesce(s.text, ''), coalesce(s.cut, false), coalesce(s.redirects, '[]'),
        coalesce(s.vacation, false), coalesce(s.discards, ''), coalesce(s.unreadable, 'the node did not say what it does'), r.at
      FROM jsonb_to_recordset(r.scripts) AS s (name text, active boolean, digest text, text text, cut boolean,
        redirects jsonb, vacation boolean, discards text, unreadable text)
      WHERE s.name <> ''
      ON CONFLICT (mailbox_id, name) DO UPDATE SET at = excluded.at, client_id = excluded.client_id,
        domain_id = excluded.domain_id, node_id = excluded.node_id, active = excluded.active, digest = excluded.digest,
        text = excluded.text, cut = excluded.cut, redirects = excluded.redirects, vacation = excluded.vacation,
        discards = excluded.discards, unreadable = excluded.unreadable, first = CASE WHEN k.digest = excluded.digest THEN k.first ELSE excluded.first END;
  END LOOP;
  SELECT postroom_moment((d.value ->> 'at')::float8) AS at, (d.value ->> 'mailboxes')::int AS mailboxes,
      d.value -> 'unread' AS unread, d.value -> 'asked' AS asked INTO r
    FROM jsonb_array_elements(rows) WITH ORDINALITY d(value, n)
    WHERE (d.value ->> 'whole')::boolean AND jsonb_typeof(d.value -> 'unread') = 'array' ORDER BY d.n DESC LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  DELETE FROM sieve_scripts k WHERE k.node_id = me AND k.name = '' AND k.mailbox_id NOT IN (SELECT v.mailbox
    FROM postroom_served(me, (SELECT array_agg(u ->> 'login') FROM jsonb_array_elements(r.unread) u)) v);
  INSERT INTO sieve_scripts (at, client_id, domain_id, mailbox_id, node_id, name, active, digest, text, cut, redirects,
      vacation, discards, unreadable, first)
    SELECT DISTINCT ON (v.mailbox) r.at, v.client, v.domain, v.mailbox, me, '', false, '', '', false, '[]', false, '',
      coalesce(u.why, ''), r.at
    FROM jsonb_to_recordset(r.unread) AS u (login text, why text)
      JOIN postroom_served(me, (SELECT array_agg(x ->> 'login') FROM jsonb_array_elements(r.unread) x)) v ON v.address = u.login
    ON CONFLICT (mailbox_id, name) DO UPDATE SET at = excluded.at, unreadable = excluded.unreadable, node_id = excluded.node_id;
  INSERT INTO sieve_reads (at, node_id, mailboxes, unread) VALUES (r.at, me, r.mailboxes, jsonb_array_length(r.unread))
    ON CONFLICT (node_id) DO UPDATE SET at = excluded.at, mailboxes = excluded.mailboxes, unread = excluded.unread;
  WITH struck AS (
    DELETE FROM node_todo t WHERE t.node_id = me AND t.object = 'scripts' AND jsonb_typeof(r.asked) = 'array'
      AND r.asked @> to_jsonb(t.id) RETURNING t.node_id
  ) UPDATE sieve_asked a SET answered_at = now() FROM struck s WHERE a.node_id = s.node_id;
END $$;
-- Where a probe ended: by its token it is known, whichever node tells, and for a day. What is at a domain of its client is told
-- as it is, of mailboxes by the node that serves them. All else is outside: at another client's domain no word of a server is
-- kept; and where mail is computed to go to another client, what is told of it, or of any place outside that was not
-- computed, is not kept: it may be behind that client or a leak, so those places are not known, and stay so.
CREATE OR REPLACE FUNCTION postroom_probes(me uuid, rows jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  r record;
  theirs record;
  server text;
  others text[];
BEGIN
  FOR r IN
    SELECT p.id, p.client_id, p.domain_id, c.node_id = me AS served, d.what, d.address, split_part(d.address, '@', 2) AS domain,
      NULL::uuid AS of, left(coalesce(d.folder, ''), 300) AS folder, left(coalesce(d.said, ''), 300) AS said,
      coalesce(substring(d.status FROM '^[245]\.\d{{1,3}}\.\d{{1,3}}$'), '') AS status, postroom_moment(d.at) AS at
    FROM jsonb_to_recordset(rows) AS d (number bigint, at float8, token text, what text, address text, folder text,
        status text, said text)
      JOIN mailed m ON m.token = encode(sha256(convert_to(d.token, 'UTF8')), 'hex')
      JOIN probes p ON p.id = m.object AND p.made > now() - interval '1 day' JOIN clients c ON c.id = p.client_id
    WHERE d.what IN ('mailbox', 'outside', 'refused', 'discarded', 'waiting') AND d.address <> '' AND d.at IS NOT NULL
    ORDER BY d.number
  LOOP
    SELECT d.id, d.client_id INTO theirs FROM domains d WHERE d.name = r.domain AND d.removed_at IS NULL;
    IF theirs.client_id = r.client_id THEN
      IF r.what IN ('outside', 'waiting', 'refused') THEN  -- of what is handed to another server, that one did it
        SELECT t.host || ':' || t.port INTO server FROM transports t JOIN addresses a ON a.id = t.address_id
          WHERE t.ended_at IS NULL AND a.address IN (r.address, split_part(r.address, '+', 1) || '@' || r.domain);
        CONTINUE WHEN server IS NULL AND r.what = 'outside';
        r.address := coalesce(server, r.address);
      END IF;
      CONTINUE WHEN r.what IN ('mailbox', 'discarded') AND r.served IS NOT TRUE;
      r.of := theirs.id;
    ELSE
      IF r.what IN ('mailbox', 'discarded') THEN
        r.what := 'outside';
      END IF;
      IF theirs.id IS NOT NULL THEN
        r.folder := ''; r.said := ''; r.status := '';
      END IF;
      SELECT array_agg(l.address) INTO others FROM probe_landings l
        JOIN domains d ON d.name = split_part(l.address, '@', 2) AND d.removed_at IS NULL AND d.client_id <> r.client_id
        WHERE l.probe_id = r.id AND l.predicted AND l.sort IN ('outside', 'unknown');
      IF NOT EXISTS (SELECT FROM probe_landings l WHERE l.probe_id = r.id AND l.predicted AND l.sort IN ('outside', 'unknown')
          AND l.address = r.address AND (r.what = 'refused' OR others IS NULL OR l.address <> ALL (others))) THEN
        IF others IS NOT NULL THEN
          UPDATE probe_landings l SET sort = 'unknown', why = 'it is another client''s: where mail goes from there is not shown'
            WHERE l.probe_id = r.id AND l.predicted AND l.sort = 'outside' AND l.address = ANY (others);
          CONTINUE;
        ELSIF theirs.id IS NOT NULL THEN
          r.address := '';
        END IF;
      END IF;
    END IF;
    CONTINUE WHEN r.what IN ('waiting', 'discarded') AND EXISTS (SELECT FROM probe_landings l
      WHERE l.probe_id = r.id AND l.address = r.address AND l.seen_at IS NOT NULL AND l.sort NOT IN ('waiting', 'discarded'));
    UPDATE probe_landings l SET seen_at = NULL, status = '', said = ''
      WHERE l.probe_id = r.id AND l.address = r.address AND l.sort IN ('waiting', 'discarded') AND l.predicted;
    DELETE FROM probe_landings l
      WHERE l.probe_id = r.id AND l.address = r.address AND l.sort IN ('waiting', 'discarded') AND NOT l.predicted;
    INSERT INTO probe_landings AS l (at, client_id, domain_id, probe_id, of, sort, address, predicted, sometimes, why, seen_at,
        folder, status, said)
      VALUES (r.at, r.client_id, r.domain_id, r.id, r.of, r.what, r.address, false, false, '', r.at, r.folder, r.status, r.said)
      ON CONFLICT (probe_id, sort, address) DO UPDATE SET seen_at = coalesce(l.seen_at, excluded.seen_at),
        status = excluded.status, said = excluded.said,
        folder = CASE WHEN l.folder IN ('', excluded.folder) OR position(', ' || excluded.folder || ',' IN ', ' || l.folder || ',') > 0
          THEN coalesce(nullif(l.folder, ''), excluded.folder) ELSE left(l.folder || ', ' || excluded.folder, 600) END;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION postroom_probes(uuid, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_probes(uuid, jsonb) TO postroom_system;
REVOKE ALL ON FUNCTION postroom_served(uuid, text[]), postroom_sign_ins(uuid, jsonb), postroom_sessions(uuid, jsonb),
  postroom_returns(jsonb), postroom_sieve(uuid, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_served(uuid, text[]), postroom_sign_ins(uuid, jsonb), postroom_sessions(uuid, jsonb),
  postroom_returns(jsonb), postroom_sieve(uuid, jsonb) TO postroom_system;

-- Puts all its objects back on its list: a file was lost, or the node is new.
CREATE OR REPLACE FUNCTION node_rebuild() RETURNS bigint
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  WITH put AS (
    INSERT INTO node_todo (node_id, object, object_id)
      SELECT v.node_id, v.object, v.id FROM compiled v WHERE v.node_id = postroom_this_node() AND v.compiled IS NOT NULL
      RETURNING 1
  ) SELECT count(*) FROM put;
END;
ALTER FUNCTION node_pull(int) OWNER TO postroom_system;
ALTER FUNCTION node_ack(bigint[], jsonb) OWNER TO postroom_system;
ALTER FUNCTION node_report(text, jsonb) OWNER TO postroom_system;
ALTER FUNCTION node_rebuild() OWNER TO postroom_system;
REVOKE ALL ON FUNCTION node_pull(int), node_ack(bigint[], jsonb), node_report(text, jsonb), node_rebuild() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION node_pull(int), node_ack(bigint[], jsonb), node_report(text, jsonb), node_rebuild()
  TO postroom_node;

-- A node serves clients whoever runs the service may not see, where one closed itself: who asks of a whole node sees all.
CREATE OR REPLACE FUNCTION postroom_of_all() RETURNS boolean STABLE LANGUAGE sql
  RETURN postroom_everything() AND postroom_without() = '{{}}';

-- For the worker, which compares: what a node said of each object of a change, the newest it said of that object,
-- and the object as it is compiled now, without any hash, script or sealed key. Only for who may see everything.
CREATE OR REPLACE FUNCTION postroom_read_back(change uuid, node uuid)
  RETURNS TABLE (object text, id uuid, said jsonb, newest jsonb, compiled jsonb, overtaken boolean)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  WITH read AS MATERIALIZED (
    SELECT e.id AS place, e.object, e.object_id, e.found,
      (SELECT l.found FROM evidence l WHERE l.node_id = e.node_id AND l.object_id = e.object_id
        ORDER BY l.id DESC LIMIT 1) AS newest,
      (SELECT c.compiled FROM compiled c
        WHERE c.object = e.object AND c.id = e.object_id AND c.node_id = e.node_id) AS compiled,
      EXISTS (SELECT FROM node_todo t WHERE t.node_id = e.node_id AND t.object_id = e.object_id) AS overtaken
    FROM evidence e
    WHERE e.change_id = postroom_read_back.change AND e.node_id = postroom_read_back.node AND postroom_of_all()
  )
  SELECT r.object, r.object_id, r.found, r.newest,
    r.compiled
      || jsonb_build_object('secrets', jsonb_build_object('password', (
        SELECT coalesce(jsonb_agg(p - 'hash'), '[]')
        FROM jsonb_array_elements(r.compiled -> 'secrets' -> 'password') p), 'app', (
        SELECT coalesce(jsonb_agg(k - 'sha256'), '[]')
        FROM jsonb_array_elements(r.compiled -> 'secrets' -> 'app') k), 'filter', (
        SELECT coalesce(jsonb_agg(k - 'script'), '[]')
        FROM jsonb_array_elements(r.compiled -> 'secrets' -> 'filter') k)))
      || jsonb_build_object('keys', jsonb_build_object('key', (
        SELECT coalesce(jsonb_agg(k - 'sealed'), '[]')
        FROM jsonb_array_elements(r.compiled -> 'keys' -> 'key') k))),
    r.overtaken
  FROM read r
  ORDER BY r.object, r.object_id, r.place;
END;
ALTER FUNCTION postroom_read_back(uuid, uuid) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_read_back(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_read_back(uuid, uuid) TO postroom_app;

-- Is what a node serves what is compiled? An object's rows as text that both sides can make: a line a row, `file table`
-- and then its columns by name, those without a value left out; objects are sorted into 256 buckets by their ids.
CREATE OR REPLACE FUNCTION postroom_lines(compiled jsonb) RETURNS TABLE (file text, line text) IMMUTABLE LANGUAGE sql
BEGIN ATOMIC
  SELECT f.key, concat_ws(E'\x1f', f.key, t.key,
      (SELECT string_agg(c.key || '=' || c.value, E'\x1f' ORDER BY c.key COLLATE "C")
        FROM jsonb_each_text(r.value) c WHERE c.value IS NOT NULL))
    FROM jsonb_each(compiled) f, jsonb_each(f.value) t, jsonb_array_elements(t.value) r;
END;
CREATE OR REPLACE FUNCTION postroom_digest(compiled jsonb) RETURNS text IMMUTABLE LANGUAGE sql
BEGIN ATOMIC
  SELECT encode(sha256(convert_to(string_agg(DISTINCT l.line COLLATE "C", E'\n' ORDER BY l.line COLLATE "C"), 'UTF8')), 'hex')
    FROM postroom_lines(compiled) l;
END;
CREATE OR REPLACE FUNCTION postroom_bucket(id uuid) RETURNS text IMMUTABLE LANGUAGE sql
  RETURN substr(md5(id::text), 1, 2);

-- Buckets of a node that are not as it last reported them, those first that it told object by object longest ago, or
-- never; the node is asked, on its list, for what is in the first few.
CREATE OR REPLACE FUNCTION postroom_differing(node uuid, reported jsonb, ask int) RETURNS TABLE (bucket text)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  differing text[];
BEGIN
  IF NOT postroom_of_all() THEN
    RETURN;
  END IF;
  WITH object AS MATERIALIZED (
    SELECT v.id, postroom_digest(v.compiled) AS digest FROM compiled v WHERE v.node_id = node AND v.compiled IS NOT NULL
  ), mine AS (
    SELECT postroom_bucket(o.id) AS bucket, encode(sha256(convert_to(
        string_agg(o.id || ' ' || o.digest, E'\n' ORDER BY o.id::text COLLATE "C"), 'UTF8')), 'hex') AS digest
      FROM object o WHERE o.digest IS NOT NULL GROUP BY 1
  ), told AS (
    SELECT r.facts ->> 'bucket' AS bucket, max(r.at) AS at FROM reports r
      WHERE r.node_id = node AND r.sort = 'objects' GROUP BY 1
  )
  SELECT coalesce(array_agg(d.bucket ORDER BY told.at NULLS FIRST, d.bucket), '{{}}') INTO differing
    FROM (SELECT coalesce(m.bucket, t.key) AS bucket
      FROM mine m FULL JOIN jsonb_each_text(reported) t ON t.key = m.bucket WHERE m.digest IS DISTINCT FROM t.value) d
    LEFT JOIN told ON told.bucket = d.bucket;
  INSERT INTO node_todo (node_id, object, object_id)
    SELECT node, 'bucket', (lpad(b, 32, '0'))::uuid FROM unnest(differing[:ask]) b
    WHERE NOT EXISTS (SELECT FROM node_todo t WHERE t.node_id = node AND t.object = 'bucket'
      AND t.object_id = (lpad(b, 32, '0'))::uuid);
  IF differing <> '{{}}' THEN
    NOTIFY postroom_node;
  END IF;
  RETURN QUERY SELECT unnest(differing);
END $$;

-- Objects of a bucket that are not on the node as compiled, from what it said of each at a time. Not those on its list,
-- or taken off it since. Hashes and sealed keys are compared, and told by their digests alone.
-- id: as the node wrote it, where nothing of the kind is compiled.
CREATE OR REPLACE FUNCTION postroom_drifted(node uuid, which text, said jsonb, said_at timestamptz)
  RETURNS TABLE (id text, client uuid, object text, wanted jsonb, wanted_digests jsonb)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  WITH here AS MATERIALIZED (
    SELECT v.id, v.client_id, v.object, v.compiled FROM compiled v
      WHERE v.node_id = node AND postroom_bucket(v.id) = which AND v.compiled IS NOT NULL AND postroom_of_all()
  ), files AS (
    SELECT h.id, jsonb_object_agg(d.file, d.digest) AS digests FROM here h, LATERAL (
      SELECT f.key AS file, postroom_digest(jsonb_build_object(f.key, f.value)) AS digest FROM jsonb_each(h.compiled) f) d
      WHERE d.digest IS NOT NULL GROUP BY 1
  )
  SELECT coalesce(h.id::text, s.key), h.client_id, h.object, h.compiled -> 'maps', f.digests
    FROM (here h JOIN files f ON f.id = h.id) FULL JOIN jsonb_each(said) s ON s.key = h.id::text
    WHERE postroom_of_all() AND f.digests IS DISTINCT FROM (s.value -> 'digests')
      AND NOT EXISTS (SELECT FROM node_todo t WHERE t.node_id = node AND t.object_id::text = coalesce(h.id::text, s.key)
        AND t.object <> 'bucket')  -- which is numbered like ids, and 00 like the node's own
      AND NOT EXISTS (SELECT FROM evidence e WHERE e.node_id = node AND e.object_id::text = coalesce(h.id::text, s.key)
        AND e.at >= said_at)
    ORDER BY 1;
END;
ALTER FUNCTION postroom_differing(uuid, jsonb, int) OWNER TO postroom_system;
ALTER FUNCTION postroom_drifted(uuid, text, jsonb, timestamptz) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_differing(uuid, jsonb, int), postroom_drifted(uuid, text, jsonb, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_differing(uuid, jsonb, int), postroom_drifted(uuid, text, jsonb, timestamptz)
  TO postroom_app;
