"""GROUP BY: sealed columns are grouped by their terms.

A bare name is a column of the query first and an output name second; a number is an output column (parse_clause.c).
The select list is resolved after this, because what a column may be there depends on whether it is a key.
"""

from __future__ import annotations

from policies.model import Verb
from proxy.errors import Unsupported

from .analysis import GROUPING, Analysis
from .comparisons import keeps_equality
from .groups import require_group
from .operands import Operand, column_operand, require_equality
from .ordering import group_by, no_ordinals
from .scope import Scope
from .tree import Node, strings, unwrap


def walk_group_by(a: Analysis, body: Node, scope: Scope) -> None:
    for node in body.get("groupClause", []):
        scope.level.grouped = True
        _key(a, node, body.get("targetList", []), scope)


def _key(a: Analysis, node: Node, targets: list[Node], scope: Scope) -> None:
    kind, inner = unwrap(node)
    if kind == "GroupingSet":
        scope.level.sets = True
        for member in inner.get("content", []):
            _key(a, member, targets, scope)
    elif kind == "RowExpr":
        for member in inner.get("args", []):
            _key(a, member, targets, scope)
    else:
        _plain_key(a, node, targets, scope)


def _plain_key(a: Analysis, node: Node, targets: list[Node], scope: Scope) -> None:
    target = _named_target(node, targets, scope)
    operand = column_operand(a, target if target is not None else node, scope)
    if operand is None or not (operand.cell is not None or keeps_equality(operand)):
        _, key = unwrap(node)
        a.computed_keys.append(scope.text.position(key.get("location", -1)))
        a.walk(a, target if target is not None else node, scope, GROUPING)
        return
    require_group(a, operand.reference, scope)
    _remember(operand, scope)
    if target is None:
        group_by(a, operand)
        return
    a.charge(operand.origin, Verb.GROUP, operand.reference.position)
    if operand.cell is not None:
        _put_term(operand, node, scope)


def _remember(operand: Operand, scope: Scope) -> None:
    visible = operand.reference.visible
    if visible is not None and (operand.cell is not None or not operand.casts):
        scope.level.keys.add((id(visible.source), visible.column.name))


def _put_term(operand: Operand, node: Node, scope: Scope) -> None:
    """The key is written as a number or an output name: the term takes its place."""
    assert operand.cell is not None  # noqa: S101
    require_equality(operand.cell, operand.reference.position)
    _, body = unwrap(node)
    token = scope.text.token_at(body.get("location", -1))
    scope.text.replace(token, token, operand.reference.term())


def _named_target(node: Node, targets: list[Node], scope: Scope) -> Node | None:
    """The select list's expression that a number, or a name that is no column, stands for."""
    kind, body = unwrap(node)
    position = scope.text.position(body.get("location", -1))
    if kind == "A_Const" and "ival" in body:
        number = body["ival"].get("ival", 0)
        before: list[Node] = [target["ResTarget"]["val"] for target in targets[:number]]
        if len(before) < number or number < 1 or any(_is_star(value) for value in before):
            raise no_ordinals("GROUP BY", position)
        return before[-1]
    if kind != "ColumnRef" or len(body["fields"]) != 1:
        return None
    name = strings(body["fields"])[0]
    if any(visible.name == name for visible in scope.names.columns):
        return None
    named: list[Node] = [target["ResTarget"]["val"] for target in targets if target["ResTarget"].get("name") == name]
    if len(named) > 1:
        raise Unsupported(f'"{name}" is the name of two columns', position=position)
    if named and scope.names.opaque:
        raise Unsupported(f'it is not clear what "{name}" is', hint="Write the expression itself.", position=position)
    return named[0] if named else None


def _is_star(value: Node) -> bool:
    return "ColumnRef" in value and strings(value["ColumnRef"]["fields"])[-1] == "*"
