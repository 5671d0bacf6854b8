-- Ranges: <, <=, >, >= and BETWEEN over columns with the tokens of spans.

[full] SELECT id, birth FROM workers WHERE birth >= '1990-01-01' AND birth < '1991-01-01';
-> SELECT id, birth FROM "public".workers WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth at_least '1990-01-01' less '1991-01-01'}::pg_catalog.int4[] AND true OPERATOR(pg_catalog.=) true
:: id, birth=open(workers.birth)
++ sifts workers.birth at 1 at_least '1990-01-01' less '1991-01-01'
[full] SELECT id FROM workers w WHERE '1990-01-01' <= w.birth AND $1 > w.birth AND id > $2;
-> SELECT id, "w"."birth" FROM "public".workers w WHERE {TOKENS workers.birth at_least '1990-01-01' less $1}::pg_catalog.int4[] OPERATOR(pg_catalog.&&) "w"."fg_birth_tk" AND ({END $1}::pg_catalog.int4[] IS NULL) OPERATOR(pg_catalog.=) true AND id > $2
++ hidden=1; sifts workers.birth at 1 at_least '1990-01-01' less $1; physical=END($1) PLAIN($2) TOKENS('1990-01-01'); described=$1:1082
[full] SELECT id FROM workers WHERE birth BETWEEN $1 AND $2;
-> SELECT id, "workers"."birth" FROM "public".workers WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) ({TOKENS workers.birth at_least $1 at_most $2}::pg_catalog.int4[] OPERATOR(pg_catalog.||) {END $2}::pg_catalog.int4[]) OPERATOR(pg_catalog.=) true
++ hidden=1; sifts workers.birth at 1 at_least $1 at_most $2; physical=TOKENS($1) END($2); described=$1:1082,$2:1082
[full] SELECT id FROM workers WHERE birth BETWEEN SYMMETRIC $1 AND '1990-01-01' AND birth > $3::date AND id = 5;
-> SELECT id, "workers"."birth" FROM "public".workers WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth either $1 either '1990-01-01' more $3}::pg_catalog.int4[] OPERATOR(pg_catalog.=) true AND true OPERATOR(pg_catalog.=) ({END $3}::pg_catalog.int4[] IS NULL)::pg_catalog.bool AND id = 5
++ hidden=1; sifts workers.birth at 1 either $1 either '1990-01-01' more $3; physical=TOKENS($1) PLAIN($2) END($3); described=$1:1082,$3:1082
[full] SELECT id FROM workers WHERE (birth) BETWEEN (DATE '1990-01-01') AND ($1::date) AND (age < 30 AND age >= '18');
-> SELECT id, "workers"."birth", "workers"."age" FROM "public".workers WHERE ("workers"."fg_birth_tk") OPERATOR(pg_catalog.&&) ( ({TOKENS workers.birth at_least '1990-01-01' at_most $1}::pg_catalog.int4[] OPERATOR(pg_catalog.||) {END $1}::pg_catalog.int4[])) OPERATOR(pg_catalog.=) (true::pg_catalog.bool) AND ("workers"."fg_age_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.age less '30'::1700 at_least '18'}::pg_catalog.int4[] AND true OPERATOR(pg_catalog.=) true)
++ hidden=2; sifts workers.birth at 1 at_least '1990-01-01' at_most $1; sifts workers.age at 2 less '30'::1700 at_least '18'; physical=END($1) TOKENS('1990-01-01') TOKENS('30'); described=$1:1082
[full] SELECT id FROM workers WHERE birth > $1 AND birth BETWEEN $1 AND $2 LIMIT 3;
-> SELECT id, "workers"."birth" FROM "public".workers WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth more $1 at_least $1 at_most $2}::pg_catalog.int4[] AND true OPERATOR(pg_catalog.=) ({END $1}::pg_catalog.int4[] IS NULL) OPERATOR(pg_catalog.=) ({END $2}::pg_catalog.int4[] IS NULL) LIMIT (NULL)
++ hidden=1; sifts workers.birth at 1 more $1 at_least $1 at_most $2; limit '3'; physical=TOKENS($1) END($2) END($1); described=$1:1082,$2:1082
[full] SELECT id FROM workers WHERE birth::date < CAST('1990-01-01' AS date) AND birth::date > CAST($1 AS timestamp);
-> SELECT id, "workers"."birth" FROM "public".workers WHERE "workers"."fg_birth_tk"::pg_catalog.int4[] OPERATOR(pg_catalog.&&) CAST({TOKENS workers.birth less '1990-01-01' more $1::1114}::pg_catalog.int4[] AS pg_catalog.int4[]) AND true::pg_catalog.bool OPERATOR(pg_catalog.=) CAST(({END $1}::pg_catalog.int4[] IS NULL) AS pg_catalog.bool)
++ hidden=1; sifts workers.birth at 1 less '1990-01-01' more $1::1114; physical=END($1) TOKENS('1990-01-01'); described=$1:1114
[full] SELECT id FROM workers WHERE birth < timestamp '1990-01-01 12:00' AND seen >= '1990-01-01'::date AND left_at <= date 'infinity';
-> SELECT id, "workers"."birth", "workers"."seen", "workers"."left_at" FROM "public".workers WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&)  {TOKENS workers.birth less '1990-01-01 12:00'::1114}::pg_catalog.int4[] AND "workers"."fg_seen_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.seen at_least '1990-01-01'::1082}::pg_catalog.int4[]::pg_catalog.int4[] AND "workers"."fg_left_at_tk" OPERATOR(pg_catalog.&&)  {TOKENS workers.left_at at_most 'infinity'::1082}::pg_catalog.int4[]
++ hidden=3; sifts workers.birth at 1 less '1990-01-01 12:00'::1114; sifts workers.seen at 2 at_least '1990-01-01'::1082; sifts workers.left_at at 3 at_most 'infinity'::1082
[full] SELECT id FROM workers WHERE pay BETWEEN -5 AND 1e3 AND pay < 99999999999999999999999 AND age > 2.5 AND age < $1::numeric;
-> SELECT id, "workers"."pay", "workers"."age" FROM "public".workers WHERE "workers"."fg_pay_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.pay at_least '-5' at_most '1e3' less '99999999999999999999999'}::pg_catalog.int4[] OPERATOR(pg_catalog.=) true AND true OPERATOR(pg_catalog.=) true AND "workers"."fg_age_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.age more '2.5'::1700 less $1::1700}::pg_catalog.int4[] AND true OPERATOR(pg_catalog.=) ({END $1}::pg_catalog.int4[] IS NULL)::pg_catalog.bool
++ hidden=2; sifts workers.pay at 1 at_least '-5' at_most '1e3' less '99999999999999999999999'; sifts workers.age at 2 more '2.5'::1700 less $1::1700; physical=END($1) TOKENS('-5') TOKENS('2.5'); described=$1:1700
[full] SELECT id FROM workers WHERE birth < NULL AND birth > NULL::date;
-> SELECT id, "workers"."birth" FROM "public".workers WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth less NULL more NULL}::pg_catalog.int4[] AND true OPERATOR(pg_catalog.=) true::pg_catalog.bool
++ hidden=1; sifts workers.birth at 1 less NULL more NULL
[full] SELECT id FROM workers WHERE seen > $1 AND seen = $1;
-> SELECT id, "workers"."seen" FROM "public".workers WHERE "workers"."fg_seen_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.seen more $1}::pg_catalog.int4[] AND "workers"."fg_seen_eq" = {TERM workers.seen $1}::pg_catalog.bytea
++ hidden=1; sifts workers.seen at 1 more $1; physical=TOKENS($1) TERM($1); described=$1:1184
[full] SELECT id FROM workers WHERE birth > $1 AND ($1 IS NULL OR id = 1);
-> SELECT id, "workers"."birth" FROM "public".workers WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth more $1}::pg_catalog.int4[] AND ($1::pg_catalog.date IS NULL OR id = 1)
++ hidden=1; sifts workers.birth at 1 more $1; physical=PLAIN($1) TOKENS($1)
[full] SELECT c.id, w.birth FROM customers c JOIN workers w ON w.customer_id = c.id WHERE w.birth < $1 AND c.email = $2 ORDER BY w.id LIMIT $3;
-> SELECT c.id, w.birth FROM "public".customers c JOIN "public".workers w ON w.customer_id = c.id WHERE "w"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth less $1}::pg_catalog.int4[] AND "c"."fg_email_eq" = {TERM customers.email $2}::pg_catalog.bytea ORDER BY w.id LIMIT ({COUNT $3}::pg_catalog.int8)
:: id, birth=open(workers.birth)
++ sifts workers.birth at 1 less $1; limit $3; physical=TOKENS($1) TERM($2) COUNT($3); described=$1:1082,$2:25,$3:20
[full] SELECT id FROM (SELECT id, birth FROM workers) s WHERE s.birth < $1;
-> SELECT id, "s"."birth" FROM (SELECT id, birth, "workers"."fg_birth_tk" AS "fg_1" FROM "public".workers) s WHERE "s"."fg_1" OPERATOR(pg_catalog.&&) {TOKENS workers.birth less $1}::pg_catalog.int4[]
++ hidden=1; sifts workers.birth at 1 less $1; physical=TOKENS($1); described=$1:1082
[full] SELECT a.id FROM workers a, workers b WHERE a.birth < $1 AND b.birth > $2 AND a.id = b.id;
-> SELECT a.id, "a"."birth", "b"."birth" FROM "public".workers a, "public".workers b WHERE "a"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth less $1}::pg_catalog.int4[] AND "b"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth more $2}::pg_catalog.int4[] AND a.id = b.id
++ hidden=2; sifts workers.birth at 1 less $1; sifts workers.birth at 2 more $2; physical=TOKENS($1) TOKENS($2); described=$1:1082,$2:1082
[client] SELECT id FROM workers WHERE birth < $1 AND birth >= $2;
-> SELECT id, "workers"."birth" FROM (SELECT "id", "customer_id", "birth", "fg_birth_tk", "seen", "fg_seen_eq", "fg_seen_tk", "left_at", "fg_left_at_tk", "age", "fg_age_eq", "fg_age_tk", "pay", "fg_pay_tk", "hired" FROM "public"."workers" WHERE "workers"."customer_id" OPERATOR(pg_catalog.=) {PRINCIPAL subject}::pg_catalog.text::bigint OFFSET 0) AS "workers" WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth less $1 at_least $2}::pg_catalog.int4[] AND true OPERATOR(pg_catalog.=) ({END $2}::pg_catalog.int4[] IS NULL)
++ hidden=1; sifts workers.birth at 1 less $1 at_least $2; physical=TOKENS($1) END($2) PRINCIPAL(-); described=$1:1082,$2:1082
[full] EXPLAIN SELECT id FROM workers WHERE birth < '1990-01-01';
-> EXPLAIN SELECT id, "workers"."birth" FROM "public".workers WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth less '1990-01-01'}::pg_catalog.int4[]
[full] SELECT id FROM workers WHERE birth OPERATOR(pg_catalog.<) $1;
!! 0A000 a part of the statement that would have to be rewritten can not be located exactly
[support] SELECT id FROM workers WHERE birth < '1990-01-01';
!! 42501 permission denied: filter_range of column "public.workers.birth"
[support] SELECT id FROM workers WHERE age BETWEEN 20 AND 30;
-> SELECT id, "workers"."age" FROM "public".workers WHERE "workers"."fg_age_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.age at_least '20'::1700 at_most '30'::1700}::pg_catalog.int4[] OPERATOR(pg_catalog.=) true
++ hidden=1; sifts workers.age at 1 at_least '20'::1700 at_most '30'::1700
[reader] SELECT id FROM workers WHERE '1990-01-01' > birth;
!! 42501 permission denied: filter_range of column "public.workers.birth"
[full] SELECT id FROM workers WHERE birth NOT BETWEEN $1 AND $2;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator NOT BETWEEN stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM workers WHERE NOT birth < $1;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator < stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM workers WHERE birth < $1 OR id = 1;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator < stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM workers WHERE (birth < $1) IS TRUE;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator < stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM workers WHERE birth < ALL (ARRAY[$1::date]);
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator < stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM workers WHERE (birth, age) < ($1, $2);
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator < stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT count(*) FROM workers WHERE birth < $1;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it shows or sorts by an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT min(birth) FROM workers;
-> SELECT "workers"."birth" AS "min" FROM "public".workers
:: min=birth@0 -> 1082
++ folds min(birth@0)
[full] SELECT id FROM workers WHERE birth < $1 FOR UPDATE;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it has FOR UPDATE and its like
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM workers WHERE birth < $1 UNION ALL SELECT 1;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the SELECT is part of another statement
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT DISTINCT id FROM workers WHERE birth < $1;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it has DISTINCT
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM workers WHERE birth < $1 ORDER BY birth;
-> SELECT id, "workers"."birth", ("workers"."birth") FROM "public".workers WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth less $1}::pg_catalog.int4[]
++ hidden=2; sifts workers.birth at 1 less $1; orders by birth@2; physical=TOKENS($1); described=$1:1082
[full] SELECT id, (SELECT max(id) FROM workers WHERE birth < $1) FROM workers;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the SELECT is part of another statement
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM customers WHERE EXISTS (SELECT FROM workers w WHERE w.customer_id = customers.id AND w.birth < $1);
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the SELECT is part of another statement
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT w.id FROM customers c JOIN workers w ON w.birth < $1;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator < stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] UPDATE workers SET age = 3 WHERE birth < $1;
-> UPDATE "public".workers SET age = {CELL workers.age '3'}::pg_catalog.bytea WHERE ("workers"."id" OPERATOR(pg_catalog.=) ANY ({KEYS -}::pg_catalog.int8[])) AND ( "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth less $1}::pg_catalog.int4[])
++ physical=TOKENS($1) CELL('3') KEYS(-); described=$1:1082
== by id:20 of
   -> SELECT 1, "workers"."birth", "workers"."id" FROM "public"."workers" AS "workers" WHERE ("workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth less $1}::pg_catalog.int4[]) FOR NO KEY UPDATE
   ++ hidden=2; sifts workers.birth at 1 less $1; physical=TOKENS($1); described=$1:1082
[full] DELETE FROM workers WHERE birth BETWEEN $1 AND $2;
-> DELETE FROM "public".workers WHERE ("workers"."id" OPERATOR(pg_catalog.=) ANY ({KEYS -}::pg_catalog.int8[])) AND ( "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) ({TOKENS workers.birth at_least $1 at_most $2}::pg_catalog.int4[] OPERATOR(pg_catalog.||) {END $2}::pg_catalog.int4[]) OPERATOR(pg_catalog.=) true)
++ physical=TOKENS($1) END($2) KEYS(-); described=$1:1082,$2:1082
== by id:20 of
   -> SELECT 1, "workers"."birth", "workers"."id" FROM "public"."workers" AS "workers" WHERE ("workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) ({TOKENS workers.birth at_least $1 at_most $2}::pg_catalog.int4[] OPERATOR(pg_catalog.||) {END $2}::pg_catalog.int4[]) OPERATOR(pg_catalog.=) true) FOR UPDATE
   ++ hidden=2; sifts workers.birth at 1 at_least $1 at_most $2; physical=TOKENS($1) END($2); described=$1:1082,$2:1082
[full] DELETE FROM workers WHERE age < 18;
-> DELETE FROM "public".workers WHERE ("workers"."id" OPERATOR(pg_catalog.=) ANY ({KEYS -}::pg_catalog.int8[])) AND ( "workers"."fg_age_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.age less '18'::1700}::pg_catalog.int4[])
== by id:20 of
   -> SELECT 1, "workers"."age", "workers"."id" FROM "public"."workers" AS "workers" WHERE ("workers"."fg_age_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.age less '18'::1700}::pg_catalog.int4[]) FOR UPDATE
   ++ hidden=2; sifts workers.age at 1 less '18'::1700
[full] INSERT INTO notes (id) SELECT id FROM workers WHERE birth < $1;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the SELECT is part of another statement
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] MERGE INTO workers w USING (VALUES (1)) s (id) ON w.id = s.id AND w.birth < $1 WHEN MATCHED THEN DELETE;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator < stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] PREPARE p AS SELECT id FROM workers WHERE birth < $1;
-> PREPARE "p" (pg_catalog.unknown) AS SELECT id, "workers"."birth" FROM "public".workers WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) $1::pg_catalog.int4[]
++ effect=prepares p; kept hidden=1; kept sifts workers.birth at 1 less $1; kept physical=TOKENS($1); kept described=$1:1082
[full] DECLARE c CURSOR FOR SELECT id FROM workers WHERE birth < '1990-01-01';
-> DECLARE c CURSOR FOR SELECT id, "workers"."birth" FROM "public".workers WHERE "workers"."fg_birth_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.birth less '1990-01-01'}::pg_catalog.int4[]
++ effect=declares c; kept hidden=1; kept sifts workers.birth at 1 less '1990-01-01'
[exporter] COPY (SELECT id FROM workers WHERE birth < '1990-01-01') TO STDOUT;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the SELECT is part of another statement
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM workers WHERE birth < hired;
!! 0A000 the sealed column "public.workers.birth" is compared with something that is neither a constant nor a parameter
   hint: Work the value out first, and send it as a constant or as a parameter.
[full] SELECT id FROM workers WHERE birth < now();
!! 0A000 the sealed column "public.workers.birth" is compared with something that is neither a constant nor a parameter
   hint: Work the value out first, and send it as a constant or as a parameter.
[full] SELECT id FROM workers WHERE birth < current_date - 18 * 365;
!! 0A000 the sealed column "public.workers.birth" is compared with something that is neither a constant nor a parameter
   hint: Work the value out first, and send it as a constant or as a parameter.
[full] SELECT id FROM workers WHERE birth < '1990-01-01'::timestamptz;
!! 0A000 the sealed column "public.workers.birth" is compared with a value of another type than its own
   hint: Leave casts out, or cast to date without modifiers.
[full] SELECT id FROM workers WHERE left_at < timestamptz '1990-01-01';
!! 0A000 the sealed column "public.workers.left_at" is compared with a value of another type than its own
   hint: Leave casts out, or cast to timestamp without modifiers.
[full] SELECT id FROM workers WHERE birth::timestamp < '1990-01-01';
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the column is cast to another type, grouped, or not that of a table
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM workers WHERE seen < '1990-01-01'::timestamptz(0);
!! 0A000 the sealed column "public.workers.seen" is compared with a value of another type than its own
   hint: Leave casts out, or cast to timestamptz without modifiers.
[full] SELECT id FROM workers WHERE birth < 5;
!! 0A000 the sealed column "public.workers.birth" is compared with a value of another type than its own
   hint: Leave casts out, or cast to date without modifiers.
[full] SELECT id FROM workers WHERE age < 5.5::int4;
!! 0A000 a number that is cast is compared with the sealed column "public.workers.age"
   hint: Leave the cast out, or write the number as it is meant.
[full] SELECT id FROM workers WHERE age < 5::float8;
!! 0A000 the sealed column "public.workers.age" is compared with a value of another type than its own
   hint: Leave casts out, or cast to int4 without modifiers.
[full] SELECT id FROM workers WHERE age < true;
!! 42883 a constant of another type is compared with column "public.workers.age"
[full] SELECT id FROM workers WHERE age < ARRAY[1];
!! 0A000 the sealed column "public.workers.age" is compared with something that is neither a constant nor a parameter
   hint: Work the value out first, and send it as a constant or as a parameter.
[full] SELECT id FROM workers WHERE birth < $1::text::date;
!! 0A000 the sealed column "public.workers.birth" is compared with a value of another type than its own
   hint: Leave casts out, or cast to date without modifiers.
[full] SELECT id FROM workers WHERE birth < $1 AND left_at < $1;
!! 42804 inconsistent types deduced for parameter $1
[full] SELECT id FROM workers WHERE extract(year FROM birth) < 1990;
!! 0A000 the sealed column "birth" (public.workers.birth) can not be used in the function extract
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM workers WHERE birth + 1 < $1;
!! 0A000 the sealed column "birth" (public.workers.birth) can not be used in the operator +
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT id FROM workers WHERE hired < $1;
!! 0A000 the sealed column "hired" (public.workers.hired) can not be searched by range: its data map entry has no range
   hint: Compare by =, or declare range for it before it is sealed.
[full] SELECT id FROM workers WHERE hired BETWEEN $1 AND $2;
!! 0A000 the sealed column "hired" (public.workers.hired) can not be searched by range: its data map entry has no range
   hint: Compare by =, or declare range for it before it is sealed.
[full] SELECT id FROM workers WHERE birth = $1;
!! 0A000 the sealed column "public.workers.birth" can not be searched: its data map entry has no equality
   hint: Declare equality for it in the data map, or select it and compare in the application.
[full] SELECT id FROM workers WHERE birth LIKE '1990%';
!! 0A000 the sealed column "birth" (public.workers.birth) can not be searched by part: its data map entry has neither match nor prefix
   hint: Compare by =, or declare match or prefix for it before it is sealed.
[full] SELECT id FROM workers WHERE birth < $1 AND random() > 0.5;
!! 0A000 the function random is not available beside a search of a sealed column: the server would call it for rows that are not found
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT id FROM workers WHERE age < $1 LIMIT $1;
!! 42804 inconsistent types deduced for parameter $1
[full] SELECT birth < $1 FROM workers;
!! 0A000 the sealed column "birth" (public.workers.birth) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here the operator < stands in an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[support] SELECT * FROM workers WHERE age BETWEEN 20 AND 30;
-> SELECT "workers"."id", CAST(NULL AS bigint) AS "customer_id", "workers"."birth", CAST(NULL AS pg_catalog.timestamptz) AS "seen", CAST(NULL AS pg_catalog.timestamp) AS "left_at", CAST(NULL AS pg_catalog.int4) AS "age", CAST(NULL AS pg_catalog.numeric) AS "pay", CAST(NULL AS pg_catalog.date) AS "hired", "workers"."age" FROM "public".workers WHERE "workers"."fg_age_tk" OPERATOR(pg_catalog.&&) {TOKENS workers.age at_least '20'::1700 at_most '30'::1700}::pg_catalog.int4[] OPERATOR(pg_catalog.=) true
:: id, customer_id, birth=open(workers.birth), seen, left_at, age, pay, hired
++ hidden=1; sifts workers.age at 8 at_least '20'::1700 at_most '30'::1700
[support] SELECT id, age FROM workers WHERE age BETWEEN 20 AND 30;
!! 42501 permission denied: read of column "public.workers.age"
[full] SELECT age, age AS again, w.age::int4 FROM workers w WHERE age < 30 AND birth > $1;
!! 0A000 the sealed column "age" (public.workers.age) can be searched by range only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it shows or sorts by an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
[full] SELECT lower(surname), surname FROM members WHERE surname LIKE '%abc%';
!! 0A000 the sealed column "surname" (public.members.surname) can be searched by part only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here it shows or sorts by an expression
   hint: Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds.
