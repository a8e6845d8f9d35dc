-- Put on after every migration, by postroom_owner; running it twice changes nothing. nodes.sql follows.

GRANT USAGE ON SCHEMA public TO postroom_app, postroom_node;
GRANT USAGE, CREATE ON SCHEMA public TO postroom_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO postroom_app, postroom_system;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO postroom_app, postroom_system;
GRANT TRUNCATE ON {state} TO postroom_system;

-- What is in the record stays as it is.
REVOKE UPDATE, DELETE ON entries, places, edits FROM postroom_app;

-- The application writes secrets and never reads them.
REVOKE SELECT, UPDATE ON secrets FROM postroom_app;
GRANT SELECT ({secret_columns}) ON secrets TO postroom_app;

-- State is written inside apply, or not at all.
CREATE OR REPLACE FUNCTION postroom_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('postroom.change', true), '') = '' THEN
    RAISE EXCEPTION '% on % outside a change', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NULL;
END $$;

-- A login follows its person's address, in the transaction that changes it; links asked for before are void by it.
CREATE OR REPLACE FUNCTION postroom_follow_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE account_emailaddress e SET email = NEW.email FROM logins l WHERE l.person_id = NEW.id AND e.user_id = l.id;
  UPDATE logins SET email = NEW.email, changed_at = clock_timestamp() WHERE person_id = NEW.id;
  RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS postroom_follow_address ON people;
CREATE TRIGGER postroom_follow_address AFTER UPDATE ON people FOR EACH ROW
  WHEN (OLD.email IS DISTINCT FROM NEW.email) EXECUTE FUNCTION postroom_follow_address();

-- Who is asking, and what that lets this transaction see. All of it ends with the transaction.
--   clients     where they hold anything      whole    of these, where the whole record is theirs
--   domains     the single domains they hold something at
--   everything  the organization and every client, but for those `without` that closed themselves to it
--   own         of a mailbox's owner: the mailbox, its address and its app passwords, whose secrets name them
CREATE OR REPLACE FUNCTION postroom_scope() RETURNS uuid[] STABLE LANGUAGE sql
  RETURN coalesce(nullif(current_setting('postroom.clients', true), ''), '{{}}')::uuid[];
CREATE OR REPLACE FUNCTION postroom_whole() RETURNS uuid[] STABLE LANGUAGE sql
  RETURN coalesce(nullif(current_setting('postroom.whole', true), ''), '{{}}')::uuid[];
CREATE OR REPLACE FUNCTION postroom_domains() RETURNS uuid[] STABLE LANGUAGE sql
  RETURN coalesce(nullif(current_setting('postroom.domains', true), ''), '{{}}')::uuid[];
CREATE OR REPLACE FUNCTION postroom_without() RETURNS uuid[] STABLE LANGUAGE sql
  RETURN coalesce(nullif(current_setting('postroom.without', true), ''), '{{}}')::uuid[];
CREATE OR REPLACE FUNCTION postroom_everything() RETURNS boolean STABLE LANGUAGE sql
  RETURN current_setting('postroom.everything', true) IS NOT DISTINCT FROM 'yes';
CREATE OR REPLACE FUNCTION postroom_person() RETURNS uuid STABLE LANGUAGE sql
  RETURN nullif(current_setting('postroom.person', true), '')::uuid;
CREATE OR REPLACE FUNCTION postroom_own() RETURNS uuid[] STABLE LANGUAGE sql
  RETURN coalesce(nullif(current_setting('postroom.own', true), ''), '{{}}')::uuid[];

-- What somebody holds now, by themselves or (token) by a token of theirs; worked out here, from the grants as they stand,
-- so that no caller can name a scope of their own. A row `closed` is no role: a client that closed itself to whoever runs
-- the service, by whose roles nothing is reached there but by a sealed login's.
DROP FUNCTION IF EXISTS postroom_grants(uuid) CASCADE;
-- In plpgsql, which keeps a plan for the session; a function in SQL is planned anew at every page.
CREATE INDEX IF NOT EXISTS clients_shut ON clients (id) WHERE closed_at IS NOT NULL;
CREATE OR REPLACE FUNCTION postroom_holds(who uuid, token uuid)
  RETURNS TABLE (role text, client_id uuid, domain_id uuid, permissions text[], narrowed text[])
  STABLE LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH standing AS (
    SELECT g.role, g.client_id, g.domain_id, p.client_id AS home FROM grants g JOIN people p ON p.id = g.person_id
    WHERE g.person_id = postroom_holds.who AND g.ended_at IS NULL AND (g.until IS NULL OR g.until > clock_timestamp())
      AND p.suspended_at IS NULL AND p.removed_at IS NULL
  ), shut AS (
    SELECT c.id FROM clients c WHERE c.closed_at IS NOT NULL
      AND EXISTS (SELECT FROM standing s WHERE s.home IS DISTINCT FROM c.id)
      AND NOT EXISTS (SELECT FROM standing s WHERE s.role = 'break-glass')
  )
  SELECT s.role, coalesce(s.client_id, t.client), s.domain_id, r.permissions, k.permissions
    FROM standing s LEFT JOIN roles r ON r.name = s.role AND r.ended_at IS NULL
    LEFT JOIN api_tokens k ON k.id = postroom_holds.token AND k.person_id = postroom_holds.who AND k.ended_at IS NULL
      AND k.until > clock_timestamp()
    LEFT JOIN LATERAL unnest(k.clients) t(client) ON true
    WHERE (postroom_holds.token IS NULL OR k.id IS NOT NULL)
      AND (t.client IS NULL OR s.client_id IS NULL OR s.client_id = t.client)
      AND (coalesce(s.client_id, t.client) IS NULL OR coalesce(s.client_id, t.client) NOT IN (SELECT id FROM shut))
  UNION ALL SELECT 'closed', id, NULL, NULL, NULL FROM shut;
