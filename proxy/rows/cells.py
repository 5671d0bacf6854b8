"""Cells of a result: how they look in text, and what is said when they can not be opened."""

from __future__ import annotations

from policies.fields import Field
from proxy.errors import CellUnreadable


def from_text(value: bytes, field: Field) -> bytes:
    """bytea in text form: hex, or escape when the session asked for that (bytea_output)."""
    try:
        if value.startswith(b"\\x"):
            return bytes.fromhex(value[2:].decode("ascii"))
        return _unescape(value)
    except ValueError:
        raise unreadable(field) from None


def _unescape(value: bytes) -> bytes:
    out = bytearray()
    position = 0
    while position < len(value):
        if value[position] != 0x5C:
            out.append(value[position])
            position += 1
        elif value[position + 1 : position + 2] == b"\\":
            out.append(0x5C)
            position += 2
        else:
            out.append(int(value[position + 1 : position + 4].decode("ascii"), 8))
            position += 4
    return bytes(out)


def unreadable(field: Field) -> CellUnreadable:
    return CellUnreadable(
        f"a sealed cell of {field.name} cannot be opened",
        detail="It was changed, moved from another column or row, or sealed under a key that is not at hand.",
    )
