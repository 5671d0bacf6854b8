# MERGE: each branch needs what the same INSERT, UPDATE or DELETE would.

[full] MERGE INTO customers c USING notes n ON c.id = n.customer_id WHEN MATCHED AND n.body = 'x' THEN DELETE WHEN MATCHED THEN UPDATE SET city = n.body, email = 'x9', name = c.name WHEN NOT MATCHED THEN INSERT (id, city, email, name) VALUES (n.id, n.body, NULL, 'New');
-> MERGE INTO "public".customers c USING notes n ON c.id = n.customer_id WHEN MATCHED AND n.body = 'x' THEN DELETE WHEN MATCHED THEN UPDATE SET city = n.body, email = {CELL customers.email 'x9'}::pg_catalog.bytea, name = c.name WHEN NOT MATCHED THEN INSERT (id, city, email, name) VALUES (n.id, n.body, NULL, {CELL customers.name 'New'}::pg_catalog.bytea)
[full] MERGE INTO customers c USING notes n ON c.id = n.customer_id WHEN MATCHED THEN DO NOTHING;
-> MERGE INTO "public".customers c USING notes n ON c.id = n.customer_id WHEN MATCHED THEN DO NOTHING
[full] MERGE INTO customers AS c USING (VALUES (1, 'a@x'), (61, 'b@x')) AS v (id, mail) ON c.id = v.id WHEN MATCHED THEN UPDATE SET email = v.mail WHEN NOT MATCHED THEN INSERT (id, email) VALUES (v.id, v.mail);
-> MERGE INTO "public".customers AS c USING (VALUES (1, {CELL customers.email 'a@x'}::pg_catalog.bytea), (61, {CELL customers.email 'b@x'}::pg_catalog.bytea)) AS v (id, mail) ON c.id = v.id WHEN MATCHED THEN UPDATE SET email = v.mail WHEN NOT MATCHED THEN INSERT (id, email) VALUES (v.id, v.mail)
[full] MERGE INTO customers AS c USING (SELECT $1::bigint AS id, $2::text AS mail, $3 AS town) AS v ON c.id = v.id WHEN MATCHED THEN UPDATE SET email = v.mail, city = v.town WHEN NOT MATCHED THEN INSERT (id, email, city) VALUES (v.id, v.mail, v.town);
-> MERGE INTO "public".customers AS c USING (SELECT $1::bigint AS id, {CELL customers.email $2}::pg_catalog.bytea::pg_catalog.bytea AS mail, $3 AS town) AS v ON c.id = v.id WHEN MATCHED THEN UPDATE SET email = v.mail, city = v.town WHEN NOT MATCHED THEN INSERT (id, email, city) VALUES (v.id, v.mail, v.town)
++ physical=PLAIN($1) CELL($2) PLAIN($3); described=$2:25
[full] MERGE INTO customers c USING (SELECT 'ann@x' AS mail, 'Ann2' AS name) v ON c.email = v.mail WHEN MATCHED THEN UPDATE SET name = v.name;
-> MERGE INTO "public".customers c USING (SELECT {TERM customers.email 'ann@x'}::pg_catalog.bytea AS mail, {CELL customers.name 'Ann2'}::pg_catalog.bytea AS name) v ON "c"."fg_email_eq" = v.mail WHEN MATCHED THEN UPDATE SET name = v.name
[full] MERGE INTO customers c USING (VALUES ('ann@x')) v (mail) ON c.email = v.mail WHEN MATCHED THEN UPDATE SET email = v.mail;
!! 0A000 a column of VALUES is used for two sealed columns
   hint: Give the values twice, as two columns.
