# One meaning in many spellings, and spellings that mean something else than they seem to.

[full] SELECT id FROM customers WHERE email = E'ann\x40x';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'ann@x'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email = E'ann\100x' AND city <> E'\'';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'ann@x'}::pg_catalog.bytea AND city <> E'\''
[full] SELECT id FROM customers WHERE email = U&'ann\0040x';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'ann@x'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email = U&'ann!0040x' UESCAPE '!';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'ann@x'}::pg_catalog.bytea
[full] SELECT U&"em\0061il" FROM customers;
!! 0A000 two independent parsers do not agree on this statement over protected tables: the second one sees other columns
   hint: Write it in a plainer way.
[full] SELECT U&"em!0061il" UESCAPE '!' FROM customers;
!! 0A000 two independent parsers do not agree on this statement over protected tables: the second one could not read it
   hint: Write it in a plainer way.
[full] SELECT id FROM U&"c\0075stomers";
!! 0A000 two independent parsers do not agree on this statement over protected tables: the second one could not read it
   hint: Write it in a plainer way.
[full] SELECT id FROM customers WHERE email = N'ann@x';
!! 0A000 a value for the sealed column "public.customers.email" is cast to another type than its own
   hint: Leave the cast out, or cast to text without modifiers.
[full] SELECT id FROM customers WHERE email = $$ann@x$$ OR email = $a$it's $$ here$a$;
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'ann@x'}::pg_catalog.bytea OR "customers"."fg_email_eq" = {TERM customers.email "it's $$ here"}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email = 'ann'
  '@x';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'ann@x'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email = 'ann' -- a comment between
  '@x';
!! 42601 syntax error at or near "'@x'"
[full] SELECT id FROM customers WHERE email = 'ann' '@x';
!! 42601 syntax error at or near "'@x'"
[full] SELECT id /* one /* nested '*/ still */ FROM customers /* ' */ WHERE email /**/=/**/'ann@x'--;
-> SELECT id /* one /* nested '*/ still */ FROM "public".customers /* ' */ WHERE "customers"."fg_email_eq" /**/=/**/{TERM customers.email 'ann@x'}::pg_catalog.bytea--
[full] SELECT id FROM customers WHERE email = 'it''s; -- not a comment /* nor this';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email "it's; -- not a comment /* nor this"}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email = B'101';
!! 42883 the constant is not of the type text of column "public.customers.email"
   hint: No operator compares these types; write the constant as a string.
[full] SELECT id FROM customers WHERE email = X'1F';
!! 42883 the constant is not of the type text of column "public.customers.email"
   hint: No operator compares these types; write the constant as a string.
[full] SELECT id FROM customers WHERE email = text 'ann@x';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" =  {TERM customers.email 'ann@x'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email = CAST('ann@x' AS pg_catalog.text);
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = CAST({TERM customers.email 'ann@x'}::pg_catalog.bytea AS pg_catalog.bytea)
[full] SELECT id FROM customers WHERE email = 'ann@x'::pg_catalog."text"::character varying;
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'ann@x'}::pg_catalog.bytea::pg_catalog.bytea::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email = 'ann@x'::text COLLATE "C";
!! 0A000 the sealed column "public.customers.email" is compared with something that is neither a constant, a parameter nor a column of its join group
   hint: Send the value as a constant or as a parameter; for many values use = ANY ($1).
[full] SELECT id FROM customers WHERE email = $1::text AND city = $1;
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea::pg_catalog.bytea AND city = $1::pg_catalog.text
++ physical=PLAIN($1) TERM($1)
[full] SELECT id FROM customers WHERE email = $1::varchar(3);
!! 0A000 a value for the sealed column "public.customers.email" is cast to another type than its own
   hint: Leave the cast out, or cast to text without modifiers.
[full] SELECT id FROM customers WHERE score = 5 OR score = -5 OR score = - 5 OR score = +5;
!! 0A000 the sealed column "public.customers.score" is compared with something that is neither a constant, a parameter nor a column of its join group
   hint: Send the value as a constant or as a parameter; for many values use = ANY ($1).
[full] SELECT id FROM customers WHERE score = 1_000;
!! 0A000 two independent parsers do not agree on this statement over protected tables: the second one could not read it
   hint: Write it in a plainer way.
[full] SELECT id FROM customers WHERE score = 0b101 OR score = 0o5;
!! 0A000 two independent parsers do not agree on this statement over protected tables: the second one could not read it
   hint: Write it in a plainer way.
[full] SELECT id FROM customers WHERE score = 5.0;
!! 0A000 the constant is not of the type int4 of column "public.customers.score"
   hint: Compare with a constant of the column's own type.
[full] SELECT id FROM customers WHERE score = 5e0;
!! 0A000 the constant is not of the type int4 of column "public.customers.score"
   hint: Compare with a constant of the column's own type.
