-- Expressions over sealed columns in the outermost select list: the server sends cells, the proxy works them out.

[full] SELECT lower(email) FROM customers;
-> SELECT "customers"."email" AS "lower" FROM "public".customers
:: lower=lower(email@0) -> 25
[full] SELECT id, (upper(name COLLATE "C")) AS "Big", c.city FROM customers c WHERE c.id = $1 LIMIT 3;
-> SELECT id, "c"."name" AS "Big", c.city FROM "public".customers c WHERE c.id = $1 LIMIT 3
:: id, Big=upper C(name@1) -> 25, city
++ physical=PLAIN($1)
[full] SELECT email COLLATE "C" FROM customers;
-> SELECT "customers"."email" AS "email" FROM "public".customers
:: email=email@0 -> 25
[full] SELECT email || 'x' FROM customers;
-> SELECT "customers"."email" AS "?column?" FROM "public".customers
:: ?column?=append(email@0, 'x':text) -> 25
[full] SELECT name || ' ' || phone full_name, coalesce(phone, $1), left(name, $2) FROM customers WHERE id = $3;
-> SELECT "customers"."name" AS "full_name", "customers"."phone" AS "coalesce", "customers"."name" AS "left", ({COUNT $1}::pg_catalog.text), ({COUNT $2}::pg_catalog.int4) FROM "public".customers WHERE id = $3
:: full_name=append(append(name@0, ' ':text), phone@1) -> 25, coalesce=coalesce(phone@1, $1:text) -> 25, left=left(name@0, $2:int4) -> 25
++ hidden=2; physical=COUNT($1) COUNT($2) PLAIN($3); described=$1:25,$2:23
[full] SELECT coalesce(email, 'none') FROM customers;
-> SELECT "customers"."email" AS "coalesce" FROM "public".customers
:: coalesce=coalesce(email@0, 'none':text) -> 25
[full] SELECT coalesce(phone, name, $1::varchar) FROM customers WHERE name = $2 AND city = $1;
-> SELECT "customers"."phone" AS "coalesce", ("customers"."name"), ({COUNT $1}::pg_catalog.varchar) FROM "public".customers WHERE "customers"."fg_name_eq" = {TERM customers.name $2}::pg_catalog.bytea AND city = $1::pg_catalog.varchar
:: coalesce=coalesce(phone@0, name@1, $1:varchar) -> 25
++ hidden=2; physical=PLAIN($1) TERM($2) COUNT($1); described=$2:25
[full] SELECT score::text, born::text, coalesce(score, 0), extract(year FROM born), date_part('month', born) FROM customers;
-> SELECT "customers"."score" AS "score", "customers"."born" AS "born", "customers"."score" AS "coalesce", "customers"."born" AS "extract", "customers"."born" AS "date_part" FROM "public".customers
:: score=text(score@0) -> 25, born=text(born@1) -> 25 follows, coalesce=coalesce(score@0, '0':int4) -> 23, extract=extract year(born@1) -> 1700 follows, date_part=extract month(moment(born@1)) -> 701 follows
[full] SELECT to_char(born, 'DD.MM.YYYY'), CAST(score AS varchar) || name FROM customers;
-> SELECT "customers"."born" AS "to_char", "customers"."score" AS "?column?", ("customers"."name") FROM "public".customers
:: to_char=to_char DD.MM.YYYY(born@0) -> 25 follows, ?column?=append(text(score@1), name@2) -> 25
++ hidden=1
[full] SELECT substring(name FROM 2 FOR 3), trim(both 'x' from name), position('a' in name), name, id FROM customers;
-> SELECT "customers"."name" AS "substring", "customers"."name" AS "btrim", "customers"."name" AS "position", name, id FROM "public".customers
:: substring=substr(name@0, '2':int4, '3':int4) -> 25, btrim=btrim(name@0, 'x':text) -> 25, position=strpos(name@0, 'a':text) -> 23, name=open(customers.name), id
[full] SELECT concat(name, id, NULL, 5), name || city, octet_length(phone) FROM customers ORDER BY id;
-> SELECT "customers"."name" AS "concat", "customers"."name" AS "?column?", "customers"."phone" AS "octet_length", (("customers"."id")::pg_catalog.text), (("customers"."city")::pg_catalog.text) FROM "public".customers ORDER BY id
:: concat=concat(name@0, text@3, NULL:text, text('5':int4)) -> 25, ?column?=append(name@0, text@4) -> 25, octet_length=octet_length(phone@2) -> 23
++ hidden=2
[full] SELECT length(s.email) FROM (SELECT email FROM customers) s;
-> SELECT "s"."email" AS "length" FROM (SELECT email FROM "public".customers) s
:: length=length(email@0) -> 23
[full] WITH c AS (SELECT email, id FROM customers) SELECT reverse(c.email) FROM c JOIN orders o ON o.customer_id = c.id;
-> WITH c AS (SELECT email, id FROM "public".customers) SELECT "c"."email" AS "reverse" FROM c JOIN "public".orders o ON o.customer_id = c.id
:: reverse=reverse(email@0) -> 25
[full] SELECT length(email) FROM customer_view;
-> SELECT "customer_view"."email" AS "length" FROM (SELECT c.id,
       c.email,
       c.city AS town
      FROM public.customers c
     WHERE (c.city <> 'x'::text)) AS "customer_view"
