"""Conditions that may be evaluated over rows that are not the principal's: they can neither fail nor tell.

Used where a row filter stands beside the client's condition and PostgreSQL is free to evaluate either first.
"""

from __future__ import annotations

from proxy.errors import Unsupported

from .edits import SqlText
from .functions import LEAKPROOF_OPERATORS
from .operands import rowless
from .tree import Node, strings, unwrap

_TRANSPARENT = frozenset({"BoolExpr", "NullTest", "BooleanTest", "List", "A_ArrayExpr"})
_LEAVES = frozenset({"ColumnRef", "A_Const", "ParamRef"})
_COMPARISONS = frozenset(
    {"AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_OP_ALL", "AEXPR_IN", "AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"}
)


def require_leakproof(node: Node, text: SqlText) -> None:
    kind, body = unwrap(node)
    if not kind or kind in _LEAVES or rowless(node):
        return
    if kind == "A_Expr" and body["kind"] in _COMPARISONS and strings(body["name"])[-1] in LEAKPROOF_OPERATORS:
        require_leakproof(body.get("lexpr", {}), text)
        require_leakproof(body.get("rexpr", {}), text)
    elif kind in _TRANSPARENT:
        members = body.get("args") or body.get("items") or body.get("elements") or [body.get("arg", {})]
        for member in members if isinstance(members, list) else [members]:
            require_leakproof(member, text)
    else:
        raise Unsupported(
            "this condition is not supported where you may change only some rows of the table",
            hint="Compare columns with constants or parameters by =, <>, <, >, IN or IS NULL.",
            position=text.position(body.get("location", -1)),
        )
