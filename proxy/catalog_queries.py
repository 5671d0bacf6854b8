"""What the catalog loader asks about the database's own functions, and about everything that calls them unseen.

Contract as in `catalog_loader`: every name is qualified, and only catalogs that each role may read are read.  Objects
that PostgreSQL itself brings have OIDs below 16384 and are of no interest here.
"""

from __future__ import annotations

FUNCTIONS = """
SELECT p.oid::pg_catalog.int8 AS oid, n.nspname::pg_catalog.text AS schema, p.proname::pg_catalog.text AS name,
       n.nspname || '.' || p.proname || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')' AS signature,
       l.lanname::pg_catalog.text AS language, p.prokind::pg_catalog.text AS kind,
       EXISTS (SELECT FROM pg_catalog.pg_depend d
               WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'i'
                 AND d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass) AS made_with_type,
       p.provolatile::pg_catalog.text AS volatility, p.prosecdef AS definer, p.prosrc AS source,
       EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) AS s (setting)
               WHERE NOT pg_catalog.starts_with(s.setting, 'search_path=')) AS settings,
       CASE WHEN l.lanname = 'sql' AND p.prokind = 'f' THEN pg_catalog.pg_get_functiondef(p.oid) END AS definition,
       (SELECT e.extname::pg_catalog.text FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
        WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
          AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass LIMIT 1) AS extension
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY p.oid
"""

# The functions that an aggregate is made of.
PARTS = """
SELECT a.aggfnoid::pg_catalog.oid::pg_catalog.int8 AS oid, p.oid::pg_catalog.int8 AS part,
       p.proname::pg_catalog.text AS name
FROM pg_catalog.pg_aggregate a
JOIN pg_catalog.pg_proc p ON p.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn,
                                       a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
WHERE a.aggfnoid >= 16384
"""

# `own_name`: PostgreSQL has an operator of this name itself; `types`: those of its operands that are not PostgreSQL's.
OPERATORS = """
SELECT o.oid::pg_catalog.int8 AS oid, n.nspname::pg_catalog.text AS schema, o.oprname::pg_catalog.text AS name,
       o.oprcode::pg_catalog.oid::pg_catalog.int8 AS function,
       EXISTS (SELECT FROM pg_catalog.pg_operator b WHERE b.oprname = o.oprname AND b.oid < 16384) AS own_name,
       ARRAY(SELECT t.oid::pg_catalog.int8 FROM pg_catalog.pg_type t
             WHERE t.oid IN (o.oprleft, o.oprright) AND t.oid >= 16384) AS types
FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
WHERE n.nspname <> 'pg_catalog'
"""

# `parts`: the types that a value of this type is made of.
TYPES = """
SELECT t.oid::pg_catalog.int8 AS oid, n.nspname::pg_catalog.text AS schema, t.typname::pg_catalog.text AS name,
       t.typtype::pg_catalog.text AS kind,
       ARRAY(SELECT x FROM (VALUES (t.typbasetype), (t.typelem),
                                   ((SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid)),
                                   ((SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngmultitypid = t.oid))
                                  ) AS v (x)
             WHERE x >= 16384
             UNION ALL
             SELECT a.atttypid FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = t.typrelid AND t.typrelid <> 0 AND a.attnum > 0 AND a.atttypid >= 16384
            )::pg_catalog.int8[] AS parts
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.oid >= 16384 AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast%'
"""

