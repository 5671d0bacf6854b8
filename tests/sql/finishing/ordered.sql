-- ORDER BY over sealed columns: the server sends rows and the cells to order them by, the proxy does the rest.

[full] SELECT id, email FROM customers ORDER BY email;
-> SELECT id, email FROM "public".customers
:: id, email=open(customers.email)
++ orders by email@1
[full] SELECT id, email AS e FROM customers ORDER BY e;
-> SELECT id, email AS e FROM "public".customers
:: id, e=open(customers.email)
++ orders by email@1
[full] SELECT * FROM customers ORDER BY born DESC NULLS LAST, id LIMIT 10 OFFSET 5;
-> SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged", (pg_catalog.dense_rank() OVER (ORDER BY "customers"."id" ASC NULLS LAST)) FROM "public".customers  LIMIT (NULL) OFFSET (NULL)
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged
++ hidden=1; orders by born@6 desc; orders by rank@9; limit '10'; offset '5'
[full] SELECT id FROM customers c WHERE city = $1 ORDER BY c.score DESC, city ASC NULLS FIRST, c.id DESC LIMIT $2 OFFSET $3;
-> SELECT id, ("c"."score"), (pg_catalog.dense_rank() OVER (ORDER BY "c"."city" ASC NULLS FIRST)), (pg_catalog.dense_rank() OVER (ORDER BY "c"."id" DESC NULLS FIRST)) FROM "public".customers c WHERE city = $1  LIMIT ({COUNT $2}::pg_catalog.int8) OFFSET ({COUNT $3}::pg_catalog.int8)
++ hidden=3; orders by score@1 desc nulls first; orders by rank@2; orders by rank@3; limit $2; offset $3; physical=PLAIN($1) COUNT($2) COUNT($3); described=$2:20,$3:20
[full] SELECT lower(email) AS e, id FROM customers ORDER BY e, 2 FETCH FIRST 3 ROWS ONLY;
-> SELECT "customers"."email" AS "e", id, (pg_catalog.dense_rank() OVER (ORDER BY "customers"."id" ASC NULLS LAST)) FROM "public".customers  FETCH FIRST (NULL) ROWS ONLY
:: e=lower(email@0) -> 25, id
++ hidden=1; orders by lower(email@0); orders by rank@2; limit '3'
[full] SELECT id, name FROM customers ORDER BY 2, lower(phone), coalesce(name, $1) COLLATE "C";
-> SELECT id, name, ("customers"."phone"), ({COUNT $1}::pg_catalog.text) FROM "public".customers
:: id, name=open(customers.name)
++ hidden=2; orders by name@1; orders by lower(phone@2); orders by coalesce(name@1, $1:text); physical=COUNT($1); described=$1:25
[full] SELECT id FROM customers ORDER BY length(name), name || phone COLLATE "POSIX" DESC;
-> SELECT id, ("customers"."name"), ("customers"."phone") FROM "public".customers
++ hidden=2; orders by length(name@1); orders by append(name@1, phone@2) desc nulls first
[full] SELECT s.id FROM (SELECT id, email FROM customers) s JOIN orders o ON o.customer_id = s.id ORDER BY s.email, o.recipient;
-> SELECT s.id, ("s"."email"), ("o"."recipient") FROM (SELECT id, email FROM "public".customers) s JOIN "public".orders o ON o.customer_id = s.id
++ hidden=2; orders by email@1; orders by recipient@2
[full] SELECT id FROM accounts ORDER BY password;
-> SELECT id, ("accounts"."password"), ("accounts"."id") FROM "public".accounts
++ hidden=2; orders by password@1 key@2
[full] SELECT id, surname FROM members WHERE surname LIKE '%abc%' ORDER BY surname LIMIT 3;
-> SELECT id, surname FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname '%abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])  LIMIT (NULL)
:: id, surname=open(members.surname)
++ sifts members.surname at 1 like '%abc%'; orders by surname@1; limit '3'
[full] SELECT email FROM customer_view ORDER BY email;
-> SELECT email FROM (SELECT c.id,
       c.email,
       c.city AS town
      FROM public.customers c
     WHERE (c.city <> 'x'::text)) AS "customer_view"