[full] MERGE INTO customers c USING notes n ON c.id = n.customer_id WHEN MATCHED THEN UPDATE SET email = n.email;
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] MERGE INTO customers c USING notes n ON c.id = n.customer_id WHEN NOT MATCHED THEN INSERT (id, email) VALUES (n.id, n.email);
!! 0A000 the sealed column "public.customers.email" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] MERGE INTO customers c USING orders o ON c.name = o.recipient WHEN MATCHED THEN UPDATE SET status = o.status;
-> MERGE INTO "public".customers c USING "public".orders o ON "c"."fg_name_eq" = "o"."fg_recipient_eq" WHEN MATCHED THEN UPDATE SET status = o.status
[full] MERGE INTO customers c USING orders o ON c.id = o.customer_id WHEN MATCHED THEN UPDATE SET name = o.recipient;
!! 0A000 the sealed column "public.customers.name" can only take a constant or a parameter
   hint: Compute the value in the application and send it as a parameter.
[full] MERGE INTO customers c USING notes n ON c.id = n.id AND c.email = $1 WHEN MATCHED AND c.name = 'Ann' THEN UPDATE SET (email, city) = ($1, $2);
-> MERGE INTO "public".customers c USING notes n ON c.id = n.id AND "c"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea WHEN MATCHED AND "c"."fg_name_eq" = {TERM customers.name 'Ann'}::pg_catalog.bytea THEN UPDATE SET (email, city) = ({CELL customers.email $1}::pg_catalog.bytea, $2)
++ physical=TERM($1) PLAIN($2) TERM('Ann') CELL($1); described=$1:25
[full] MERGE INTO customers USING temp_things t ON customers.id = t.id WHEN NOT MATCHED THEN INSERT VALUES (61, 'Oslo', 'new', 'x9@x');
-> MERGE INTO "public".customers USING temp_things t ON customers.id = t.id WHEN NOT MATCHED THEN INSERT ("id", "city", "status", "email") VALUES (61, 'Oslo', 'new', {CELL customers.email 'x9@x'}::pg_catalog.bytea)
[full] MERGE INTO customers USING temp_things t ON customers.id = t.id WHEN NOT MATCHED THEN INSERT DEFAULT VALUES;
-> MERGE INTO "public".customers USING temp_things t ON customers.id = t.id WHEN NOT MATCHED THEN INSERT DEFAULT VALUES
[full] MERGE INTO customers c USING notes n ON c.id = n.id WHEN MATCHED THEN UPDATE SET email = DEFAULT, city = DEFAULT RETURNING merge_action(), c.id, c.email, n.body;
-> MERGE INTO "public".customers c USING notes n ON c.id = n.id WHEN MATCHED THEN UPDATE SET email = DEFAULT, city = DEFAULT RETURNING merge_action(), c.id, c.email, n.body
:: merge_action, id, email=open(customers.email), body
[full] MERGE INTO customers c USING (VALUES (5)) v (id) ON c.id = v.id WHEN MATCHED THEN DELETE RETURNING *;
-> MERGE INTO "public".customers c USING (VALUES (5)) v (id) ON c.id = v.id WHEN MATCHED THEN DELETE RETURNING "v"."id", "c"."id", "c"."city", "c"."status", "c"."email", "c"."name", "c"."phone", "c"."born", "c"."score", CAST(NULL AS text) AS "untagged"
:: id, id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged
[full] MERGE INTO customers c USING notes n ON c.id = n.id WHEN NOT MATCHED BY SOURCE AND c.city = 'Rome' THEN UPDATE SET city = 'Rom' WHEN NOT MATCHED BY TARGET THEN DO NOTHING RETURNING c.city;
-> MERGE INTO "public".customers c USING notes n ON c.id = n.id WHEN NOT MATCHED BY SOURCE AND c.city = 'Rome' THEN UPDATE SET city = 'Rom' WHEN NOT MATCHED BY TARGET THEN DO NOTHING RETURNING c.city
[full] WITH m AS (MERGE INTO customers c USING notes n ON c.id = n.id WHEN MATCHED THEN UPDATE SET city = 'm' RETURNING c.id, c.email) SELECT id, email FROM m;
-> WITH m AS (MERGE INTO "public".customers c USING notes n ON c.id = n.id WHEN MATCHED THEN UPDATE SET city = 'm' RETURNING c.id, c.email) SELECT id, email FROM m
:: id, email=open(customers.email)
[full] WITH v AS (SELECT 1::bigint AS id, 'Neu' AS name) MERGE INTO customers c USING v ON v.id = c.id WHEN MATCHED THEN UPDATE SET name = v.name;
-> WITH v AS (SELECT 1::bigint AS id, {CELL customers.name 'Neu'}::pg_catalog.bytea AS name) MERGE INTO "public".customers c USING v ON v.id = c.id WHEN MATCHED THEN UPDATE SET name = v.name
[full] MERGE INTO notes n USING customers c ON c.id = n.customer_id WHEN MATCHED THEN DELETE;
-> MERGE INTO notes n USING "public".customers c ON c.id = n.customer_id WHEN MATCHED THEN DELETE
[full] MERGE INTO notes n USING customers c ON c.id = n.customer_id WHEN MATCHED AND c.email = 'ann@x' THEN UPDATE SET body = 'seen';
-> MERGE INTO notes n USING "public".customers c ON c.id = n.customer_id WHEN MATCHED AND "c"."fg_email_eq" = {TERM customers.email 'ann@x'}::pg_catalog.bytea THEN UPDATE SET body = 'seen'
[full] MERGE INTO notes n USING customers c ON c.id = n.customer_id WHEN MATCHED THEN UPDATE SET body = c.city;
!! 42501 permission denied: export of column "public.customers.city"
[full] MERGE INTO notes n USING customers c ON c.id = n.customer_id WHEN NOT MATCHED THEN INSERT (body) VALUES (c.city);
!! 42501 permission denied: export of column "public.customers.city"
[exporter] MERGE INTO notes n USING customers c ON c.id = n.customer_id WHEN NOT MATCHED THEN INSERT (body) VALUES (c.city);
-> MERGE INTO notes n USING "public".customers c ON c.id = n.customer_id WHEN NOT MATCHED THEN INSERT (body) VALUES (c.city)
[exporter] MERGE INTO notes n USING customers c ON c.id = n.customer_id WHEN NOT MATCHED THEN INSERT (body) VALUES (c.email);
!! 0A000 the sealed column "email" (public.customers.email) can not be used in an expression
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] MERGE INTO accounts a USING (VALUES ('p')) v (p) ON a.id = 5 WHEN MATCHED THEN UPDATE SET password = 'n';
-> MERGE INTO "public".accounts a USING (VALUES ('p')) v (p) ON a.id = 5 WHEN MATCHED THEN UPDATE SET password = {CELL accounts.password 'n' row '5'}::pg_catalog.bytea
[full] MERGE INTO accounts a USING notes n ON a.customer_id = n.id WHEN MATCHED AND a.id = $1 THEN UPDATE SET password = $2;
-> MERGE INTO "public".accounts a USING notes n ON a.customer_id = n.id WHEN MATCHED AND a.id = $1 THEN UPDATE SET password = {CELL accounts.password $2 row $1}::pg_catalog.bytea
++ physical=PLAIN($1) CELL($2); described=$2:25
[full] MERGE INTO accounts a USING notes n ON a.id = n.id WHEN MATCHED THEN UPDATE SET password = 'n';
!! 0A000 a sealed column of "a" is bound to its row, and the row's key is not known here
   hint: Give "id" as a constant or a parameter in the same statement.
