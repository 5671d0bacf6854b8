# Everything else in a database with protected tables.

[full] BEGIN ISOLATION LEVEL SERIALIZABLE;
-> BEGIN ISOLATION LEVEL SERIALIZABLE
++ untouched
[full] COMMIT;
-> COMMIT
++ untouched; effect=ends_transaction None
[full] SAVEPOINT a;
-> SAVEPOINT a
++ untouched
[full] SET search_path = app, "Public";
-> SET search_path = app, "Public"
++ untouched; effect=search_path "app", "Public"
[full] SET search_path TO DEFAULT;
-> SET search_path TO DEFAULT
++ untouched; effect=search_path None
[full] SET LOCAL search_path = app;
-> SET LOCAL search_path = app
++ untouched; effect=search_path None
[full] RESET search_path;
-> RESET search_path
++ untouched; effect=search_path None
[full] SELECT pg_catalog.set_config('search_path', '', false);
-> SELECT pg_catalog.set_config('search_path', '', false)
++ untouched; effect=search_path 
[full] SELECT set_config('search_path', 'a', false) FROM notes;
!! 0A000 set_config of search_path, DateStyle, TimeZone and IntervalStyle is supported by itself, of search_path with constants
   hint: Use SET.
[full] SELECT set_config('jit', 'off', false);
-> SELECT set_config('jit', 'off', false)
++ untouched
[full] SELECT set_config('role', 'x', false);
!! 0A000 set_config of role is not supported
   hint: Use SET role.
[full] SELECT set_config($1, 'x', false);
!! 0A000 set_config is supported with a constant name only
   hint: Use SET.
[full] UPDATE pg_settings SET setting = 'x' WHERE name = 'role';
!! 42501 writing to "pg_catalog.pg_settings" is refused
   hint: Use SET for settings.
[full] SET TIME ZONE 'UTC';
-> SET TIME ZONE 'UTC'
++ untouched; effect=value_settings None
[full] SET standard_conforming_strings = off;
!! 0A000 standard_conforming_strings must stay on
   hint: Write E'...' for strings with backslashes.
[full] SET standard_conforming_strings = on;
-> SET standard_conforming_strings = on
++ untouched
[full] SET NAMES 'latin1';
!! 0A000 client_encoding must be UTF8
   hint: Convert in the client.
[full] SET client_encoding = 'UTF8';
-> SET client_encoding = 'UTF8'
++ untouched
[full] SET ROLE admin;
!! 42501 SET ROLE is refused: the role belongs to the login
   hint: Log in with the role that you need.
[full] SET ROLE NONE;
-> SET ROLE NONE
++ untouched
[full] SET SESSION AUTHORIZATION admin;
!! 42501 SET SESSION AUTHORIZATION is refused
   hint: Log in as the user that you need.
[full] RESET SESSION AUTHORIZATION;
-> RESET SESSION AUTHORIZATION
++ untouched
[full] SET fieldgate.purpose = 'contact';
-> SET fieldgate.purpose = 'contact'
++ untouched; effect=fieldgate fieldgate.purpose=contact
[full] RESET fieldgate.purpose;
-> RESET fieldgate.purpose
++ untouched; effect=fieldgate fieldgate.purpose
[full] SET LOCAL fieldgate.purpose = 'x';
!! 0A000 SET LOCAL fieldgate.purpose is not supported
   hint: Use SET.
[full] SHOW ALL;
-> SHOW ALL
++ untouched
[full] RESET ALL;
-> RESET ALL
++ untouched; effect=reset_all None
[full] DISCARD ALL;
-> DISCARD ALL
++ untouched; effect=discard_all None
[full] DISCARD PLANS;
-> DISCARD PLANS
++ untouched
[full] DEALLOCATE ALL;
-> DEALLOCATE ALL
++ untouched; effect=deallocate None
[full] DEALLOCATE s1;
-> DEALLOCATE s1
++ untouched; effect=deallocate s1
[full] LISTEN x;
-> LISTEN x
++ untouched
[full] NOTIFY x, 'y';
-> NOTIFY x, 'y'
++ untouched
[full] LOCK TABLE notes IN EXCLUSIVE MODE;
-> LOCK TABLE notes IN EXCLUSIVE MODE
++ untouched
[full] LOCK TABLE customers;
-> LOCK TABLE customers
++ untouched
[full] EXPLAIN SELECT email FROM customers WHERE email = 'x';
-> EXPLAIN SELECT email FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'x'}::pg_catalog.bytea
[full] EXPLAIN (ANALYZE, VERBOSE, FORMAT json) UPDATE customers SET email = $1 WHERE email = $1;
!! 0A000 EXPLAIN VERBOSE is refused where sealed values are written: it would show the cells
   hint: Leave VERBOSE out.
