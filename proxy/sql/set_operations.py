"""UNION, INTERSECT, EXCEPT.

UNION ALL puts rows side by side, so cells of one field stay cells of that field.  The others compare whole rows, and
cells of equal values differ: sealed columns are refused there.
"""

from __future__ import annotations

from policies.fields import Field
from policies.model import NO_VERBS, Verb
from proxy.errors import Refused, SqlState, Unsupported

from .analysis import READING, Analysis, Item, QueryRole, Use
from .scope import Origin, Scope
from .sorting import walk_output_order
from .tree import Node
from .values import value_of

_NESTED = {QueryRole.TOP: QueryRole.BRANCH}
_LIMIT = Use(NO_VERBS, predicate=True, what="LIMIT")


def walk_set_operation(a: Analysis, body: Node, scope: Scope, role: QueryRole) -> list[Item]:
    operation = body["op"].removeprefix("SETOP_")
    keeps_all = operation == "UNION" and bool(body.get("all"))
    inner = _NESTED.get(role, role)
    left = a.query(a, body["larg"], scope, inner)
    known = a.left_side.pop(id(body), None)
    if known is not None:
        known(left)
    right = a.query(a, body["rarg"], scope, inner)
    if any(item.unknown for item in (*left, *right)) or len(left) != len(right):
        raise Refused(f"each {operation} query must have the same number of columns", sqlstate=SqlState.SYNTAX_ERROR)
    if role is QueryRole.STORED:  # what is stored is not walked by the select list
        for item in (*left, *right):
            if item.node is not None and value_of(item.node) is not None:
                a.walk(a, item.node, item.scope, READING)
    items = [
        _combined(a, one, other, operation, scope, keeps_all=keeps_all) for one, other in zip(left, right, strict=True)
    ]
    walk_output_order(a, body.get("sortClause", []), items, scope)
    for clause in ("limitCount", "limitOffset"):
        a.walk(a, body.get(clause, {}), scope, _LIMIT)
    return items


def _combined(a: Analysis, one: Item, other: Item, operation: str, scope: Scope, *, keeps_all: bool) -> Item:
    mine, theirs = one.origin, other.origin
    if not keeps_all:
        for item in (one, other):
            if item.origin.cell is not None:
                raise Unsupported(
                    f'the sealed column "{item.origin.cell.name}" can not be compared by {operation}',
                    hint="Use UNION ALL, and DISTINCT where the rows are read.",
                    position=item.position,
                )
            a.charge(item.origin, Verb.GROUP, item.position)
    cell = _common_cell(one, other)
    columns = tuple(dict.fromkeys(mine.columns + theirs.columns))
    origin = Origin(
        columns,
        exact=cell is not None,
        cell=cell,
        released=mine.released and theirs.released,
        pending=mine.pending + theirs.pending,
    )
    return Item(one.name, origin, scope, position=one.position, text_cast=one.text_cast)


def _common_cell(one: Item, other: Item) -> Field | None:
    """Both sides hold cells of one field, or one of them a constant NULL; any other mixture is refused."""
    cells = [item.origin.cell for item in (one, other) if item.origin.cell is not None]
    if not cells:
        return None
    nulls = [item for item in (one, other) if item.origin.cell is None and _is_null(item)]
    same = len(cells) == 2 and cells[0].sealing == cells[1].sealing
    bound = any(cell.sealing is not None and cell.sealing.row_bound for cell in cells)
    if bound or not (same or (len(cells) == 1 and nulls)):
        raise Unsupported(
            f'the sealed column "{cells[0].name}" can not stand in one column with something else',
            hint="Select the same sealed column in both queries, or query twice.",
            position=one.position,
        )
    return cells[0]


def _is_null(item: Item) -> bool:
    return item.node is not None and bool(item.node.get("A_Const", {}).get("isnull"))
