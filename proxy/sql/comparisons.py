"""Comparisons: which verb each side needs, and how a comparison of a sealed column becomes one of its term.

PostgreSQL's `=` on a term is `=` on the value, because equal values have equal terms and NULL has none; nothing but
(in)equality carries over, so every other operator over a sealed column is refused (I1, encryption lesson 11).
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.fields import Field
from policies.model import Verb
from proxy.errors import Unsupported

from .analysis import Analysis, Item, QueryRole, Use
from .authorise import Guarded
from .fragments import BYTEA_CAST
from .operators import check_operator
from .plan import SlotKind
from .references import Reference, refuse_unreadable, resolve, sealed_in
from .scope import Origin, Scope
from .tree import Node, nodes, strings, unwrap
from .typenames import cast_tokens, compatible, logical_of
from .values import Sealer, Value, value_of

_EQUALITY = frozenset({"AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_OP_ALL", "AEXPR_IN", "AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"})
_ARRAY_KINDS = frozenset({"AEXPR_OP_ANY", "AEXPR_OP_ALL"})
_SAME_VALUE_TYPES = frozenset({"text", "varchar"})

Lineage = tuple[Guarded, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """A bare column of a protected (or derived) source, under casts; the casts are TypeCast bodies, outermost first."""

    reference: Reference
    origin: Origin
    casts: tuple[Node, ...]

    @property
    def cell(self) -> Field | None:
        return self.origin.cell


def column_operand(a: Analysis, node: Node, scope: Scope) -> Operand | None:
    """None: the node is no plain column with a protected origin."""
    casts: list[Node] = []
    kind, body = unwrap(node)
    while kind == "TypeCast":
        casts.append(body)
        kind, body = unwrap(body.get("arg", {}))
    if kind != "ColumnRef":
        return None
    reference = resolve(a, body, scope)
    if reference.visible is None:
        return None
    return Operand(reference, reference.visible.column.origin, tuple(casts))


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
        return _compare_cells(a, (one, left), (other, right), scope, use, operator, equality=equality, array=array)
    if "SubLink" in left or "SubLink" in right:
        return _walk_both(a, left, right, scope, _joining(use, equality=equality))
    if one and other:
        return _charge(a, one, _joined(use, equality)) + _charge(a, other, _joined(use, equality))
    for operand, node in ((one, right), (other, left)):
        if operand and rowless(node):
            a.walk(a, node, scope, use)
            return _charge(a, operand, _filter(operand, use, equality))
    return _walk_both(a, left, right, scope, use.inside(f"the operator {operator}"))


def _walk_both(a: Analysis, left: Node, right: Node, scope: Scope, use: Use) -> Lineage:
    return a.walk(a, left, scope, use) + a.walk(a, right, scope, use)


def rowless(node: Node) -> bool:
    """It depends on no row: constants, parameters and functions of such."""
    return not any(kind in ("ColumnRef", "SubLink") for kind, _ in nodes(node))


def _filter(operand: Operand, use: Use, equality: bool) -> Verb:
    exact = equality and all(_keeps_equality(cast) for cast in operand.casts)
    return use.equality if exact else use.general


def _keeps_equality(cast: Node) -> bool:
    found = logical_of(cast.get("typeName", {}))
    return found is not None and not found[1] and found[0].value in _SAME_VALUE_TYPES


def _joined(use: Use, equality: bool) -> Verb:
    return use.base | Verb.JOIN if equality else use.general | Verb.JOIN


def _joining(use: Use, *, equality: bool) -> Use:
    return Use(_joined(use, equality), predicate=False, what="a comparison with a subquery")


def _charge(a: Analysis, operand: Operand, verbs: Verb) -> Lineage:
    a.charge(operand.origin, verbs, operand.reference.position)
    return operand.origin.columns


# --- sealed columns -------------------------------------------------------------------------------------------------

_Side = tuple[Operand | None, Node]


def _compare_cells(
    a: Analysis, left: _Side, right: _Side, scope: Scope, use: Use, operator: str, *, equality: bool, array: bool
) -> Lineage:
    (one, left_node), (other, right_node) = left, right
    operand, node, counterpart = (one, right_node, other) if one and one.cell else (other, left_node, one)
    assert operand is not None and operand.cell is not None  # noqa: S101 - the caller found a cell
    position = operand.reference.position
    refuse_unreadable(operand.origin.columns, Use(use.base), position)
    if not equality:
        raise sealed_in(operand.cell, f"the operator {operator}", position)
    if array and operand is other:
        raise sealed_in(operand.cell, "an array", position)
    if counterpart is not None:
        if counterpart.cell is None and not array:
            return _match_given(a, operand, counterpart, use)
        if counterpart.cell is None or array:
            raise _no_counterpart(operand)
        return _join_cells(a, operand, counterpart, use)
    value = value_of(node)
    if value is not None:
        return _match_value(a, operand, value, scope, use, array=array)
    if "SubLink" in node:
        return match_query(a, operand, node["SubLink"], scope, use)
    raise _no_counterpart(operand)


def _no_counterpart(operand: Operand) -> Unsupported:
    assert operand.cell is not None  # noqa: S101
    return Unsupported(
        f'the sealed column "{operand.cell.name}" is compared with something that is neither a constant, a parameter '
        "nor a column of its join group",
        hint="Send the value as a constant or as a parameter; for many values use = ANY ($1).",
        position=operand.reference.position,
    )


def _match_value(a: Analysis, operand: Operand, value: Value, scope: Scope, use: Use, *, array: bool) -> Lineage:
    cell = searchable(operand)
    _charge(a, operand, use.base | Verb.FILTER_EQ)
    to_term(operand)
    if value.is_null and not value.casts:
        return operand.origin.columns
    Sealer(a, scope.text, cell, SlotKind.TERM).seal(value, operand.reference.position, array=array)
    return operand.origin.columns


def _match_given(a: Analysis, operand: Operand, counterpart: Operand, use: Use) -> Lineage:
    """Against a column of VALUES."""
    cell = searchable(operand)
    if not a.seal_given(a, counterpart, cell, SlotKind.TERM):
        raise _no_counterpart(operand)
    lineage = _charge(a, operand, use.base | Verb.FILTER_EQ)
    to_term(operand)
    return lineage


def _join_cells(a: Analysis, one: Operand, other: Operand, use: Use) -> Lineage:
    require_joinable(searchable(one), searchable(other), one.reference.position)
    lineage = _charge(a, one, use.base | Verb.JOIN) + _charge(a, other, use.base | Verb.JOIN)
    to_term(one)
    to_term(other)
    return lineage


def require_joinable(one: Field, other: Field, position: int | None) -> None:
    """Terms of two fields are equal for equal values only under one term key."""
    mine, theirs = one.sealing, other.sealing
    assert mine is not None and theirs is not None  # noqa: S101
    if mine.field_id == theirs.field_id:
        return
    if mine.join_group is None or mine.join_group != theirs.join_group:
        raise Unsupported(
            f'the sealed columns "{one.name}" and "{other.name}" can not be compared: they are in no common join group',
            hint="Declare a join group for both in the data map, if policy wants them to be linked.",
            position=position,
        )


def match_query(a: Analysis, operand: Operand, link: Node, scope: Scope, use: Use) -> Lineage:
    """A sealed column against the one column of a subquery (`IN`, `= ANY`, a scalar subquery)."""
    cell = searchable(operand)
    items = a.query(a, link["subselect"]["SelectStmt"], scope, QueryRole.COMPARED)
    if len(items) != 1 or items[0].unknown:
        raise _no_counterpart(operand)
    lineage = _charge(a, operand, use.base | Verb.JOIN) + item_to_term(a, items[0], cell, operand.reference.position)
    to_term(operand)
    return lineage


def item_to_term(a: Analysis, item: Item, cell: Field, position: int | None) -> Lineage:
    """Turn the column that a subquery returns into its term."""
    if item.origin.cell is None or not item.single or item.inserted or item.visible is None:
        raise Unsupported(
            f'the sealed column "{cell.name}" is compared with a subquery that does not return a sealed column',
            hint="Let the subquery select the column as it is, by name, without grouping or set operations.",
            position=position,
        )
    require_joinable(cell, item.origin.cell, position)
    a.charge(item.origin, Verb.JOIN, item.position)
    _, body = unwrap(item.node or {})
    reference = Reference(item.visible, item.scope.text, body.get("location", -1))
    require_equality(item.origin.cell, item.position)
    item.scope.text.replace(*reference.span(), reference.term())
    return item.origin.columns


def searchable(operand: Operand) -> Field:
    """The field, when its data map entry gives it equality."""
    assert operand.cell is not None  # noqa: S101
    require_equality(operand.cell, operand.reference.position)
    return operand.cell


def require_equality(cell: Field, position: int | None) -> None:
    if cell.sealing is None or not cell.sealing.equality:
        raise Unsupported(
            f'the sealed column "{cell.name}" can not be searched: its data map entry has no equality',
            hint="Declare equality for it in the data map, or select it and compare in the application.",
            position=position,
        )


def to_term(operand: Operand) -> None:
    """Put the term in the column's place; casts to its own type become casts of the term's type."""
    text = operand.reference.text
    retype_casts(operand)
    text.replace(*operand.reference.span(), operand.reference.term())


def retype_casts(operand: Operand) -> None:
    assert operand.cell is not None  # noqa: S101
    retype_casts_for(operand, operand.cell)


def retype_casts_for(operand: Operand, cell: Field) -> None:
    assert cell.sealing is not None  # noqa: S101
    for cast in operand.casts:
        found = logical_of(cast.get("typeName", {}))
        if found is None or found[1] or not compatible(found[0], cell.sealing.logical_type):
            raise sealed_in(cell, "a cast to another type", operand.reference.position)
        operand.reference.text.replace(*cast_tokens(operand.reference.text, cast["typeName"]), BYTEA_CAST[2:])
