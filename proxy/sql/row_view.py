"""The principal's own rows of a table, in place of the table.

OFFSET 0 keeps PostgreSQL from flattening the subquery, so that no function, operator or cast of the client's runs
over a row before the filter has let it through (I3).  The filter itself still finds the row by its index.
"""

from __future__ import annotations

from collections.abc import Collection

from policies.model import RowFilter

from .catalog import Catalog, Relation
from .fragments import dotted, null_of, quoted
from .plan import Slot, SlotKind
from .scope import is_hidden


def row_view(
    relation: Relation,
    names: Collection[str],
    row_filter: RowFilter,
    catalog: Catalog,
    *,
    only: bool = False,
    placed: bool = False,
) -> tuple[str | Slot, ...]:
    """`names`: the physical columns that the principal may use in some way, and no others.  `only`: no children.

    `placed`: a column alias list goes by places, so every column of the table stands in its own.
    """
    columns = ", ".join(_in_their_places(relation, names) if placed else map(quoted, names))
    table = ("ONLY " if only else "") + dotted(relation.schema, relation.name)
    return (f"(SELECT {columns} FROM {table} WHERE ", *own_rows(relation, row_filter, catalog), " OFFSET 0)")  # noqa: S608 - quoted names only


def _in_their_places(relation: Relation, names: Collection[str]) -> list[str]:
    """The table's columns, NULL for those that may not be used; terms behind them."""
    shown = [column.name for column in relation.columns if not is_hidden(column.name)]
    columns = [quoted(name) if name in names else f"{null_of('pg_catalog.text')} AS {quoted(name)}" for name in shown]
    return [*columns, *(quoted(name) for name in names if name not in shown)]


def own_rows(
    relation: Relation, row_filter: RowFilter, catalog: Catalog, alias: str | None = None
) -> tuple[str | Slot, ...]:
    """The condition; a principal without the attribute compares with NULL, so that no row is its own."""
    name = alias if alias is not None else relation.name
    column = relation.column(row_filter.column)
    kind = catalog.type_names.get(column.type_oid, "pg_catalog.text") if column is not None else "pg_catalog.text"
    slot = Slot(SlotKind.PRINCIPAL, attribute=row_filter.attribute)
    return (f"{dotted(name, row_filter.column)} OPERATOR(pg_catalog.=) ", slot, f"::pg_catalog.text::{kind}")