:: length=length(email@0) -> 23
[full] SELECT length(password) FROM accounts;
-> SELECT "accounts"."password" AS "length", ("accounts"."id") FROM "public".accounts
:: length=length(password@0 key@1) -> 23
++ hidden=1
[full] SELECT id, length(password), password FROM accounts;
-> SELECT id, "accounts"."password" AS "length", password, ("accounts"."id") FROM "public".accounts
:: id, length=length(password@1 key@3) -> 23, password=open(accounts.password, row key 0)
++ hidden=1
[full] SELECT surname || nick FROM members WHERE surname LIKE '%abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it shows or sorts by an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] EXPLAIN (COSTS OFF) SELECT length(email) FROM customers;
-> EXPLAIN (COSTS OFF) SELECT "customers"."email" AS "length" FROM "public".customers
[full] SELECT pg_catalog.length(email), count(*) FROM customers;
-> SELECT "customers"."email" AS "length", count(*) FROM "public".customers
:: length=length(email@0) -> 23, count
[full] SELECT length(email) FROM customers FOR UPDATE;
-> SELECT "customers"."email" AS "length" FROM "public".customers FOR UPDATE
:: length=length(email@0) -> 23
[client] SELECT length(email) FROM customers;
-> SELECT "customers"."email" AS "length" FROM (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "customers"
:: length=length(email@0) -> 23
[masked] SELECT length(name) FROM customers;
-> SELECT "customers"."name" AS "length" FROM "public".customers
:: length=length(name@0) -> 23
[support] SELECT length(email), lower(phone) FROM customers;
-> SELECT "customers"."email" AS "length", "customers"."phone" AS "lower" FROM "public".customers
:: length=length(email@0) -> 23, lower=lower(phone@1) -> 25
[support] SELECT length(email) FROM customers WHERE born IS NULL;
!! 42501 permission denied: filter_eq of column "public.customers.born"
[support] SELECT coalesce(email, born::text) FROM customers;
!! 42501 permission denied: read of column "public.customers.born"
[support] SELECT email || city FROM customers;
!! 42501 permission denied: read of column "public.customers.city"
[masked] SELECT length(email) FROM customers;
!! 42501 permission denied: read of column "public.customers.email"
[analyst] SELECT length(email) FROM customers;
!! 42501 permission denied: read of column "public.customers.email"
[writer] SELECT length(email) FROM customers;
!! 42501 permission denied for table "public.customers"
[nobody] SELECT length(email) FROM customers;
!! 42501 permission denied for table "public.customers"
[full] PREPARE p AS SELECT lower(email) FROM customers;
!! 0A000 PREPARE of an expression over a sealed column, or of ORDER BY, DISTINCT, min or max of one is not supported
   hint: Use the prepared statements of your driver.
[full] DECLARE c CURSOR FOR SELECT lower(email) FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] COPY (SELECT lower(email) FROM customers) TO STDOUT;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] CREATE TABLE t AS SELECT lower(email) AS e FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT DISTINCT lower(email) FROM customers;
-> SELECT  "customers"."email" AS "lower" FROM "public".customers
:: lower=lower(email@0) -> 25
++ apart by lower(email@0)
[full] SELECT DISTINCT ON (1) lower(email) FROM customers;
!! 0A000 DISTINCT over the sealed column "email" (public.customers.email) is not carried out here: it is DISTINCT ON
   hint: Select columns and expressions over sealed ones only, and order by their output names.
