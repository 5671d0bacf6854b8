"""Before sealing: what the column is, what hangs on it, and whether all of that can be carried to a sealed column.

Closed by default: pg_depend names everything that depends on the column, and what is not known here to be carried is an
obstacle, told with its remedy before anything is changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policies.fields import Field, LogicalType, ProtectedTable

from . import queries
from .carry import Carried, carried_of
from .ddl import sealing_of
from .facts import Connection, fix_settings

# What row keys may be: proxy.rows.row_key.
_ROW_KEY_TYPES = frozenset({"int2", "int4", "int8", "uuid", "text", "varchar"})


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column of the primary key, or the row key that row-bound cells are bound to."""

    name: str
    type_name: str  # as format_type prints it, for a cast
    type_oid: int


@dataclass(frozen=True, slots=True)
class Survey:
    oid: int
    primary_key: tuple[KeyColumn, ...]
    row_key: KeyColumn | None
    carried: tuple[Carried, ...]
    user_triggers: tuple[str, ...]  # would fire for each row that the job fills
    obstacles: tuple[str, ...]


async def survey(connection: Connection, table: ProtectedTable, field: Field) -> Survey:
    """Reads the catalogs in the current transaction; an empty `obstacles` means that sealing may begin."""
    await fix_settings(connection)
    row = await connection.fetchrow(queries.TABLE, table.schema, table.table)
    if row is None:
        return Survey(0, (), None, (), (), ("the table does not exist",))
    column = await connection.fetchrow(queries.COLUMN, row["oid"], field.column)
    if column is None:
        return Survey(row["oid"], (), None, (), (), ("the column does not exist",))
    dependents = await connection.fetch(
        queries.DEPENDENTS, row["oid"], column["position"], f"fg_new_{sealing_of(field).field_id}"
    )
    indexes = await connection.fetch(queries.INDEXES, row["oid"], column["position"])
    keys = await connection.fetch(queries.KEYS, row["oid"], table.row_key)
    primary_key = tuple(_key(key) for key in keys if key["primary"])
    row_key = next((_key(key) for key in keys if key["row_key"]), None)
    obstacles = (
        *_table_obstacles(row),
        *_column_obstacles(field, column),
        *_key_obstacles(field, primary_key, next((k for k in keys if k["row_key"]), None)),
        *(f"{d['what']} depends on it: {d['remedy']}" for d in dependents),
        *(o for index in indexes for o in _index_obstacles(field, index)),
    )
    return Survey(
        oid=row["oid"],
        primary_key=primary_key,
        row_key=row_key,
        carried=tuple(carried_of(index) for index in indexes),
        user_triggers=tuple(row["triggers"]),
        obstacles=obstacles,
    )


def _key(row: Any) -> KeyColumn:
    return KeyColumn(row["name"], row["type_name"], row["type_oid"])


def _table_obstacles(row: Any) -> Iterator[str]:
    if row["kind"] != "r":
        yield "only ordinary tables can be sealed in place; a partitioned table, view or foreign table cannot yet"
    if row["inherits"]:
        yield "the table takes part in inheritance or partitioning"
    if row["rules"]:
        yield "the table has rules: drop them, or replace them by triggers"
    if not row["owned"]:
        yield "this login does not own the table"


def _column_obstacles(field: Field, column: Any) -> Iterator[str]:
    sealing = sealing_of(field)
    if column["kind"] == "d":
        yield f"its type is the domain {column['type_name']}, whose rules would be lost: change it to the base type"
    elif (column["type"], column["typmod"]) != (sealing.logical_type.value, sealing.typmod):
        yield f"it is {column['type_name']}, but the data map says another type or length"
    if column["not_null"] != sealing.not_null:
        yield "it is NOT NULL, but not in the data map" if column["not_null"] else "only the data map says NOT NULL"
    if column["generated"] or column["identity"]:
        yield "it is a generated or identity column"
    if column["has_default"]:
        yield "it has a default, which would be plaintext: ALTER TABLE ... ALTER COLUMN ... DROP DEFAULT"
    if not column["deterministic"]:
        yield (
            "its collation is nondeterministic, which no term follows: change it to a deterministic one, and say in the"
            " data map (`normaliser`) what is to count as equal"
        )
    if sealing.equality and sealing.logical_type is LogicalType.JSON:
        yield "PostgreSQL's json has no equality; jsonb has"


def _key_obstacles(field: Field, primary_key: tuple[KeyColumn, ...], row_key: Any) -> Iterator[str]:
    if not primary_key:
        yield "the table has no primary key, by which its rows could be told apart"
    if not sealing_of(field).row_bound:
        return
    if row_key is None:
        yield "it is bound to its row, but the table has no such row key"
    elif not row_key["not_null"] or row_key["type"] not in _ROW_KEY_TYPES:
        yield f"it is bound to its row, but {row_key['name']} may be NULL, or is of a type that cannot be a row key"


def _index_obstacles(field: Field, index: Any) -> Iterator[str]:
    sealing, name = sealing_of(field), index["name"]
    if index["primary"]:
        yield "it is part of the primary key"
        return
    if index["replica_identity"]:
        yield f"the index {name} is the table's replica identity: ALTER TABLE ... REPLICA IDENTITY"
    if not sealing.equality:
        yield f"the index {name} needs `equality` in the data map; or drop it"
    elif not index["plain"]:
        yield (
            f"the index {name} cannot be carried (only btree or hash over whole columns, in their own order and"
            " operator class, without condition, options or INCLUDE of this column): drop it"
        )
    elif index["unique"] and len(index["columns"]) == 1 and not sealing.unique:
        yield f"{name} makes it unique, but the data map does not say `unique`"
