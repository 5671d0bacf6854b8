"""What an administrator may have made, without a thought of Fieldgate, that reads a protected table unseen; and twins
of it that are harmless.  Data only."""

from __future__ import annotations

# `peek...` are of unknown reach: PL/pgSQL is not analysed, and the SQL one reads a protected table.
SCHEMA = """
CREATE TABLE secrets (id int PRIMARY KEY, city text);
CREATE TABLE plain (id int, note text);
INSERT INTO secrets VALUES (1, 'Kazan');
CREATE FUNCTION peek() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT city FROM public.secrets';
CREATE FUNCTION peek(int) RETURNS int LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER AS
  'BEGIN RAISE NOTICE ''%'', (SELECT city FROM public.secrets); RETURN $1; END';
CREATE FUNCTION peek_same(text, text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE FUNCTION peek_int(int, text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE FUNCTION peek_step(text, int) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
CREATE FUNCTION peek_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION peek_event() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';

CREATE FUNCTION calm(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1';
CREATE FUNCTION calmer(int) RETURNS int LANGUAGE sql AS 'SELECT public.calm(calm($1))';
CREATE FUNCTION calm_text(x text, n int DEFAULT 3) RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT lower(left(x, n)); END;
CREATE FUNCTION calm_same(text, text) RETURNS bool LANGUAGE sql RETURN lower($1) = lower($2);
CREATE FUNCTION calm_step(int, int) RETURNS int LANGUAGE sql AS 'SELECT coalesce($1, 0) + $2';
CREATE FUNCTION coin() RETURNS float8 LANGUAGE sql AS 'SELECT random()';
CREATE FUNCTION looks() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.plain';

-- SQL that is not harmless
CREATE FUNCTION calls_peek() RETURNS text LANGUAGE sql AS 'SELECT peek()';
CREATE FUNCTION loops(int) RETURNS int LANGUAGE sql AS 'SELECT CASE WHEN $1 > 0 THEN 1 END';
CREATE OR REPLACE FUNCTION loops(int) RETURNS int LANGUAGE sql AS 'SELECT CASE WHEN $1 > 0 THEN loops($1 - 1) END';
CREATE FUNCTION writes() RETURNS void LANGUAGE sql AS 'INSERT INTO public.plain VALUES (1)';
CREATE FUNCTION settles() RETURNS text LANGUAGE sql AS 'SELECT set_config(''role'', ''x'', true)';
CREATE FUNCTION reads_files() RETURNS text LANGUAGE sql AS 'SELECT pg_read_file(''/etc/passwd'')';
CREATE FUNCTION hidden_default(int DEFAULT peek(1)) RETURNS int LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION set_off() RETURNS int LANGUAGE sql SET standard_conforming_strings = on AS 'SELECT 1';
CREATE FUNCTION dotted() RETURNS int LANGUAGE sql AS 'SELECT (1).peek';

CREATE OPERATOR === (FUNCTION = peek_same, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR ==== (FUNCTION = calm_same, LEFTARG = text, RIGHTARG = text);
CREATE SCHEMA aside;
CREATE OPERATOR aside.= (FUNCTION = public.peek_int, LEFTARG = int, RIGHTARG = text);
CREATE DOMAIN small AS int CHECK (peek(VALUE) < 10);
CREATE DOMAIN smaller AS small;
CREATE DOMAIN positive AS int CHECK (VALUE > 0 AND calm(VALUE) > 0);
CREATE TYPE pair AS (a int, b small);
CREATE TYPE colour AS ENUM ('red', 'blue');
CREATE AGGREGATE peek_all (int) (SFUNC = peek_step, STYPE = text);
CREATE AGGREGATE calm_sum (int) (SFUNC = calm_step, STYPE = int);
CREATE FUNCTION peek_json(int) RETURNS json LANGUAGE plpgsql AS 'BEGIN RETURN ''1''; END';
CREATE CAST (int AS json) WITH FUNCTION peek_json(int) AS ASSIGNMENT;
CREATE TABLE jsonic (j json);


-- Types of the database's own with a range's function, an operator of PostgreSQL's name, and an operator class.
CREATE FUNCTION peek_diff(int, int) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END';
CREATE TYPE span AS RANGE (SUBTYPE = int, SUBTYPE_DIFF = peek_diff);
CREATE TYPE calm_span AS RANGE (SUBTYPE = int);
CREATE TYPE odd AS (a int);
CREATE FUNCTION peek_equal(odd, odd) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
CREATE OPERATOR = (FUNCTION = peek_equal, LEFTARG = odd, RIGHTARG = odd);
CREATE TYPE even AS (a int);
CREATE FUNCTION calm_equal(even, even) RETURNS bool LANGUAGE sql IMMUTABLE
  AS 'SELECT ($1).a OPERATOR(pg_catalog.=) ($2).a';
CREATE FUNCTION peek_hash(even) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END';
CREATE OPERATOR ~~~~ (FUNCTION = calm_equal, LEFTARG = even, RIGHTARG = even);
CREATE OPERATOR CLASS even_ops FOR TYPE even USING hash AS OPERATOR 1 ~~~~, FUNCTION 1 peek_hash(even);
CREATE TABLE spans (s span, c calm_span);
CREATE TABLE odds (o odd);
CREATE TABLE evens (e even);
CREATE TABLE defaulted (id int DEFAULT peek(1), note text);
CREATE TABLE calm_defaulted (id int DEFAULT calm(1), note text);
CREATE TABLE triggered (id int, note text);
CREATE TRIGGER watch BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION peek_row();
CREATE TABLE listed (id int, note text);
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := ''x''; RETURN NEW; END';
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON listed FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TABLE checked (id int CHECK (peek(id) > 0), note text);
CREATE TABLE computed (id int, twice int GENERATED ALWAYS AS (peek(id)) STORED);
CREATE TABLE indexed (id int, note text);
CREATE INDEX by_peek ON indexed (peek(id));
CREATE TABLE guarded (id int, note text);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded FOR SELECT USING (peek(id) > 0);
CREATE TABLE related (id int, note text);
CREATE POLICY p ON related USING (EXISTS (SELECT FROM secrets s WHERE s.id = related.id));
CREATE TABLE typed (id small, note text);
CREATE TABLE paired (p pair[], note text);
CREATE VIEW over_triggered AS SELECT * FROM triggered;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int REFERENCES parent ON DELETE CASCADE ON UPDATE SET NULL, note text);
CREATE TRIGGER gone BEFORE DELETE ON child FOR EACH ROW EXECUTE FUNCTION peek_row();
CREATE TABLE split (id int) PARTITION BY RANGE (peek(id));
CREATE TABLE whole (id int) PARTITION BY RANGE (id);
CREATE TABLE whole_1 PARTITION OF whole FOR VALUES FROM (0) TO (9);
CREATE TRIGGER watch BEFORE UPDATE ON whole_1 FOR EACH ROW EXECUTE FUNCTION peek_row();
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE far (id int) SERVER elsewhere;
CREATE FOREIGN TABLE near (id int) SERVER elsewhere;
CREATE VIEW far_view AS SELECT * FROM far;
"""