:: email=open(customers.email)
++ orders by email@0
[full] EXPLAIN SELECT id FROM customers ORDER BY email LIMIT 3;
-> EXPLAIN SELECT id, ("customers"."email") FROM "public".customers  LIMIT (NULL)
[full] SELECT id FROM customers ORDER BY email LIMIT ALL;
-> SELECT id, ("customers"."email") FROM "public".customers  LIMIT ALL
++ hidden=1; orders by email@1
[client] SELECT id FROM customers ORDER BY email;
-> SELECT id, ("customers"."email") FROM (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "customers"
++ hidden=1; orders by email@1
[support] SELECT id, email FROM customers ORDER BY email;
!! 42501 permission denied: order of column "public.customers.email"
[support] SELECT id, lower(email) AS e FROM customers ORDER BY e;
!! 42501 permission denied: order of column "public.customers.email"
[support] SELECT id, length(email) FROM customers ORDER BY 2;
!! 42501 permission denied: order of column "public.customers.email"
[support] SELECT id FROM customers ORDER BY born;
!! 42501 permission denied: order of column "public.customers.born"
[reader] SELECT id, email FROM customers ORDER BY email, id;
!! 42501 permission denied: order of column "public.customers.email"
[analyst] SELECT id FROM customers ORDER BY email;
!! 42501 permission denied: read of column "public.customers.id"
[masked] SELECT id, city FROM customers ORDER BY name, city;
!! 0A000 a key of ORDER BY beside a sealed one is neither a column nor an expression that is worked out here
   hint: Order by columns.
[masked] SELECT id, email FROM customers ORDER BY email;
-> SELECT id, CAST(NULL AS pg_catalog.text) AS "email" FROM "public".customers ORDER BY email
[full] SELECT id FROM customers ORDER BY email USING <;
!! 0A000 ORDER BY over the sealed column "email" (public.customers.email) is not carried out here: USING names an operator
   hint: Write ASC or DESC.
[full] SELECT id FROM customers ORDER BY email COLLATE "de_DE";
!! 0A000 the sealed column "email" (public.customers.email) can not be used in COLLATE
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM customers ORDER BY name || city;
!! 0A000 ORDER BY over the sealed column "name" (public.customers.name) is not carried out here: how this collation orders texts is known to the server only
   hint: Write COLLATE "C" behind the key for the order by characters, or order the rows in the application.
[full] SELECT id FROM customers ORDER BY email, length(city);
!! 0A000 a key of ORDER BY beside a sealed one is neither a column nor an expression that is worked out here
   hint: Order by columns.
[full] SELECT id FROM customers ORDER BY email FETCH FIRST 3 ROWS WITH TIES;
!! 0A000 ORDER BY over the sealed column "email" (public.customers.email) is not carried out here: it has WITH TIES
   hint: Order the rows in the application, or by columns that are not sealed.
[full] SELECT id FROM customers ORDER BY email FOR UPDATE;
!! 0A000 ORDER BY over the sealed column "email" (public.customers.email) is not carried out here: the SELECT has FOR UPDATE and its like
   hint: Order the rows in the application, or by columns that are not sealed.
[full] SELECT DISTINCT email FROM customers ORDER BY email;
-> SELECT  email FROM "public".customers
:: email=open(customers.email)
++ orders by email@0; apart by email@0
[full] SELECT email, count(*) FROM customers GROUP BY email ORDER BY email;
!! 0A000 ORDER BY over the sealed column "email" (public.customers.email) is not carried out here: the column is grouped, or not that of a table
   hint: Order the rows in the application, or by columns that are not sealed.
[full] SELECT email FROM customers UNION ALL SELECT email FROM customers ORDER BY 1;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in ORDER BY
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT email, city || 'x' FROM customers ORDER BY email;
!! 0A000 ORDER BY over the sealed column "email" (public.customers.email) is not carried out here: another expression stands in the select list
   hint: Order the rows in the application, or by columns that are not sealed.
[full] SELECT generate_series(1, 2), email FROM customers ORDER BY email;
!! 0A000 ORDER BY over the sealed column "email" (public.customers.email) is not carried out here: another expression stands in the select list
   hint: Order the rows in the application, or by columns that are not sealed.
[full] SELECT row_number() OVER (ORDER BY id), email FROM customers ORDER BY email;
!! 0A000 ORDER BY over the sealed column "email" (public.customers.email) is not carried out here: another expression stands in the select list
   hint: Order the rows in the application, or by columns that are not sealed.
[full] SELECT row_number() OVER (ORDER BY email) FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in ORDER BY
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT x FROM (SELECT id AS x FROM customers ORDER BY email LIMIT 1) s;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in ORDER BY
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT array_agg(id ORDER BY email) FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in ORDER BY
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM customers ORDER BY email LIMIT 1 + 1;
!! 0A000 LIMIT beside a search of a sealed column is a whole number or a parameter
   hint: Work its value out first.
[full] SELECT id FROM customers ORDER BY initcap(email);
!! 0A000 it is not known what the function initcap reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] DECLARE c CURSOR FOR SELECT id FROM customers ORDER BY email;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in ORDER BY
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] COPY (SELECT id FROM customers ORDER BY email) TO STDOUT;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in ORDER BY
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] PREPARE p AS SELECT id FROM customers ORDER BY email;
!! 0A000 PREPARE of an expression over a sealed column, or of ORDER BY, DISTINCT, min or max of one is not supported
   hint: Use the prepared statements of your driver.
[full] DELETE FROM customers WHERE id IN (SELECT id FROM customers ORDER BY email LIMIT 1);
!! 0A000 the sealed column "email" (public.customers.email) can not be used in ORDER BY
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT FROM customers ORDER BY email;
!! 0A000 ORDER BY over the sealed column "email" (public.customers.email) is not carried out here: the SELECT shows no column
   hint: Show the key.
