"""Truth values: WHERE, ON, HAVING and the members of AND, OR, NOT."""

from __future__ import annotations

from policies.model import Verb

from .analysis import Analysis, Use
from .operands import Lineage, column_operand
from .scope import Scope
from .tree import Node, unwrap


def walk_condition(a: Analysis, node: Node, scope: Scope, use: Use) -> Lineage:
    """A bare boolean column here is compared with true."""
    operand = column_operand(a, node, scope) if "ColumnRef" in node else None
    if operand is None or operand.cell is not None:
        lineage = a.walk(a, node, scope, use)
        if "BoolExpr" not in node:
            _charge_join(a, lineage, scope.text.position(unwrap(node)[1].get("location", -1)))
        return lineage
    a.charge(operand.origin, use.equality, operand.reference.position)
    return operand.origin.columns


def _charge_join(a: Analysis, lineage: Lineage, position: int | None) -> None:
    """One condition over columns of several tables joins them, in whatever expression they meet."""
    if len({(column.table.schema, column.table.table) for column in lineage}) > 1:
        for column in dict.fromkeys(lineage):
            a.ledger.charge(column, Verb.JOIN, position)
