"""What the survey asks pg_catalog.  Run under the settings of facts.fix_settings."""

from __future__ import annotations

TABLE = """
SELECT c.oid::int8, c.relkind::text AS kind, pg_has_role(c.relowner, 'USAGE') AS owned,
       EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent)) AS inherits,
       EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid) AS rules,
       ARRAY(SELECT k.conname::text FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c') AS checks,
       ARRAY(SELECT t.tgname::text FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
             AND t.tgenabled <> 'D' AND (t.tgtype & 16) <> 0 AND t.tgname !~ '^~fg_(new|open|fence)_'
             ORDER BY 1) AS triggers
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
"""

COLUMN = """
SELECT a.attnum::int4 AS position, t.typname::text AS type, t.typtype::text AS kind,
       format_type(a.atttypid, a.atttypmod) AS type_name, a.atttypmod AS typmod, a.attnotnull AS not_null,
       a.attgenerated <> '' AS generated, a.attidentity <> '' AS identity, a.atthasdef AS has_default,
       coalesce((SELECT l.collisdeterministic FROM pg_collation l WHERE l.oid = a.attcollation), true) AS deterministic,
       (SELECT ARRAY[n.nspname::text, l.collname::text]
        FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
        WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation) AS collation,
       CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage
         WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END END AS storage,
       CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1::int8::oid AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped
"""

# Everything that pg_depend hangs on the column, except what is judged elsewhere: its own default, indexes, unique and
# NOT NULL constraints, the trigger of a sealing that has begun ($3), and what makes a sealed column one ($4): CHECK and
# generated columns.
DEPENDENTS = """
SELECT DISTINCT coalesce((SELECT pg_describe_object('pg_class'::regclass, r.ev_class, 0) FROM pg_rewrite r
                          WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid),
                         pg_describe_object(d.classid, d.objid, d.objsubid)) AS what,
       CASE WHEN d.classid = 'pg_rewrite'::regclass THEN 'drop the view, and make it again when the column is sealed'
            WHEN d.classid = 'pg_constraint'::regclass THEN 'drop the constraint; a CHECK cannot read a sealed value'
            ELSE 'drop it first' END AS remedy
FROM pg_depend d
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::int8::oid AND d.refobjsubid = $2
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
    SELECT FROM pg_attrdef a WHERE a.oid = d.objid AND a.adrelid = $1::int8::oid AND a.adnum = $2))
  AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
    SELECT FROM pg_index i WHERE i.indexrelid = d.objid AND i.indrelid = $1::int8::oid))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT FROM pg_constraint c WHERE c.oid = d.objid AND c.conrelid = $1::int8::oid AND c.contype IN ('u', 'p', 'n')))
  AND NOT (d.classid = 'pg_trigger'::regclass AND EXISTS (
    SELECT FROM pg_trigger t WHERE t.oid = d.objid AND t.tgname = '~' || $3))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT FROM pg_constraint c WHERE c.oid = d.objid AND c.conrelid = $1::int8::oid AND c.conname = ANY ($4::text[])))
  AND NOT (d.classid IN ('pg_attrdef'::regclass, 'pg_class'::regclass) AND EXISTS (
    SELECT FROM pg_attribute o LEFT JOIN pg_attrdef e ON e.adrelid = o.attrelid AND e.adnum = o.attnum
    WHERE o.attrelid = $1::int8::oid AND o.attname = ANY ($4::text[])
      AND (e.oid = d.objid OR d.objid = o.attrelid AND d.objsubid = o.attnum)))
UNION
SELECT pg_describe_object('pg_publication_rel'::regclass, p.oid, 0), 'publish the table without a column list'
FROM pg_publication_rel p WHERE p.prrelid = $1::int8::oid AND $2 = ANY (p.prattrs)
ORDER BY 1
"""

# Indexes that hold the column, by key, INCLUDE, expression or condition.  A plain one's condition asks of the column
# whether it is NULL, each time that it names it, and nothing else: a cell is NULL where its value is.
INDEXES = """
SELECT ic.relname::text AS name, k.oid IS NOT NULL AS constraint, i.indisunique AS unique,
       i.indisreplident AS replica_identity, i.indisprimary AS primary,
       am.amname::text AS method,
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false) AS nulls_not_distinct,
       coalesce(k.condeferrable, false) AS deferrable, coalesce(k.condeferred, false) AS deferred,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY x(n, o) JOIN pg_attribute a
             ON a.attrelid = i.indrelid AND a.attnum = x.n WHERE x.o <= i.indnkeyatts ORDER BY x.o) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY x(n, o) JOIN pg_attribute a
             ON a.attrelid = i.indrelid AND a.attnum = x.n WHERE x.o > i.indnkeyatts ORDER BY x.o) AS included,
       ARRAY(SELECT o::int4 FROM unnest(i.indoption::int2[]) WITH ORDINALITY x(o, n) ORDER BY x.n) AS orders,
       pg_get_expr(i.indpred, i.indrelid) AS predicate, coalesce(ic.reloptions, '{}') AS options,
       (SELECT s.spcname::text FROM pg_tablespace s WHERE s.oid = ic.reltablespace) AS tablespace,
       i.indisclustered AS clustered, obj_description(i.indexrelid, 'pg_class') AS comment,
       obj_description(k.oid, 'pg_constraint') AS remark,
       $2 = ANY (i.indkey::int2[]) AS holds,
       am.amname IN ('btree', 'hash') AND i.indexprs IS NULL AND i.indisvalid AND k.contype IS DISTINCT FROM 'x'
         AND NOT (coalesce(i.indpred::text, '') ~ ':varattno 0 ')
         AND (SELECT count(*) FROM regexp_matches(i.indpred::text, format(':varattno %s ', $2::int4), 'g'))
           = (SELECT count(*) FROM regexp_matches(
                i.indpred::text, format('NULLTEST :arg .VAR :varno 1 :varattno %s ', $2::int4), 'g'))
         AND NOT EXISTS (SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY x(n, o)
                         WHERE x.n = $2 AND x.o > i.indnkeyatts)
         AND NOT EXISTS (SELECT FROM unnest(i.indclass::oid[]) o JOIN pg_opclass c ON c.oid = o WHERE NOT c.opcdefault)
         AND NOT EXISTS (SELECT FROM unnest(i.indkey::int2[], i.indcollation::oid[]) x(n, l) JOIN pg_attribute a
                         ON a.attrelid = i.indrelid AND a.attnum = x.n WHERE x.l <> a.attcollation) AS plain
FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_am am ON am.oid = ic.relam
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('u', 'p', 'x')
WHERE i.indrelid = $1::int8::oid AND ($2 = ANY (i.indkey::int2[]) OR EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid = $2))
ORDER BY 1
"""

KEYS = """
SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type_name, a.atttypid::int8 AS type_oid,
       t.typname::text AS type, a.attnotnull AS not_null, p.o IS NOT NULL AS primary, a.attname = $2 AS row_key
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN (SELECT x.n, x.o FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY x(n, o)
           WHERE i.indrelid = $1::int8::oid AND i.indisprimary AND x.o <= i.indnkeyatts) p ON p.n = a.attnum
WHERE a.attrelid = $1::int8::oid AND a.attnum > 0 AND NOT a.attisdropped AND (p.o IS NOT NULL OR a.attname = $2)
ORDER BY p.o
"""

# What a sealing has kept of the column (memory.py).
MEMORY = """
SELECT k.oid IS NOT NULL AS remembered, obj_description(k.oid, 'pg_constraint') AS said
FROM pg_constraint k WHERE k.conrelid = $1::int8::oid AND k.conname = $2
"""
