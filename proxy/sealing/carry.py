"""Indexes and unique constraints of a column that changes its form, made again on what takes its place.  Pure.

Sealing takes them from the plain column to its term column, unsealing back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .ddl import qualified, quote

_DESCENDING, _NULLS_FIRST = 1, 2  # bits of pg_index.indoption


@dataclass(frozen=True, slots=True)
class Carried:
    """An index or unique constraint.  `predicate` is SQL that asks of the column at most whether it is NULL."""

    name: str
    constraint: bool
    unique: bool
    columns: tuple[str, ...]
    included: tuple[str, ...]
    method: str
    nulls_not_distinct: bool
    deferrable: bool
    deferred: bool
    orders: tuple[int, ...] = ()  # pg_index.indoption of each of `columns`
    predicate: str | None = None
    options: tuple[str, ...] = ()  # storage parameters, `name=value`
    tablespace: str | None = None
    clustered: bool = False
    comment: str | None = None
    remark: str | None = None  # the comment of the constraint itself


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
        orders=tuple(index["orders"]),
        predicate=index["predicate"],
        options=tuple(index["options"]),
        tablespace=index["tablespace"],
        clustered=index["clustered"],
        comment=index["comment"],
        remark=index["remark"],
    )


def carried_sql(schema: str, table: str, column: str, place: str, carried: Carried) -> tuple[str, ...]:
    """The statements that make an index or constraint again, `place` in the column's place."""
    name, on = quote(carried.name), qualified(schema, table)
    made = [
        _constraint(name, on, column, place, carried)
        if carried.constraint
        else _index(name, on, column, place, carried)
    ]
    if carried.clustered:
        made.append(f"ALTER TABLE {on} CLUSTER ON {name}")
    if carried.comment is not None:
        made.append(f"COMMENT ON INDEX {qualified(schema, carried.name)} IS {literal(carried.comment)}")
    if carried.remark is not None:
        made.append(f"COMMENT ON CONSTRAINT {name} ON {on} IS {literal(carried.remark)}")
    return tuple(made)


def _index(name: str, on: str, column: str, place: str, carried: Carried) -> str:
    unique = "UNIQUE " if carried.unique else ""
    nulls = " NULLS NOT DISTINCT" if carried.nulls_not_distinct else ""
    space = f" TABLESPACE {quote(carried.tablespace)}" if carried.tablespace is not None else ""
    where = f" WHERE {carried.predicate}" if carried.predicate is not None else ""
    return (
        f"CREATE {unique}INDEX {name} ON {on} USING {carried.method} {_columns(column, place, carried)}"
        f"{_included(carried)}{nulls}{_options(carried)}{space}{where}"
    )


def _constraint(name: str, on: str, column: str, place: str, carried: Carried) -> str:
    nulls = " NULLS NOT DISTINCT" if carried.nulls_not_distinct else ""
    deferrable = " DEFERRABLE" if carried.deferrable else ""
    deferred = " INITIALLY DEFERRED" if carried.deferred else ""
    space = f" USING INDEX TABLESPACE {quote(carried.tablespace)}" if carried.tablespace is not None else ""
    return (
        f"ALTER TABLE {on} ADD CONSTRAINT {name} UNIQUE{nulls} {_columns(column, place, carried)}{_included(carried)}"
        f"{_options(carried)}{space}{deferrable}{deferred}"
    )


def _columns(column: str, place: str, carried: Carried) -> str:
    orders = carried.orders or (0,) * len(carried.columns)
    made = (
        quote(place if name == column else name) + _order(order)
        for name, order in zip(carried.columns, orders, strict=True)
    )
    return f"({', '.join(made)})"


def _order(order: int) -> str:
    """ASC has its NULLs last, DESC first, unless it is said otherwise."""
    descending, first = bool(order & _DESCENDING), bool(order & _NULLS_FIRST)
    nulls = "" if descending == first else " NULLS FIRST" if first else " NULLS LAST"
    return (" DESC" if descending else "") + nulls


def _included(carried: Carried) -> str:
    return f" INCLUDE ({', '.join(map(quote, carried.included))})" if carried.included else ""


def _options(carried: Carried) -> str:
    if not carried.options:
        return ""
    pairs = (option.partition("=") for option in carried.options)
    return f" WITH ({', '.join(f'{quote(key)} = {literal(value)}' for key, _, value in pairs)})"


def literal(text: str) -> str:
    """A string constant, whatever standard_conforming_strings says."""
    doubled = text.replace("\\", "\\\\").replace("'", "''")
    return f"{'E' if doubled.count(chr(92)) else ''}'{doubled}'"
