"""How a field's terms are really distributed: numbers only, by the term column, which any reader of a copy has too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg

from policies.fields import DataMap, Field
from policies.leakage.entropy import ENOUGH_VALUES, LOW_BITS, min_entropy
from proxy.stored_forms import as_searched

Connection = Any  # asyncpg has no types that mypy can check


@dataclass(frozen=True, slots=True)
class Measured:
    """Either the numbers, or why there are none."""

    rows: int = 0
    values: int = 0  # not NULL
    distinct: int = 0
    most_frequent: int = 0
    unavailable: str | None = None

    @property
    def share(self) -> float:
        return self.most_frequent / self.values if self.values else 0.0

    @property
    def bits(self) -> float:
        """Min-entropy: how hard the best single guess is."""
        return min_entropy(self.most_frequent, self.values)

    @property
    def low(self) -> bool:
        return self.values >= ENOUGH_VALUES and self.bits < LOW_BITS

    @property
    def few(self) -> bool:
        """Too few values to say anything."""
        return self.values < ENOUGH_VALUES


async def measure(connection: Connection, data_map: DataMap) -> dict[str, Measured]:
    """By field name, for each field with an equality term.  Each reads its whole table once."""
    found: dict[str, Measured] = {}
    data_map = await as_searched(connection, data_map)
    for table in data_map.tables.values():
        for field in table.fields.values():
            if field.term_column is not None:
                found[field.name] = await _field(connection, field, field.term_column)
    return found


async def _field(connection: Connection, field: Field, term: str) -> Measured:
    try:
        row = await connection.fetchrow(
            f"SELECT coalesce(pg_catalog.sum(n), 0)::pg_catalog.int8 AS rows,"  # noqa: S608  names, quoted
            " coalesce(pg_catalog.sum(n) FILTER (WHERE term IS NOT NULL), 0)::pg_catalog.int8 AS values,"
            " pg_catalog.count(*) FILTER (WHERE term IS NOT NULL) AS distinct,"
            " coalesce(pg_catalog.max(n) FILTER (WHERE term IS NOT NULL), 0) AS most_frequent"
            f" FROM (SELECT t.{_quoted(term)} AS term, pg_catalog.count(*) AS n"
            f" FROM {_quoted(field.schema)}.{_quoted(field.table)} t GROUP BY t.{_quoted(term)}) AS counted",
        )
    except (asyncpg.UndefinedColumnError, asyncpg.UndefinedTableError):
        return Measured(unavailable="not sealed in this database yet")
    except asyncpg.PostgresError as error:
        return Measured(unavailable=f"the server does not answer ({error.sqlstate})")
    return Measured(row["rows"], row["values"], row["distinct"], row["most_frequent"])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
