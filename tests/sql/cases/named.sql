# Statements that keep another one under a name, and statements that run one by name.

[full] PREPARE p AS SELECT 1;
-> PREPARE p AS SELECT 1
++ untouched; effect=prepares p
[full] PREPARE p(text) AS SELECT id FROM customers WHERE email = $1;
-> PREPARE "p" (pg_catalog.unknown) AS SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = $1::pg_catalog.bytea
++ effect=prepares p; kept declared=25; kept physical=TERM($1); kept described=$1:25
[full] PREPARE p AS SELECT id, email FROM customers WHERE email = 'ann@x' AND city = $1 AND status <> 'gone';
-> PREPARE "p" (pg_catalog.unknown, pg_catalog.unknown) AS SELECT id, email FROM "public".customers WHERE "customers"."fg_email_eq" = $2::pg_catalog.bytea AND city = $1 AND status <> 'gone'
++ effect=prepares p; kept id, email=open(customers.email); kept physical=PLAIN($1) TERM('ann@x')
[full] PREPARE p(varchar(5), text) AS INSERT INTO customers (email, city) VALUES ($1, $2) RETURNING id, email;
-> PREPARE "p" (pg_catalog.unknown, text) AS INSERT INTO "public".customers (email, city) VALUES ($1::pg_catalog.bytea, $2) RETURNING id, email
++ effect=prepares p; kept declared=1043,25; kept id, email=open(customers.email); kept physical=CELL($1) PLAIN($2); kept described=$1:1043
[full] PREPARE p AS SELECT $1::int, id FROM customers WHERE email = $2 AND name = $2;
-> PREPARE "p" (pg_catalog.unknown, pg_catalog.unknown, pg_catalog.unknown) AS SELECT $1::int, id FROM "public".customers WHERE "customers"."fg_email_eq" = $2::pg_catalog.bytea AND "customers"."fg_name_eq" = $3::pg_catalog.bytea
++ effect=prepares p; kept physical=PLAIN($1) TERM($2) TERM($2); kept described=$2:25
[full] PREPARE p(text[]) AS SELECT id FROM customers WHERE email = ANY ($1);
-> PREPARE "p" (pg_catalog.unknown) AS SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = ANY ($1::pg_catalog.bytea[])
++ effect=prepares p; kept declared=1009; kept physical=TERM($1); kept described=$1:1009
[full] PREPARE p(int, date) AS SELECT id FROM customers WHERE score = $1 OR born = $2;
-> PREPARE "p" (pg_catalog.unknown, pg_catalog.unknown) AS SELECT id FROM "public".customers WHERE "customers"."fg_score_eq" = $1::pg_catalog.bytea OR "customers"."fg_born_eq" = $2::pg_catalog.bytea
++ effect=prepares p; kept declared=23,1082; kept physical=TERM($1) TERM($2); kept described=$1:23,$2:1082
[full] PREPARE p AS INSERT INTO accounts (customer_id, login, password) VALUES ($1, $2, 'secret');
-> PREPARE "p" (pg_catalog.unknown, pg_catalog.unknown, pg_catalog.unknown, pg_catalog.unknown) AS INSERT INTO "public".accounts (customer_id, login, password, "id") VALUES ($1, $2::pg_catalog.bytea, $3::pg_catalog.bytea, $4::pg_catalog.text::bigint)
++ effect=prepares p; kept physical=PLAIN($1) CELL($2) CELL('secret') PLAIN(draw 0); kept described=$2:25; kept draws="public"."accounts_id_seq"
[full] PREPARE p AS UPDATE accounts SET password = $2 WHERE id = $1;
-> PREPARE "p" (pg_catalog.unknown, pg_catalog.unknown) AS UPDATE "public".accounts SET password = $2::pg_catalog.bytea WHERE id = $1
++ effect=prepares p; kept physical=PLAIN($1) CELL($2); kept described=$2:25
[full] PREPARE p AS SELECT login, password FROM accounts WHERE login = $1;
-> PREPARE "p" (pg_catalog.unknown) AS SELECT login, password, "accounts"."id" FROM "public".accounts WHERE "accounts"."fg_login_eq" = $1::pg_catalog.bytea
++ effect=prepares p; kept login=open(accounts.login), password=open(accounts.password, row key 2); kept hidden=1; kept physical=TERM($1); kept described=$1:25
[full] PREPARE "a (b) as" (unknown, "char"[], numeric(3, 2)) AS SELECT id FROM customers WHERE email = $1;
-> PREPARE "a (b) as" (pg_catalog.unknown, "char"[], numeric(3, 2)) AS SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = $1::pg_catalog.bytea
++ effect=prepares a (b) as; kept declared=0,0,1700; kept physical=TERM($1) PLAIN($2) PLAIN($3); kept described=$1:25
[full] PREPARE U&"p!0041" UESCAPE '!' (text) AS SELECT id FROM customers WHERE email = $1 -- to the end;
-> PREPARE "pA" (pg_catalog.unknown) AS SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = $1::pg_catalog.bytea -- to the end
++ effect=prepares pA; kept declared=25; kept physical=TERM($1); kept described=$1:25
[full] PREPARE p /* AS */ (text /* ) */) AS WITH x AS (SELECT id FROM customers WHERE email = $1) SELECT * FROM x;
-> PREPARE "p" (pg_catalog.unknown) AS WITH x AS (SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = $1::pg_catalog.bytea) SELECT "x"."id" FROM x
++ effect=prepares p; kept declared=25; kept physical=TERM($1); kept described=$1:25
[full] PREPARE p AS SELECT * FROM notes;
-> PREPARE p AS SELECT * FROM notes
++ untouched; effect=prepares p
[full] PREPARE p AS SELECT id FROM audit.customers;
-> PREPARE p AS SELECT id FROM audit.customers
++ untouched; effect=prepares p
[client] PREPARE p AS SELECT id, total FROM orders WHERE status = $1;
-> PREPARE "p" (pg_catalog.unknown, pg_catalog.unknown) AS SELECT id, total FROM (SELECT "id", "customer_id", "total", "status", "tech_notes", "placed_at", "recipient", "fg_recipient_eq" FROM "public"."orders" WHERE "orders"."customer_id" OPERATOR(pg_catalog.=) $2::pg_catalog.text::bigint OFFSET 0) AS "orders" WHERE status = $1
++ effect=prepares p; kept physical=PLAIN($1) PRINCIPAL(-)
[support] PREPARE p AS SELECT name FROM customers WHERE email = $1;
-> PREPARE "p" (pg_catalog.unknown) AS SELECT name FROM "public".customers WHERE "customers"."fg_email_eq" = $1::pg_catalog.bytea
++ effect=prepares p; kept name=open(customers.name); kept physical=TERM($1); kept described=$1:25
[support] PREPARE p AS SELECT city FROM customers;
!! 42501 permission denied: read of column "public.customers.city"
[support] PREPARE p AS SELECT id FROM customers WHERE city = 'x';
!! 42501 permission denied: filter_eq of column "public.customers.city"
[full] PREPARE p(int) AS SELECT id FROM customers WHERE email = $1;
!! 0A000 parameter $1 is declared with a type that can not be used for the sealed column "public.customers.email"
   hint: Declare it with the column's own type, or leave the types out.
