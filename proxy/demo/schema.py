"""The physical schema of `shop`, derived from the logical one and the data map.

Each sealed column becomes what `proxy.sealing.ddl` makes of it, in its place; its term column stands at the end of the
table, so that the logical columns keep their positions; UNIQUE and indexes on a sealed column stand on its term, under
the names that they would have on the column itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

from policies.fields import DataMap, Field, ProtectedTable
from proxy.errors import ConfigError
from proxy.sealing import ddl

_TABLE = re.compile(r"^CREATE TABLE (\w+) \(\n(.*?)\n\);$", re.DOTALL | re.MULTILINE)
_INDEX = re.compile(r"^CREATE INDEX \w+ ON (\w+) \((\w+)\);$", re.MULTILINE)
_COLUMN = re.compile(r"^    (?P<name>\w+) (?P<type>\w+(?:\([\d,]+\))?)(?P<constraints>.*?),?$")


def logical_schema() -> str:
    return files("proxy.demo").joinpath("shop.sql").read_text(encoding="utf-8")


def physical_schema(logical: str, data_map: DataMap, heads: Mapping[str, frozenset[bytes]]) -> str:
    """SQL for an empty database.  `heads` are the envelope heads that may be written now, by field id.

    Raises ConfigError where the schema and the data map contradict each other.
    """
    tables = {table: data_map.tables.get(("public", table)) for table, _ in _TABLE.findall(logical)}
    text = _TABLE.sub(lambda found: _table(found[1], found[2], tables[found[1]], heads), logical)
    named = {found for found in _INDEX.findall(logical) if _sealed(tables[found[0]], found[1])}
    text = _INDEX.sub(lambda found: _on_term(found[0], _sealed(tables[found[1]], found[2])), text)
    indexes = [f"{made};" for table in tables.values() if table for made in _own_indexes(table, named)]
    return "\n".join([text, *indexes, ""])


def _table(name: str, body: str, table: ProtectedTable | None, heads: Mapping[str, frozenset[bytes]]) -> str:
    lines, tail = [], []
    for line in body.splitlines():
        found = _COLUMN.match(line)
        if found is None:
            raise ConfigError(f"shop.sql: a line of table {name} is not one column")
        field = _sealed(table, found["name"])
        if field is None:
            lines.append(line.strip().removesuffix(","))
        else:
            _agree(field, found["type"], found["constraints"])
            unique = f"{name}_{field.column}_key"  # as PostgreSQL names it
            column, *terms = ddl.table_elements(field, heads[ddl.sealing_of(field).field_id], unique)
            lines.append(column)
            tail.extend(terms)
    elements = ",\n    ".join((*lines, *tail))
    return f"CREATE TABLE {name} (\n    {elements}\n);"


def _sealed(table: ProtectedTable | None, column: str) -> Field | None:
    field = table.fields.get(column) if table is not None else None
    return field if field is not None and field.sealing is not None else None


def _on_term(statement: str, field: Field | None) -> str:
    return statement if field is None else statement.replace(f"({field.column})", f"({ddl.term_column(field)})")


def _own_indexes(table: ProtectedTable, named: set[tuple[str, str]]) -> list[str]:
    """What the logical schema has no index for: tokens, and the terms of fields that it does not index."""
    sealed = [field for field in table.fields.values() if field.sealing is not None]
    terms = [index for field in sealed if (field.table, field.column) not in named for index in ddl.term_indexes(field)]
    return [*terms, *(index for field in sealed for index in ddl.token_indexes(field))]


def _agree(field: Field, type_name: str, constraints: str) -> None:
    """What the developer declared is what the data map says about the logical column."""
    sealing = ddl.sealing_of(field)
    declared = ("NOT NULL" in constraints, "UNIQUE" in constraints, type_name.split("(")[0])
    if declared != (sealing.not_null, sealing.unique, sealing.logical_type.value):
        raise ConfigError(f"{field.name}: its type, NOT NULL or UNIQUE in shop.sql is not that of the data map")
