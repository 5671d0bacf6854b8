"""What the survey asks pg_catalog.  Run under the settings of facts.fix_settings."""

from __future__ import annotations

TABLE = """
SELECT c.oid::int8, c.relkind::text AS kind, pg_has_role(c.relowner, 'USAGE') AS owned,
       EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent)) AS inherits,
       EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid) AS rules,
       ARRAY(SELECT t.tgname::text FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
             AND t.tgenabled <> 'D' AND (t.tgtype & 16) <> 0 AND t.tgname !~ '^~fg_(new|fence)_'
             ORDER BY 1) AS triggers
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
"""

COLUMN = """
SELECT a.attnum::int4 AS position, t.typname::text AS type, t.typtype::text AS kind,
       format_type(a.atttypid, a.atttypmod) AS type_name, a.atttypmod AS typmod, a.attnotnull AS not_null,
       a.attgenerated <> '' AS generated, a.attidentity <> '' AS identity, a.atthasdef AS has_default,
       coalesce((SELECT l.collisdeterministic FROM pg_collation l WHERE l.oid = a.attcollation), true) AS deterministic
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1::int8::oid AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped
"""

# Everything that pg_depend hangs on the column, except what is judged elsewhere: its own default, indexes, unique and
# NOT NULL constraints, and the trigger of a sealing that has begun ($3).
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
UNION
SELECT pg_describe_object('pg_publication_rel'::regclass, p.oid, 0), 'publish the table without a column list'
FROM pg_publication_rel p WHERE p.prrelid = $1::int8::oid AND $2 = ANY (p.prattrs)
ORDER BY 1
"""

# Indexes that hold the column, by key, INCLUDE, expression or condition.
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
       am.amname IN ('btree', 'hash') AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid
         AND ic.reloptions IS NULL AND ic.reltablespace = 0 AND k.contype IS DISTINCT FROM 'x'
         AND NOT EXISTS (SELECT FROM unnest(i.indoption::int2[]) o WHERE o <> 0)
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
