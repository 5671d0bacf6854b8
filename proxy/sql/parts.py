"""Who sees a table in parts, and what is left of the rights over its columns there.

Where someone may count and sum a column and not read it, each SELECT that groups or aggregates over its table sees the
table in parts (parts_view.py).  Rows are chosen there by the columns that the parts are made of and by nothing else: a
right to filter or join by another column, an order's number, would take single rows out of one figure and not out of
another.
"""

from __future__ import annotations

from policies.fields import ProtectedTable
from policies.model import Parts, TableRights, Verb
from proxy.errors import Unsupported

from . import functions
from .analysis import Analysis
from .catalog import Relation
from .fragments import dotted
from .parts_view import ROWS, PartedTable
from .row_view import own_rows
from .scope import Level
from .tree import Node, Nodes, strings

# A key as a text that differs wherever the value does, whatever DateStyle, extra_float_digits and their like say.
_AS_TEXT = "{}::pg_catalog.text"
_AS_SENT = "pg_catalog.{}({{}})::pg_catalog.text"
_TEXTS = {
    **dict.fromkeys((16, 17, 18, 19, 20, 21, 23, 25, 26, 650, 829, 869, 1042, 1043, 1700, 2950), _AS_TEXT),
    **{
        oid: _AS_SENT.format(send)
        for oid, send in (
            (700, "float4send"), (701, "float8send"), (1082, "date_send"), (1083, "time_send"), (1266, "timetz_send"),
            (1114, "timestamp_send"), (1184, "timestamptz_send"), (1186, "interval_send"),
        )
    },
}  # fmt: skip


def totals(body: Node) -> bool:
    """Whether a SELECT groups or aggregates, as far as what stands in it tells; groups.py refuses what is missed."""
    if "groupClause" in body or "havingClause" in body:
        return True
    return any(kind == "FuncCall" and _is_aggregate(node) for kind, node in _own_nodes(body))


def _is_aggregate(call: Node) -> bool:
    return strings(call["funcname"])[-1] in functions.AGGREGATES


def _own_nodes(body: Node) -> Nodes:
    """Of this SELECT, without those inside it."""
    found: Nodes = []
    pending: list[tuple[str, object]] = list(body.items())
    while pending:
        kind, current = pending.pop()
        if isinstance(current, list):
            pending += [(kind, item) for item in current]
        elif isinstance(current, dict) and kind != "SelectStmt":
            found.append((kind, current))
            pending += current.items()
    return found


def parts_for(a: Analysis, table: ProtectedTable, level: Level) -> Parts | None:
    """In what parts a SELECT at this level sees the table; None: row by row, which is for READ to decide."""
    rights = a.ledger.table(table)
    by_rows = a.copied or any(each.allows(Verb.READ) for each in rights.fields.values())
    return None if by_rows and not level.totals else rights.parts


def parted_table(a: Analysis, relation: Relation, parts: Parts, *, only: bool, position: int | None) -> PartedTable:
    """Raises Unsupported for a table that cannot be parted by these columns."""
    table = relation.protected
    assert table is not None  # noqa: S101 - the caller looked
    if only or (relation.schema, relation.name) != (table.schema, table.table):
        raise Unsupported(
            f'figures are shown over the whole of "{table.schema}.{table.table}", not over one of its partitions or '
            "children: two of them could be subtracted from one another",
            hint="Query the table itself.",
            position=position,
        )
    texts = tuple(_text(a, relation, column, position) for column in parts.columns)
    blurred = {name: n for n, column in enumerate(parts.columns, 1) for name in _columns_of(table, column)}
    rights = a.ledger.table(table)
    full = {*blurred, *relation.primary_key, *(column.name for column in relation.columns if column.not_null)}
    measures = tuple(c.name for c in relation.columns if c.name not in full and _is_measure(rights, c.name))
    own = own_rows(relation, rights.row_filter, a.catalog) if rights.row_filter is not None else ()
    return PartedTable(dotted(relation.schema, relation.name), parts, texts, blurred, measures, own)


def _columns_of(table: ProtectedTable, column: str) -> tuple[str, ...]:
    """The physical ones: a sealed column is shown by its cell and grouped by its term."""
    term = table.fields[column].term_column
    return (column,) if term is None else (column, term)


def _is_measure(rights: TableRights, column: str) -> bool:
    found = rights.fields.get(column)
    return found is not None and found.allows(Verb.AGGREGATE) and not found.allows(Verb.READ)


def _text(a: Analysis, relation: Relation, column: str, position: int | None) -> str:
    assert relation.protected is not None  # noqa: S101 - the caller looked
    name = relation.protected.fields[column].term_column or column
    found = relation.column(name)
    text = _TEXTS.get(found.type_oid) if found is not None else None
    if found is not None and found.type_oid in a.catalog.enums:
        text = _AS_TEXT
    if text is None:
        raise Unsupported(
            f'groups of "{relation.schema}.{relation.name}" can not be kept apart by its column "{column}": '
            + ("it is not there" if found is None else "values of its type are not told apart with certainty"),
            hint="Ask the operator: nobody may group by such a column in groups only.",
            position=position,
        )
    return text.format(dotted(ROWS, name))