[full] SELECT id FROM customers WHERE score = '5' AND score = int4 '5' AND score = 5::int4;
-> SELECT id FROM "public".customers WHERE "customers"."fg_score_eq" = {TERM customers.score '5'}::pg_catalog.bytea AND "customers"."fg_score_eq" =  {TERM customers.score '5'}::pg_catalog.bytea AND "customers"."fg_score_eq" = {TERM customers.score '5'}::pg_catalog.bytea::pg_catalog.bytea
[full] SELECT id FROM customers WHERE score = 99999999999;
-> SELECT id FROM "public".customers WHERE "customers"."fg_score_eq" = {TERM customers.score '99999999999'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE score = - -5;
!! 0A000 this constant can not be used as a value of the sealed column "public.customers.score"
   hint: Send the value as a constant or as a parameter.
[full] SELECT id FROM customers WHERE NOT email = 'a' AND email = 'b' OR email = 'c';
-> SELECT id FROM "public".customers WHERE NOT "customers"."fg_email_eq" = {TERM customers.email 'a'}::pg_catalog.bytea AND "customers"."fg_email_eq" = {TERM customers.email 'b'}::pg_catalog.bytea OR "customers"."fg_email_eq" = {TERM customers.email 'c'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email = 'a' IS NOT TRUE;
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'a'}::pg_catalog.bytea IS NOT TRUE
[full] SELECT id FROM customers WHERE email = 'a' = true;
!! 42601 syntax error at or near "="
[full] SELECT id FROM customers WHERE NOT email <> 'a';
-> SELECT id FROM "public".customers WHERE NOT "customers"."fg_email_eq" <> {TERM customers.email 'a'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email OPERATOR(pg_catalog.=) 'a' AND email operator ( pg_catalog . <> ) 'b';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" OPERATOR(pg_catalog.=) {TERM customers.email 'a'}::pg_catalog.bytea AND "customers"."fg_email_eq" operator ( pg_catalog . <> ) {TERM customers.email 'b'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email != 'a';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" != {TERM customers.email 'a'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email ='a'AND/**/name='b'OR phone IS NULL;
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" ={TERM customers.email 'a'}::pg_catalog.bytea AND/**/"customers"."fg_name_eq"={TERM customers.name 'b'}::pg_catalog.bytea OR phone IS NULL
[full] SELECT "id", "Email" FROM customers;
!! 42703 column "Email" does not exist
[full] SELECT "EMAIL" FROM customers;
!! 42703 column "EMAIL" does not exist
[full] SELECT EMAIL, Customers.Email, PUBLIC.CUSTOMERS.EMAIL FROM Public.Customers;
-> SELECT EMAIL, Customers.Email, PUBLIC.CUSTOMERS.EMAIL FROM Public.Customers
:: email=open(customers.email), email=open(customers.email), email=open(customers.email)
[full] SELECT c."email" FROM "public"."customers" AS "c";
-> SELECT c."email" FROM "public"."customers" AS "c"
:: email=open(customers.email)
[full] SELECT id FROM "Customers";
-> SELECT id FROM "Customers"
++ untouched
[support] SELECT x.b FROM customers AS x(a, b);
!! 42501 permission denied: read of column "public.customers.city"
[support] SELECT x.d FROM customers AS x(a, b, c, d);
-> SELECT x.d FROM "public".customers AS x(a, b, c, d)
:: d=open(customers.email)
[support] SELECT b FROM (SELECT id, city FROM customers) AS x(a, b);
!! 42501 permission denied: read of column "public.customers.city"
[support] WITH x(a, b) AS (SELECT id, city FROM customers) SELECT b FROM x;
!! 42501 permission denied: read of column "public.customers.city"
[full] SELECT email(c) FROM customers c;
!! 0A000 the function email is not known to be harmless in a statement over protected tables
   hint: Call it in a statement of its own, or ask for it to be allowed in the data map.
[full] SELECT email(customers) FROM customers;
!! 0A000 the function email is not known to be harmless in a statement over protected tables
   hint: Call it in a statement of its own, or ask for it to be allowed in the data map.
[full] SELECT (c).email FROM customers c;
!! 0A000 "c" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] SELECT (c.*).email FROM customers c;
!! 0A000 "c" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] SELECT c.email.x FROM customers c;
!! 42P01 missing FROM-clause entry for table "email"
[full] SELECT (SELECT c).email FROM customers c;
!! 0A000 "c" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] WITH customers AS (SELECT 1 AS email) SELECT email FROM customers;
-> WITH customers AS (SELECT 1 AS email) SELECT email FROM customers
++ untouched
[full] WITH customers AS (SELECT 1 AS email) SELECT email FROM public.customers;
-> WITH customers AS (SELECT 1 AS email) SELECT email FROM public.customers
:: email=open(customers.email)
[full] WITH customers AS (SELECT id FROM customers) SELECT id FROM customers;
-> WITH customers AS (SELECT id FROM "public".customers) SELECT id FROM customers
[full] WITH c AS (SELECT 1), customers AS (TABLE c) SELECT * FROM customers;
-> WITH c AS (SELECT 1), customers AS (SELECT "c"."?column?" FROM c) SELECT "customers"."?column?" FROM customers
++ untouched
[none] WITH notes AS (SELECT id FROM customers) SELECT id FROM notes;
!! 42501 permission denied for table "public.customers"
[full] SELECT id FROM customers WHERE 'id' = id::text;
-> SELECT id FROM "public".customers WHERE 'id' = id::text
[full] SELECT 1 AS email FROM customers WHERE email = 'x';
-> SELECT 1 AS email FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'x'}::pg_catalog.bytea
[full] SELECT city AS email FROM customers ORDER BY email;
-> SELECT city AS email FROM "public".customers ORDER BY email
[full] SELECT id AS "select", 'x' "from" FROM customers;
-> SELECT id AS "select", 'x' "from" FROM "public".customers
[full] SELECT id FROM customers WHERE email='a'"b";
!! 42601 syntax error at or near ""b""
[full] SELECT id FROM customers WHERE email = '\x616e6e';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email '\\x616e6e'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email = 'a\'b';
!! 42601 unterminated bit string literal at or near "b'"
[full] SELECT id FROM customers WHERE email = '	tab
newline';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email '\ttab\nnewline'}::pg_catalog.bytea
[full] SELECT id FROM customers WHERE email = 'Ünïcödé ⛓';
-> SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'Ünïcödé ⛓'}::pg_catalog.bytea
