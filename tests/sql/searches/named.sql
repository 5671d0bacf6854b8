-- Searches by part and range under a name: PREPARE and DECLARE, and FETCH in all its forms.

[full] PREPARE p AS SELECT id FROM members WHERE surname LIKE $1 LIMIT $2;
-> PREPARE "p" (pg_catalog.unknown, pg_catalog.unknown) AS SELECT id, "members"."surname" FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) $1::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) LIMIT ($2::pg_catalog.int8)
++ effect=prepares p; kept hidden=1; kept sifts members.surname at 1 like $1; kept limit $2; kept physical=TOKENS($1) COUNT($2); kept described=$1:25,$2:20
[full] PREPARE p (text, int) AS SELECT id FROM members WHERE surname ILIKE $1 AND nick ^@ 'Ков' LIMIT $2;
-> PREPARE "p" (pg_catalog.unknown, pg_catalog.unknown, pg_catalog.unknown) AS SELECT id, "members"."surname", "members"."nick" FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) $1::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) AND ("members"."fg_nick_tk" OPERATOR(pg_catalog.@>) $3::pg_catalog.int4[] OR "members"."fg_nick_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) LIMIT ($2::pg_catalog.int8)
++ effect=prepares p; kept declared=25,23; kept hidden=2; kept sifts members.surname at 1 ilike $1; kept sifts members.nick at 2 starts 'Ков'; kept limit $2; kept lowering; kept physical=TOKENS($1) COUNT($2) TOKENS('Ков'); kept described=$1:25,$2:23
[full] PREPARE p (int) AS SELECT id FROM members WHERE surname LIKE $1;
!! 0A000 parameter $1 is declared with a type that can not be used for the sealed column "public.members.surname"
   hint: Declare it with the column's own type, or leave the types out.
[full] PREPARE p (text, numeric) AS SELECT id FROM members WHERE surname LIKE $1 LIMIT $2;
!! 0A000 parameter $2 is declared with a type that can not be used here
   hint: Declare it as bigint, or leave the types out.
[full] PREPARE p (date, unknown) AS SELECT id FROM workers WHERE birth BETWEEN $1 AND $2;
-> PREPARE "p" (pg_catalog.unknown, pg_catalog.unknown) AS SELECT id, "workers"."birth" FROM "public".workers WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) ($1::pg_catalog.int4[] OPERATOR(pg_catalog.||) $2::pg_catalog.int4[]) OPERATOR(pg_catalog.=) true
++ effect=prepares p; kept declared=1082,0; kept hidden=1; kept sifts workers.birth at 1 at_least $1 at_most $2; kept physical=TOKENS($1) END($2); kept described=$1:1082,$2:1082
[full] PREPARE p (timestamp) AS SELECT id FROM workers WHERE birth < $1;
-> PREPARE "p" (pg_catalog.unknown) AS SELECT id, "workers"."birth" FROM "public".workers WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) $1::pg_catalog.int4[]
++ effect=prepares p; kept declared=1114; kept hidden=1; kept sifts workers.birth at 1 less $1; kept physical=TOKENS($1); kept described=$1:1114
[full] PREPARE p (text) AS SELECT id FROM workers WHERE birth < $1;
!! 0A000 parameter $1 is declared with a type that can not be used for the sealed column "public.workers.birth"
   hint: Declare it with the column's own type, or leave the types out.
[full] PREPARE p AS SELECT id FROM members WHERE surname LIKE 'abc%' ORDER BY remark;
!! 0A000 PREPARE of an expression over a sealed column, or of ORDER BY, DISTINCT, min or max of one is not supported
   hint: Use the prepared statements of your driver.
[full] PREPARE "fieldgate reads" AS SELECT id FROM members WHERE surname LIKE 'abc%';
!! 42939 names that begin with "fieldgate " are reserved
[full] DECLARE "fieldgate refused this Bind" CURSOR FOR SELECT 1;
!! 42939 names that begin with "fieldgate " are reserved
[full] DECLARE c BINARY SCROLL CURSOR WITH HOLD FOR SELECT id, surname FROM members WHERE surname LIKE '%abc%' AND town = 'x' LIMIT 5;
-> DECLARE c BINARY SCROLL CURSOR WITH HOLD FOR SELECT id, surname FROM "public".members WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname '%abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[]) AND town = 'x' LIMIT (NULL)
++ effect=declares c; kept held; kept binary; kept id, surname=open(members.surname); kept sifts members.surname at 1 like '%abc%'; kept limit '5'
[full] DECLARE c CURSOR FOR SELECT id FROM workers WHERE birth > '1990-01-01' FOR UPDATE;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it has FOR UPDATE and its like
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] DECLARE c CURSOR FOR SELECT id, lower(surname) FROM members WHERE surname LIKE '%abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it shows or sorts by an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] DECLARE c CURSOR FOR SELECT id FROM members WHERE surname LIKE '%abc%' ORDER BY surname;
!! 0A000 the sealed column "surname" (public.members.surname) can not be used in ORDER BY
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[reader] DECLARE c CURSOR FOR SELECT id FROM members WHERE surname LIKE '%abc%';
!! 42501 permission denied: filter_range of column "public.members.surname"
[client] DECLARE c CURSOR FOR SELECT id FROM members WHERE surname LIKE '%abc%';
-> DECLARE c CURSOR FOR SELECT id, "members"."surname" FROM (SELECT "id", "customer_id", "town", "surname", "fg_surname_eq", "fg_surname_tk", "nick", "fg_nick_tk", "remark", "fg_remark_eq" FROM "public"."members" WHERE "members"."customer_id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "members" WHERE ("members"."fg_surname_tk" OPERATOR(pg_catalog.@>) {TOKENS members.surname '%abc%'}::pg_catalog.int4[] OR "members"."fg_surname_tk" OPERATOR(pg_catalog.@>) '{0}'::pg_catalog.int4[])
++ effect=declares c; kept hidden=1; kept sifts members.surname at 1 like '%abc%'
[full] FETCH FORWARD 3 FROM c;
-> FETCH FORWARD 3 FROM c
++ untouched; effect=runs_portal c; fetches 3
[full] FETCH BACKWARD ALL FROM c;
-> FETCH BACKWARD ALL FROM c
++ untouched; effect=runs_portal c
[full] MOVE ALL FROM c;
-> MOVE ALL FROM c
++ untouched; effect=runs_portal c; moves all
