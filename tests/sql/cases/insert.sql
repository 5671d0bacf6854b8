# INSERT: values become cells; what is unique needs filter_eq; nothing but constants and parameters enters a cell.

[full] INSERT INTO customers (id, email, name, city) VALUES (51, 'a', $1, 'x');
-> INSERT INTO "public".customers (id, email, name, city) VALUES (51, {CELL customers.email 'a'}::pg_catalog.bytea, {CELL customers.name $1}::pg_catalog.bytea, 'x')
++ physical=CELL($1) CELL('a'); described=$1:25
[full] INSERT INTO customers (id, email) VALUES ($1, $2), (52, $2), (53, NULL), (54, DEFAULT);
-> INSERT INTO "public".customers (id, email) VALUES ($1, {CELL customers.email $2}::pg_catalog.bytea), (52, {CELL customers.email $2}::pg_catalog.bytea), (53, NULL), (54, DEFAULT)
++ physical=PLAIN($1) CELL($2) CELL($2); described=$2:25
[full] INSERT INTO customers (email, name) VALUES ($1, $1);
-> INSERT INTO "public".customers (email, name) VALUES ({CELL customers.email $1}::pg_catalog.bytea, {CELL customers.name $1}::pg_catalog.bytea)
++ physical=CELL($1) CELL($1); described=$1:25
[full] INSERT INTO public.customers AS c VALUES (51, 'x', 'y', 'mail') RETURNING c.email;
-> INSERT INTO public.customers AS c ("id", "city", "status", "email") VALUES (51, 'x', 'y', {CELL customers.email 'mail'}::pg_catalog.bytea) RETURNING c.email
:: email=open(customers.email)
[full] INSERT INTO customers VALUES ($1, $2, $3, $4, $5);
-> INSERT INTO "public".customers ("id", "city", "status", "email", "name") VALUES ($1, $2, $3, {CELL customers.email $4}::pg_catalog.bytea, {CELL customers.name $5}::pg_catalog.bytea)
++ physical=PLAIN($1) PLAIN($2) PLAIN($3) CELL($4) CELL($5); described=$4:25,$5:25
[full] INSERT INTO customers VALUES (51,2,3,4,5,6,7,8,9,10);
!! 42601 INSERT has more expressions than target columns
[full] INSERT INTO customers (email) VALUES ('a'::text), ($1::varchar), (CAST('b' AS text));
-> INSERT INTO "public".customers (email) VALUES ({CELL customers.email 'a'}::pg_catalog.bytea::pg_catalog.bytea), ({CELL customers.email $1}::pg_catalog.bytea::pg_catalog.bytea), (CAST({CELL customers.email 'b'}::pg_catalog.bytea AS pg_catalog.bytea))
++ physical=CELL($1) CELL('a') CELL('b'); described=$1:25
[full] INSERT INTO customers (email, score) VALUES (55, 7), (true, -7), ('x', $1);
-> INSERT INTO "public".customers (email, score) VALUES ({CELL customers.email '55'}::pg_catalog.bytea, {CELL customers.score '7'}::pg_catalog.bytea), ({CELL customers.email 'true'}::pg_catalog.bytea, {CELL customers.score '-7'}::pg_catalog.bytea), ({CELL customers.email 'x'}::pg_catalog.bytea, {CELL customers.score $1}::pg_catalog.bytea)
++ physical=CELL($1) CELL('55') CELL('7') CELL('true') CELL('-7') CELL('x'); described=$1:23
[full] INSERT INTO customers (email) VALUES ('a'::varchar(1));
!! 0A000 a value for the sealed column "public.customers.email" is cast to another type than its own
   hint: Leave the cast out, or cast to text without modifiers.
