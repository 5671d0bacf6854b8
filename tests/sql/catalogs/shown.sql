# The server's own catalogs: what stands in their places.  The structure is that of tests/sql/test_system_catalogs.py.

[none] SELECT attname FROM pg_attribute;
-> SELECT attname FROM (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) AS "pg_attribute"
++ untouched
[none] SELECT a.attname FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = $1 AND a.attnum > 0;
-> SELECT a.attname FROM (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) AS a WHERE a.attrelid = $1 AND a.attnum > 0
++ untouched
[none] SELECT pg_catalog.pg_attribute.attname, pg_catalog.pg_attribute.* FROM pg_catalog.pg_attribute;
-> SELECT "pg_attribute"."attname", "pg_attribute".* FROM (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) AS "pg_attribute"
++ untouched
[none] SELECT * FROM pg_class c, pg_attribute a (r, n) WHERE c.oid = r;
-> SELECT * FROM (SELECT fg_t."oid", fg_t."relname", CAST(0 AS pg_catalog.int4) AS "relpages", CAST(-1 AS pg_catalog.float4) AS "reltuples" FROM "pg_catalog"."pg_class" AS fg_t WHERE fg_t."oid" <> ALL ('{9001,9003}'::pg_catalog.oid[])) c, (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) a (r, n) WHERE c.oid = r
++ untouched
[none] SELECT c.oid, c.reltuples, c FROM pg_class c;
-> SELECT c.oid, c.reltuples, c FROM (SELECT fg_t."oid", fg_t."relname", CAST(0 AS pg_catalog.int4) AS "relpages", CAST(-1 AS pg_catalog.float4) AS "reltuples" FROM "pg_catalog"."pg_class" AS fg_t WHERE fg_t."oid" <> ALL ('{9001,9003}'::pg_catalog.oid[])) c
++ untouched
[none] SELECT c.tableoid, xmin FROM pg_class c;
-> SELECT c.tableoid, xmin FROM (SELECT fg_t."oid", fg_t."relname", CAST(0 AS pg_catalog.int4) AS "relpages", CAST(-1 AS pg_catalog.float4) AS "reltuples", fg_t.tableoid, fg_t.xmin FROM "pg_catalog"."pg_class" AS fg_t WHERE fg_t."oid" <> ALL ('{9001,9003}'::pg_catalog.oid[])) c
++ untouched
[none] WITH q AS (SELECT oid FROM pg_class) SELECT attname FROM q LEFT JOIN LATERAL (SELECT * FROM pg_attribute WHERE attrelid = q.oid) a ON true;
-> WITH q AS (SELECT oid FROM (SELECT fg_t."oid", fg_t."relname", CAST(0 AS pg_catalog.int4) AS "relpages", CAST(-1 AS pg_catalog.float4) AS "reltuples" FROM "pg_catalog"."pg_class" AS fg_t WHERE fg_t."oid" <> ALL ('{9001,9003}'::pg_catalog.oid[])) AS "pg_class") SELECT attname FROM q LEFT JOIN LATERAL (SELECT * FROM (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) AS "pg_attribute" WHERE attrelid = q.oid) a ON true
++ untouched
[none] SELECT pg_get_indexdef(i.indexrelid), pg_catalog.pg_get_indexdef((SELECT 5), 0, true) FROM pg_index i;
-> SELECT (SELECT pg_catalog.regexp_replace(pg_catalog.regexp_replace(pg_catalog.pg_get_indexdef(fg_x.fg_a0), COALESCE(fg_v.fg_w0, '(?!)'), COALESCE(fg_v.fg_n0, ''), 'g'), COALESCE(fg_v.fg_w1, '(?!)'), COALESCE(fg_v.fg_n1, ''), 'g') AS "pg_get_indexdef" FROM (SELECT CAST(i.indexrelid AS pg_catalog.oid)) AS fg_x (fg_a0) LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.text), CAST(NULL AS pg_catalog.text), CAST(NULL AS pg_catalog.text), CAST(NULL AS pg_catalog.text)), ('9002', E'\\mfg_email_eq\\M', 'email', NULL, NULL), ('9004', 'a', 'b', 'c', E'd\\\\''')) AS fg_v (fg_oid, fg_w0, fg_n0, fg_w1, fg_n1) ON fg_v.fg_oid = fg_x.fg_a0), (SELECT pg_catalog.regexp_replace(pg_catalog.regexp_replace(pg_catalog.pg_get_indexdef(fg_x.fg_a0, fg_x.fg_a1, fg_x.fg_a2), COALESCE(fg_v.fg_w0, '(?!)'), COALESCE(fg_v.fg_n0, ''), 'g'), COALESCE(fg_v.fg_w1, '(?!)'), COALESCE(fg_v.fg_n1, ''), 'g') AS "pg_get_indexdef" FROM (SELECT CAST((SELECT 5) AS pg_catalog.oid), CAST( 0 AS pg_catalog.int4), CAST( true AS pg_catalog.bool)) AS fg_x (fg_a0, fg_a1, fg_a2) LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.text), CAST(NULL AS pg_catalog.text), CAST(NULL AS pg_catalog.text), CAST(NULL AS pg_catalog.text)), ('9002', E'\\mfg_email_eq\\M', 'email', NULL, NULL), ('9004', 'a', 'b', 'c', E'd\\\\''')) AS fg_v (fg_oid, fg_w0, fg_n0, fg_w1, fg_n1) ON fg_v.fg_oid = fg_x.fg_a0) FROM (SELECT fg_t."indexrelid", fg_t."indkey" FROM "pg_catalog"."pg_index" AS fg_t) i
++ untouched
[none] SELECT pg_get_indexdef(indexrelid, 1) FROM pg_index;
-> SELECT pg_get_indexdef(indexrelid, 1) FROM (SELECT fg_t."indexrelid", fg_t."indkey" FROM "pg_catalog"."pg_index" AS fg_t) AS "pg_index"
++ untouched
[none] SELECT indexdef FROM pg_indexes;
-> SELECT indexdef FROM (SELECT c.relname,
       (SELECT pg_catalog.regexp_replace(pg_catalog.regexp_replace(pg_catalog.pg_get_indexdef(fg_x.fg_a0), COALESCE(fg_v.fg_w0, '(?!)'), COALESCE(fg_v.fg_n0, ''), 'g'), COALESCE(fg_v.fg_w1, '(?!)'), COALESCE(fg_v.fg_n1, ''), 'g') AS "pg_get_indexdef" FROM (SELECT CAST(i.indexrelid AS pg_catalog.oid)) AS fg_x (fg_a0) LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.text), CAST(NULL AS pg_catalog.text), CAST(NULL AS pg_catalog.text), CAST(NULL AS pg_catalog.text)), ('9002', E'\\mfg_email_eq\\M', 'email', NULL, NULL), ('9004', 'a', 'b', 'c', E'd\\\\''')) AS fg_v (fg_oid, fg_w0, fg_n0, fg_w1, fg_n1) ON fg_v.fg_oid = fg_x.fg_a0) AS indexdef
      FROM ((SELECT fg_t."indexrelid", fg_t."indkey" FROM "pg_catalog"."pg_index" AS fg_t) i
        JOIN (SELECT fg_t."oid", fg_t."relname", CAST(0 AS pg_catalog.int4) AS "relpages", CAST(-1 AS pg_catalog.float4) AS "reltuples" FROM "pg_catalog"."pg_class" AS fg_t WHERE fg_t."oid" <> ALL ('{9001,9003}'::pg_catalog.oid[])) c ON ((c.oid = i.indexrelid)))) AS "pg_indexes"
