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
-> SELECT DISTINCT ON ("s"."fg_1") CAST(NULL AS text) AS "city", s.name FROM (SELECT city, name, "customers"."fg_name_eq" AS "fg_1" FROM "public".customers) s
:: city, name=open(customers.name)
