-- What is said besides queries; most of it is refused.

SHOW search_path
SHOW server_version
SELECT current_setting('search_path')
SHOW fieldgate.purpose
SELECT set_config('application_name', 'a', false)
SELECT set_config('fieldgate.subject', '2', false)
SELECT set_config('role', 'postgres', false)
SET ROLE postgres
SET SESSION AUTHORIZATION postgres
LISTEN a
UNLISTEN a
DO $$BEGIN RAISE NOTICE '%', (SELECT city FROM customers LIMIT 1); END$$
CALL nothing()
VACUUM customers
ANALYZE customers
TRUNCATE customers
LOCK TABLE customers IN SHARE MODE
CREATE TEMP VIEW v AS SELECT * FROM customers
CREATE TEMP TABLE t AS SELECT * FROM orders
COPY customers TO '/tmp/x'
COPY customers TO PROGRAM 'cat'
SELECT lo_import('/etc/passwd')
SELECT pg_read_file('PG_VERSION')
COMMENT ON TABLE customers IS 'x'
SELECT nextval('customers_id_seq') > 0
SET fieldgate.case = 'C-1'
SHOW ALL
