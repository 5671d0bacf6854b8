# FROM: joins, subqueries, LATERAL, views.

[full] SELECT c.email, o.total FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.total > 5;
-> SELECT c.email, o.total FROM "public".customers c JOIN "public".orders o ON o.customer_id = c.id WHERE o.total > 5
:: email=open(customers.email), total
[full] SELECT c.email FROM customers c JOIN orders o ON o.recipient = c.name;
-> SELECT c.email FROM "public".customers c JOIN "public".orders o ON "o"."fg_recipient_eq" = "c"."fg_name_eq"
:: email=open(customers.email)
[full] SELECT c.email FROM customers c JOIN orders o ON o.recipient = c.email;
!! 0A000 the sealed columns "public.orders.recipient" and "public.customers.email" can not be compared: they are in no common join group
   hint: Declare a join group for both in the data map, if policy wants them to be linked.
[full] SELECT c.email FROM customers c JOIN customers d ON c.email = d.email AND c.id <> d.id;
-> SELECT c.email FROM "public".customers c JOIN "public".customers d ON "c"."fg_email_eq" = "d"."fg_email_eq" AND c.id <> d.id
:: email=open(customers.email)
[full] SELECT c.email FROM customers c JOIN orders o ON o.recipient < c.name;
!! 0A000 the sealed column "recipient" (public.orders.recipient) can not be used in the operator <
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT c.email FROM customers c LEFT JOIN orders o USING (id);
-> SELECT c.email FROM "public".customers c LEFT JOIN "public".orders o USING (id)
:: email=open(customers.email)
[full] SELECT * FROM orders JOIN accounts USING (id, customer_id);
-> SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."tech_notes", "orders"."placed_at", "orders"."recipient", "accounts"."login", "accounts"."password", "accounts"."id" FROM "public".orders JOIN "public".accounts USING (id, customer_id)
:: id, customer_id, total, status, tech_notes, placed_at, recipient=open(orders.recipient), login=open(accounts.login), password=open(accounts.password, row key 9)
++ hidden=1
[full] SELECT * FROM customers c FULL JOIN notes n USING (id);
-> SELECT COALESCE("c"."id", "n"."id") AS "id", "c"."city", "c"."status", "c"."email", "c"."name", "c"."phone", "c"."born", "c"."score", CAST(NULL AS text) AS "untagged", "n"."customer_id", "n"."body", "n"."email" FROM "public".customers c FULL JOIN notes n USING (id)
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged, customer_id, body, email
[full] SELECT id FROM customers c FULL JOIN notes n USING (id) WHERE id = 1;
-> SELECT id FROM "public".customers c FULL JOIN notes n USING (id) WHERE id = 1
[full] SELECT * FROM customers c RIGHT JOIN orders o USING (id);
-> SELECT "o"."id", "c"."city", "c"."status", "c"."email", "c"."name", "c"."phone", "c"."born", "c"."score", CAST(NULL AS text) AS "untagged", "o"."customer_id", "o"."total", "o"."status", "o"."tech_notes", "o"."placed_at", "o"."recipient" FROM "public".customers c RIGHT JOIN "public".orders o USING (id)
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged, customer_id, total, status, tech_notes, placed_at, recipient=open(orders.recipient)
[full] SELECT 1 FROM customers c JOIN customers d USING (email);
!! 0A000 the sealed column "email" (public.customers.email) can not be used in USING; write the condition with ON
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT 1 FROM customers NATURAL JOIN orders;
!! 0A000 NATURAL JOIN is not supported in statements over protected tables: it also joins by columns not shown
   hint: Write the condition with ON or USING.
[full] SELECT j.id FROM (customers c JOIN orders o ON o.customer_id = c.id) AS j;
!! 42702 column reference "id" is ambiguous
   hint: Write it with its table's name or alias in front.
[full] SELECT j.email FROM (customers c JOIN orders o ON o.customer_id = c.id) AS j WHERE j.email = 'x';
-> SELECT j.email FROM ("public".customers c JOIN "public".orders o ON o.customer_id = c.id) AS j WHERE pg_catalog.substr(j.email, 13, 16) = {TERM customers.email 'x'}::pg_catalog.bytea
:: email=open(customers.email)
[full] SELECT customers.email, orders.total FROM customers CROSS JOIN orders;
-> SELECT customers.email, orders.total FROM "public".customers CROSS JOIN "public".orders
:: email=open(customers.email), total
[full] SELECT status FROM customers, orders;
!! 42702 column reference "status" is ambiguous
   hint: Write it with its table's name or alias in front.
