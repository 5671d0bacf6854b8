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
from .appendix import key_at_hand, targets_end
from .computation import CellPlace, Computation
from .edits import SqlText
from .fragments import logical_type_name, quoted
from .operands import Operand, column_operand
from .parameters import OIDS
from .plan import OutputAction, OutputColumn, Slot, SlotKind, ValueSource
from .references import refuse_unreadable
from .scope import Level, Scope
from .term_functions import called
from .terms import Builder, NotFinished, Typed
from .tree import Node, strings, unwrap
from .typenames import compatible, logical_of

_TOO_MUCH = {
    "groupClause": "GROUP BY", "havingClause": "HAVING", "distinctClause": "DISTINCT", "windowClause": "WINDOW",
}  # fmt: skip


@dataclass(slots=True, eq=False)
class Finishing:
    """Of the outermost SELECT: what its select list has for the proxy.  `parameters`: taken from the server's text."""

    level: Level
    body: Node
    drafts: list[Draft] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Draft:
    """One expression.  Where its cells and texts stand is known when the whole select list is."""

    typed: Typed
    cells: list[Operand]
    texts: list[str]
    first: Operand
    computation: Computation | None = None

    @property
    def cell(self) -> Field:
        assert self.first.cell is not None  # noqa: S101 - as it was chosen
        return self.first.cell


def finishing_of(a: Analysis, body: Node, scope: Scope, role: QueryRole) -> None:
    """Called before the select list is walked."""
    if role is QueryRole.TOP and a.searchable:
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
    return any(_names_cell(a, each, scope) for each in _within(body))


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
    start, last = _span(scope.text, target)
    scope.text.replace(start, last, f"{first.reference.visible.reference} AS {quoted(item.name)}")
    columns = tuple(dict.fromkeys(c for each in (*builder.cells, *builder.plain) for c in each.origin.columns))
    item.origin = type(item.origin)(columns=columns)
    item.draft = Draft(typed, builder.cells, [_text_of(operand) for operand in builder.plain], first)
    assert a.finishing is not None  # noqa: S101
    a.finishing.drafts.append(item.draft)


def _text_of(operand: Operand) -> str:
    assert operand.reference.visible is not None  # noqa: S101
    return f"({operand.reference.visible.reference})::pg_catalog.text"


def _span(text: SqlText, target: Node) -> tuple[int, int]:
    """The tokens of one target, with its name.  A wrong guess does not survive the second parse."""
    first = text.token_at(target.get("location", -1))
    end, depth = targets_end(text, first), 0
    for index in range(first, end + 1):
        depth += {b"(": 1, b"[": 1, b")": -1, b"]": -1}.get(text.tokens.text(index), 0)
        if depth == 0 and text.tokens.text(index) == b",":
            return first, index - 1
    return first, end


def place_finished(a: Analysis, scope: Scope, items: list[Item], start: int) -> None:
    """Behind the select list, and behind what others have put there, comes what the expressions need besides."""
    if a.finishing is None or not a.finishing.drafts:
        return
    behind = Behind(len(items) + a.hidden)
    for at, item in enumerate(items):
        if item.draft is not None:
            item.draft.computation = _placed(item.draft, at, behind)
    pieces = behind.pieces(a)
    if pieces:
        scope.text.insert_after(targets_end(scope.text, start), *pieces)
    a.hidden += behind.count


@dataclass(slots=True)
class Behind:
    """Columns behind the select list: the same SQL stands there once."""

    start: int
    columns: dict[str, int] = field(default_factory=dict)
    parameters: int = 0

    def column(self, sql: str) -> int:
        return self.columns.setdefault(sql, self.start + len(self.columns))

    @property
    def count(self) -> int:
        return len(self.columns) + self.parameters

    def pieces(self, a: Analysis) -> list[str | Slot]:
        """Brackets keep each apart from what others put at the same place.  A parameter stays, as NULL."""
        made: list[str | Slot] = [f", ({sql})" for sql in self.columns]
        for number, logical in sorted(a.finished_parameters.items()):
            slot = Slot(SlotKind.COUNT, ValueSource(parameter=number))
            made += [", (", slot, f"::{logical_type_name(logical, -1)})"]
            self.parameters += 1
        return made


def _placed(draft: Draft, at: int, behind: Behind) -> Computation:
    cells = tuple(
        _cell_place(operand, at if operand is draft.first else behind.column(_reference(operand)), behind)
        for operand in draft.cells
    )
    texts = tuple(behind.column(sql) for sql in draft.texts)
    typed = draft.typed
    return Computation(
        typed.term, cells, texts, typed.logical, typed.type_oid or OIDS[typed.logical][0], typed.typmod, typed.follows
    )


def _reference(operand: Operand) -> str:
    assert operand.reference.visible is not None  # noqa: S101
    return operand.reference.visible.reference


def _cell_place(operand: Operand, column: int, behind: Behind) -> CellPlace:
    cell, visible = operand.cell, operand.reference.visible
    assert cell is not None and cell.sealing is not None and visible is not None  # noqa: S101
    row_key = None
    if cell.sealing.row_bound:
        key = key_at_hand(visible)
        if key is None:
            raise Unsupported(
                f'the sealed column "{cell.name}" is bound to its row and can only be read together '
                "with the row's key",
                hint="Select the key of its table beside it, in every subquery on the way.",
                position=operand.reference.position,
            )
        row_key = behind.column(key)
    return CellPlace(cell, column, operand.origin.oid, operand.origin.attnum, row_key)


def finished_output(item: Item) -> OutputColumn | None:
    """None: the column is not worked out."""
    if item.draft is None or item.draft.computation is None:
        return None
    made = item.draft.computation
    return OutputColumn(item.name, OutputAction.COMPUTE, type_oid=made.type_oid, typmod=made.typmod, computation=made)