# Statement -> words of the refusal: the object, and what it would call.
REFUSED = {
    "SELECT peek()": ("peek",),
    "SELECT public.peek(1)": ("peek",),
    "SELECT calls_peek()": ("calls_peek",),
    "SELECT loops(1)": ("loops",),
    "SELECT writes()": ("writes",),
    "SELECT settles()": ("settles",),
    "SELECT reads_files()": ("reads_files",),
    "SELECT hidden_default()": ("hidden_default",),
    "SELECT set_off()": ("set_off",),
    "SELECT dotted()": ("dotted",),
    "SELECT (1).peek": ("peek",),
    "SELECT peek_all(id) FROM plain": ("peek_all",),
    "SELECT 'a'::text === 'b'": ('operator "public.==="', "public.peek_same(text, text)"),
    "SELECT 'a' OPERATOR(public.===) 'b'": ('operator "public.==="',),
    "SELECT 'a' === ANY (ARRAY['b'])": ('operator "public.==="',),
    "SELECT 'a' === ANY (SELECT 'b')": ('operator "public.==="',),
    "SELECT 1 OPERATOR(aside.=) 'b'": ('operator "aside.="',),
    "SELECT 1::small": ('the CHECK "small_check" of the type "public.small"', "public.peek(integer)"),
    "SELECT CAST(1 AS public.small)": ("small",),
    "SELECT small '1'": ("small",),
    "SELECT small('1')": ("small",),
    "SELECT ('1').small": ("small",),
    "SELECT 1::smaller": ("small_check",),
    "SELECT ARRAY[1]::small[]": ("small_check",),
    "SELECT '(1,2)'::pair": ("small_check",),
    "SELECT '{}'::pair[]": ("small_check",),
    "SELECT * FROM json_to_recordset('[]') AS x (a small)": ("small_check",),
    "CREATE TEMP TABLE x (a small)": ("small_check",),
    "ALTER TABLE plain ADD COLUMN a small": ("small_check",),
    "SELECT '[1,2)'::span": ('the range of the type "public.span"', "peek_diff"),
    "SELECT * FROM spans": ("the range",),
    "SELECT o FROM odds": ('the operator "=" of the type "public.odd"', "peek_equal"),
    "SELECT ROW(1)::odd IN (ROW(1)::odd)": ('the operator "="',),
    "CREATE INDEX ON evens USING hash (e even_ops)": ('the operator class "public.even_ops"', "peek_hash"),
    "SELECT 1::json": ("the cast from integer to json", "public.peek_json(integer)"),
    "SELECT json(1)": ("the cast from integer to json",),
    "INSERT INTO jsonic VALUES (1)": ("the cast from integer to json",),
    "UPDATE jsonic SET j = 1": ("the cast from integer to json",),
    "INSERT INTO defaulted (note) VALUES ('x')": ('the default of the column "id" of "public.defaulted"', "peek"),
    "INSERT INTO defaulted DEFAULT VALUES": ("the default",),
    "UPDATE defaulted SET id = DEFAULT": ("the default",),
    "MERGE INTO defaulted d USING plain p ON d.id = p.id WHEN NOT MATCHED THEN INSERT (note) VALUES ('x')": (
        "default",
    ),
    "COPY defaulted (note) FROM STDIN": ("the default",),
    "INSERT INTO triggered VALUES (1)": ('the trigger "watch" of "public.triggered"', "public.peek_row()"),
    "COPY triggered FROM STDIN": ("the trigger",),
    "WITH x AS (INSERT INTO triggered VALUES (1) RETURNING *) SELECT * FROM x": ("the trigger",),
    "MERGE INTO triggered t USING plain p ON t.id = p.id WHEN NOT MATCHED THEN INSERT VALUES (1)": ("the trigger",),
    "PREPARE x AS INSERT INTO triggered VALUES (1)": ("the trigger",),
    "EXPLAIN ANALYZE INSERT INTO triggered VALUES (1)": ("the trigger",),
    "INSERT INTO over_triggered VALUES (1)": ("the trigger",),
    "INSERT INTO checked VALUES (1)": ('the constraint "checked_id_check" of "public.checked"', "peek"),
    "UPDATE checked SET note = 'x'": ("the constraint",),
    "INSERT INTO computed (id) VALUES (1)": ('the expression of the column "twice"',),
    "INSERT INTO indexed VALUES (1)": ('the index "by_peek" of "public.indexed"',),
    "REINDEX TABLE indexed": ("the index",),
    "VACUUM FULL indexed": ("the index",),
    "SELECT * FROM guarded": ('the policy "p" of "public.guarded"', "peek"),
    "SELECT 1 FROM plain WHERE EXISTS (SELECT FROM guarded)": ("the policy",),
    "SELECT * FROM related": ('the policy "p" of "public.related"', 'the table "public.secrets"'),
    "INSERT INTO typed VALUES (1)": ("small_check",),
    "COPY typed FROM STDIN": ("small_check",),
    "INSERT INTO paired VALUES (NULL)": ("small_check",),
    "DELETE FROM parent": ('the trigger "gone" of "public.child"',),
    "INSERT INTO split VALUES (1)": ("the partition key",),
    "UPDATE whole SET id = 2": ('the trigger "watch" of "public.whole_1"',),
    "SELECT * FROM far": ('the foreign table "public.far"',),
    "SELECT * FROM far_view": ('the foreign table "public.far"',),
}
PASSES = (
    "SELECT '[1,2)'::calm_span, calm_span(1, 2), calm_span_multirange(calm_span(1, 2)), '[1,2)'::int4range",
    "SELECT ROW(1)::even ~~~~ ROW(1)::even, e FROM evens",
    "CREATE INDEX ON evens (id)",
    "SELECT calm(1), calmer(2), public.calm_text('X'), calm_same('a', 'b'), coin(), looks()",
    "SELECT calm_sum(id) FROM plain",
    "SELECT (1).calm",
    "SELECT 'a'::text ==== 'b', 1 = 2, 'a' = ANY (ARRAY['b'])",
    "SELECT 1::positive, 'red'::colour, '{}'::colour[]",
    "INSERT INTO calm_defaulted (note) VALUES ('x')",
    "UPDATE defaulted SET note = 'x'",
    "DELETE FROM defaulted",
    "SELECT * FROM triggered",
    "UPDATE triggered SET note = 'x'",
    "DELETE FROM triggered",
    "SELECT * FROM over_triggered",
    "SELECT * FROM checked",
    "DELETE FROM checked",
    "SELECT * FROM computed, indexed, typed, paired",
    "INSERT INTO parent VALUES (1)",
    "UPDATE child SET note = 'x'",
    "SELECT * FROM whole",
    "INSERT INTO whole VALUES (1)",
    "SELECT * FROM near",
    "INSERT INTO listed VALUES (1)",
    "LOCK TABLE plain",
    "CREATE TEMP TABLE x (a positive)",
)