[full] EXPLAIN SELECT 1;
-> EXPLAIN SELECT 1
++ untouched
[none] EXPLAIN SELECT email FROM customers;
!! 42501 EXPLAIN with figures over "customers" is refused: they tell of fields that you may not read
   hint: Use EXPLAIN (COSTS OFF), without ANALYZE and what belongs to it.
[full] EXPLAIN ANALYZE CREATE TABLE x AS SELECT email FROM customers;
!! 0A000 EXPLAIN of this statement over protected tables is not supported
[full] COPY notes TO STDOUT;
-> COPY notes TO STDOUT
++ untouched
[full] COPY notes FROM STDIN WITH CSV;
-> COPY notes FROM STDIN WITH CSV
++ untouched; effect=takes_data None
[full] COPY customers TO STDOUT;
!! 42501 permission denied: read of column "public.customers.untagged"
   hint: Name the columns that you need: COPY table (column, ...) TO STDOUT.
[full] COPY customers FROM STDIN;
!! 42501 permission denied: insert of column "public.customers.untagged"
[full] COPY (SELECT email FROM customers) TO STDOUT;
-> COPY (SELECT email FROM "public".customers) TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[full] COPY (SELECT 1) TO STDOUT;
-> COPY (SELECT 1) TO STDOUT
++ untouched
[full] COPY notes TO PROGRAM 'cat';
!! 0A000 COPY to or from files and programs of the server is refused in a database with protected tables
   hint: Use COPY ... TO STDOUT or FROM STDIN.
[full] COPY notes FROM '/etc/passwd';
!! 0A000 COPY to or from files and programs of the server is refused in a database with protected tables
   hint: Use COPY ... TO STDOUT or FROM STDIN.
[full] DO $$ BEGIN END $$;
!! 0A000 DO is refused in a database with protected tables: its reach is not known
   hint: Run it on a direct connection, as the administrator of the database.
[full] CALL p();
!! 0A000 CALL is refused in a database with protected tables: its reach is not known
   hint: Run it on a direct connection, as the administrator of the database.
[full] CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
!! 0A000 CREATE FUNCTION is refused in a database with protected tables: its reach is not known
   hint: Run it on a direct connection, as the administrator of the database.
[full] CREATE TRIGGER t BEFORE INSERT ON notes EXECUTE FUNCTION f();
!! 0A000 CREATE TRIG is refused in a database with protected tables: its reach is not known
   hint: Run it on a direct connection, as the administrator of the database.
[full] CREATE RULE r AS ON INSERT TO notes DO NOTHING;
!! 0A000 RULE is refused in a database with protected tables: its reach is not known
   hint: Run it on a direct connection, as the administrator of the database.
[full] CREATE EXTENSION dblink;
!! 0A000 CREATE EXTENSION "dblink" is refused: it is not known what its functions reach
   hint: Make it on a direct connection, and allow it in the data map, as [harmless].
[full] CREATE TABLE things (id int PRIMARY KEY, x text DEFAULT now());
-> CREATE TABLE things (id int PRIMARY KEY, x text DEFAULT now())
++ untouched; effect=catalog None
[full] CREATE TABLE things (id int REFERENCES customers);
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CREATE TABLE things (LIKE customers);
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CREATE TABLE things () INHERITS (customers);
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CREATE TABLE things PARTITION OF customers FOR VALUES IN (1);
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CREATE TABLE things (x int DEFAULT leak());
!! 0A000 it is not known what the function leak reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] CREATE TEMP TABLE customers (id int);
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CREATE TABLE app.customers (id int);
!! 42501 a relation named "customers" is refused: a protected table has that name
   hint: Choose another name.
