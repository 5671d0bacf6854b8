-- min, max and count(DISTINCT) of sealed columns, where they are all that a SELECT shows.

[full] SELECT min(born), max(born) FROM customers;
-> SELECT "customers"."born" AS "min", "customers"."born" AS "max" FROM "public".customers
:: min=born@0 -> 1082, max=born@1 -> 1082
++ folds min(born@0); folds max(born@1)
[full] SELECT count(*), max(email) AS last, count(DISTINCT phone), count(score) FROM customers WHERE city = $1;
-> SELECT CAST(NULL AS pg_catalog.int8) AS "count", "customers"."email" AS "last", CAST(NULL AS pg_catalog.int8) AS "count", CAST(NULL AS pg_catalog.int8) AS "count", ("customers"."phone"), ("customers"."score") FROM "public".customers WHERE city = $1
:: count, last=email@1 -> 25, count, count
++ hidden=2; folds rows(*); folds max(email@1); folds distinct(phone@4); folds count(score@5); physical=PLAIN($1)
[full] SELECT count(DISTINCT phone) FROM customers;
-> SELECT CAST(NULL AS pg_catalog.int8) AS "count", ("customers"."phone") FROM "public".customers
++ hidden=1; folds distinct(phone@1)
[full] SELECT count(DISTINCT email) FROM customers;
-> SELECT count(DISTINCT "customers"."fg_email_eq") FROM "public".customers
[full] SELECT count(DISTINCT email), max(score) FROM customers;
-> SELECT CAST(NULL AS pg_catalog.int8) AS "count", "customers"."score" AS "max", ("customers"."email") FROM "public".customers
:: count, max=score@1 -> 23
++ hidden=1; folds distinct(email@2); folds max(score@1)
[full] SELECT max(s.email) FROM (SELECT email FROM customers) s;
-> SELECT "s"."email" AS "max" FROM (SELECT email FROM "public".customers) s
:: max=email@0 -> 25
++ folds max(email@0)
[client] SELECT max(email) FROM customers;
-> SELECT "customers"."email" AS "max" FROM (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "customers"
:: max=email@0 -> 25
++ folds max(email@0)
[full] EXPLAIN SELECT max(email) FROM customers;
-> EXPLAIN SELECT "customers"."email" AS "max" FROM "public".customers
[support] SELECT max(email) FROM customers;
!! 42501 permission denied: aggregate of column "public.customers.email"
[reader] SELECT max(email) FROM customers;
!! 42501 permission denied: aggregate of column "public.customers.email"
[analyst] SELECT max(email) FROM customers;
!! 42501 permission denied: read of column "public.customers.email"
[masked] SELECT max(email) FROM customers;
!! 42501 permission denied: read of column "public.customers.email"
[full] SELECT max(email), city FROM customers GROUP BY city;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the aggregate max
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT max(email), max(city) FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the aggregate max
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT max(email) FROM customers LIMIT 1;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the aggregate max
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT max(lower(email)) FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT max(password) FROM accounts;
!! 0A000 the sealed column "password" (public.accounts.password) can not be used in the aggregate max
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT sum(score) FROM customers;
!! 0A000 the sealed column "score" (public.customers.score) can not be used in the aggregate sum
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT max(email) OVER () FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the aggregate max
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT (SELECT max(email) FROM customers);
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the aggregate max
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] PREPARE p AS SELECT max(email) FROM customers;
!! 0A000 PREPARE of an expression over a sealed column, or of ORDER BY, DISTINCT, min or max of one is not supported
   hint: Use the prepared statements of your driver.
[full] COPY (SELECT max(email) FROM customers) TO STDOUT;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the aggregate max
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