[full] MERGE INTO accounts a USING (VALUES (5, 'p')) v (id, p) ON a.id = v.id WHEN MATCHED THEN UPDATE SET password = v.p;
!! 0A000 a sealed column of "a" is bound to its row, and the row's key is not known here
   hint: Give "id" as a constant or a parameter in the same statement.
[full] MERGE INTO accounts a USING notes n ON a.id = 61 AND false WHEN NOT MATCHED AND n.id = 1 THEN INSERT (id, login, password) VALUES (62, 'l', 'p');
-> MERGE INTO "public".accounts a USING notes n ON a.id = 61 AND false WHEN NOT MATCHED AND n.id = 1 THEN INSERT (id, login, password) VALUES (62, {CELL accounts.login 'l'}::pg_catalog.bytea, {CELL accounts.password 'p' row '62'}::pg_catalog.bytea)
[full] MERGE INTO accounts a USING notes n ON a.id = n.id WHEN NOT MATCHED THEN INSERT (login, password) VALUES ('l', 'p');
!! 0A000 a sealed column of "a" is bound to its row, and the row's key is not known here
   hint: Give "id" as a constant or a parameter in the same statement.
[full] MERGE INTO accounts a USING notes n ON a.id = n.id WHEN MATCHED THEN UPDATE SET id = 5;
!! 0A000 "id" is what sealed columns of the row are bound to, and can not be changed
   hint: Insert a new row.