++ untouched
[none] SELECT * FROM information_schema.grants;
-> SELECT * FROM (SELECT pg_authid.rolname, information_schema._pg_truetypid(("a")::"pg_catalog"."pg_attribute", 1) AS t,
       (SELECT (fg_p.fg_a).n FROM (SELECT information_schema._pg_expandarray(fg_i.indkey) AS fg_a FROM (SELECT fg_t."indexrelid", fg_t."indkey" FROM "pg_catalog"."pg_index" AS fg_t) AS fg_i WHERE fg_i.indexrelid = CAST(a.attrelid AS pg_catalog.oid)) AS fg_p WHERE (fg_p.fg_a).x = CAST( a.attnum AS pg_catalog.int2)) AS p
      FROM "pg_catalog"."pg_roles" AS "pg_authid", (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) a) AS "grants"
++ untouched
[none] INSERT INTO notes (body) SELECT attname FROM pg_attribute;
-> INSERT INTO notes (body) SELECT attname FROM (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) AS "pg_attribute"
++ untouched
[none] PREPARE p (oid) AS SELECT attname FROM pg_attribute WHERE attrelid = $1;
-> PREPARE "p" (oid) AS SELECT attname FROM (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) AS "pg_attribute" WHERE attrelid = $1
++ untouched; effect=prepares p; kept declared=0
[none] DECLARE c CURSOR FOR SELECT attname FROM pg_attribute;
-> DECLARE c CURSOR FOR SELECT attname FROM (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) AS "pg_attribute"
++ untouched; effect=declares c
[none] EXPLAIN (COSTS OFF) SELECT attname FROM pg_attribute;
-> EXPLAIN (COSTS OFF) SELECT attname FROM (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) AS "pg_attribute"
++ untouched
[none] COPY (SELECT attname FROM pg_attribute) TO STDOUT;
-> COPY (SELECT attname FROM (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) AS "pg_attribute") TO STDOUT
++ untouched
[none] CREATE TABLE kept AS SELECT attname FROM pg_attribute;
-> CREATE TABLE kept AS SELECT attname FROM (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) AS "pg_attribute"
++ untouched; effect=catalog None
[full] SELECT c.email, a.attname FROM customers c, pg_catalog.pg_attribute a WHERE c.email = 'ann@x';
-> SELECT c.email, a.attname FROM "public".customers c, (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) a WHERE "c"."fg_email_eq" = {TERM customers.email 'ann@x'}::pg_catalog.bytea
:: email=open(customers.email), attname

