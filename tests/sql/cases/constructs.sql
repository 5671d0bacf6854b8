-- Constructs that the other files do not show: each as somebody who may do everything writes it, and refused to others.

-- Values.
[full] SELECT GREATEST(id, customer_id), LEAST(total, 3), NULLIF(status, 'x') FROM orders;
-> SELECT GREATEST(id, customer_id), LEAST(total, 3), NULLIF(status, 'x') FROM "public".orders
[support] SELECT GREATEST(id, total) FROM orders;
!! 42501 permission denied: read of column "public.orders.total"
[full] SELECT (string_to_array(city, ' '))[1], (ARRAY[id, id])[1:2] FROM customers;
-> SELECT (string_to_array(city, ' '))[1], (ARRAY[id, id])[1:2] FROM "public".customers
[support] SELECT (ARRAY['a', 'b'])[length(city)] FROM customers;
!! 42501 permission denied: read of column "public.customers.city"
[full] SELECT make_interval(days => id::int) FROM customers;
-> SELECT make_interval(days => id::int) FROM "public".customers
[support] SELECT make_interval(days => length(city)) FROM customers;
!! 42501 permission denied: read of column "public.customers.city"
[full] SELECT city COLLATE "C", EXTRACT(year FROM placed_at), placed_at AT TIME ZONE 'UTC', OVERLAY(city PLACING 'x' FROM 1) FROM customers, orders;
-> SELECT city COLLATE "C", EXTRACT(year FROM placed_at), placed_at AT TIME ZONE 'UTC', OVERLAY(city PLACING 'x' FROM 1) FROM "public".customers, "public".orders
[full] SELECT CURRENT_DATE, id IS NOT NULL AND city IS NOT DISTINCT FROM status, NOT id > 3 FROM customers;
-> SELECT CURRENT_DATE, id IS NOT NULL AND city IS NOT DISTINCT FROM status, NOT id > 3 FROM "public".customers
[full] SELECT CASE status WHEN 'new' THEN city ELSE 'x' END, CASE WHEN status = 'new' THEN 1 END FROM customers;
-> SELECT CASE status WHEN 'new' THEN city ELSE 'x' END, CASE WHEN status = 'new' THEN 1 END FROM "public".customers
[support] SELECT CASE status WHEN 'new' THEN 1 END FROM customers;
!! 42501 permission denied: read of column "public.customers.status"
[full] SELECT pg_notify('a', city) FROM customers;
!! 42501 permission denied: export of column "public.customers.city"
[exporter] SELECT pg_notify('a', city) FROM customers;
-> SELECT pg_notify('a', city) FROM "public".customers
[full] SELECT random() < 2, city FROM customers;
-> SELECT random() < 2, city FROM "public".customers
[client] SELECT random() < 2, city FROM customers;
!! 0A000 the function random is not available beside tables of which you may see some rows or groups only
   hint: Call it in a statement of its own.
[analyst] SELECT city, random() FROM customers GROUP BY city;
!! 0A000 the function random is not available beside tables of which you may see some rows or groups only
   hint: Call it in a statement of its own.
[full] SELECT JSON_OBJECT('a': city), city IS JSON FROM customers;
!! 0A000 JsonObjectConstructor is not supported in statements over protected tables