[full] CREATE TEMP TABLE x AS SELECT * FROM notes;
-> CREATE TEMP TABLE x AS SELECT * FROM notes
++ untouched; effect=catalog None
[full] CREATE TABLE x AS SELECT city FROM customers;
!! 42501 permission denied: export of column "public.customers.city"
[full] CREATE TEMP VIEW customers AS SELECT 1;
!! 42501 creating a table or view from protected tables is refused: it would show their data where no policy covers it
   hint: Create it on a direct connection and add it to the data map if it stores data.
[full] CREATE VIEW x AS SELECT city FROM customers;
!! 42501 creating a table or view from protected tables is refused: it would show their data where no policy covers it
   hint: Create it on a direct connection and add it to the data map if it stores data.
[full] CREATE VIEW x AS SELECT body FROM notes;
-> CREATE VIEW x AS SELECT body FROM notes
++ untouched; effect=catalog None
[full] CREATE MATERIALIZED VIEW x AS SELECT city FROM customers;
!! 42501 creating a table or view from protected tables is refused: it would show their data where no policy covers it
   hint: Create it on a direct connection and add it to the data map if it stores data.
[full] SELECT 1 AS a INTO TEMP customers;
!! 42501 a relation named "customers" is refused: a protected table has that name
   hint: Choose another name.
[full] SELECT body INTO TEMP copies FROM notes;
-> SELECT body INTO TEMP copies FROM notes
++ untouched; effect=catalog None
[full] ALTER TABLE notes ADD COLUMN x int;
-> ALTER TABLE notes ADD COLUMN x int
++ untouched; effect=catalog None
[full] ALTER TABLE customers ADD COLUMN x int;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] ALTER TABLE notes RENAME TO customers;
!! 42501 a relation named "customers" is refused: a protected table has that name
   hint: Choose another name.
[full] ALTER TABLE customers RENAME COLUMN email TO e;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] ALTER TABLE audit.customers SET SCHEMA app;
!! 42501 a relation named "customers" is refused: a protected table has that name
   hint: Choose another name.
[full] ALTER SCHEMA public RENAME TO p;
!! 0A000 renaming schemas, roles and databases is refused
   hint: Use a direct connection.
[full] DROP TABLE notes;
-> DROP TABLE notes
++ untouched; effect=catalog None
[full] DROP TABLE customers;
!! 42501 dropping "customers" is refused: the table is protected, or shows protected data
   hint: Use a direct connection, as the administrator of the database.
[full] DROP TABLE public.customers, notes;
!! 42501 dropping "public.customers" is refused: the table is protected, or shows protected data
   hint: Use a direct connection, as the administrator of the database.
[full] DROP TABLE notes CASCADE;
!! 0A000 DROP ... CASCADE is refused in a database with protected tables
   hint: Drop one by one.
[full] DROP SCHEMA public;
!! 0A000 dropping this kind of object is refused in a database with protected tables
[full] CREATE INDEX ON customers (city);
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CREATE INDEX ON notes (lower(body));
-> CREATE INDEX ON notes (lower(body))
++ untouched; effect=catalog None
[full] CREATE STATISTICS s ON city, status FROM customers;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CREATE POLICY p ON customers USING (true);
!! 0A000 CREATE POLICY is refused in a database with protected tables: its reach is not known
   hint: Run it on a direct connection, as the administrator of the database.
[full] GRANT SELECT ON customers TO public;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] GRANT SELECT ON notes TO public;
-> GRANT SELECT ON notes TO public
++ untouched
[full] GRANT SELECT ON ALL TABLES IN SCHEMA public TO public;
!! 0A000 GRANT and REVOKE are supported for single unprotected tables and sequences only
[full] GRANT admin TO me;
!! 0A000 GRANT ROLE is refused in a database with protected tables: its reach is not known
   hint: Run it on a direct connection, as the administrator of the database.
[full] CREATE ROLE x;
!! 0A000 CREATE ROLE is refused in a database with protected tables: its reach is not known
   hint: Run it on a direct connection, as the administrator of the database.