[full] INSERT INTO customers (email) VALUES (lower('A'));
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] INSERT INTO customers (email) VALUES ('a' || 'b');
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] INSERT INTO customers (email) VALUES ((SELECT 'x'));
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] INSERT INTO customers (email) VALUES (current_user);
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] INSERT INTO customers (city) VALUES (upper('x')), ((SELECT status FROM orders LIMIT 1));
-> INSERT INTO "public".customers (city) VALUES (upper('x')), ((SELECT status FROM "public".orders LIMIT 1))
[full] INSERT INTO customers (untagged) VALUES (1);
!! 42501 permission denied: insert of column "public.customers.untagged"
[full] INSERT INTO customers (fg_email_eq) VALUES ('x');
!! 42703 names beginning with fg_ are not available in statements over protected tables
[full] INSERT INTO customers (nonsense) VALUES ('x');
!! 42703 column "nonsense" does not exist
[full] INSERT INTO customers DEFAULT VALUES;
-> INSERT INTO "public".customers DEFAULT VALUES
[none] INSERT INTO customers DEFAULT VALUES;
!! 42501 permission denied: insert into "public.customers" without columns
[support] INSERT INTO customers (email) VALUES ('a');
!! 42501 permission denied: insert of column "public.customers.email"
[full] INSERT INTO customers (id, email) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM customers WHERE email = $2);
-> INSERT INTO "public".customers (id, email) SELECT $1, {CELL customers.email $2}::pg_catalog.bytea WHERE NOT EXISTS (SELECT 1 FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email $2}::pg_catalog.bytea)
++ physical=PLAIN($1) CELL($2) TERM($2); described=$2:25
[full] INSERT INTO customers (id, email) SELECT 51, 'z';
-> INSERT INTO "public".customers (id, email) SELECT 51, {CELL customers.email 'z'}::pg_catalog.bytea
[full] INSERT INTO customers (id, email) SELECT id, email FROM customers;
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] INSERT INTO customers (id, email) SELECT id, body FROM notes;
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] INSERT INTO orders (customer_id, status) SELECT id, city FROM customers WHERE email = $1;
-> INSERT INTO "public".orders (customer_id, status) SELECT id, city FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea
++ physical=TERM($1); described=$1:25
[support] INSERT INTO orders (customer_id) SELECT * FROM customers;
!! 42501 permission denied: read of column "public.customers.city"
[full] INSERT INTO orders SELECT * FROM orders;
!! 0A000 the sealed column "public.orders.recipient" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] INSERT INTO notes (body) SELECT city FROM customers;
!! 42501 permission denied: export of column "public.customers.city"
[exporter] INSERT INTO notes (body) SELECT city FROM customers;
-> INSERT INTO notes (body) SELECT city FROM "public".customers
[exporter] INSERT INTO notes (body) SELECT email FROM customers;
!! 0A000 the sealed column "public.customers.email" can not be copied into another column
   hint: Select it, and insert what you got.
