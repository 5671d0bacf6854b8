"""Names that mean nothing, too much, or something that nobody may have."""

from __future__ import annotations

from proxy.errors import Refused, SqlState, Unsupported

QUALIFY = "Write it with its table's name or alias in front."


def ambiguous(name: str, position: int | None = None) -> Refused:
    return Refused(
        f'column reference "{name}" is ambiguous', sqlstate=SqlState.AMBIGUOUS_COLUMN, hint=QUALIFY, position=position
    )


def unknown_column(name: str, position: int | None) -> Refused:
    return Refused(f'column "{name}" does not exist', sqlstate=SqlState.UNDEFINED_COLUMN, position=position)


def system_column(name: str, position: int | None) -> Refused:
    return Refused(
        f'permission denied: system column "{name}" of a protected table',
        detail="System columns tell where and when rows were written; no policy gives them.",
        position=position,
    )


def whole_row(name: str, position: int | None) -> Unsupported:
    return Unsupported(
        f'"{name}" as a whole row is not available where protected tables are read',
        hint="Name the columns that you need.",
        position=position,
    )