[full] SELECT lower(email) FROM customers GROUP BY email;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT lower(email) FROM customers GROUP BY 1;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT lower(email) AS e FROM customers ORDER BY e;
-> SELECT "customers"."email" AS "e" FROM "public".customers
:: e=lower(email@0) -> 25
++ orders by lower(email@0)
[full] SELECT lower(email) FROM customers ORDER BY 1;
-> SELECT "customers"."email" AS "lower" FROM "public".customers
:: lower=lower(email@0) -> 25
++ orders by lower(email@0)
[full] SELECT lower(email) FROM customers UNION ALL SELECT city FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT x FROM (SELECT lower(email) AS x FROM customers) s;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT (SELECT lower(email) FROM customers LIMIT 1);
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM customers WHERE lower(email) = 'x';
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] UPDATE customers SET city = 'x' RETURNING lower(email);
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT max(lower(email)) FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT initcap(email), md5(email), harmless(email) FROM customers;
!! 0A000 it is not known what the function initcap reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] SELECT initcap(email) FROM customers;
!! 0A000 it is not known what the function initcap reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] SELECT substr(name, $1) FROM customers;
!! 0A000 the sealed column "name" (public.customers.name) can not be used in the function substr
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT substr(name, 1, -1) FROM customers;
!! 0A000 the sealed column "name" (public.customers.name) can not be used in the function substr
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT left(name, id::int) FROM customers;
!! 0A000 the sealed column "name" (public.customers.name) can not be used in the function left
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT coalesce(born, '8.1.1999') FROM customers;
!! 0A000 the sealed column "born" (public.customers.born) can not be used in COALESCE
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT coalesce(score, 'x') FROM customers;
!! 22P02 invalid input syntax for type integer
[full] SELECT lower(name || city) FROM customers;
!! 0A000 lower() of the sealed column public.customers.name is not worked out here: what this collation makes of letters is not known
   hint: Write COLLATE "C" behind its argument if only the letters A to Z count, or make it so in the application.
[full] SELECT lower(name COLLATE "de_DE") FROM customers;
!! 0A000 the sealed column "name" (public.customers.name) can not be used in COLLATE
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT name::varchar(3) FROM customers;
!! 0A000 the sealed column "name" (public.customers.name) can not be used in a cast to another type
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT email::bytea FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in a cast to another type
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT to_char(born, 'Day') FROM customers;
!! 0A000 the sealed column "born" (public.customers.born) can not be used in the function to_char
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT to_char(score, '999') FROM customers;
!! 0A000 the sealed column "score" (public.customers.score) can not be used in the function to_char
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT extract(hour FROM born) FROM customers;
!! 0A000 the sealed column "born" (public.customers.born) can not be used in the function extract
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT score + 1 FROM customers;
!! 0A000 the sealed column "score" (public.customers.score) can not be used in the operator +
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT CASE WHEN id = 1 THEN email END FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in CASE
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.

-- Each function that is worked out has a case.
[full] SELECT char_length(email), character_length(email), bit_length(email), strpos(email, '@') FROM customers;
-> SELECT "customers"."email" AS "char_length", "customers"."email" AS "character_length", "customers"."email" AS "bit_length", "customers"."email" AS "strpos" FROM "public".customers
:: char_length=length(email@0) -> 23, character_length=length(email@0) -> 23, bit_length=bit_length(email@0) -> 23, strpos=strpos(email@0, '@':text) -> 23
[full] SELECT ltrim(email), rtrim(email, 'x'), right(email, 3), replace(email, 'a', 'b') FROM customers;
-> SELECT "customers"."email" AS "ltrim", "customers"."email" AS "rtrim", "customers"."email" AS "right", "customers"."email" AS "replace" FROM "public".customers
:: ltrim=ltrim(email@0) -> 25, rtrim=rtrim(email@0, 'x':text) -> 25, right=right(email@0, '3':int4) -> 25, replace=replace(email@0, 'a':text, 'b':text) -> 25
[full] SELECT concat_ws('-', email, city, 7) FROM customers;
-> SELECT "customers"."email" AS "concat_ws", (("customers"."city")::pg_catalog.text) FROM "public".customers
:: concat_ws=concat_ws('-':text, email@0, text@1, text('7':int4)) -> 25
++ hidden=1
[support] SELECT right(phone, 4) FROM customers;
-> SELECT "customers"."phone" AS "right" FROM "public".customers
:: right=right(phone@0, '4':int4) -> 25
[support] SELECT concat_ws('-', email, city) FROM customers;
!! 42501 permission denied: read of column "public.customers.city"
[support] SELECT replace(email, city, '') FROM customers;
!! 42501 permission denied: read of column "public.customers.city"