# Left as they are: what cannot be replaced, and what is none of these catalogs.

[none] SELECT attname FROM pg_attribute FOR UPDATE;
-> SELECT attname FROM pg_attribute FOR UPDATE
++ untouched
[none] SELECT attname FROM ONLY pg_attribute;
-> SELECT attname FROM ONLY pg_attribute
++ untouched
[none] SELECT attname FROM pg_attribute TABLESAMPLE system (5);
-> SELECT attname FROM pg_attribute TABLESAMPLE system (5)
++ untouched
[none] TABLE pg_attribute;
-> TABLE pg_attribute
++ untouched
[none] SELECT tableoid, * FROM pg_attribute;
-> SELECT tableoid, * FROM pg_attribute
++ untouched
[none] CREATE VIEW columns AS SELECT attname FROM pg_attribute;
-> CREATE VIEW columns AS SELECT attname FROM pg_attribute
++ untouched; effect=catalog None
[none] CREATE MATERIALIZED VIEW columns AS SELECT attname FROM pg_attribute;
-> CREATE MATERIALIZED VIEW columns AS SELECT attname FROM pg_attribute
++ untouched; effect=catalog None
[none] WITH pg_attribute AS (SELECT 1 AS attname) SELECT attname FROM pg_attribute;
-> WITH pg_attribute AS (SELECT 1 AS attname) SELECT attname FROM pg_attribute
++ untouched
[none] SELECT 'pg_attribute'::regclass, name FROM pg_settings;
-> SELECT 'pg_attribute'::regclass, name FROM pg_settings
++ untouched

# Sizes: not there where pg_class is shown, refused where it is not.

[none] SELECT relname, reltuples FROM pg_class FOR UPDATE;
!! 0A000 the sizes that pg_class holds are not available in a database with protected tables
   hint: Name the columns that you need, without *, reltuples, relpages, relallvisible and relallfrozen.
[none] SELECT relname FROM pg_class FOR UPDATE;
-> SELECT relname FROM pg_class FOR UPDATE
++ untouched
[none] TABLE pg_class;
!! 0A000 the sizes that pg_class holds are not available in a database with protected tables
   hint: Name the columns that you need, without *, reltuples, relpages, relallvisible and relallfrozen.