[full] PREPARE p(text) AS SELECT id FROM customers WHERE email = ANY ($1);
!! 0A000 parameter $1 is declared with a type that can not be used for the sealed column "public.customers.email"
   hint: Declare it with the column's own type, or leave the types out.
[full] PREPARE p(double precision) AS SELECT id FROM customers WHERE score = $1;
!! 0A000 parameter $1 is declared with a type that can not be used for the sealed column "public.customers.score"
   hint: Declare it with the column's own type, or leave the types out.
[full] PREPARE p(mine) AS SELECT id FROM customers WHERE email = $1;
!! 0A000 parameter $1 is declared with a type that can not be used for the sealed column "public.customers.email"
   hint: Declare it with the column's own type, or leave the types out.
[full] PREPARE p(mine) AS SELECT id FROM customers WHERE id = $1;
-> PREPARE "p" (mine) AS SELECT id FROM "public".customers WHERE id = $1
++ effect=prepares p; kept declared=0; kept physical=PLAIN($1)
[full] PREPARE p AS SELECT lower(email) FROM customers;
!! 0A000 PREPARE of an expression over a sealed column, or of ORDER BY, DISTINCT, min or max of one is not supported
   hint: Use the prepared statements of your driver.
[full] PREPARE p AS SELECT leak();
!! 0A000 it is not known what the function leak reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] PREPARE p AS SELECT id, boom FROM customers;
!! 42703 column "boom" does not exist
[full] PREPARE p AS SELECT set_config('search_path', 'x', false);
-> PREPARE p AS SELECT set_config('search_path', 'x', false)
++ untouched; effect=prepares p; kept effect=search_path x
[full] PREPARE p AS SELECT set_config('role', 'x', false);
!! 0A000 set_config of role is not supported
   hint: Use SET role.
