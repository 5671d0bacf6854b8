# Conditions: verbs, and comparisons of sealed columns as comparisons of their terms.

[full] SELECT id FROM customers WHERE email = 'a@b';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'a@b'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE 'a@b' = email;
-> SELECT id FROM "public".customers WHERE {TERM customers.email 'a@b'}::pg_catalog.bytea = "customers"."fg_email_eq"
[full] SELECT id FROM customers c WHERE c.email <> $1 AND NOT c.name != $2;
-> SELECT id FROM "public".customers c WHERE "c"."fg_email_eq" <> {TERM customers.email $1}::pg_catalog.bytea AND NOT "c"."fg_name_eq" != {TERM customers.name $2}::pg_catalog.bytea
++ physical=TERM($1) TERM($2); described=$1:25,$2:25
[full] SELECT id FROM customers WHERE email IN ('a', $1, NULL);
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" IN ({TERM customers.email 'a'}::pg_catalog.bytea, {TERM customers.email $1}::pg_catalog.bytea, NULL)
++ physical=TERM($1) TERM('a'); described=$1:25
[full] SELECT id FROM customers WHERE email NOT IN ('a', 'b');
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" NOT IN ({TERM customers.email 'a'}::pg_catalog.bytea, {TERM customers.email 'b'}::pg_catalog.bytea)
[full] SELECT id FROM customers WHERE email = ANY($1);
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = ANY({TERM[] customers.email $1}::pg_catalog.bytea[])
++ physical=TERM($1); described=$1:1009
[full] SELECT id FROM customers WHERE email = ANY($1::text[]);
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = ANY({TERM[] customers.email $1}::pg_catalog.bytea[]::pg_catalog.bytea[])
++ physical=TERM($1); described=$1:1009
[full] SELECT id FROM customers WHERE email = ANY('{a,b}'::varchar[]);
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = ANY({TERM[] customers.email '{a,b}'}::pg_catalog.bytea[]::pg_catalog.bytea[])
[full] SELECT id FROM customers WHERE email = ANY(ARRAY['a', $1]);
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = ANY(ARRAY[{TERM customers.email 'a'}::pg_catalog.bytea, {TERM customers.email $1}::pg_catalog.bytea])
++ physical=TERM($1) TERM('a'); described=$1:25
[full] SELECT id FROM customers WHERE email = ANY(ARRAY[]::text[]);
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = ANY(ARRAY[]::pg_catalog.bytea[])
[full] SELECT id FROM customers WHERE email <> ALL ($1);
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" <> ALL ({TERM[] customers.email $1}::pg_catalog.bytea[])
++ physical=TERM($1); described=$1:1009
[full] SELECT id FROM customers WHERE $1 = ANY(email);
!! 0A000 the sealed column "email" (public.customers.email) can not be used in an array
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM customers WHERE email IS NULL OR email IS NOT NULL;
-> SELECT id FROM "public".customers WHERE email IS NULL OR email IS NOT NULL
[full] SELECT id FROM customers WHERE email IS DISTINCT FROM 'a';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" IS DISTINCT FROM {TERM customers.email 'a'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email IS NOT DISTINCT FROM $1;
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" IS NOT DISTINCT FROM {TERM customers.email $1}::pg_catalog.bytea
++ physical=TERM($1); described=$1:25
[full] SELECT id FROM customers WHERE email = NULL;
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = NULL
[full] SELECT id FROM customers WHERE (email, city) = ($1, $2);
-> SELECT id FROM "public".customers WHERE ("customers"."fg_email_eq", city) = ({TERM customers.email $1}::pg_catalog.bytea, $2)
++ physical=TERM($1) PLAIN($2); described=$1:25
[full] SELECT id FROM customers WHERE (email, id) IN (('a', 1), ($1, $2));
-> SELECT id FROM "public".customers WHERE ("customers"."fg_email_eq", id) IN (({TERM customers.email 'a'}::pg_catalog.bytea, 1), ({TERM customers.email $1}::pg_catalog.bytea, $2))
++ physical=TERM($1) PLAIN($2) TERM('a'); described=$1:25
[full] SELECT id FROM customers WHERE email = $1 OR $1 IS NULL;
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea OR $1::pg_catalog.text IS NULL
++ physical=PLAIN($1) TERM($1)
[full] SELECT id FROM customers WHERE email = $1::varchar AND city = $1;
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea::pg_catalog.bytea AND city = $1::pg_catalog.text
++ physical=PLAIN($1) TERM($1)
[full] SELECT id FROM customers WHERE email = CAST($1 AS text);
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = CAST({TERM customers.email $1}::pg_catalog.bytea AS pg_catalog.bytea)
++ physical=TERM($1); described=$1:25
[full] SELECT id FROM customers WHERE email = $2 AND id = $1;
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email $2}::pg_catalog.bytea AND id = $1
++ physical=PLAIN($1) TERM($2); described=$2:25
[full] SELECT id FROM customers WHERE email = $2;
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email $2}::pg_catalog.bytea
++ physical=PLAIN($1) TERM($2); described=$2:25
[full] SELECT id FROM customers WHERE born = date '2001-02-03' OR born = '2001-02-03'::date OR born = $1;
-> SELECT id FROM "public".customers WHERE "customers"."fg_born_eq" =  {TERM customers.born '2001-02-03'}::pg_catalog.bytea OR "customers"."fg_born_eq" = {TERM customers.born '2001-02-03'}::pg_catalog.bytea::pg_catalog.bytea OR "customers"."fg_born_eq" = {TERM customers.born $1}::pg_catalog.bytea
++ physical=TERM($1) TERM('2001-02-03'); described=$1:1082
[full] SELECT id FROM customers WHERE score = 5 OR score = -5 OR score = '7';
-> SELECT id FROM "public".customers WHERE "customers"."fg_score_eq" = {TERM customers.score '5'}::pg_catalog.bytea OR "customers"."fg_score_eq" = {TERM customers.score '-5'}::pg_catalog.bytea OR "customers"."fg_score_eq" = {TERM customers.score '7'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE score = 99999999999 OR score = 1.5;
!! 0A000 the constant is not of the type int4 of column "public.customers.score"
   hint: Compare with a constant of the column's own type.
[full] SELECT id FROM customers WHERE email = 5;
!! 42883 the constant is not of the type text of column "public.customers.email"
   hint: No operator compares these types; write the constant as a string.
[full] SELECT id FROM customers WHERE email = E'a\'\n' OR email = $$b'c$$ OR email = U&'\0061!' OR email = 'it''s';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email "a'\n"}::pg_catalog.bytea OR "customers"."fg_email_eq" = {TERM customers.email "b'c"}::pg_catalog.bytea OR "customers"."fg_email_eq" = {TERM customers.email 'a!'}::pg_catalog.bytea OR "customers"."fg_email_eq" = {TERM customers.email "it's"}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email = 'a'
  'b' OR email = ('c');
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'ab'}::pg_catalog.bytea OR "customers"."fg_email_eq" = ({TERM customers.email 'c'}::pg_catalog.bytea)
[full] SELECT id FROM customers WHERE email = U&'d!0061' UESCAPE '!';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'da'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email = N'a';
!! 0A000 a value for the sealed column "public.customers.email" is cast to another type than its own
   hint: Leave the cast out, or cast to text without modifiers.
