"""The name that PostgreSQL gives to a column of a select list when the client gives none (parse_target.c)."""

from __future__ import annotations

from .tree import Node, strings, unwrap

UNNAMED = "?column?"
_FIXED = {
    "CoalesceExpr": "coalesce",
    "A_ArrayExpr": "array",
    "RowExpr": "row",
    "GroupingFunc": "grouping",
    "MergeSupportFunc": "merge_action",
    "XmlSerialize": "xmlserialize",
}
_VALUE_FUNCTIONS = {"SVFOP_CURRENT_TIME_N": "current_time", "SVFOP_CURRENT_TIMESTAMP_N": "current_timestamp"}


def column_name(node: Node) -> str:
    return _strong(node)[0] or UNNAMED


def _strong(node: Node) -> tuple[str, bool]:
    """The name, and whether it beats the one that a cast or CASE around it would give."""
    kind, body = unwrap(node)
    match kind:
        case "ColumnRef":
            return strings(body["fields"])[-1], True
        case "A_Indirection":
            names = [strings([step])[-1] for step in body.get("indirection", []) if "String" in step]
            return (names[-1], True) if names else _strong(body["arg"])
        case "FuncCall":
            return strings(body["funcname"])[-1], True
        case "A_Expr" if body["kind"] == "AEXPR_NULLIF":
            return "nullif", True
        case "TypeCast":
            name, beats = _strong(body["arg"])
            return (name, True) if beats else (strings(body["typeName"]["names"])[-1], False)
        case "CollateClause":
            return _strong(body["arg"])
        case "SubLink":
            return _sublink(body)
        case "CaseExpr":
            name, beats = _strong(body.get("defresult", {}))
            return (name, True) if beats else ("case", False)
        case "MinMaxExpr":
            return ("least" if body.get("op") == "IS_LEAST" else "greatest"), True
        case "SQLValueFunction":
            operation = body.get("op", "")
            return _VALUE_FUNCTIONS.get(operation, operation.removeprefix("SVFOP_").removesuffix("_N").lower()), True
        case _:
            return _FIXED.get(kind, ""), kind in _FIXED


def _sublink(body: Node) -> tuple[str, bool]:
    link = body.get("subLinkType", "EXISTS_SUBLINK")
    if link == "EXISTS_SUBLINK":
        return "exists", True
    if link == "ARRAY_SUBLINK":
        return "array", True
    if link == "EXPR_SUBLINK":
        targets = unwrap(body["subselect"])[1].get("targetList", [])
        if targets:
            target = targets[0]["ResTarget"]
            return str(target.get("name") or _strong(target.get("val", {}))[0]), True
    return "", False
