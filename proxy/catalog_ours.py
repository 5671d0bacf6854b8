"""What in PostgreSQL's catalogs is ours, about protected tables: columns, indexes, constraints, and what hangs on them.

Pure.  Ours are term columns and what they are generated from, the CHECK of an envelope, an index that is there for
terms alone, and what a sealing under way needs; all of that has names that begin with `fg_`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policies.fields import Sealing
from proxy.sql.catalog import Catalog, Relation
from proxy.sql.fragments import HIDDEN_PREFIX
from proxy.sql.structure import Hidden
from proxy.wire.oids import BYTEA

Row = Mapping[str, Any]

# OIDs of catalogs, as other catalogs name them (the server's sources fix them).
PG_CLASS = 1259
_OIDS = {
    "pg_class": PG_CLASS,
    "pg_proc": 1255,
    "pg_attrdef": 2604,
    "pg_constraint": 2606,
    "pg_trigger": 2620,
    "pg_statistic_ext": 3381,
}


@dataclass(frozen=True, slots=True)
class StructureRows:
    """What `proxy.structure_loader` reads."""

    tables: Sequence[Row]
    attributes: Sequence[Row]
    indexes: Sequence[Row]
    constraints: Sequence[Row]
    defaults: Sequence[Row]
    statistics: Sequence[Row]
    triggers: Sequence[Row]
    types: Sequence[Row]
    classes: Sequence[Row]


@dataclass(slots=True)
class Shape:
    """A protected table by its columns' numbers."""

    relation: Relation
    sealed: dict[int, Sealing] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    term_of: dict[int, int] = field(default_factory=dict)  # a term column's number -> its field's


def shape_of(relation: Relation) -> Shape:
    made = Shape(relation)
    numbers = {column.name: column.position for column in relation.columns}
    for column in relation.columns:
        found = relation.field_of(column.name)
        if column.name.startswith(HIDDEN_PREFIX):
            made.hidden.add(column.position)
        elif found is not None and found.sealing is not None and column.type_oid == BYTEA:
            made.sealed[column.position] = found.sealing
            if found.term_column in numbers:
                made.term_of[numbers[found.term_column]] = column.position
    return made


class Ours:
    """`tables` by OID; the rest are OIDs of what is not shown."""

    def __init__(self, catalog: Catalog, rows: StructureRows) -> None:
        self.tables = {oid: shape_of(each) for oid, each in catalog.relations.items() if each.protected is not None}
        self.columns = tuple((oid, n) for oid, table in sorted(self.tables.items()) for n in sorted(table.hidden))
        self.indexes = {row["oid"] for row in rows.indexes if self._serves_terms(row)}
        self.constraints = {row["oid"] for row in rows.constraints if self._is_check(row)}
        self._objects = {
            "pg_class": self.indexes,
            "pg_attrdef": {row["oid"] for row in rows.defaults if self.is_column(row["table"], row["number"])},
            "pg_constraint": self.constraints,
            "pg_statistic_ext": {row["oid"] for row in rows.statistics if self._counts(row)},
            "pg_trigger": {row["oid"] for row in rows.triggers},
            "pg_proc": {row["function"] for row in rows.triggers},
        }
        self._index_columns = tuple(
            (row["oid"], row["number"]) for row in rows.attributes if row["oid"] in self.indexes
        )

    def is_column(self, table: int, number: int) -> bool:
        return table in self.tables and number in self.tables[table].hidden

    def _serves_terms(self, index: Row) -> bool:
        """A unique index of ours is shown: it is a promise that the logical table makes, too."""
        table = self.tables[index["table"]]
        unknown = any(number in table.hidden and number not in table.term_of for number in index["keys"])
        return unknown or (index["name"].startswith(HIDDEN_PREFIX) and not index["unique"])

    def _is_check(self, constraint: Row) -> bool:
        if constraint["kind"] == "n":
            return self.is_column(constraint["table"], constraint["keys"][0])
        return constraint["kind"] == "c" and bool(constraint["name"].startswith(HIDDEN_PREFIX))

    def _counts(self, statistics: Row) -> bool:
        return any(self.is_column(statistics["table"], number) for number in statistics["keys"])

    def left_out(self, catalog: str) -> tuple[Hidden, ...]:
        """Rows of one catalog that are not shown."""
        objects = tuple((_OIDS[name], oid) for name, oids in self._objects.items() for oid in sorted(oids))
        columns = tuple((PG_CLASS, oid, number) for oid, number in self.columns)
        match catalog:
            case "pg_attribute":
                return (Hidden(("attrelid", "attnum"), self.columns + self._index_columns),)
            case "pg_index":
                return (Hidden(("indexrelid",), _single(self.indexes)),)
            case "pg_depend":
                mine = Hidden(("classid", "objid"), objects), Hidden(("classid", "objid", "objsubid"), columns)
                return (*mine, Hidden(("refclassid", "refobjid"), objects))
            case "pg_description":
                return Hidden(("classoid", "objoid"), objects), Hidden(("classoid", "objoid", "objsubid"), columns)
            case _:
                return (Hidden(("oid",), _single(self._objects.get(catalog, ()))),)


def _single(oids: Iterable[int]) -> tuple[tuple[int, ...], ...]:
    return tuple((oid,) for oid in sorted(oids))