[full] SELECT email FROM customers, notes;
!! 42702 column reference "email" is ambiguous
   hint: Write it with its table's name or alias in front.
[full] SELECT customers.id FROM customers, customers;
!! 0A000 the name "customers" stands for two tables of one FROM list
   hint: Give each of them an alias of its own.
[full] SELECT c.id, l.total FROM customers c, LATERAL (SELECT o.total FROM orders o WHERE o.customer_id = c.id) l;
-> SELECT c.id, l.total FROM "public".customers c, LATERAL (SELECT o.total FROM "public".orders o WHERE o.customer_id = c.id) l
[full] SELECT c.id, l.n FROM customers c LEFT JOIN LATERAL (SELECT count(*) AS n FROM orders o WHERE o.recipient = c.name) l ON true;
-> SELECT c.id, l.n FROM "public".customers c LEFT JOIN LATERAL (SELECT count(*) AS n FROM "public".orders o WHERE "o"."fg_recipient_eq" = "c"."fg_name_eq") l ON true
[full] SELECT s.email FROM (SELECT email, id FROM customers WHERE id > 3) s WHERE s.email = $1;
-> SELECT s.email FROM (SELECT email, id, "customers"."fg_email_eq" AS "fg_1" FROM "public".customers WHERE id > 3) s WHERE "s"."fg_1" = {TERM customers.email $1}::pg_catalog.bytea
:: email=open(customers.email)
++ physical=TERM($1); described=$1:25
[full] SELECT email FROM (SELECT * FROM customers) s;
-> SELECT email FROM (SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers) s
:: email=open(customers.email)
[full] SELECT * FROM (SELECT * FROM customers) s;
-> SELECT "s"."id", "s"."city", "s"."status", "s"."email", "s"."name", "s"."phone", "s"."born", "s"."score", CAST(NULL AS text) AS "untagged" FROM (SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers) s
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged
[support] SELECT * FROM (SELECT * FROM customers) s;
-> SELECT "s"."id", CAST(NULL AS text) AS "city", CAST(NULL AS text) AS "status", "s"."email", "s"."name", "s"."phone", CAST(NULL AS pg_catalog.date) AS "born", CAST(NULL AS pg_catalog.int4) AS "score", CAST(NULL AS text) AS "untagged" FROM (SELECT "customers"."id", CAST(NULL AS text) AS "city", CAST(NULL AS text) AS "status", "customers"."email", "customers"."name", "customers"."phone", CAST(NULL AS pg_catalog.date) AS "born", CAST(NULL AS pg_catalog.int4) AS "score", CAST(NULL AS text) AS "untagged" FROM "public".customers) s
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born, score, untagged
[support] SELECT s.city FROM (SELECT * FROM customers) s;
!! 42501 permission denied: read of column "public.customers.city"
[support] SELECT s.id FROM (SELECT id, city FROM customers) s;
!! 42501 permission denied: read of column "public.customers.city"
[full] SELECT s.m FROM (SELECT id, email FROM customers) AS s(k, m) WHERE s.m IN ('a', 'b');
-> SELECT s.m FROM (SELECT id, email, "customers"."fg_email_eq" AS "fg_1" FROM "public".customers) AS s(k, m) WHERE "s"."fg_1" IN ({TERM customers.email 'a'}::pg_catalog.bytea, {TERM customers.email 'b'}::pg_catalog.bytea)
:: m=open(customers.email)
[full] SELECT x.email FROM (SELECT email FROM (SELECT email FROM customers) y) x;
-> SELECT x.email FROM (SELECT email FROM (SELECT email FROM "public".customers) y) x
:: email=open(customers.email)
[full] SELECT * FROM customers c JOIN notes n ON n.customer_id = c.id;
-> SELECT "c"."id", "c"."city", "c"."status", "c"."email", "c"."name", "c"."phone", "c"."born", "c"."score", CAST(NULL AS text) AS "untagged", "n"."id", "n"."customer_id", "n"."body", "n"."email" FROM "public".customers c JOIN notes n ON n.customer_id = c.id
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged, id, customer_id, body, email
[full] SELECT c.email, n.body FROM notes n JOIN customers c ON c.id = n.customer_id WHERE c.email = n.email;
!! 0A000 the sealed column "public.customers.email" is compared with something that is neither a constant, a parameter nor a column of its join group
   hint: Send the value as a constant or as a parameter; for many values use = ANY ($1).
