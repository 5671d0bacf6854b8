# Row filters: the principal's own rows stand in place of the table.

[client] SELECT * FROM customers;
-> SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "customers"
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged
[client] SELECT email FROM customers WHERE email = $1;
-> SELECT email FROM (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "customers" WHERE "customers"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea
:: email=open(customers.email)
++ physical=TERM($1) PRINCIPAL(-); described=$1:25
[client] SELECT c.email, o.total FROM customers c JOIN orders o ON o.customer_id = c.id;
-> SELECT c.email, o.total FROM (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) c JOIN (SELECT "id", "customer_id", "total", "status", "tech_notes", "placed_at", "recipient", "fg_recipient_eq" FROM "public"."orders" WHERE "orders"."customer_id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) o ON o.customer_id = c.id
:: email=open(customers.email), total
[client] SELECT public.customers.email FROM public.customers;
-> SELECT "customers"."email" FROM (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "customers"
:: email=open(customers.email)
[client] SELECT count(*) FROM orders;
-> SELECT count(*) FROM (SELECT "id", "customer_id", "total", "status", "tech_notes", "placed_at", "recipient", "fg_recipient_eq" FROM "public"."orders" WHERE "orders"."customer_id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "orders"
[client] SELECT email FROM customers WHERE 1 / (length(city) - 3) > 0;
-> SELECT email FROM (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "customers" WHERE 1 / (length(city) - 3) > 0
:: email=open(customers.email)
[client] SELECT email FROM ONLY customers;
-> SELECT email FROM (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM ONLY "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "customers"
:: email=open(customers.email)
[client] SELECT email FROM customer_view;
-> SELECT email FROM (SELECT c.id,
       c.email,
       c.city AS town
      FROM (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) c
     WHERE (c.city <> 'x'::text)) AS "customer_view"
:: email=open(customers.email)
[client] SELECT id FROM notes WHERE id IN (SELECT customer_id FROM orders);
-> SELECT "notes"."id" FROM notes WHERE "notes"."id" IN (SELECT customer_id FROM (SELECT "id", "customer_id", "total", "status", "tech_notes", "placed_at", "recipient", "fg_recipient_eq" FROM "public"."orders" WHERE "orders"."customer_id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "orders")
[client] SELECT email FROM customers FOR UPDATE;
-> SELECT email FROM (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "customers" FOR UPDATE
:: email=open(customers.email)
[client] UPDATE customers SET city = $1 WHERE id = $2 OR status = 'x' RETURNING email;
-> UPDATE "public".customers SET city = $1 WHERE ("customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint) AND ( id = $2 OR status = 'x') RETURNING email
:: email=open(customers.email)
++ physical=PLAIN($1) PLAIN($2) PRINCIPAL(-)
[client] UPDATE customers SET city = 'x';
-> UPDATE "public".customers SET city = 'x' WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint
[client] UPDATE customers AS c SET email = $1 WHERE c.email = $1;
-> UPDATE "public".customers AS c SET email = {CELL customers.email $1}::pg_catalog.bytea WHERE ("c"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint) AND ( "c"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea)
++ physical=CELL($1) PRINCIPAL(-) TERM($1); described=$1:25
[client] UPDATE customers SET city = 'x' WHERE 1 / (length(city) - 3) > 0;
!! 0A000 this condition is not supported where you may change only some rows of the table
   hint: Compare columns with constants or parameters by =, <>, <, >, IN or IS NULL.
[client] UPDATE customers SET city = 'x' WHERE id IN (SELECT customer_id FROM orders);
!! 0A000 this condition is not supported where you may change only some rows of the table
   hint: Compare columns with constants or parameters by =, <>, <, >, IN or IS NULL.
[client] UPDATE customers SET id = 8;
!! 42501 "id" says whose row it is, and can not be changed
[client] DELETE FROM orders WHERE id = 5;
-> DELETE FROM "public".orders WHERE ("orders"."customer_id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint) AND ( id = 5)
[client] DELETE FROM orders;
-> DELETE FROM "public".orders WHERE "orders"."customer_id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint
[client] EXPLAIN SELECT email FROM customers;
!! 0A000 EXPLAIN over "customers" is refused: its figures tell of rows you may not see
[client] WITH u AS (UPDATE customers SET city = 'x' WHERE status = 'y' RETURNING id) SELECT id FROM u;
-> WITH u AS (UPDATE "public".customers SET city = 'x' WHERE ("customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint) AND ( status = 'y') RETURNING id) SELECT id FROM u

-- A column alias list goes by places, so all columns of the table stand in the subquery, in theirs.
[client] SELECT x.d, x.name FROM customers AS x (a, b, c, d);
-> SELECT x.d, x.name FROM (SELECT "id", "city", "status", "email", "name", "phone", "born", "score", CAST(NULL AS pg_catalog.text) AS "untagged", "fg_email_eq", "fg_name_eq", "fg_born_eq", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS x (a, b, c, d)
:: d=open(customers.email), name=open(customers.name)
