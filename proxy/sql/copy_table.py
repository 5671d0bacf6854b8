"""What a COPY names: its table, its columns in the order that COPY has them, and what the query inside touches."""

from __future__ import annotations

from proxy.errors import Refused, SqlState, Unsupported

from .catalog import Column, Relation
from .edits import SqlText
from .name_errors import unknown_column
from .relations import Reach, closed, find_relation, reach_of
from .scope import is_hidden
from .statement import Request
from .system_catalogs import show_catalogs
from .touch import Findings, look
from .tree import Node, RawStatement, string


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


def look_inside(request: Request, query: RawStatement, source: bytes) -> Findings:
    """Sizes that catalogs hold are protected, unless the catalogs are replaced by what they are to show."""
    found = look(request.catalog, query.kind, query.body, request.search_path, scripted=request.scripted)
    if not show_catalogs(request.catalog, query.kind, query.body, found, SqlText(source)):
        found.refusal = found.refusal or found.sizes
    return found