[full] SELECT id FROM customers WHERE email='x'AND city='y';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq"={TERM customers.email 'x'}::pg_catalog.bytea AND city='y'
[full] SELECT id FROM customers WHERE/* c */email--x
=/*y*/'x'/*z*/;
-> SELECT id FROM "public".customers WHERE/* c */"customers"."fg_email_eq"--x
   =/*y*/{TERM customers.email 'x'}::pg_catalog.bytea/*z*/
[full] SELECT id FROM customers WHERE email = lower('A');
!! 0A000 the sealed column "public.customers.email" is compared with something that is neither a constant, a parameter nor a column of its join group
   hint: Send the value as a constant or as a parameter; for many values use = ANY ($1).
[full] SELECT id FROM customers WHERE email = $1 || 'x';
!! 0A000 the sealed column "public.customers.email" is compared with something that is neither a constant, a parameter nor a column of its join group
   hint: Send the value as a constant or as a parameter; for many values use = ANY ($1).
[full] SELECT id FROM customers WHERE email = city;
!! 0A000 the sealed column "public.customers.email" is compared with something that is neither a constant, a parameter nor a column of its join group
   hint: Send the value as a constant or as a parameter; for many values use = ANY ($1).
[full] SELECT id FROM customers WHERE email LIKE 'a%';
!! 0A000 the sealed column "email" (public.customers.email) can not be searched by part: its data map entry has neither match nor prefix
   hint: Compare by =, or declare match or prefix for it before it is sealed.