# What values of a type make the server call: `converts` when it is only done as a value becomes one of the type.
TYPE_CALLS = """
SELECT c.contypid::pg_catalog.int8 AS type, 'the CHECK "' || c.conname || '"' AS what, true AS converts,
       d.refclassid::pg_catalog.regclass::pg_catalog.text AS kind, d.refobjid::pg_catalog.int8 AS target
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = c.oid
WHERE c.contypid <> 0 AND d.refobjid >= 16384
UNION ALL
SELECT t.oid::pg_catalog.int8, 'the default', true, d.refclassid::pg_catalog.regclass::pg_catalog.text,
       d.refobjid::pg_catalog.int8
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid
WHERE t.typtype = 'd' AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass,
                                           'pg_catalog.pg_operator'::pg_catalog.regclass) AND d.refobjid >= 16384
UNION ALL
SELECT r.rngtypid::pg_catalog.int8, 'the range', false, x.kind, x.target::pg_catalog.int8
FROM pg_catalog.pg_range r
CROSS JOIN LATERAL (VALUES ('pg_opclass', r.rngsubopc), ('pg_proc', r.rngcanonical::pg_catalog.oid),
                           ('pg_proc', r.rngsubdiff::pg_catalog.oid)) AS x (kind, target)
WHERE x.target >= 16384
UNION ALL
SELECT o.opcintype::pg_catalog.int8, 'the operator class "' || o.opcname || '"', false, 'pg_opclass',
       o.oid::pg_catalog.int8
FROM pg_catalog.pg_opclass o
WHERE o.opcdefault AND o.oid >= 16384 AND o.opcintype >= 16384
UNION ALL
SELECT x.type::pg_catalog.int8, 'the cast from ' || pg_catalog.format_type(c.castsource, NULL) || ' to '
       || pg_catalog.format_type(c.casttarget, NULL), false, 'pg_proc', c.castfunc::pg_catalog.int8
FROM pg_catalog.pg_cast c CROSS JOIN LATERAL (VALUES (c.castsource), (c.casttarget)) AS x (type)
WHERE c.castfunc >= 16384 AND x.type >= 16384
"""

CASTS = """
SELECT c.casttarget::pg_catalog.int8 AS target, c.castfunc::pg_catalog.int8 AS function,
       c.castcontext::pg_catalog.text AS context, t.typname::pg_catalog.text AS internal_name,
       pg_catalog.format_type(c.castsource, NULL) AS source_name,
       pg_catalog.format_type(c.casttarget, NULL) AS target_name
FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_type t ON t.oid = c.casttarget
WHERE c.castfunc >= 16384 AND c.castsource < 16384 AND c.casttarget < 16384
"""

# Operator class -> the functions that it calls: its support functions, and those of its operators.
CLASSES = """
SELECT o.oid::pg_catalog.int8 AS oid, n.nspname::pg_catalog.text AS schema, o.opcname::pg_catalog.text AS name,
       x.function::pg_catalog.int8 AS function
FROM pg_catalog.pg_opclass o
JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace
JOIN LATERAL (SELECT s.amproc::pg_catalog.oid AS function FROM pg_catalog.pg_amproc s WHERE s.amprocfamily = o.opcfamily
              UNION ALL
              SELECT p.oprcode::pg_catalog.oid FROM pg_catalog.pg_amop m
              JOIN pg_catalog.pg_operator p ON p.oid = m.amopopr WHERE m.amopfamily = o.opcfamily) x ON true
WHERE x.function >= 16384
"""

