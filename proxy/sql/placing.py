"""Where the server's rows hold what the proxy needs: in the select list, or behind it, in columns of our own."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.errors import Unsupported

from .analysis import Analysis, Item
from .appendix import key_at_hand, targets_end
from .arrangement import Arrangement, Fold, SortKey
from .computation import CellPlace, Computation
from .finishing import Draft, FoldDraft, KeyDraft
from .fragments import logical_type_name
from .operands import Operand
from .parameters import OIDS
from .plan import Slot, SlotKind, ValueSource
from .scope import Scope


def place_finished(a: Analysis, scope: Scope, items: list[Item], start: int) -> None:
    """Behind the select list, and behind what others have put there, comes what the expressions need besides."""
    if a.finishing is None:
        return
    behind = Behind(len(items) + a.hidden)
    for at, item in enumerate(items):
        if item.draft is not None:
            behind.shown.setdefault(reference_of(item.draft.cells[0]), at)
        elif item.origin.cell is not None and item.visible is not None and not item.origin.released:
            behind.shown.setdefault(item.visible.reference, at)
    for at, item in enumerate(items):
        if item.draft is not None:
            own = Behind(behind.start, {reference_of(item.draft.cells[0]): at}) if item.draft.own else behind
            item.draft.computation = _computation(item.draft, own)
    if a.finishing.arranges:
        keys, apart = _sort_keys(a.finishing.keys, behind), _sort_keys(a.finishing.apart, behind)
        a.finishing.arranged = Arrangement(keys, apart, a.limit, a.offset, _folds(a.finishing.folds, behind))
    pieces = behind.pieces(a)
    if pieces:
        scope.text.insert_after(targets_end(scope.text, start), *pieces)
    a.hidden += behind.count


@dataclass(slots=True)
class Behind:
    """Columns behind the select list: the same SQL stands there once.  `shown`: cells that the select list has."""

    start: int
    shown: dict[str, int] = field(default_factory=dict)
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


def _folds(drafts: list[FoldDraft], behind: Behind) -> tuple[Fold, ...]:
    """What is counted only has no column of its own yet."""
    made: list[Fold] = []
    for each in drafts:
        draft = each.draft
        computation = draft.computation or _computation(draft, behind) if draft is not None else None
        made.append(Fold(each.kind, computation))
    return tuple(made)


def _sort_keys(keys: list[KeyDraft], behind: Behind) -> tuple[SortKey, ...]:
    made: list[SortKey] = []
    for key in keys:
        if key.draft is None:  # the server's places are in order already
            made.append(SortKey(descending=False, nulls_first=False, rank=behind.column(key.rank)))
        else:
            made.append(SortKey(key.descending, key.nulls_first, _computation(key.draft, behind)))
    return tuple(made)


def _computation(draft: Draft, behind: Behind) -> Computation:
    cells = tuple(_cell_place(operand, behind) for operand in draft.cells)
    texts = tuple(behind.column(f"({reference_of(operand)})::pg_catalog.text") for operand in draft.plain)
    typed = draft.typed
    return Computation(
        typed.term, cells, texts, typed.logical, typed.type_oid or OIDS[typed.logical][0], typed.typmod, typed.follows
    )


def reference_of(operand: Operand) -> str:
    assert operand.reference.visible is not None  # noqa: S101 - operands are resolved
    return operand.reference.visible.reference


def _cell_place(operand: Operand, behind: Behind) -> CellPlace:
    cell, visible = operand.cell, operand.reference.visible
    assert cell is not None and cell.sealing is not None and visible is not None  # noqa: S101
    reference, row_key = visible.reference, None
    column = behind.shown[reference] if reference in behind.shown else behind.column(reference)
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
