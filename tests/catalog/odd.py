"""A schema with one of everything that the catalogs must show rightly, plain and sealed, and its data map."""

from __future__ import annotations

from collections.abc import Mapping

from policies.fields import DataMap, Field, LogicalType, ProtectedTable, Sealing
from proxy.sealing import ddl

_TYPES = {
    "order": (LogicalType.VARCHAR, "varchar(40)", 44),
    "a": (LogicalType.INT2, "int2", -1),
    "b": (LogicalType.INT4, "int4", -1),
    "c": (LogicalType.INT8, "int8", -1),
    "d": (LogicalType.NUMERIC, "numeric(12,2)", (12 << 16 | 2) + 4),
    "e": (LogicalType.BOOL, "bool", -1),
    "f": (LogicalType.DATE, "date", -1),
    "g": (LogicalType.TIMESTAMP, "timestamp(3)", 3),
    "h": (LogicalType.TIMESTAMPTZ, "timestamptz", -1),
    "i": (LogicalType.INET, "inet", -1),
    "j": (LogicalType.UUID, "uuid", -1),
    "k": (LogicalType.JSON, "json", -1),
    "l": (LogicalType.JSONB, "jsonb", -1),
    "m": (LogicalType.BYTEA, "bytea", -1),
    'My "Name': (LogicalType.TEXT, "text", -1),
}


def _table(name: str, sealed: list[str], equality: str, plain: str = "id") -> ProtectedTable:
    fields = {column: Field("public", name, column, "pd.other") for column in plain.split()}
    for column in sealed:
        logical, _, typmod = _TYPES[column]
        number = f"{sum(map(ord, name + column)):032x}"
        found = column in equality.split() or (column == 'My "Name' and bool(equality))
        sealing = Sealing(number, logical, typmod, equality=found, unique=column == "order", not_null=column == "a")
        fields[column] = Field("public", name, column, "pd.other", sealing)
    return ProtectedTable("public", name, fields)


THINGS = _table("Odd one", list(_TYPES), "order a b c d e f g h i j l m")
OTHERS = _table("refers", ["order"], "order", "id note")
PARTS = _table("parts", ["b", 'My "Name'], "b", "id")
DATA_MAP = DataMap("shop", "odd", {("public", t.table): t for t in (THINGS, OTHERS, PARTS)})

# `{a}` is column a as an index or a constraint names it, `{things}` what CREATE TABLE says of all sealed columns.
_SCHEMA = """
CREATE TABLE "Odd one" (id int CONSTRAINT odd_pkey PRIMARY KEY, {things},
    CONSTRAINT odd_order_key UNIQUE ({order}), CONSTRAINT odd_a_id_key UNIQUE ({a}, id) INCLUDE ({b}),
    CONSTRAINT odd_check CHECK (id > 0){thing_terms});
CREATE TABLE refers (id int, note text DEFAULT 'x' NOT NULL, {others},
    CONSTRAINT refers_order_fkey FOREIGN KEY ({order}) REFERENCES "Odd one" ({order}) ON DELETE CASCADE{other_terms});
CREATE INDEX mixed ON "Odd one" (id DESC, {name} DESC NULLS LAST, {d}) INCLUDE ({c}) WHERE id > 7;
CREATE INDEX hashed ON "Odd one" USING hash ({i});
CREATE INDEX every ON "Odd one" ({e}, {f}, {g}, {h}, {j}, {l}, {m});
CREATE TABLE parts (id int, {parts}{part_terms}) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE INDEX parts_b_idx ON parts ({b}, {name});
CREATE VIEW seen AS SELECT o.id, o.d, o."My ""Name", o.b AS bee, o.g AS b, count(*) OVER () AS n FROM "Odd one" o
    WHERE o.id > 7;
CREATE VIEW seen_twice AS SELECT s.bee AS c, s.d, r.note FROM seen s LEFT JOIN refers r ON r.id = s.id;
CREATE VIEW harmless AS SELECT id FROM refers;
COMMENT ON COLUMN "Odd one".a IS 'about a';
COMMENT ON TABLE refers IS 'about refers';
"""
# What only the sealed one has, and nobody is to see.
_OURS = """
CREATE INDEX fg_unseen_idx ON refers (fg_order_eq);
COMMENT ON INDEX fg_unseen_idx IS 'unseen';
COMMENT ON COLUMN refers.fg_order_eq IS 'unseen';
CREATE STATISTICS unseen ON fg_a_eq, id FROM "Odd one";
ALTER INDEX "parts_1_fg_b_eq_fg_My ""Name_eq_idx" RENAME TO "parts_1_b_My ""Name_idx";
ALTER TABLE refers ADD fg_new_1 bytea CONSTRAINT fg_new_1_check CHECK (fg_new_1 IS NOT NULL);
CREATE INDEX on_new ON refers (fg_new_1);
CREATE FUNCTION fg_new_1() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER "~fg_new_1" BEFORE INSERT ON refers FOR EACH ROW EXECUTE FUNCTION fg_new_1();
"""


def schema(heads: Mapping[str, frozenset[bytes]] | None = None) -> str:
    """`heads` None: the plain one."""
    sealed = heads is not None
    terms = {name: f"fg_{name}_eq" if sealed else name for name in _TYPES}
    parts = {column: ddl.quote(term) for column, term in terms.items()}
    for key, table in (("things", THINGS), ("others", OTHERS), ("parts", PARTS)):
        fields = [field for field in table.fields.values() if field.sealing is not None]
        parts[key] = ", ".join(_column(field, heads) for field in fields)
        made = [f", {ddl.term_definition(field)}" for field in fields if field.term_column and sealed]
        parts[f"{key[:-1]}_terms"] = "".join(made)
    text = _SCHEMA.format(**parts, name=parts['My "Name'])
    return text + _OURS if sealed else text


def _column(field: Field, heads: Mapping[str, frozenset[bytes]] | None) -> str:
    sealing = ddl.sealing_of(field)
    if heads is not None:
        return ddl.column_definition(field, heads[sealing.field_id])
    return f"{ddl.quote(field.column)} {_TYPES[field.column][1]}{' NOT NULL' if sealing.not_null else ''}"
