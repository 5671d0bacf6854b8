"""min, max and count(DISTINCT) of sealed columns where they are all that a SELECT shows: all rows folded into one here.

The server is asked for the cells instead.  Aggregates of unsealed columns are not mixed in, but for count(*).
"""

from __future__ import annotations

from policies.fields import LogicalType
from policies.model import NO_VERBS, Verb
from proxy.errors import FieldgateError

from .analysis import READING, Analysis, Item, QueryRole
from .arrangement import FoldKind
from .arranging import check_order
from .calls import check_function
from .computation import CellLeaf
from .finishing import Draft, FoldDraft, span_of
from .fragments import null_of, quoted
from .names import column_name
from .operands import Operand, column_operand
from .parameters import TEXT_LIKE
from .references import masked
from .scope import NOTHING, Origin, Scope
from .terms import Typed
from .tree import Node, strings, unwrap

_ONLY = frozenset({"targetList", "fromClause", "whereClause", "withClause", "limitOption", "op"})
_NOT_PLAIN = ("agg_order", "agg_filter", "agg_within_group", "over", "func_variadic")
# Of bool and uuid PostgreSQL has none, of bytea and jsonb not in all versions.
_COMPARED = frozenset(LogicalType) - {
    LogicalType.BOOL, LogicalType.UUID, LogicalType.BYTEA, LogicalType.JSON, LogicalType.JSONB
}  # fmt: skip
_KINDS = {"min": FoldKind.MIN, "max": FoldKind.MAX}


def folds(a: Analysis, body: Node, scope: Scope, role: QueryRole) -> bool:
    """Each column is one of these aggregates, and the server can not work out one of them at least."""
    if role is not QueryRole.TOP or not a.finishable or a.finishing is None or not body.keys() <= _ONLY:
        return False
    if any(_has_minimum(a, source.relation) for source in scope.names.sources):
        return False
    found = [_call(a, target["ResTarget"]["val"], scope) for target in body.get("targetList", [])]
    return all(found) and any(_is_beyond_terms(*each) for each in found if each)


def _is_beyond_terms(kind: FoldKind, operand: Operand | None) -> bool:
    sealing = operand.cell.sealing if operand is not None and operand.cell is not None else None
    return kind in _KINDS.values() or (kind is FoldKind.DISTINCT and sealing is not None and not sealing.equality)


def _has_minimum(a: Analysis, relation: object) -> bool:
    table = getattr(relation, "protected", None)
    return table is not None and bool(a.ledger.table(table).min_group)


def _call(a: Analysis, node: Node, scope: Scope) -> tuple[FoldKind, Operand | None] | None:
    """The aggregate, and the sealed column in it; None: another expression."""
    kind, body = unwrap(node)
    if kind != "FuncCall" or any(key in body for key in _NOT_PLAIN):
        return None
    names, arguments = strings(body["funcname"]), body.get("args", [])
    if names[:-1] not in ((), ("pg_catalog",)) or (len(names) == 1 and a.catalog.functions.get(names[0])):
        return None
    if names[-1] == "count" and body.get("agg_star"):
        return FoldKind.ROWS, None
    if len(arguments) != 1 or "ColumnRef" not in arguments[0]:
        return None
    try:
        operand = column_operand(a, arguments[0], scope)
    except FieldgateError:
        return None  # the usual walk says what is wrong
    return _kind_of(names[-1], operand, distinct=bool(body.get("agg_distinct")))


def _kind_of(name: str, operand: Operand | None, *, distinct: bool) -> tuple[FoldKind, Operand | None] | None:
    sealing = operand.cell.sealing if operand is not None and operand.cell is not None else None
    visible = operand.reference.visible if operand is not None else None
    if operand is None or sealing is None or visible is None or visible.merged or sealing.row_bound:
        return None
    origin = operand.origin
    if origin.released or origin.nulled or masked(origin.columns, READING):
        return None
    if any(column.rights.min_group for column in origin.columns):
        return None
    if name in _KINDS and sealing.logical_type in _COMPARED:
        return _KINDS[name], operand
    if name == "count" and not distinct:
        return FoldKind.COUNT, operand
    exact = not sealing.normalisers and sealing.logical_type is not LogicalType.JSON
    return (FoldKind.DISTINCT, operand) if name == "count" and exact else None


def fold(a: Analysis, body: Node, scope: Scope) -> list[Item]:
    """In the select list's place.  Raises UseRefused for a right that is missing."""
    assert a.finishing is not None  # noqa: S101 - the caller has asked `folds`
    items = [_folded(a, target["ResTarget"], scope, a.finishing.folds) for target in body["targetList"]]
    a.finishing.arranges = True
    return items


def _folded(a: Analysis, target: Node, scope: Scope, made: list[FoldDraft]) -> Item:
    node = target["val"]
    found = _call(a, node, scope)
    assert found is not None  # noqa: S101 - `folds` has looked
    kind, operand = found
    position = scope.text.position(target.get("location", -1))
    check_function(a, strings(node["FuncCall"]["funcname"]), position)
    item = Item(target.get("name") or column_name(node), NOTHING, scope, node, position, named="name" in target)
    shown = null_of("pg_catalog.int8")
    if operand is None:
        made.append(FoldDraft(kind))
    else:
        grouping = Verb.GROUP if kind is FoldKind.DISTINCT else NO_VERBS
        reading = Verb.READ if kind in (FoldKind.MIN, FoldKind.MAX) else NO_VERBS
        a.charge(operand.origin, Verb.AGGREGATE | grouping | reading, operand.reference.position)
        draft = _draft(operand)
        made.append(FoldDraft(kind, draft))
        if reading:
            check_order(a, draft, operand.reference.position)
            assert operand.reference.visible is not None  # noqa: S101 - `_kind_of` has looked
            shown = operand.reference.visible.reference
            item.draft, item.origin = draft, Origin(columns=operand.origin.columns)
    scope.text.replace(*span_of(scope.text, target), f"{shown} AS {quoted(item.name)}")
    return item


def _draft(operand: Operand) -> Draft:
    """min and max of varchar are text."""
    assert operand.cell is not None and operand.cell.sealing is not None  # noqa: S101 - `_kind_of` has looked
    logical = operand.cell.sealing.logical_type
    shown = LogicalType.TEXT if logical in TEXT_LIKE else logical
    return Draft(Typed(CellLeaf(0, logical), shown), [operand], [], own=True)
