"""bool: the cell is one byte, 0 or 1."""

from __future__ import annotations

from policies.fields import LogicalType
from proxy.wire.oids import ARRAYS, BOOL

from .codec import SPACE, bad_binary, bad_text
from .settings import ValueSettings

_TRUE, _FALSE = b"\x01", b"\x00"


def _prefixes(word: bytes, shortest: int) -> list[bytes]:
    return [word[:size] for size in range(shortest, len(word) + 1)]


# As parse_bool_with_len(): every unambiguous beginning of these words.
_SPELLINGS = {
    **dict.fromkeys((*_prefixes(b"true", 1), *_prefixes(b"yes", 1), b"on", b"1"), _TRUE),
    **dict.fromkeys((*_prefixes(b"false", 1), *_prefixes(b"no", 1), *_prefixes(b"off", 2), b"0"), _FALSE),
}


class BooleanCodec:
    type_oid = BOOL
    array_oid = ARRAYS[BOOL]
    logical = LogicalType.BOOL
    text_is_cell = False
    binary_is_cell = True

    def from_text(self, raw: bytes, typmod: int, settings: ValueSettings, source_oid: int = 0) -> bytes:
        cell = _SPELLINGS.get(raw.strip(SPACE).lower())
        if cell is None:
            raise bad_text(raw, "boolean")
        return cell

    def from_binary(self, raw: bytes, typmod: int, source_oid: int = 0, settings: ValueSettings | None = None) -> bytes:
        if len(raw) != 1:
            raise bad_binary("boolean")
        return _FALSE if raw == _FALSE else _TRUE

    def to_text(self, cell: bytes, settings: ValueSettings) -> bytes:
        return b"t" if cell == _TRUE else b"f"

    def to_binary(self, cell: bytes) -> bytes:
        return cell

    def term_input(self, cell: bytes) -> bytes:
        return cell
