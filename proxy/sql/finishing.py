"""Expressions over sealed columns in the outermost select list: worked out in the proxy, row by row.

The server sends the cells that an expression needs in place of the expression, and behind the select list; what the
client has written besides, constants and parameters too, never gets there.  What is not proven to give what the server
would give is left to the usual walk, which refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from policies.fields import Field
from policies.model import Verb
from proxy.errors import FieldgateError, Unsupported

from .analysis import READING, Analysis, Item, QueryRole
from .appendix import targets_end
from .arrangement import Arrangement, FoldKind
from .computation import Computation
from .edits import SqlText
from .fragments import quoted
from .operands import Operand, column_operand
from .plan import OutputAction, OutputColumn
from .references import refuse_unreadable
from .scope import Level, Scope
from .term_functions import called
from .terms import Builder, NotFinished, Typed
from .tree import Node, strings, unwrap
from .typenames import compatible, logical_of

_TOO_MUCH = {
    "groupClause": "GROUP BY", "havingClause": "HAVING", "windowClause": "WINDOW",
}  # fmt: skip


@dataclass(slots=True, eq=False)
class Finishing:
    """Of the outermost SELECT: what its ORDER BY and DISTINCT have for the proxy; `arranged`: with its place."""

    level: Level
    body: Node
    arranges: bool = False
    keys: list[KeyDraft] = field(default_factory=list)
    apart: list[KeyDraft] = field(default_factory=list)  # by what DISTINCT tells rows apart
    folds: list[FoldDraft] = field(default_factory=list)
    arranged: Arrangement | None = None


@dataclass(slots=True, eq=False)
class Draft:
    """One expression, and the columns that it needs; where they stand is known when the whole select list is."""

    typed: Typed
    cells: list[Operand]
    plain: list[Operand]
    computation: Computation | None = None
    own: bool = False  # its cell stands in its own column only

    @property
    def cell(self) -> Field:
        cell = self.cells[0].cell
        assert cell is not None  # noqa: S101 - as it was chosen
        return cell


@dataclass(slots=True, eq=False)
class KeyDraft:
    """A key of ORDER BY, or a column of DISTINCT: `draft` is worked out here, `rank` is SQL for the server's place."""

    descending: bool
    nulls_first: bool
    draft: Draft | None = None
    rank: str = ""


@dataclass(slots=True, eq=False)
class FoldDraft:
    kind: FoldKind
    draft: Draft | None = None


def finishing_of(a: Analysis, body: Node, scope: Scope, role: QueryRole) -> None:
    """Called before the select list is walked."""
    if role is QueryRole.TOP and a.finishable:
        a.finishing = Finishing(scope.level, body)


def finish_target(a: Analysis, item: Item, target: Node, scope: Scope) -> bool:
    """False: the expression is none of ours, and nothing was done."""
    found, node = a.finishing, item.node or {}
    if found is None or found.level is not scope.level or not _needs_opening(a, node, scope):
        return False
    builder = Builder(a, scope, called)
    try:
        typed = builder.build(node)
    except NotFinished:
        return False
    except FieldgateError:
        _refuse_unreadable(builder, item)
        raise
    if not builder.cells:
        return False
    _refuse_unreadable(builder, item)
    _check_place(found.body, builder.cells[0])
    _settle(a, item, target, scope, builder, typed)
    return True


def _needs_opening(a: Analysis, node: Node, scope: Scope) -> bool:
    """A cell is named in it, by this query itself, and it is not just that cell."""
    kind, body = unwrap(node)
    if kind in ("ColumnRef", "SubLink") or _keeps_form(a, node, scope):
        return False
    return names_cell(a, body, scope)


def names_cell(a: Analysis, node: Node, scope: Scope) -> bool:
    """A cell is named in it, by this query itself."""
    return any(_names_cell(a, each, scope) for each in _within(node))


def _keeps_form(a: Analysis, node: Node, scope: Scope) -> bool:
    """A cell under casts that leave it as it is."""
    kind, body = unwrap(node)
    casts: list[Node] = []
    while kind == "TypeCast":
        casts.append(body)
        kind, body = unwrap(body["arg"])
    if kind != "ColumnRef" or not _names_cell(a, {kind: body}, scope):
        return False
    operand = column_operand(a, node, scope)
    sealing = operand.cell.sealing if operand is not None and operand.cell is not None else None
    found = [logical_of(cast.get("typeName", {})) for cast in casts]
    return sealing is not None and all(
        each is not None and not each[1] and compatible(each[0], sealing.logical_type) for each in found
    )


def _within(value: object) -> list[Node]:
    """Column references, but none of a query inside."""
    if isinstance(value, list):
        return [found for each in value for found in _within(each)]
    if not isinstance(value, dict) or "SubLink" in value:
        return []
    if "ColumnRef" in value:
        return [value]
    return [found for each in value.values() for found in _within(each)]


def _names_cell(a: Analysis, node: Node, scope: Scope) -> bool:
    if strings(node["ColumnRef"]["fields"])[-1] == "*":
        return False
    try:
        operand = column_operand(a, node, scope)
    except FieldgateError:
        return False  # the usual walk says what is wrong
    return operand is not None and operand.cell is not None


def _refuse_unreadable(builder: Builder, item: Item) -> None:
    """A right that is missing is the better reason than what can not be finished."""
    for operand in (*builder.cells, *builder.plain):
        refuse_unreadable(operand.origin.columns, READING, operand.reference.position)


def _check_place(body: Node, operand: Operand) -> None:
    assert operand.cell is not None  # noqa: S101
    for clause, shown in _TOO_MUCH.items():
        if clause in body:
            raise misplaced(operand.cell, f"the SELECT has {shown}", operand.reference.position)


def misplaced(cell: Field, why: str, position: int | None) -> Unsupported:
    return Unsupported(
        f'an expression over the sealed column "{cell.column}" ({cell.name}) is worked out only for the rows of a '
        f"plain SELECT; here {why}",
        hint="Select the column as it is, and go on in the application.",
        position=position,
    )


def _settle(a: Analysis, item: Item, target: Node, scope: Scope, builder: Builder, typed: Typed) -> None:
    """From here on it is ours: rights are charged, parameters taken, and the first cell put in its place."""
    for operand in (*builder.cells, *builder.plain):
        a.charge(operand.origin, Verb.READ, operand.reference.position)
    builder.take_parameters()
    first = builder.cells[0]
    assert first.reference.visible is not None  # noqa: S101 - operands are resolved
    start, last = span_of(scope.text, target)
    scope.text.replace(start, last, f"{first.reference.visible.reference} AS {quoted(item.name)}")
    columns = tuple(dict.fromkeys(c for each in (*builder.cells, *builder.plain) for c in each.origin.columns))
    item.origin = type(item.origin)(columns=columns)
    item.draft = Draft(typed, builder.cells, builder.plain)


def span_of(text: SqlText, target: Node) -> tuple[int, int]:
    """The tokens of one target, with its name.  A wrong guess does not survive the second parse."""
    first = text.token_at(target.get("location", -1))
    end, depth = targets_end(text, first), 0
    for index in range(first, end + 1):
        depth += {b"(": 1, b"[": 1, b")": -1, b"]": -1}.get(text.tokens.text(index), 0)
        if depth == 0 and text.tokens.text(index) == b",":
            return first, index - 1
    return first, end


def finished_output(item: Item) -> OutputColumn | None:
    """None: the column is not worked out."""
    if item.draft is None or item.draft.computation is None:
        return None
    made = item.draft.computation
    return OutputColumn(item.name, OutputAction.COMPUTE, type_oid=made.type_oid, typmod=made.typmod, computation=made)
