"""Comparisons: which verb each side needs (I3).  Those of sealed columns are made in `cells`."""

from __future__ import annotations

from collections.abc import Sequence

from policies.model import Verb
from proxy.errors import Unsupported

from .analysis import Analysis, Use
from .cells import compare_cells
from .operands import Lineage, Operand, charge, column_operand, rowless
from .operators import check_operator
from .scope import Scope
from .tree import Node, strings
from .typenames import logical_of

_EQUALITY = frozenset({"AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_OP_ALL", "AEXPR_IN", "AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"})
_ARRAY_KINDS = frozenset({"AEXPR_OP_ANY", "AEXPR_OP_ALL"})
_SAME_VALUE_TYPES = frozenset({"text", "varchar"})


def walk_comparison(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    """An A_Expr of any kind."""
    kind, operator = body["kind"], strings(body.get("name", []))[-1]
    check_operator(a, strings(body.get("name", [])), scope.text.position(body.get("location", -1)))
    left, right = body.get("lexpr"), body.get("rexpr")
    if left is None or right is None:
        return a.walk(a, left or right or {}, scope, use.inside(f"the operator {operator}"))
    if kind == "AEXPR_NULLIF":
        return _walk_both(a, left, right, scope, use.inside("NULLIF"))
    equality = kind in _EQUALITY and operator in ("=", "<>")
    rights = right["List"]["items"] if "List" in right else [right]
    return compare(a, left, rights, scope, use, operator, equality=equality, array=kind in _ARRAY_KINDS)


def compare(
    a: Analysis, left: Node, rights: list[Node], scope: Scope, use: Use, operator: str, *, equality: bool, array: bool
) -> Lineage:
    """`left` against each of `rights`; rows are compared member by member."""
    if "RowExpr" in left and all("RowExpr" in right for right in rights):
        return _compare_rows(a, left, rights, scope, use, operator, equality=equality)
    lineage: Lineage = ()
    for right in rights:
        lineage += _compare_pair(a, left, right, scope, use, operator, equality=equality, array=array)
    return lineage


def _compare_rows(
    a: Analysis, left: Node, rights: list[Node], scope: Scope, use: Use, operator: str, *, equality: bool
) -> Lineage:
    lineage: Lineage = ()
    members = left["RowExpr"].get("args", [])
    for right in rights:
        others = right["RowExpr"].get("args", [])
        if len(members) != len(others):
            raise Unsupported("rows of different lengths are compared", hint="Compare column by column.")
        for member, other in zip(members, others, strict=True):
            lineage += _compare_pair(a, member, other, scope, use, operator, equality=equality, array=False)
    return lineage


def _compare_pair(
    a: Analysis, left: Node, right: Node, scope: Scope, use: Use, operator: str, *, equality: bool, array: bool
) -> Lineage:
    one, other = column_operand(a, left, scope), column_operand(a, right, scope)
    if (one and one.cell) or (other and other.cell):
        return compare_cells(a, (one, left), (other, right), scope, use, operator, equality=equality, array=array)
    if "SubLink" in left or "SubLink" in right:
        exact = equality and compared_as_they_are(a, (left, right), scope)
        return _walk_both(a, left, right, scope, _joining(use, equality=exact))
    if one and other:
        exact = equality and keeps_equality(one) and keeps_equality(other)
        return charge(a, one, _joined(use, exact)) + charge(a, other, _joined(use, exact))
    for operand, node in ((one, right), (other, left)):
        if operand and rowless(node):
            a.walk(a, node, scope, use)
            return charge(a, operand, _filter(operand, use, equality))
    return _walk_both(a, left, right, scope, use.inside(f"the operator {operator}"))


def _walk_both(a: Analysis, left: Node, right: Node, scope: Scope, use: Use) -> Lineage:
    return a.walk(a, left, scope, use) + a.walk(a, right, scope, use)


def _filter(operand: Operand, use: Use, equality: bool) -> Verb:
    return use.equality if equality and keeps_equality(operand) else use.general


def keeps_equality(operand: Operand) -> bool:
    """Its casts fail for no value, and make no two values equal: a domain's CHECK may tell one value from others."""
    found = [logical_of(cast.get("typeName", {})) for cast in operand.casts]
    return all(each is not None and not each[1] and each[0].value in _SAME_VALUE_TYPES for each in found)


def compared_as_they_are(a: Analysis, nodes: Sequence[Node], scope: Scope) -> bool:
    """Columns and what depends on no row, beside subqueries.  An expression may fail for one value."""
    return all("SubLink" in node or rowless(node) or _is_column(a, node, scope) for node in nodes)


def _is_column(a: Analysis, node: Node, scope: Scope) -> bool:
    operand = column_operand(a, node, scope)
    return operand is not None and keeps_equality(operand)


def _joined(use: Use, equality: bool) -> Verb:
    return use.base | Verb.JOIN if equality else use.general | Verb.JOIN


def _joining(use: Use, *, equality: bool) -> Use:
    return Use(_joined(use, equality), predicate=False, what="a comparison with a subquery")
