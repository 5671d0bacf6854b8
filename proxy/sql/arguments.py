"""EXECUTE's arguments: where each one's text begins and ends, and which of them are constants.

What an argument becomes depends on what stands behind the name, which only the session knows (`executions`).
"""

from __future__ import annotations

from proxy.errors import FieldgateError, Unsupported

from .edits import SqlText, closing_index
from .plan import Argument, Written
from .tree import Node, RawStatement, parse_script
from .typenames import logical_of
from .values import Value, value_of


def read_arguments(statement: RawStatement, source: bytes) -> tuple[Argument, ...]:
    """Raises Unsupported when the text of an argument can not be told from the next one's."""
    params = statement.body.get("params", [])
    if not params:
        return ()
    texts = _texts(SqlText(source))
    if len(texts) != len(params) or not _says_the_same(texts, params):
        raise Unsupported("the arguments of EXECUTE can not be located exactly", hint="Write them more simply.")
    return tuple(_argument(text, node) for text, node in zip(texts, params, strict=True))


def _texts(text: SqlText) -> list[bytes]:
    """The list is the first bracket behind the name; a comma at its own depth ends an argument."""
    tokens = text.tokens
    opening = next((i for i in range(len(tokens)) if tokens.text(i) == b"("), None)
    if opening is None:
        return []
    closing = closing_index(text, opening)
    found, first, index = [], opening + 1, opening + 1
    while index <= closing:
        if tokens.text(index) in (b"(", b"["):
            index = closing_index(text, index)
        elif tokens.text(index) == b"," or index == closing:
            found.append(text.source[tokens[first].start : tokens[max(index - 1, first)].end])
            first = index + 1
        index += 1
    return found


def _says_the_same(texts: list[bytes], params: list[Node]) -> bool:
    try:
        [again] = parse_script(b"EXECUTE x (" + b", ".join(texts) + b")")
    except (FieldgateError, ValueError):
        return False
    return again.kind == "ExecuteStmt" and without_places(again.body.get("params", [])) == without_places(params)


def without_places(value: object) -> object:
    """A tree by what it says, wherever it stands."""
    if isinstance(value, dict):
        return {key: without_places(inner) for key, inner in value.items() if key != "location"}
    if isinstance(value, list):
        return [without_places(item) for item in value]
    return value


def _argument(text: bytes, node: Node) -> Argument:
    value = value_of(node)
    if value is None or value.kind == "ParamRef":
        return Argument(text)
    casts = tuple(logical_of(cast.get("typeName", {})) for cast in value.casts)
    if value.kind == "A_ArrayExpr":
        elements = tuple(_argument(b"", element) for element in value.body.get("elements", []))
        scalar = all(element.written not in (None, Written.ARRAY) for element in elements)
        return Argument(text, Written.ARRAY, casts=casts, elements=elements) if scalar else Argument(text)
    written, constant = _constant(value)
    return Argument(text, written, constant.encode(), casts)


def _constant(value: Value) -> tuple[Written | None, str]:
    body = value.body
    if value.is_null:
        return Written.NULL, ""
    if "sval" in body:
        return Written.STRING, str(body["sval"].get("sval", ""))
    if "ival" in body:
        return Written.INTEGER, str(body["ival"].get("ival", 0))
    if "fval" in body:
        return Written.DECIMAL, str(body["fval"].get("fval", ""))
    if "boolval" in body:
        return Written.BOOLEAN, "true" if body["boolval"].get("boolval", False) else "false"
    return None, ""  # a bit string
