"""Indexes and unique constraints of a column that is being sealed, made again on its term column.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .ddl import quote


@dataclass(frozen=True, slots=True)
class Carried:
    """An index or unique constraint that will stand on the term column instead."""

    name: str
    constraint: bool
    unique: bool
    columns: tuple[str, ...]
    included: tuple[str, ...]
    method: str
    nulls_not_distinct: bool
    deferrable: bool
    deferred: bool


def carried_of(index: Any) -> Carried:
    """From a row of queries.INDEXES."""
    return Carried(
        name=index["name"],
        constraint=index["constraint"],
        unique=index["unique"],
        columns=tuple(index["columns"]),
        included=tuple(index["included"]),
        method=index["method"],
        nulls_not_distinct=index["nulls_not_distinct"],
        deferrable=index["deferrable"],
        deferred=index["deferred"],
    )


def carried_sql(table: str, column: str, term: str, carried: Carried) -> str:
    """The statement that makes an index or constraint again, on the term column in the column's place."""
    columns = ", ".join(quote(term if name == column else name) for name in carried.columns)
    included = f" INCLUDE ({', '.join(map(quote, carried.included))})" if carried.included else ""
    nulls = " NULLS NOT DISTINCT" if carried.nulls_not_distinct else ""
    if carried.constraint:
        deferrable = " DEFERRABLE" if carried.deferrable else ""
        deferred = " INITIALLY DEFERRED" if carried.deferred else ""
        return (
            f"ALTER TABLE {table} ADD CONSTRAINT {quote(carried.name)} UNIQUE{nulls} ({columns}){included}"
            f"{deferrable}{deferred}"
        )
    unique = "UNIQUE " if carried.unique else ""
    return f"CREATE {unique}INDEX {quote(carried.name)} ON {table} USING {carried.method} ({columns}){included}{nulls}"
