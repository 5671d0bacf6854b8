"""Functions over texts, each exactly PostgreSQL's own for text in a UTF8 database; characters are code points.

Where a function depends on a collation it gets what that collation makes of letters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from proxy.errors import CellUnreadable, SqlState
from proxy.sql.computation import Casing, Operation

Value = Any  # str for text and varchar, the cell form of every other type, None for NULL


def lowered(text: str, casing: Casing) -> str:
    if casing.doubtful and not casing.doubtful.isdisjoint(text):
        raise CellUnreadable(
            "lower() of a value of this result is not known: a letter in it looks at its neighbours",
            sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
            hint="Select the column as it is, and make it small in the application.",
        )
    return text.translate(casing.lower)


def substring(text: str, start: int, length: int | None = None) -> str:
    if length is None:
        return text[max(start, 1) - 1 :]
    end = start + length
    return "" if end < 1 else text[max(start, 1) - 1 : end - 1]


def right(text: str, count: int) -> str:
    return text[max(len(text) - count, 0) :] if count >= 0 else text[-count:]


def replaced(text: str, old: str, new: str) -> str:
    return text.replace(old, new) if old else text


def joined(values: Sequence[Value]) -> str:
    return "".join(value for value in values if value is not None)


def joined_with(values: Sequence[Value]) -> str | None:
    separator, *rest = values
    return None if separator is None else str(separator).join(value for value in rest if value is not None)


def _trimmed(strip: Callable[[str, str], str]) -> Callable[..., str]:
    return lambda text, characters=" ": strip(text, characters)


STRICT: dict[Operation, Callable[..., Value]] = {
    Operation.APPEND: lambda left, other: left + other,
    Operation.SUBSTR: substring,
    Operation.LEFT: lambda text, count: text[:count],
    Operation.RIGHT: right,
    Operation.BTRIM: _trimmed(str.strip),
    Operation.LTRIM: _trimmed(str.lstrip),
    Operation.RTRIM: _trimmed(str.rstrip),
    Operation.REPLACE: replaced,
    Operation.REVERSE: lambda text: text[::-1],
}
NUMBERS: dict[Operation, Callable[..., int]] = {
    Operation.LENGTH: len,
    Operation.OCTET_LENGTH: lambda value: len(value.encode() if isinstance(value, str) else value),
    Operation.BIT_LENGTH: lambda value: 8 * len(value.encode() if isinstance(value, str) else value),
    Operation.STRPOS: lambda text, part: text.find(part) + 1,
}
"""Their result is an int4."""
