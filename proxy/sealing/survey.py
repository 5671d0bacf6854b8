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
from .ddl import checks_of, sealing_of, token_index_name
from .facts import Connection, fix_settings
from .memory import NONE, Traits, memory_name, recall

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
    traits: Traits = NONE


@dataclass(frozen=True, slots=True)
class SealedSurvey(Survey):
    """Of a column that is to be opened.  `checks` make it a sealed field; `traits` are those that it had before."""

    checks: tuple[str, ...] = ()
    remembered: bool = False


async def survey(connection: Connection, table: ProtectedTable, field: Field) -> Survey:
    """Reads the catalogs in the current transaction; an empty `obstacles` means that sealing may begin."""
    await fix_settings(connection)
    found = await _look(connection, table, field, f"fg_new_{sealing_of(field).field_id}")
    if isinstance(found, str):
        return Survey(0, (), None, (), (), (found,))
    column = found.column
    obstacles = (
        *_table_obstacles(found.row),
        *_column_obstacles(field, column),
        *_key_obstacles(field, found.primary_key, found.row_key_row),
        *(f"{d['what']} depends on it: {d['remedy']}" for d in found.dependents),
        *(o for index in found.indexes for o in _index_obstacles(field, index)),
    )
    traits = Traits(
        tuple(column["collation"]) if column["collation"] else None, column["storage"], column["compression"]
    )
    return Survey(
        oid=found.row["oid"],
        primary_key=found.primary_key,
        row_key=found.row_key,
        carried=tuple(carried_of(index) for index in found.indexes),
        user_triggers=tuple(found.row["triggers"]),
        obstacles=obstacles,
        traits=traits,
    )


async def survey_sealed(connection: Connection, table: ProtectedTable, field: Field) -> SealedSurvey:
    """The same for a column that holds cells; an empty `obstacles` means that it may be opened."""
    await fix_settings(connection)
    staged = f"fg_open_{sealing_of(field).field_id}"
    found = await _look(connection, table, field, staged)
    if isinstance(found, str):
        return SealedSurvey(0, (), None, (), (), (found,))
    oid, sealing = found.row["oid"], sealing_of(field)
    indexes = {index["name"]: index for index in found.indexes}
    depends = {d["what"]: d["remedy"] for d in found.dependents}
    for name in (field.term_column, field.token_column):
        column = await connection.fetchrow(queries.COLUMN, oid, name) if name is not None else None
        if column is not None:
            for index in await connection.fetch(queries.INDEXES, oid, column["position"]):
                indexes.setdefault(index["name"], index)
            more = await connection.fetch(queries.DEPENDENTS, oid, column["position"], staged, [])
            depends |= {d["what"]: d["remedy"] for d in more}
    memory = await connection.fetchrow(queries.MEMORY, oid, memory_name(field))
    kept = [index for name, index in indexes.items() if name != token_index_name(sealing)]
    obstacles = (
        *_table_obstacles(found.row),
        *_key_obstacles(field, found.primary_key, found.row_key_row),
        *(f"{what} depends on it: {remedy}" for what, remedy in depends.items()),
        *(f"the index {index['name']} cannot be carried: drop it" for index in kept if not index["plain"]),
    )
    return SealedSurvey(
        oid=oid,
        primary_key=found.primary_key,
        row_key=found.row_key,
        carried=tuple(carried_of(index) for index in kept),
        user_triggers=tuple(found.row["triggers"]),
        obstacles=obstacles,
        traits=recall(memory["said"]) if memory is not None else NONE,
        checks=tuple(checks_of(sealing, found.checks)),
        remembered=memory is not None,
    )


@dataclass(frozen=True, slots=True)
class _Look:
    row: Any
    column: Any
    checks: tuple[str, ...]
    dependents: tuple[Any, ...]
    indexes: tuple[Any, ...]
    primary_key: tuple[KeyColumn, ...]
    row_key_row: Any

    @property
    def row_key(self) -> KeyColumn | None:
        return _key(self.row_key_row) if self.row_key_row is not None else None


async def _look(connection: Connection, table: ProtectedTable, field: Field, staged: str) -> _Look | str:
    """What the catalogs say; or, in words, that there is nothing to look at."""
    row = await connection.fetchrow(queries.TABLE, table.schema, table.table)
    if row is None:
        return "the table does not exist"
    oid = row["oid"]
    column = await connection.fetchrow(queries.COLUMN, oid, field.column)
    if column is None:
        return "the column does not exist"
    checks = checks_of(sealing_of(field), row["checks"])
    ours = [name for name in (*checks, field.term_column, field.token_column) if name is not None] if checks else []
    keys = await connection.fetch(queries.KEYS, oid, table.row_key)
    return _Look(
        row,
        column,
        tuple(checks),
        tuple(await connection.fetch(queries.DEPENDENTS, oid, column["position"], staged, ours)),
        tuple(await connection.fetch(queries.INDEXES, oid, column["position"])),
        tuple(_key(key) for key in keys if key["primary"]),
        next((key for key in keys if key["row_key"]), None),
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
    if not sealing.equality and (index["holds"] or not index["plain"]):
        yield f"the index {name} needs `equality` in the data map; or drop it"
    elif not index["plain"]:
        yield (
            f"the index {name} cannot be carried (only btree or hash over whole columns, in their own operator class"
            " and collation, without INCLUDE of this column, and with no condition on it but IS [NOT] NULL): drop it"
        )
    elif index["unique"] and len(index["columns"]) == 1 and not sealing.unique:
        yield f"{name} makes it unique, but the data map does not say `unique`"
