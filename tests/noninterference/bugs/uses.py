"""A part of the statement whose uses of columns are not charged."""

from __future__ import annotations

from typing import Any

from proxy.sql import arranging, calls, comparisons, distinct, joins, ordering, selects, sources, statement
from proxy.sql.analysis import Use
from proxy.sql.expressions import HANDLERS

from .bug import Breaking, Bug, both, replacing, silenced, trying, uncharged, uncharged_entry


def _of(what: str) -> Any:
    return lambda a, node, scope, use, *_: isinstance(use, Use) and use.what == what


def _without_natural(walk: Any) -> Any:
    def walked(a: Any, body: Any, scope: Any, from_item: Any) -> Any:
        return walk(a, {key: value for key, value in body.items() if key != "isNatural"}, scope, from_item)

    return walked


def _second_half() -> Any:
    """What stands behind UNION, EXCEPT and INTERSECT."""
    halves: set[int] = set()

    def noted(walk: Any) -> Any:
        def walked(a: Any, body: Any, *rest: Any) -> Any:
            halves.add(id(body["rarg"]))
            return walk(a, body, *rest)

        return walked

    breaking: Breaking = both(
        replacing(selects, "walk_set_operation", noted),
        uncharged(statement, "run_query", lambda a, body, *_: id(body) in halves),
    )
    return breaking


USES = (
    Bug("WHERE is not checked", uncharged(selects, "_walk_where"), favoured=trying("filter")),
    Bug("HAVING is not checked", uncharged(selects, "walk_condition", _of("HAVING")), favoured=trying("having")),
    Bug("ON is not checked", uncharged(joins, "walk_condition"), favoured=trying("join")),
    Bug("USING is not checked", uncharged(joins, "_merged"), favoured=trying("using")),
    Bug("NATURAL JOIN passes as a join without a condition", replacing(sources, "walk_join", _without_natural),
        favoured=trying("natural")),
    Bug("GROUP BY is not checked", uncharged(selects, "walk_group_by"), favoured=trying("group")),
    Bug("ORDER BY is not checked", uncharged(selects, "walk_order_by"), favoured=trying("order")),
    Bug("the order of an expression takes no more than that of its columns",
        both(silenced(ordering, "charge_order_of_expression"), silenced(arranging, "charge_order_of_expression")),
        "apart", trying("order")),
    Bug("DISTINCT ON is not checked", uncharged(distinct, "_distinct_on"), favoured=trying("distinct")),
    Bug("windows are not checked", uncharged(calls, "walk_window"), favoured=trying("window")),
    Bug("LIMIT is not checked", uncharged(selects, "walk_limit"), favoured=trying("limit")),
    Bug("FILTER is not checked", uncharged(statement, "walk_expression", _of("FILTER")),
        favoured=trying("filtered")),
    Bug("subqueries in expressions are not checked", uncharged_entry(HANDLERS, "SubLink"), favoured=trying("scalar")),
    Bug("CASE is not checked", uncharged_entry(HANDLERS, "CaseExpr"), favoured=trying("case")),
    Bug("IS NULL is not checked", uncharged_entry(HANDLERS, "NullTest"), "shop_app", trying("filter")),
    Bug("casts are not checked", uncharged_entry(HANDLERS, "TypeCast"), favoured=trying("value")),
    Bug("rows of values are not checked", uncharged_entry(HANDLERS, "RowExpr"), favoured=trying("value")),
    Bug("the arguments of functions are not checked", uncharged_entry(HANDLERS, "FuncCall"), favoured=trying("value")),
    Bug("comparisons of expressions are not checked", uncharged(comparisons, "_walk_both"), favoured=trying("filter")),
    Bug("the second half of a set operation is not checked", _second_half(), favoured=trying("union")),
)  # fmt: skip