END $$;
-- Takes the scope, and answers what is held: the grants are read once.
DROP FUNCTION IF EXISTS postroom_enter(uuid);
DROP FUNCTION IF EXISTS postroom_enter(uuid, uuid);
CREATE FUNCTION postroom_enter(who uuid, token uuid)
  RETURNS TABLE (role text, client_id uuid, domain_id uuid, permissions text[], narrowed text[])
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH h AS MATERIALIZED (
    SELECT * FROM postroom_holds(postroom_enter.who, postroom_enter.token)
  ), scope AS MATERIALIZED (
    SELECT set_config('postroom.person', postroom_enter.who::text, true),
      set_config('postroom.everything',
        CASE WHEN bool_or(role <> 'closed' AND client_id IS NULL) THEN 'yes' ELSE 'no' END, true),
      set_config('postroom.clients', coalesce(
        array_agg(DISTINCT client_id) FILTER (WHERE role <> 'closed' AND client_id IS NOT NULL), '{{}}')::text, true),
      set_config('postroom.whole', coalesce(
        array_agg(DISTINCT client_id) FILTER (WHERE role <> 'closed' AND client_id IS NOT NULL AND domain_id IS NULL),
        '{{}}')::text, true),
      set_config('postroom.domains',
        coalesce(array_agg(DISTINCT domain_id) FILTER (WHERE domain_id IS NOT NULL), '{{}}')::text, true),
      set_config('postroom.without', coalesce(array_agg(client_id) FILTER (WHERE role = 'closed'), '{{}}')::text, true)
      FROM h
  ) SELECT h.* FROM scope LEFT JOIN h ON true;  -- where nothing is held: a row without a role
END $$;
-- A job, the clock and an approval see the client of their change and nothing else.
DROP FUNCTION IF EXISTS postroom_enter_change(uuid);
CREATE OR REPLACE FUNCTION postroom_enter_change(which uuid)
  RETURNS TABLE (sort text, person uuid, name text, token uuid, mailbox uuid)
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT set_config('postroom.person', coalesce(proposer_id::text, ''), true),
    set_config('postroom.everything', CASE WHEN client_id IS NULL THEN 'yes' ELSE 'no' END, true),
    set_config('postroom.clients', coalesce('{{' || client_id || '}}', '{{}}'), true),
    set_config('postroom.whole', coalesce('{{' || client_id || '}}', '{{}}'), true)
    FROM changes WHERE id = which;
  SELECT c.actor, p.id, coalesce(p.name, c.actor), c.token_id, c.mailbox_id FROM changes c LEFT JOIN people p ON p.id = c.proposer_id
    WHERE c.id = which;
END;
-- Whoever holds a link is its owner, and sees the one client it belongs to. Nothing is said of a wrong one.
CREATE OR REPLACE FUNCTION postroom_enter_link(hashed text) RETURNS TABLE (invite uuid, mailbox uuid, person uuid)
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT set_config('postroom.person', coalesce(i.person_id::text, ''), true),
    set_config('postroom.everything', CASE WHEN i.client_id IS NULL THEN 'yes' ELSE 'no' END, true),
    set_config('postroom.clients', coalesce('{{' || i.client_id || '}}', '{{}}'), true),
    set_config('postroom.whole', coalesce('{{' || i.client_id || '}}', '{{}}'), true)
    FROM secrets s JOIN invites i ON i.id = s.owner_row WHERE s.purpose = 'link' AND s.value = hashed;
  SELECT i.id, i.mailbox_id, i.person_id FROM secrets s JOIN invites i ON i.id = s.owner_row
    WHERE s.purpose = 'link' AND s.value = hashed;
END;
-- A mailbox, by its id or its address, if its owner may sign in to it now: the nodes compile it by the same words
-- (nodes.sql). behind: its node has not taken yet what changed last, so a password that it knows may be an old one.
-- code: whose hash has to be its recovery code's; none: it is not asked.
DROP FUNCTION IF EXISTS postroom_owner(uuid, text, text);
CREATE OR REPLACE FUNCTION postroom_owner(which uuid, named text, code text) RETURNS TABLE (mailbox uuid, address_id uuid,
    address text, client uuid, client_name text, name text, epoch int, behind boolean, app_passwords uuid[],
    organization text)
  STABLE LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT m.id, a.id, a.address, m.client_id, c.name, m.name, m.access_epoch,
      EXISTS (SELECT FROM node_todo t WHERE t.object_id = a.id AND t.node_id = c.node_id),
      ARRAY(SELECT k.id FROM credentials k WHERE k.mailbox_id = m.id), (SELECT n.name FROM organizations n)
    FROM mailboxes m JOIN addresses a ON a.id = m.address_id JOIN domains d ON d.id = a.domain_id
      JOIN clients c ON c.id = m.client_id
    WHERE m.id = coalesce(which, (SELECT n.id FROM addresses b JOIN mailboxes n ON n.address_id = b.id
        WHERE b.address = named))
      AND m.removed_at IS NULL AND m.suspended_at IS NULL AND m.kind <> 'shared' AND d.proof = 'read'
      AND d.removed_at IS NULL AND d.suspended_at IS NULL AND c.removed_at IS NULL AND c.suspended_at IS NULL
      AND (code IS NULL OR EXISTS (
        SELECT FROM secrets s WHERE s.owner_row = m.id AND s.purpose = 'recovery code' AND s.value = code));