-- Conditions.
[full] SELECT id FROM customers WHERE id = ANY (ARRAY[1, 2]) AND id > ALL ('{0}'::bigint[]) AND city SIMILAR TO 'x%';
-> SELECT id FROM "public".customers WHERE id = ANY (ARRAY[1, 2]) AND id > ALL ('{0}'::bigint[]) AND city SIMILAR TO 'x%'
[full] SELECT id FROM customers WHERE (id, city) IN ((1, 'x'), (2, 'y')) AND (city, status) < ('a', 'b');
-> SELECT id FROM "public".customers WHERE (id, city) IN ((1, 'x'), (2, 'y')) AND (city, status) < ('a', 'b')
[support] SELECT id FROM customers WHERE (id, city) IN ((1, 'x'));
!! 42501 permission denied: filter_eq of column "public.customers.id"
[full] SELECT id FROM customers WHERE (city = 'x') IS TRUE AND (city <> 'y') IS NOT UNKNOWN AND id BETWEEN SYMMETRIC 9 AND 1;
-> SELECT id FROM "public".customers WHERE (city = 'x') IS TRUE AND (city <> 'y') IS NOT UNKNOWN AND id BETWEEN SYMMETRIC 9 AND 1
[full] SELECT id FROM customers c WHERE id = (SELECT max(customer_id) FROM orders o WHERE o.customer_id = c.id) AND id >= ALL (SELECT customer_id FROM orders);
-> SELECT id FROM "public".customers c WHERE id = (SELECT max(customer_id) FROM "public".orders o WHERE o.customer_id = c.id) AND id >= ALL (SELECT customer_id FROM "public".orders)
[support] SELECT id FROM customers c WHERE EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id AND o.total > 3);
!! 42501 permission denied: filter_range of column "public.orders.total"

-- Groups, order, windows.
[full] SELECT GROUPING(city, status), count(*) FROM customers GROUP BY CUBE (city, status);
-> SELECT GROUPING(city, status), count(*) FROM "public".customers GROUP BY CUBE (city, status)
[support] SELECT GROUPING(city) FROM customers GROUP BY ROLLUP (city);
!! 42501 permission denied: group of column "public.customers.city"
[full] SELECT count(*) FROM customers GROUP BY (city, status), length(city);
-> SELECT count(*) FROM "public".customers GROUP BY (city, status), length(city)
[support] SELECT count(*) FROM customers GROUP BY length(city);
!! 42501 permission denied: group of column "public.customers.city"
[analyst] SELECT count(*) FROM customers GROUP BY length(city);
!! 0A000 tables of which you may see groups only are grouped by their columns as they are
   hint: Write the column itself in GROUP BY.
[full] SELECT DISTINCT ON (length(city), 2) city, status FROM customers ORDER BY length(city), 2, id;
-> SELECT DISTINCT ON (length(city), 2) city, status FROM "public".customers ORDER BY length(city), 2, id
[support] SELECT DISTINCT ON (length(city)) id FROM customers;
!! 42501 permission denied: group of column "public.customers.city"
[full] SELECT id FROM customers ORDER BY city || status DESC NULLS LAST, city USING <;
!! 0A000 two independent parsers do not agree on this statement over protected tables: the second one could not read it
   hint: Write it in a plainer way.
[support] SELECT id FROM customers ORDER BY length(city);
!! 42501 permission denied: order of column "public.customers.city"
[full] SELECT rank() OVER (PARTITION BY length(city) ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), sum(id) OVER w FROM customers WINDOW w AS (ORDER BY city);
-> SELECT rank() OVER (PARTITION BY length(city) ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), sum(id) OVER w FROM "public".customers WINDOW w AS (ORDER BY city)
[support] SELECT rank() OVER (PARTITION BY length(city)) FROM customers;
!! 42501 permission denied: group of column "public.customers.city"
[full] SELECT string_agg(city, ',' ORDER BY c.id), percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM customers c, orders;
-> SELECT string_agg(city, ',' ORDER BY c.id), percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM "public".customers c, "public".orders
[full] SELECT count(*) FILTER (WHERE city = 'x'), city FROM customers GROUP BY city HAVING bool_and(status = 'new');
-> SELECT count(*) FILTER (WHERE city = 'x'), city FROM "public".customers GROUP BY city HAVING bool_and(status = 'new')
[analyst] SELECT count(*) FILTER (WHERE true) FROM customers;
!! 0A000 FILTER is not available over tables of which you may see groups only
   hint: Group by the column instead.
