"""The types that a cast names, as far as sealed columns need them: which logical type, and where the name ends."""

from __future__ import annotations

from policies.fields import LogicalType, Sealing

from .edits import SqlText, closing_index
from .fragments import logical_type_name
from .lexer import TokenKind
from .parameters import TEXT_LIKE
from .tree import Node, strings

_BY_NAME = {logical.value: logical for logical in LogicalType}
# What the grammar does not turn into a pg_catalog name by itself stands here unqualified.
_MULTIWORD = {
    "double": ({"precision"},),
    "character": ({"varying"},),
    "char": ({"varying"},),
    "bit": ({"varying"},),
    "national": ({"character", "char"}, {"varying"}),
}
_ROUNDED = frozenset({LogicalType.NUMERIC, LogicalType.TIMESTAMP, LogicalType.TIMESTAMPTZ})
_ZONED = frozenset({"time", "timestamp"})


def logical_of(type_name: Node, *, modified: bool = False) -> tuple[LogicalType, bool] | None:
    """(logical type, is it an array of it); None for every other type, and for one with modifiers: they truncate.

    `modified`: modifiers are looked at elsewhere.
    """
    names = strings(type_name.get("names", []))
    if (type_name.get("typmods") and not modified) or type_name.get("setof") or type_name.get("pct_type"):
        return None
    if len(names) == 2 and names[0] == "pg_catalog":
        names = names[1:]
    if len(names) != 1 or names[0] not in _BY_NAME:
        return None
    return _BY_NAME[names[0]], bool(type_name.get("arrayBounds"))


def compatible(cast: LogicalType, field: LogicalType) -> bool:
    """A value keeps its cell form under this cast."""
    return cast is field or (cast in TEXT_LIKE and field in TEXT_LIKE)


def rounds_like(type_name: Node, sealing: Sealing) -> bool:
    """The cast's modifiers are the field's own, and do what storing in it does: numbers and times are rounded."""
    found = logical_of(type_name, modified=True)
    if found is None or found[1] or found[0] is not sealing.logical_type or found[0] not in _ROUNDED:
        return False
    written = [node.get("A_Const", {}).get("ival", {}).get("ival", 0) for node in type_name.get("typmods", [])]
    own = logical_type_name(sealing.logical_type, sealing.typmod)
    return own.partition("(")[2].rstrip(")") == ",".join(str(number) for number in written)


def type_end(text: SqlText, first: int) -> int:
    """The last token of the type name at token `first`.  A wrong guess does not survive the second parse."""
    tokens = text.tokens
    head = tokens.word(first)
    last = first
    for words in _MULTIWORD.get(head, ()):
        if tokens.word(last + 1) in words:
            last += 1
    while tokens.text(last + 1) == b"." and last + 2 < len(tokens):
        last += 2
    if tokens.text(last + 1) == b"(":
        last = closing_index(text, last + 1)
    if head in _ZONED and tokens.word(last + 1) in ("with", "without") and tokens.word(last + 2) == "time":
        last += 3
    while tokens.text(last + 1) == b"[":
        last = closing_index(text, last + 1)
    if tokens.word(last + 1) == "array":
        last += 1
    return last


def cast_tokens(text: SqlText, type_name: Node) -> tuple[int, int]:
    first = text.token_at(type_name.get("location", -1), TokenKind.WORD, TokenKind.QUOTED)
    return first, type_end(text, first)