[full] ALTER ROLE me SET search_path = x;
!! 0A000 ALTER ROLE SET is refused in a database with protected tables: its reach is not known
   hint: Run it on a direct connection, as the administrator of the database.
[full] ALTER SYSTEM SET x = 1;
!! 0A000 ALTER SYSTEM is refused in a database with protected tables: its reach is not known
   hint: Run it on a direct connection, as the administrator of the database.
[full] CREATE PUBLICATION p FOR ALL TABLES;
!! 0A000 CREATE PUBLICATION is refused in a database with protected tables: its reach is not known
   hint: Run it on a direct connection, as the administrator of the database.
[full] CREATE DATABASE copy TEMPLATE shop;
!! 0A000 CREATE DATABASE with this template is refused in a database with protected tables
   hint: Make it from template0 or template1, or on a direct connection.
[full] CREATE DATABASE other;
-> CREATE DATABASE other
++ untouched
[full] CREATE DATABASE other WITH TEMPLATE template0 ENCODING 'UTF8' CONNECTION LIMIT 5;
-> CREATE DATABASE other WITH TEMPLATE template0 ENCODING 'UTF8' CONNECTION LIMIT 5
++ untouched
[full] CREATE DATABASE other OWNER somebody;
!! 0A000 CREATE DATABASE with this owner is refused in a database with protected tables
   hint: Make it from template0 or template1, or on a direct connection.
[full] CREATE DATABASE other TABLESPACE fast;
!! 0A000 CREATE DATABASE with this tablespace is refused in a database with protected tables
   hint: Make it from template0 or template1, or on a direct connection.
[full] CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public;
-> CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public
++ untouched; effect=catalog None
[full] CREATE EXTENSION earthdistance CASCADE;
!! 0A000 CREATE EXTENSION with CASCADE is refused: it makes others, too
   hint: Make one by one.
[full] CREATE EXTENSION dblink;
!! 0A000 CREATE EXTENSION "dblink" is refused: it is not known what its functions reach
   hint: Make it on a direct connection, and allow it in the data map, as [harmless].
[full] DROP EXTENSION IF EXISTS hstore;
-> DROP EXTENSION IF EXISTS hstore
++ untouched; effect=catalog None
[full] DROP DATABASE IF EXISTS other WITH (FORCE);
-> DROP DATABASE IF EXISTS other WITH (FORCE)
++ untouched
[full] CREATE DOMAIN short AS text NOT NULL DEFAULT 'x' CHECK (length(VALUE) < 5);
-> CREATE DOMAIN short AS text NOT NULL DEFAULT 'x' CHECK (length(VALUE) < 5)
++ untouched; effect=catalog None
[full] CREATE DOMAIN customers AS text;
!! 42501 a relation named "customers" is refused: a protected table has that name
   hint: Choose another name.
[full] CREATE DOMAIN pg_temp.text AS varchar(2);
!! 42501 a type or relation named "text" is refused: where it is temporary, it takes the place of PostgreSQL's
   hint: Choose another name, or write its schema.
[full] CREATE DOMAIN date AS text;
!! 42501 a type or relation named "date" is refused: where it is temporary, it takes the place of PostgreSQL's
   hint: Choose another name, or write its schema.
[full] CREATE TYPE bool AS ENUM ('a');
!! 42501 a type or relation named "bool" is refused: where it is temporary, it takes the place of PostgreSQL's
   hint: Choose another name, or write its schema.
[full] CREATE TYPE int4 AS (x text);
!! 42501 a type or relation named "int4" is refused: where it is temporary, it takes the place of PostgreSQL's
   hint: Choose another name, or write its schema.
[full] CREATE TEMP TABLE date (x int);
!! 42501 a type or relation named "date" is refused: where it is temporary, it takes the place of PostgreSQL's
   hint: Choose another name, or write its schema.
[full] CREATE TEMP TABLE uuid AS SELECT 1;
!! 42501 a type or relation named "uuid" is refused: where it is temporary, it takes the place of PostgreSQL's
   hint: Choose another name, or write its schema.
[full] CREATE TEMP VIEW jsonb AS SELECT 1;
!! 42501 a type or relation named "jsonb" is refused: where it is temporary, it takes the place of PostgreSQL's
   hint: Choose another name, or write its schema.
