-- The record: kept as it was written, and what the signer may ask. Run after install.sql; twice changes nothing.

-- Insert only, whoever asks: no role has a reason to change or take away what was recorded.
CREATE OR REPLACE FUNCTION postroom_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on %: the record is only ever added to', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

-- Places and tree are the sequencer's, checkpoints the signer's; everybody reads them.
REVOKE INSERT, UPDATE, DELETE ON places, tree_nodes, checkpoints, signer_alarms FROM postroom_app;
REVOKE UPDATE, DELETE ON entries, edits, places, tree_nodes, checkpoints FROM postroom_system;

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
