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

-- Who is asking, and what that lets this transaction see. Both end with the transaction.
CREATE OR REPLACE FUNCTION postroom_scope() RETURNS uuid[] STABLE LANGUAGE sql
  RETURN coalesce(nullif(current_setting('postroom.clients', true), ''), '{{}}')::uuid[];
CREATE OR REPLACE FUNCTION postroom_everything() RETURNS boolean STABLE LANGUAGE sql
  RETURN current_setting('postroom.everything', true) IS NOT DISTINCT FROM 'yes';
CREATE OR REPLACE FUNCTION postroom_person() RETURNS uuid STABLE LANGUAGE sql
  RETURN nullif(current_setting('postroom.person', true), '')::uuid;

-- The scope is worked out here, from the grants as they stand, so that no caller can name his own.
CREATE OR REPLACE FUNCTION postroom_grants(who uuid) RETURNS TABLE (role text, client_id uuid, domain_id uuid)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT g.role, g.client_id, g.domain_id FROM grants g JOIN people p ON p.id = g.person_id
    WHERE g.person_id = who AND g.ended_at IS NULL AND (g.until IS NULL OR g.until > clock_timestamp())
      AND p.suspended_at IS NULL AND p.removed_at IS NULL;
END;
CREATE OR REPLACE FUNCTION postroom_enter(who uuid, OUT text, OUT text, OUT text)
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT set_config('postroom.person', who::text, true),
    set_config('postroom.everything', CASE WHEN bool_or(client_id IS NULL) THEN 'yes' ELSE 'no' END, true),
    set_config('postroom.clients',
      coalesce(array_agg(DISTINCT client_id) FILTER (WHERE client_id IS NOT NULL), '{{}}')::text, true)
    FROM postroom_grants(who);
END;
-- A job, the clock and an approval see the client of their change and nothing else.
CREATE OR REPLACE FUNCTION postroom_enter_change(which uuid) RETURNS TABLE (sort text, person uuid, name text)
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT set_config('postroom.person', coalesce(proposer_id::text, ''), true),
    set_config('postroom.everything', CASE WHEN client_id IS NULL THEN 'yes' ELSE 'no' END, true),
    set_config('postroom.clients', coalesce('{{' || client_id || '}}', '{{}}'), true)
    FROM changes WHERE id = which;
  SELECT c.actor, p.id, coalesce(p.name, c.actor) FROM changes c LEFT JOIN people p ON p.id = c.proposer_id
    WHERE c.id = which;
END;
-- Whoever holds a link is its owner, and sees the one client it belongs to. Nothing is said of a wrong one.
CREATE OR REPLACE FUNCTION postroom_enter_link(hashed text) RETURNS TABLE (invite uuid, mailbox uuid, person uuid)
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT set_config('postroom.person', coalesce(i.person_id::text, ''), true),
    set_config('postroom.everything', CASE WHEN i.client_id IS NULL THEN 'yes' ELSE 'no' END, true),
    set_config('postroom.clients', coalesce('{{' || i.client_id || '}}', '{{}}'), true)
    FROM secrets s JOIN invites i ON i.id = s.owner_row WHERE s.purpose = 'link' AND s.value = hashed;
  SELECT i.id, i.mailbox_id, i.person_id FROM secrets s JOIN invites i ON i.id = s.owner_row
    WHERE s.purpose = 'link' AND s.value = hashed;
END;
-- Whose session a token is. One that has ended, or whose person may not sign in, is nobody's.
CREATE OR REPLACE FUNCTION postroom_session(hashed text) RETURNS TABLE (session uuid, person uuid, name text, mfa text)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT a.id, p.id, p.name, a.mfa FROM secrets s JOIN api_sessions a ON a.id = s.owner_row JOIN people p ON p.id = a.person_id
    WHERE s.purpose = 'session' AND s.value = hashed AND a.ended_at IS NULL AND a.until > clock_timestamp()
      AND p.suspended_at IS NULL AND p.removed_at IS NULL;
END;
-- Who a signed-in login is, asked at every request: a suspended person is nobody at once.
CREATE OR REPLACE FUNCTION postroom_signed_in(who uuid) RETURNS TABLE (name text, roles text[])
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT p.name, (SELECT coalesce(array_agg(DISTINCT g.role), '{{}}') FROM postroom_grants(p.id) g)
    FROM people p WHERE p.id = who AND p.suspended_at IS NULL AND p.removed_at IS NULL;