[full] MERGE INTO customer_view v USING notes n ON v.id = n.id WHEN MATCHED THEN DELETE;
!! 0A000 writing through "public.customer_view" is not supported: it shows data of protected tables
   hint: Write to the table itself.
[full] MERGE INTO customers c USING notes n ON c.ctid = '(0,1)' WHEN MATCHED THEN DELETE;
!! 42501 permission denied: system column "ctid" of a protected table
[full] MERGE INTO customers c USING notes n ON c.id = n.id WHEN NOT MATCHED AND c.city = 'x' THEN DO NOTHING;
!! 42P01 missing FROM-clause entry for table "c"
[full] MERGE INTO customers c USING notes n ON c.id = n.id WHEN NOT MATCHED THEN INSERT (city) VALUES (c.city);
!! 42P01 missing FROM-clause entry for table "c"
[full] MERGE INTO customers c USING notes n ON c.id = n.id WHEN NOT MATCHED THEN INSERT (untagged) VALUES ('x');
!! 42501 permission denied: insert of column "public.customers.untagged"
[full] MERGE INTO customers c USING notes n ON c.id = n.id WHEN MATCHED THEN UPDATE SET fg_email_eq = 'x';
!! 42703 names beginning with fg_ are not available in statements over protected tables
[full] MERGE INTO customers c USING notes n ON c.id = n.id WHEN NOT MATCHED THEN INSERT (id, city) VALUES (1);
!! 42601 INSERT has another number of expressions than target columns
[full] MERGE INTO customers c USING notes n ON CASE WHEN n.id = 1 THEN insert ELSE true END WHEN NOT MATCHED THEN INSERT VALUES (61);
!! 42703 column "insert" does not exist
[reader] MERGE INTO customers c USING notes n ON c.id = n.id WHEN MATCHED THEN DELETE;
!! 42501 permission denied: join of column "public.customers.id"
[reader] MERGE INTO customers c USING notes n ON true WHEN MATCHED THEN DELETE;
!! 42501 permission denied: delete of rows of "public.customers"
[support] MERGE INTO notes n USING customers c ON n.id = 1 AND c.email = 'x' WHEN MATCHED THEN UPDATE SET body = 'x';
-> MERGE INTO notes n USING "public".customers c ON n.id = 1 AND "c"."fg_email_eq" = {TERM customers.email 'x'}::pg_catalog.bytea WHEN MATCHED THEN UPDATE SET body = 'x'
[support] MERGE INTO notes n USING customers c ON n.id = 1 AND c.city = 'x' WHEN MATCHED THEN UPDATE SET body = 'x';
!! 42501 permission denied: filter_eq of column "public.customers.city"
[support] MERGE INTO notes n USING customers c ON n.id = 1 WHEN MATCHED AND c.city = 'x' THEN UPDATE SET body = 'x';
!! 42501 permission denied: filter_eq of column "public.customers.city"
[none] MERGE INTO notes n USING customers c ON true WHEN MATCHED THEN DELETE;
!! 42501 permission denied for table "public.customers"
[analyst] MERGE INTO notes n USING customers c ON true WHEN NOT MATCHED THEN INSERT (body) VALUES ('x');
!! 0A000 you may see only some rows or groups of "c", so it can not take part in MERGE
   hint: Use UPDATE or DELETE.
[analyst] MERGE INTO notes n USING (notes m CROSS JOIN customers c) ON true WHEN NOT MATCHED THEN INSERT (body) VALUES ('x');
!! 0A000 you may see only some rows or groups of "c", so it can not take part in MERGE
   hint: Use UPDATE or DELETE.