[full] SELECT id FROM customers WHERE email > 'a';
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the operator >
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM customers WHERE email BETWEEN 'a' AND 'b';
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the operator BETWEEN
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM customers WHERE email ~ 'a';
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the operator ~
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM customers WHERE phone = 'a';
!! 0A000 the sealed column "public.customers.phone" can not be searched: its data map entry has no equality
   hint: Declare equality for it in the data map, or select it and compare in the application.
[full] SELECT id FROM customers WHERE lower(email) = 'a';
!! 0A000 the sealed column "email" (public.customers.email) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM customers WHERE email COLLATE "C" = 'a';
!! 0A000 the sealed column "email" (public.customers.email) can not be used in COLLATE
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM customers WHERE email OPERATOR(pg_catalog.=) 'a';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" OPERATOR(pg_catalog.=) {TERM customers.email 'a'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email OPERATOR(public.=) 'a';
!! 0A000 the operator public.= is not PostgreSQL's own, so it is not known what it does
   hint: Write OPERATOR(pg_catalog.…) if PostgreSQL's own operator is meant.
[full] SELECT id FROM customers WHERE city === 'a';
!! 0A000 the operator === is not PostgreSQL's own, so it is not known what it does
   hint: Write OPERATOR(pg_catalog.…) if PostgreSQL's own operator is meant.
[full] SELECT id FROM customers WHERE nullif(email, 'a') IS NULL;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in NULLIF
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM customers ORDER BY city USING <, id DESC NULLS LAST;
!! 0A000 two independent parsers do not agree on this statement over protected tables: the second one could not read it
   hint: Write it in a plainer way.
[support] SELECT email FROM customers WHERE email = 'a';
-> SELECT email FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'a'}::pg_catalog.bytea
:: email=open(customers.email)
[reader] SELECT email FROM customers WHERE email = 'a';
!! 42501 permission denied: filter_eq of column "public.customers.email"
[support] SELECT email FROM customers WHERE email LIKE 'a';
!! 0A000 the sealed column "email" (public.customers.email) can not be searched by part: its data map entry has neither match nor prefix
   hint: Compare by =, or declare match or prefix for it before it is sealed.
