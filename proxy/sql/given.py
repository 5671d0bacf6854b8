"""Columns of VALUES: constants and parameters under a name, which become cells or terms where that name is used.

`INSERT INTO t (a) SELECT p0::text FROM (VALUES ($1), ($2)) AS v (p0)` is what ORMs make of many rows; `JOIN (VALUES
('a'), ('b')) AS v (x) ON t.a = v.x` is a search for several values.  A column is either sealed wherever it is named,
or nowhere: what was sealed can not be shown.
"""

from __future__ import annotations

from policies.fields import Field
from proxy.errors import Unsupported

from .analysis import READING, Analysis
from .comparisons import Operand, retype_casts_for
from .plan import SlotKind
from .scope import Given, Scope
from .tree import Node
from .values import Sealer, value_of


def give(a: Analysis, nodes: list[Node], scope: Scope) -> Given | None:
    """A column whose every value may still become a cell; None: some of them may not."""
    if any(value_of(node) is None for node in nodes):
        return None
    given = Given(nodes, scope)
    a.given.append(given)
    return given


def seal_given(a: Analysis, operand: Operand, cell: Field, kind: SlotKind) -> bool:
    """The operand names a column of VALUES: its values become cells or terms of `cell`."""
    given = operand.origin.given
    if given is None:
        return False
    if given.sealed_for not in (None, (cell.name, kind)):
        raise _mixed(operand)
    if given.sealed_for is None:
        given.sealed_for = (cell.name, kind)
        for node in given.nodes:
            value = value_of(node)
            if value is not None:
                Sealer(a, given.scope.text, cell, kind).seal(value, operand.reference.position)
    given.sealed.add(operand.reference.place)
    retype_casts_for(operand, cell)
    return True


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


def _mixed(operand: Operand) -> Unsupported:
    return Unsupported(
        "a column of VALUES is used for two sealed columns",
        hint="Give the values twice, as two columns.",
        position=operand.reference.position,
    )