[full] SELECT id FROM customers ORDER BY id LIMIT (SELECT 2) OFFSET length('a');
-> SELECT id FROM "public".customers ORDER BY id LIMIT (SELECT 2) OFFSET length('a')
[full] SELECT id FROM customers ORDER BY id FETCH FIRST 2 ROWS WITH TIES;
-> SELECT id FROM "public".customers ORDER BY id FETCH FIRST 2 ROWS WITH TIES

-- FROM.
[full] SELECT v.value, n.n, u.a, u.ordinality FROM customers c, json_each_text(to_json(c.city)) v, generate_series(1, 2) AS n (n), unnest(ARRAY[c.city]) WITH ORDINALITY AS u (a);
-> SELECT v.value, n.n, u.a, u.ordinality FROM "public".customers c, json_each_text(to_json(c.city)) v, generate_series(1, 2) AS n (n), unnest(ARRAY[c.city]) WITH ORDINALITY AS u (a)
[support] SELECT v FROM customers c, string_to_table(c.city, 'a') v;
!! 42501 permission denied: read of column "public.customers.city"
[full] SELECT r.a FROM customers c, ROWS FROM (generate_series(1, c.id), unnest(ARRAY[c.city])) AS r (a, b);
-> SELECT r.a FROM "public".customers c, ROWS FROM (generate_series(1, c.id), unnest(ARRAY[c.city])) AS r (a, b)
[full] SELECT r.a FROM customers c, json_to_record('{"a": 1}') AS r (a int);
-> SELECT r.a FROM "public".customers c, json_to_record('{"a": 1}') AS r (a int)
[full] SELECT l.t FROM customers c LEFT JOIN LATERAL (SELECT o.total FROM orders o WHERE o.customer_id = c.id ORDER BY o.id LIMIT 1) l (t) ON true;
-> SELECT l.t FROM "public".customers c LEFT JOIN LATERAL (SELECT o.total FROM "public".orders o WHERE o.customer_id = c.id ORDER BY o.id LIMIT 1) l (t) ON true
[support] SELECT l.t FROM customers c CROSS JOIN LATERAL (VALUES (c.city)) l (t);
!! 42501 permission denied: read of column "public.customers.city"
[full] SELECT id, c.city, o.total FROM customers c RIGHT JOIN orders o USING (id);
-> SELECT id, c.city, o.total FROM "public".customers c RIGHT JOIN "public".orders o USING (id)
[full] SELECT id FROM customers c FULL JOIN orders o USING (id, status);
-> SELECT id FROM "public".customers c FULL JOIN "public".orders o USING (id, status)
[support] SELECT c.id FROM customers c JOIN orders o USING (status);
!! 42501 permission denied: join of column "public.customers.status"
[full] SELECT j.city FROM (customers c JOIN notes n ON n.customer_id = c.id) AS j (a, city);
!! 0A000 a column alias list over a join is not supported
   hint: Rename with AS instead.
[full] SELECT n.body, c.id FROM notes n TABLESAMPLE SYSTEM (50) REPEATABLE (1), customers c;
-> SELECT n.body, c.id FROM notes n TABLESAMPLE SYSTEM (50) REPEATABLE (1), "public".customers c
[full] SELECT id FROM customers TABLESAMPLE SYSTEM (50);
!! 0A000 TABLESAMPLE is not supported over protected tables
[full] VALUES ((SELECT count(*) FROM customers), 1), (2, 3) ORDER BY 1 LIMIT 1;
-> VALUES ((SELECT count(*) FROM "public".customers), 1), (2, 3) ORDER BY 1 LIMIT 1
[full] WITH RECURSIVE r (n, city) AS (SELECT 1, city FROM customers UNION ALL SELECT n + 1, city FROM r WHERE n < 3) SELECT n, city FROM r;
-> WITH RECURSIVE r (n, city) AS (SELECT 1, city FROM "public".customers UNION ALL SELECT n + 1, city FROM r WHERE n < 3) SELECT n, city FROM r
[support] WITH RECURSIVE r AS (SELECT id, surname FROM members UNION ALL SELECT r.id, m.town FROM r, members m) SELECT * FROM r;
!! 0A000 the sealed column "public.members.surname" can not stand in one column with something else
   hint: Select the same sealed column in both queries, or query twice.

