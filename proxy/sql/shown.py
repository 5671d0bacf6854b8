"""The subquery that stands in a catalog's place: the same columns, in the same order and of the same types.

Rows about protected tables are corrected by a join with constants, or left out; the rest are PostgreSQL's own rows, so
its indexes serve as before.  Names inside begin with `fg_`, which no name of a client's statement here does.
"""

# ruff: noqa: S608 (what is put together here are names and numbers of the catalog, quoted where they could be text)

from __future__ import annotations

from .fragments import dotted, quoted
from .structure import Hidden, Shown

# Of every relation, whatever it is: sizes are protected (I3), and whoever asks is told what PostgreSQL says of a table
# that was never analysed.
SIZES = {"relpages": "0", "reltuples": "-1", "relallvisible": "0", "relallfrozen": "0"}


def shown_sql(shown: Shown, system_columns: tuple[str, ...] = ()) -> str:
    """With brackets; `system_columns` are put behind the others."""
    targets = [_target(shown, name, type_name) for name, type_name in shown.columns]
    targets += [f"fg_t.{name}" for name in system_columns]
    conditions = [condition for hidden in shown.hidden for condition in _left_out(shown, hidden)]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"(SELECT {', '.join(targets)} FROM {dotted('pg_catalog', shown.name)} AS fg_t{_join(shown)}{where})"


def _target(shown: Shown, name: str, type_name: str) -> str:
    if shown.name == "pg_class" and name in SIZES:
        return f"CAST({SIZES[name]} AS {type_name}) AS {quoted(name)}"
    own = f"fg_t.{quoted(name)}"
    if shown.rows and name in shown.changed:
        return f"COALESCE(fg_v.fg_c{shown.changed.index(name)}, {own}) AS {quoted(name)}"
    return own


def _join(shown: Shown) -> str:
    if not shown.rows:
        return ""
    names = [f"fg_k{n}" for n in range(len(shown.key))] + [f"fg_c{n}" for n in range(len(shown.changed))]
    types = dict(shown.columns)
    values = values_sql([types[name] for name in (*shown.key, *shown.changed)], shown.rows)
    match = " AND ".join(f"fg_v.fg_k{n} = fg_t.{quoted(name)}" for n, name in enumerate(shown.key))
    return f" LEFT JOIN ({values}) AS fg_v ({', '.join(names)}) ON {match}"


def values_sql(types: list[str], rows: tuple[tuple[str | None, ...], ...]) -> str:
    """VALUES whose first row gives the columns their types; it is all NULL, so it matches nothing."""
    typed = ", ".join(f"CAST(NULL AS {name})" for name in types)
    return ", ".join([f"VALUES ({typed})", *(f"({', '.join(map(literal, row))})" for row in rows)])


def _left_out(shown: Shown, hidden: Hidden) -> list[str]:
    if not hidden.keys:
        return []
    types = dict(shown.columns)
    if len(hidden.columns) == 1:
        [column] = hidden.columns
        numbers = ",".join(str(key[0]) for key in hidden.keys)
        return [f"fg_t.{quoted(column)} <> ALL ('{{{numbers}}}'::{types[column]}[])"]
    names = ", ".join(f"fg_t.{quoted(column)}" for column in hidden.columns)
    first, *others = hidden.keys
    typed = ", ".join(f"CAST({n} AS {types[column]})" for n, column in zip(first, hidden.columns, strict=True))
    rest = "".join(f", ({', '.join(literal(str(n)) for n in key)})" for key in others)
    return [f"({names}) NOT IN (VALUES ({typed}){rest})"]


def literal(value: str | None) -> str:
    """A string constant that means the same whatever the session's settings are."""
    if value is None:
        return "NULL"
    quotes = value.replace("'", "''")
    return f"'{quotes}'" if "\\" not in value else "E'" + quotes.replace("\\", "\\\\") + "'"
