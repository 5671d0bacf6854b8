"""Rows of PostgreSQL's catalogs about protected tables -> how these catalogs are to be shown.  Pure.

A sealed column gets its logical type; its term column is left out, and stands for the sealed column wherever an index
or a constraint names it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.fields import LogicalType, Sealing
from proxy.sql.catalog import Catalog
from proxy.sql.parameters import OIDS
from proxy.sql.structure import Respelling, Shown, Structure, System
from proxy.wire.oids import BYTEA

from .catalog_ours import PG_CLASS, Ours, Row, StructureRows
from .catalog_views import view_types

Values = tuple[str | None, ...]
Changes = tuple[tuple[str, ...], tuple[str, ...], list[Values]]  # key columns, changed columns, values of both

CATALOGS = (
    "pg_attribute",
    "pg_class",
    "pg_index",
    "pg_constraint",
    "pg_attrdef",
    "pg_depend",
    "pg_description",
    "pg_statistic_ext",
    "pg_trigger",
    "pg_proc",
)
_INFORMATION_SCHEMA = """attributes check_constraint_routine_usage check_constraints column_column_usage
column_domain_usage column_privileges column_udt_usage columns constraint_column_usage constraint_table_usage
data_type_privileges element_types key_column_usage parameters referential_constraints role_column_grants
role_routine_grants routine_column_usage routine_privileges routines table_constraints triggered_update_columns
triggers view_column_usage"""
VIEWS = (
    *(f"information_schema.{name}" for name in _INFORMATION_SCHEMA.split()),
    "pg_catalog.pg_indexes",
    "pg_catalog.pg_publication_tables",
)

_TEXT_LIKE = {OIDS[LogicalType.VARCHAR][0]: OIDS[LogicalType.TEXT][0]}  # has no operator class of its own


def structure_of(catalog: Catalog, rows: StructureRows, system: System) -> Structure:
    made = _Corrections(Ours(catalog, rows), rows, view_types(catalog))
    return Structure(
        {name: made.shown(name, columns) for name, columns in system.columns.items()},
        system,
        {"pg_get_indexdef": made.index_names(), "pg_get_constraintdef": made.constraint_names()},
    )


class _Corrections:
    """What is to be said differently, catalog by catalog."""

    def __init__(self, ours: Ours, rows: StructureRows, views: dict[tuple[int, int], tuple[int, int]]) -> None:
        self._views = views
        self._ours = ours
        self._tables = ours.tables
        self._rows = rows
        self._types = {row["oid"]: row for row in rows.types}
        self._classes = {(row["method"], row["type"]): row["oid"] for row in rows.classes}
        self._attributes = {(row["oid"], row["number"]): row for row in rows.attributes}
        self._indexes = [row for row in rows.indexes if row["oid"] not in ours.indexes]
        self._constraints = [row for row in rows.constraints if row["oid"] not in ours.constraints]

    def shown(self, name: str, columns: tuple[tuple[str, str], ...]) -> Shown:
        known = {column for column, _ in columns}
        changes: Changes = getattr(self, f"_{name}", _nothing)()
        key, changed, rows = changes
        hidden = tuple(each for each in self._ours.left_out(name) if each.keys and known.issuperset(each.columns))
        return Shown(name, columns, key, changed, tuple(sorted(rows, key=repr)), hidden)

    # -- rows that are said differently: the key, what changes, the values

    def _pg_attribute(self) -> Changes:
        found = [
            (str(oid), str(number), None, *self._sealed(sealing))
            for oid, table in sorted(self._tables.items())
            for number, sealing in sorted(table.sealed.items())
        ]
        found += [(str(oid), str(n), None, *self._logical(*logical)) for (oid, n), logical in self._views.items()]
        for index in self._indexes:
            found += self._index_attributes(index)
        changed = "attname atttypid attlen atttypmod attbyval attalign attstorage attcollation"
        return ("attrelid", "attnum"), tuple(changed.split()), found

    def _sealed(self, sealing: Sealing) -> Values:
        return self._logical(OIDS[sealing.logical_type][0], sealing.typmod)

    def _logical(self, type_oid: int, typmod: int) -> Values:
        row = self._types[type_oid]
        collation, by_value = str(row["collation"]), "t" if row["by_value"] else "f"
        return (
            str(row["oid"]), str(row["length"]), str(typmod), by_value, row["align"], row["storage"], collation,
        )  # fmt: skip

    def _index_attributes(self, index: Row) -> list[Values]:
        """An index's own columns carry the name and type of what they index."""
        table, found = self._tables[index["table"]], list[Values]()
        for place, number in enumerate(index["keys"], 1):
            column = table.term_of.get(number)
            own = self._attributes.get((index["oid"], place))
            if column is None or own is None:
                continue
            name = self._attributes[index["table"], column]["name"]
            logical = self._sealed(table.sealed[column]) if own["type"] == BYTEA else (None,) * 7
            found.append((str(index["oid"]), str(place), name, *logical))
        return found

    def _pg_class(self) -> Changes:
        checks = [row["table"] for row in self._rows.constraints if row["oid"] in self._ours.constraints]
        found: list[Values] = []
        for row in self._rows.tables:
            count = row["columns"]
            while self._ours.is_column(row["oid"], count):
                count -= 1
            own = sum(1 for table in checks if table == row["oid"])
            found.append((str(row["oid"]), str(count), str(row["checks"] - own)))
        return ("oid",), ("relnatts", "relchecks"), found

    def _pg_index(self) -> Changes:
        found: list[Values] = []
        for index in self._indexes:
            table = self._tables[index["table"]]
            if table.term_of.keys().isdisjoint(index["keys"]):
                continue
            keys = [table.term_of.get(number, number) for number in index["keys"]]
            collations, classes = list(index["collations"]), list(index["classes"])
            for place, (was, now) in enumerate(zip(index["keys"], keys, strict=True)):
                if was != now and place < len(classes):
                    type_row = self._types[OIDS[table.sealed[now].logical_type][0]]
                    type_oid = _TEXT_LIKE.get(type_row["oid"], type_row["oid"])
                    collations[place] = type_row["collation"]
                    classes[place] = self._classes.get((index["method"], type_oid), classes[place])
            found.append((str(index["oid"]), *(" ".join(map(str, each)) for each in (keys, collations, classes))))
        return ("indexrelid",), ("indkey", "indcollation", "indclass"), found

    def _pg_constraint(self) -> Changes:
        found: list[Values] = []
        for row in self._constraints:
            was = row["keys"], row["referenced_keys"]
            now = self._mapped(row["table"], was[0]), self._mapped(row["referenced"], was[1])
            if now != was:
                found.append((str(row["oid"]), *(_array(each) for each in now)))
        return ("oid",), ("conkey", "confkey"), found

    def _mapped(self, table: int, keys: Sequence[int] | None) -> list[int] | None:
        terms = self._tables[table].term_of if table in self._tables else {}
        return [terms.get(number, number) for number in keys] if keys is not None else None

    def _pg_depend(self) -> Changes:
        terms = [(oid, was, now) for oid, table in self._tables.items() for was, now in table.term_of.items()]
        found: list[Values] = [(str(PG_CLASS), str(oid), str(was), str(now)) for oid, was, now in sorted(terms)]
        return ("refclassid", "refobjid", "refobjsubid"), ("refobjsubid",), found

    # -- names in printed definitions

    def index_names(self) -> dict[int, tuple[Respelling, ...]]:
        found = {row["oid"]: self._names(row["table"], row["keys"]) for row in self._indexes}
        return {oid: names for oid, names in found.items() if names}

    def constraint_names(self) -> dict[int, tuple[Respelling, ...]]:
        """Of its columns, and of those that its index only includes."""
        found = {
            row["oid"]: self._names(row["table"], row["indexed"] or row["keys"])
            + self._names(row["referenced"], row["referenced_keys"])
            for row in self._constraints
        }
        return {oid: tuple(dict.fromkeys(names)) for oid, names in found.items() if names}

    def _names(self, table: int, keys: Sequence[int] | None) -> tuple[Respelling, ...]:
        terms = self._tables[table].term_of if table in self._tables else {}
        quoted = {number: self._attributes[table, number]["quoted"] for pair in terms.items() for number in pair}
        return tuple((_pattern(quoted[n]), quoted[terms[n]].replace("\\", "\\\\")) for n in keys or () if n in terms)


def _nothing() -> Changes:
    return (), (), []


def _pattern(name: str) -> str:
    """A regular expression for a name as PostgreSQL quotes it, and for nothing that only contains it."""
    escaped = re.sub(r"(\W)", r"\\\1", name)
    return escaped if name.startswith('"') else rf"\m{escaped}\M"


def _array(keys: Sequence[int] | None) -> str | None:
    return None if keys is None else "{" + ",".join(map(str, keys)) + "}"