[analyst] MERGE INTO notes n USING (SELECT 1 FROM customers) c ON true WHEN NOT MATCHED THEN INSERT (body) VALUES ('x');
!! 42501 rows of "public.customers" may only be seen in groups
   hint: Use GROUP BY, or an aggregate.
[analyst] MERGE INTO notes n USING (notes m CROSS JOIN customers c) j ON true WHEN NOT MATCHED THEN INSERT (body) VALUES ('x');
!! 0A000 you may see only some rows or groups of "j", so it can not take part in MERGE
   hint: Use UPDATE or DELETE.
[analyst] MERGE INTO notes n USING (SELECT city, count(*) AS many FROM customers GROUP BY city) c ON n.id = c.many WHEN MATCHED THEN DO NOTHING;
-> MERGE INTO notes n USING (SELECT city, count(*) AS many FROM (SELECT "fg_r"."id", CASE WHEN fg_c.fg_s2 THEN "fg_r"."city" END AS "city", CASE WHEN fg_c.fg_s1 THEN "fg_r"."status" END AS "status" FROM "public"."customers" AS fg_r JOIN (SELECT * FROM (SELECT *, fg_m2 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m2) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END) OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END ORDER BY fg_m2, fg_k[2]) OPERATOR(pg_catalog.-) fg_m2 OPERATOR(pg_catalog.>=) 5) AS fg_s2 FROM (SELECT *, CASE WHEN fg_k[2] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY CASE WHEN fg_s1 THEN fg_k[1] END, fg_k[2]) END AS fg_m2 FROM (SELECT *, fg_m1 OPERATOR(pg_catalog.>=) 5 AND (pg_catalog.min(fg_m1) OVER () OPERATOR(pg_catalog.>=) 5 OR pg_catalog.sum(fg_n) OVER (ORDER BY fg_m1, fg_k[1]) OPERATOR(pg_catalog.-) fg_m1 OPERATOR(pg_catalog.>=) 5) AS fg_s1 FROM (SELECT *, CASE WHEN fg_k[1] IS NULL THEN 0 ELSE pg_catalog.sum(fg_n) OVER (PARTITION BY fg_k[1]) END AS fg_m1 FROM (SELECT *, pg_catalog.sum(fg_n) OVER () AS fg_all FROM (SELECT ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] AS fg_k, pg_catalog.count(*) AS fg_n FROM "public"."customers" AS fg_r GROUP BY 1) AS fg_0) AS fg_a) AS fg_b) AS fg_a) AS fg_b) AS fg_d WHERE fg_all OPERATOR(pg_catalog.>=) 5) AS fg_c ON fg_c.fg_k OPERATOR(pg_catalog.=) ARRAY["fg_r"."status"::pg_catalog.text COLLATE pg_catalog."C", "fg_r"."city"::pg_catalog.text COLLATE pg_catalog."C"]::pg_catalog.text[] OFFSET 0) AS "customers" GROUP BY city HAVING pg_catalog.count("customers"."id") >= 5) c ON n.id = c.many WHEN MATCHED THEN DO NOTHING
[client] MERGE INTO customers c USING notes n ON c.id = n.id WHEN MATCHED THEN UPDATE SET city = 'x';
!! 0A000 you may see only some rows or groups of "c", so it can not take part in MERGE
   hint: Use UPDATE or DELETE.
[client] MERGE INTO notes n USING customers c ON n.customer_id = c.id WHEN MATCHED THEN UPDATE SET body = 'x';
-> MERGE INTO notes n USING (SELECT "id", "city", "status", "email", "fg_email_eq", "name", "fg_name_eq", "phone", "born", "fg_born_eq", "score", "fg_score_eq" FROM "public"."customers" WHERE "customers"."id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) c ON n.customer_id = c.id WHEN MATCHED THEN UPDATE SET body = 'x'
[full] EXPLAIN MERGE INTO customers c USING notes n ON c.id = n.id WHEN MATCHED THEN DELETE;
-> EXPLAIN MERGE INTO "public".customers c USING notes n ON c.id = n.id WHEN MATCHED THEN DELETE
