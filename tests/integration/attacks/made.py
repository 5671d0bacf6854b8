"""What the administrator of the database has made beside the shop, without thinking of Fieldgate."""

from __future__ import annotations

DBA = """
CREATE SCHEMA archive;
GRANT USAGE ON SCHEMA archive TO PUBLIC;
CREATE TABLE archive.customers (id bigint, surname text, city text, status text);
INSERT INTO archive.customers VALUES (1, 'archived', 'oldtown', 'gone');
GRANT SELECT ON archive.customers TO PUBLIC;
CREATE TABLE notes (id int PRIMARY KEY, note text);
INSERT INTO notes VALUES (1, 'plain');
GRANT ALL ON notes TO PUBLIC;
CREATE VIEW shown AS SELECT id, surname, city, address FROM customers;
CREATE VIEW twice_shown AS SELECT s.id, s.city || '!' AS loud, s.surname FROM shown s;
CREATE VIEW counted AS SELECT id, count(*) OVER (PARTITION BY city) AS n FROM customers;
CREATE MATERIALIZED VIEW kept AS SELECT id, city, email FROM customers;
CREATE FUNCTION peek() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT city FROM public.customers WHERE id = 2';
CREATE FUNCTION upper(int) RETURNS text LANGUAGE sql SECURITY DEFINER
  AS 'SELECT city FROM public.customers WHERE id = $1';
CREATE FUNCTION remember(text, int) RETURNS text LANGUAGE sql SECURITY DEFINER
  AS 'SELECT city FROM public.customers WHERE id = $2';
CREATE AGGREGATE peek_all(int) (SFUNC = remember, STYPE = text);
CREATE PROCEDURE show_all() LANGUAGE plpgsql SECURITY DEFINER
  AS $$BEGIN RAISE NOTICE '%', (SELECT city FROM public.customers WHERE id = 2); END$$;
CREATE VIEW called AS SELECT peek() AS p;
CREATE TABLE ruled (id int);
CREATE RULE also AS ON INSERT TO ruled DO ALSO SELECT id, city FROM public.customers;
GRANT SELECT ON shown, twice_shown, counted, kept, called TO PUBLIC;
GRANT ALL ON ruled TO PUBLIC;

-- What calls functions unseen.
CREATE FUNCTION leak(int) RETURNS int LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER
  AS $$BEGIN RAISE NOTICE '%', (SELECT city FROM public.customers WHERE id = 2); RETURN $1; END$$;
CREATE FUNCTION told(notes) RETURNS text LANGUAGE sql SECURITY DEFINER
  AS 'SELECT city FROM public.customers WHERE id = 2';
CREATE FUNCTION told_anything(anyelement) RETURNS text LANGUAGE sql SECURITY DEFINER
  AS 'SELECT city FROM public.customers WHERE id = 2';
CREATE FUNCTION leak_same(text, text) RETURNS bool LANGUAGE plpgsql SECURITY DEFINER
  AS $$BEGIN RAISE NOTICE '%', (SELECT city FROM public.customers WHERE id = 2); RETURN true; END$$;
CREATE FUNCTION leak_json(int) RETURNS json LANGUAGE sql SECURITY DEFINER
  AS 'SELECT to_json(city) FROM public.customers WHERE id = $1';
CREATE FUNCTION leak_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  AS $$BEGIN RAISE NOTICE '%', (SELECT city FROM public.customers WHERE id = 2); RETURN NEW; END$$;
CREATE FUNCTION through() RETURNS text LANGUAGE sql AS 'SELECT peek()';
CREATE FUNCTION plain_sum(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 + $2';
CREATE OPERATOR === (FUNCTION = leak_same, LEFTARG = text, RIGHTARG = text);
CREATE SCHEMA aside;
GRANT USAGE ON SCHEMA aside TO PUBLIC;
CREATE OPERATOR aside.==== (FUNCTION = public.leak_same, LEFTARG = text, RIGHTARG = text);
CREATE DOMAIN small AS int CHECK (leak(VALUE) IS NOT NULL);
CREATE DOMAIN smaller AS small;
CREATE DOMAIN smallest AS text CHECK (VALUE < 'x');
CREATE TYPE pair AS (a int, b small);
CREATE CAST (int AS json) WITH FUNCTION leak_json(int) AS ASSIGNMENT;
CREATE TABLE jsonic (j json);
CREATE TABLE defaulted (id int DEFAULT leak(1), note text);
CREATE TABLE triggered (id int, note text);
CREATE TRIGGER watch BEFORE INSERT OR UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION leak_row();
CREATE VIEW over_triggered AS SELECT * FROM triggered;
CREATE TABLE checked (id int CHECK (leak(id) IS NOT NULL));
CREATE TABLE computed (id int, twice int GENERATED ALWAYS AS (leak(id)) STORED);
CREATE TABLE indexed (id int, note text);
CREATE INDEX by_leak ON indexed (leak(id));
CREATE TABLE guarded (id int);
INSERT INTO guarded VALUES (1);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded USING (leak(id) IS NOT NULL);
CREATE TABLE related (id int);
INSERT INTO related VALUES (1), (2);
ALTER TABLE related ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON related USING (EXISTS (SELECT FROM customers c WHERE c.id = related.id AND c.city > 'M'));
CREATE TABLE typed (id small);
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent VALUES (1);
CREATE TABLE child (id int REFERENCES parent ON DELETE CASCADE);
INSERT INTO child VALUES (1);
CREATE TRIGGER gone BEFORE DELETE ON child FOR EACH ROW EXECUTE FUNCTION leak_row();
CREATE TABLE split (id int) PARTITION BY RANGE (leak(id));
CREATE TABLE whole (id int) PARTITION BY RANGE (id);
CREATE TABLE whole_1 PARTITION OF whole FOR VALUES FROM (0) TO (9);
CREATE TRIGGER watch BEFORE INSERT ON whole_1 FOR EACH ROW EXECUTE FUNCTION leak_row();
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE far (id int) SERVER elsewhere;
CREATE VIEW over_far AS SELECT * FROM far;
CREATE VIEW over_domain AS SELECT 1::small AS s;
GRANT ALL ON jsonic, defaulted, triggered, over_triggered, checked, computed, indexed, guarded, related, typed, parent,
  child, split, whole, whole_1, far, over_far, over_domain TO PUBLIC;
"""
