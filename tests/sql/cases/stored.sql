# TABLE, CREATE TABLE AS, SELECT INTO, views, LOCK, TRUNCATE and their like.

[full] TABLE customers;
-> SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged
[full] TABLE ONLY public.orders ORDER BY id LIMIT 1;
-> SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."tech_notes", "orders"."placed_at", "orders"."recipient" FROM ONLY public.orders ORDER BY id LIMIT 1
:: id, customer_id, total, status, tech_notes, placed_at, recipient=open(orders.recipient)
[full] TABLE ONLY (orders);
-> SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."tech_notes", "orders"."placed_at", "orders"."recipient" FROM ONLY ("public".orders)
:: id, customer_id, total, status, tech_notes, placed_at, recipient=open(orders.recipient)
[support] TABLE customers;
-> SELECT "customers"."id", CAST(NULL AS text) AS "city", CAST(NULL AS text) AS "status", "customers"."email", "customers"."name", "customers"."phone", CAST(NULL AS pg_catalog.date) AS "born", CAST(NULL AS pg_catalog.int4) AS "score", CAST(NULL AS text) AS "untagged" FROM "public".customers
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born, score, untagged
[none] TABLE customers;
!! 42501 permission denied for table "public.customers"
[analyst] TABLE customers;
!! 42501 rows of "public.customers" may only be seen in groups
   hint: Use GROUP BY, or an aggregate.
[client] TABLE customers;
-> SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "customers"
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged
[full] SELECT t.email FROM (TABLE customers) t WHERE t.email = 'ann@x';
-> SELECT t.email FROM (SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers) t WHERE pg_catalog.substr(t.email, 13, 16) = {TERM customers.email 'ann@x'}::pg_catalog.bytea
:: email=open(customers.email)
[full] TABLE accounts;
-> SELECT "accounts"."id", "accounts"."customer_id", "accounts"."login", "accounts"."password" FROM "public".accounts
:: id, customer_id, login=open(accounts.login), password=open(accounts.password, row key 0)
[full] SELECT password FROM (TABLE accounts) a;
-> SELECT password, "a"."id" FROM (SELECT "accounts"."id", "accounts"."customer_id", "accounts"."login", "accounts"."password" FROM "public".accounts) a
:: password=open(accounts.password, row key 1)
++ hidden=1
[full] TABLE customer_view;
-> SELECT "customer_view"."id", "customer_view"."email", "customer_view"."town" FROM (SELECT c.id,
       c.email,
       c.city AS town
      FROM public.customers c
     WHERE (c.city <> 'x'::text)) AS "customer_view"
:: id, email=open(customers.email), town
[full] SELECT id FROM notes WHERE EXISTS (TABLE customers);
-> SELECT "notes"."id" FROM notes WHERE EXISTS (SELECT FROM "public".customers)
[client] SELECT id FROM notes WHERE EXISTS (TABLE customers);
-> SELECT "notes"."id" FROM notes WHERE EXISTS (SELECT FROM (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "customers")
[full] WITH c AS (TABLE customers) TABLE c;
-> WITH c AS (SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers) SELECT "c"."id", "c"."city", "c"."status", "c"."email", "c"."name", "c"."phone", "c"."born", "c"."score", CAST(NULL AS text) AS "untagged" FROM c
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged
[full] TABLE customers UNION ALL TABLE customers;
-> SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers UNION ALL SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers
:: id, city, status, email=open(customers.email, untraced), name=open(customers.name, untraced), phone=open(customers.phone, untraced), born=open(customers.born, untraced), score=open(customers.score, untraced), untagged
[full] INSERT INTO notes TABLE notes;
-> INSERT INTO notes TABLE notes
++ untouched
[full] VALUES (1, (SELECT email FROM customers LIMIT 1));
!! 0A000 the sealed column "email" (public.customers.email) can not be used in a scalar or ARRAY subquery
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] VALUES (1, (SELECT min(id) FROM customers)), (2, 3) ORDER BY 1;
-> VALUES (1, (SELECT min(id) FROM "public".customers)), (2, 3) ORDER BY 1
[exporter] CREATE TABLE x AS SELECT id, city FROM customers WHERE email = 'ann@x';
-> CREATE TABLE x AS SELECT id, city FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'ann@x'}::pg_catalog.bytea
++ effect=catalog None
[exporter] CREATE TABLE IF NOT EXISTS x AS TABLE orders;
!! 0A000 the sealed column "public.orders.recipient" can not be copied into another column
   hint: Select it, and insert what you got.
[exporter] CREATE TEMP TABLE x AS SELECT o.id, o.total FROM orders o ORDER BY 1 LIMIT 5;
-> CREATE TEMP TABLE x AS SELECT o.id, o.total FROM "public".orders o ORDER BY 1 LIMIT 5
++ effect=catalog None
[exporter] SELECT id, city INTO x FROM customers ORDER BY id;
-> SELECT id, city INTO x FROM "public".customers ORDER BY id
++ effect=catalog None
[exporter] SELECT id, city INTO TEMP TABLE x FROM customers UNION SELECT 1, 'x';
-> SELECT id, city INTO TEMP TABLE x FROM "public".customers UNION SELECT 1, 'x'
++ effect=catalog None
[exporter] CREATE TABLE x AS SELECT id, email FROM customers;
!! 0A000 the sealed column "public.customers.email" can not be copied into another column
   hint: Select it, and insert what you got.
[exporter] SELECT email INTO x FROM customers;
!! 0A000 the sealed column "public.customers.email" can not be copied into another column
   hint: Select it, and insert what you got.