[support] SELECT email FROM customers WHERE city = 'a';
!! 42501 permission denied: filter_eq of column "public.customers.city"
[support] SELECT email FROM customers WHERE id > 5;
!! 42501 permission denied: filter_range of column "public.customers.id"
[support] SELECT email FROM customers ORDER BY id;
!! 42501 permission denied: order of column "public.customers.id"
[reader] SELECT tech_notes FROM orders WHERE tech_notes LIKE 'a%';
!! 42501 permission denied: filter_range of column "public.orders.tech_notes"
[reader] SELECT tech_notes FROM orders ORDER BY 1;
!! 42501 permission denied: order of column "public.orders.tech_notes"
[reader] SELECT DISTINCT tech_notes FROM orders;
!! 42501 permission denied: group of column "public.orders.tech_notes"
[reader] SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM customers WHERE customers.id = orders.customer_id);
!! 42501 permission denied: join of column "public.customers.id"
[support] SELECT o.tech_notes FROM orders o JOIN customers c ON c.id = o.customer_id;
-> SELECT o.tech_notes FROM "public".orders o JOIN "public".customers c ON c.id = o.customer_id
[reader] SELECT s.t FROM (SELECT tech_notes AS t FROM orders) s WHERE s.t = 'x';
!! 42501 permission denied: filter_eq of column "public.orders.tech_notes"
[reader] SELECT s.t FROM (SELECT upper(tech_notes) AS t FROM orders) s WHERE s.t = 'x';
!! 42501 permission denied: filter_eq of column "public.orders.tech_notes"
[none] SELECT 1 FROM customers;
!! 42501 permission denied for table "public.customers"
[none] SELECT EXISTS (SELECT 1 FROM customers);
!! 42501 permission denied for table "public.customers"
[none] SELECT count(*) FROM customers;
!! 42501 permission denied for table "public.customers"
[full] SELECT id FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE total > 10);
-> SELECT id FROM "public".customers WHERE id IN (SELECT customer_id FROM "public".orders WHERE total > 10)
[full] SELECT id FROM customers WHERE email IN (SELECT email FROM customers WHERE id < 5);
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" IN (SELECT "customers"."fg_email_eq" FROM "public".customers WHERE id < 5)
[full] SELECT id FROM customers WHERE name = (SELECT recipient FROM orders WHERE id = $1);
-> SELECT id FROM "public".customers WHERE "customers"."fg_name_eq" = (SELECT "orders"."fg_recipient_eq" FROM "public".orders WHERE id = $1)
++ physical=PLAIN($1)
[full] SELECT id FROM customers WHERE name IN (SELECT recipient FROM orders UNION ALL SELECT recipient FROM orders);
!! 0A000 the sealed column "public.customers.name" is compared with a subquery that does not return a sealed column
   hint: Let the subquery select the column as it is, by name, without grouping or set operations.
[full] SELECT id FROM customers WHERE email IN (SELECT email FROM notes);
!! 0A000 the sealed column "public.customers.email" is compared with a subquery that does not return a sealed column
   hint: Let the subquery select the column as it is, by name, without grouping or set operations.
[full] SELECT id FROM notes WHERE email IN (SELECT email FROM customers);
!! 0A000 the sealed column "email" (public.customers.email) can not be used in a comparison with a subquery
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM customers WHERE email = (VALUES ('x'));
!! 0A000 the sealed column "public.customers.email" is compared with a subquery that does not return a sealed column
   hint: Let the subquery select the column as it is, by name, without grouping or set operations.
[full] SELECT id FROM customers WHERE leak() = 1;
!! 0A000 it is not known what the function leak reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] SELECT harmless(city) FROM customers;
-> SELECT harmless(city) FROM "public".customers
[full] SELECT initcap(city) FROM customers;
!! 0A000 it is not known what the function initcap reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] SELECT pg_catalog.initcap(city) FROM customers;
-> SELECT pg_catalog.initcap(city) FROM "public".customers
[full] SELECT unheard_of(city) FROM customers;
!! 0A000 the function unheard_of is not known to be harmless in a statement over protected tables
   hint: Call it in a statement of its own, or ask for it to be allowed in the data map.
[reader] SELECT c.id FROM customers c, orders o WHERE concat(c.id, o.customer_id) = '11';
!! 42501 permission denied: filter_range of column "public.customers.id"
[full] SELECT c.id FROM customers c, orders o WHERE concat(c.id, o.customer_id) = '11';
-> SELECT c.id FROM "public".customers c, "public".orders o WHERE concat(c.id, o.customer_id) = '11'
[full] SELECT id FROM customers WHERE CASE email WHEN 'a' THEN true WHEN $1 THEN false END;
-> SELECT id FROM "public".customers WHERE CASE "customers"."fg_email_eq" WHEN {TERM customers.email 'a'}::pg_catalog.bytea THEN true WHEN {TERM customers.email $1}::pg_catalog.bytea THEN false END
++ physical=TERM($1) TERM('a'); described=$1:25
