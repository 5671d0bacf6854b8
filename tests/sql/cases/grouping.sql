# DISTINCT, GROUP BY, aggregates, windows, set operations.

[full] SELECT DISTINCT email FROM customers;
-> SELECT DISTINCT ON ("customers"."fg_email_eq") email FROM "public".customers
:: email=open(customers.email)
[full] SELECT DISTINCT c.email, c.city FROM customers c ORDER BY c.city;
-> SELECT DISTINCT ON ("c"."fg_email_eq", "c"."city") c.email, c.city FROM "public".customers c ORDER BY c.city
:: email=open(customers.email), city
[full] SELECT DISTINCT city FROM customers;
-> SELECT DISTINCT city FROM "public".customers
[full] SELECT DISTINCT * FROM orders;
-> SELECT DISTINCT ON ("orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."tech_notes", "orders"."placed_at", "orders"."fg_recipient_eq") "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."tech_notes", "orders"."placed_at", "orders"."recipient" FROM "public".orders
:: id, customer_id, total, status, tech_notes, placed_at, recipient=open(orders.recipient)
[full] SELECT DISTINCT email, upper(city) FROM customers;
!! 0A000 DISTINCT over sealed columns beside expressions is not supported
   hint: Select the columns as they are, or use GROUP BY.
[full] SELECT DISTINCT ON (email) email, id FROM customers;
-> SELECT DISTINCT ON ("customers"."fg_email_eq") email, id FROM "public".customers
:: email=open(customers.email), id
[full] SELECT DISTINCT ON (c.name, city) c.id FROM customers c ORDER BY city;
-> SELECT DISTINCT ON ("c"."fg_name_eq", city) c.id FROM "public".customers c ORDER BY city
[full] SELECT email, count(*) FROM customers GROUP BY email;
-> SELECT pg_catalog.any_value(email) AS "email", count(*) FROM "public".customers GROUP BY "customers"."fg_email_eq"
:: email=open(customers.email, untraced), count
[full] SELECT c.email AS e, count(*) FROM customers c GROUP BY c.email;
-> SELECT pg_catalog.any_value(c.email) AS e, count(*) FROM "public".customers c GROUP BY "c"."fg_email_eq"
:: e=open(customers.email, untraced), count
[full] SELECT email AS e, count(*) FROM customers GROUP BY e;
-> SELECT pg_catalog.any_value(email) AS e, count(*) FROM "public".customers GROUP BY "customers"."fg_email_eq"
:: e=open(customers.email, untraced), count
[full] SELECT email, count(*) FROM customers GROUP BY 1 HAVING count(*) > 1 ORDER BY 2;
-> SELECT pg_catalog.any_value(email) AS "email", count(*) FROM "public".customers GROUP BY "customers"."fg_email_eq" HAVING count(*) > 1 ORDER BY 2
:: email=open(customers.email, untraced), count
[full] SELECT count(*) FROM customers GROUP BY name HAVING name = $1;
-> SELECT count(*) FROM "public".customers GROUP BY "customers"."fg_name_eq" HAVING "customers"."fg_name_eq" = {TERM customers.name $1}::pg_catalog.bytea
++ physical=TERM($1); described=$1:25
[full] SELECT name IS NULL FROM customers GROUP BY name;
-> SELECT "customers"."fg_name_eq" IS NULL FROM "public".customers GROUP BY "customers"."fg_name_eq"
[full] SELECT c.id, c.email, count(o.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id;
-> SELECT c.id, c.email, count(o.id) FROM "public".customers c LEFT JOIN "public".orders o ON o.customer_id = c.id GROUP BY c.id
:: id, email=open(customers.email), count
[full] SELECT email, city FROM customers GROUP BY ROLLUP (email, city);
!! 0A000 the sealed column "email" (public.customers.email) can not be used in GROUPING SETS, ROLLUP or CUBE
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT city, count(*) FROM customers GROUP BY CUBE (city, status);
-> SELECT city, count(*) FROM "public".customers GROUP BY CUBE (city, status)
[full] SELECT phone FROM customers GROUP BY phone;
!! 0A000 the sealed column "public.customers.phone" can not be searched: its data map entry has no equality
   hint: Declare equality for it in the data map, or select it and compare in the application.
[full] SELECT * FROM orders GROUP BY 1;
!! 0A000 GROUP BY can not be resolved here
   hint: Name the column, with its table in front.
[full] SELECT count(email), count(DISTINCT email), count(phone) FROM customers;
-> SELECT count(email), count(DISTINCT "customers"."fg_email_eq"), count(phone) FROM "public".customers
[full] SELECT string_agg(email, ',') FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the aggregate string_agg
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT array_agg(email) FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the aggregate array_agg
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT sum(total), avg(total), min(total) FROM orders WHERE status = 'new';
-> SELECT sum(total), avg(total), min(total) FROM "public".orders WHERE status = 'new'
[full] SELECT count(*) FILTER (WHERE email = 'x') FROM customers;
-> SELECT count(*) FILTER (WHERE "customers"."fg_email_eq" = {TERM customers.email 'x'}::pg_catalog.bytea) FROM "public".customers
[full] SELECT sum(total) OVER (PARTITION BY status ORDER BY id) FROM orders;
-> SELECT sum(total) OVER (PARTITION BY status ORDER BY id) FROM "public".orders
[full] SELECT row_number() OVER (PARTITION BY recipient ORDER BY total) FROM orders;
-> SELECT row_number() OVER (PARTITION BY "orders"."fg_recipient_eq" ORDER BY total) FROM "public".orders
[full] SELECT rank() OVER w FROM orders WINDOW w AS (PARTITION BY recipient);
-> SELECT rank() OVER w FROM "public".orders WINDOW w AS (PARTITION BY "orders"."fg_recipient_eq")
[full] SELECT rank() OVER (ORDER BY recipient) FROM orders;
!! 0A000 the sealed column "recipient" (public.orders.recipient) can not be used in ORDER BY
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT lag(recipient) OVER (ORDER BY id) FROM orders;
!! 0A000 the sealed column "recipient" (public.orders.recipient) can not be used in the function lag
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM orders;
-> SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM "public".orders
[analyst] SELECT city, count(*) FROM customers GROUP BY city;
-> SELECT city, count(*) FROM (SELECT "fg_r"."id", CASE WHEN fg_c.fg_s2 THEN "fg_r"."city" END AS "city", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status" FROM "public"."customers" AS fg_r JOIN (SELECT * FROM (SELECT *, fg_m2 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m2) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END ORDER BY fg_m2, fg_k[2]) OPERATOR(pg_catalog.-) fg_m2 OPERATOR(pg_catalog.>=) 5) AS fg_s2 FROM (SELECT *, CASE WHEN fg_k[2] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END, fg_k[2]) END AS fg_m2 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n FROM "public"."customers" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) AS "customers" GROUP BY city HAVING pg_catalog.count("customers"."id") >= 5
[analyst] SELECT city, count(*) AS n FROM customers GROUP BY city HAVING count(*) > 10 ORDER BY n DESC;
-> SELECT city, count(*) AS n FROM (SELECT "fg_r"."id", CASE WHEN fg_c.fg_s2 THEN "fg_r"."city" END AS "city", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status" FROM "public"."customers" AS fg_r JOIN (SELECT * FROM (SELECT *, fg_m2 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m2) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END ORDER BY fg_m2, fg_k[2]) OPERATOR(pg_catalog.-) fg_m2 OPERATOR(pg_catalog.>=) 5) AS fg_s2 FROM (SELECT *, CASE WHEN fg_k[2] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END, fg_k[2]) END AS fg_m2 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n FROM "public"."customers" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) AS "customers" GROUP BY city HAVING pg_catalog.count("customers"."id") >= 5 AND ( count(*) > 10) ORDER BY n DESC
[analyst] SELECT c.city, sum(o.total) FROM customers c JOIN orders o ON true GROUP BY c.city;
-> SELECT c.city, sum(o.total) FROM (SELECT "fg_r"."id", CASE WHEN fg_c.fg_s2 THEN "fg_r"."city" END AS "city", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status" FROM "public"."customers" AS fg_r JOIN (SELECT * FROM (SELECT *, fg_m2 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m2) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END ORDER BY fg_m2, fg_k[2]) OPERATOR(pg_catalog.-) fg_m2 OPERATOR(pg_catalog.>=) 5) AS fg_s2 FROM (SELECT *, CASE WHEN fg_k[2] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END, fg_k[2]) END AS fg_m2 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n FROM "public"."customers" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) c JOIN (SELECT "fg_r"."id", CASE WHEN fg_c.fg_v0 THEN "fg_r"."total" END AS "total", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status" FROM "public"."orders" AS fg_r JOIN (SELECT *, pg_catalog.sum(fg_x0) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 AS fg_v0 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n, pg_catalog.count("fg_r"."total") AS fg_x0 FROM "public"."orders" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) o ON true GROUP BY c.city HAVING pg_catalog.count("c"."id") >= 5 AND pg_catalog.count("o"."id") >= 5
[analyst] SELECT sum(total) FROM orders;
-> SELECT sum(total) FROM (SELECT "fg_r"."id", CASE WHEN fg_c.fg_v0 THEN "fg_r"."total" END AS "total", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status" FROM "public"."orders" AS fg_r JOIN (SELECT *, pg_catalog.sum(fg_x0) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 AS fg_v0 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n, pg_catalog.count("fg_r"."total") AS fg_x0 FROM "public"."orders" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) AS "orders" HAVING pg_catalog.count("orders"."id") >= 5
[analyst] SELECT sum(total) FROM orders LIMIT 1;
-> SELECT sum(total) FROM (SELECT "fg_r"."id", CASE WHEN fg_c.fg_v0 THEN "fg_r"."total" END AS "total", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status" FROM "public"."orders" AS fg_r JOIN (SELECT *, pg_catalog.sum(fg_x0) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 AS fg_v0 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n, pg_catalog.count("fg_r"."total") AS fg_x0 FROM "public"."orders" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) AS "orders" HAVING pg_catalog.count("orders"."id") >= 5 LIMIT 1
[analyst] SELECT count(*) FROM orders;
-> SELECT count(*) FROM (SELECT "fg_r"."id", CASE WHEN fg_c.fg_v0 THEN "fg_r"."total" END AS "total", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status" FROM "public"."orders" AS fg_r JOIN (SELECT *, pg_catalog.sum(fg_x0) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 AS fg_v0 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n, pg_catalog.count("fg_r"."total") AS fg_x0 FROM "public"."orders" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) AS "orders" HAVING pg_catalog.count("orders"."id") >= 5
[analyst] SELECT min(total) FROM orders;
!! 42501 permission denied: read of column "public.orders.total"
[analyst] SELECT sum(total + 1) FROM orders;
!! 42501 permission denied: read of column "public.orders.total"
[analyst] SELECT sum(total) FROM orders WHERE id = 1;
!! 42501 permission denied: filter_eq of column "public.orders.id"
[analyst] SELECT sum(total) FROM (SELECT total FROM orders) s;
!! 42501 rows of "public.orders" may only be seen in groups
   hint: Use GROUP BY, or an aggregate.
[analyst] SELECT sum(total) OVER () FROM orders;
!! 42501 a window function could show groups that are smaller than policy allows
   hint: Use GROUP BY.
[analyst] SELECT count(*) OVER (PARTITION BY status) FROM orders;
!! 42501 a window function could show groups that are smaller than policy allows
   hint: Use GROUP BY.
[analyst] SELECT status FROM orders;
!! 42501 permission denied: read of column "public.orders.status"
[analyst] SELECT DISTINCT status FROM orders;
!! 42501 permission denied: read of column "public.orders.status"
[analyst] SELECT 1 FROM orders;
!! 42501 rows of "public.orders" may only be seen in groups
   hint: Use GROUP BY, or an aggregate.
[analyst] SELECT s.city, s.n FROM (SELECT city, count(*) AS n FROM customers GROUP BY city) s ORDER BY s.n;
-> SELECT s.city, s.n FROM (SELECT city, count(*) AS n FROM (SELECT "fg_r"."id", CASE WHEN fg_c.fg_s2 THEN "fg_r"."city" END AS "city", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status" FROM "public"."customers" AS fg_r JOIN (SELECT * FROM (SELECT *, fg_m2 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m2) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END ORDER BY fg_m2, fg_k[2]) OPERATOR(pg_catalog.-) fg_m2 OPERATOR(pg_catalog.>=) 5) AS fg_s2 FROM (SELECT *, CASE WHEN fg_k[2] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END, fg_k[2]) END AS fg_m2 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n FROM "public"."customers" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) AS "customers" GROUP BY city HAVING pg_catalog.count("customers"."id") >= 5) s ORDER BY s.n
[analyst] SELECT * FROM customers;
!! 42501 rows of "public.customers" may only be seen in groups
   hint: Use GROUP BY, or an aggregate.
[analyst] SELECT city, (SELECT count(*) FROM orders) FROM customers GROUP BY city;
-> SELECT city, (SELECT count(*) FROM (SELECT "fg_r"."id", CASE WHEN fg_c.fg_v0 THEN "fg_r"."total" END AS "total", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status" FROM "public"."orders" AS fg_r JOIN (SELECT *, pg_catalog.sum(fg_x0) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 AS fg_v0 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n, pg_catalog.count("fg_r"."total") AS fg_x0 FROM "public"."orders" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) AS "orders" HAVING pg_catalog.count("orders"."id") >= 5) FROM (SELECT "fg_r"."id", CASE WHEN fg_c.fg_s2 THEN "fg_r"."city" END AS "city", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status" FROM "public"."customers" AS fg_r JOIN (SELECT * FROM (SELECT *, fg_m2 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m2) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END ORDER BY fg_m2, fg_k[2]) OPERATOR(pg_catalog.-) fg_m2 OPERATOR(pg_catalog.>=) 5) AS fg_s2 FROM (SELECT *, CASE WHEN fg_k[2] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END, fg_k[2]) END AS fg_m2 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n FROM "public"."customers" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) AS "customers" GROUP BY city HAVING pg_catalog.count("customers"."id") >= 5
[full] SELECT email FROM customers UNION ALL SELECT email FROM customers;
-> SELECT email FROM "public".customers UNION ALL SELECT email FROM "public".customers
:: email=open(customers.email, untraced)
[full] SELECT email, id FROM customers UNION ALL SELECT NULL, 1;
-> SELECT email, id FROM "public".customers UNION ALL SELECT NULL, 1
:: email=open(customers.email, untraced), id
[full] SELECT email FROM customers UNION ALL SELECT name FROM customers;
!! 0A000 the sealed column "public.customers.email" can not stand in one column with something else
   hint: Select the same sealed column in both queries, or query twice.
[full] SELECT email FROM customers UNION ALL SELECT 'x';
!! 0A000 the sealed column "public.customers.email" can not stand in one column with something else
   hint: Select the same sealed column in both queries, or query twice.
[full] SELECT email FROM customers UNION SELECT email FROM customers;
!! 0A000 the sealed column "public.customers.email" can not be compared by UNION
   hint: Use UNION ALL, and DISTINCT where the rows are read.
[full] SELECT email FROM customers EXCEPT SELECT email FROM customers;
!! 0A000 the sealed column "public.customers.email" can not be compared by EXCEPT
   hint: Use UNION ALL, and DISTINCT where the rows are read.
[full] SELECT city FROM customers UNION SELECT status FROM orders ORDER BY 1;
-> SELECT city FROM "public".customers UNION SELECT status FROM "public".orders ORDER BY 1
[reader] SELECT city FROM customers UNION SELECT status FROM orders;
!! 42501 permission denied: group of column "public.customers.city"
[full] SELECT * FROM customers UNION ALL SELECT * FROM customers;
-> SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers UNION ALL SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers
:: id, city, status, email=open(customers.email, untraced), name=open(customers.name, untraced), phone=open(customers.phone, untraced), born=open(customers.born, untraced), score=open(customers.score, untraced), untagged
[support] SELECT city FROM customers UNION ALL SELECT 'x';
!! 42501 permission denied: read of column "public.customers.city"
[full] SELECT s.email FROM (SELECT email FROM customers UNION ALL SELECT email FROM customers) s WHERE s.email = 'x';
-> SELECT s.email FROM (SELECT email FROM "public".customers UNION ALL SELECT email FROM "public".customers) s WHERE pg_catalog.substr(s.email, 13, 16) = {TERM customers.email 'x'}::pg_catalog.bytea
:: email=open(customers.email, untraced)
[full] SELECT password FROM accounts UNION ALL SELECT password FROM accounts;
!! 0A000 the sealed column "public.accounts.password" can not stand in one column with something else
   hint: Select the same sealed column in both queries, or query twice.
[full] VALUES (1, 'x'), (2, (SELECT city FROM customers LIMIT 1));
-> VALUES (1, 'x'), (2, (SELECT city FROM "public".customers LIMIT 1))
[full] VALUES (1, (SELECT email FROM customers LIMIT 1));
!! 0A000 the sealed column "email" (public.customers.email) can not be used in a scalar or ARRAY subquery
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.

-- A column alias list renames the key that rows are counted by, and may give its name to another column.
[analyst] SELECT x.b, count(*) FROM customers AS x (k, b, id) GROUP BY x.b;
-> SELECT x.b, count(*) FROM (SELECT "fg_r"."id", CASE WHEN fg_c.fg_s2 THEN "fg_r"."city" END AS "city", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status", CAST(NULL AS pg_catalog.text) AS "email", CAST(NULL AS pg_catalog.text) AS "name", CAST(NULL AS pg_catalog.text) AS "phone", CAST(NULL AS pg_catalog.text) AS "born", CAST(NULL AS pg_catalog.text) AS "score", CAST(NULL AS pg_catalog.text) AS "untagged" FROM "public"."customers" AS fg_r JOIN (SELECT * FROM (SELECT *, fg_m2 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m2) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END ORDER BY fg_m2, fg_k[2]) OPERATOR(pg_catalog.-) fg_m2 OPERATOR(pg_catalog.>=) 5) AS fg_s2 FROM (SELECT *, CASE WHEN fg_k[2] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END, fg_k[2]) END AS fg_m2 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n FROM "public"."customers" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) AS x (k, b, id) GROUP BY x.b HAVING pg_catalog.count("x"."k") >= 5

-- Ordered-set aggregates return a value of what they sort, so it is read and aggregated, too.
[full] SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY total), mode() WITHIN GROUP (ORDER BY status) FROM orders;
-> SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY total), mode() WITHIN GROUP (ORDER BY status) FROM "public".orders
[reader] SELECT mode() WITHIN GROUP (ORDER BY status) FROM orders;
!! 42501 permission denied: order of column "public.orders.status"