[none] COPY pg_class TO STDOUT;
!! 0A000 the sizes that pg_class holds are not available in a database with protected tables
   hint: Name the columns that you need, without *, reltuples, relpages, relallvisible and relallfrozen.
[none] COPY pg_class (relname) TO STDOUT;
-> COPY pg_class (relname) TO STDOUT
++ untouched
[none] COPY pg_class (relname, relpages) TO STDOUT;
!! 0A000 the sizes that pg_class holds are not available in a database with protected tables
   hint: Name the columns that you need, without *, reltuples, relpages, relallvisible and relallfrozen.
[full] COPY (SELECT c.email, p.reltuples FROM customers c, pg_class p) TO STDOUT;
-> COPY (SELECT c.email, p.reltuples FROM "public".customers c, (SELECT fg_t."oid", fg_t."relname", CAST(0 AS pg_catalog.int4) AS "relpages", CAST(-1 AS pg_catalog.float4) AS "reltuples" FROM "pg_catalog"."pg_class" AS fg_t WHERE fg_t."oid" <> ALL ('{9001,9003}'::pg_catalog.oid[])) p) TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[full] COPY (SELECT o.id, p.reltuples FROM orders o, pg_class p FOR UPDATE OF o) TO STDOUT;
!! 0A000 the sizes that pg_class holds are not available in a database with protected tables
   hint: Name the columns that you need, without *, reltuples, relpages, relallvisible and relallfrozen.
[full] COPY (SELECT o.id, p.reltuples FROM orders o, ONLY pg_class p) TO STDOUT;
!! 0A000 the sizes that pg_class holds are not available in a database with protected tables
   hint: Name the columns that you need, without *, reltuples, relpages, relallvisible and relallfrozen.
[full] COPY (SELECT id, pg_relation_size('customers') FROM orders) TO STDOUT;
!! 0A000 the function pg_relation_size is not known to be harmless in a statement over protected tables
   hint: Call it in a statement of its own, or ask for it to be allowed in the data map.
[full] COPY (SELECT id, a.attname FROM orders, pg_attribute a) TO STDOUT;
-> COPY (SELECT id, a.attname FROM "public".orders, (SELECT fg_t."attrelid", COALESCE(fg_v.fg_c0, fg_t."attname") AS "attname", fg_t."attnum", COALESCE(fg_v.fg_c1, fg_t."atttypid") AS "atttypid" FROM "pg_catalog"."pg_attribute" AS fg_t LEFT JOIN (VALUES (CAST(NULL AS pg_catalog.oid), CAST(NULL AS pg_catalog.int2), CAST(NULL AS pg_catalog.name), CAST(NULL AS pg_catalog.oid)), ('1001', '4', NULL, '25'), ('9002', '1', 'it''s', '25')) AS fg_v (fg_k0, fg_k1, fg_c0, fg_c1) ON fg_v.fg_k0 = fg_t."attrelid" AND fg_v.fg_k1 = fg_t."attnum" WHERE (fg_t."attrelid", fg_t."attnum") NOT IN (VALUES (CAST(1001 AS pg_catalog.oid), CAST(10 AS pg_catalog.int2)), ('1001', '11'))) a) TO STDOUT (FORMAT text, DELIMITER '	', NULL '\N', ENCODING 'UTF8')
[full] COPY orders (id) FROM STDIN WHERE pg_relation_size('customers') > 1000;
!! 0A000 the function pg_relation_size is not known to be harmless in a statement over protected tables
   hint: Call it in a statement of its own, or ask for it to be allowed in the data map.
[none] CREATE VIEW sizes AS SELECT c FROM pg_class c;
!! 0A000 the sizes that pg_class holds are not available in a database with protected tables
   hint: Name the columns that you need, without *, reltuples, relpages, relallvisible and relallfrozen.
