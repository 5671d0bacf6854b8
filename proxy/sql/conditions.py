"""Truth values: WHERE, ON, HAVING and the members of AND, OR, NOT."""

from __future__ import annotations

from .analysis import Analysis, Use
from .comparisons import Lineage, column_operand
from .scope import Scope
from .tree import Node


def walk_condition(a: Analysis, node: Node, scope: Scope, use: Use) -> Lineage:
    """A bare boolean column here is compared with true."""
    operand = column_operand(a, node, scope) if "ColumnRef" in node else None
    if operand is None or operand.cell is not None:
        return a.walk(a, node, scope, use)
    a.charge(operand.origin, use.equality, operand.reference.position)
    return operand.origin.columns
