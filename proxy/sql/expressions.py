"""Expressions: one function per kind of node, found by name; a kind that is not here is refused.

Each function charges what it uses, makes its edits, and returns the protected columns that the value depends on.
"""

from __future__ import annotations

from collections.abc import Callable

from policies.model import Verb
from proxy.errors import Unsupported

from .analysis import Analysis, QueryRole, Use
from .authorise import Guarded
from .calls import walk_call
from .cells import match_query
from .comparisons import compare, compared_as_they_are, walk_comparison
from .conditions import walk_condition
from .lexer import TokenKind
from .operands import Lineage, column_operand
from .operators import check_operator
from .references import refuse_unreadable, sealed_in, walk_reference
from .scope import Scope
from .tree import Node, strings, unwrap

Handler = Callable[[Analysis, Node, Scope, Use], Lineage]


def walk(a: Analysis, node: Node, scope: Scope, use: Use) -> tuple[Guarded, ...]:
    """The Walk of Analysis."""
    kind, body = unwrap(node)
    if not kind:
        return ()
    handler = HANDLERS.get(kind)
    if handler is None:
        raise Unsupported(
            f"{kind} is not supported in statements over protected tables",
            position=scope.text.position(body.get("location", -1)),
        )
    return handler(a, body, scope, use)


def walk_all(a: Analysis, nodes: list[Node], scope: Scope, use: Use) -> Lineage:
    lineage: Lineage = ()
    for node in nodes:
        lineage += walk(a, node, scope, use)
    return lineage


