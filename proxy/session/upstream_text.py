"""What a plan is for the server: its text, with slots as parameters or literals, and the types of its parameters."""

from __future__ import annotations

from collections.abc import Mapping

from proxy.sql.plan import SlotKind, StatementPlan
from proxy.wire.oids import TEXT


def upstream_text(plan: StatementPlan, literals: Mapping[int, bytes] | None = None) -> bytes:
    """The statement's upstream text: slots as `$k`, or as the given literals."""
    parts = []
    for segment in plan.segments:
        if isinstance(segment, bytes):
            parts.append(segment)
        elif literals is None:
            parts.append(b"$%d" % (segment + 1))
        else:
            parts.append(literals[segment])
    return b"".join(parts)


def declared_upstream(plan: StatementPlan, declared: tuple[int, ...]) -> tuple[int, ...]:
    """Type OIDs for the physical parameters of a rewritten Parse; trailing zeros are left out.

    Without slots the parameters, if there are any, are the client's own.
    """
    if not plan.slots:
        return declared
    oids: list[int] = []
    for slot in plan.slots:
        if slot.kind is SlotKind.UNUSED:
            oids.append(TEXT)  # PostgreSQL wants to know of all that stand below the highest
            continue
        number = slot.source.parameter if slot.source is not None else None
        plain = slot.kind is SlotKind.PLAIN and number is not None and number <= len(declared)
        oids.append(declared[number - 1] if plain and number is not None else 0)
    while oids and oids[-1] == 0:
        oids.pop()
    return tuple(oids)
