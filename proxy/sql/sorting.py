"""ORDER BY: by output name or number first, by the query's own columns otherwise (parse_clause.c)."""

from __future__ import annotations

from policies.model import Verb

from .analysis import Analysis, Item
from .finishing import misplaced
from .ordering import no_ordinals, walk_sort
from .references import sealed_in
from .scope import Scope
from .tree import Node, strings, unwrap


def walk_order_by(a: Analysis, clause: list[Node], items: list[Item], scope: Scope) -> None:
    for node in clause:
        sort = node["SortBy"]
        item = output_item(sort["node"], items, scope)
        if item is None:
            walk_sort(a, sort, scope)
        else:
            _order_by_item(a, item, scope, sort)


def walk_output_order(a: Analysis, clause: list[Node], items: list[Item], scope: Scope) -> None:
    """After a set operation only its output columns can be named; anything else is PostgreSQL's own error."""
    for node in clause:
        item = output_item(node["SortBy"]["node"], items, scope)
        if item is None:
            raise no_ordinals("ORDER BY after a set operation", None)
        _order_by_item(a, item, scope, node["SortBy"])


def _order_by_item(a: Analysis, item: Item, scope: Scope, sort: Node) -> None:
    _, body = unwrap(sort["node"])
    position = scope.text.position(body.get("location", -1))
    if item.draft is not None:
        raise misplaced(item.draft.cell, "ORDER BY names it", position)
    a.charge(item.origin, Verb.ORDER, position)
    if item.origin.cell is not None:
        raise sealed_in(item.origin.cell, "ORDER BY", position)


def output_item(node: Node, items: list[Item], scope: Scope) -> Item | None:
    """The output column that a bare name or number means; two of the same name must be the same thing."""
    kind, body = unwrap(node)
    if kind == "A_Const" and "ival" in body:
        number: int = body["ival"].get("ival", 0)
        if not 0 < number <= len(items) or any(item.unknown for item in items[:number]):
            raise no_ordinals("ordering or grouping", scope.text.position(body.get("location", -1)))
        return items[number - 1]
    if kind != "ColumnRef" or len(body["fields"]) != 1:
        return None
    name = strings(body["fields"])[0]
    found = [item for item in items if item.name == name]
    if len(found) > 1 and len({_meaning(item) for item in found}) > 1:
        raise no_ordinals(f'"{name}", which is the name of two columns,', scope.text.position(body.get("location", -1)))
    return found[0] if found else None


def _meaning(item: Item) -> object:
    if item.visible is None:
        return id(item)
    return (id(item.visible.source), item.visible.column.name)