END $$;
-- Whoever signed in to a mailbox with its own password sees it and its address, and nothing else of any client; nothing
-- at all once its access ended since (its epoch moved). So does whoever has its recovery code, by the code's hash.
DROP FUNCTION IF EXISTS postroom_enter_owner(uuid, int, text);
CREATE OR REPLACE FUNCTION postroom_enter_owner(which uuid, since int, code text) RETURNS TABLE (mailbox uuid, address_id uuid,
    address text, client uuid, client_name text, name text, epoch int, behind boolean, app_passwords uuid[],
    organization text)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH o AS MATERIALIZED (
    SELECT * FROM postroom_owner(which, NULL, code) WHERE epoch = since
  ), scope AS MATERIALIZED (
    SELECT set_config('postroom.person', '', true), set_config('postroom.everything', 'no', true),
      set_config('postroom.clients', '{{}}', true), set_config('postroom.whole', '{{}}', true),
      set_config('postroom.domains', '{{}}', true), set_config('postroom.without', '{{}}', true),
      set_config('postroom.own', (ARRAY[mailbox, address_id] || app_passwords)::text, true)
      FROM o
  ) SELECT o.* FROM scope, o;
END $$;
-- An address without what stands after a + in it, as mail to it is delivered (RFC 5233). A + in front begins nothing.
CREATE OR REPLACE FUNCTION postroom_named(address text) RETURNS text IMMUTABLE LANGUAGE sql
  RETURN regexp_replace(address, '^([^+@]+)[+][^@]*@', '\1@');
-- What of its client brings mail to that mailbox, also by way of others: aliases, forwards, catch-alls (as @domain), and the
-- same addresses of domains that are aliases; for nobody but its owner. Each is followed once, so a loop ends.
CREATE OR REPLACE FUNCTION postroom_own_leads() RETURNS TABLE (id uuid, address text)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE mine AS (
    SELECT a.id, a.client_id, a.address FROM addresses a WHERE a.id = (SELECT (postroom_own())[2])
  ), passed AS MATERIALIZED (
    SELECT l.id, b.address, postroom_named(t.target) AS target FROM mine m JOIN aliases l ON l.client_id = m.client_id
      JOIN addresses b ON b.id = l.address_id, unnest(l.targets) t(target) WHERE l.removed_at IS NULL
    UNION ALL SELECT f.id, b.address, postroom_named(f."to") FROM mine m JOIN forwards f ON f.client_id = m.client_id
      JOIN addresses b ON b.id = f.address_id
      WHERE f.removed_at IS NULL AND f.disabled_at IS NULL AND f.until > clock_timestamp()
    UNION ALL SELECT g.id, '@' || d.name, postroom_named(g.target) FROM mine m JOIN catch_alls g ON g.client_id = m.client_id
      JOIN domains d ON d.id = g.domain_id WHERE g.removed_at IS NULL AND g.until > clock_timestamp()
  ), leads AS (
    SELECT p.id, p.address FROM mine m JOIN passed p ON p.target = m.address
    UNION SELECT p.id, p.address FROM leads s JOIN passed p ON p.target = s.address
  ), named AS (
    SELECT s.id, s.address FROM leads s UNION SELECT m.id, m.address FROM mine m
  )
  SELECT s.id, s.address FROM leads s
  UNION SELECT n.id, split_part(n.address, '@', 1) || '@' || d.name FROM named n
    JOIN domains o ON o.name = split_part(n.address, '@', 2) JOIN domains d ON d.alias_of_id = o.id
    WHERE n.address NOT LIKE '@%' AND d.removed_at IS NULL;
END;
-- Each of them by its address, and at how many other addresses its mail lands too: lands are those that pass it no further.
DROP FUNCTION IF EXISTS postroom_own_aliases();
CREATE FUNCTION postroom_own_aliases() RETURNS TABLE (id uuid, address text, others int)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE mine AS (
    SELECT a.client_id, a.address FROM addresses a WHERE a.id = (SELECT (postroom_own())[2])
  ), passed AS MATERIALIZED (
    SELECT l.id, b.address, postroom_named(t.target) AS target FROM mine m JOIN aliases l ON l.client_id = m.client_id
      JOIN addresses b ON b.id = l.address_id, unnest(l.targets) t(target) WHERE l.removed_at IS NULL
    UNION ALL SELECT f.id, b.address, postroom_named(f."to") FROM mine m JOIN forwards f ON f.client_id = m.client_id
      JOIN addresses b ON b.id = f.address_id
      WHERE f.removed_at IS NULL AND f.disabled_at IS NULL AND f.until > clock_timestamp()
  ), leads AS MATERIALIZED (
    SELECT o.id, o.address FROM postroom_own_leads() o
  ), ends AS (
    SELECT s.id, p.target FROM leads s JOIN passed p ON p.id = s.id
    UNION SELECT e.id, p.target FROM ends e JOIN passed p ON p.address = e.target
  ), lands AS MATERIALIZED (  -- once for all of them, and not for each: a chain of hundreds took minutes
    (SELECT p.target FROM passed p EXCEPT SELECT q.address FROM passed q) EXCEPT SELECT m.address FROM mine m
  ), counted AS MATERIALIZED (
    SELECT e.id, count(*)::int AS n FROM ends e JOIN lands l ON l.target = e.target GROUP BY e.id
  )
  SELECT s.id, s.address, coalesce(c.n, 0) FROM leads s LEFT JOIN counted c ON c.id = s.id ORDER BY s.address;
