"""What the client will see: how each result column is to be treated, and what the server must say of it."""

from __future__ import annotations

from policies.fields import Sealing
from policies.model import Verb
from proxy.errors import Unsupported

from .analysis import Analysis, Item
from .appendix import key_at_hand, targets_end
from .finishing import finished_output
from .parameters import OIDS
from .plan import OutputAction, OutputColumn
from .scope import Scope


def add_hidden_keys(
    a: Analysis, scope: Scope, items: list[Item], start: int, *, plain: bool, returning: bool = False
) -> None:
    """A cell that is bound to its row is opened with the row's key: where it is not selected, it is added behind.

    `plain`: rows are neither grouped nor made distinct, so one more column changes nothing.
    """
    added: dict[str, int] = {}
    for item in items:
        key = _missing_key(item)
        if key is None:
            continue
        if not plain:
            raise _key_needed(item)
        item.row_key_at = added.setdefault(key, len(items) + len(added))
    if added:
        last = targets_end(scope.text, start, returning=returning)
        scope.text.insert_after(last, "".join(f", {key}" for key in added))
        a.hidden = len(added)


def _missing_key(item: Item) -> str | None:
    """SQL for the row key that the item's cell needs and does not have; None: nothing is missing."""
    cell = item.origin.cell
    if cell is None or cell.sealing is None or not cell.sealing.row_bound or item.row_key_at is not None:
        return None
    key = key_at_hand(item.visible) if item.visible is not None else None
    if key is None:
        raise _key_needed(item)
    return key


def _key_needed(item: Item) -> Unsupported:
    cell = item.origin.cell
    return Unsupported(
        f'the sealed column "{cell.name if cell else item.name}" is bound to its row and can only be read together '
        "with the row's key",
        hint="Select the key of its table beside it, in every subquery on the way.",
        position=item.position,
    )


def output_columns(items: list[Item]) -> tuple[OutputColumn, ...]:
    return tuple(_output(item) for item in items)


def _output(item: Item) -> OutputColumn:
    computed = finished_output(item)
    if computed is not None:
        return computed
    cell = item.origin.cell
    if cell is None or cell.sealing is None:
        return OutputColumn(item.name, OutputAction.PASS)
    if cell.sealing.row_bound and item.row_key_at is None:
        raise _key_needed(item)
    normalised = _is_normalised(item, cell.sealing)
    own_oid = OIDS[cell.sealing.logical_type][0]
    return OutputColumn(
        item.name,
        OutputAction.OPEN,
        cell,
        item.origin.oid,
        item.origin.attnum,
        item.text_cast or own_oid,
        -1 if item.text_cast or normalised else cell.sealing.typmod,
        item.row_key_at,
        normalised,
    )


def _is_normalised(item: Item, sealing: Sealing) -> bool:
    """A group's key, for someone who may group by the field and not read it: one row's spelling is one row's value."""
    readable = all(column.rights.allows(Verb.READ) for column in item.origin.columns)
    return bool(sealing.normalisers) and item.origin.released and not readable