[full] PREPARE p AS SELECT 1 INTO x;
-> PREPARE p AS SELECT 1 INTO x
++ untouched; effect=prepares p; kept effect=catalog None
[full] PREPARE p AS SELECT fg_email_eq FROM customers;
!! 42703 names beginning with fg_ are not available in statements over protected tables
[full] EXECUTE p;
-> EXECUTE p
++ untouched; effect=runs_statement p
[full] EXECUTE p('x', NULL, -5, 1.5, true, ARRAY['a', 'b'], 'c'::text, DATE '2001-02-03', 2 + 3);
-> EXECUTE p('x', NULL, -5, 1.5, true, ARRAY['a', 'b'], 'c'::text, DATE '2001-02-03', 2 + 3)
++ untouched; effect=runs_statement p; arguments=string 'x', null NULL, integer -5, decimal 1.5, boolean true, array ARRAY['a', 'b'], string 'c'::text, string DATE '2001-02-03', expression 2 + 3
[full] EXECUTE p(lower('a,b'), 'x,)y', $$a,b$$ /* , */, now(), ('z'), ARRAY[ARRAY[1]], B'1');
-> EXECUTE p(lower('a,b'), 'x,)y', $$a,b$$ /* , */, now(), ('z'), ARRAY[ARRAY[1]], B'1')
++ untouched; effect=runs_statement p; arguments=expression lower('a,b'), string 'x,)y', string $$a,b$$, expression now(), string ('z'), expression ARRAY[ARRAY[1]], expression B'1'
[full] EXECUTE "p (x" ('a');
-> EXECUTE "p (x" ('a')
++ untouched; effect=runs_statement p (x; arguments=string 'a'
[full] EXECUTE p(leak());
!! 0A000 it is not known what the function leak reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] EXECUTE p((SELECT email FROM customers));
!! 0A000 cannot use subquery in EXECUTE parameter
[full] EXECUTE p((SELECT id FROM audit.customers));
-> EXECUTE p((SELECT id FROM audit.customers))
++ untouched; effect=runs_statement p; arguments=expression (SELECT id FROM audit.customers)
[full] EXECUTE p(set_config('search_path', 'x', false));
!! 0A000 this argument of EXECUTE is not supported
   hint: Work its value out first.
[full] EXECUTE p(pg_read_file('x'));
!! 0A000 it is not known what the function pg_read_file reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] EXPLAIN EXECUTE p('x');
-> EXPLAIN EXECUTE p('x')
++ untouched; effect=runs_statement p
[full] CREATE TABLE x AS EXECUTE p('x');
!! 0A000 EXECUTE can not be used here in a database with protected tables
[full] DEALLOCATE p;
-> DEALLOCATE p
++ untouched; effect=deallocate p
[full] DEALLOCATE PREPARE ALL;
-> DEALLOCATE PREPARE ALL
++ untouched; effect=deallocate None
[full] DECLARE c CURSOR FOR SELECT * FROM notes;
-> DECLARE c CURSOR FOR SELECT * FROM notes
++ untouched; effect=declares c
[full] DECLARE c CURSOR FOR SELECT * FROM customers;
-> DECLARE c CURSOR FOR SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers
++ effect=declares c; kept id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged
[full] DECLARE c BINARY NO SCROLL CURSOR WITH HOLD FOR SELECT id, email FROM customers WHERE email = 'ann@x' AND id < 9;
-> DECLARE c BINARY NO SCROLL CURSOR WITH HOLD FOR SELECT id, email FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'ann@x'}::pg_catalog.bytea AND id < 9
++ effect=declares c; kept held; kept binary; kept id, email=open(customers.email)
[full] DECLARE cursor ASENSITIVE NO SCROLL CURSOR WITHOUT HOLD FOR SELECT id FROM customers FOR UPDATE;
-> DECLARE cursor ASENSITIVE NO SCROLL CURSOR WITHOUT HOLD FOR SELECT id FROM "public".customers FOR UPDATE
++ effect=declares cursor
[full] DECLARE U&"for" UESCAPE '!' CURSOR FOR WITH x AS (SELECT id FROM customers WHERE email = $1) SELECT * FROM x;
-> DECLARE U&"for" UESCAPE '!' CURSOR FOR WITH x AS (SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea) SELECT "x"."id" FROM x
++ physical=TERM($1); described=$1:25; effect=declares for
[full] DECLARE c CURSOR FOR (SELECT id FROM customers ORDER BY id) UNION ALL SELECT 1;
-> DECLARE c CURSOR FOR (SELECT id FROM "public".customers ORDER BY id) UNION ALL SELECT 1
++ effect=declares c
[full] DECLARE c CURSOR FOR SELECT login, password FROM accounts;
-> DECLARE c CURSOR FOR SELECT login, password, "accounts"."id" FROM "public".accounts
++ effect=declares c; kept login=open(accounts.login), password=open(accounts.password, row key 2); kept hidden=1
[full] DECLARE c CURSOR FOR SELECT DISTINCT password FROM accounts;
!! 0A000 the sealed column "public.accounts.password" can not be searched: its data map entry has no equality
   hint: Declare equality for it in the data map, or select it and compare in the application.
