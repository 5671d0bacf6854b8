"""Rows that a unique constraint on terms would not bear, found before anything is dropped.

Values that differ as they are written may have one term (a normaliser), and a field may become unique only now.
"""

# ruff: noqa: S608 (every name that is put into a statement is quoted by proxy/sealing/ddl.py)

from __future__ import annotations

from collections.abc import Iterator

from keys.envelope import HEAD_SIZE, TERM_SIZE

from .ddl import quote, sealing_of
from .errors import SealingFailed
from .facts import Connection
from .statements import Statements, new_column


async def refuse_duplicates(connection: Connection, statements: Statements) -> None:
    """Raises SealingFailed with a query that finds the rows; the rows' values are nobody's to print."""
    field = statements.field
    for tail in _groups(statements):
        count = await connection.fetchval(f"SELECT count(*) FROM (SELECT {tail}) AS d")
        if count:
            under = " and ".join(sealing_of(field).normalisers)
            raise SealingFailed(
                f"{field.name} is to be unique, but {count} of its values"
                + (f" (equal under {under})" if under else "")
                + " stand in several rows",
                detail=f"This finds their keys: SELECT {_keys(statements)} {tail}",
                hint="Change or remove the rows that are too many, and run the same command again.",
            )


def _groups(statements: Statements) -> Iterator[str]:
    """For each set of columns that is to be unique: FROM ... HAVING, with one group for each value that is not."""
    column = statements.field.column
    unique = [
        (c.columns, c.nulls_not_distinct, c.predicate)
        for c in statements.survey.carried
        if c.unique and column in c.columns
    ]
    whole = any(columns == (column,) and predicate is None for columns, _, predicate in unique)
    if sealing_of(statements.field).unique and not whole:
        unique.append(((column,), False, None))
    for columns, nulls_are_equal, predicate in unique:
        terms = [_term(statements) if name == column else f"t.{quote(name)}" for name in columns]
        where = "true" if nulls_are_equal else " AND ".join(f"{term} IS NOT NULL" for term in terms)
        among = f" AND {predicate}" if predicate is not None else ""
        yield f"FROM {statements.table} t WHERE {where}{among} GROUP BY {', '.join(terms)} HAVING count(*) > 1"


def _term(statements: Statements) -> str:
    return f"pg_catalog.substr(t.{quote(new_column(statements.field))}, {HEAD_SIZE + 1}, {TERM_SIZE})"


def _keys(statements: Statements) -> str:
    names = ", ".join(f"t.{quote(key.name)}" for key in statements.keys)
    return f"pg_catalog.array_agg({names if len(statements.keys) == 1 else f'ROW({names})'})"
