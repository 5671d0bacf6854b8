# WITH: plain, recursive, writing, shadowing.

[full] WITH q AS (SELECT id, email FROM customers) SELECT email FROM q WHERE email = $1;
-> WITH q AS (SELECT id, email, "customers"."fg_email_eq" AS "fg_1" FROM "public".customers) SELECT email FROM q WHERE "q"."fg_1" = {TERM customers.email $1}::pg_catalog.bytea
:: email=open(customers.email)
++ physical=TERM($1); described=$1:25
[full] WITH q(k, m) AS MATERIALIZED (SELECT id, email FROM customers) SELECT m FROM q WHERE m = $1;
-> WITH q(k, m) AS MATERIALIZED (SELECT id, email, "customers"."fg_email_eq" AS "fg_1" FROM "public".customers) SELECT m FROM q WHERE "q"."fg_1" = {TERM customers.email $1}::pg_catalog.bytea
:: m=open(customers.email)
++ physical=TERM($1); described=$1:25
[full] WITH customers AS (SELECT 1 AS email) SELECT email FROM customers;
-> WITH customers AS (SELECT 1 AS email) SELECT email FROM customers
++ untouched
[full] WITH customers AS (SELECT email FROM customers) SELECT * FROM customers;
-> WITH customers AS (SELECT email FROM "public".customers) SELECT "customers"."email" FROM customers
:: email=open(customers.email)
[full] WITH a AS (SELECT * FROM customers), b AS (SELECT email FROM a) SELECT * FROM b;
-> WITH a AS (SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers), b AS (SELECT email FROM a) SELECT "b"."email" FROM b
:: email=open(customers.email)
[support] WITH a AS (SELECT * FROM customers) SELECT city FROM a;
!! 42501 permission denied: read of column "public.customers.city"
[full] WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n, c.email FROM t JOIN customers c ON c.id = t.n;
-> WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n, c.email FROM t JOIN "public".customers c ON c.id = t.n
:: n, email=open(customers.email)
[full] WITH RECURSIVE t AS (SELECT id, customer_id FROM orders WHERE id = 1 UNION ALL SELECT o.id, o.customer_id FROM orders o JOIN t ON o.customer_id = t.id + 1) SELECT * FROM t;
-> WITH RECURSIVE t AS (SELECT id, customer_id FROM "public".orders WHERE id = 1 UNION ALL SELECT o.id, o.customer_id FROM "public".orders o JOIN t ON o.customer_id = t.id + 1) SELECT "t"."id", "t"."customer_id" FROM t
[full] WITH RECURSIVE t(x) AS (SELECT 'a' UNION ALL SELECT tech_notes FROM orders, t WHERE x LIKE 'a%') SELECT x FROM t;
!! 0A000 the recursive part of "t" brings other columns of protected tables than its first part
   hint: Select the same columns in both parts.
[full] WITH n AS (INSERT INTO customers (id, email) VALUES (51, 'new@x') RETURNING id, email) SELECT email FROM n;
-> WITH n AS (INSERT INTO "public".customers (id, email) VALUES (51, {CELL customers.email 'new@x'}::pg_catalog.bytea) RETURNING id, email) SELECT email FROM n
:: email=open(customers.email)
[full] WITH d AS (DELETE FROM orders WHERE recipient = 'x' RETURNING *) SELECT count(*) FROM d;
-> WITH d AS (DELETE FROM "public".orders WHERE "orders"."fg_recipient_eq" = {TERM orders.recipient 'x'}::pg_catalog.bytea RETURNING "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."tech_notes", "orders"."placed_at", "orders"."recipient") SELECT count(*) FROM d
[full] WITH u AS (UPDATE customers SET name = $1 WHERE email = $1 RETURNING id) INSERT INTO orders (customer_id, recipient) SELECT id, $1 FROM u;
-> WITH u AS (UPDATE "public".customers SET name = {CELL customers.name $1}::pg_catalog.bytea WHERE "customers"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea RETURNING id) INSERT INTO "public".orders (customer_id, recipient) SELECT id, {CELL orders.recipient $1}::pg_catalog.bytea FROM u
++ physical=CELL($1) TERM($1) CELL($1); described=$1:25
[none] WITH d AS (DELETE FROM orders) SELECT 1;
!! 42501 permission denied: delete of rows of "public.orders"
[full] WITH q AS (SELECT 1) UPDATE customers SET city = 'x' WHERE id IN (SELECT * FROM q);
-> WITH q AS (SELECT 1) UPDATE "public".customers SET city = 'x' WHERE id IN (SELECT "q"."?column?" FROM q)
[full] WITH RECURSIVE t AS (SELECT id, name FROM customers WHERE id = 1 UNION ALL SELECT c.id, c.name FROM customers c JOIN t ON t.name = c.name WHERE c.id = t.id + 2) SELECT name FROM t WHERE name = 'Ann';
-> WITH RECURSIVE t AS (SELECT id, name FROM "public".customers WHERE id = 1 UNION ALL SELECT c.id, c.name FROM "public".customers c JOIN t ON pg_catalog.substr(t.name, 13, 16) = "c"."fg_name_eq" WHERE c.id = t.id + 2) SELECT name FROM t WHERE pg_catalog.substr(name, 13, 16) = {TERM customers.name 'Ann'}::pg_catalog.bytea
:: name=open(customers.name, untraced)
[full] WITH a AS (SELECT * FROM customers), b AS (SELECT email AS m, id FROM a WHERE email <> 'x') SELECT count(*) FROM b WHERE m IN ('ann@x', 'bob@x') AND id < 9;
-> WITH a AS (SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged", "customers"."fg_email_eq" AS "fg_1" FROM "public".customers), b AS (SELECT email AS m, id, "a"."fg_1" AS "fg_1" FROM a WHERE "a"."fg_1" <> {TERM customers.email 'x'}::pg_catalog.bytea) SELECT count(*) FROM b WHERE "b"."fg_1" IN ({TERM customers.email 'ann@x'}::pg_catalog.bytea, {TERM customers.email 'bob@x'}::pg_catalog.bytea) AND id < 9
[full] SELECT s.* FROM (SELECT email AS a, name AS a FROM customers) s WHERE 'ann@x' = (SELECT 'ann@x');
-> SELECT "s".* FROM (SELECT email AS a, name AS a FROM "public".customers) s WHERE 'ann@x' = (SELECT 'ann@x')
:: a=open(customers.email), a=open(customers.name)