[exporter] CREATE TABLE x AS SELECT * FROM customers;
!! 42501 permission denied: read of column "public.customers.untagged"
[exporter] CREATE TABLE x AS SELECT 1 AS one, 'x'::text AS two WHERE EXISTS (SELECT FROM customers);
-> CREATE TABLE x AS SELECT 1 AS one, 'x'::text AS two WHERE EXISTS (SELECT FROM "public".customers)
++ effect=catalog None
[exporter] CREATE TABLE customers AS SELECT id FROM orders;
!! 42501 a relation named "customers" is refused: a protected table has that name
   hint: Choose another name.
[exporter] CREATE TEMP TABLE notes AS SELECT id FROM orders;
!! 42501 a temporary relation named "notes" is refused: it would hide the table of that name from analysis
   hint: Choose another name.
[exporter] CREATE TABLE x AS EXECUTE p;
!! 0A000 EXECUTE can not be used here in a database with protected tables
[exporter] CREATE TABLE x AS WITH d AS (DELETE FROM orders RETURNING id) SELECT id FROM d;
-> CREATE TABLE x AS WITH d AS (DELETE FROM "public".orders RETURNING id) SELECT id FROM d
++ effect=catalog None
[full] CREATE TABLE x AS SELECT city FROM customers;
!! 42501 permission denied: export of column "public.customers.city"
[full] SELECT city INTO x FROM customers;
!! 42501 permission denied: export of column "public.customers.city"
[full] CREATE TABLE x AS SELECT id FROM notes WHERE id IN (SELECT id FROM customers);
-> CREATE TABLE x AS SELECT "notes"."id" FROM notes WHERE "notes"."id" IN (SELECT id FROM "public".customers)
++ effect=catalog None
[analyst] CREATE TABLE x AS SELECT city, count(*) AS many FROM customers GROUP BY city;
!! 42501 permission denied: export of column "public.customers.city"
[exporter] CREATE VIEW x AS SELECT id FROM customers;
!! 42501 creating a table or view from protected tables is refused: it would show their data where no policy covers it
   hint: Create it on a direct connection and add it to the data map if it stores data.
[exporter] CREATE OR REPLACE TEMP VIEW x AS SELECT id FROM customers;
!! 42501 creating a table or view from protected tables is refused: it would show their data where no policy covers it
   hint: Create it on a direct connection and add it to the data map if it stores data.
[exporter] CREATE MATERIALIZED VIEW x AS SELECT id FROM customers;
!! 42501 creating a table or view from protected tables is refused: it would show their data where no policy covers it
   hint: Create it on a direct connection and add it to the data map if it stores data.
[full] REFRESH MATERIALIZED VIEW customer_copy;
!! 42501 this command on "public.customer_copy" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] REFRESH MATERIALIZED VIEW CONCURRENTLY public.customer_copy WITH NO DATA;
!! 42501 this command on "public.customer_copy" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] LOCK TABLE customers IN ACCESS SHARE MODE;
-> LOCK TABLE customers IN ACCESS SHARE MODE
++ untouched
[support] LOCK customers, ONLY orders;
-> LOCK customers, ONLY orders
++ untouched
[none] LOCK TABLE customers;
!! 42501 permission denied for table "public.customers"
[full] LOCK TABLE customer_view;
!! 42501 this command on "public.customer_view" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] LOCK TABLE notes;
-> LOCK TABLE notes
++ untouched
[full] TRUNCATE customers;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] TRUNCATE notes, orders CASCADE;
!! 42501 this command on "public.orders" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] TRUNCATE customer_copy;
!! 42501 this command on "public.customer_copy" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] ANALYZE customers;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] ANALYZE (VERBOSE) customers (city);
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] VACUUM;
-> VACUUM
++ untouched
[full] VACUUM VERBOSE;
!! 0A000 VACUUM and ANALYZE with VERBOSE need a table's name in a database with protected tables
[full] COMMENT ON COLUMN customers.city IS 'x';
!! 42501 COMMENT on a protected table is refused
   hint: Use a direct connection.
[full] ALTER TABLE customers RENAME TO clients;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] ALTER TABLE customers RENAME COLUMN email TO mail;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] ALTER TABLE customers ADD COLUMN more text;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] ALTER TABLE customers DROP COLUMN email;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] ALTER TABLE customers ALTER COLUMN email TYPE text;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] ALTER TABLE customers DROP CONSTRAINT fg_00000000000000000000000000000001;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] ALTER TABLE notes INHERIT customers;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] ALTER TABLE notes ATTACH PARTITION customers DEFAULT;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] ALTER TABLE notes RENAME TO orders;
!! 42501 a relation named "orders" is refused: a protected table has that name
   hint: Choose another name.
[full] ALTER TABLE audit.customers SET SCHEMA public;
!! 42501 a relation named "customers" is refused: a protected table has that name
   hint: Choose another name.
[full] ALTER VIEW customer_view RENAME TO v;
!! 42501 this command on "public.customer_view" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] ALTER SCHEMA audit RENAME TO public2;
!! 0A000 renaming schemas, roles and databases is refused
   hint: Use a direct connection.
[full] DROP TABLE customers;
!! 42501 dropping "customers" is refused: the table is protected, or shows protected data
   hint: Use a direct connection, as the administrator of the database.
[full] DROP SCHEMA audit CASCADE;
!! 0A000 dropping this kind of object is refused in a database with protected tables
[full] DROP TABLE notes CASCADE;
!! 0A000 DROP ... CASCADE is refused in a database with protected tables
   hint: Drop one by one.
[full] CREATE UNIQUE INDEX ON customers (city);
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CREATE STATISTICS s ON city, status FROM customers;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CREATE TABLE x (LIKE customers INCLUDING ALL);
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CREATE TABLE x (id bigint REFERENCES customers);
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CREATE TABLE x PARTITION OF customers DEFAULT;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] REINDEX TABLE customers;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
[full] CLUSTER customers USING customers_pkey;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
