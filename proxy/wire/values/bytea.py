"""bytea: the cell is the bytes; text is read in both formats and written as `bytea_output` says."""

from __future__ import annotations

import re

from policies.fields import LogicalType
from proxy.errors import SqlState, ValueRejected
from proxy.wire.oids import ARRAYS, BYTEA

from .codec import bad_encoding, bad_text, is_text
from .settings import ValueSettings

_HEX_SPACE = b" \t\n\r"
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}|[ \t\n\r])*")
_ESCAPED = re.compile(rb"(?:[^\\]|\\\\|\\[0-3][0-7][0-7])*", re.DOTALL)
_ESCAPE = re.compile(rb"\\(\\|[0-7]{3})")
_WRITTEN = tuple(
    b"\\\\" if byte == 0x5C else bytes((byte,)) if 0x20 <= byte <= 0x7E else b"\\%03o" % byte for byte in range(256)
)


class ByteaCodec:
    type_oid = BYTEA
    array_oid = ARRAYS[BYTEA]
    logical = LogicalType.BYTEA
    text_is_cell = False
    binary_is_cell = True

    def from_text(self, raw: bytes, typmod: int, settings: ValueSettings, source_oid: int = 0) -> bytes:
        if raw.startswith(b"\\x"):
            if _HEX.fullmatch(raw, 2) is None:
                raise _bad_hex(raw)
            return bytes.fromhex(raw[2:].translate(None, _HEX_SPACE).decode("ascii"))
        if _ESCAPED.fullmatch(raw) is None or not is_text(raw):
            raise bad_text(raw, "bytea")
        return _ESCAPE.sub(_unescaped, raw)

    def from_binary(self, raw: bytes, typmod: int, source_oid: int = 0, settings: ValueSettings | None = None) -> bytes:
        return raw

    def to_text(self, cell: bytes, settings: ValueSettings) -> bytes:
        if settings.bytea_output == "escape":
            return b"".join([_WRITTEN[byte] for byte in cell])
        return b"\\x" + cell.hex().encode("ascii")

    def to_binary(self, cell: bytes) -> bytes:
        return cell

    def term_input(self, cell: bytes) -> bytes:
        return cell


def _unescaped(match: re.Match[bytes]) -> bytes:
    return b"\\" if match[1] == b"\\" else bytes((int(match[1], 8),))


def _bad_hex(raw: bytes) -> ValueRejected:
    if not is_text(raw):
        return bad_encoding()
    return ValueRejected("invalid hexadecimal data for type bytea", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