[full] INSERT INTO notes (body) VALUES ((SELECT email FROM customers LIMIT 1));
!! 0A000 the sealed column "email" (public.customers.email) can not be used in a scalar or ARRAY subquery
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] INSERT INTO notes (body) VALUES ((SELECT city FROM customers LIMIT 1));
!! 42501 permission denied: export of column "public.customers.city"
[full] INSERT INTO notes (id, body) VALUES (51, 'x');
-> INSERT INTO notes (id, body) VALUES (51, 'x')
++ untouched
[full] INSERT INTO customers (id, email) VALUES (51, 'x') ON CONFLICT DO NOTHING;
-> INSERT INTO "public".customers (id, email) VALUES (51, {CELL customers.email 'x'}::pg_catalog.bytea) ON CONFLICT DO NOTHING
[full] INSERT INTO customers (id, email) VALUES (51, $1) ON CONFLICT (email) DO NOTHING;
-> INSERT INTO "public".customers (id, email) VALUES (51, {CELL customers.email $1}::pg_catalog.bytea) ON CONFLICT ("fg_email_eq") DO NOTHING
++ physical=CELL($1); described=$1:25
[full] INSERT INTO customers (id, email) VALUES (51, $1) ON CONFLICT ("email") DO UPDATE SET email = EXCLUDED.email, name = $2, city = EXCLUDED.city || customers.city WHERE customers.email <> $1 RETURNING id, email;
-> INSERT INTO "public".customers (id, email) VALUES (51, {CELL customers.email $1}::pg_catalog.bytea) ON CONFLICT ("fg_email_eq") DO UPDATE SET email = EXCLUDED.email, name = {CELL customers.name $2}::pg_catalog.bytea, city = EXCLUDED.city || customers.city WHERE "customers"."fg_email_eq" <> {TERM customers.email $1}::pg_catalog.bytea RETURNING id, email
:: id, email=open(customers.email)
++ physical=CELL($1) CELL($2) TERM($1); described=$1:25,$2:25
[full] INSERT INTO customers (id, email) VALUES (51, $1) ON CONFLICT (id) DO UPDATE SET email = EXCLUDED.name;
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] INSERT INTO customers (id, email) VALUES (51, $1) ON CONFLICT (phone) DO NOTHING;
!! 0A000 the sealed column "phone" has no equality, so nothing can conflict on it
[full] INSERT INTO customers (id) VALUES (1) ON CONFLICT ON CONSTRAINT customers_pkey DO NOTHING;
-> INSERT INTO "public".customers (id) VALUES (1) ON CONFLICT ON CONSTRAINT customers_pkey DO NOTHING
[full] INSERT INTO customers (id) VALUES (1) ON CONFLICT (lower(city)) DO NOTHING;
!! 0A000 ON CONFLICT on an expression is not supported in protected tables
[full] INSERT INTO accounts (id, login, password) VALUES ($1, $2, $3), (55, 'l1', 'p');
-> INSERT INTO "public".accounts (id, login, password) VALUES ($1, {CELL accounts.login $2}::pg_catalog.bytea, {CELL accounts.password $3 row $1}::pg_catalog.bytea), (55, {CELL accounts.login 'l1'}::pg_catalog.bytea, {CELL accounts.password 'p' row '55'}::pg_catalog.bytea)
++ physical=PLAIN($1) CELL($2) CELL($3) CELL('l1') CELL('p'); described=$2:25,$3:25
[full] INSERT INTO accounts (login, password) VALUES ($1, $2), ('q', 'b') RETURNING id, password;
-> INSERT INTO "public".accounts (login, password, "id") VALUES ({CELL accounts.login $1}::pg_catalog.bytea, {CELL accounts.password $2 row draw 0}::pg_catalog.bytea, {PLAIN draw 0}::pg_catalog.text::bigint), ({CELL accounts.login 'q'}::pg_catalog.bytea, {CELL accounts.password 'b' row draw 1}::pg_catalog.bytea, {PLAIN draw 1}::pg_catalog.text::bigint) RETURNING id, password
:: id, password=open(accounts.password, row key 0)
++ physical=CELL($1) CELL($2) PLAIN(draw 0) CELL('q') CELL('b') PLAIN(draw 1); described=$1:25,$2:25; draws="public"."accounts_id_seq","public"."accounts_id_seq"
[full] INSERT INTO accounts (login, password, id) VALUES ('q', 'b', DEFAULT);
-> INSERT INTO "public".accounts (login, password, id) VALUES ({CELL accounts.login 'q'}::pg_catalog.bytea, {CELL accounts.password 'b' row draw 0}::pg_catalog.bytea, {PLAIN draw 0}::pg_catalog.text::bigint)
++ draws="public"."accounts_id_seq"
[full] INSERT INTO accounts (login, password, id) VALUES ('q', 'b', 1 + 1);
!! 0A000 a sealed column of "accounts" is bound to its row, and the row's key is not known here
   hint: Give "id" as a constant or a parameter in the same statement.
[full] INSERT INTO accounts VALUES (57, 8, 'l1', 'p');
-> INSERT INTO "public".accounts ("id", "customer_id", "login", "password") VALUES (57, 8, {CELL accounts.login 'l1'}::pg_catalog.bytea, {CELL accounts.password 'p' row '57'}::pg_catalog.bytea)
[full] INSERT INTO accounts (login) VALUES ('q');
-> INSERT INTO "public".accounts (login) VALUES ({CELL accounts.login 'q'}::pg_catalog.bytea)
[full] INSERT INTO accounts (id, password) VALUES (51, 'p') ON CONFLICT (id) DO UPDATE SET password = EXCLUDED.password;
-> INSERT INTO "public".accounts (id, password) VALUES (51, {CELL accounts.password 'p' row '51'}::pg_catalog.bytea) ON CONFLICT (id) DO UPDATE SET password = EXCLUDED.password
[full] INSERT INTO accounts (id, login, password) VALUES (51, 'l1', 'p') ON CONFLICT (login) DO UPDATE SET password = EXCLUDED.password;
!! 0A000 the sealed column "public.accounts.password" is bound to its row and can not be updated by this ON CONFLICT
   hint: Let the conflict be on "id", or use UPDATE.
[client] INSERT INTO customers (id) VALUES (7);
!! 0A000 you may see only some rows of "customers", so rows can not be added to it
   hint: Policy must give the insert to a role without a row filter.
