"""Operands: a bare column under casts, as comparisons, keys and aggregates take it; and what takes its place."""

from __future__ import annotations

from dataclasses import dataclass

from policies.fields import Field
from policies.model import Verb
from proxy.errors import Unsupported

from .analysis import Analysis
from .authorise import Guarded
from .fragments import BYTEA_CAST
from .references import Reference, resolve, sealed_in
from .scope import Origin, Scope
from .tree import Node, nodes, unwrap
from .typenames import cast_tokens, compatible, logical_of

Lineage = tuple[Guarded, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """A bare column of a protected (or derived) source, under casts; the casts are TypeCast bodies, outermost first."""

    reference: Reference
    origin: Origin
    casts: tuple[Node, ...]

    @property
    def cell(self) -> Field | None:
        return self.origin.cell


def column_operand(a: Analysis, node: Node, scope: Scope) -> Operand | None:
    """None: the node is no plain column with a protected origin."""
    casts: list[Node] = []
    kind, body = unwrap(node)
    while kind == "TypeCast":
        casts.append(body)
        kind, body = unwrap(body.get("arg", {}))
    if kind != "ColumnRef":
        return None
    reference = resolve(a, body, scope)
    if reference.visible is None:
        return None
    return Operand(reference, reference.visible.column.origin, tuple(casts))


def rowless(node: Node) -> bool:
    """It depends on no row: constants, parameters and functions of such."""
    return not any(kind in ("ColumnRef", "SubLink") for kind, _ in nodes(node))


def retype_casts(operand: Operand) -> None:
    assert operand.cell is not None  # noqa: S101
    retype_casts_for(operand, operand.cell)


def retype_casts_for(operand: Operand, cell: Field) -> None:
    assert cell.sealing is not None  # noqa: S101
    for cast in operand.casts:
        found = logical_of(cast.get("typeName", {}))
        if found is None or found[1] or not compatible(found[0], cell.sealing.logical_type):
            raise sealed_in(cell, "a cast to another type", operand.reference.position)
        operand.reference.text.replace(*cast_tokens(operand.reference.text, cast["typeName"]), BYTEA_CAST[2:])


def to_term(operand: Operand) -> None:
    """Put the term in the column's place; casts to its own type become casts of the term's type."""
    text = operand.reference.text
    retype_casts(operand)
    text.replace(*operand.reference.span(), operand.reference.term())


def searchable(operand: Operand) -> Field:
    """The field, when its data map entry gives it equality."""
    assert operand.cell is not None  # noqa: S101
    require_equality(operand.cell, operand.reference.position)
    return operand.cell


def require_equality(cell: Field, position: int | None) -> None:
    if cell.sealing is None or not cell.sealing.equality:
        raise Unsupported(
            f'the sealed column "{cell.name}" can not be searched: its data map entry has no equality',
            hint="Declare equality for it in the data map, or select it and compare in the application.",
            position=position,
        )


def charge(a: Analysis, operand: Operand, verbs: Verb) -> Lineage:
    a.charge(operand.origin, verbs, operand.reference.position)
    return operand.origin.columns