# What belongs to a relation and calls something: `acts` in the words of `proxy.sql.doors.Act`, with commas.
RELATION_CALLS = """
WITH calls AS (
    SELECT d.classid, d.objid, d.refclassid::pg_catalog.regclass::pg_catalog.text AS kind, d.refobjid AS target
    FROM pg_catalog.pg_depend d
    WHERE d.refobjid >= 16384 AND d.deptype IN ('n', 'a')
      AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass,
                           'pg_catalog.pg_opclass'::pg_catalog.regclass, 'pg_catalog.pg_type'::pg_catalog.regclass,
                           'pg_catalog.pg_class'::pg_catalog.regclass))
SELECT t.tgrelid::pg_catalog.int8 AS relation, 'the trigger "' || t.tgname || '"' AS what, c.kind,
       c.target::pg_catalog.int8 AS target,
       pg_catalog.concat_ws(',', CASE WHEN t.tgtype::pg_catalog.int4 & 4 <> 0 THEN 'INSERT' END,
                            CASE WHEN t.tgtype::pg_catalog.int4 & 8 <> 0 THEN 'DELETE' END,
                            CASE WHEN t.tgtype::pg_catalog.int4 & 16 <> 0 THEN 'UPDATE' END,
                            CASE WHEN t.tgtype::pg_catalog.int4 & 32 <> 0 THEN 'TRUNCATE' END) AS acts
FROM pg_catalog.pg_trigger t
JOIN calls c ON c.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND c.objid = t.oid
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.kind <> 'pg_class'
UNION ALL
SELECT f.adrelid::pg_catalog.int8,
       CASE a.attgenerated WHEN '' THEN 'the default' ELSE 'the expression' END
       || ' of the column "' || a.attname || '"',
       c.kind, c.target::pg_catalog.int8,
       CASE a.attgenerated WHEN '' THEN 'DEFAULT' WHEN 's' THEN 'INSERT,UPDATE' ELSE 'READ,INSERT,UPDATE' END
FROM pg_catalog.pg_attrdef f
JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
JOIN calls c ON c.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND c.objid = f.oid
WHERE c.kind NOT IN ('pg_class', 'pg_type')
UNION ALL
SELECT k.conrelid::pg_catalog.int8, 'the constraint "' || k.conname || '"', c.kind, c.target::pg_catalog.int8,
       'INSERT,UPDATE'
FROM pg_catalog.pg_constraint k
JOIN calls c ON c.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND c.objid = k.oid
WHERE k.conrelid <> 0 AND c.kind NOT IN ('pg_class', 'pg_type')
UNION ALL
SELECT i.indrelid::pg_catalog.int8, 'the index "' || r.relname || '"', c.kind, c.target::pg_catalog.int8,
       'INSERT,UPDATE'
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class r ON r.oid = i.indexrelid
JOIN calls c ON c.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.objid = i.indexrelid
WHERE c.kind NOT IN ('pg_class', 'pg_type')
UNION ALL
SELECT r.oid::pg_catalog.int8, 'the partition key', c.kind, c.target::pg_catalog.int8, 'READ,INSERT,UPDATE,DELETE'
FROM pg_catalog.pg_class r
JOIN calls c ON c.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.objid = r.oid
WHERE r.relkind = 'p' AND c.kind NOT IN ('pg_class', 'pg_type')
UNION ALL
SELECT p.polrelid::pg_catalog.int8, 'the policy "' || p.polname || '"', c.kind, c.target::pg_catalog.int8,
       CASE p.polcmd WHEN 'r' THEN 'READ' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                     ELSE 'READ,INSERT,UPDATE,DELETE' END
FROM pg_catalog.pg_policy p
JOIN calls c ON c.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND c.objid = p.oid
WHERE NOT (c.kind = 'pg_class' AND c.target = p.polrelid)
UNION ALL
SELECT w.ev_class::pg_catalog.int8,
       CASE w.rulename WHEN '_RETURN' THEN 'the view' ELSE 'the rule "' || w.rulename || '"' END,
       c.kind, c.target::pg_catalog.int8, 'READ,INSERT,UPDATE,DELETE'
FROM pg_catalog.pg_rewrite w
JOIN calls c ON c.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND c.objid = w.oid
WHERE c.kind <> 'pg_class'
"""

# What a foreign key does to the rows that refer to a row that goes or changes.
CASCADES = """
SELECT k.confrelid::pg_catalog.int8 AS parent, k.conrelid::pg_catalog.int8 AS child,
       k.confdeltype::pg_catalog.text AS on_delete, k.confupdtype::pg_catalog.text AS on_update
FROM pg_catalog.pg_constraint k
WHERE k.contype = 'f' AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
"""

EVENTS = """
SELECT e.evtname::pg_catalog.text AS name, e.evtfoid::pg_catalog.int8 AS function
FROM pg_catalog.pg_event_trigger e WHERE e.evtenabled <> 'D' AND e.evtevent <> 'login' ORDER BY e.evtname
"""