[full] CREATE TABLE pg_temp_3.notes (id int);
!! 42501 a temporary relation named "notes" is refused: it would hide the table of that name from analysis
   hint: Choose another name.
[full] ALTER DOMAIN pg_temp.short RENAME TO varchar;
!! 42501 a type or relation named "varchar" is refused: where it is temporary, it takes the place of PostgreSQL's
   hint: Choose another name, or write its schema.
[full] ALTER TABLE temp_things RENAME TO text;
!! 42501 a type or relation named "text" is refused: where it is temporary, it takes the place of PostgreSQL's
   hint: Choose another name, or write its schema.
[full] CREATE DOMAIN audit.text AS pg_catalog.text;
-> CREATE DOMAIN audit.text AS pg_catalog.text
++ untouched; effect=catalog None
[full] CREATE DOMAIN odd AS text CHECK (leak(VALUE));
!! 0A000 it is not known what the function leak reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] DROP DOMAIN IF EXISTS short, shorter;
-> DROP DOMAIN IF EXISTS short, shorter
++ untouched; effect=catalog None
[full] DROP DOMAIN short CASCADE;
!! 0A000 DROP ... CASCADE is refused in a database with protected tables
   hint: Drop one by one.
[full] COMMENT ON TABLE customers IS 'x';
!! 42501 COMMENT on a protected table is refused
   hint: Use a direct connection.
[full] COMMENT ON TABLE notes IS 'x';
-> COMMENT ON TABLE notes IS 'x'
++ untouched
[full] VACUUM notes;
-> VACUUM notes
++ untouched
[full] VACUUM VERBOSE;
!! 0A000 VACUUM and ANALYZE with VERBOSE need a table's name in a database with protected tables
[full] ANALYZE customers;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CREATE SCHEMA app CREATE TABLE x (id int);
-> CREATE SCHEMA app CREATE TABLE x (id int)
++ untouched; effect=catalog None
[full] CREATE SCHEMA app CREATE VIEW v AS SELECT * FROM public.customers;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CREATE SEQUENCE customers;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] SELECT query_to_xml('select * from customers', true, false, '');
!! 0A000 it is not known what the function query_to_xml reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] SELECT table_to_xml('customers', true, false, '');
!! 0A000 it is not known what the function table_to_xml reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] SELECT pg_read_file('x');
!! 0A000 it is not known what the function pg_read_file reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] SELECT lo_get(1);
!! 0A000 it is not known what the function lo_get reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] SELECT leak();
!! 0A000 it is not known what the function leak reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] SELECT public.harmless(1);
-> SELECT public.harmless(1)
++ untouched
[full] SELECT dblink('x', 'y');
!! 0A000 it is not known what the function dblink reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] SELECT public.dblink('x', 'y');
!! 0A000 it is not known what the function public.dblink reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] SELECT * FROM pg_stats;
!! 0A000 "pg_catalog.pg_stats" repeats what protected tables hold, so it is not available through Fieldgate
[full] SELECT * FROM pg_catalog.pg_statistic;
!! 0A000 "pg_catalog.pg_statistic" repeats what protected tables hold, so it is not available through Fieldgate
[full] SELECT * FROM pg_authid;
!! 0A000 "pg_catalog.pg_authid" repeats what protected tables hold, so it is not available through Fieldgate
[full] SELECT * FROM pg_class WHERE relname = 'customers';
!! 0A000 the sizes that pg_class holds are not available in a database with protected tables
   hint: Name the columns that you need, without *, reltuples, relpages, relallvisible and relallfrozen.
[full] SELECT oid, relname, relkind FROM pg_class WHERE relname = 'customers';
-> SELECT oid, relname, relkind FROM pg_class WHERE relname = 'customers'
++ untouched
[full] SELECT form x;
-> SELECT form x
++ untouched
[full] SET DateStyle = 'SQL, DMY';
-> SET DateStyle = 'SQL, DMY'
++ untouched; effect=value_settings None
[full] SET LOCAL intervalstyle TO iso_8601;
-> SET LOCAL intervalstyle TO iso_8601
++ untouched; effect=value_settings None
[full] RESET TIME ZONE;
-> RESET TIME ZONE
++ untouched; effect=value_settings None
[full] SELECT set_config('DateStyle', 'German', true);
-> SELECT set_config('DateStyle', 'German', true)
++ untouched; effect=value_settings None
[full] SELECT set_config('TimeZone', upper('utc'), false);
-> SELECT set_config('TimeZone', upper('utc'), false)
++ untouched; effect=value_settings None
[full] SELECT set_config('timezone', 'UTC', false), 1;
!! 0A000 set_config of search_path, DateStyle, TimeZone and IntervalStyle is supported by itself, of search_path with constants
   hint: Use SET.
