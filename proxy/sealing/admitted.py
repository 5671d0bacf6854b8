"""Which cells a database takes now: the heads that a field's CHECKs admit, and its write fence if there is one (I7).

Keys are chosen by this before anything is verified, so what cannot be read here is left out and judged by `verify`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.fields import DataMap, Field

from .ddl import check_name, sealing_of
from .facts import Connection, TableFacts, read_tables
from .fences import write_fence_name
from .verify import admitted_heads


async def read_admitted(connection: Connection, data_map: DataMap) -> dict[str, frozenset[bytes]]:
    """By field id."""
    found = await read_tables(connection, data_map.tables)
    fields = (f for table in data_map.tables.values() for f in table.fields.values() if f.sealing is not None)
    return {sealing_of(field).field_id: _of_field(field, found) for field in fields}


def _of_field(field: Field, found: Mapping[tuple[str, str], tuple[TableFacts, ...]]) -> frozenset[bytes]:
    """What every table of the field takes: a write may go to any partition."""
    sets = list(_sets(field, found.get((field.schema, field.table), ())))
    return frozenset.intersection(*sets) if sets else frozenset()


def _sets(field: Field, members: tuple[TableFacts, ...]) -> Iterator[frozenset[bytes]]:
    sealing = sealing_of(field)
    for member in members:
        column, check = member.columns.get(field.column), member.checks.get(check_name(sealing))
        if column is not None and check is not None:
            yield frozenset(admitted_heads(check.definition, column, sealing) or ())
        fences = {head for name, head in member.fences.items() if name.startswith(f"~{write_fence_name(sealing)}_")}
        if fences:
            yield frozenset(fences)
