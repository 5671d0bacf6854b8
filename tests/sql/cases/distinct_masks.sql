# A column that reads as NULL makes no rows distinct, beside a sealed one either.

[masked] SELECT DISTINCT city, name FROM customers;
-> SELECT DISTINCT ON ("customers"."fg_name_eq") CAST(NULL AS text) AS "city", name FROM "public".customers
:: city, name=open(customers.name)
[masked] SELECT DISTINCT phone, name FROM customers;
-> SELECT DISTINCT ON ("customers"."fg_name_eq") CAST(NULL AS pg_catalog.text) AS "phone", name FROM "public".customers
:: phone, name=open(customers.name)
[masked] SELECT DISTINCT phone, email FROM customers;
-> SELECT DISTINCT CAST(NULL AS pg_catalog.text) AS "phone", CAST(NULL AS pg_catalog.text) AS "email" FROM "public".customers
[masked] SELECT DISTINCT * FROM customers;
-> SELECT DISTINCT ON ("customers"."id", "customers"."status", "customers"."fg_name_eq", "customers"."fg_born_eq", "customers"."fg_score_eq") "customers"."id", CAST(NULL AS text) AS "city", "customers"."status", CAST(NULL AS pg_catalog.text) AS "email", "customers"."name", CAST(NULL AS pg_catalog.text) AS "phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers
:: id, city, status, email, name=open(customers.name), phone, born=open(customers.born), score=open(customers.score), untagged
[masked] SELECT DISTINCT ON (name) city, name FROM customers;
-> SELECT DISTINCT ON ("customers"."fg_name_eq") CAST(NULL AS text) AS "city", name FROM "public".customers
:: city, name=open(customers.name)
[masked] SELECT DISTINCT v.x, c.name FROM (VALUES (1), (2)) AS v (x), customers c;
-> SELECT DISTINCT ON ("v"."x", "c"."fg_name_eq") v.x, c.name FROM (VALUES (1), (2)) AS v (x), "public".customers c
:: x, name=open(customers.name)
[masked] SELECT DISTINCT s.city, s.name FROM (SELECT city, name FROM customers) s;
-> SELECT DISTINCT ON ("s"."fg_1") CAST(NULL AS text) AS "city", s.name FROM (SELECT CAST(NULL AS text) AS "city", name, "customers"."fg_name_eq" AS "fg_1" FROM "public".customers) s
:: city, name=open(customers.name)

-- What reads as NULL, and may be used in no other way either, is not named upstream; nor is it by a subquery.
[masked] SELECT s.p FROM (SELECT phone AS p FROM customers) s;
-> SELECT CAST(NULL AS pg_catalog.text) AS "p" FROM (SELECT CAST(NULL AS pg_catalog.text) AS p FROM "public".customers) s
[masked] SELECT count(*) FROM (SELECT phone FROM customers) s;
-> SELECT count(*) FROM (SELECT CAST(NULL AS pg_catalog.text) AS "phone" FROM "public".customers) s
[masked] SELECT s.id FROM (SELECT id, phone FROM customers) s WHERE s.phone = 'x';
!! 42501 permission denied: filter_eq of column "public.customers.phone"
[masked] WITH w (a) AS (SELECT city FROM customers) SELECT a, upper(a) FROM w;
-> WITH w (a) AS (SELECT CAST(NULL AS text) AS "city" FROM "public".customers) SELECT CAST(NULL AS text) AS "a", upper(CAST(NULL AS text)) FROM w
[masked] INSERT INTO notes (id, body) SELECT id, city FROM customers;
!! 42501 permission denied: export of column "public.customers.id"
