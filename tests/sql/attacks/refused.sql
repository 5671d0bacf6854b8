-- Statements that must be refused, one a line: role | statement.
-- Reading without the right
none | SELECT email FROM customers
none | SELECT 1 FROM customers
none | SELECT count(*) FROM customers
none | SELECT EXISTS (SELECT FROM customers)
none | SELECT (SELECT count(*) FROM customers)
none | SELECT * FROM notes WHERE id IN (SELECT id FROM customers)
none | SELECT * FROM notes n WHERE EXISTS (SELECT 1 FROM customers c WHERE c.id = n.customer_id)
none | SELECT * FROM notes n LEFT JOIN customers c ON false
none | SELECT n.id FROM notes n, LATERAL (SELECT 1 FROM customers) x
none | WITH c AS (SELECT * FROM customers) SELECT 1
none | WITH RECURSIVE c AS (SELECT id FROM customers UNION ALL SELECT id + 1 FROM c) SELECT 1
none | SELECT 1 UNION ALL SELECT id FROM customers
none | SELECT 1 WHERE 1 IN (SELECT 1 FROM customers)
none | SELECT 1 ORDER BY (SELECT count(*) FROM customers)
none | SELECT 1 LIMIT (SELECT count(*) FROM customers)
none | SELECT 1 OFFSET (SELECT count(*) FROM customers)
none | SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM customers)) FROM notes
none | SELECT row_number() OVER (ORDER BY (SELECT max(id) FROM customers)) FROM notes
none | SELECT id FROM notes GROUP BY id, (SELECT max(id) FROM customers)
none | SELECT id FROM notes GROUP BY id HAVING (SELECT max(id) FROM customers) > 1
none | VALUES ((SELECT email FROM customers LIMIT 1))
none | TABLE customers
none | SELECT * FROM ONLY public.customers
none | SELECT * FROM "customers"
none | SELECT * FROM U&"c\0075stomers"
none | SELECT * FROM PUBLIC.CUSTOMERS
none | SELECT * FROM shop.public.customers
none | SELECT * FROM customer_view
none | SELECT * FROM customer_copy
none | SELECT * FROM (customers c CROSS JOIN notes n)
none | SELECT * FROM customers TABLESAMPLE bernoulli (100)
none | SELECT unnest(ARRAY(SELECT email FROM customers))
none | SELECT CASE WHEN EXISTS (SELECT 1 FROM customers) THEN 1 / 0 ELSE 1 END
none | SELECT coalesce((SELECT city FROM customers LIMIT 1), 'x')
none | INSERT INTO notes (body) SELECT city FROM customers
none | INSERT INTO notes (body) VALUES ((SELECT city FROM customers LIMIT 1))
none | INSERT INTO notes (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET body = (SELECT city FROM customers LIMIT 1)
none | INSERT INTO notes (id) VALUES (1) RETURNING (SELECT city FROM customers LIMIT 1)
none | UPDATE notes SET body = (SELECT city FROM customers LIMIT 1)
none | UPDATE notes SET body = c.city FROM customers c
none | UPDATE notes SET body = 'x' WHERE id IN (SELECT id FROM customers)
none | DELETE FROM notes USING customers
none | DELETE FROM notes WHERE EXISTS (SELECT 1 FROM customers WHERE city = 'x')
none | MERGE INTO notes n USING customers c ON n.id = c.id WHEN MATCHED THEN UPDATE SET body = c.city
none | MERGE INTO customers c USING notes n ON n.id = c.id WHEN MATCHED THEN DELETE
none | EXPLAIN SELECT * FROM customers
none | EXPLAIN ANALYZE SELECT * FROM customers
none | EXPLAIN ANALYZE DELETE FROM customers
none | COPY customers TO STDOUT
none | COPY customers (email) TO STDOUT
none | COPY customers FROM STDIN
none | COPY (SELECT * FROM customers) TO STDOUT
none | COPY (INSERT INTO notes (body) SELECT city FROM customers RETURNING body) TO STDOUT
none | PREPARE p AS SELECT * FROM customers
none | DECLARE c CURSOR WITH HOLD FOR SELECT * FROM customers
none | CREATE TABLE x AS SELECT * FROM customers
none | CREATE TABLE x AS TABLE customers
none | SELECT * INTO x FROM customers
none | CREATE VIEW v AS SELECT * FROM customers
none | CREATE TEMP VIEW v AS SELECT * FROM customers
none | CREATE MATERIALIZED VIEW v AS SELECT * FROM customers
none | CREATE RECURSIVE VIEW v (id) AS SELECT id FROM customers
none | LOCK TABLE customers
-- Writing without the right
none | INSERT INTO customers DEFAULT VALUES
none | INSERT INTO customers (id) VALUES (1)
none | INSERT INTO customers SELECT 1
none | UPDATE customers SET city = 'x'
none | UPDATE ONLY customers SET city = 'x' WHERE false
none | DELETE FROM customers
none | TRUNCATE customers
none | TRUNCATE notes, customers
none | WITH d AS (DELETE FROM customers) SELECT 1
none | WITH u AS (UPDATE customers SET city = 'x' RETURNING *) SELECT * FROM notes
none | DROP TABLE customers
none | ALTER TABLE customers DISABLE TRIGGER ALL
none | ALTER TABLE customers ALTER COLUMN email TYPE text
none | ALTER TABLE notes INHERIT customers
none | ALTER TABLE customers ATTACH PARTITION notes DEFAULT
none | ALTER TABLE notes ADD FOREIGN KEY (customer_id) REFERENCES customers (id)
none | CREATE INDEX ON customers (email)
none | COMMENT ON COLUMN customers.email IS 'x'
-- Inference without the verb
reader | SELECT 1 FROM customers WHERE email = 'a'
reader | SELECT 1 FROM customers WHERE city = 'a'
reader | SELECT 1 FROM customers WHERE city LIKE 'a%'
reader | SELECT 1 FROM customers WHERE city ~ '^a'
reader | SELECT 1 FROM customers WHERE length(city) = 3
reader | SELECT 1 FROM customers WHERE (city, status) = ('a', 'b')
reader | SELECT 1 FROM customers WHERE city IN ('a')
reader | SELECT 1 FROM customers WHERE city = ANY('{a}')
reader | SELECT 1 FROM customers WHERE city BETWEEN 'a' AND 'b'
reader | SELECT 1 FROM customers WHERE city IS NULL
reader | SELECT 1 FROM customers WHERE city IS DISTINCT FROM 'a'
reader | SELECT 1 FROM customers WHERE CASE city WHEN 'a' THEN true ELSE false END
reader | SELECT 1 FROM customers WHERE CASE WHEN city = 'a' THEN true END
reader | SELECT 1 FROM customers WHERE coalesce(city, 'x') = 'x'
reader | SELECT 1 FROM customers WHERE nullif(city, 'x') IS NULL
reader | SELECT 1 FROM customers WHERE greatest(city, 'm') = 'm'
reader | SELECT 1 FROM customers WHERE 1 / (id - 5) > 0
reader | SELECT 1 FROM customers WHERE city::int > 0
reader | SELECT CASE WHEN city = 'a' THEN 1 / 0 ELSE 1 END FROM customers
reader | SELECT 1 FROM customers ORDER BY city
reader | SELECT id FROM customers ORDER BY 1
reader | SELECT id AS x FROM customers ORDER BY x
reader | SELECT city FROM customers ORDER BY upper(city)
reader | SELECT DISTINCT city FROM customers
reader | SELECT DISTINCT ON (city) id FROM customers
reader | SELECT 1 FROM customers GROUP BY city
reader | SELECT city FROM customers GROUP BY 1
reader | SELECT max(city) FROM customers
reader | SELECT count(city) FROM customers
reader | SELECT count(DISTINCT email) FROM customers
reader | SELECT array_agg(city) FROM customers
reader | SELECT count(*) FILTER (WHERE city = 'a') FROM customers
reader | SELECT count(*) FROM customers HAVING max(city) > 'a'
reader | SELECT row_number() OVER (ORDER BY city) FROM customers
reader | SELECT row_number() OVER (PARTITION BY city) FROM customers
reader | SELECT lag(city) OVER (ORDER BY id) FROM customers
reader | SELECT city FROM customers UNION SELECT 'a'
reader | SELECT city FROM customers INTERSECT SELECT 'a'
reader | SELECT city FROM customers EXCEPT SELECT 'a'
reader | SELECT 1 FROM customers c JOIN orders o ON c.id = o.customer_id
reader | SELECT 1 FROM customers c, orders o WHERE c.id = o.customer_id
reader | SELECT 1 FROM customers c JOIN orders o USING (id)
reader | SELECT 1 FROM customers c JOIN notes n ON n.customer_id = c.id
reader | SELECT 1 FROM customers WHERE id IN (SELECT customer_id FROM notes)
reader | SELECT 1 FROM notes WHERE customer_id = (SELECT id FROM customers)
reader | SELECT 1 FROM notes WHERE customer_id > ALL (SELECT id FROM customers)
reader | SELECT s.x FROM (SELECT city AS x FROM customers) s WHERE s.x = 'a'
reader | SELECT s.x FROM (SELECT city AS x FROM customers) s ORDER BY s.x
reader | WITH s(x) AS (SELECT city FROM customers) SELECT x FROM s WHERE x = 'a'
reader | SELECT x FROM customers c, LATERAL (SELECT c.city AS x) s WHERE x = 'a'
reader | SELECT x FROM customers c, LATERAL unnest(ARRAY[c.city]) x WHERE x = 'a'
reader | SELECT g FROM customers c, generate_series(1, c.id) g WHERE g = 5
reader | SELECT 1 FROM customers LIMIT (SELECT id FROM customers LIMIT 1)
reader | INSERT INTO notes (body) SELECT city FROM customers
reader | UPDATE customers SET city = 'x' WHERE status = 'y'
reader | DELETE FROM customers WHERE city = 'a'
support | SELECT city FROM customers
support | SELECT customers.city FROM customers
support | SELECT c.city FROM customers c
support | SELECT x FROM customers AS c(a, x)
support | SELECT s.city FROM (SELECT * FROM customers) s
support | WITH s AS (SELECT * FROM customers) SELECT city FROM s
support | SELECT id FROM customers WHERE city = 'a'
support | SELECT id FROM customers c WHERE EXISTS (SELECT 1 FROM notes n WHERE n.body = c.city)
support | SELECT id FROM customers c WHERE (SELECT c.city) = 'a'
support | SELECT (SELECT c.city) FROM customers c
support | SELECT id || city FROM customers
support | SELECT total FROM orders
support | SELECT sum(total) FROM orders
support | SELECT recipient FROM orders
support | SELECT id FROM orders WHERE recipient = 'x'
support | SELECT o.id FROM orders o JOIN customers c ON o.recipient = c.name
support | SELECT * FROM accounts
support | SELECT login FROM accounts
support | INSERT INTO notes (id) SELECT * FROM customers
analyst | SELECT id FROM customers
analyst | SELECT city FROM customers
analyst | SELECT DISTINCT city FROM customers
analyst | SELECT city, row_number() OVER () FROM customers
analyst | SELECT count(*) OVER (PARTITION BY city) FROM customers
analyst | SELECT count(*) FROM customers WHERE city = 'x'
analyst | SELECT sum(id) FROM (SELECT id FROM customers LIMIT 1) s
analyst | SELECT city, count(*) FROM (SELECT city FROM customers) s GROUP BY city
analyst | SELECT max(total) FROM orders
analyst | SELECT array_agg(city) FROM customers
analyst | SELECT sum(CASE WHEN id = 5 THEN total ELSE 0 END) FROM orders
analyst | SELECT sum(total) FILTER (WHERE id = 5) FROM orders
analyst | SELECT count(*) FROM customers GROUP BY city::int
support | SELECT id FROM customers WHERE id::a_domain IN (SELECT customer_id FROM notes)
support | SELECT id FROM customers WHERE 1 / id IN (SELECT customer_id FROM notes)
support | SELECT id FROM customers WHERE id::int = ANY (SELECT customer_id FROM notes)
support | SELECT c.id FROM customers c JOIN notes n ON n.id = c.id::a_domain
analyst | SELECT count(*) FROM customers GROUP BY CAST(city AS a_domain)
analyst | SELECT count(*) FROM customers GROUP BY ROLLUP (city::varchar(1))
analyst | SELECT city::int, count(*) FROM customers GROUP BY 1
analyst | SELECT city FROM customers GROUP BY city ORDER BY count(*) FILTER (WHERE id = 5)
analyst | SELECT city, count(*) FROM customers GROUP BY city HAVING max(id) = 5
analyst | SELECT EXISTS (SELECT 1 FROM orders)
analyst | EXPLAIN ANALYZE SELECT count(*) FROM orders
client | UPDATE customers SET id = 8 WHERE id = 7
client | UPDATE customers SET city = 'x' WHERE 1 / (id - 8) = 1
client | UPDATE customers SET city = 'x' WHERE city::int = 1
client | UPDATE customers SET city = 'x' WHERE pg_sleep(1) IS NULL
client | DELETE FROM orders WHERE (SELECT 1 / (count(*) - 5) FROM notes) = 1
client | INSERT INTO orders (id, customer_id) VALUES (1, 8)
client | INSERT INTO orders (id) SELECT 1 ON CONFLICT (id) DO UPDATE SET status = 'x'
client | EXPLAIN SELECT * FROM orders
-- Rows, system columns, hidden columns
full | SELECT customers FROM customers
full | SELECT customers::text FROM customers
full | SELECT (customers).* FROM customers
full | SELECT (c).email FROM customers c
full | SELECT ROW(c.*) FROM customers c
full | SELECT c.*::text FROM customers c
full | SELECT to_jsonb(c) FROM customers c
full | SELECT row_to_json(c.*) FROM customers c
full | SELECT jsonb_agg(c) FROM customers c
full | SELECT md5(c::text) FROM customers c
full | SELECT email(c) FROM customers c
full | SELECT c.upper FROM customers c
full | SELECT 1 FROM customers c WHERE c IS NOT NULL
full | SELECT 1 FROM customers c WHERE c = ROW(1)
full | SELECT 1 FROM customers c ORDER BY c
full | SELECT DISTINCT c FROM customers c
full | SELECT count(DISTINCT c) FROM customers c
full | SELECT s FROM (SELECT * FROM customers) s
full | SELECT to_json(s) FROM (SELECT city FROM customers) s
full | WITH s AS (SELECT city FROM customers) SELECT s FROM s
full | UPDATE customers c SET city = c::text
full | DELETE FROM customers c RETURNING c
full | INSERT INTO customers (id) VALUES (1) RETURNING customers
full | SELECT c FROM customers c, unknown_things t
full | SELECT ctid FROM customers
full | SELECT 1 FROM customers WHERE ctid = '(0,1)'
full | SELECT xmin, xmax, cmin, cmax FROM customers
full | SELECT tableoid::regclass FROM customers
full | SELECT 1 FROM customers ORDER BY ctid
full | SELECT n.id FROM notes n WHERE n.id IN (SELECT xmin::text::int FROM customers)
full | DELETE FROM customers WHERE ctid IN (SELECT ctid FROM notes)
full | SELECT fg_email_eq FROM customers
full | SELECT "fg_email_eq" FROM customers
full | SELECT c.fg_email_eq FROM customers c
full | SELECT u&"fg\005femail\005feq" FROM customers
full | SELECT 1 FROM customers WHERE fg_email_eq = '\x00'
full | UPDATE customers SET fg_email_eq = DEFAULT
full | INSERT INTO customers (fg_email_eq) VALUES (DEFAULT)
full | SELECT x FROM customers AS c(a,b,c,d,e,f,g,h,i,x)
full | SELECT 1 FROM customers NATURAL JOIN accounts
full | SELECT 1 FROM customers JOIN accounts USING (fg_email_eq)
full | SELECT 1 AS fg_x FROM customers
full | SELECT untagged FROM customers
full | UPDATE customers SET untagged = 'x'
-- Cells where they lie, or would be stored elsewhere
full | SELECT x FROM (SELECT email || '' AS x FROM customers) s
full | SELECT encode(email, 'hex') FROM customers
full | SELECT x FROM (SELECT octet_length(email) AS x FROM customers) s
full | SELECT email::bytea FROM customers
full | SELECT email::text::bytea FROM customers
full | SELECT x FROM (SELECT substr(email, 13, 16) AS x FROM customers) s
full | SELECT pg_typeof(email) FROM customers
full | SELECT pg_column_size(email) FROM customers
full | SELECT min(email), city FROM customers GROUP BY city
reader | SELECT min(email) FROM customers
support | SELECT max(phone) FROM customers
support | SELECT count(DISTINCT phone) FROM customers
support | SELECT DISTINCT length(phone) FROM customers
full | SELECT email FROM (SELECT email FROM customers ORDER BY email) s
reader | SELECT email FROM customers ORDER BY email
reader | SELECT id, length(email) AS x FROM customers ORDER BY x
support | SELECT id FROM customers ORDER BY email, id LIMIT 1
support | SELECT id FROM customers ORDER BY born
full | SELECT email FROM customers WHERE email < 'm'
reader | SELECT id FROM workers WHERE birth < '1990-01-01'
reader | SELECT id FROM workers WHERE '1990-01-01' >= birth
reader | SELECT id FROM workers WHERE age BETWEEN 18 AND 30
reader | SELECT id FROM workers WHERE id = 1 AND (pay > 1000 AND pay < 2000)
support | SELECT id FROM workers WHERE birth BETWEEN SYMMETRIC '1990-01-01' AND '1980-01-01'
support | SELECT id FROM workers WHERE age > 30 AND pay > 1000
full | SELECT id FROM workers WHERE birth < '1990-01-01' OR true
full | SELECT id FROM workers WHERE NOT birth >= '1990-01-01'
full | SELECT id FROM workers WHERE birth NOT BETWEEN '1980-01-01' AND '1990-01-01'
full | SELECT count(*) FROM workers WHERE birth < '1990-01-01'
full | SELECT id FROM workers WHERE fg_birth_tk && '{1}'
full | SELECT fg_birth_tk FROM workers
full | SELECT id FROM workers w JOIN workers v ON w.birth < v.birth
full | SELECT id FROM workers WHERE birth < (SELECT '1990-01-01'::date)
full | SELECT id FROM workers WHERE age < 18 FOR UPDATE
full | DELETE FROM workers WHERE birth < '1990-01-01' OR false
full | UPDATE workers SET age = 1 WHERE NOT age BETWEEN 2 AND 3
full | DELETE FROM notes WHERE customer_id IN (SELECT id FROM workers WHERE birth < '1990-01-01')
full | SELECT email FROM customers WHERE email LIKE '%'
full | SELECT email FROM customers WHERE email SIMILAR TO 'a'
full | SELECT email FROM customers WHERE email ILIKE 'a'
full | SELECT email FROM customers WHERE email IN (SELECT body FROM notes)
full | SELECT email FROM customers WHERE email = name
full | SELECT email FROM customers WHERE email = phone
full | SELECT CASE WHEN true THEN email END FROM customers
full | SELECT x FROM (SELECT coalesce(email, name) AS x FROM customers) s
full | SELECT (ARRAY[email])[1] FROM customers
full | SELECT (SELECT email FROM customers LIMIT 1)
full | SELECT ARRAY(SELECT email FROM customers)
full | SELECT json_build_object('e', email) FROM customers
full | SELECT json_object('e': email) FROM customers
full | SELECT JSON_ARRAYAGG(email) FROM customers
full | SELECT xmlelement(name e, email) FROM customers
full | SELECT email FROM customers UNION SELECT email FROM customers
full | SELECT email FROM customers UNION ALL SELECT name FROM customers
full | SELECT email FROM customers UNION ALL SELECT body FROM notes
full | SELECT last_value(email) OVER () FROM customers
full | SELECT unnest(ARRAY[email]) FROM customers
full | SELECT x FROM customers, unnest(ARRAY[email]) x
full | UPDATE customers SET email = name
full | UPDATE customers SET email = c2.email FROM customers c2
full | UPDATE customers SET email = excluded.email FROM customers excluded
full | UPDATE customers SET city = email
full | UPDATE customers SET (email, city) = (SELECT email, city FROM customers LIMIT 1)
full | INSERT INTO customers (id, email) SELECT id + 100, email FROM customers
full | INSERT INTO customers (id, name) SELECT id, recipient FROM orders
full | INSERT INTO orders (recipient) SELECT name FROM customers
full | INSERT INTO notes (body) SELECT email::text FROM customers
full | INSERT INTO notes (body) SELECT * FROM (SELECT email FROM customers) s
full | INSERT INTO accounts (id, password) SELECT 9, password FROM accounts WHERE id = 1
full | INSERT INTO accounts (id, login, password) VALUES (1, 'a', 'b') ON CONFLICT (login) DO UPDATE SET password = EXCLUDED.password
full | UPDATE accounts SET password = 'x' WHERE id > 0
full | UPDATE accounts SET password = 'x' WHERE id = 1 OR true
full | UPDATE accounts SET password = 'x' FROM notes WHERE id = 1
full | UPDATE accounts SET password = 'x' WHERE id = '12'::varchar(1)::int
full | UPDATE accounts SET id = 2 WHERE id = 1
-- Values that would reach a cell, or meet one, in the clear
full | INSERT INTO customers (email) VALUES (lower('CANARY'))
full | INSERT INTO customers (email) VALUES ('CANARY' || 'x')
full | INSERT INTO customers (email) VALUES (CAST('CANARY' AS bytea))
full | INSERT INTO customers (email) VALUES ('CANARY'::varchar(3))
full | INSERT INTO customers (email) VALUES ('CANARY' COLLATE "C")
full | INSERT INTO customers (email) VALUES (N'CANARY')
full | INSERT INTO customers (email) VALUES (B'101')
full | INSERT INTO customers (email) VALUES (X'1F')
full | INSERT INTO customers (email) VALUES (current_date)
full | INSERT INTO customers (email) VALUES ((VALUES ('CANARY')))
full | INSERT INTO customers (email) VALUES (ARRAY['CANARY'])
full | INSERT INTO customers (email) VALUES (ROW('CANARY'))
full | INSERT INTO customers (email) VALUES (CASE WHEN true THEN 'CANARY' END)
full | INSERT INTO customers (email) VALUES (coalesce(NULL, 'CANARY'))
full | INSERT INTO customers (email) VALUES (format('%s', 'CANARY'))
full | INSERT INTO customers (email) SELECT upper('CANARY')
full | INSERT INTO customers (email) SELECT body FROM notes
full | INSERT INTO customers (email) SELECT * FROM unnest(ARRAY['CANARY' || ''])
full | INSERT INTO customers (email) SELECT * FROM unnest(string_to_array('CANARY', ','))
full | INSERT INTO customers (email, city) SELECT x, x FROM unnest(ARRAY['CANARY']) x
full | INSERT INTO customers (email) SELECT x || '' FROM (VALUES ('CANARY')) v(x)
full | INSERT INTO customers (email) SELECT 'CANARY' UNION ALL SELECT 'x'
full | INSERT INTO customers (id, email) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET email = 'CANARY' || 'x'
full | UPDATE customers SET email = 'CANARY' || 'x'
full | UPDATE customers SET email = (SELECT 'CANARY')
full | UPDATE customers SET email[1] = 'CANARY'
full | SELECT 1 FROM customers WHERE email = 'CANARY' || ''
full | SELECT 1 FROM customers WHERE email = lower('CANARY')
full | SELECT 1 FROM customers WHERE email = ('CANARY')::bpchar
full | SELECT 1 FROM customers WHERE email = (SELECT 'CANARY')
full | SELECT 1 FROM customers WHERE email = (VALUES ('CANARY'))
full | SELECT 1 FROM customers WHERE email = ANY(string_to_array('CANARY', ','))
full | SELECT 1 FROM customers WHERE email = ANY(ARRAY['CANARY' || ''])
full | SELECT 1 FROM customers WHERE email IN ('x', lower('CANARY'))
full | SELECT 1 FROM customers WHERE (email, id) = (SELECT 'CANARY', 1)
full | SELECT 1 FROM customers WHERE email IN (SELECT unnest(ARRAY['CANARY']))
full | SELECT 1 FROM customers WHERE phone = 'CANARY'
full | SELECT 1 FROM customers WHERE 'CANARY' LIKE email
full | SELECT 1 FROM customers WHERE position('CANARY' IN email) > 0
full | SELECT 1 FROM customers WHERE starts_with(email, 'CANARY')
full | SELECT 1 FROM customers WHERE email || '' = 'CANARY'
full | SELECT 1 FROM customers WHERE nullif(email, 'CANARY') IS NULL
full | SELECT 1 FROM customers WHERE email OPERATOR(public.=) 'CANARY'
full | SELECT 1 FROM customers GROUP BY email HAVING max(email) = 'CANARY'
full | SELECT 1 FROM customers c JOIN (VALUES (lower('CANARY'))) v(x) ON v.x = c.email
full | SELECT 1 FROM customers c JOIN unnest(ARRAY['CANARY' || '']) v(x) ON v.x = c.email
full | SELECT v.x FROM customers c JOIN unnest(ARRAY['CANARY']) v(x) ON v.x = c.email
reader | SELECT x FROM customers c, LATERAL (VALUES (ARRAY[c.city])) v(x) WHERE x = '{a}'
reader | SELECT x FROM customers c, LATERAL (VALUES (c.city)) v(x) WHERE x = 'a'
full | COPY customers (fg_email_eq) FROM STDIN
full | COPY customers (id, email, fg_email_eq) TO STDOUT
full | COPY customers TO STDOUT
full | COPY customers FROM STDIN
full | COPY accounts (password) FROM STDIN
full | COPY (SELECT fg_email_eq AS id FROM customers) TO STDOUT
full | COPY (SELECT substr(email, 13, 16) FROM customers) TO STDOUT
full | COPY (SELECT c::text FROM customers c) TO STDOUT
full | COPY (SELECT row_to_json(c) FROM customers c) TO STDOUT
full | COPY (SELECT email FROM customers) TO '/tmp/x'
full | COPY (SELECT email FROM customers) TO PROGRAM 'cat'
full | COPY customer_copy TO STDOUT
full | COPY customer_view TO STDOUT
full | COPY customer_view FROM STDIN
full | COPY orders FROM STDIN WHERE recipient = 'Ann'
full | COPY orders (id) FROM STDIN WHERE id IN (SELECT customer_id FROM accounts)
full | COPY orders (id) FROM STDIN WHERE leak() > 0
full | COPY orders (id) FROM STDIN WHERE status === 'x'
full | COPY orders TO STDOUT (ENCODING 'SQL_ASCII')
full | COPY orders FROM STDIN (ENCODING 'LATIN1')
full | COPY (DELETE FROM orders RETURNING recipient) TO STDOUT
client | COPY orders (id) FROM STDIN
support | COPY customers (email) FROM STDIN
support | COPY customers (city) TO STDOUT
support | COPY customers (id, city) TO STDOUT (FORMAT binary)
support | COPY (SELECT city AS email FROM customers) TO STDOUT
support | COPY (SELECT c.city FROM customers AS c (id, email, name)) TO STDOUT
support | COPY (SELECT s.x FROM (SELECT city AS x FROM customers) s) TO STDOUT
support | COPY (SELECT id FROM customers WHERE city = 'Oslo') TO STDOUT
support | COPY (SELECT id FROM customers ORDER BY city) TO STDOUT
support | COPY (SELECT * FROM customers) TO STDOUT
support | COPY customers TO STDOUT
analyst | COPY customers (city) TO STDOUT
full | EXECUTE p((SELECT email FROM customers LIMIT 1))
-- Reach that is not known
full | DO $$ BEGIN PERFORM 1; END $$
full | CALL anything()
full | SELECT leak()
full | SELECT public.leak()
full | SELECT leak() FROM customers
full | SELECT other.unknown(1)
full | SELECT * FROM leak()
full | SELECT * FROM strange_view
full | SELECT 1 WHERE leak() = 1
full | INSERT INTO notes (id) VALUES (leak())
full | CREATE TABLE x (id int DEFAULT leak())
full | CREATE INDEX ON notes (leak())
full | ALTER TABLE notes ALTER COLUMN body SET DEFAULT leak()
full | EXECUTE p(leak())
full | PREPARE p AS SELECT leak()
full | DECLARE c CURSOR FOR SELECT leak()
full | EXPLAIN ANALYZE SELECT leak()
full | COPY (SELECT leak()) TO STDOUT
full | SELECT query_to_xml('SELECT * FROM customers', true, true, '')
full | SELECT pg_catalog.query_to_xml('SELECT * FROM customers', true, true, '')
full | SELECT query_to_xml_and_xmlschema('SELECT 1', true, true, '')
full | SELECT table_to_xml('customers', true, true, '')
full | SELECT schema_to_xml('public', true, true, '')
full | SELECT database_to_xml(true, true, '')
full | SELECT cursor_to_xml('c', 1, true, true, '')
full | SELECT * FROM ts_stat('SELECT to_tsvector(city) FROM customers')
full | SELECT ts_rewrite('a'::tsquery, 'SELECT 1, 1')
full | SELECT pg_read_file('postgresql.conf')
full | SELECT pg_read_binary_file('base/1/1')
full | SELECT pg_ls_dir('.')
full | SELECT pg_stat_file('x')
full | SELECT lo_import('/etc/passwd')
full | SELECT lo_export(1, '/tmp/x')
full | SELECT lo_get(1)
full | SELECT loread(1, 1)
full | SELECT pg_logical_slot_get_changes('s', NULL, NULL)
full | SELECT pg_create_logical_replication_slot('s', 'p')
full | SELECT dblink('dbname=shop', 'SELECT 1')
full | SELECT * FROM pg_stats
full | SELECT * FROM pg_catalog.pg_stats
full | SELECT * FROM pg_statistic
full | SELECT * FROM pg_authid
full | SELECT n.id, (SELECT count(*) FROM pg_stats) FROM notes n
full | SELECT set_config('role', 'postgres', false)
full | SELECT pg_catalog.set_config('session_authorization', 'x', true)
full | SELECT set_config('standard_conforming_strings', 'off', false)
full | SELECT set_config('STANDARD_CONFORMING_STRINGS', 'off', false)
full | SELECT set_config('client_encoding', 'SQL_ASCII', false)
full | SELECT set_config('fieldgate.purpose', 'x', false)
full | SELECT set_config('FieldGate.principal', 'x', false)
full | SELECT set_config(body, 'x', false) FROM notes
full | SELECT set_config('search_path', body, false) FROM notes
full | SELECT 1, set_config('search_path', 'x', false)
full | INSERT INTO notes (body) VALUES (set_config('search_path', 'x', false))
full | UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'
full | UPDATE pg_catalog.pg_settings SET setting = 'x'
full | WITH u AS (UPDATE pg_settings SET setting = 'x' RETURNING 1) SELECT 1
full | DELETE FROM pg_catalog.pg_class
full | SET ROLE postgres
full | SET LOCAL ROLE postgres
full | SET SESSION AUTHORIZATION postgres
full | SET standard_conforming_strings TO off
full | SET LOCAL standard_conforming_strings = 'false'
full | SET client_encoding TO 'LATIN1'
full | SET NAMES 'SQL_ASCII'
full | CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT count(*) FROM customers'
full | CREATE OR REPLACE PROCEDURE f() LANGUAGE sql AS 'SELECT 1'
full | CREATE AGGREGATE a (text) (SFUNC = textcat, STYPE = text)
full | CREATE OPERATOR = (FUNCTION = texteq, LEFTARG = text, RIGHTARG = text)
full | CREATE CAST (text AS bytea) WITHOUT FUNCTION
full | CREATE TRIGGER t AFTER INSERT ON notes EXECUTE FUNCTION leak()
full | CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION leak()
full | CREATE RULE r AS ON SELECT TO notes DO INSTEAD SELECT * FROM customers
full | CREATE POLICY p ON notes USING (true)
full | CREATE EXTENSION dblink
full | CREATE FOREIGN TABLE f (id int) SERVER s
full | CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw
full | IMPORT FOREIGN SCHEMA public FROM SERVER s INTO public
full | CREATE PUBLICATION p FOR TABLE customers
full | CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p
full | CREATE DATABASE d TEMPLATE shop
full | ALTER DATABASE shop SET search_path = x
full | ALTER ROLE CURRENT_USER SET search_path = x
full | ALTER SYSTEM SET log_statement = 'all'
full | GRANT SELECT ON customers TO PUBLIC
full | GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC
full | ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC
full | REASSIGN OWNED BY a TO b
full | DROP OWNED BY a
full | SECURITY LABEL ON TABLE customers IS 'x'
full | LOAD 'x'
full | COPY notes FROM PROGRAM 'id'
full | COPY notes TO '/tmp/x'
full | CREATE TABLE x (LIKE customers INCLUDING ALL)
full | CREATE TABLE x () INHERITS (public.customers)
full | CREATE TABLE x PARTITION OF customers DEFAULT
full | CREATE STATISTICS s (mcv) ON city, status FROM customers
-- Names that would come to mean something else
full | CREATE TEMP TABLE customers (id int)
full | CREATE TABLE pg_temp.customers (id int)
full | CREATE TABLE audit.orders (id int)
full | CREATE VIEW audit.accounts AS SELECT 1
full | CREATE TEMP VIEW customer_view AS SELECT 1
full | CREATE TABLE accounts AS SELECT 1 AS id
full | SELECT 1 AS id INTO TEMP accounts
full | ALTER TABLE notes RENAME TO orders
full | ALTER VIEW note_view RENAME TO customers
full | CREATE SEQUENCE audit.customers
full | CREATE TYPE audit.customers AS (id int)
full | ALTER TABLE audit.customers SET SCHEMA other
full | CREATE SCHEMA a CREATE TABLE customers (id int)
-- What the grammar takes and the analysis does not
full | SELECT 1 FROM customers, XMLTABLE('/a' PASSING '<a/>' COLUMNS b text)
full | SELECT 1 FROM customers, JSON_TABLE('{}', '$' COLUMNS (a int))
full | SELECT 1 FROM customers c JOIN orders o USING (id) AS j
full | WITH RECURSIVE c AS (SELECT id FROM customers UNION ALL SELECT id FROM c) SEARCH DEPTH FIRST BY id SET o SELECT 1 FROM c
full | SELECT GROUPING(email) FROM customers GROUP BY ROLLUP (email)
full | UPDATE customers SET city = 'x' WHERE CURRENT OF c
full | SELECT city IS DOCUMENT FROM customers
-- Sizes, statistics and other sessions
full | SELECT reltuples FROM pg_class
full | SELECT c.relpages FROM pg_catalog.pg_class AS c
full | SELECT c.* FROM pg_namespace n JOIN pg_class c ON true
full | SELECT pg_relation_size('customers')
full | SELECT pg_catalog.pg_total_relation_size('customers')
full | SELECT pg_stat_get_live_tuples('customers'::regclass)
full | SELECT query FROM pg_stat_activity
full | SELECT n_live_tup FROM pg_catalog.pg_stat_user_tables
full | SELECT pg_terminate_backend(1)
full | SELECT pg_cancel_backend(1)
-- Settings by the back door
full | CREATE VIEW s AS SELECT * FROM pg_settings
full | CREATE TEMP VIEW s AS SELECT * FROM pg_catalog.pg_settings
-- Temporary relations that hide a known one from analysis
full | CREATE TEMP TABLE notes (id int)
full | CREATE TEMP VIEW notes AS SELECT 1 AS id
full | CREATE TABLE pg_temp.notes (id int)
full | CREATE TEMP TABLE notes AS SELECT 1 AS id
full | SELECT 1 AS id INTO TEMP notes
full | ALTER TABLE something RENAME TO notes
-- Functions that are called without looking like it
full | SELECT notes.leak FROM notes
full | SELECT n.leak FROM notes n
full | SELECT public.notes.leak FROM public.notes
full | SELECT shop.public.notes.leak FROM shop.public.notes
full | SELECT (n).leak FROM notes n
full | SELECT (n.id).leak FROM notes n
full | SELECT (5).leak
full | SELECT x.leak FROM (SELECT * FROM notes) x
full | SELECT x.leak FROM (VALUES (1)) x(a)
full | SELECT (x.n).leak FROM (SELECT n FROM notes n) x
full | WITH x AS (SELECT * FROM notes) SELECT x.leak FROM x
full | SELECT n.leak FROM notes AS n(leak)
full | SELECT n.initcap FROM notes n
full | SELECT u.leak FROM unnest(ARRAY(SELECT n FROM notes n)) u
full | SELECT 1 FROM notes n WHERE n.leak IS NULL
full | SELECT 1 FROM notes n ORDER BY n.leak
full | UPDATE notes SET body = notes.leak
full | INSERT INTO notes (body) VALUES ((5).leak)
full | DELETE FROM notes n USING temp_things t WHERE t.leak IS NULL
full | SELECT (1262::oid).pg_stat_get_live_tuples
full | SELECT ('/etc/passwd').pg_read_file
full | SELECT ('select city from customers').query_to_xml
full | SELECT (16384::oid).lo_get
full | SELECT (c.relfilenode).pg_relation_size FROM pg_class c
full | SELECT (city).upper FROM customers
full | SELECT (city).leak FROM customers
full | SELECT (1).leak FROM customers
full | SELECT t.leak FROM customers c, temp_things t
full | EXPLAIN ANALYZE SELECT (5).leak
full | CREATE TABLE x (a int DEFAULT (5).leak)
full | COPY (SELECT (5).leak) TO STDOUT
full | PREPARE p AS SELECT (5).leak
-- Searches under names, and writes by what only the look at opened values can tell
reader | DELETE FROM members WHERE surname LIKE 'CANARY%'
reader | UPDATE members SET town = 'x' WHERE surname LIKE 'CANARY%' RETURNING id
reader | PREPARE p AS SELECT id FROM members WHERE surname LIKE $1
reader | PREPARE p (text) AS SELECT id FROM members WHERE surname ILIKE $1 LIMIT 1
reader | DECLARE c CURSOR FOR SELECT id FROM members WHERE surname LIKE 'CANARY%'
reader | DECLARE c CURSOR WITH HOLD FOR SELECT id FROM members WHERE nick ^@ 'CANARY'
support | UPDATE members SET remark = 'x' WHERE surname LIKE 'CANARY%'
support | DELETE FROM members WHERE nick LIKE 'CANARY%'
client | UPDATE members SET town = 'x' WHERE surname LIKE 'CANARY%'
client | DELETE FROM members WHERE surname LIKE 'CANARY%'
full | DELETE FROM members WHERE NOT surname LIKE 'CANARY%'
full | DELETE FROM members WHERE surname NOT LIKE 'CANARY%'
full | DELETE FROM members WHERE surname LIKE 'CANARY%' OR true
full | DELETE FROM members WHERE (surname LIKE 'CANARY%') IS NOT TRUE
full | DELETE FROM members WHERE CASE WHEN surname LIKE 'CANARY%' THEN false ELSE true END
full | DELETE FROM members WHERE surname LIKE 'CANARY%' AND EXISTS (SELECT FROM customers)
full | UPDATE members SET town = (SELECT city FROM customers LIMIT 1) WHERE surname LIKE 'CANARY%'
full | UPDATE members SET town = 'x' WHERE surname LIKE 'CANARY%' RETURNING (SELECT count(*) FROM customers)
full | UPDATE members SET town = CASE WHEN surname LIKE 'CANARY%' THEN 'x' END
full | UPDATE members SET town = 'x' FROM members o WHERE o.surname LIKE 'CANARY%'
full | UPDATE members SET town = 'x' WHERE surname LIKE 'CANARY%' AND random() < 0.5
full | UPDATE members SET town = nextval('members_id_seq')::text WHERE surname LIKE 'CANARY%'
full | UPDATE members SET town = (surname LIKE 'CANARY%')::text
full | DELETE FROM members WHERE surname LIKE 'CANARY%' RETURNING surname LIKE 'CANARY%'
full | DELETE FROM members USING members o WHERE o.surname LIKE 'CANARY%' AND o.id = members.id
full | WITH d AS (DELETE FROM members WHERE surname LIKE 'CANARY%' RETURNING *) SELECT * FROM d
full | WITH d AS (UPDATE members SET town = 'x' WHERE surname LIKE 'CANARY%') SELECT 1
full | EXPLAIN ANALYZE DELETE FROM members WHERE surname LIKE 'CANARY%'
full | EXPLAIN (ANALYZE, BUFFERS) UPDATE members SET town = 'x' WHERE surname LIKE 'CANARY%'
full | PREPARE p AS DELETE FROM members WHERE surname LIKE $1
full | COPY (UPDATE members SET town = 'x' WHERE surname LIKE 'CANARY%' RETURNING id) TO STDOUT
full | MERGE INTO members m USING (VALUES (1)) v (id) ON m.surname LIKE 'CANARY%' WHEN MATCHED THEN DELETE
full | DECLARE c CURSOR FOR SELECT id FROM members WHERE surname LIKE 'CANARY%' FOR UPDATE
full | DECLARE c CURSOR FOR SELECT count(*) FROM members WHERE surname LIKE 'CANARY%'
full | PREPARE p AS SELECT count(*) FROM members WHERE surname LIKE $1
full | PREPARE "fieldgate reads" AS SELECT 1 FROM customers
full | DECLARE "fieldgate refused this Execute" CURSOR FOR SELECT 1 FROM customers
