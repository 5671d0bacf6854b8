# UPDATE and DELETE.

[full] UPDATE customers SET email = $1 WHERE email = $1;
-> UPDATE "public".customers SET email = {CELL customers.email $1}::pg_catalog.bytea WHERE "customers"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea
++ physical=CELL($1) TERM($1); described=$1:25
[full] UPDATE customers SET email = 'x9', city = 'y', name = DEFAULT, phone = NULL WHERE id = 1 RETURNING email, name;
-> UPDATE "public".customers SET email = {CELL customers.email 'x9'}::pg_catalog.bytea, city = 'y', name = DEFAULT, phone = NULL WHERE id = 1 RETURNING email, name
:: email=open(customers.email), name=open(customers.name)
[full] UPDATE ONLY public.customers AS c SET (email, city) = ($1, $2), name = c.name WHERE c.id = $3;
-> UPDATE ONLY public.customers AS c SET (email, city) = ({CELL customers.email $1}::pg_catalog.bytea, $2), name = c.name WHERE c.id = $3
++ physical=CELL($1) PLAIN($2) PLAIN($3); described=$1:25
[full] UPDATE customers SET (email, city) = ROW('a', 'b') WHERE id = 2;
-> UPDATE "public".customers SET (email, city) = ROW({CELL customers.email 'a'}::pg_catalog.bytea, 'b') WHERE id = 2
[full] UPDATE customers SET (email, city) = (SELECT 'a', 'b');
!! 0A000 SET (...) = (SELECT ...) is not supported in statements over protected tables
   hint: Assign the columns one by one.
[full] UPDATE customers SET email = name;
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] UPDATE customers SET email = phone || 'x';
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] UPDATE customers SET email = (SELECT email FROM customers LIMIT 1);
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] UPDATE customers SET city = status || 'x', status = upper(city);
-> UPDATE "public".customers SET city = status || 'x', status = upper(city)
[full] UPDATE customers SET city = email;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in an expression
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] UPDATE customers c SET city = o.status FROM orders o WHERE o.customer_id = c.id AND o.recipient = c.name;
-> UPDATE "public".customers c SET city = o.status FROM "public".orders o WHERE o.customer_id = c.id AND "o"."fg_recipient_eq" = "c"."fg_name_eq"
[full] UPDATE customers SET email = $1, city = $1 WHERE name = $1;
-> UPDATE "public".customers SET email = {CELL customers.email $1}::pg_catalog.bytea, city = $1::pg_catalog.text WHERE "customers"."fg_name_eq" = {TERM customers.name $1}::pg_catalog.bytea
++ physical=PLAIN($1) CELL($1) TERM($1)
[full] UPDATE customers SET untagged = 1;
!! 42501 permission denied: update of column "public.customers.untagged"
[full] UPDATE customers SET ctid = '(0,1)';
!! 42501 permission denied: update of column "public.customers.ctid"
[full] UPDATE customers SET fg_email_eq = 'x';
!! 42703 names beginning with fg_ are not available in statements over protected tables
[full] UPDATE customers SET email[1] = 'x';
!! 0A000 assigning to a part of a column is not supported here
[support] UPDATE customers SET email = 'x';
!! 42501 permission denied: update of column "public.customers.email"
[full] UPDATE customers SET email = 'x' WHERE CURRENT OF cur;
!! 0A000 WHERE CURRENT OF is not supported over protected tables
   hint: Name the row by its key.
[full] UPDATE accounts SET password = $1 WHERE id = $2;
-> UPDATE "public".accounts SET password = {CELL accounts.password $1 row $2}::pg_catalog.bytea WHERE id = $2
++ physical=CELL($1) PLAIN($2); described=$1:25
[full] UPDATE accounts a SET password = 'p' WHERE a.id = 5 AND login = 'x';
-> UPDATE "public".accounts a SET password = {CELL accounts.password 'p' row '5'}::pg_catalog.bytea WHERE a.id = 5 AND "a"."fg_login_eq" = {TERM accounts.login 'x'}::pg_catalog.bytea
[full] UPDATE accounts SET password = $1 WHERE login = $2;
!! 0A000 a sealed column of "accounts" is bound to its row, and the row's key is not known here
   hint: Give "id" as a constant or a parameter in the same statement.
[full] UPDATE accounts SET password = $1 WHERE id = $2 OR id = 3;
!! 0A000 a sealed column of "accounts" is bound to its row, and the row's key is not known here
   hint: Give "id" as a constant or a parameter in the same statement.
[full] UPDATE accounts SET id = 5 WHERE id = 4;
!! 0A000 "id" is what sealed columns of the row are bound to, and can not be changed
   hint: Insert a new row.
[full] UPDATE accounts SET password = password WHERE login = $1 RETURNING password;
-> UPDATE "public".accounts SET password = password WHERE "accounts"."fg_login_eq" = {TERM accounts.login $1}::pg_catalog.bytea RETURNING password, "accounts"."id"
:: password=open(accounts.password, row key 1)
++ hidden=1; physical=TERM($1); described=$1:25
[full] UPDATE notes SET body = c.city FROM customers c WHERE c.id = notes.customer_id;
!! 42501 permission denied: export of column "public.customers.city"
[exporter] UPDATE notes SET body = c.city FROM customers c WHERE c.id = notes.customer_id;
-> UPDATE notes SET body = c.city FROM "public".customers c WHERE c.id = notes.customer_id
[exporter] UPDATE notes SET body = c.email FROM customers c WHERE c.id = notes.customer_id;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in an expression
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] UPDATE notes SET body = 'x' WHERE customer_id IN (SELECT id FROM customers WHERE email = $1);
-> UPDATE notes SET body = 'x' WHERE "notes"."customer_id" IN (SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea)
++ physical=TERM($1); described=$1:25
[full] DELETE FROM customers WHERE email = $1 RETURNING id, email;
-> DELETE FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea RETURNING id, email
:: id, email=open(customers.email)
++ physical=TERM($1); described=$1:25
[full] DELETE FROM customers c USING orders o WHERE o.customer_id = c.id AND o.recipient = c.name;
-> DELETE FROM "public".customers c USING "public".orders o WHERE o.customer_id = c.id AND "o"."fg_recipient_eq" = "c"."fg_name_eq"
[full] DELETE FROM notes WHERE customer_id = (SELECT id FROM customers WHERE email = 'x');
-> DELETE FROM notes WHERE "notes"."customer_id" = (SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'x'}::pg_catalog.bytea)
[support] DELETE FROM customers;
!! 42501 permission denied: delete of rows of "public.customers"
[none] DELETE FROM orders WHERE true;
!! 42501 permission denied: delete of rows of "public.orders"
[full] MERGE INTO customers c USING notes n ON n.customer_id = c.id WHEN MATCHED THEN DELETE;
-> MERGE INTO "public".customers c USING notes n ON n.customer_id = c.id WHEN MATCHED THEN DELETE
[full] TRUNCATE customers;
!! 42501 this command on "public.customers" is refused: the table is protected, or shows protected data
   hint: Change protected tables on a direct connection, as the administrator of the database; `fieldgate check` then says whether the data map still fits.
