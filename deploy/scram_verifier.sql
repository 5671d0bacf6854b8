-- What Fieldgate needs on the server for pass-through logins: one function that gives a role's own SCRAM verifier.
--
-- pg_authid is for superusers.  Instead of a superuser's password the proxy gets this function, which answers only for
-- roles that may log in now: not for NOLOGIN roles and not for those past VALID UNTIL (CVE-2025-2291), which the stored
-- verifier alone would not tell.
--
-- Run once in the control database ([control] database), as a superuser, after creating the control role:
--     CREATE ROLE fieldgate LOGIN PASSWORD '...';
--     psql -d postgres -v control_role=fieldgate -f scram_verifier.sql
--
-- A verifier lets its reader pretend to be the *server*, and test guesses of the password; it does not let him log in.
-- The control role's password deserves the care of any other.  pg_hba.conf must admit pass-through roles from the
-- proxy's address only (`fieldgate check` looks), or they can go around the proxy.

\set ON_ERROR_STOP on
\if :{?control_role} \else \set control_role fieldgate \endif

BEGIN;

CREATE SCHEMA IF NOT EXISTS fieldgate;
REVOKE ALL ON SCHEMA fieldgate FROM PUBLIC;
GRANT USAGE ON SCHEMA fieldgate TO :"control_role";

CREATE OR REPLACE FUNCTION fieldgate.scram_verifier(login pg_catalog.text) RETURNS pg_catalog.text
    LANGUAGE sql STABLE STRICT SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.rolpassword
    FROM pg_catalog.pg_authid AS a
    WHERE a.rolname OPERATOR(pg_catalog.=) login
      AND a.rolcanlogin
      AND (a.rolvaliduntil IS NULL OR a.rolvaliduntil OPERATOR(pg_catalog.>) pg_catalog.now())
      AND a.rolpassword OPERATOR(pg_catalog.~~) 'SCRAM-SHA-256$%'
$$;

REVOKE ALL ON FUNCTION fieldgate.scram_verifier(pg_catalog.text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fieldgate.scram_verifier(pg_catalog.text) TO :"control_role";

COMMIT;
