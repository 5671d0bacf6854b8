-- Optional: lets Fieldgate hear of DDL that is run directly on the server at once, instead of by its slow poll
-- ([control] refresh_interval).  Run once in each database with protected tables, as a superuser:
--     psql -d shop -f catalog_events.sql
-- DDL that goes through Fieldgate needs none of this.

\set ON_ERROR_STOP on

BEGIN;

CREATE SCHEMA IF NOT EXISTS fieldgate;

CREATE OR REPLACE FUNCTION fieldgate.catalog_changed() RETURNS pg_catalog.event_trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Many notifications of one transaction are delivered as one, and only if it commits.
    PERFORM pg_catalog.pg_notify('fieldgate_catalog', '');
END
$$;

DROP EVENT TRIGGER IF EXISTS fieldgate_catalog_changed;
CREATE EVENT TRIGGER fieldgate_catalog_changed ON ddl_command_end EXECUTE FUNCTION fieldgate.catalog_changed();

COMMIT;
