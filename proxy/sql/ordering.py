"""What sorts, groups and partitions: ORDER BY, GROUP BY, PARTITION BY and window definitions.

Terms can be grouped, because equal values have equal terms; nothing about cells can be sorted.
"""

from __future__ import annotations

from collections.abc import Iterable

from policies.model import Verb
from proxy.errors import Unsupported

from .analysis import GROUPING, ORDERING, Analysis
from .authorise import Guarded
from .groups import no_small_windows
from .operands import Operand, column_operand, require_equality, retype_casts
from .operators import check_operator
from .references import sealed_in
from .scope import Scope
from .tree import Node, nodes, strings, unwrap

_RANGE = 0x2  # FRAMEOPTION_RANGE


def walk_sort(a: Analysis, sort: Node, scope: Scope) -> None:
    """One SortBy body whose node is an expression over the query's own columns."""
    if sort.get("useOp"):
        check_operator(a, strings(sort["useOp"]), scope.text.position(sort.get("location", -1)))
    operand = column_operand(a, sort["node"], scope)
    if operand is None or (operand.casts and operand.cell is None):
        lineage = a.walk(a, sort["node"], scope, ORDERING)
        charge_order_of_expression(a, lineage, scope.text.position(unwrap(sort["node"])[1].get("location", -1)))
        return
    charge_order(a, operand)


def charge_order_of_expression(a: Analysis, columns: Iterable[Guarded], position: int | None) -> None:
    """The order of what is made of a column tells more than the column's own: which rows are equal to a constant, and
    how far apart two are.  So it takes a right to read, or to filter by expressions, besides."""
    for column in dict.fromkeys(columns):
        if not column.rights.allows(Verb.READ):
            a.ledger.charge(column, Verb.FILTER_RANGE, position)


def charge_order(a: Analysis, operand: Operand) -> None:
    a.charge(operand.origin, Verb.ORDER, operand.reference.position)
    if operand.cell is not None:
        raise sealed_in(operand.cell, "ORDER BY", operand.reference.position)


def walk_partition(a: Analysis, node: Node, scope: Scope) -> None:
    operand = column_operand(a, node, scope)
    if operand is None:
        a.walk(a, node, scope, GROUPING)
        return
    no_small_windows(operand)
    group_by(a, operand)


def group_by(a: Analysis, operand: Operand) -> None:
    """Charge the column and, when it is sealed, put its term in its place."""
    a.charge(operand.origin, Verb.GROUP, operand.reference.position)
    if operand.cell is not None:
        require_equality(operand.cell, operand.reference.position)
        retype_casts(operand)
        text = operand.reference.text
        text.replace(*operand.reference.span(), operand.reference.term())


def walk_window(a: Analysis, window: Node, scope: Scope, *, measured: bool = False) -> None:
    """A WindowDef body, after OVER or in the WINDOW clause.  `measured`: another window may take its order over, and
    count the rows within a distance."""
    for node in window.get("partitionClause", []):
        walk_partition(a, node, scope)
    for node in window.get("orderClause", []):
        walk_sort(a, node["SortBy"], scope)
        if measured or _measures(window):
            operand = column_operand(a, node["SortBy"]["node"], scope)  # how far rows lie apart is counted
            charge_order_of_expression(a, operand.origin.columns if operand is not None else (), None)
    for bound in ("startOffset", "endOffset"):
        a.walk(a, window.get(bound, {}), scope, ORDERING)


def _measures(window: Node) -> bool:
    """Its frame reaches so far in the values of the key."""
    return bool(window.get("frameOptions", 0) & _RANGE) and ("startOffset" in window or "endOffset" in window)


def takes_measure(body: Node) -> bool:
    """Some window of the query measures by the order of one that it names."""
    return any("refname" in window and _measures(window) for _, window in nodes(body))


def no_ordinals(what: str, position: int | None) -> Unsupported:
    return Unsupported(
        f"{what} can not be resolved here", hint="Name the column, with its table in front.", position=position
    )