[full] SELECT c.email, w FROM customers c, unnest(string_to_array(c.city, ' ')) AS w;
-> SELECT c.email, w FROM "public".customers c, unnest(string_to_array(c.city, ' ')) AS w
:: email=open(customers.email), w
[reader] SELECT w FROM customers c, unnest(string_to_array(c.city, ' ')) AS w WHERE w = 'x';
!! 42501 permission denied: filter_eq of column "public.customers.city"
[full] SELECT c.email, g FROM customers c, generate_series(1, 3) g WHERE g = 2;
-> SELECT c.email, g FROM "public".customers c, generate_series(1, 3) g WHERE g = 2
:: email=open(customers.email), g
[full] SELECT c.email, x.a FROM customers c, jsonb_to_recordset('[{"a": 1}]') AS x(a int, b text) WHERE x.a = c.id;
-> SELECT c.email, x.a FROM "public".customers c, jsonb_to_recordset('[{"a": 1}]') AS x(a int, b text) WHERE x.a = c.id
:: email=open(customers.email), a
[full] SELECT c.email, t.x FROM customers c JOIN temp_things t ON t.id = c.id;
-> SELECT c.email, t.x FROM "public".customers c JOIN temp_things t ON t.id = c.id
:: email=open(customers.email), x
[full] SELECT * FROM customers c JOIN temp_things t ON t.id = c.id;
!! 0A000 * includes columns that are not known here
   hint: Name the columns that you need.
[full] SELECT x FROM customers c JOIN temp_things t ON t.id = c.id;
-> SELECT x FROM "public".customers c JOIN temp_things t ON t.id = c.id
[full] SELECT email FROM customers c JOIN temp_things t ON t.id = c.id;
-> SELECT email FROM "public".customers c JOIN temp_things t ON t.id = c.id
:: email=open(customers.email)
[full] SELECT v.email, v.town FROM customer_view v WHERE v.town = 'x' AND v.email = $1;
-> SELECT v.email, v.town FROM (SELECT c.id,
       c.email,
       c.city AS town, "c"."fg_email_eq" AS "fg_1"
      FROM public.customers c
     WHERE (c.city <> 'x'::text)) v WHERE v.town = 'x' AND "v"."fg_1" = {TERM customers.email $1}::pg_catalog.bytea
:: email=open(customers.email), town
++ physical=TERM($1); described=$1:25
[full] SELECT * FROM customer_view;
-> SELECT "customer_view"."id", "customer_view"."email", "customer_view"."town" FROM (SELECT c.id,
       c.email,
       c.city AS town
      FROM public.customers c
     WHERE (c.city <> 'x'::text)) AS "customer_view"
:: id, email=open(customers.email), town
[support] SELECT * FROM customer_view;
!! 42501 permission denied: filter_eq of column "public.customers.city"
[reader] SELECT email FROM customer_view;
!! 42501 permission denied: filter_eq of column "public.customers.city"
[full] SELECT public.customer_view.email FROM public.customer_view;
-> SELECT "customer_view"."email" FROM (SELECT c.id,
       c.email,
       c.city AS town
      FROM public.customers c
     WHERE (c.city <> 'x'::text)) AS "customer_view"
:: email=open(customers.email)
[full] SELECT c.id FROM customer_view AS c(k, m) WHERE c.m = 'x';
!! 42703 column "c.id" does not exist
[full] SELECT c.k FROM customer_view AS c(k, m) WHERE c.m = 'x';
-> SELECT c.k FROM (SELECT c.id,
       c.email,
       c.city AS town, "c"."fg_email_eq" AS "fg_1"
      FROM public.customers c
     WHERE (c.city <> 'x'::text)) AS c(k, m) WHERE "c"."fg_1" = {TERM customers.email 'x'}::pg_catalog.bytea
[full] SELECT * FROM customer_copy;
!! 0A000 "public.customer_copy" shows data of protected tables in a way that can not be analysed
   hint: Query the tables themselves.
[full] SELECT * FROM strange_view;
!! 0A000 "public.strange_view" calls functions of which it is not known what they read
   hint: Ask for them to be allowed in the data map, as [harmless], or query the tables themselves.
[full] SELECT * FROM note_view;
-> SELECT * FROM note_view
++ untouched
[full] INSERT INTO customer_view (id) VALUES (1);
!! 0A000 writing through "public.customer_view" is not supported: it shows data of protected tables
   hint: Write to the table itself.
[full] UPDATE customer_view SET town = 'x';
!! 0A000 writing through "public.customer_view" is not supported: it shows data of protected tables
   hint: Write to the table itself.
