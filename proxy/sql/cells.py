"""Comparisons of sealed columns, as comparisons of their terms.

PostgreSQL's `=` on a term is `=` on the value, because equal values have equal terms and NULL has none; nothing but
(in)equality carries over, so every other operator over a sealed column is refused (I1).
"""

from __future__ import annotations

from policies.fields import Field
from policies.model import Verb
from proxy.errors import Unsupported

from .analysis import Analysis, Item, QueryRole, Use
from .operands import Lineage, Operand, charge, require_equality, searchable, to_term
from .plan import SlotKind
from .references import Reference, refuse_unreadable, sealed_in
from .scope import Scope
from .searches import refusal_of_search
from .tree import Node, unwrap
from .values import Sealer, Value, value_of

_Side = tuple[Operand | None, Node]


def compare_cells(
    a: Analysis, left: _Side, right: _Side, scope: Scope, use: Use, operator: str, *, equality: bool, array: bool
) -> Lineage:
    (one, left_node), (other, right_node) = left, right
    operand, node, counterpart = (one, right_node, other) if one and one.cell else (other, left_node, one)
    assert operand is not None and operand.cell is not None  # noqa: S101 - the caller found a cell
    position = operand.reference.position
    refuse_unreadable(operand.origin.columns, Use(use.base), position)
    if not equality:
        raise refusal_of_search(operand.cell, operator, position) or sealed_in(
            operand.cell, f"the operator {operator}", position
        )
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
    charge(a, operand, use.base | Verb.FILTER_EQ)
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
    lineage = charge(a, operand, use.base | Verb.FILTER_EQ)
    to_term(operand)
    return lineage


def _join_cells(a: Analysis, one: Operand, other: Operand, use: Use) -> Lineage:
    require_joinable(searchable(one), searchable(other), one.reference.position)
    lineage = charge(a, one, use.base | Verb.JOIN) + charge(a, other, use.base | Verb.JOIN)
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
    lineage = charge(a, operand, use.base | Verb.JOIN) + item_to_term(a, items[0], cell, operand.reference.position)
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
