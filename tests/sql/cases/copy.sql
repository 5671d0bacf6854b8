-- COPY of protected tables, out and in.

[full] COPY orders TO STDOUT;
-> COPY (SELECT "id", "customer_id", "total", "status", "tech_notes", "placed_at", "recipient" FROM ONLY "public"."orders") TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[full] COPY orders (id, recipient) TO STDOUT;
-> COPY (SELECT "id", "recipient" FROM ONLY "public"."orders") TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[full] COPY public.orders (recipient) TO STDOUT WITH CSV HEADER QUOTE AS '''' FORCE QUOTE recipient;
-> COPY (SELECT "recipient" FROM ONLY "public"."orders") TO STDOUT (FORMAT csv, DELIMITER ',', NULL '', HEADER true, QUOTE '''', ESCAPE '''', FORCE_QUOTE *, ENCODING 'UTF8')
[full] COPY BINARY orders TO STDOUT;
-> COPY (SELECT "id", "customer_id", "total", "status", "tech_notes", "placed_at", "recipient" FROM ONLY "public"."orders") TO STDOUT (FORMAT binary, ENCODING 'UTF8')
[full] COPY orders TO STDOUT (FORMAT binary);
-> COPY (SELECT "id", "customer_id", "total", "status", "tech_notes", "placed_at", "recipient" FROM ONLY "public"."orders") TO STDOUT (FORMAT binary, ENCODING 'UTF8')
[full] COPY orders TO STDOUT (FORMAT csv, FORCE_QUOTE *, DELIMITER ';', NULL 'nil', ESCAPE '\', HEADER off, ENCODING 'UTF-8');
-> COPY (SELECT "id", "customer_id", "total", "status", "tech_notes", "placed_at", "recipient" FROM ONLY "public"."orders") TO STDOUT (FORMAT csv, DELIMITER ';', NULL 'nil', QUOTE '"', ESCAPE '\', FORCE_QUOTE *, ENCODING 'UTF8')
[full] COPY orders TO STDOUT (DELIMITER '|', NULL '', HEADER);
-> COPY (SELECT "id", "customer_id", "total", "status", "tech_notes", "placed_at", "recipient" FROM ONLY "public"."orders") TO STDOUT (FORMAT text, DELIMITER '|', NULL '', HEADER true, ENCODING 'UTF8')
[full] COPY accounts (login, password) TO STDOUT;
-> COPY (SELECT "login", "password", "accounts"."id" FROM ONLY "public"."accounts") TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[full] COPY accounts TO STDOUT;
-> COPY (SELECT "id", "customer_id", "login", "password" FROM ONLY "public"."accounts") TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[full] COPY accounts (password) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE (password));
-> COPY (SELECT "password", "accounts"."id" FROM ONLY "public"."accounts") TO STDOUT (FORMAT csv, DELIMITER ',', NULL '', HEADER true, QUOTE '"', ESCAPE '"', FORCE_QUOTE *, ENCODING 'UTF8')
[full] COPY (SELECT email AS mail, city FROM customers WHERE email = 'ann@x' ORDER BY id) TO STDOUT;
-> COPY (SELECT email AS mail, city FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'ann@x'}::pg_catalog.bytea ORDER BY id) TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[full] COPY (SELECT * FROM orders) TO STDOUT (FORMAT csv);
-> COPY (SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."tech_notes", "orders"."placed_at", "orders"."recipient" FROM "public".orders) TO STDOUT (FORMAT csv, DELIMITER ',', NULL '', QUOTE '"', ESCAPE '"', ENCODING 'UTF8')
[full] COPY (TABLE orders) TO STDOUT;
-> COPY (SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."tech_notes", "orders"."placed_at", "orders"."recipient" FROM "public".orders) TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[full] COPY (WITH o AS (SELECT id, recipient FROM orders) SELECT recipient FROM o) TO STDOUT;
-> COPY (WITH o AS (SELECT id, recipient FROM "public".orders) SELECT recipient FROM o) TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[full] COPY (SELECT id FROM orders UNION ALL SELECT id FROM notes) TO STDOUT;
-> COPY (SELECT id FROM "public".orders UNION ALL SELECT "notes"."id" FROM notes) TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[full] COPY (SELECT 'a)b' AS "x)", /* ) */ $$)$$ AS y, email FROM customers) TO STDOUT;
-> COPY (SELECT 'a)b' AS "x)", /* ) */ $$)$$ AS y, email FROM "public".customers) TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[full] COPY (SELECT email FROM customer_view) TO STDOUT;
-> COPY (SELECT email FROM (SELECT c.id,
       c.email,
       c.city AS town
      FROM public.customers c
     WHERE (c.city <> 'x'::text)) AS "customer_view") TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[full] COPY (VALUES (1)) TO STDOUT;
-> COPY (VALUES (1)) TO STDOUT
++ untouched
[full] COPY notes (id) TO STDOUT;
-> COPY notes (id) TO STDOUT
++ untouched

-- rights: what is denied is refused, also where no column is named; a mask is NULL; own rows only; groups only
[support] COPY customers TO STDOUT;
!! 42501 permission denied: read of column "public.customers.city"
   hint: Name the columns that you need: COPY table (column, ...) TO STDOUT.
[support] COPY customers (id, email) TO STDOUT;
-> COPY (SELECT "id", "email" FROM ONLY "public"."customers") TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[support] COPY customers (city) TO STDOUT;
!! 42501 permission denied: read of column "public.customers.city"
[support] COPY (SELECT * FROM orders) TO STDOUT;
!! 42501 permission denied: read of column "public.orders.customer_id"
[support] COPY (SELECT id, total AS status FROM orders) TO STDOUT;
!! 42501 permission denied: read of column "public.orders.total"
[support] COPY (SELECT s.total FROM (SELECT * FROM orders) s) TO STDOUT;
!! 42501 permission denied: read of column "public.orders.total"
[support] COPY (SELECT s.* FROM (SELECT * FROM orders) s) TO STDOUT;
!! 42501 permission denied: read of column "public.orders.customer_id"
[support] COPY (SELECT * FROM orders UNION ALL SELECT * FROM orders) TO STDOUT;
!! 42501 permission denied: read of column "public.orders.customer_id"
[none] COPY orders TO STDOUT;
!! 42501 permission denied for table "public.orders"
   hint: Name the columns that you need: COPY table (column, ...) TO STDOUT.
[masked] COPY customers (id, email, status) TO STDOUT;
-> COPY (SELECT "id", CAST(NULL AS pg_catalog.text) AS "email", "status" FROM ONLY "public"."customers") TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[masked] COPY customers (city) TO STDOUT (FORMAT csv, HEADER);
-> COPY (SELECT CAST(NULL AS text) AS "city" FROM ONLY "public"."customers") TO STDOUT (FORMAT csv, DELIMITER ',', NULL '', HEADER true, QUOTE '"', ESCAPE '"', ENCODING 'UTF8')
[client] COPY orders (id, recipient) TO STDOUT;
-> COPY (SELECT "id", "recipient" FROM (SELECT "id", "customer_id", "total", "status", "tech_notes", "placed_at", "recipient", "fg_recipient_eq" FROM ONLY "public"."orders" WHERE "orders"."customer_id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "orders") TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[client] COPY accounts (login, password) TO STDOUT;
-> COPY (SELECT "login", "password", "accounts"."id" FROM (SELECT "id", "customer_id", "login", "fg_login_eq", "password" FROM ONLY "public"."accounts" WHERE "accounts"."customer_id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "accounts") TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[analyst] COPY orders (status) TO STDOUT;
!! 42501 permission denied: read of column "public.orders.status"
[analyst] COPY (SELECT status, count(*) FROM orders GROUP BY status) TO STDOUT;
-> COPY (SELECT status, count(*) FROM (SELECT "fg_r"."id", CASE WHEN fg_c.fg_v0 THEN "fg_r"."total" END AS "total", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status" FROM "public"."orders" AS fg_r JOIN (SELECT *, pg_catalog.sum(fg_x0) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 AS fg_v0 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n, pg_catalog.count("fg_r"."total") AS fg_x0 FROM "public"."orders" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) AS "orders" GROUP BY status HAVING pg_catalog.count("orders"."id") >= 5) TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[analyst] COPY (SELECT count(*) FROM customers) TO STDOUT;
-> COPY (SELECT count(*) FROM (SELECT "fg_r"."id", CASE WHEN fg_c.fg_s2 THEN "fg_r"."city" END AS "city", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status" FROM "public"."customers" AS fg_r JOIN (SELECT * FROM (SELECT *, fg_m2 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m2) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END ORDER BY fg_m2, fg_k[2]) OPERATOR(pg_catalog.-) fg_m2 OPERATOR(pg_catalog.>=) 5) AS fg_s2 FROM (SELECT *, CASE WHEN fg_k[2] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END, fg_k[2]) END AS fg_m2 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n FROM "public"."customers" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) AS "customers" HAVING pg_catalog.count("customers"."id") >= 5) TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')

-- what can not be copied out
[full] COPY customers TO STDOUT;
!! 42501 permission denied: read of column "public.customers.untagged"
   hint: Name the columns that you need: COPY table (column, ...) TO STDOUT.
[full] COPY customer_view TO STDOUT;
!! 42809 cannot copy from view "customer_view"
   hint: Try the COPY (SELECT ...) TO variant.
[full] COPY customer_copy TO STDOUT;
!! 42809 cannot copy from materialized view "customer_copy"
   hint: Try the COPY (SELECT ...) TO variant.
[full] COPY orders (fg_recipient_eq) TO STDOUT;
!! 42703 column "fg_recipient_eq" does not exist
[full] COPY orders (nothing) TO STDOUT;
!! 42703 column "nothing" does not exist
[full] COPY orders (id, id) TO STDOUT;
!! 42701 column "id" specified more than once
[full] COPY orders (ctid) TO STDOUT;
!! 42703 column "ctid" does not exist
[full] COPY (SELECT fg_recipient_eq FROM orders) TO STDOUT;
!! 42703 names beginning with fg_ are not available in statements over protected tables
[full] COPY (SELECT o FROM orders o) TO STDOUT;
!! 0A000 "o" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] COPY (SELECT upper(recipient) FROM orders) TO STDOUT;
!! 0A000 the sealed column "recipient" (public.orders.recipient) can not be used in the function upper
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] COPY (SELECT $1 FROM orders) TO STDOUT;
!! 42P02 there is no parameter $1: COPY takes none
[full] COPY (UPDATE orders SET status = 'x' RETURNING id) TO STDOUT;
!! 0A000 COPY of UPDATE is not supported over protected tables
   hint: Run the statement by itself, with RETURNING.
[full] COPY (WITH x AS (INSERT INTO orders (recipient) VALUES ('Ann') RETURNING id) SELECT id FROM x) TO STDOUT;
!! 0A000 COPY of a query that writes sealed columns is not supported
   hint: Run the statement by itself, with RETURNING.
[full] COPY orders TO '/tmp/orders';
!! 0A000 COPY to or from files and programs of the server is refused in a database with protected tables
   hint: Use COPY ... TO STDOUT or FROM STDIN.
[full] COPY orders TO PROGRAM 'cat';
!! 0A000 COPY to or from files and programs of the server is refused in a database with protected tables
   hint: Use COPY ... TO STDOUT or FROM STDIN.
[full] COPY orders TO STDOUT (FORMAT xml);
!! 22023 COPY format "xml" not recognized
[full] COPY orders TO STDOUT (FORMAT csv, FORMAT csv);
!! 42601 conflicting or redundant options
[full] COPY orders TO STDOUT (ENCODING 'LATIN1');
!! 0A000 COPY of protected tables speaks UTF8 only
   hint: Leave ENCODING out, and convert the file.
[full] COPY orders TO STDOUT (QUOTE 'x');
!! 0A000 COPY QUOTE requires CSV mode
[full] COPY orders TO STDOUT (DELIMITER 'ab');
!! 0A000 COPY delimiter must be a single one-byte character
[full] COPY orders TO STDOUT (DELIMITER 'a');
!! 22023 COPY delimiter cannot be this character
[full] COPY orders TO STDOUT (NULL E'a\nb');
!! 22023 COPY NULL representation cannot use newline or carriage return
[full] COPY orders TO STDOUT (FORMAT csv, NULL 'a"b');
!! 22023 CSV quote character must not appear in the NULL specification
[full] COPY orders TO STDOUT (FORMAT csv, FORCE_QUOTE (fg_recipient_eq));
!! 42P10 FORCE_QUOTE column "fg_recipient_eq" not referenced by COPY
[full] COPY orders TO STDOUT (FORMAT binary, DELIMITER ',');
!! 42601 cannot specify DELIMITER in BINARY mode
[full] COPY orders TO STDOUT (HEADER match);
!! 0A000 cannot use "match" with HEADER in COPY TO
[full] COPY orders TO STDOUT (FREEZE);
!! 0A000 COPY FREEZE cannot be used with COPY TO
[full] COPY orders TO STDOUT (SURPRISE 1);
!! 42601 option "surprise" not recognized

-- in
[full] COPY orders FROM STDIN;
-> COPY "public"."orders" ("id", "customer_id", "total", "status", "tech_notes", "placed_at", "recipient") FROM STDIN (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
++ effect=takes_data None
[full] COPY orders (recipient, id) FROM STDIN WITH CSV HEADER;
-> COPY "public"."orders" ("recipient", "id") FROM STDIN (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
++ effect=takes_data None
[full] COPY orders (id, recipient) FROM STDIN (FORMAT csv, HEADER match, FORCE_NULL (recipient), FORCE_NOT_NULL (id), DEFAULT 'D', NULL 'N', FREEZE);
-> COPY "public"."orders" ("id", "recipient") FROM STDIN (FORMAT text, DELIMITER '	', NULL '\N', DEFAULT '\D', freeze 'true', ENCODING 'UTF8')
++ effect=takes_data None
[full] COPY orders (id, recipient) FROM STDIN (DELIMITER '|', NULL 'nil', DEFAULT '*', HEADER);
-> COPY "public"."orders" ("id", "recipient") FROM STDIN (FORMAT text, DELIMITER '|', NULL 'nil', DEFAULT '*', ENCODING 'UTF8')
++ effect=takes_data None
[full] COPY orders (id, recipient) FROM STDIN (FORMAT binary);
-> COPY "public"."orders" ("id", "recipient") FROM STDIN (FORMAT binary, ENCODING 'UTF8')
++ effect=takes_data None
[full] COPY orders (id, recipient) FROM STDIN (ON_ERROR ignore, REJECT_LIMIT 3, LOG_VERBOSITY verbose);
-> COPY "public"."orders" ("id", "recipient") FROM STDIN (FORMAT text, DELIMITER '	', NULL '\N', on_error 'ignore', reject_limit '3', log_verbosity 'verbose', ENCODING 'UTF8')
++ effect=takes_data None
[full] COPY accounts (id, password) FROM STDIN;
-> COPY "public"."accounts" ("id", "password") FROM STDIN (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
++ effect=takes_data None
[full] COPY accounts (customer_id, login) FROM STDIN;
-> COPY "public"."accounts" ("customer_id", "login") FROM STDIN (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
++ effect=takes_data None
[full] COPY orders (id, status) FROM STDIN WHERE status <> 'x' AND id > 0;
-> COPY "public"."orders" ("id", "status") FROM STDIN (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8') WHERE status <> 'x' AND id > 0
++ effect=takes_data None
[support] COPY orders (id, recipient) FROM STDIN;
!! 42501 permission denied: insert of column "public.orders.id"
[client] COPY orders (id) FROM STDIN;
!! 0A000 you may see only some rows of "orders", so rows can not be added to it
   hint: Policy must give the insert to a role without a row filter.
[full] COPY customers FROM STDIN;
!! 42501 permission denied: insert of column "public.customers.untagged"
[full] COPY customers (untagged) FROM STDIN;
!! 42501 permission denied: insert of column "public.customers.untagged"
[full] COPY accounts (password) FROM STDIN;
!! 0A000 a sealed column of "accounts" is bound to its row, and the row's key is not known here
   hint: Name "id" in the list of columns, and give it in every row.
[full] COPY accounts FROM STDIN;
-> COPY "public"."accounts" ("id", "customer_id", "login", "password") FROM STDIN (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
++ effect=takes_data None
[full] COPY customer_view FROM STDIN;
!! 0A000 writing through "public.customer_view" is not supported: it shows data of protected tables
   hint: Copy into the table itself.
[full] COPY orders (fg_recipient_eq) FROM STDIN;
!! 42703 names beginning with fg_ are not available in statements over protected tables
[full] COPY orders (id, recipient) FROM STDIN WHERE recipient = 'Ann';
!! 0A000 WHERE of COPY is supported over plain columns only, without subqueries and parameters
   hint: Copy into a table without protection, or choose the rows beforehand.
[full] COPY orders (id, recipient) FROM STDIN WHERE fg_recipient_eq IS NULL;
!! 42703 names beginning with fg_ are not available in statements over protected tables
[full] COPY orders (id, recipient) FROM STDIN WHERE leak() > 0;
!! 0A000 it is not known what the function leak reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] COPY orders (id) FROM STDIN WHERE id IN (SELECT id FROM notes);
!! 0A000 WHERE of COPY is supported over plain columns only, without subqueries and parameters
   hint: Copy into a table without protection, or choose the rows beforehand.
[full] COPY orders FROM '/tmp/orders';
!! 0A000 COPY to or from files and programs of the server is refused in a database with protected tables
   hint: Use COPY ... TO STDOUT or FROM STDIN.
[full] COPY orders FROM PROGRAM 'id';
!! 0A000 COPY to or from files and programs of the server is refused in a database with protected tables
   hint: Use COPY ... TO STDOUT or FROM STDIN.
[full] COPY orders FROM STDIN (FORCE_QUOTE *);
!! 0A000 COPY FORCE_QUOTE requires CSV mode
[full] COPY orders FROM STDIN (FORMAT binary, ON_ERROR ignore);
!! 42601 only ON_ERROR STOP is allowed in BINARY mode
[full] COPY orders (id) FROM STDIN (FORMAT csv, FORCE_NULL (recipient));
!! 42P10 FORCE_NULL column "recipient" not referenced by COPY
[full] COPY orders (id) FROM STDIN (NULL 'x', DEFAULT 'x');
!! 22023 NULL specification and DEFAULT specification cannot be the same
[full] COPY orders (id) FROM STDIN (HEADER 'maybe');
!! 42601 header requires a Boolean value or "match"

-- who may only insert: not where a unique index would tell whether a value exists, nor by a condition
[writer] COPY orders (total, recipient) FROM STDIN;
-> COPY "public"."orders" ("total", "recipient") FROM STDIN (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
++ effect=takes_data None
[writer] COPY orders (id, recipient) FROM STDIN;
!! 42501 permission denied: filter_eq of column "public.orders.id"
[writer] COPY customers (city, email) FROM STDIN;
!! 42501 permission denied: filter_eq of column "public.customers.email"
[writer] COPY orders (total) FROM STDIN WHERE total > 0;
!! 42501 permission denied for table "public.orders"
[writer] COPY orders (total) TO STDOUT;
!! 42501 permission denied for table "public.orders"
