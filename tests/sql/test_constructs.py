"""Every construct that the planner knows stands in some golden case: what is added to the one is added to the other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from proxy.errors import FieldgateError
from proxy.sql import named, sources, statement, term_functions, utility
from proxy.sql.expressions import HANDLERS
from proxy.sql.tree import Node, nodes, parse_script, strings

from .golden import read_cases

FOLDERS = ("cases", "searches", "finishing")
# (kind of node, field) -> the values that PostgreSQL's grammar gives it.
VARIANTS = {
    ("A_Expr", "kind"): (
        "AEXPR_OP AEXPR_OP_ANY AEXPR_OP_ALL AEXPR_DISTINCT AEXPR_NOT_DISTINCT AEXPR_NULLIF AEXPR_IN AEXPR_LIKE "
        "AEXPR_ILIKE AEXPR_SIMILAR AEXPR_BETWEEN AEXPR_NOT_BETWEEN AEXPR_BETWEEN_SYM"
    ),
    ("BoolExpr", "boolop"): "AND_EXPR OR_EXPR NOT_EXPR",
    ("BooleanTest", "booltesttype"): "IS_TRUE IS_NOT_TRUE IS_FALSE IS_NOT_FALSE IS_UNKNOWN IS_NOT_UNKNOWN",
    ("NullTest", "nulltesttype"): "IS_NULL IS_NOT_NULL",
    ("MinMaxExpr", "op"): "IS_GREATEST IS_LEAST",
    ("SubLink", "subLinkType"): "EXPR_SUBLINK ANY_SUBLINK ALL_SUBLINK ARRAY_SUBLINK EXISTS_SUBLINK",
    ("SelectStmt", "op"): "SETOP_NONE SETOP_UNION SETOP_INTERSECT SETOP_EXCEPT",
    ("SelectStmt", "limitOption"): "LIMIT_OPTION_DEFAULT LIMIT_OPTION_COUNT LIMIT_OPTION_WITH_TIES",
    ("JoinExpr", "jointype"): "JOIN_INNER JOIN_LEFT JOIN_RIGHT JOIN_FULL",
    ("LockingClause", "strength"): "LCS_FORKEYSHARE LCS_FORSHARE LCS_FORNOKEYUPDATE LCS_FORUPDATE",
    ("LockingClause", "waitPolicy"): "LockWaitBlock LockWaitSkip LockWaitError",
    ("GroupingSet", "kind"): "GROUPING_SET_EMPTY GROUPING_SET_ROLLUP GROUPING_SET_CUBE GROUPING_SET_SETS",
    ("CommonTableExpr", "ctematerialized"): "CTEMaterializeDefault CTEMaterializeAlways CTEMaterializeNever",
    ("MergeWhenClause", "matchKind"): (
        "MERGE_WHEN_MATCHED MERGE_WHEN_NOT_MATCHED_BY_SOURCE MERGE_WHEN_NOT_MATCHED_BY_TARGET"
    ),
    ("onConflictClause", "action"): "ONCONFLICT_NOTHING ONCONFLICT_UPDATE",
}  # fmt: skip
DEFAULTS = {("SubLink", "subLinkType"): "EXISTS_SUBLINK"}


@cache
def _seen() -> tuple[tuple[str, Node], ...]:
    return tuple(_all_nodes())


def _all_nodes() -> Iterator[tuple[str, Node]]:
    for folder in FOLDERS:
        for path in sorted((Path(__file__).parent / folder).glob("*.sql")):
            for case in read_cases(path):
                try:
                    found = parse_script(case.sql.encode())
                except FieldgateError:
                    continue  # what does not parse is the case
                for each in found:
                    yield from nodes({each.kind: each.body})


@pytest.mark.parametrize("place", VARIANTS, ids=".".join)
def test_every_variant_has_a_case(place: tuple[str, str]) -> None:
    kind, key = place
    seen = {str(body.get(key, DEFAULTS.get(place, ""))) for found, body in _seen() if found == kind}
    assert set(VARIANTS[place].split()) - seen == set()


@pytest.mark.parametrize(
    "known",
    [HANDLERS, statement.KINDS, utility._HANDLERS, named.NAMED, sources._ITEMS],
    ids=["expressions", "statements", "utilities", "named", "FROM"],
)
def test_every_kind_of_node_has_a_case(known: dict[str, object]) -> None:
    assert set(known) - {kind for kind, _ in _seen()} == set()


def test_every_function_that_is_worked_out_has_a_case() -> None:
    called = {strings(body["funcname"])[-1] for kind, body in _seen() if kind == "FuncCall"}
    assert set(term_functions._HANDLERS) - called == set()