[full] INSERT INTO orders (id, status) SELECT 61, $1 UNION ALL SELECT $2, $3 FROM customers WHERE email = $4;
-> INSERT INTO "public".orders (id, status) SELECT 61, $1 UNION ALL SELECT $2, $3 FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email $4}::pg_catalog.bytea
++ physical=PLAIN($1) PLAIN($2) PLAIN($3) TERM($4); described=$4:25
[full] INSERT INTO orders (id, recipient) SELECT 61, $1 UNION ALL SELECT 62, 'x';
!! 0A000 the sealed column "public.orders.recipient" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] UPDATE customers SET email = excluded.email FROM customers excluded WHERE excluded.id = 5;
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] INSERT INTO customers (email,name) VALUES ($1,$2),($3,$4);
-> INSERT INTO "public".customers (email,name) VALUES ({CELL customers.email $1}::pg_catalog.bytea,{CELL customers.name $2}::pg_catalog.bytea),({CELL customers.email $3}::pg_catalog.bytea,{CELL customers.name $4}::pg_catalog.bytea)
++ physical=CELL($1) CELL($2) CELL($3) CELL($4); described=$1:25,$2:25,$3:25,$4:25
[full] INSERT INTO customers (email, city) SELECT p0::VARCHAR, p1::VARCHAR FROM (VALUES ($1::VARCHAR, $2::VARCHAR, 0), ($3::VARCHAR, $4::VARCHAR, 1)) AS imp_sen(p0, p1, sen_counter) ORDER BY sen_counter RETURNING customers.id, customers.id AS id__1;
-> INSERT INTO "public".customers (email, city) SELECT p0::pg_catalog.bytea, p1::VARCHAR FROM (VALUES ({CELL customers.email $1}::pg_catalog.bytea::pg_catalog.bytea, $2::VARCHAR, 0), ({CELL customers.email $3}::pg_catalog.bytea::pg_catalog.bytea, $4::VARCHAR, 1)) AS imp_sen(p0, p1, sen_counter) ORDER BY sen_counter RETURNING customers.id, customers.id AS id__1
++ physical=CELL($1) PLAIN($2) CELL($3) PLAIN($4); described=$1:25,$3:25
[full] INSERT INTO customers (email, name) SELECT p0, p0 FROM (VALUES ($1)) AS v(p0);
!! 0A000 a column of VALUES is used for two sealed columns
   hint: Give the values twice, as two columns.
[full] INSERT INTO customers (email, city) SELECT p0, p0 FROM (VALUES ($1)) AS v(p0);
!! 0A000 a column of VALUES is compared with, or stored in, a sealed column and used elsewhere too
   hint: Give the values twice, as two columns.
[full] INSERT INTO accounts (id, login, password) SELECT p0, p1, p2 FROM (VALUES ($1, $2, $3)) AS v(p0, p1, p2);
!! 0A000 a sealed column of "accounts" is bound to its row, and the row's key is not known here
   hint: Give "id" as a constant or a parameter in the same statement.
[full] INSERT INTO customers (email) SELECT lower(x) FROM (VALUES ('A')) AS v(x);
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] INSERT INTO customers (id, email, city) SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]);
-> INSERT INTO "public".customers (id, email, city) SELECT "unnest".* FROM unnest($1::bigint[], {CELL[] customers.email $2}::pg_catalog.bytea[]::pg_catalog.bytea[], $3::text[])
++ physical=PLAIN($1) CELL($2) PLAIN($3); described=$2:1009
[full] INSERT INTO customers (id, email) SELECT k, e FROM unnest('{61,62}'::bigint[], '{q,r}'::varchar[]) AS u(k, e);
-> INSERT INTO "public".customers (id, email) SELECT k, e FROM unnest('{61,62}'::bigint[], {CELL[] customers.email '{q,r}'}::pg_catalog.bytea[]::pg_catalog.bytea[]) AS u(k, e)
[full] INSERT INTO customers (email) SELECT lower(x) FROM unnest($1::text[]) AS x;
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] INSERT INTO customers (email, city) SELECT x, x FROM unnest($1::text[]) AS x;
!! 0A000 a column of VALUES is compared with, or stored in, a sealed column and used elsewhere too
   hint: Give the values twice, as two columns.
[full] INSERT INTO accounts (id, password) SELECT * FROM unnest($1::bigint[], $2::text[]);
!! 0A000 a sealed column of "accounts" is bound to its row, and the row's key is not known here
   hint: Give "id" as a constant or a parameter in the same statement.
[full] INSERT INTO customers SELECT FROM orders;
!! 0A000 INSERT of a query that has no columns is not supported over protected tables
