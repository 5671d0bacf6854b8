"""Server errors and notices of statements over protected fields, without anything that could show a value (I3).

What is kept: severity, SQLSTATE, and names of schema, table, column, constraint and type; the message only where
PostgreSQL's message of that class holds names alone.  DETAIL, HINT, CONTEXT, internal query and source lines go.
"""

from __future__ import annotations

_KEPT = (b"S", b"V", b"C", b"s", b"t", b"c", b"d", b"n")

# Classes whose primary messages name objects, never values (PostgreSQL documentation, appendix A, and the server's
# own message catalogue); single codes outside these classes are listed by themselves.
_NAMED_CLASSES = frozenset({b"08", b"0A", b"23", b"25", b"26", b"34", b"40", b"53", b"54", b"55", b"57", b"58"})
_NAMED_CODES = frozenset(
    {
        b"42501",
        b"42703",
        b"42P01",
        b"42702",
        b"42704",
        b"42P10",
        b"42803",
        b"42804",
        b"42883",
        b"42P02",
        b"42P03",
        b"42P05",
        b"42P18",
        b"21000",
    }
)

_GENERIC = {
    b"22001": b"value too long for its type",
    b"22003": b"value out of range",
    b"22007": b"invalid date or time format",
    b"22008": b"date or time out of range",
    b"22012": b"division by zero",
    b"22P02": b"invalid input syntax",
    b"22P03": b"invalid binary input",
    b"42601": b"syntax error",
    b"P0001": b"an exception was raised",
}


def scrub(fields: dict[bytes, bytes], *, rewritten: bool) -> dict[bytes, bytes]:
    """A copy that is safe for the client.  `rewritten`: the position refers to our text, not the client's: dropped."""
    code = fields.get(b"C", b"XX000")
    safe = {key: fields[key] for key in _KEPT if key in fields}
    safe[b"M"] = _message(code, fields.get(b"M", b""))
    if b"P" in fields and not rewritten:
        safe[b"P"] = fields[b"P"]
    return safe


def _message(code: bytes, original: bytes) -> bytes:
    if code[:2] in _NAMED_CLASSES or code in _NAMED_CODES:
        return original
    known = _GENERIC.get(code, b"the statement failed")
    return known + b" (the server's message is withheld because protected fields are involved)"
