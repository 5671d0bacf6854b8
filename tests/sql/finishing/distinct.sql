-- DISTINCT over sealed columns without a term, and over expressions: the proxy tells rows apart by opened values.

[full] SELECT DISTINCT phone FROM customers;
-> SELECT  phone FROM "public".customers
:: phone=open(customers.phone)
++ apart by phone@0
[full] SELECT DISTINCT phone, city FROM customers ORDER BY phone DESC, 2 LIMIT 5 OFFSET $1;
-> SELECT  phone, city, (pg_catalog.dense_rank() OVER (ORDER BY "customers"."city" ASC NULLS LAST)) FROM "public".customers  LIMIT (NULL) OFFSET ({COUNT $1}::pg_catalog.int8)
:: phone=open(customers.phone), city
++ hidden=1; orders by phone@0 desc nulls first; orders by rank@2; apart by phone@0; apart by rank@2; limit '5'; offset $1; physical=COUNT($1); described=$1:20
[full] SELECT DISTINCT lower(email) AS e, 'x', NULL FROM customers ORDER BY e LIMIT 3;
-> SELECT  "customers"."email" AS "e", 'x', NULL FROM "public".customers  LIMIT (NULL)
:: e=lower(email@0) -> 25, ?column?, ?column?
++ orders by lower(email@0); apart by lower(email@0); limit '3'
[full] SELECT DISTINCT c.city, extract(year FROM c.born) FROM customers c ORDER BY city;
-> SELECT  c.city, "c"."born" AS "extract", (pg_catalog.dense_rank() OVER (ORDER BY "c"."city" ASC NULLS LAST)) FROM "public".customers c
:: city, extract=extract year(born@1) -> 1700 follows
++ hidden=1; orders by rank@2; apart by rank@2; apart by extract year(born@1)
[full] SELECT DISTINCT password FROM accounts;
-> SELECT  password, "accounts"."id", ("accounts"."id") FROM "public".accounts
:: password=open(accounts.password, row key 1)
++ hidden=2; apart by password@0 key@2
[full] SELECT DISTINCT phone, email FROM customers WHERE city = 'x';
-> SELECT  phone, email FROM "public".customers WHERE city = 'x'
:: phone=open(customers.phone), email=open(customers.email)
++ apart by phone@0; apart by email@1
[full] SELECT DISTINCT email FROM customers;
-> SELECT DISTINCT ON ("customers"."fg_email_eq") email FROM "public".customers
:: email=open(customers.email)
[full] SELECT DISTINCT s.phone FROM (SELECT phone FROM customers) s;
-> SELECT  s.phone FROM (SELECT phone FROM "public".customers) s
:: phone=open(customers.phone)
++ apart by phone@0
[masked] SELECT DISTINCT name || 'x', city FROM customers;
-> SELECT  "customers"."name" AS "?column?", CAST(NULL AS text) AS "city" FROM "public".customers
:: ?column?=append(name@0, 'x':text) -> 25, city
++ apart by append(name@0, 'x':text)
[full] SELECT DISTINCT * FROM customers;
-> SELECT  "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged", (pg_catalog.dense_rank() OVER (ORDER BY "customers"."id" ASC NULLS LAST)), (pg_catalog.dense_rank() OVER (ORDER BY "customers"."city" ASC NULLS LAST)), (pg_catalog.dense_rank() OVER (ORDER BY "customers"."status" ASC NULLS LAST)) FROM "public".customers
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged
++ hidden=3; apart by rank@9; apart by rank@10; apart by rank@11; apart by email@3; apart by name@4; apart by phone@5; apart by born@6; apart by score@7
[support] SELECT DISTINCT phone FROM customers;
!! 42501 permission denied: group of column "public.customers.phone"
[full] SELECT DISTINCT ON (phone) phone, id FROM customers;
!! 0A000 DISTINCT over the sealed column "phone" (public.customers.phone) is not carried out here: it is DISTINCT ON
   hint: Select columns and expressions over sealed ones only, and order by their output names.
[full] SELECT DISTINCT ON (1) lower(email), id FROM customers;
!! 0A000 DISTINCT over the sealed column "email" (public.customers.email) is not carried out here: it is DISTINCT ON
   hint: Select columns and expressions over sealed ones only, and order by their output names.
[full] SELECT DISTINCT phone FROM customers ORDER BY id;
!! 0A000 DISTINCT over the sealed column "phone" (public.customers.phone) is not carried out here: ORDER BY names something else than an output column
   hint: Select columns and expressions over sealed ones only, and order by their output names.
[full] SELECT DISTINCT phone FROM customers c ORDER BY c.phone;
!! 0A000 DISTINCT over the sealed column "phone" (public.customers.phone) is not carried out here: ORDER BY names something else than an output column
   hint: Select columns and expressions over sealed ones only, and order by their output names.
[full] SELECT DISTINCT phone, city || 'x' FROM customers;
!! 0A000 DISTINCT over the sealed column "phone" (public.customers.phone) is not carried out here: another expression stands in the select list
   hint: Select columns and expressions over sealed ones only, and order by their output names.
[full] SELECT DISTINCT phone, city::varchar FROM customers;
!! 0A000 DISTINCT over the sealed column "phone" (public.customers.phone) is not carried out here: another expression stands in the select list
   hint: Select columns and expressions over sealed ones only, and order by their output names.
[full] SELECT DISTINCT phone FROM customers GROUP BY phone;
!! 0A000 the sealed column "public.customers.phone" can not be searched: its data map entry has no equality
   hint: Declare equality for it in the data map, or select it and compare in the application.
[full] SELECT DISTINCT phone FROM customers FOR UPDATE;
!! 0A000 DISTINCT over the sealed column "phone" (public.customers.phone) is not carried out here: the SELECT has FOR UPDATE and its like
   hint: Select columns and expressions over sealed ones only, and order by their output names.
[full] SELECT x FROM (SELECT DISTINCT phone AS x FROM customers) s;
!! 0A000 the sealed column "public.customers.phone" can not be searched: its data map entry has no equality
   hint: Declare equality for it in the data map, or select it and compare in the application.
[full] SELECT DISTINCT phone FROM customers UNION SELECT phone FROM customers;
!! 0A000 the sealed column "public.customers.phone" can not be searched: its data map entry has no equality
   hint: Declare equality for it in the data map, or select it and compare in the application.
[full] SELECT ALL phone FROM customers;
-> SELECT ALL phone FROM "public".customers
:: phone=open(customers.phone)
