"""What a client bound, and the value that one slot or search takes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from proxy.errors import SqlState, ValueRejected
from proxy.sql.plan import ValueSource
from proxy.wire.values.settings import ValueSettings


@dataclass(frozen=True, slots=True)
class ClientValues:
    """What the client bound: values ($1 first, None is NULL), their formats (one each) and declared type OIDs."""

    values: Sequence[bytes | None] = ()
    binary: Sequence[bool] = ()
    declared: Sequence[int] = ()
    drawn: Sequence[bytes] = ()  # keys drawn for this execution, one for each of the plan's `draws`
    parsed_under: ValueSettings | None = None  # what the text's own constants are read by; None: as values are

    def parameter(self, number: int) -> tuple[bytes | None, bool, int]:
        if number > len(self.values):
            raise ValueRejected(f"there is no parameter ${number}", sqlstate=SqlState.UNDEFINED_PARAMETER)
        declared = self.declared[number - 1] if number <= len(self.declared) else 0
        return self.values[number - 1], self.binary[number - 1], declared


def source_value(source: ValueSource | None, client: ClientValues) -> tuple[bytes | None, bool, int]:
    if source is None:
        return None, False, 0
    if source.parameter is not None:
        return client.parameter(source.parameter)
    if source.draw is not None:
        return client.drawn[source.draw], False, 0
    return source.constant, False, 0
