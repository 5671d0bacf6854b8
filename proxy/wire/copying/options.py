"""What a COPY says of its format, as the planner has checked it, and the errors that malformed data has in common.

Contract: no error of this package repeats data.  All of them are PostgreSQL's own, by SQLSTATE and, but for the values
in them, by their words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto

from proxy.errors import SqlState, ValueRejected

# The longest row that is taken apart.  A row is held in memory until its end is here, several times over while it is
# worked on; PostgreSQL itself gives up at 1 GB.
LONGEST_ROW = 64 * 1024 * 1024


class CopyFormat(StrEnum):
    TEXT = auto()
    CSV = auto()
    BINARY = auto()


class CopyHeader(StrEnum):
    NONE = auto()
    LINE = auto()
    MATCH = auto()  # FROM only: the names in it must be those of the columns


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """Options that say how rows look.  Sets hold indexes of columns.  `default`: FROM only, None: no such marker."""

    format: CopyFormat = CopyFormat.TEXT
    delimiter: bytes = b"\t"
    null: bytes = b"\\N"
    default: bytes | None = None
    header: CopyHeader = CopyHeader.NONE
    quote: bytes = b'"'
    escape: bytes = b'"'
    force_quote: frozenset[int] = frozenset()
    force_not_null: frozenset[int] = frozenset()
    force_null: frozenset[int] = frozenset()
    dot_ends: bool = True  # a line of `\.` ends the data: always in text, in csv before PostgreSQL 18


TEXT_OPTIONS = CopyOptions()


def bad_format(what: str, *, hint: str | None = None) -> ValueRejected:
    return ValueRejected(what, sqlstate=SqlState.BAD_COPY_FILE_FORMAT, hint=hint)


def too_long() -> ValueRejected:
    return ValueRejected(
        f"a row of a COPY over protected tables may be {LONGEST_ROW // (1024 * 1024)} MB long",
        sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED,
        hint="Write such rows with INSERT.",
    )


def wrong_count(found: int, expected: int) -> ValueRejected:
    """A row of text or csv with too few or too many fields."""
    return bad_format("missing data for a column" if found < expected else "extra data after last expected column")
