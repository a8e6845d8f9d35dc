-- Database roles. Run by the superuser who installs, and again at an update; BYPASSRLS cannot be given by anybody less.
-- postroom_system owns the SECURITY DEFINER functions: row security is FORCEd, so it binds even the
-- owner of the tables, and a function of postroom_owner would see nothing.
-- Node login roles are members of postroom_node and are made when a node joins.
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'postroom_owner') THEN
    CREATE ROLE postroom_owner LOGIN;
    CREATE ROLE postroom_app LOGIN;
    CREATE ROLE postroom_system LOGIN BYPASSRLS;
    CREATE ROLE postroom_node NOLOGIN;
    GRANT postroom_system TO postroom_owner;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'postroom_signer') THEN
    CREATE ROLE postroom_signer LOGIN;
  END IF;
END $$;
