"""text and varchar: the cell is the text itself, in UTF-8."""

from __future__ import annotations

from policies.fields import LogicalType
from proxy.errors import SqlState, ValueRejected
from proxy.wire.oids import ARRAYS, BPCHAR, NAME, TEXT, VARCHAR

from .codec import check_text
from .settings import ValueSettings

_NAME_SIZE = 63  # NAMEDATALEN - 1
_VARHDRSZ = 4  # what a varchar's typmod is above its length


class TextCodec:
    type_oid = TEXT
    array_oid = ARRAYS[TEXT]
    logical = LogicalType.TEXT
    text_is_cell = True
    binary_is_cell = True

    def from_text(self, raw: bytes, typmod: int, settings: ValueSettings, source_oid: int = 0) -> bytes:
        check_text(raw)
        if source_oid == BPCHAR:
            return raw.rstrip(b" ")  # as the cast from character(n) does
        if source_oid == NAME and len(raw) > _NAME_SIZE:
            return raw[:_NAME_SIZE].decode("utf-8", "ignore").encode()  # cut as namein() cuts
        return raw

    def from_binary(self, raw: bytes, typmod: int, source_oid: int = 0, settings: ValueSettings | None = None) -> bytes:
        check_text(raw)
        if source_oid == BPCHAR:
            return raw.rstrip(b" ")
        if source_oid == NAME and len(raw) > _NAME_SIZE:
            raise ValueRejected("identifier too long", sqlstate=SqlState.STRING_TOO_LONG)
        return raw

    def to_text(self, cell: bytes, settings: ValueSettings) -> bytes:
        return cell

    def to_binary(self, cell: bytes) -> bytes:
        return cell

    def term_input(self, cell: bytes) -> bytes:
        return cell


class VarcharCodec(TextCodec):
    type_oid = VARCHAR
    array_oid = ARRAYS[VARCHAR]
    logical = LogicalType.VARCHAR

    def from_text(self, raw: bytes, typmod: int, settings: ValueSettings, source_oid: int = 0) -> bytes:
        return _limited(super().from_text(raw, typmod, settings, source_oid), typmod)

    def from_binary(self, raw: bytes, typmod: int, source_oid: int = 0, settings: ValueSettings | None = None) -> bytes:
        return _limited(super().from_binary(raw, typmod, source_oid, settings), typmod)


def _limited(raw: bytes, typmod: int) -> bytes:
    """As varchar(n): characters beyond n are an error, unless all of them are spaces, which are cut off."""
    limit = typmod - _VARHDRSZ
    if limit < 1 or len(raw) <= limit:
        return raw
    text = raw.decode("utf-8")
    if text[limit:].strip(" "):
        raise ValueRejected(f"value too long for type character varying({limit})", sqlstate=SqlState.STRING_TOO_LONG)
    return text[:limit].encode()
