-- Search by part: LIKE, ILIKE and ^@ over columns with search tokens.

[full] SELECT id, surname FROM members WHERE surname LIKE '%овальч%';
-> SELECT id, surname FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname '%овальч%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])
:: id, surname=open(members.surname)
++ sifts members.surname at 1 like '%овальч%'
[full] SELECT * FROM members WHERE surname ILIKE $1;
-> SELECT "members"."id", "members"."customer_id", "members"."town", "members"."surname", "members"."nick", "members"."remark" FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname $1}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])
:: id, customer_id, town, surname=open(members.surname), nick=open(members.nick), remark=open(members.remark)
++ sifts members.surname at 3 ilike $1; lowering; physical=TOKENS($1); described=$1:25
[full] SELECT id FROM members m WHERE m.surname ~~* $1::text AND town = $2 AND nick ~~ 'Ко%' ORDER BY id LIMIT 10 OFFSET 5;
-> SELECT id, "m"."surname", "m"."nick" FROM "public".members m WHERE ("m"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname $1}::pg_catalog.int4[] OR "m"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) AND town = $2 AND ("m"."fg_nick_tk" OPERATOR(pg_catalog.@>) {TOKENS members.nick 'Ко%'}::pg_catalog.int4[] OR "m"."fg_nick_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) ORDER BY id LIMIT (NULL) OFFSET (NULL)
++ hidden=2; sifts members.surname at 1 ilike $1; sifts members.nick at 2 like 'Ко%'; limit '10'; offset '5'; lowering; physical=TOKENS($1) PLAIN($2) TOKENS('Ко%'); described=$1:25
[full] SELECT id FROM members WHERE nick ^@ 'Ков' FETCH FIRST 3 ROWS ONLY;
-> SELECT id, "members"."nick" FROM "public".members WHERE ("members"."fg_nick_tk" OPERATOR(pg_catalog.@>) {TOKENS members.nick 'Ков'}::pg_catalog.int4[] OR "members"."fg_nick_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) FETCH FIRST (NULL) ROWS ONLY
++ hidden=1; sifts members.nick at 1 starts 'Ков'; limit '3'
[full] SELECT id FROM members WHERE surname LIKE $1 LIMIT $2 OFFSET $3::bigint;
-> SELECT id, "members"."surname" FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname $1}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) LIMIT ({COUNT $2}::pg_catalog.int8) OFFSET ({COUNT $3}::pg_catalog.int8)::bigint
++ hidden=1; sifts members.surname at 1 like $1; limit $2; offset $3; physical=TOKENS($1) COUNT($2) COUNT($3); described=$1:25,$2:20,$3:20
[full] SELECT id FROM members WHERE surname LIKE $1 AND id > $2 LIMIT $2;
-> SELECT id, "members"."surname" FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname $1}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) AND id > $2::pg_catalog.int8 LIMIT ({COUNT $2}::pg_catalog.int8)
++ hidden=1; sifts members.surname at 1 like $1; limit $2; physical=TOKENS($1) PLAIN($2) COUNT($2); described=$1:25
[full] SELECT id FROM members WHERE surname LIKE $1 AND surname = $1;
-> SELECT id, "members"."surname" FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname $1}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) AND "members"."fg_surname_eq" = {TERM members.surname $1}::pg_catalog.bytea
++ hidden=1; sifts members.surname at 1 like $1; physical=TOKENS($1) TERM($1); described=$1:25
[full] SELECT id FROM members WHERE surname LIKE '%abc%' AND surname LIKE '%abd%';
-> SELECT id, "members"."surname" FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname '%abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) AND ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname '%abd%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])
++ hidden=1; sifts members.surname at 1 like '%abc%'; sifts members.surname at 1 like '%abd%'
[full] SELECT id FROM members WHERE surname LIKE NULL;
-> SELECT id, "members"."surname" FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname NULL}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])
++ hidden=1; sifts members.surname at 1 like NULL
[full] SELECT id FROM members WHERE surname LIKE E'a\\_b%' AND (town = 'x' OR town = 'y') LIMIT ALL;
-> SELECT id, "members"."surname" FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname 'a\\_b%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) AND (town = 'x' OR town = 'y') LIMIT ALL
++ hidden=1; sifts members.surname at 1 like 'a\\_b%'
[full] SELECT s.id, s.nick FROM (SELECT id, surname, nick FROM members) s WHERE s.surname LIKE '%abc%';
-> SELECT s.id, s.nick, "s"."surname" FROM (SELECT id, surname, nick, "members"."fg_surname_tk" AS "fg_1" FROM "public".members) s WHERE ("s"."fg_1" OPERATOR(pg_catalog.@>) {TOKENS members.surname '%abc%'}::pg_catalog.int4[] OR "s"."fg_1" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])
:: id, nick=open(members.nick)
++ hidden=1; sifts members.surname at 2 like '%abc%'
[full] WITH m AS (SELECT id, surname FROM members) SELECT id FROM m WHERE surname LIKE 'ab%';
-> WITH m AS (SELECT id, surname, "members"."fg_surname_tk" AS "fg_1" FROM "public".members) SELECT id, "m"."surname" FROM m WHERE ("m"."fg_1" OPERATOR(pg_catalog.@>) {TOKENS members.surname 'ab%'}::pg_catalog.int4[] OR "m"."fg_1" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])
++ hidden=1; sifts members.surname at 1 like 'ab%'
[full] SELECT c.email, m.id FROM customers c JOIN members m ON m.customer_id = c.id WHERE m.surname LIKE '%abc%' ORDER BY c.id DESC;
-> SELECT c.email, m.id, "m"."surname" FROM "public".customers c JOIN "public".members m ON m.customer_id = c.id WHERE ("m"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname '%abc%'}::pg_catalog.int4[] OR "m"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) ORDER BY c.id DESC
:: email=open(customers.email), id
++ hidden=1; sifts members.surname at 2 like '%abc%'
[full] SELECT c.id, m.id FROM customers c LEFT JOIN members m ON m.customer_id = c.id WHERE m.surname LIKE '%abc%';
-> SELECT c.id, m.id, "m"."surname" FROM "public".customers c LEFT JOIN "public".members m ON m.customer_id = c.id WHERE ("m"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname '%abc%'}::pg_catalog.int4[] OR "m"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])
++ hidden=1; sifts members.surname at 2 like '%abc%'
[full] EXPLAIN SELECT id FROM members WHERE surname LIKE '%abc%' LIMIT 5;
-> EXPLAIN SELECT id, "members"."surname" FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname '%abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) LIMIT (NULL)
[client] SELECT id FROM members WHERE surname LIKE '%abc%';
-> SELECT id, "members"."surname" FROM (SELECT "id", "customer_id", "town", "surname", "fg_surname_eq", "fg_surname_tk", "nick", "fg_nick_tk", "remark", "fg_remark_eq" FROM "public"."members" WHERE "members"."customer_id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "members" WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname '%abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])
++ hidden=1; sifts members.surname at 1 like '%abc%'
[support] SELECT id FROM members WHERE nick LIKE 'abc%';
-> SELECT id, "members"."nick" FROM "public".members WHERE ("members"."fg_nick_tk" OPERATOR(pg_catalog.@>) {TOKENS members.nick 'abc%'}::pg_catalog.int4[] OR "members"."fg_nick_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])
++ hidden=1; sifts members.nick at 1 like 'abc%'
[support] SELECT id FROM members WHERE surname LIKE 'abc%';
!! 42501 permission denied: filter_range of column "public.members.surname"
[reader] SELECT id FROM members WHERE surname LIKE 'abc%';
!! 42501 permission denied: filter_range of column "public.members.surname"
[full] SELECT id FROM members WHERE remark LIKE 'abc%';
!! 0A000 the sealed column "remark" (public.members.remark) can not be searched by part: its data map entry has neither match nor prefix
   hint: Compare by =, or declare match or prefix for it before it is sealed.
[full] SELECT id FROM members WHERE remark NOT LIKE 'abc%';
!! 0A000 the sealed column "remark" (public.members.remark) can not be searched by part: its data map entry has neither match nor prefix
   hint: Compare by =, or declare match or prefix for it before it is sealed.
[full] SELECT id FROM members WHERE surname NOT LIKE 'abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator !~~ stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM members WHERE NOT surname LIKE 'abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator ~~ stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM members WHERE surname LIKE 'abc%' OR id = 1;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator ~~ stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM members WHERE (surname LIKE 'abc%') IS TRUE;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator ~~ stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT count(*) FROM members WHERE surname LIKE 'abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it shows or sorts by an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT count(*) OVER () FROM members WHERE surname LIKE 'abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it shows or sorts by an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT DISTINCT town FROM members WHERE surname LIKE 'abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it has DISTINCT
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT town FROM members WHERE surname LIKE 'abc%' GROUP BY town;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it has GROUP BY
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM members WHERE surname LIKE 'abc%' FOR UPDATE;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it has FOR UPDATE and its like
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM members WHERE surname LIKE 'abc%' UNION SELECT 1;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the SELECT is part of another statement
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM members WHERE surname LIKE 'abc%' ORDER BY id FETCH FIRST 3 ROWS WITH TIES;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it has WITH TIES
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id, 1 / id FROM members WHERE surname LIKE 'abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it shows or sorts by an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM members WHERE surname LIKE 'abc%' ORDER BY 1 / id;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it shows or sorts by an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM members WHERE surname LIKE 'abc%' AND random() > 0.5;
!! 0A000 the function random is not available beside a search of a sealed column: the server would call it for rows that are not found
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM members WHERE surname LIKE 'abc%' LIMIT 1 + 1;
!! 0A000 LIMIT beside a search of a sealed column is a whole number or a parameter
   hint: Work its value out first.
[full] SELECT id FROM members WHERE surname LIKE '%' || $1;
!! 0A000 the pattern for the sealed column "public.members.surname" is neither a constant nor a parameter
   hint: Put % and _ into the value itself, and escape by a backslash.
[full] SELECT id FROM members WHERE surname LIKE 'a!%' ESCAPE '!';
!! 0A000 the pattern for the sealed column "public.members.surname" is neither a constant nor a parameter
   hint: Put % and _ into the value itself, and escape by a backslash.
[full] SELECT id FROM members WHERE (surname) LIKE 'abc%';
!! 0A000 a search of a sealed column is written as: column, LIKE, pattern
   hint: Leave out brackets, ESCAPE, UESCAPE and casts in front.
[full] SELECT id FROM members WHERE surname LIKE ('abc%');
!! 0A000 a search of a sealed column is written as: column, LIKE, pattern
   hint: Leave out brackets, ESCAPE, UESCAPE and casts in front.
[full] SELECT id FROM members WHERE surname::text LIKE 'abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the column is cast, grouped, or not that of a table
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM members WHERE surname COLLATE "C" LIKE 'abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can not be used in COLLATE
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM members WHERE surname LIKE town;
!! 0A000 the pattern for the sealed column "public.members.surname" is neither a constant nor a parameter
   hint: Put % and _ into the value itself, and escape by a backslash.
[full] SELECT id FROM members WHERE surname LIKE ANY (ARRAY['abc%', 'abd%']);
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator ~~ stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM members WHERE surname SIMILAR TO 'abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can not be used in the operator ~
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM members WHERE 'abc%' LIKE surname;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator ~~ stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM members WHERE lower(surname) LIKE 'abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can not be used in the function lower
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id, (SELECT max(id) FROM members WHERE surname LIKE 'abc%') FROM members;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the SELECT is part of another statement
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM customers WHERE id IN (SELECT customer_id FROM members WHERE surname LIKE 'abc%');
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the SELECT is part of another statement
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM (SELECT id FROM members WHERE surname LIKE 'abc%') s;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the SELECT is part of another statement
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT m.id FROM customers c JOIN members m ON m.surname LIKE 'abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator ~~ stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT surname LIKE 'abc%' FROM members;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator ~~ stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] UPDATE members SET town = 'x' WHERE surname LIKE 'abc%';
-> UPDATE "public".members SET town = 'x' WHERE ("members"."id" OPERATOR(pg_catalog.=) ANY ({KEYS -}::pg_catalog.int8[])) AND ( ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname 'abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]))
== by id:20 of
   -> SELECT 1, "members"."surname", "members"."id" FROM "public"."members" AS "members" WHERE (("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname 'abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])) FOR NO KEY UPDATE
   ++ hidden=2; sifts members.surname at 1 like 'abc%'
[full] DELETE FROM members WHERE surname LIKE 'abc%';
-> DELETE FROM "public".members WHERE ("members"."id" OPERATOR(pg_catalog.=) ANY ({KEYS -}::pg_catalog.int8[])) AND ( ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname 'abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]))
== by id:20 of
   -> SELECT 1, "members"."surname", "members"."id" FROM "public"."members" AS "members" WHERE (("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname 'abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])) FOR UPDATE
   ++ hidden=2; sifts members.surname at 1 like 'abc%'
[full] INSERT INTO notes (id) SELECT id FROM members WHERE surname LIKE 'abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the SELECT is part of another statement
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] PREPARE p AS SELECT id FROM members WHERE surname LIKE 'abc%';
-> PREPARE "p" (pg_catalog.unknown) AS SELECT id, "members"."surname" FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) $1::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])
++ effect=prepares p; kept hidden=1; kept sifts members.surname at 1 like 'abc%'
[full] DECLARE c CURSOR FOR SELECT id FROM members WHERE surname LIKE 'abc%';
-> DECLARE c CURSOR FOR SELECT id, "members"."surname" FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname 'abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])
++ effect=declares c; kept hidden=1; kept sifts members.surname at 1 like 'abc%'
[exporter] COPY (SELECT id FROM members WHERE surname LIKE 'abc%') TO STDOUT;
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the SELECT is part of another statement
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT FROM members WHERE surname LIKE 'abc%';
!! 0A000 a search of a sealed column needs a SELECT that shows some column
   hint: Show the key.