[full] SELECT set_config('timezone', 'UTC', false) FROM notes;
!! 0A000 set_config of search_path, DateStyle, TimeZone and IntervalStyle is supported by itself, of search_path with constants
   hint: Use SET.
[full] SELECT set_config('search_path', 'a', false) LIMIT 0;
!! 0A000 set_config of search_path, DateStyle, TimeZone and IntervalStyle is supported by itself, of search_path with constants
   hint: Use SET.
[full] SELECT set_config('search_path', 'a', false) HAVING false;
!! 0A000 set_config of search_path, DateStyle, TimeZone and IntervalStyle is supported by itself, of search_path with constants
   hint: Use SET.
[full] UPDATE notes SET body = set_config('search_path', 'a', false);
!! 0A000 set_config of search_path, DateStyle, TimeZone and IntervalStyle is supported by itself, of search_path with constants
   hint: Use SET.
[full] SELECT set_config('search_path', 'x', false), email FROM customers;
!! 0A000 the function set_config is not known to be harmless in a statement over protected tables
   hint: Call it in a statement of its own, or ask for it to be allowed in the data map.
[full] PREPARE q AS SELECT set_config('datestyle', 'ISO', false);
-> PREPARE q AS SELECT set_config('datestyle', 'ISO', false)
++ untouched; effect=prepares q; kept effect=value_settings None
[full] EXPLAIN ANALYZE SELECT set_config('datestyle', 'ISO', false);
!! 0A000 EXPLAIN of set_config of datestyle is refused
[full] COPY (SELECT set_config('timezone', 'UTC', false)) TO STDOUT;
!! 0A000 set_config of timezone is supported in a SELECT of its own only
   hint: Use SET.
[full] SELECT set_config('search_path', set_config('datestyle', 'ISO', false), false);
!! 0A000 set_config of search_path, DateStyle, TimeZone and IntervalStyle is supported by itself, of search_path with constants
   hint: Use SET.

-- The rest of what passes where nothing protected is named.
[full] CHECKPOINT;
-> CHECKPOINT
++ untouched
[full] SET CONSTRAINTS ALL DEFERRED;
-> SET CONSTRAINTS ALL DEFERRED
++ untouched
[full] UNLISTEN *;
-> UNLISTEN *
++ untouched
[full] ALTER TYPE mood ADD VALUE 'fine';
-> ALTER TYPE mood ADD VALUE 'fine'
++ untouched; effect=catalog None
[full] ALTER SEQUENCE counted RESTART WITH 5;
-> ALTER SEQUENCE counted RESTART WITH 5
++ untouched; effect=catalog None
[full] ALTER SEQUENCE counted OWNED BY notes.id;
-> ALTER SEQUENCE counted OWNED BY notes.id
++ untouched; effect=catalog None
[full] ALTER SEQUENCE counted OWNED BY NONE;
-> ALTER SEQUENCE counted OWNED BY NONE
++ untouched; effect=catalog None
[none] ALTER SEQUENCE counted OWNED BY customers.id;
!! 0A000 OWNED BY a column of "customers" is refused: it is a protected table, or may come to be
   hint: Use a direct connection, as the table's owner.
[full] CREATE SEQUENCE counted OWNED BY public.orders.id;
!! 0A000 OWNED BY a column of "orders" is refused: it is a protected table, or may come to be
   hint: Use a direct connection, as the table's owner.
[full] CREATE SCHEMA app CREATE SEQUENCE counted OWNED BY customers.id;
!! 0A000 OWNED BY a column of "customers" is refused: it is a protected table, or may come to be
   hint: Use a direct connection, as the table's owner.
