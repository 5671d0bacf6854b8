"""Columns of VALUES: constants and parameters under a name, which become cells or terms where that name is used.

`INSERT INTO t (a) SELECT p0::text FROM (VALUES ($1), ($2)) AS v (p0)` is what ORMs make of many rows; `JOIN (VALUES
('a'), ('b')) AS v (x) ON t.a = v.x` is a search for several values.  `unnest($1, $2)` in FROM is the same with each
column in an array.  A column is either sealed wherever it is named, or nowhere: what was sealed can not be shown.
"""

from __future__ import annotations

from policies.fields import Field
from proxy.errors import Unsupported

from .analysis import READING, Analysis
from .operands import Operand, retype_casts_for
from .plan import SlotKind
from .scope import Given, Scope
from .tree import Node
from .values import Sealer, value_of


def give(a: Analysis, nodes: list[Node], scope: Scope, *, array: bool = False) -> Given | None:
    """A column whose every value may still become a cell; None: some of them may not."""
    if not all(_is_given(node) for node in nodes):
        return None
    given = Given(nodes, scope, array)
    a.given.append(given)
    return given


def _is_given(node: Node) -> bool:
    """A constant or a parameter, or an array of such: nothing in it depends on any row."""
    value = value_of(node)
    return value is not None and all(_is_given(element) for element in value.body.get("elements", []))


def seal_given(a: Analysis, operand: Operand, cell: Field, kind: SlotKind) -> bool:
    """The operand names a column of VALUES: its values become cells or terms of `cell`."""
    given = operand.origin.given
    if given is None:
        return False
    seal_column(a, given, cell, kind, operand.reference.position)
    given.sealed.add(operand.reference.place)
    retype_casts_for(operand, cell)
    return True


def seal_column(a: Analysis, given: Given, cell: Field, kind: SlotKind, position: int | None) -> None:
    if given.sealed_for not in (None, (cell.name, kind)):
        raise _mixed(position)
    if given.sealed_for is None:
        given.sealed_for = (cell.name, kind)
        for node in given.nodes:
            value = value_of(node)
            if value is not None:
                Sealer(a, given.scope.text, cell, kind).seal(value, position, array=given.array)


def settle(a: Analysis) -> None:
    """At the end: what was not sealed is passed on as it is, and nothing may be both."""
    for given in a.given:
        if given.sealed_for is None:
            for node in given.nodes:
                a.walk(a, node, given.scope, READING)
        elif given.named != given.sealed:
            raise Unsupported(
                "a column of VALUES is compared with, or stored in, a sealed column and used elsewhere too",
                hint="Give the values twice, as two columns.",
            )


def _mixed(position: int | None) -> Unsupported:
    return Unsupported(
        "a column of VALUES is used for two sealed columns",
        hint="Give the values twice, as two columns.",
        position=position,
    )