[full] DECLARE c CURSOR FOR VALUES (1);
-> DECLARE c CURSOR FOR VALUES (1)
++ untouched; effect=declares c
[full] DECLARE c CURSOR FOR SELECT id FROM audit.customers;
-> DECLARE c CURSOR FOR SELECT id FROM audit.customers
++ untouched; effect=declares c
[full] DECLARE customers CURSOR FOR SELECT id FROM customers;
-> DECLARE customers CURSOR FOR SELECT id FROM "public".customers
++ effect=declares customers
[client] DECLARE c CURSOR FOR SELECT id, total FROM orders;
-> DECLARE c CURSOR FOR SELECT id, total FROM (SELECT "id", "customer_id", "total", "status", "tech_notes", "placed_at", "recipient", "fg_recipient_eq" FROM "public"."orders" WHERE "orders"."customer_id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "orders"
++ effect=declares c
[support] DECLARE c CURSOR FOR SELECT id, name FROM customers;
-> DECLARE c CURSOR FOR SELECT id, name FROM "public".customers
++ effect=declares c; kept id, name=open(customers.name)
[support] DECLARE c CURSOR FOR SELECT city FROM customers;
!! 42501 permission denied: read of column "public.customers.city"
[support] DECLARE c CURSOR FOR SELECT id, city FROM (SELECT * FROM customers) x;
!! 42501 permission denied: read of column "public.customers.city"
[nobody] DECLARE c CURSOR FOR SELECT 1 FROM customers;
!! 42501 permission denied for table "public.customers"
[full] DECLARE c CURSOR FOR SELECT email FROM customers ORDER BY email;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in ORDER BY
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] DECLARE c CURSOR FOR SELECT leak();
!! 0A000 it is not known what the function leak reads or does, and this database has protected tables
   hint: Ask for it to be allowed in the data map.
[full] DECLARE c CURSOR FOR SELECT set_config('search_path', 'x', false);
!! 0A000 set_config of search_path is supported in a SELECT of its own only
   hint: Use SET.
[full] EXPLAIN DECLARE c CURSOR FOR SELECT email FROM customers;
!! 0A000 EXPLAIN of this statement over protected tables is not supported
[full] FETCH ALL FROM c;
-> FETCH ALL FROM c
++ untouched; effect=runs_portal c; fetches all
[full] FETCH BACKWARD 5 IN "C d";
-> FETCH BACKWARD 5 IN "C d"
++ untouched; effect=runs_portal C d
[full] MOVE RELATIVE -3 FROM c;
-> MOVE RELATIVE -3 FROM c
++ untouched; effect=runs_portal c
[full] CLOSE c;
-> CLOSE c
++ untouched; effect=closes c
[full] CLOSE ALL;
-> CLOSE ALL
++ untouched; effect=closes None
[full] DELETE FROM notes WHERE CURRENT OF c;
-> DELETE FROM notes WHERE CURRENT OF c
++ untouched
[full] DELETE FROM customers WHERE CURRENT OF c;
!! 0A000 WHERE CURRENT OF is not supported over protected tables
   hint: Name the row by its key.
[full] UPDATE customers SET city = 'x' WHERE CURRENT OF c;
!! 0A000 WHERE CURRENT OF is not supported over protected tables
   hint: Name the row by its key.