[none] CREATE VIEW sizes AS SELECT to_jsonb(c.*) FROM pg_class c;
!! 0A000 the sizes that pg_class holds are not available in a database with protected tables
   hint: Name the columns that you need, without *, reltuples, relpages, relallvisible and relallfrozen.
[none] WITH pg_class AS (SELECT 1), x AS (SELECT * FROM pg_catalog.pg_class) SELECT * FROM x;
!! 0A000 a common table expression named "pg_class" is refused

# Sizes that functions tell: NULL, with the arguments read as before.

[none] SELECT pg_catalog.pg_size_pretty(pg_catalog.pg_table_size(c.oid)) AS "Size" FROM pg_class c;
-> SELECT pg_catalog.pg_size_pretty((SELECT CAST(NULL AS pg_catalog.int8) AS "pg_table_size" FROM (SELECT CAST(c.oid AS pg_catalog.regclass)) AS fg_x)) AS "Size" FROM (SELECT fg_t."oid", fg_t."relname", CAST(0 AS pg_catalog.int4) AS "relpages", CAST(-1 AS pg_catalog.float4) AS "reltuples" FROM "pg_catalog"."pg_class" AS fg_t WHERE fg_t."oid" <> ALL ('{9001,9003}'::pg_catalog.oid[])) c
++ untouched
[none] SELECT pg_relation_size($1, 'main'), pg_total_relation_size('customers'), pg_database_size(current_database());
-> SELECT (SELECT CAST(NULL AS pg_catalog.int8) AS "pg_relation_size" FROM (SELECT CAST($1 AS pg_catalog.regclass), CAST( 'main' AS pg_catalog.text)) AS fg_x), (SELECT CAST(NULL AS pg_catalog.int8) AS "pg_total_relation_size" FROM (SELECT CAST('customers' AS pg_catalog.regclass)) AS fg_x), (SELECT CAST(NULL AS pg_catalog.int8) AS "pg_database_size" FROM (SELECT (current_database())) AS fg_x)
++ untouched
[none] SELECT pg_tablespace_size(name => 'x');
!! 0A000 what pg_tablespace_size tells is not available in a database with protected tables
   hint: Called in a plain query over the server's catalogs it returns NULL.
[none] SELECT pg_table_size();
!! 0A000 what pg_table_size tells is not available in a database with protected tables
   hint: Called in a plain query over the server's catalogs it returns NULL.
[none] CREATE VIEW sizes AS SELECT pg_table_size('customers');
!! 0A000 what pg_table_size tells is not available in a database with protected tables
   hint: Called in a plain query over the server's catalogs it returns NULL.
[none] SELECT ('customers'::regclass).pg_table_size;
!! 0A000 ".pg_table_size" may call a function of which it is not known what it reads or does
   hint: Name the column by its table's own name or alias; a function is called as name(argument).
[none] SELECT * FROM pg_table_size('customers') AS s;
!! 0A000 what pg_table_size tells is not available in a database with protected tables
   hint: Called in a plain query over the server's catalogs it returns NULL.
[none] SELECT * FROM ROWS FROM (pg_relation_size('customers', 'main'), generate_series(1, 2)) AS s;
!! 0A000 what pg_relation_size tells is not available in a database with protected tables
   hint: Called in a plain query over the server's catalogs it returns NULL.
[none] SELECT * FROM generate_series(1, pg_table_size('customers'));
-> SELECT * FROM generate_series(1, (SELECT CAST(NULL AS pg_catalog.int8) AS "pg_table_size" FROM (SELECT CAST('customers' AS pg_catalog.regclass)) AS fg_x))
++ untouched
[none] SELECT * FROM pg_get_indexdef(9002);
-> SELECT * FROM pg_get_indexdef(9002)
++ untouched
[none] SELECT pg_table_size(c.oid) FROM pg_class c FOR UPDATE;
!! 0A000 what pg_table_size tells is not available in a database with protected tables
   hint: Called in a plain query over the server's catalogs it returns NULL.
[full] SELECT pg_table_size('customers') FROM customers;
!! 0A000 the function pg_table_size is not known to be harmless in a statement over protected tables
   hint: Call it in a statement of its own, or ask for it to be allowed in the data map.