def _constant(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    return ()


def _parameter(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    _use_parameter(a, body, scope, typed=False)
    return ()


def _use_parameter(a: Analysis, body: Node, scope: Scope, *, typed: bool) -> None:
    token = scope.text.token_at(body.get("location", -1), TokenKind.PARAM)
    a.parameters.use_plainly(body.get("number", 0), scope.text, token, typed=typed)


def _cast(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    kind, inner = unwrap(body["arg"])
    if kind == "ParamRef":
        _use_parameter(a, inner, scope, typed=True)
        return ()
    return walk(a, body["arg"], scope, use.inside("a cast"))


def _boolean(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    lineage: Lineage = ()
    for node in body["args"]:
        lineage += walk_condition(a, node, scope, use)
    return lineage


def _null_test(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    """Cells keep NULL as NULL, so the test works on them as they are."""
    operand = column_operand(a, body["arg"], scope)
    if operand is None or operand.casts:
        return walk(a, body["arg"], scope, use.inside("IS NULL of an expression"))
    a.charge(operand.origin, use.base | Verb.FILTER_EQ if operand.cell else use.equality, operand.reference.position)
    visible = operand.reference.visible
    if operand.cell is not None and visible is not None and scope.level.is_key(visible):
        operand.reference.text.replace(*operand.reference.span(), operand.reference.term())
    return operand.origin.columns


def _truth_test(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    return walk_condition(a, body["arg"], scope, use.inside("IS TRUE"))


def _case(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    """The conditions decide what is seen: they are predicates, wherever the CASE stands."""
    branch, condition = use.inside("CASE"), use.as_predicate().inside("CASE")
    lineage: Lineage = ()
    subject = body.get("arg")
    for arm in body.get("args", []):
        when = arm["CaseWhen"]
        if subject is not None:
            lineage += compare(a, subject, [when["expr"]], scope, condition, "=", equality=True, array=False)
        else:
            lineage += walk_condition(a, when["expr"], scope, condition)
        lineage += walk(a, when["result"], scope, branch)
    return lineage + walk(a, body.get("defresult", {}), scope, branch)


def _coalesce(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    return walk_all(a, body.get("args", []), scope, use.inside("COALESCE"))


def _min_max(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    return walk_all(a, body.get("args", []), scope, use.inside("GREATEST or LEAST"))


def _array(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    return walk_all(a, body.get("elements", []), scope, use.inside("ARRAY[...]"))


def _row(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    return walk_all(a, body.get("args", []), scope, use.inside("ROW(...)"))


def _collate(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    return walk(a, body["arg"], scope, use.inside("COLLATE"))


def _indirection(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    """Array subscripts.  What looks like a field of a composite value may be the call of a function."""
    lineage = walk(a, body["arg"], scope, use.inside("a subscript"))
    for step in body.get("indirection", []):
        kind, inner = unwrap(step)
        if kind == "A_Indices":
            lineage += walk(a, inner.get("lidx", {}), scope, use.inside("a subscript"))
            lineage += walk(a, inner.get("uidx", {}), scope, use.inside("a subscript"))
        else:
            raise Unsupported(
                "(row).field and (row).* are not supported in statements over protected tables",
                hint="Name the columns; a function is called as name(argument).",
            )
    return lineage


def _grouping(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    for node in body.get("args", []):
        operand = column_operand(a, node, scope)
        if operand is not None and operand.cell is not None:
            raise sealed_in(operand.cell, "GROUPING", operand.reference.position)
        walk(a, node, scope, Use(Verb.GROUP, what="GROUPING"))
    return ()


def _named_argument(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    return walk(a, body["arg"], scope, use)


def _server_value(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    """CURRENT_DATE and its like.  SYSTEM_USER is a column's name to servers before 16, so it is read two ways."""
    if body.get("op") == "SVFOP_SYSTEM_USER" and a.catalog.server_version < 160000:
        raise Unsupported("SYSTEM_USER is not known to this server")
    return ()


def _sublink(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    link = body.get("subLinkType", "EXISTS_SUBLINK")
    if "SelectStmt" not in body.get("subselect", {}):
        raise Unsupported("this kind of subquery is not supported")
    if link == "EXISTS_SUBLINK":
        a.query(a, body["subselect"]["SelectStmt"], scope, QueryRole.EXISTS)
        return ()
    if link in ("ANY_SUBLINK", "ALL_SUBLINK"):
        return _compared_sublink(a, body, scope, use)
    items = a.query(a, body["subselect"]["SelectStmt"], scope, QueryRole.COMPARED)
    lineage: Lineage = ()
    for item in items:
        if item.origin.cell is not None:
            refuse_unreadable(item.origin.columns, use, item.position)
            raise sealed_in(item.origin.cell, "a scalar or ARRAY subquery", item.position)
        a.charge(item.origin, use.general, item.position)
        lineage += item.origin.columns
    return lineage


def _compared_sublink(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    """`x IN (SELECT ...)`, `x op ANY (SELECT ...)`: both sides are joined."""
    operator = strings(body["operName"])[-1] if body.get("operName") else "="
    equality = operator in ("=", "<>")
    check_operator(a, strings(body.get("operName", [])) or ("=",), scope.text.position(body.get("location", -1)))
    tests = body["testexpr"]["RowExpr"].get("args", []) if "RowExpr" in body["testexpr"] else [body["testexpr"]]
    if len(tests) == 1 and equality:
        operand = column_operand(a, tests[0], scope)
        if operand is not None and operand.cell is not None:
            return match_query(a, operand, body, scope, use)
    exact = equality and compared_as_they_are(a, tests, scope)
    joined = Use((use.base if exact else use.general) | Verb.JOIN, what="a comparison with a subquery")
    lineage = walk_all(a, tests, scope, joined)
    for item in a.query(a, body["subselect"]["SelectStmt"], scope, QueryRole.COMPARED):
        if item.origin.cell is not None:
            raise sealed_in(item.origin.cell, "a comparison with a subquery", item.position)
        a.charge(item.origin, joined.base, item.position)
        lineage += item.origin.columns
    return lineage


def _current_of(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    raise Unsupported("WHERE CURRENT OF is not supported over protected tables", hint="Name the row by its key.")


HANDLERS: dict[str, Handler] = {
    "A_Const": _constant,
    "ParamRef": _parameter,
    "ColumnRef": walk_reference,
    "TypeCast": _cast,
    "A_Expr": walk_comparison,
    "BoolExpr": _boolean,
    "NullTest": _null_test,
    "BooleanTest": _truth_test,
    "CaseExpr": _case,
    "CoalesceExpr": _coalesce,
    "MinMaxExpr": _min_max,
    "A_ArrayExpr": _array,
    "RowExpr": _row,
    "CollateClause": _collate,
    "A_Indirection": _indirection,
    "GroupingFunc": _grouping,
    "NamedArgExpr": _named_argument,
    "SQLValueFunction": _server_value,
    "SubLink": _sublink,
    "FuncCall": walk_call,
    "SetToDefault": _constant,
    "MergeSupportFunc": _constant,  # merge_action()
    "CurrentOfExpr": _current_of,
}