END;
-- Is there, beside the proposer, anybody who may approve at every one of these clients (NULL: the organization itself)?
-- A count of people, never their names.
DROP FUNCTION IF EXISTS postroom_others(uuid, uuid, text[]);
CREATE OR REPLACE FUNCTION postroom_others(whose uuid[], beside uuid, roles text[]) RETURNS bigint
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  WITH held AS (
    SELECT g.person_id, g.client_id FROM grants g JOIN people p ON p.id = g.person_id
    WHERE g.role = ANY (roles) AND g.domain_id IS NULL AND g.ended_at IS NULL
      AND (g.until IS NULL OR g.until > clock_timestamp()) AND p.suspended_at IS NULL AND p.removed_at IS NULL
      AND g.person_id IS DISTINCT FROM beside
  )
  SELECT count(*) FROM (SELECT DISTINCT person_id FROM held) someone
    WHERE NOT EXISTS (
      SELECT FROM unnest(whose) w(client) WHERE NOT EXISTS (
        SELECT FROM held h WHERE h.person_id = someone.person_id AND (h.client_id IS NULL OR h.client_id = w.client)));
END;
-- Does any of these people hold one of these roles here, or above? Never which of them.
CREATE OR REPLACE FUNCTION postroom_hold_any(whose uuid, among uuid[], roles text[]) RETURNS boolean
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT EXISTS (
    SELECT FROM people p JOIN grants g ON g.person_id = p.id
    WHERE p.id = ANY (among) AND p.suspended_at IS NULL AND p.removed_at IS NULL AND g.role = ANY (roles)
      AND g.ended_at IS NULL AND (g.until IS NULL OR g.until > clock_timestamp())
      AND g.domain_id IS NULL AND (g.client_id IS NULL OR g.client_id = whose));
END;
ALTER FUNCTION postroom_hold_any(uuid, uuid[], text[]) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_hold_any(uuid, uuid[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_hold_any(uuid, uuid[], text[]) TO postroom_app;
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
  END
  ORDER BY n.place;
END;
ALTER FUNCTION postroom_taken(text, text[]) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_taken(text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_taken(text, text[]) TO postroom_app;
-- Parts of words, found by their trigrams. LIKE is not leakproof, so under row security the planner may not use an index
-- for it; here row security is bypassed, and the same scope asked for in words.
CREATE OR REPLACE FUNCTION postroom_find_addresses(pattern text) RETURNS SETOF uuid
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT a.id FROM addresses a WHERE a.address LIKE pattern
    AND ((SELECT postroom_everything()) OR a.client_id = ANY ((SELECT postroom_scope())::uuid[]));
END;
CREATE OR REPLACE FUNCTION postroom_find_mailbox_names(pattern text) RETURNS SETOF uuid
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT m.id FROM mailboxes m WHERE upper(m.name) LIKE pattern
    AND ((SELECT postroom_everything()) OR m.client_id = ANY ((SELECT postroom_scope())::uuid[]));
END;
ALTER FUNCTION postroom_find_addresses(text) OWNER TO postroom_system;
ALTER FUNCTION postroom_find_mailbox_names(text) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_find_addresses(text), postroom_find_mailbox_names(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_find_addresses(text), postroom_find_mailbox_names(text) TO postroom_app;
ALTER FUNCTION postroom_grants(uuid) OWNER TO postroom_system;
ALTER FUNCTION postroom_enter(uuid) OWNER TO postroom_system;
ALTER FUNCTION postroom_enter_change(uuid) OWNER TO postroom_system;
ALTER FUNCTION postroom_enter_link(text) OWNER TO postroom_system;
ALTER FUNCTION postroom_session(text) OWNER TO postroom_system;
ALTER FUNCTION postroom_signed_in(uuid) OWNER TO postroom_system;
ALTER FUNCTION postroom_others(uuid[], uuid, text[]) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION postroom_grants(uuid), postroom_enter(uuid), postroom_enter_change(uuid),
  postroom_enter_link(text), postroom_session(text), postroom_signed_in(uuid),
  postroom_others(uuid[], uuid, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postroom_grants(uuid), postroom_enter(uuid), postroom_enter_change(uuid),
  postroom_enter_link(text), postroom_session(text), postroom_signed_in(uuid),
  postroom_others(uuid[], uuid, text[]) TO postroom_app;
