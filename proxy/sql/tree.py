"""PostgreSQL's own grammar (libpg_query, through pgparse): text in, its parse tree out.  Only importer of pgparse.

A node is a one-key dict `{"ColumnRef": {...}}`; the inner dict is its body.  Fields that hold their type's zero (0,
false, "") are left out of a body, and some fields hold a bare body because their type is fixed by the grammar.
`location` counts bytes of the UTF-8 text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pgparse

from proxy.errors import FieldgateError, Refused, SqlState

from .lexer import nesting_bound

Node = dict[str, Any]

# libpg_query writes its tree recursively in C; far deeper trees than this end the process (measured: 20,000 is well).
MAX_NESTING = 10_000


@dataclass(frozen=True, slots=True)
class RawStatement:
    """One statement of a script; `start` and `end` cut the script's bytes at its semicolons."""

    kind: str
    body: Node
    start: int
    end: int


def parse_script(source: bytes) -> list[RawStatement]:
    """Raises Refused (42601 with PostgreSQL's own words, or 54001) for what the grammar does not take."""
    return [_raw(item, len(source)) for item in _parse(source)]


def _parse(source: bytes) -> list[Node]:
    if b"\0" in source:
        raise Refused("a statement may not contain a zero byte", sqlstate=SqlState.SYNTAX_ERROR)
    if len(source) > MAX_NESTING and nesting_bound(source) > MAX_NESTING:
        raise _too_deep()
    try:
        tree: list[Node] = pgparse.parse(source.decode())
    except pgparse.PGQueryError as error:
        raise _syntax_error(error, source) from None
    except RecursionError:
        raise _too_deep() from None
    return tree


def _raw(item: Node, size: int) -> RawStatement:
    start: int = item.get("stmt_location", 0)
    length: int = item.get("stmt_len", 0)
    kind, body = unwrap(item["stmt"])
    return RawStatement(kind, body, start, start + length if length else size)


def _too_deep() -> FieldgateError:
    return Refused(
        "the statement is nested too deeply to be analysed",
        sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED,
        hint="Split it, or use IN or ANY with an array in place of long chains of operators.",
    )


def _syntax_error(error: Exception, source: bytes) -> FieldgateError:
    message = str(getattr(error, "message", "syntax error"))
    position = getattr(error, "position", 0)  # 1-based, in characters
    return Refused(
        message,
        sqlstate=SqlState.SYNTAX_ERROR,
        position=position if isinstance(position, int) and 0 < position <= len(source) + 1 else None,
        routine="scanner_yyerror",
    )


def fingerprint(text: str) -> str:
    """A name for the statement's shape; constants have no part in it."""
    try:
        found = pgparse.fingerprint(text)
    except (pgparse.PGQueryError, RecursionError):
        return ""
    return str(found)


def unwrap(node: Node) -> tuple[str, Node]:
    """The kind and the body of a node; an empty node (PostgreSQL's null pointer) is kind ''."""
    for kind, body in node.items():
        return kind, body
    return "", {}


def string(node: Node) -> str:
    """The text of a String node."""
    value: str = node["String"].get("sval", "")
    return value


def strings(nodes: list[Node]) -> tuple[str, ...]:
    """A qualified name.  `*` stands for A_Star, which no identifier here can be confused with: it is always last."""
    return tuple("*" if "A_Star" in node else string(node) for node in nodes)


Nodes = list[tuple[str, Node]]
_INNER = (dict, list)  # a statement may have a million nodes


def nodes(value: object) -> Nodes:
    """Every dict below `value` with the key that leads to it: a node's kind, or a fixed field's name."""
    found: Nodes = []
    pending: list[tuple[str, object]] = [("", value)]
    while pending:
        key, current = pending.pop()
        if isinstance(current, dict):
            found.append((key, current))
            for inner_key, inner in current.items():
                if isinstance(inner, _INNER):
                    pending.append((inner_key, inner))
        elif isinstance(current, list):
            pending += [(key, item) for item in current]
    return found


def shape(value: object) -> object:
    """A tree without its places in the text, to be compared."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items() if key not in ("location", "stmt_len")}
    return [shape(item) for item in value] if isinstance(value, list) else value
