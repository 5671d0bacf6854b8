"""DISTINCT: equal cells are told by their terms, so DISTINCT over sealed columns becomes DISTINCT ON terms."""

from __future__ import annotations

from policies.model import Verb
from proxy.errors import Unsupported

from .analysis import GROUPING, Analysis, Item
from .appendix import term_at_hand
from .finishing import misplaced
from .fragments import term_of
from .operands import column_operand, require_equality
from .ordering import group_by
from .references import Reference
from .scope import Scope
from .sorting import output_item
from .tree import Node, unwrap


def walk_distinct(a: Analysis, body: Node, items: list[Item], scope: Scope) -> None:
    clause = body.get("distinctClause")
    if clause is None:
        return
    if any(unwrap(node)[0] for node in clause):
        _distinct_on(a, clause, items, scope)
        return
    for item in items:
        if item.draft is not None:
            raise misplaced(item.draft.cell, "the SELECT has DISTINCT", item.position)
        a.charge(item.origin, Verb.GROUP, item.position)
    if any(item.origin.cell is not None for item in items):
        _on_terms(body, [item for item in items if not _reads_as_null(item)], scope)


def _reads_as_null(item: Item) -> bool:
    """NULL stands in the column's place, so it makes no rows distinct; the column itself would."""
    return item.visible is not None and not item.origin.columns and bool(item.visible.column.origin.columns)


def _distinct_on(a: Analysis, clause: list[Node], items: list[Item], scope: Scope) -> None:
    for node in clause:
        item = output_item(node, items, scope)
        if item is not None and item.draft is not None:
            raise misplaced(item.draft.cell, "the SELECT has DISTINCT ON", item.position)
        if item is not None and (item.origin.cell is None or item.visible is None):
            a.charge(item.origin, Verb.GROUP, item.position)
            continue
        operand = column_operand(a, node, scope)
        if operand is not None:
            group_by(a, operand)
        elif item is not None:
            raise Unsupported("DISTINCT ON by number or alias over a sealed column", hint="Name the column itself.")
        else:
            a.walk(a, node, scope, GROUPING)


def _on_terms(body: Node, items: list[Item], scope: Scope) -> None:
    """PostgreSQL wants ORDER BY to begin with these; it can name nothing else here, so any order fits."""
    text = scope.text
    location = body["targetList"][0]["ResTarget"].get("location", -1)
    word = text.token_at(location) - 1
    if text.tokens.word(word) != "distinct" or scope.level.grouped:
        raise Unsupported("DISTINCT over sealed columns is not supported here", hint="Use GROUP BY.")
    text.insert_after(word, f" ON ({', '.join(_distinction(item) for item in items)})")


def _distinction(item: Item) -> str:
    if item.visible is None:
        raise Unsupported(
            "DISTINCT over sealed columns beside expressions is not supported",
            hint="Select the columns as they are, or use GROUP BY.",
            position=item.position,
        )
    if item.origin.cell is None:
        return item.visible.reference
    require_equality(item.origin.cell, item.position)
    if item.inserted:
        return _inserted_term(item)
    _, node = unwrap(item.node or {})
    while "arg" in node:
        _, node = unwrap(node["arg"])
    return Reference(item.visible, item.scope.text, node.get("location", -1)).term()


def _inserted_term(item: Item) -> str:
    assert item.visible is not None  # noqa: S101
    return term_at_hand(item.visible) or term_of(item.visible.reference, item.origin.cell)
