"""What a codec of values does, and the rejections that all of them share.

Cell form: one canonical byte string for each logical value; what is sealed.  Term input: a second canonical form,
equal for two values iff PostgreSQL's `=` is true of them.  No rejection repeats the value.
"""

from __future__ import annotations

from typing import Protocol

from policies.fields import LogicalType
from proxy.errors import SqlState, ValueRejected

from .settings import ValueSettings

SPACE = b" \t\n\v\f\r"  # isspace() in the C locale


class Codec(Protocol):
    """One logical type.

    `text_is_cell`, `binary_is_cell`: the cell form is the text or binary form as it is, whatever the settings.
    """

    type_oid: int
    array_oid: int
    logical: LogicalType
    text_is_cell: bool
    binary_is_cell: bool

    def from_text(self, raw: bytes, typmod: int, settings: ValueSettings, source_oid: int = 0) -> bytes:
        """The cell form of a value in text form, read as PostgreSQL's input function reads it.

        `source_oid`: the declared type of the parameter, 0 or unknown for a constant or an undeclared one; it must be
        one that `accepts_source` accepts.  `typmod` -1 applies no length or scale: for values that are compared.
        """
        ...

    def from_binary(self, raw: bytes, typmod: int, source_oid: int = 0, settings: ValueSettings | None = None) -> bytes:
        """The cell form of a value in the binary form of `source_oid` (0, unknown: of this type).

        `settings` is needed only between timestamp and timestamptz, whose conversion is the session's TimeZone.
        """
        ...

    def to_text(self, cell: bytes, settings: ValueSettings) -> bytes: ...

    def to_binary(self, cell: bytes) -> bytes: ...

    def term_input(self, cell: bytes) -> bytes: ...


def is_text(raw: bytes) -> bool:
    """Whether PostgreSQL takes this as text in a UTF8 database: valid UTF-8 without NUL."""
    if 0 in raw:
        return False
    if raw.isascii():
        return True
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def check_text(raw: bytes) -> None:
    if not is_text(raw):
        raise bad_encoding()


def bad_encoding() -> ValueRejected:
    return ValueRejected('invalid byte sequence for encoding "UTF8"', sqlstate=SqlState.CHARACTER_NOT_IN_REPERTOIRE)


def bad_text(raw: bytes, type_name: str, state: SqlState = SqlState.INVALID_TEXT_REPRESENTATION) -> ValueRejected:
    """For text that the type does not understand; bytes that are no text at all have their own SQLSTATE."""
    if not is_text(raw):
        return bad_encoding()
    return ValueRejected(f"invalid input syntax for type {type_name}", sqlstate=state)


def bad_binary(type_name: str) -> ValueRejected:
    return ValueRejected(
        f"incorrect binary data format for type {type_name}", sqlstate=SqlState.INVALID_BINARY_REPRESENTATION
    )


def out_of_range(type_name: str) -> ValueRejected:
    return ValueRejected(f"value out of range for type {type_name}", sqlstate=SqlState.NUMERIC_OUT_OF_RANGE)


def inexact(type_name: str) -> ValueRejected:
    """A conversion between types would change the value: right for a write, wrong for a comparison; so never done."""
    return ValueRejected(
        f"the parameter's value is not exactly a value of type {type_name}",
        sqlstate=SqlState.DATATYPE_MISMATCH,
        hint="Declare the parameter with the field's own type.",
    )
