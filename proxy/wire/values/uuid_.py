"""uuid: the cell is its 16 bytes."""

from __future__ import annotations

import re

from policies.fields import LogicalType
from proxy.wire.oids import ARRAYS, UUID

from .codec import bad_binary, bad_text
from .settings import ValueSettings

_PAIRS = rb"(?:[0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}"  # a hyphen may stand after any group of four digits
_SPELLING = re.compile(rb"\{" + _PAIRS + rb"\}|" + _PAIRS)
_PUNCTUATION = b"{}-"


class UuidCodec:
    type_oid = UUID
    array_oid = ARRAYS[UUID]
    logical = LogicalType.UUID
    text_is_cell = False
    binary_is_cell = True

    def from_text(self, raw: bytes, typmod: int, settings: ValueSettings, source_oid: int = 0) -> bytes:
        if _SPELLING.fullmatch(raw) is None:
            raise bad_text(raw, "uuid")
        return bytes.fromhex(raw.translate(None, _PUNCTUATION).decode("ascii"))

    def from_binary(self, raw: bytes, typmod: int, source_oid: int = 0, settings: ValueSettings | None = None) -> bytes:
        if len(raw) != 16:
            raise bad_binary("uuid")
        return raw

    def to_text(self, cell: bytes, settings: ValueSettings) -> bytes:
        digits = cell.hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}".encode("ascii")

    def to_binary(self, cell: bytes) -> bytes:
        return cell

    def term_input(self, cell: bytes) -> bytes:
        return cell
