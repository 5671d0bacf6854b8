-- UPDATE and DELETE by a search: the SELECT that finds and locks their rows, and the statement by keys.

[full] UPDATE members SET town = 'x' WHERE surname LIKE '%abc%';
-> UPDATE "public".members SET town = 'x' WHERE ("members"."id" OPERATOR(pg_catalog.=) ANY ({KEYS -}::pg_catalog.int8[])) AND ( ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname '%abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]))
== by id:20 of
   -> SELECT 1, "members"."surname", "members"."id" FROM "public"."members" AS "members" WHERE (("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname '%abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])) FOR NO KEY UPDATE
   ++ hidden=2; sifts members.surname at 1 like '%abc%'
[full] UPDATE members m SET town = $1, surname = $2 WHERE (m.surname ILIKE $3 AND town <> $1) AND id > 5 RETURNING id, surname, nick;
-> UPDATE "public".members m SET town = $1, surname = {CELL members.surname $2}::pg_catalog.bytea WHERE ("m"."id" OPERATOR(pg_catalog.=) ANY ({KEYS -}::pg_catalog.int8[])) AND ( (("m"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname $3}::pg_catalog.int4[] OR "m"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) AND town <> $1) AND id > 5) RETURNING id, surname, nick
:: id, surname=open(members.surname), nick=open(members.nick)
++ physical=PLAIN($1) CELL($2) TOKENS($3) KEYS(-); described=$2:25,$3:25
== by id:20 of
   -> SELECT 1, "m"."surname", "m"."id" FROM "public"."members" AS "m" WHERE ((("m"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname $3}::pg_catalog.int4[] OR "m"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) AND town <> $1) AND id > 5) FOR NO KEY UPDATE
   ++ hidden=2; sifts members.surname at 1 ilike $3; lowering; physical=PLAIN($1) UNUSED(-) TOKENS($3); described=$3:25
[full] DELETE FROM members WHERE nick ^@ 'Ков' RETURNING *;
-> DELETE FROM "public".members WHERE ("members"."id" OPERATOR(pg_catalog.=) ANY ({KEYS -}::pg_catalog.int8[])) AND ( ("members"."fg_nick_tk" OPERATOR(pg_catalog.@>) {TOKENS members.nick 'Ков'}::pg_catalog.int4[] OR "members"."fg_nick_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])) RETURNING "members"."id", "members"."customer_id", "members"."town", "members"."surname", "members"."nick", "members"."remark"
:: id, customer_id, town, surname=open(members.surname), nick=open(members.nick), remark=open(members.remark)
== by id:20 of
   -> SELECT 1, "members"."nick", "members"."id" FROM "public"."members" AS "members" WHERE (("members"."fg_nick_tk" OPERATOR(pg_catalog.@>) {TOKENS members.nick 'Ков'}::pg_catalog.int4[] OR "members"."fg_nick_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])) FOR UPDATE
   ++ hidden=2; sifts members.nick at 1 starts 'Ков'
[full] DELETE FROM ONLY public.members AS "M m" WHERE "M m".surname LIKE $1;
-> DELETE FROM ONLY public.members AS "M m" WHERE ("M m"."id" OPERATOR(pg_catalog.=) ANY ({KEYS -}::pg_catalog.int8[])) AND ( ("M m"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname $1}::pg_catalog.int4[] OR "M m"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]))
++ physical=TOKENS($1) KEYS(-); described=$1:25
== by id:20 of
   -> SELECT 1, "M m"."surname", "M m"."id" FROM ONLY "public"."members" AS "M m" WHERE (("M m"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname $1}::pg_catalog.int4[] OR "M m"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])) FOR UPDATE
   ++ hidden=2; sifts members.surname at 1 like $1; physical=TOKENS($1); described=$1:25
[full] UPDATE workers SET age = 5 WHERE birth >= '1990-01-01' AND birth < $1;
-> UPDATE "public".workers SET age = {CELL workers.age '5'}::pg_catalog.bytea WHERE ("workers"."id" OPERATOR(pg_catalog.=) ANY ({KEYS -}::pg_catalog.int8[])) AND ( "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth at_least '1990-01-01' less $1}::pg_catalog.int4[] AND true OPERATOR(pg_catalog.=) ({END $1}::pg_catalog.int4[] IS NULL))
++ physical=END($1) CELL('5') KEYS(-) TOKENS('1990-01-01'); described=$1:1082
== by id:20 of
   -> SELECT 1, "workers"."birth", "workers"."id" FROM "public"."workers" AS "workers" WHERE ("workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth at_least '1990-01-01' less $1}::pg_catalog.int4[] AND true OPERATOR(pg_catalog.=) ({END $1}::pg_catalog.int4[] IS NULL)) FOR NO KEY UPDATE
   ++ hidden=2; sifts workers.birth at 1 at_least '1990-01-01' less $1; physical=END($1) TOKENS('1990-01-01'); described=$1:1082
[full] DELETE FROM workers WHERE birth BETWEEN $1 AND $2 AND age < 30;
-> DELETE FROM "public".workers WHERE ("workers"."id" OPERATOR(pg_catalog.=) ANY ({KEYS -}::pg_catalog.int8[])) AND ( "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) ({TOKENS workers.birth at_least $1 at_most $2}::pg_catalog.int4[] OPERATOR(pg_catalog.||) {END $2}::pg_catalog.int4[]) OPERATOR(pg_catalog.=) true AND "workers"."fg_age_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.age less '30'::1700}::pg_catalog.int4[])
++ physical=TOKENS($1) END($2) KEYS(-) TOKENS('30'); described=$1:1082,$2:1082
== by id:20 of
   -> SELECT 1, "workers"."birth", "workers"."age", "workers"."id" FROM "public"."workers" AS "workers" WHERE ("workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) ({TOKENS workers.birth at_least $1 at_most $2}::pg_catalog.int4[] OPERATOR(pg_catalog.||) {END $2}::pg_catalog.int4[]) OPERATOR(pg_catalog.=) true AND "workers"."fg_age_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.age less '30'::1700}::pg_catalog.int4[]) FOR UPDATE
   ++ hidden=3; sifts workers.birth at 1 at_least $1 at_most $2; sifts workers.age at 2 less '30'::1700; physical=TOKENS($1) END($2) TOKENS('30'); described=$1:1082,$2:1082
[full] DELETE FROM members WHERE surname LIKE 'abc%' /* so */ AND id > 1 -- the end;
-> DELETE FROM "public".members WHERE ("members"."id" OPERATOR(pg_catalog.=) ANY ({KEYS -}::pg_catalog.int8[])) AND ( ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname 'abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) /* so */ AND id > 1) -- the end
== by id:20 of
   -> SELECT 1, "members"."surname", "members"."id" FROM "public"."members" AS "members" WHERE (("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname 'abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) /* so */ AND id > 1) FOR UPDATE
   ++ hidden=2; sifts members.surname at 1 like 'abc%'
[full] DELETE FROM members WHERE surname LIKE 'abc%' OR id = 1;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator ~~ stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] UPDATE members SET town = c.city FROM customers c WHERE c.id = members.customer_id AND members.surname LIKE 'abc%';
!! 0A000 rows can be written by a search of the sealed column "surname" (public.members.surname) only where a statement of its own names its table and nothing else; here it has FROM
   hint: Select the keys first, and write the rows by their keys.
[full] DELETE FROM members USING customers c WHERE c.id = members.customer_id AND members.surname LIKE 'abc%';
!! 0A000 rows can be written by a search of the sealed column "surname" (public.members.surname) only where a statement of its own names its table and nothing else; here it has USING
   hint: Select the keys first, and write the rows by their keys.
[full] DELETE FROM members WHERE surname LIKE 'abc%' AND customer_id IN (SELECT id FROM customers);
!! 0A000 rows can be written by a search of the sealed column "surname" (public.members.surname) only where a statement of its own names its table and nothing else; here it has a subquery
   hint: Select the keys first, and write the rows by their keys.
[full] UPDATE members SET town = (SELECT 'x') WHERE surname LIKE 'abc%';
!! 0A000 rows can be written by a search of the sealed column "surname" (public.members.surname) only where a statement of its own names its table and nothing else; here it has a subquery
   hint: Select the keys first, and write the rows by their keys.
[full] WITH w AS (SELECT 1) DELETE FROM members WHERE surname LIKE 'abc%';
!! 0A000 rows can be written by a search of the sealed column "surname" (public.members.surname) only where a statement of its own names its table and nothing else; here it has WITH
   hint: Select the keys first, and write the rows by their keys.
[full] WITH w AS (DELETE FROM members WHERE surname LIKE 'abc%' RETURNING id) SELECT id FROM w;
!! 0A000 rows can be written by a search of the sealed column "surname" (public.members.surname) only where a statement of its own names its table and nothing else; here the statement is part of another one, or explained
   hint: Select the keys first, and write the rows by their keys.
[full] UPDATE members SET town = random()::text WHERE surname LIKE 'abc%';
!! 0A000 the function random is not available beside a search of a sealed column: the server would call it for rows that are not found
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] DELETE FROM members WHERE surname LIKE 'abc%' AND random() < 0.5;
!! 0A000 the function random is not available beside a search of a sealed column: the server would call it for rows that are not found
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] EXPLAIN DELETE FROM members WHERE surname LIKE 'abc%';
!! 0A000 rows can be written by a search of the sealed column "surname" (public.members.surname) only where a statement of its own names its table and nothing else; here the statement is part of another one, or explained
   hint: Select the keys first, and write the rows by their keys.
[full] EXPLAIN ANALYZE UPDATE members SET town = 'x' WHERE surname LIKE 'abc%';
!! 0A000 rows can be written by a search of the sealed column "surname" (public.members.surname) only where a statement of its own names its table and nothing else; here the statement is part of another one, or explained
   hint: Select the keys first, and write the rows by their keys.
[full] PREPARE p AS DELETE FROM members WHERE surname LIKE $1;
!! 0A000 PREPARE of an UPDATE or DELETE by a search of a sealed column is not supported
   hint: Use the prepared statements of your driver, or write the rows by their keys.
[exporter] COPY (DELETE FROM members WHERE surname LIKE 'abc%' RETURNING id) TO STDOUT;
!! 0A000 COPY of DELETE is not supported over protected tables
   hint: Run the statement by itself, with RETURNING.
[full] DELETE FROM members WHERE CURRENT OF c;
!! 0A000 WHERE CURRENT OF is not supported over protected tables
   hint: Name the row by its key.
[full] DELETE FROM members WHERE remark LIKE 'abc%';
!! 0A000 the sealed column "remark" (public.members.remark) can not be searched by part: its data map entry has neither match nor prefix
   hint: Compare by =, or declare match or prefix for it before it is sealed.
[full] INSERT INTO members (id, surname) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET town = 'x' WHERE members.surname LIKE 'abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator ~~ stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] MERGE INTO members m USING (VALUES (1)) v(id) ON m.id = v.id WHEN MATCHED AND m.surname LIKE 'abc%' THEN DELETE;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator ~~ stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[client] UPDATE members SET town = 'x' WHERE surname LIKE 'abc%';
!! 0A000 this condition is not supported where you may change only some rows of the table
   hint: Compare columns with constants or parameters by =, <>, <, >, IN or IS NULL.
[reader] DELETE FROM members WHERE surname LIKE 'abc%';
!! 42501 permission denied: delete of rows of "public.members"
[support] UPDATE members SET town = 'x' WHERE surname LIKE 'abc%';
!! 42501 permission denied: update of column "public.members.town"
[full] UPDATE members SET town = fg_surname_tk WHERE surname LIKE 'abc%';
!! 42703 names beginning with fg_ are not available in statements over protected tables