END;
-- Who holds a role that reaches that mailbox: names of its client's own people, of whoever runs the service how many; for
-- nobody but its owner. permissions: of a role of the organization's own.
CREATE OR REPLACE FUNCTION postroom_own_keepers() RETURNS TABLE (role text, permissions text[], name text, people bigint)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT g.role, r.permissions, CASE WHEN p.client_id = m.client_id THEN p.name END, count(DISTINCT p.id)
    FROM mailboxes m JOIN addresses a ON a.id = m.address_id JOIN clients c ON c.id = m.client_id
      JOIN grants g ON (g.client_id IS NULL OR g.client_id = m.client_id)
        AND (g.domain_id IS NULL OR g.domain_id = a.domain_id)
      JOIN people p ON p.id = g.person_id LEFT JOIN roles r ON r.name = g.role AND r.ended_at IS NULL
    WHERE m.id = (SELECT (postroom_own())[1]) AND g.ended_at IS NULL AND (g.until IS NULL OR g.until > clock_timestamp())
      AND p.suspended_at IS NULL AND p.removed_at IS NULL
      AND (c.closed_at IS NULL OR p.client_id = m.client_id OR g.role = 'break-glass')
    GROUP BY 1, 2, 3 ORDER BY 3 NULLS LAST, 1;
END;
-- Delegations of that mailbox and to it that have not ended: the address of the other one, and who asked, where it was not
-- the owner who gets it; for nobody but its owner.
CREATE OR REPLACE FUNCTION postroom_own_delegations() RETURNS TABLE (id uuid, address text, asked_by text)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT g.id, a.address, p.name
    FROM delegations g
      JOIN mailboxes m ON m.id = CASE WHEN g.mailbox_id = (SELECT (postroom_own())[1]) THEN g.to_mailbox_id ELSE g.mailbox_id END
      JOIN addresses a ON a.id = m.address_id LEFT JOIN people p ON p.id = g.requester_id
    WHERE (SELECT (postroom_own())[1]) IN (g.mailbox_id, g.to_mailbox_id) AND g.ended_at IS NULL
    ORDER BY g.made DESC, g.id LIMIT 100;
END;
-- Which node serves that mailbox, and when it last listed who is signed in (none: never), for nobody but its owner.
CREATE OR REPLACE FUNCTION postroom_own_listed() RETURNS TABLE (node uuid, at timestamptz)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT c.node_id, (SELECT max(r.at) FROM reports r WHERE r.node_id = c.node_id AND r.sort = 'sessions')
    FROM mailboxes m JOIN clients c ON c.id = m.client_id WHERE m.id = (SELECT (postroom_own())[1]);
END;
-- When the filter of that mailbox was last changed, whether its node has read that change back, and the digest of the script
-- that is to be in force since (none: none of ours), for nobody but its owner.
CREATE OR REPLACE FUNCTION postroom_own_filter() RETURNS TABLE (at timestamptz, read_back boolean, digest text)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT e.at, NOT EXISTS (SELECT FROM edits h JOIN deliveries d ON d.change_id = h."row"
      WHERE h.entry_id = e.id AND h.n = 0 AND d.target = 'nodes' AND NOT d.done),
    CASE WHEN f.active THEN encode(sha256(convert_to(coalesce(nullif(f.text, ''),
      (SELECT s.value FROM secrets s WHERE s.owner_row = f.id AND s.purpose = 'filter'), ''), 'UTF8')), 'hex') END
    FROM filters f JOIN entries e ON e.id = (SELECT max(x.entry_id) FROM edits x WHERE x."row" = f.id)
    WHERE f.mailbox_id = (SELECT (postroom_own())[1]);
END;
-- What was done to that mailbox, and who looked at it: entries of its client's record, the newest first, for nobody but
-- its owner. Of a change the kind, the words of why, and who; never what else it was about.
CREATE OR REPLACE FUNCTION postroom_own_story(upto bigint, since timestamptz, kinds text[], at_most int)
  RETURNS TABLE (entry bigint, at timestamptz, said text, actor text, name text, why text, mine boolean, facts jsonb)
  STABLE LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH its AS MATERIALIZED (
    SELECT unnest(postroom_own()) AS id
    UNION SELECT s.id FROM secrets s WHERE s.owner_row = (postroom_own())[1]
    UNION SELECT i.id FROM invites i WHERE i.mailbox_id = (postroom_own())[1]
    UNION SELECT r.id FROM recovery_channels r WHERE r.mailbox_id = (postroom_own())[1]
    UNION SELECT k.id FROM credentials k WHERE k.mailbox_id = (postroom_own())[1]
    UNION SELECT g.id FROM delegations g WHERE g.mailbox_id = (postroom_own())[1] OR g.to_mailbox_id = (postroom_own())[1]
    UNION SELECT o.id FROM doubts o WHERE o.mailbox_id = (postroom_own())[1]
    UNION SELECT f.id FROM filters f WHERE f.mailbox_id = (postroom_own())[1]
    UNION SELECT s.id FROM redirect_stops s WHERE s.mailbox_id = (postroom_own())[1]
    UNION SELECT l.id FROM addresses a JOIN aliases l ON l.client_id = a.client_id
      WHERE a.id = (postroom_own())[2] AND a.address = ANY (l.targets)
    UNION SELECT f.id FROM addresses a JOIN forwards f ON f.client_id = a.client_id
      WHERE a.id = (postroom_own())[2] AND (f.address_id = a.id OR f."to" = a.address)
    UNION SELECT x.id FROM exceptions x WHERE x.address_id = (postroom_own())[2]
    UNION SELECT t.id FROM transports t WHERE t.address_id = (postroom_own())[2]
    UNION SELECT w.id FROM postroom_own_leads() w
  ), about AS MATERIALIZED (
    SELECT DISTINCT x.entry_id FROM its JOIN edits x ON x."row" = its.id
      WHERE x.entry_id < coalesce(upto, 9223372036854775807)
  )
  SELECT e.id, e.at, h.said, coalesce(h.after ->> 'actor', 'event'), p.name,
      CASE WHEN h."table" = 'changes' THEN h.after ->> 'why' END,
      coalesce(h.after ->> 'mailbox_id' = (postroom_own())[1]::text, false),
      CASE WHEN h."table" = 'events' AND h."row" = (postroom_own())[1] THEN h.after END
    FROM about b JOIN entries e ON e.id = b.entry_id JOIN edits h ON h.entry_id = e.id AND h.n = 0
      LEFT JOIN people p ON p.id::text = h.person
    WHERE (h."table" = 'events' OR e.version IS NOT NULL) AND (since IS NULL OR e.at >= since)
      AND (kinds IS NULL OR h.said = ANY (kinds))
    ORDER BY e.id DESC LIMIT at_most;
