"""A table in parts, in place of the table: what a row of a small group was grouped by is NULL there.

Contract: the rows of the table fall into parts, by what the view shows in `parts.columns`; each part has `least` rows
or more, and rows of one part cannot be told apart by these columns.  Whatever chooses rows by them chooses whole parts,
so every figure over the view, every sum of figures and every difference between them is over whole parts (docs/policy).

The columns are taken one after another.  Within what those before leave together, values with too few rows become NULL,
with those that are NULL already; and as long as these together are too few themselves, so does the next smallest value.
A measure that is not NULL in too few rows of a part is NULL in all of them.  A table of too few rows is empty.

The work is done over counts: one row for each combination of values that occurs, found again from each row of the table
by an array of texts, which is equal where both are NULL and can be hashed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from policies.model import Parts

from .fragments import dotted, null_of, quoted
from .plan import Slot

Pieces = tuple[str | Slot, ...]

ROWS = "fg_r"  # the table's alias
_CELLS, _KEY, _COUNT = "fg_c", "fg_k", "fg_n"


@dataclass(frozen=True, slots=True)
class PartedTable:
    """`name`: qualified and quoted.  `keys`: in the order of `parts.columns`, the column and SQL for a text that is
    another one wherever the value is; `blurred`: all the columns that follow a key, by the key's number (a sealed one
    has a term beside it).  `measures`: columns that may be NULL and are only counted or summed.
    """

    name: str
    parts: Parts
    keys: tuple[str, ...]
    blurred: Mapping[str, int]
    measures: tuple[str, ...]
    own_rows: Pieces = ()  # the condition that says which rows there are, if not all are the principal's


def parts_view(table: PartedTable, names: Collection[str], shown: Collection[str] = ()) -> Pieces:
    """A subquery in brackets.  `names`: the columns it has.  `shown`: not empty where a column alias list goes by
    places; then every one of these stands in its own place, as NULL if it is not among `names`.
    """
    placed = [*shown, *(name for name in names if name not in shown)] if shown else list(names)
    columns = ", ".join(_column(table, name) if name in names else _nothing(name) for name in placed)
    rows = _rows(table, names)
    match = f"{_CELLS}.{_KEY} OPERATOR(pg_catalog.=) {_key(table)}"
    end = f") AS {_CELLS} ON {match} OFFSET 0)"
    return (f"(SELECT {columns} FROM ", *rows, f" AS {ROWS} JOIN (", *_cells(table, rows), end)  # noqa: S608 - quoted names


def _rows(table: PartedTable, names: Collection[str]) -> Pieces:
    if not table.own_rows:
        return (table.name,)
    return (f"(SELECT {', '.join(map(quoted, names))} FROM {table.name} WHERE ", *table.own_rows, ")")  # noqa: S608 - quoted names


def _column(table: PartedTable, name: str) -> str:
    column = dotted(ROWS, name)
    if name in table.blurred:
        return f"CASE WHEN {_CELLS}.fg_s{table.blurred[name]} THEN {column} END AS {quoted(name)}"
    if name in table.measures:
        return f"CASE WHEN {_CELLS}.fg_v{table.measures.index(name)} THEN {column} END AS {quoted(name)}"
    return column


def _nothing(name: str) -> str:
    return f"{null_of('pg_catalog.text')} AS {quoted(name)}"


def _key(table: PartedTable) -> str:
    """By bytes, whatever collations the columns have: several would not agree on one for the array."""
    keys = ", ".join(f'{key} COLLATE pg_catalog."C"' for key in table.keys)
    return f"ARRAY[{keys}]::pg_catalog.text[]"


def _cells(table: PartedTable, rows: Pieces) -> Pieces:
    """One row for each combination of the columns' values: its key, and for each column whether its value is shown."""
    counts = "".join(
        f", pg_catalog.count({dotted(ROWS, name)}) AS fg_x{n}" for n, name in enumerate(table.measures)
    )  # fmt: skip
    counted = f"SELECT {_key(table)} AS {_KEY}, pg_catalog.count(*) AS {_COUNT}{counts} FROM "  # noqa: S608 - quoted names
    text = f"SELECT *, pg_catalog.sum({_COUNT}) OVER () AS fg_all FROM ("  # noqa: S608 - names of ours
    end = f" AS {ROWS} GROUP BY 1) AS fg_0"
    for number in range(1, len(table.keys) + 1):
        text, end = f"{_shown(table, number)} ({_sizes(number)} ({text}", f"{end}) AS fg_a) AS fg_b"
    path = _partition(len(table.keys))
    enough = "".join(
        f", pg_catalog.sum(fg_x{n}) OVER ({path}) OPERATOR(pg_catalog.>=) {table.parts.least} AS fg_v{n}"
        for n in range(len(table.measures))
    )
    last = f" WHERE fg_all OPERATOR(pg_catalog.>=) {table.parts.least}"
    return (f"SELECT *{enough} FROM ({text}{counted}", *rows, f"{end}) AS fg_d{last}")  # noqa: S608 - names of ours


def _sizes(number: int) -> str:
    """`fg_m`: how many rows have this value, among those that the columns before leave together; 0 for NULL."""
    value = f"{_KEY}[{number}]"
    among = _partition(number - 1, value)
    return (
        f"SELECT *, CASE WHEN {value} IS NULL THEN 0 ELSE pg_catalog.sum({_COUNT}) OVER ({among}) END "
        f"AS fg_m{number} FROM"
    )


def _shown(table: PartedTable, number: int) -> str:
    """`fg_s`: the value stays.  It must be large enough, and if any other is not, those before it must be together."""
    size, least, among = f"fg_m{number}", table.parts.least, _partition(number - 1)
    order = f"{among} ORDER BY {size}, {_KEY}[{number}]".strip()
    return (
        f"SELECT *, {size} OPERATOR(pg_catalog.>=) {least} "
        f"AND (pg_catalog.min({size}) OVER ({among}) OPERATOR(pg_catalog.>=) {least} "
        f"OR pg_catalog.sum({_COUNT}) OVER ({order}) OPERATOR(pg_catalog.-) {size} OPERATOR(pg_catalog.>=) {least}) "
        f"AS fg_s{number} FROM"
    )


def _partition(keys: int, *more: str) -> str:
    """What the first `keys` columns leave together."""
    path = [f"CASE WHEN fg_s{n} THEN {_KEY}[{n}] END" for n in range(1, keys + 1)]
    return f"PARTITION BY {', '.join((*path, *more))}" if path or more else ""