-- Locking and writing.
[full] SELECT id FROM customers WHERE id = 1 FOR NO KEY UPDATE OF customers SKIP LOCKED;
-> SELECT id FROM "public".customers WHERE id = 1 FOR NO KEY UPDATE OF customers SKIP LOCKED
[client] SELECT id FROM orders FOR UPDATE OF orders;
-> SELECT id FROM (SELECT "id", "customer_id", "total", "status", "tech_notes", "placed_at", "recipient", "fg_recipient_eq" FROM "public"."orders" WHERE "orders"."customer_id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "orders" FOR UPDATE OF orders
[full] INSERT INTO customers (id, email) VALUES (60, 'n@x') ON CONFLICT (id) WHERE id > 0 DO UPDATE SET city = EXCLUDED.city, status = DEFAULT WHERE customers.status IS NULL;
-> INSERT INTO "public".customers (id, email) VALUES (60, {CELL customers.email 'n@x'}::pg_catalog.bytea) ON CONFLICT (id) WHERE id > 0 DO UPDATE SET city = EXCLUDED.city, status = DEFAULT WHERE customers.status IS NULL
[full] UPDATE orders o SET total = o.total + 1, status = c.city FROM customers c WHERE c.id = o.customer_id RETURNING o.id, c.city;
-> UPDATE "public".orders o SET total = o.total + 1, status = c.city FROM "public".customers c WHERE c.id = o.customer_id RETURNING o.id, c.city
[support] UPDATE notes n SET body = c.city FROM customers c WHERE c.id = n.customer_id;
!! 42501 permission denied: read of column "public.customers.city"
[full] DELETE FROM orders o USING customers c WHERE c.id = o.customer_id AND c.city = 'x' RETURNING o.total, c.city;
-> DELETE FROM "public".orders o USING "public".customers c WHERE c.id = o.customer_id AND c.city = 'x' RETURNING o.total, c.city
[full] WITH gone AS (DELETE FROM notes RETURNING id), kept AS (SELECT id FROM customers) SELECT gone.id FROM gone, kept;
-> WITH gone AS (DELETE FROM notes RETURNING "notes"."id"), kept AS (SELECT id FROM "public".customers) SELECT gone.id FROM gone, kept

-- The rest of each family: set operations, kinds of joins, locks, tests and common tables.
[full] SELECT city FROM customers INTERSECT SELECT status FROM customers;
-> SELECT city FROM "public".customers INTERSECT SELECT status FROM "public".customers
[full] SELECT city FROM customers INTERSECT ALL SELECT status FROM customers;
-> SELECT city FROM "public".customers INTERSECT ALL SELECT status FROM "public".customers
[full] SELECT city FROM customers EXCEPT ALL SELECT status FROM customers;
-> SELECT city FROM "public".customers EXCEPT ALL SELECT status FROM "public".customers
[full] SELECT email FROM customers EXCEPT ALL SELECT email FROM customers;
!! 0A000 the sealed column "public.customers.email" can not be compared by EXCEPT
   hint: Use UNION ALL, and DISTINCT where the rows are read.
[support] SELECT email FROM customers INTERSECT ALL SELECT city FROM customers;
!! 42501 permission denied: read of column "public.customers.city"
[full] SELECT c.id FROM customers c FULL JOIN orders o ON o.customer_id = c.id;
-> SELECT c.id FROM "public".customers c FULL JOIN "public".orders o ON o.customer_id = c.id
[full] SELECT c.email, o.recipient FROM customers c FULL JOIN orders o ON o.recipient = c.name;
-> SELECT c.email, o.recipient FROM "public".customers c FULL JOIN "public".orders o ON "o"."fg_recipient_eq" = "c"."fg_name_eq"
:: email=open(customers.email), recipient=open(orders.recipient)
[support] SELECT c.id FROM customers c FULL JOIN orders o ON o.tech_notes = c.city;
!! 42501 permission denied: join of column "public.orders.tech_notes"
[full] SELECT c.id FROM customers c RIGHT JOIN orders o ON o.customer_id = c.id;
-> SELECT c.id FROM "public".customers c RIGHT JOIN "public".orders o ON o.customer_id = c.id
[full] SELECT id FROM customers NATURAL LEFT JOIN (SELECT 1::bigint AS id) x;
!! 0A000 NATURAL JOIN is not supported in statements over protected tables: it also joins by columns not shown
   hint: Write the condition with ON or USING.
[support] SELECT c.id FROM customers c NATURAL LEFT JOIN (SELECT 'x' AS city) x;
!! 0A000 NATURAL JOIN is not supported in statements over protected tables: it also joins by columns not shown
   hint: Write the condition with ON or USING.
[full] SELECT id FROM customers FOR SHARE;
-> SELECT id FROM "public".customers FOR SHARE
[full] SELECT email FROM customers WHERE id = 1 FOR KEY SHARE OF customers NOWAIT;
-> SELECT email FROM "public".customers WHERE id = 1 FOR KEY SHARE OF customers NOWAIT
:: email=open(customers.email)
[full] SELECT id FROM customers FOR UPDATE NOWAIT;
-> SELECT id FROM "public".customers FOR UPDATE NOWAIT
[support] SELECT city FROM customers FOR KEY SHARE;
!! 42501 permission denied: read of column "public.customers.city"
[full] SELECT id FROM customers WHERE (city = 'x') IS FALSE OR (city = 'y') IS NOT FALSE OR (city = 'z') IS UNKNOWN;
-> SELECT id FROM "public".customers WHERE (city = 'x') IS FALSE OR (city = 'y') IS NOT FALSE OR (city = 'z') IS UNKNOWN
[support] SELECT id FROM customers WHERE (city = 'x') IS FALSE;
!! 42501 permission denied: filter_eq of column "public.customers.city"
[support] SELECT id FROM customers WHERE (city = 'x') IS NOT FALSE;
!! 42501 permission denied: filter_eq of column "public.customers.city"
[support] SELECT id FROM customers WHERE (city = 'x') IS UNKNOWN;
!! 42501 permission denied: filter_eq of column "public.customers.city"
[full] WITH x AS NOT MATERIALIZED (SELECT email, city FROM customers) SELECT email FROM x WHERE city = 'a';
-> WITH x AS NOT MATERIALIZED (SELECT email, city FROM "public".customers) SELECT email FROM x WHERE city = 'a'
:: email=open(customers.email)
[support] WITH x AS NOT MATERIALIZED (SELECT id, city FROM customers) SELECT id FROM x WHERE city = 'a';
!! 42501 permission denied: filter_eq of column "public.customers.city"
[full] SELECT city, status, count(*) FROM customers GROUP BY GROUPING SETS ((city), (status), ());
-> SELECT city, status, count(*) FROM "public".customers GROUP BY GROUPING SETS ((city), (status), ())
[full] SELECT count(*) FROM customers GROUP BY GROUPING SETS ((email), (CUBE (city, status)));
!! 0A000 the function cube is not known to be harmless in a statement over protected tables
   hint: Call it in a statement of its own, or ask for it to be allowed in the data map.
[support] SELECT count(*) FROM customers GROUP BY GROUPING SETS ((city), ());
!! 42501 permission denied: group of column "public.customers.city"
[full] SELECT CURRENT_TIMESTAMP, CURRENT_TIME(0), LOCALTIME, LOCALTIMESTAMP(3), SESSION_USER, USER, CURRENT_ROLE, CURRENT_CATALOG, CURRENT_SCHEMA, city FROM customers;
-> SELECT CURRENT_TIMESTAMP, CURRENT_TIME(0), LOCALTIME, LOCALTIMESTAMP(3), SESSION_USER, USER, CURRENT_ROLE, CURRENT_CATALOG, CURRENT_SCHEMA, city FROM "public".customers