END $$;
-- When somebody was last suspended or removed, or all their sessions were ended, as the record has it: what they had opened
-- by then stays shut, also when they are back. A line that was erased may have said so, and counts as one that did.
CREATE OR REPLACE FUNCTION postroom_stopped(who uuid) RETURNS timestamptz
  STABLE LANGUAGE sql
  RETURN (SELECT max(n.at) FROM edits e JOIN entries n ON n.id = e.entry_id
    WHERE e."row" = who AND e."table" = 'people' AND e.before IS NOT NULL
      AND (e.after ->> 'suspended_at' IS NOT NULL OR e.after ->> 'removed_at' IS NOT NULL
        OR e.after ->> 'access_epoch' IS NOT NULL OR e.hashed IS NOT NULL));
-- Whether this is the keyed hash of a code that was mailed and is open still: the application never reads what is kept.
CREATE OR REPLACE FUNCTION postroom_code_fits(which uuid, hashed text) RETURNS boolean
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT EXISTS (SELECT FROM reset_codes c JOIN secrets s ON s.owner_row = c.id
    WHERE c.id = which AND s.purpose = 'reset code' AND s.value = hashed AND c.used_at IS NULL AND c.ended_at IS NULL);
END;
ALTER FUNCTION postroom_code_fits(uuid, text) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_code_fits(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_code_fits(uuid, text) TO postroom_app;
-- Whose session a token is. One that has ended, or whose person may not sign in or was suspended since, is nobody's.
CREATE OR REPLACE FUNCTION postroom_session(hashed text) RETURNS TABLE (session uuid, person uuid, name text, mfa text)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT a.id, p.id, p.name, a.mfa FROM secrets s JOIN api_sessions a ON a.id = s.owner_row JOIN people p ON p.id = a.person_id
    WHERE s.purpose = 'session' AND s.value = hashed AND a.ended_at IS NULL AND a.until > clock_timestamp()
      AND p.suspended_at IS NULL AND p.removed_at IS NULL
      AND (postroom_stopped(p.id) < to_timestamp(  -- its id says when it was opened (RFC 9562, UUIDv7)
        ('x' || left(replace(a.id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)) IS NOT FALSE;
END;
-- Whose API token it is, and from which networks it may come (none named: any).
CREATE OR REPLACE FUNCTION postroom_token(hashed text) RETURNS TABLE (token uuid, person uuid, name text, networks text[])
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT k.id, p.id, p.name, k.networks FROM secrets s JOIN api_tokens k ON k.id = s.owner_row
    JOIN people p ON p.id = k.person_id
    WHERE s.purpose = 'token' AND s.value = hashed AND k.ended_at IS NULL AND k.until > clock_timestamp()
      AND p.suspended_at IS NULL AND p.removed_at IS NULL;
END;
-- Who a signed-in login is, asked at every request: a suspended person is nobody at once. stopped: as above.
DROP FUNCTION IF EXISTS postroom_signed_in(uuid);
CREATE OR REPLACE FUNCTION postroom_signed_in(who uuid) RETURNS TABLE (name text, roles text[], stopped timestamptz)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT p.name, (SELECT coalesce(array_agg(DISTINCT h.role) FILTER (WHERE h.role <> 'closed'), '{{}}')
      FROM postroom_holds(p.id, NULL) h), postroom_stopped(p.id)
    FROM people p WHERE p.id = who AND p.suspended_at IS NULL AND p.removed_at IS NULL;
END;
-- Is there, beside these people (who proposed it, whom it would let do more), anybody who may approve at every one of these clients (NULL: the organization itself)?
-- A count of people, never their names.
DROP FUNCTION IF EXISTS postroom_others(uuid, uuid, text[]);
DROP FUNCTION IF EXISTS postroom_others(uuid[], uuid, text[]);
CREATE OR REPLACE FUNCTION postroom_others(whose uuid[], beside uuid[], roles text[]) RETURNS bigint
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  WITH held AS (
    SELECT g.person_id, g.client_id, p.client_id AS home FROM grants g JOIN people p ON p.id = g.person_id
    WHERE g.role = ANY (roles) AND g.domain_id IS NULL AND g.ended_at IS NULL
      AND (g.until IS NULL OR g.until > clock_timestamp()) AND p.suspended_at IS NULL AND p.removed_at IS NULL
      AND g.person_id <> ALL (beside)
  )
  SELECT count(*) FROM (SELECT DISTINCT person_id FROM held) someone
    WHERE NOT EXISTS (
      SELECT FROM unnest(whose) w(client) WHERE NOT EXISTS (
        SELECT FROM held h WHERE h.person_id = someone.person_id AND (h.client_id IS NULL OR h.client_id = w.client)
          AND (h.home = w.client OR NOT EXISTS (SELECT FROM clients c WHERE c.id = w.client AND c.closed_at IS NOT NULL))));
END;
-- Does any of these people hold one of the roles that `above` lists for where they hold it: a client by its id,
-- `organization`, or else anywhere ('')? Never which of them. What a suspended person holds counts: it is theirs again when they are back.
DROP FUNCTION IF EXISTS postroom_hold_any(uuid, uuid[], text[]);
CREATE OR REPLACE FUNCTION postroom_stand_above(among uuid[], above jsonb) RETURNS boolean
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT EXISTS (
    SELECT FROM grants g WHERE g.person_id = ANY (among) AND g.ended_at IS NULL
      AND (g.until IS NULL OR g.until > clock_timestamp())
      AND coalesce(above -> coalesce(g.client_id::text, 'organization'), above -> '') ? g.role);
END;
ALTER FUNCTION postroom_stand_above(uuid[], jsonb) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_stand_above(uuid[], jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_stand_above(uuid[], jsonb) TO postroom_app;
-- Who may act at this client, for whoever sees that client as a whole: names, roles and their ends, and what acts by a token
-- of theirs. Nothing of what they hold at other clients, no address, and no reason of a role that is not at this client.
CREATE OR REPLACE FUNCTION postroom_may_act(whose uuid) RETURNS TABLE (sort text, id uuid, person uuid, name text,
    role text, here boolean, domain text, until timestamptz)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  WITH held AS (
    SELECT g.id, p.id AS person, p.name, g.role, g.client_id, g.domain_id, g.until
    FROM grants g JOIN people p ON p.id = g.person_id JOIN clients c ON c.id = whose
    WHERE (whose = ANY (postroom_whole()) OR (postroom_everything() AND whose <> ALL (postroom_without())))
      AND (g.client_id IS NULL OR g.client_id = whose) AND g.ended_at IS NULL
      AND (g.until IS NULL OR g.until > clock_timestamp()) AND p.suspended_at IS NULL AND p.removed_at IS NULL
      AND (c.closed_at IS NULL OR p.client_id = whose OR g.role = 'break-glass')
  )
  SELECT 'role', h.id, h.person, h.name, h.role, h.client_id IS NOT NULL, d.name, h.until
    FROM held h LEFT JOIN domains d ON d.id = h.domain_id
  UNION ALL
  SELECT 'token', k.id, h.person, h.name, k.name, k.client_id IS NOT DISTINCT FROM whose, NULL, k.until
    FROM api_tokens k JOIN (SELECT DISTINCT person, name FROM held) h ON h.person = k.person_id
    WHERE k.ended_at IS NULL AND k.until > clock_timestamp() AND (k.clients = '{{}}' OR whose = ANY (k.clients));
END;
ALTER FUNCTION postroom_may_act(uuid) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_may_act(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_may_act(uuid) TO postroom_app;
-- An entry of a client's record, for somebody who holds something at single domains of it alone: the moves of changes
-- that they proposed, or that were about these domains and nothing else.
CREATE OR REPLACE FUNCTION postroom_recorded_for(which bigint, domains uuid[], who uuid) RETURNS boolean
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT EXISTS (
    SELECT FROM edits h JOIN changes c ON c.id = h."row"
    WHERE h.entry_id = which AND h.n = 0 AND h."table" = 'changes' AND (c.proposer_id = who OR c.domains <@ $2));
END;
-- The names, and nothing else, of people who acted at a client that is seen: who it was is part of what was done there.
CREATE OR REPLACE FUNCTION postroom_acted(people uuid[]) RETURNS TABLE (person uuid, name text)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT p.id, p.name FROM people p WHERE p.id = ANY (postroom_acted.people) AND (
    EXISTS (SELECT FROM changes c WHERE c.proposer_id = p.id AND c.client_id = ANY ((SELECT postroom_scope())::uuid[]))
    OR EXISTS (SELECT FROM approvals a WHERE a.person_id = p.id AND a.client_id = ANY ((SELECT postroom_scope())::uuid[]))
    OR EXISTS (SELECT FROM reviews r WHERE r.closed_by_id = p.id AND r.client_id = ANY ((SELECT postroom_scope())::uuid[])));
END;
ALTER FUNCTION postroom_acted(uuid[]) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_acted(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_acted(uuid[]) TO postroom_app;
-- Which of these names are taken, whoever has them; never by whom. One arm a table whose rows have a unique name.
DROP FUNCTION IF EXISTS postroom_taken(text);
CREATE OR REPLACE FUNCTION postroom_taken(what text, names text[]) RETURNS SETOF text
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT n.name FROM unnest(names) WITH ORDINALITY n(name, place)
  WHERE CASE what
    WHEN 'addresses' THEN EXISTS (SELECT FROM addresses a WHERE a.address = n.name)
    WHEN 'clients' THEN EXISTS (SELECT FROM clients c WHERE c.slug = n.name)
    WHEN 'domains' THEN EXISTS (SELECT FROM domains d WHERE d.name = n.name)
    WHEN 'nodes' THEN EXISTS (SELECT FROM nodes o WHERE o.name = n.name)
    WHEN 'people' THEN EXISTS (SELECT FROM people p WHERE p.email = n.name)
    WHEN 'roles' THEN EXISTS (SELECT FROM roles r WHERE r.name = n.name)
    WHEN 'token_keys' THEN EXISTS (SELECT FROM token_keys t WHERE t.kid = n.name)
  END
  ORDER BY n.place;
END;
ALTER FUNCTION postroom_taken(text, text[]) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_taken(text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_taken(text, text[]) TO postroom_app;
-- Which of these names lie above or below a domain of another client than theirs; never of which.
CREATE OR REPLACE FUNCTION postroom_above(name text) RETURNS text[] IMMUTABLE LANGUAGE sql
  RETURN ARRAY(SELECT array_to_string(l[i:], '.') FROM string_to_array(name, '.') l, generate_series(2, cardinality(l)) i);
CREATE OR REPLACE FUNCTION postroom_others_beside(names text[], clients uuid[]) RETURNS SETOF text
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT n.name FROM unnest(names, clients) WITH ORDINALITY n(name, client, place)
  WHERE EXISTS (SELECT FROM domains d WHERE d.name = ANY (postroom_above(n.name)) AND d.client_id IS DISTINCT FROM n.client)
    OR EXISTS (SELECT FROM domains d WHERE d.client_id IS DISTINCT FROM n.client
      -- what ends in .name, by the index on the name read backwards: / comes after .
      AND reverse(d.name) > reverse(n.name) || '.' COLLATE "C" AND reverse(d.name) < reverse(n.name) || '/' COLLATE "C")
  ORDER BY n.place;
END;
ALTER FUNCTION postroom_others_beside(text[], uuid[]) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_others_beside(text[], uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_others_beside(text[], uuid[]) TO postroom_app;
-- What decides, as a unique constraint does: one zone is never cut by two clients, who may ask at the same moment.
CREATE OR REPLACE FUNCTION postroom_beside() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('domains above and below', 0));
  IF EXISTS (SELECT FROM postroom_others_beside(ARRAY[NEW.name], ARRAY[NEW.client_id])) THEN
    RAISE EXCEPTION 'above or below a domain of another client'
      USING ERRCODE = 'unique_violation', TABLE = 'domains', CONSTRAINT = 'domains_beside';
  END IF;
  RETURN NULL;
END $$;
ALTER FUNCTION postroom_beside() OWNER TO postroom_system;
DROP TRIGGER IF EXISTS postroom_beside ON domains;
CREATE TRIGGER postroom_beside AFTER INSERT OR UPDATE OF name, client_id, removed_at ON domains FOR EACH ROW
  WHEN (NEW.removed_at IS NULL) EXECUTE FUNCTION postroom_beside();
-- The domain a row belongs to; none where it belongs to none. `owners`: whoever's secret it is.
CREATE OR REPLACE FUNCTION postroom_domain_of(what text, which uuid) RETURNS uuid STABLE LANGUAGE plpgsql AS $$
BEGIN
  CASE what
    WHEN 'addresses' THEN RETURN (SELECT domain_id FROM addresses WHERE id = which);
    WHEN 'mailboxes' THEN RETURN (SELECT a.domain_id FROM mailboxes m JOIN addresses a ON a.id = m.address_id WHERE m.id = which);
    WHEN 'aliases' THEN RETURN (SELECT a.domain_id FROM aliases m JOIN addresses a ON a.id = m.address_id WHERE m.id = which);
    WHEN 'forwards' THEN RETURN (SELECT a.domain_id FROM forwards f JOIN addresses a ON a.id = f.address_id WHERE f.id = which);
    WHEN 'exceptions' THEN RETURN (SELECT a.domain_id FROM exceptions x JOIN addresses a ON a.id = x.address_id WHERE x.id = which);
    WHEN 'transports' THEN RETURN (SELECT a.domain_id FROM transports t JOIN addresses a ON a.id = t.address_id WHERE t.id = which);
    WHEN 'catch_alls' THEN RETURN (SELECT domain_id FROM catch_alls WHERE id = which);
    WHEN 'record_sets' THEN RETURN (SELECT domain_id FROM record_sets WHERE id = which);
    WHEN 'probes' THEN RETURN (SELECT domain_id FROM probes WHERE id = which);
    WHEN 'dkim_keys' THEN RETURN (SELECT domain_id FROM dkim_keys WHERE id = which);
    WHEN 'grants' THEN RETURN (SELECT domain_id FROM grants WHERE id = which);
    WHEN 'invites' THEN RETURN (SELECT coalesce(i.domain_id, a.domain_id) FROM invites i
      LEFT JOIN recovery_channels c ON c.id = i.confirms_id
      LEFT JOIN mailboxes m ON m.id = coalesce(i.mailbox_id, c.mailbox_id)
      LEFT JOIN addresses a ON a.id = m.address_id WHERE i.id = which);
    WHEN 'credentials' THEN RETURN (SELECT a.domain_id FROM credentials k JOIN mailboxes m ON m.id = k.mailbox_id
      JOIN addresses a ON a.id = m.address_id WHERE k.id = which);
    WHEN 'recovery_channels' THEN RETURN (SELECT a.domain_id FROM recovery_channels c JOIN mailboxes m ON m.id = c.mailbox_id
      JOIN addresses a ON a.id = m.address_id WHERE c.id = which);
    WHEN 'delegations' THEN RETURN (SELECT a.domain_id FROM delegations g JOIN mailboxes m ON m.id = g.mailbox_id
      JOIN addresses a ON a.id = m.address_id WHERE g.id = which);
    WHEN 'filters' THEN RETURN (SELECT a.domain_id FROM filters f JOIN mailboxes m ON m.id = f.mailbox_id
      JOIN addresses a ON a.id = m.address_id WHERE f.id = which);
    WHEN 'redirect_stops' THEN RETURN (SELECT a.domain_id FROM redirect_stops s JOIN mailboxes m ON m.id = s.mailbox_id
      JOIN addresses a ON a.id = m.address_id WHERE s.id = which);
    WHEN 'verifications' THEN RETURN (SELECT a.domain_id FROM verifications v JOIN mailboxes m ON m.id = v.mailbox_id
      JOIN addresses a ON a.id = m.address_id WHERE v.id = which);
    WHEN 'doubts' THEN RETURN (SELECT a.domain_id FROM doubts o JOIN mailboxes m ON m.id = o.mailbox_id
      JOIN addresses a ON a.id = m.address_id WHERE o.id = which);
    WHEN 'reset_codes' THEN RETURN (SELECT a.domain_id FROM reset_codes k JOIN recovery_channels c ON c.id = k.channel_id
      JOIN mailboxes m ON m.id = c.mailbox_id JOIN addresses a ON a.id = m.address_id WHERE k.id = which);
    WHEN 'letters' THEN RETURN (SELECT a.domain_id FROM letters l JOIN mailboxes m ON m.id = l.mailbox_id
      JOIN addresses a ON a.id = m.address_id WHERE l.id = which);
    WHEN 'owners' THEN RETURN coalesce(
      (SELECT a.domain_id FROM mailboxes m JOIN addresses a ON a.id = m.address_id WHERE m.id = which),
      (SELECT coalesce(i.domain_id, a.domain_id) FROM invites i LEFT JOIN recovery_channels c ON c.id = i.confirms_id
        LEFT JOIN mailboxes m ON m.id = coalesce(i.mailbox_id, c.mailbox_id)
        LEFT JOIN addresses a ON a.id = m.address_id WHERE i.id = which),
      (SELECT a.domain_id FROM credentials k JOIN mailboxes m ON m.id = k.mailbox_id
        JOIN addresses a ON a.id = m.address_id WHERE k.id = which),
      (SELECT a.domain_id FROM reset_codes k JOIN recovery_channels c ON c.id = k.channel_id
        JOIN mailboxes m ON m.id = c.mailbox_id JOIN addresses a ON a.id = m.address_id WHERE k.id = which),
      (SELECT a.domain_id FROM filters f JOIN mailboxes m ON m.id = f.mailbox_id
        JOIN addresses a ON a.id = m.address_id WHERE f.id = which),
      (SELECT domain_id FROM dkim_keys WHERE id = which));
    ELSE RETURN NULL;
  END CASE;
END $$;
GRANT EXECUTE ON FUNCTION postroom_domain_of(text, uuid) TO postroom_app;
-- Parts of words, found by their trigrams. LIKE is not leakproof, so under row security the planner may not use an index
-- for it; here row security is bypassed, and the same scope asked for in words.
CREATE OR REPLACE FUNCTION postroom_find_addresses(pattern text) RETURNS SETOF uuid
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT a.id FROM addresses a WHERE a.address LIKE pattern
    AND (a.client_id = ANY ((SELECT postroom_scope())::uuid[]) OR ((SELECT postroom_everything())
      AND (a.client_id = ANY ((SELECT postroom_without())::uuid[])) IS NOT TRUE));
END;
CREATE OR REPLACE FUNCTION postroom_find_mailbox_names(pattern text) RETURNS SETOF uuid
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT m.id FROM mailboxes m WHERE upper(m.name) LIKE pattern
    AND (m.client_id = ANY ((SELECT postroom_scope())::uuid[]) OR ((SELECT postroom_everything())
      AND (m.client_id = ANY ((SELECT postroom_without())::uuid[])) IS NOT TRUE));
END;
ALTER FUNCTION postroom_find_addresses(text) OWNER TO postroom_system;
ALTER FUNCTION postroom_find_mailbox_names(text) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_find_addresses(text), postroom_find_mailbox_names(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_find_addresses(text), postroom_find_mailbox_names(text) TO postroom_app;
ALTER FUNCTION postroom_holds(uuid, uuid) OWNER TO postroom_system;
ALTER FUNCTION postroom_token(text) OWNER TO postroom_system;
ALTER FUNCTION postroom_recorded_for(bigint, uuid[], uuid) OWNER TO postroom_system;
ALTER FUNCTION postroom_enter(uuid, uuid) OWNER TO postroom_system;
ALTER FUNCTION postroom_enter_change(uuid) OWNER TO postroom_system;
ALTER FUNCTION postroom_enter_link(text) OWNER TO postroom_system;
ALTER FUNCTION postroom_session(text) OWNER TO postroom_system;
ALTER FUNCTION postroom_owner(uuid, text, text) OWNER TO postroom_system;
ALTER FUNCTION postroom_own_leads() OWNER TO postroom_system;
ALTER FUNCTION postroom_own_aliases() OWNER TO postroom_system;
ALTER FUNCTION postroom_own_keepers() OWNER TO postroom_system;
ALTER FUNCTION postroom_own_delegations() OWNER TO postroom_system;
ALTER FUNCTION postroom_own_listed() OWNER TO postroom_system;
ALTER FUNCTION postroom_own_filter() OWNER TO postroom_system;
ALTER FUNCTION postroom_own_story(bigint, timestamptz, text[], int) OWNER TO postroom_system;
ALTER FUNCTION postroom_enter_owner(uuid, int, text) OWNER TO postroom_system;
ALTER FUNCTION postroom_signed_in(uuid) OWNER TO postroom_system;
ALTER FUNCTION postroom_others(uuid[], uuid[], text[]) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_holds(uuid, uuid), postroom_enter(uuid, uuid), postroom_enter_change(uuid),
  postroom_token(text), postroom_recorded_for(bigint, uuid[], uuid),
  postroom_enter_link(text), postroom_session(text), postroom_signed_in(uuid),
  postroom_owner(uuid, text, text), postroom_enter_owner(uuid, int, text), postroom_own_aliases(), postroom_own_listed(),
  postroom_own_leads(), postroom_own_keepers(), postroom_own_delegations(), postroom_own_filter(),
  postroom_own_story(bigint, timestamptz, text[], int),
  postroom_others(uuid[], uuid[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_holds(uuid, uuid), postroom_enter(uuid, uuid), postroom_enter_change(uuid),
  postroom_token(text), postroom_recorded_for(bigint, uuid[], uuid),
  postroom_enter_link(text), postroom_session(text), postroom_signed_in(uuid),
  postroom_owner(uuid, text, text), postroom_enter_owner(uuid, int, text), postroom_own_aliases(), postroom_own_listed(),
  postroom_own_leads(), postroom_own_keepers(), postroom_own_delegations(), postroom_own_filter(),
  postroom_own_story(bigint, timestamptz, text[], int),
  postroom_others(uuid[], uuid[], text[]) TO postroom_app;
