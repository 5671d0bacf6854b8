"""In what form fields stand in the database now, and the data map that follows from it.

A field with `state = "migrating"` is sealed exactly while a column of the database has its CHECK.  A field is searched
by the terms of the newest epoch whose column has its index, for all fields that share the term key: the index is made
when every cell has its term (I7).  The epoch of the search tokens that it is searched by stands in their column's name,
which changes when every cell has these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Any

from policies.fields import DataMap, Field, ProtectedTable, Sealing

Connection = Any  # asyncpg has no types that mypy can check

_CHECK = re.compile(r"fg_([0-9a-f]{32})(?:_.*)?")
_CHECKS = r"""
SELECT k.conname::pg_catalog.text FROM pg_catalog.pg_constraint k
WHERE k.contype = 'c' AND k.conrelid <> 0 AND k.conname LIKE 'fg\_%'
"""


def as_stored(data_map: DataMap, checks: Iterable[str]) -> DataMap:
    """`checks`: names of all CHECKs of the database, or of those that begin with fg_."""
    if not data_map.migrates:
        return data_map
    sealed = {found[1] for name in checks if (found := _CHECK.fullmatch(name))}
    return data_map.as_stored(sealed)


async def stored_forms(connection: Connection, data_map: DataMap) -> DataMap:
    if data_map.migrates:
        data_map = as_stored(data_map, [row[0] for row in await connection.fetch(_CHECKS)])
    return await as_searched(connection, data_map)


class TermColumn(IntEnum):
    """What a term column has, each more than the one before.  Of a token column only that it is there counts."""

    THERE = 0
    INDEXED = 1
    UNIQUE = 2


Terms = Mapping[tuple[str, str], Mapping[str, TermColumn]]  # by (schema, table) and the column's name


async def as_searched(connection: Connection, data_map: DataMap) -> DataMap:
    """With the epochs of the terms that fields are searched by."""
    found: dict[tuple[str, str], dict[str, TermColumn]] = {}
    for schema, table, column, kind in await connection.fetch(_TERMS):
        found.setdefault((schema, table), {})[column] = TermColumn(kind)
    return at_epochs(data_map, found)


def at_epochs(data_map: DataMap, found: Terms) -> DataMap:
    """The same, where fields are searched as these columns say."""
    return data_map.with_epochs(term_epochs(data_map, found), token_epochs(data_map, found))


def term_epochs(data_map: DataMap, found: Terms) -> dict[str, int]:
    """By field id.  The columns of other fields, and other columns, may stand in `found`, too."""
    shared: dict[str, list[tuple[str, dict[int, TermColumn]]]] = {}
    for field, sealing in _with_terms(data_map):
        epochs = _by_epoch(field.term_column_of(1), found.get((field.schema, field.table), {}))
        shared.setdefault(sealing.join_group or f"field:{sealing.field_id}", []).append((sealing.field_id, epochs))
        if not sealing.unique:
            continue
        for epoch, kind in epochs.items():
            if kind is TermColumn.INDEXED:
                epochs[epoch] = TermColumn.THERE  # its constraint is still to come
    chosen = {}
    for members in shared.values():
        ready = [{epoch for epoch, kind in epochs.items() if kind > TermColumn.THERE} for _, epochs in members]
        common = max(set.intersection(*ready), default=None)
        for (field_id, epochs), mine in zip(members, ready, strict=True):
            chosen[field_id] = common or max(mine, default=min(epochs, default=1))
    return chosen


def searched_alike(data_map: DataMap, tables: Iterable[ProtectedTable]) -> bool:
    """Whether the fields of these tables are searched by terms and tokens of the same epochs as the data map's."""
    now = {each.name: _searched(each) for table in data_map.tables.values() for each in table.fields.values()}
    fields = (each for table in tables for each in table.fields.values())
    return all(now.get(each.name, _searched(each)) == _searched(each) for each in fields)


def _searched(field: Field) -> tuple[int, int]:
    return field.term_epoch, field.token_epoch


def token_epochs(data_map: DataMap, found: Terms) -> dict[str, int]:
    """By field id, as `term_epochs`."""
    chosen = {}
    for field, sealing in _sealed(data_map):
        epochs = _by_epoch(field.token_column_of(1), found.get((field.schema, field.table), {}))
        if sealing.tokens:
            chosen[sealing.field_id] = max(epochs, default=1)
    return chosen


def _with_terms(data_map: DataMap) -> Iterator[tuple[Field, Sealing]]:
    return ((field, sealing) for field, sealing in _sealed(data_map) if sealing.equality)


def _sealed(data_map: DataMap) -> Iterator[tuple[Field, Sealing]]:
    for table in data_map.tables.values():
        for field in table.fields.values():
            if field.sealing is not None:
                yield field, field.sealing


def _by_epoch(first: str, columns: Mapping[str, TermColumn]) -> dict[int, TermColumn]:
    """The columns of each epoch that a field has; `first` is the name of the first one's."""
    later = re.compile(re.escape(first) + r"_([1-9][0-9]{0,8})")
    epochs = {int(match[1]): kind for name, kind in columns.items() if (match := later.fullmatch(name))}
    epochs.pop(1, None)
    return epochs if first not in columns else {1: columns[first], **epochs}


_TERMS = r"""
SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text, a.attname::pg_catalog.text,
       coalesce(max(CASE WHEN i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indexprs IS NULL THEN 2
                    ELSE 1 END) FILTER (WHERE i.indexrelid IS NOT NULL), 0)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i
  ON i.indrelid = c.oid AND i.indkey[0] = a.attnum AND i.indisvalid AND i.indisready AND i.indislive
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attname ~ '^fg_.+_(eq|tk)(_[0-9]+)?$'
GROUP BY 1, 2, 3
"""
