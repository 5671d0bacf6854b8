"""The table of a COPY and its columns, in the order that COPY has them."""

from __future__ import annotations

from proxy.errors import Refused, SqlState, Unsupported

from .catalog import Column, Relation
from .name_errors import unknown_column
from .relations import Reach, closed, find_relation, reach_of
from .scope import is_hidden
from .statement import Request
from .tree import Node, string


def copied_relation(request: Request, body: Node) -> Relation:
    """Raises Refused where the name is not certain, or is none of a protected relation."""
    relation = find_relation(request.catalog, body["relation"], request.search_path, None)
    if relation is None or reach_of(relation) is Reach.NONE:
        raise Unsupported("the table of this COPY is not certain", hint="Write it with its schema.")
    if reach_of(relation) is Reach.CLOSED:
        raise closed(relation, None)
    return relation


def copied_columns(relation: Relation, body: Node) -> list[Column]:
    """Those that the client lists, else all that are not generated.  What is ours has no name here."""
    if "attlist" not in body:
        return [c for c in relation.columns if not c.generated and not is_hidden(c.name)]
    columns: list[Column] = []
    for name in map(string, body["attlist"]):
        column = relation.column(name)
        if column is None or is_hidden(name):
            raise unknown_column(name, None)
        if column.generated:
            raise Refused(
                f'column "{name}" is a generated column',
                sqlstate=SqlState.INVALID_COLUMN_REFERENCE,
                detail="Generated columns cannot be used in COPY.",
            )
        if column in columns:
            raise Refused(f'column "{name}" specified more than once', sqlstate=SqlState.DUPLICATE_COLUMN)
        columns.append(column)
    return columns
