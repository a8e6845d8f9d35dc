-- The record: kept as it was written, and what the signer may ask. Run after install.sql; twice changes nothing.

-- Insert only, whoever asks: no role has a reason to change or take away what was recorded. But for record_erase, which
-- the application calls: whoever signs in as its owner, or becomes that, is not let through, whatever they set.
CREATE OR REPLACE FUNCTION postroom_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'edits' AND session_user = 'postroom_app' AND current_user = 'postroom_system'
    AND coalesce(current_setting('postroom.erasing', true), '') <> '' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION '% on %: the record is only ever added to', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

-- Places and tree are the sequencer's, checkpoints the signer's; everybody reads them.
REVOKE INSERT, UPDATE, DELETE ON places, tree_nodes, checkpoints, signer_alarms FROM postroom_app;
REVOKE UPDATE, DELETE ON entries, edits, places, tree_nodes, checkpoints FROM postroom_system;
GRANT UPDATE (before, after, salt, hashed) ON edits TO postroom_system;

-- Write an entry and its lines, in this order, as whoever asks may: with one plan a session and in one round trip, since
-- every change does it. Returns the entry's id and how many lines were taken.
CREATE OR REPLACE FUNCTION record_append(whose uuid, made bigint, hashed bytea, tables text[], rows uuid[], befores jsonb[],
    afters jsonb[], salts bytea[], OUT id bigint, OUT taken bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO entries AS e (client_id, version, leaf) VALUES (whose, made, hashed)
    RETURNING e.id INTO record_append.id;
  INSERT INTO edits (entry_id, n, client_id, "table", "row", before, after, salt)
    SELECT record_append.id, a.n - 1, whose, a.t, a.r, a.b, a.f, a.s
    FROM unnest(tables, rows, befores, afters, salts) WITH ORDINALITY a(t, r, b, f, s, n);
  GET DIAGNOSTICS taken = ROW_COUNT;
END $$;

-- Blank those lines of an entry that `erasing` names, an entry of this very transaction (it has no place yet). `hashes`
-- are the salted hashes of all its lines: true ones, or they would not make its leaf. Of a change whose move is among the
-- lines, what was asked and why goes too. Returns how many lines.
CREATE OR REPLACE FUNCTION record_erase(erasing bigint, which bigint, hashes bytea[]) RETURNS int
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  wanted int[];
  done int;
BEGIN
  SELECT array_agg(DISTINCT (line ->> 'n')::int) INTO wanted
    FROM entries b JOIN edits x ON x.entry_id = b.id JOIN entries e ON e.id = which
      AND e.client_id IS NOT DISTINCT FROM b.client_id AND x.after ->> 'leaf' = encode(e.leaf, 'hex'),
      jsonb_array_elements(x.after -> 'lines') line
    WHERE b.id = erasing AND b.version IS NOT NULL AND x."table" = 'erasures' AND x.before IS NULL
      AND NOT EXISTS (SELECT FROM places p WHERE p.entry_id = erasing)
      AND EXISTS (SELECT FROM erasures r WHERE r.id = x."row" AND r.entry_id = which);
  IF wanted IS NULL THEN
    RAISE EXCEPTION 'entry % erases nothing of entry %', erasing, which USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF (SELECT sha256('\x00'::bytea || string_agg(h, ''::bytea ORDER BY n)) IS DISTINCT FROM e.leaf
        OR bool_or(length(h) <> 32) OR count(*) <> (SELECT count(*) FROM edits WHERE entry_id = which)
      FROM entries e, unnest(hashes) WITH ORDINALITY a(h, n) WHERE e.id = which GROUP BY e.leaf) IS NOT FALSE THEN
    RAISE EXCEPTION 'these are not the hashes of entry %', which USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM set_config('postroom.erasing', which::text, true);
  UPDATE edits SET before = NULL, after = NULL, salt = '', hashed = hashes[n + 1]
    WHERE entry_id = which AND n = ANY (wanted) AND hashed IS NULL AND "table" <> 'erasures';
  GET DIAGNOSTICS done = ROW_COUNT;
  PERFORM set_config('postroom.erasing', '', true);
  IF done <> cardinality(wanted) THEN
    RAISE EXCEPTION '% of % lines of entry % are left to erase', done, cardinality(wanted), which;
  END IF;
  IF 0 = ANY (wanted) THEN
    PERFORM record_forget(h."row", b."row") FROM edits h, edits b
      WHERE h.entry_id = which AND h.n = 0 AND h."table" = 'changes' AND b.entry_id = erasing AND b.n = 0;
  END IF;
  RETURN done;
END $$;
-- Beside the record: what was asked in a change, why, what was said of it; and the plan's hash, by which one who guesses
-- what stood there could tell that they guessed right. A batch is known by the hashes of its parts.
CREATE OR REPLACE FUNCTION record_forget(which uuid, erasing uuid) RETURNS void
  LANGUAGE sql SET search_path = public, pg_temp
BEGIN ATOMIC
  UPDATE changes SET params = '{{}}', why = '', ticket = '', key = NULL, plan = NULL, plan_hash = '', left_out = '[]',
    verdicts = coalesce((SELECT jsonb_agg(v || '{{"reason": "erased"}}') FROM jsonb_array_elements(verdicts) v), '[]'),
    erased_by_id = coalesce(erased_by_id, erasing) WHERE id = which;
  UPDATE approvals SET plan_hash = '' WHERE change_id = which;
  UPDATE deliveries SET label = '', why = '', evidence = NULL WHERE change_id = which;
  UPDATE reviews SET reason = 'erased' WHERE change_id = which;
  UPDATE batches b SET why = '', plan_hash = (
      SELECT encode(sha256(convert_to(string_agg(c.plan_hash, '' ORDER BY coalesce(c.client_id::text, '') COLLATE "C"), 'UTF8')), 'hex')
      FROM changes c WHERE c.batch_id = b.id)
    WHERE b.id = (SELECT batch_id FROM changes WHERE id = which);
  SELECT;
END;

CREATE OR REPLACE FUNCTION record_size() RETURNS bigint
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT coalesce(max(log_index) + 1, 0) FROM places;
END;
CREATE OR REPLACE FUNCTION record_leaves(start bigint, at_most bigint) RETURNS SETOF bytea
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT e.leaf FROM places p JOIN entries e ON e.id = p.entry_id
    WHERE p.log_index >= start AND p.log_index < start + at_most ORDER BY p.log_index;
END;
CREATE OR REPLACE FUNCTION record_nodes(levels int[], indexes bigint[]) RETURNS TABLE (level int, index bigint, hash bytea)
  STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT n.level, n.index, n.hash FROM unnest(levels, indexes) w(level, index)
    JOIN tree_nodes n ON n.level = w.level AND n.index = w.index;
END;
CREATE OR REPLACE FUNCTION record_sign(size bigint, root bytea, note text) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  INSERT INTO checkpoints (size, root, note, at) VALUES (size, root, note, now()) ON CONFLICT DO NOTHING;
END;
-- Why nothing is signed any more; without words: it is again. `since` stays with the first time it said so.
CREATE OR REPLACE FUNCTION record_alarm(said text) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  INSERT INTO signer_alarms AS a (id, why, since) VALUES (1, said, now()) ON CONFLICT (id) DO UPDATE
    SET why = excluded.why, since = excluded.since WHERE a.why <> excluded.why;
END;
GRANT USAGE ON SCHEMA public TO postroom_signer;
ALTER FUNCTION record_erase(bigint, bigint, bytea[]) OWNER TO postroom_system;
ALTER FUNCTION record_forget(uuid, uuid) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION record_erase(bigint, bigint, bytea[]), record_forget(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record_erase(bigint, bigint, bytea[]) TO postroom_app;
ALTER FUNCTION record_size() OWNER TO postroom_system;
ALTER FUNCTION record_leaves(bigint, bigint) OWNER TO postroom_system;
ALTER FUNCTION record_nodes(int[], bigint[]) OWNER TO postroom_system;
ALTER FUNCTION record_sign(bigint, bytea, text) OWNER TO postroom_system;
ALTER FUNCTION record_alarm(text) OWNER TO postroom_system;
REVOKE ALL ON FUNCTION record_size(), record_leaves(bigint, bigint), record_nodes(int[], bigint[]),
  record_sign(bigint, bytea, text), record_alarm(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record_size(), record_leaves(bigint, bigint), record_nodes(int[], bigint[]),
  record_sign(bigint, bytea, text), record_alarm(text) TO postroom_signer;

-- What the edits of a row say of it, one laid over the other: jsonb_concat is strict, so a row that goes changes nothing.
CREATE OR REPLACE AGGREGATE postroom_laid(jsonb) (SFUNC = jsonb_concat, STYPE = jsonb, INITCOND = '{{}}');