[full] SELECT what FROM audit.customers;
-> SELECT what FROM audit.customers
++ untouched
[full] SELECT a.what, c.email FROM audit.customers a JOIN public.customers c ON a.id = c.id;
-> SELECT a.what, c.email FROM audit.customers a JOIN public.customers c ON a.id = c.id
:: what, email=open(customers.email)
[full] SELECT pg_class.relname, c.id FROM pg_class, customers c WHERE relname = 'notes';
-> SELECT pg_class.relname, c.id FROM pg_class, "public".customers c WHERE relname = 'notes'
[full] SELECT relname, c.id FROM pg_catalog.pg_class, customers c WHERE relname = 'notes';
-> SELECT relname, c.id FROM pg_catalog.pg_class, "public".customers c WHERE relname = 'notes'
[full] SELECT c.id, s.* FROM customers c, pg_catalog.pg_statistic s;
!! 0A000 "pg_catalog.pg_statistic" repeats what protected tables hold, so it is not available through Fieldgate
[full] SELECT c FROM temp_things t, customers c;
!! 0A000 "c" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] SELECT s FROM (SELECT email FROM customers) s;
!! 0A000 "s" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] SELECT lower(c) FROM temp_things t, customers c;
!! 0A000 "c" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] SELECT (SELECT c FROM temp_things t) FROM customers c;
!! 0A000 "c" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] SELECT c.id FROM customers c JOIN (VALUES ('ann@x'), ($1)) AS v(x) ON c.email = v.x;
-> SELECT c.id FROM "public".customers c JOIN (VALUES ({TERM customers.email 'ann@x'}::pg_catalog.bytea), ({TERM customers.email $1}::pg_catalog.bytea)) AS v(x) ON "c"."fg_email_eq" = v.x
++ physical=TERM($1) TERM('ann@x'); described=$1:25
[full] SELECT c.id, v.x FROM customers c JOIN (VALUES ('ann@x'), ($1)) AS v(x) ON c.email = v.x;
!! 0A000 a column of VALUES is compared with, or stored in, a sealed column and used elsewhere too
   hint: Give the values twice, as two columns.
[full] WITH v(x) AS (VALUES ('ann@x'), ('bob@x')) SELECT c.id FROM customers c WHERE c.email IN (SELECT x FROM v);
!! 0A000 the sealed column "public.customers.email" is compared with a subquery that does not return a sealed column
   hint: Let the subquery select the column as it is, by name, without grouping or set operations.
[full] WITH v(x) AS (VALUES ('ann@x'), ('bob@x')) SELECT c.id FROM customers c, v WHERE v.x = c.email;
-> WITH v(x) AS (VALUES ({TERM customers.email 'ann@x'}::pg_catalog.bytea), ({TERM customers.email 'bob@x'}::pg_catalog.bytea)) SELECT c.id FROM "public".customers c, v WHERE v.x = "c"."fg_email_eq"
[full] SELECT c.id, v.x FROM customers c, (VALUES (1, 'y')) v(k, x) WHERE v.k = c.id;
-> SELECT c.id, v.x FROM "public".customers c, (VALUES (1, 'y')) v(k, x) WHERE v.k = c.id
[full] SELECT c.id FROM customers c JOIN unnest($1::text[]) AS x ON c.email = x;
-> SELECT c.id FROM "public".customers c JOIN unnest({TERM[] customers.email $1}::pg_catalog.bytea[]::pg_catalog.bytea[]) AS x ON "c"."fg_email_eq" = x
++ physical=TERM($1); described=$1:1009
[full] SELECT c.id, x FROM customers c JOIN unnest($1::text[]) AS x ON c.email = x;
!! 0A000 a column of VALUES is compared with, or stored in, a sealed column and used elsewhere too
   hint: Give the values twice, as two columns.
[full] SELECT c.id, x FROM customers c JOIN unnest($1::text[]) WITH ORDINALITY AS u(x, n) ON c.city = u.x;
-> SELECT c.id, x FROM "public".customers c JOIN unnest($1::text[]) WITH ORDINALITY AS u(x, n) ON c.city = u.x
++ physical=PLAIN($1)
[full] SELECT x, y FROM (SELECT city AS a, status AS a, email AS a FROM customers) s(x, y, z) WHERE z = 'ann@x';
-> SELECT x, y FROM (SELECT city AS a, status AS a, email AS a, "customers"."fg_email_eq" AS "fg_1" FROM "public".customers) s(x, y, z) WHERE "s"."fg_1" = {TERM customers.email 'ann@x'}::pg_catalog.bytea
