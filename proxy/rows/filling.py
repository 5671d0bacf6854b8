"""The slots of a plan for one shape of Bind, each made into a function once, so that an execution only calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from proxy.errors import SqlState, ValueRejected
from proxy.sql.plan import Slot, SlotKind, StatementPlan
from proxy.wire.values.settings import ValueSettings

from .client_values import ClientValues
from .params import SlotFiller, cell_reader

Values = Sequence[bytes | None]
Fill = Callable[[Values], bytes | None]


@dataclass(frozen=True, slots=True)
class Filling:
    """Good for as long as the session has this filler: its principal, keys and settings are those."""

    filler: SlotFiller
    fills: tuple[Fill, ...]

    def values(self, client: Values) -> list[bytes | None]:
        """The physical parameters.  Raises ValueRejected or CellUnreadable; the statement is refused at this Bind."""
        return [fill(client) for fill in self.fills]


def make_filling(
    filler: SlotFiller,
    plan: StatementPlan,
    binary: Sequence[bool],
    declared: Sequence[int],
    parsed_under: ValueSettings,
) -> Filling | None:
    """`parsed_under`: what the text's own constants are read by.

    None: keys are drawn for each execution, or it may need data subjects' secrets that must be loaded.  Raises
    ValueRejected or CellUnreadable.
    """
    if plan.draws or plan.seals_subjects:
        return None
    shape = ClientValues((), binary, declared, (), parsed_under)
    return Filling(filler, tuple(_fill(filler, slot, shape) for slot in plan.slots))


def _fill(filler: SlotFiller, slot: Slot, shape: ClientValues) -> Fill:
    source = slot.source
    number = source.parameter if source is not None else None
    if number is not None and number > len(shape.binary):
        raise ValueRejected(f"there is no parameter ${number}", sqlstate=SqlState.UNDEFINED_PARAMETER)
    if slot.kind is SlotKind.PLAIN and number is not None:
        return itemgetter(number - 1)
    if slot.kind in (SlotKind.TERM, SlotKind.CELL) and number is not None and not slot.array and slot.row_key is None:
        return _sealed(filler, slot, number - 1, shape)
    return lambda client: filler.slot_value(slot, replace(shape, values=client))


def _sealed(filler: SlotFiller, slot: Slot, index: int, shape: ClientValues) -> Fill:
    maker = filler.maker(slot, shape)
    oid = shape.declared[index] if index < len(shape.declared) else 0
    read, make = cell_reader(maker, shape.binary[index], oid, filler.settings), maker.make

    def fill(client: Values) -> bytes | None:
        value = client[index]
        return None if value is None else make(read(value))

    return fill
