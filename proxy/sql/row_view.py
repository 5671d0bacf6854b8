"""The principal's own rows of a table, in place of the table.

OFFSET 0 keeps PostgreSQL from flattening the subquery, so that no function, operator or cast of the client's runs
over a row before the filter has let it through (I3).  The filter itself still finds the row by its index.
"""

from __future__ import annotations

from collections.abc import Collection

from policies.model import RowFilter

from .catalog import Catalog, Relation
from .fragments import dotted, quoted
from .plan import Slot, SlotKind


def row_view(
    relation: Relation, names: Collection[str], row_filter: RowFilter, catalog: Catalog, *, only: bool = False
) -> tuple[str | Slot, ...]:
    """`names`: the physical columns that the principal may use in some way, and no others.  `only`: no children."""
    columns = ", ".join(quoted(name) for name in names)
    table = ("ONLY " if only else "") + dotted(relation.schema, relation.name)
    return (f"(SELECT {columns} FROM {table} WHERE ", *own_rows(relation, row_filter, catalog), " OFFSET 0)")  # noqa: S608 - quoted names only


def own_rows(
    relation: Relation, row_filter: RowFilter, catalog: Catalog, alias: str | None = None
) -> tuple[str | Slot, ...]:
    """The condition; a principal without the attribute compares with NULL, so that no row is its own."""
    name = alias if alias is not None else relation.name
    column = relation.column(row_filter.column)
    kind = catalog.type_names.get(column.type_oid, "pg_catalog.text") if column is not None else "pg_catalog.text"
    slot = Slot(SlotKind.PRINCIPAL, attribute=row_filter.attribute)
    return (f"{dotted(name, row_filter.column)} OPERATOR(pg_catalog.=) ", slot, f"::pg_catalog.text::{kind}")
