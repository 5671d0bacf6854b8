"""The options of COPY: read from the tree as PostgreSQL reads them, checked, and written out again for the server.

Contract: what is not named here is refused; nothing of the client's text reaches the server but as a value that was
read and quoted again.  Columns are named as the client names them, and kept by their places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from proxy.errors import Refused, SqlState, Unsupported
from proxy.wire.copying.options import CopyFormat, CopyHeader, CopyOptions

from .fragments import quoted
from .tree import Node, string, unwrap

_TEXT_DELIMITERS_NOT = b"\\.abcdefghijklmnopqrstuvwxyz0123456789"
_CSV_ONLY = ("quote", "escape", "force_quote", "force_not_null", "force_null")
_FROM_ONLY = ("freeze", "default", "force_not_null", "force_null", "on_error", "reject_limit")
_TO_ONLY = ("force_quote",)
_NOT_BINARY = ("delimiter", "null", "default", "header")
# Passed on with their value as it is: they say what the server does with rows, not how rows look.
_PASSED = ("freeze", "on_error", "reject_limit", "log_verbosity")
_KNOWN = frozenset(("format", "encoding", *_NOT_BINARY, *_CSV_ONLY, *_FROM_ONLY, *_PASSED))
_UTF8 = frozenset({"utf8", "unicode"})


@dataclass(frozen=True, slots=True)
class GivenOptions:
    """`passed`: options that the server gets as the client gave them."""

    rows: CopyOptions
    passed: dict[str, str] = field(default_factory=dict)

    @property
    def skips_bad_rows(self) -> bool:
        return self.passed.get("on_error", "").lower() == "ignore"


def read_options(
    elements: Sequence[Node], columns: Sequence[str], *, is_from: bool, server_version: int
) -> GivenOptions:
    """`columns`: the names of those that are copied.  Raises Refused, by PostgreSQL's own SQLSTATEs."""
    given = _collected(elements)
    kind = _format(given)
    _check_places(given, kind, is_from=is_from)
    csv = kind is CopyFormat.CSV
    quote = _single_byte(given, "quote", b'"')
    rows = CopyOptions(
        kind,
        _single_byte(given, "delimiter", b"," if csv else b"\t"),
        _text(given["null"]).encode() if "null" in given else b"" if csv else b"\\N",
        _text(given["default"]).encode() if "default" in given else None,
        _header(given["header"], is_from=is_from) if "header" in given else CopyHeader.NONE,
        quote,
        _single_byte(given, "escape", quote),
        force_quote=_columns(given, columns, "force_quote"),
        force_not_null=_columns(given, columns, "force_not_null"),
        force_null=_columns(given, columns, "force_null"),
        dot_ends=not csv or server_version < 180000,
    )
    _check_marks(rows)
    return GivenOptions(rows, {name: _text(given[name]) for name in _PASSED if name in given})


def _collected(elements: Sequence[Node]) -> dict[str, Node]:
    given: dict[str, Node] = {}
    for element in elements:
        body = element["DefElem"]
        name = body["defname"]
        if name not in _KNOWN:
            raise Refused(f'option "{name}" not recognized', sqlstate=SqlState.SYNTAX_ERROR)
        if name in given:
            raise Refused("conflicting or redundant options", sqlstate=SqlState.SYNTAX_ERROR)
        given[name] = body.get("arg", {})
    if "encoding" in given and _text(given["encoding"]).lower().replace("-", "").replace("_", "") not in _UTF8:
        raise Unsupported("COPY of protected tables speaks UTF8 only", hint="Leave ENCODING out, and convert the file.")
    return given


def _format(given: dict[str, Node]) -> CopyFormat:
    name = _text(given["format"]) if "format" in given else "text"
    try:
        return CopyFormat(name)
    except ValueError:
        raise _invalid(f'COPY format "{name}" not recognized') from None


def _check_places(given: dict[str, Node], kind: CopyFormat, *, is_from: bool) -> None:
    """Options where they may not stand."""
    for name in _NOT_BINARY:
        if name in given and kind is CopyFormat.BINARY:
            raise Refused(f"cannot specify {name.upper()} in BINARY mode", sqlstate=SqlState.SYNTAX_ERROR)
    for name in _CSV_ONLY:
        if name in given and kind is not CopyFormat.CSV:
            raise _not_there(name, "requires CSV mode")
    for name in _TO_ONLY if is_from else _FROM_ONLY:
        if name in given:
            raise _not_there(name, "cannot be used with COPY FROM" if is_from else "cannot be used with COPY TO")
    if kind is CopyFormat.BINARY and _text(given.get("on_error", {"String": {"sval": "stop"}})).lower() != "stop":
        raise Refused("only ON_ERROR STOP is allowed in BINARY mode", sqlstate=SqlState.SYNTAX_ERROR)


def _not_there(name: str, why: str) -> Refused:
    return Refused(f"COPY {name.upper()} {why}", sqlstate=SqlState.FEATURE_NOT_SUPPORTED)


def _single_byte(given: dict[str, Node], name: str, default: bytes) -> bytes:
    if name not in given:
        return default
    value = _text(given[name]).encode()
    if len(value) != 1:
        raise Refused(f"COPY {name} must be a single one-byte character", sqlstate=SqlState.FEATURE_NOT_SUPPORTED)
    return value


def _check_marks(rows: CopyOptions) -> None:
    """Marks that could be taken for one another, as ProcessCopyOptions() has them."""
    csv = rows.format is CopyFormat.CSV
    marks = {"NULL": rows.null, "DEFAULT": rows.default or b""}
    if rows.delimiter in b"\r\n":
        raise _invalid("COPY delimiter cannot be newline or carriage return")
    if not csv and rows.delimiter in _TEXT_DELIMITERS_NOT:
        raise _invalid("COPY delimiter cannot be this character")
    if csv and rows.delimiter == rows.quote:
        raise _invalid("COPY delimiter and quote must be different")
    if csv and (rows.quote in b"\r\n" or rows.escape in b"\r\n"):
        raise Unsupported("a line end as QUOTE or ESCAPE is not supported over protected tables", hint="Use another.")
    for name, mark in marks.items():
        if b"\r" in mark or b"\n" in mark:
            raise _invalid(f"COPY {name} representation cannot use newline or carriage return")
        if rows.delimiter in mark:
            raise _invalid(f"COPY delimiter character must not appear in the {name} specification")
        if csv and rows.quote in mark:
            raise _invalid(f"CSV quote character must not appear in the {name} specification")
    if rows.default is not None and rows.default == rows.null:
        raise _invalid("NULL specification and DEFAULT specification cannot be the same")


def _header(argument: Node, *, is_from: bool) -> CopyHeader:
    value = _text(argument).lower() if argument else "true"
    if value == "match":
        if not is_from:
            raise Refused('cannot use "match" with HEADER in COPY TO', sqlstate=SqlState.FEATURE_NOT_SUPPORTED)
        return CopyHeader.MATCH
    if value in ("true", "on", "1"):
        return CopyHeader.LINE
    if value in ("false", "off", "0"):
        return CopyHeader.NONE
    raise Refused('header requires a Boolean value or "match"', sqlstate=SqlState.SYNTAX_ERROR)


def _columns(given: dict[str, Node], columns: Sequence[str], option: str) -> frozenset[int]:
    if option not in given:
        return frozenset()
    if "A_Star" in given[option]:
        return frozenset(range(len(columns)))
    names = [string(item) for item in given[option].get("List", {}).get("items", [])]
    if not names:
        raise _invalid(f'argument to option "{option}" must be a list of column names')
    for name in names:
        if name not in columns:
            raise Refused(
                f'{option.upper()} column "{name}" not referenced by COPY', sqlstate=SqlState.INVALID_COLUMN_REFERENCE
            )
    return frozenset(columns.index(name) for name in names)


def _text(argument: Node) -> str:
    """The value as PostgreSQL's defGetString() has it."""
    kind, body = unwrap(argument)
    match kind:
        case "":
            return "true"
        case "String":
            return string(argument)
        case "Integer":
            return str(body.get("ival", 0))
        case "Float":
            return str(body.get("fval", ""))
        case "Boolean":
            return "true" if body.get("boolval", False) else "false"
    raise Refused("this value of an option of COPY is not understood", sqlstate=SqlState.SYNTAX_ERROR)


def _invalid(what: str) -> Refused:
    return Refused(what, sqlstate=SqlState.INVALID_PARAMETER_VALUE)


def clause_to(given: GivenOptions, columns: Sequence[str]) -> str:
    """The server writes rows just as the client wants them."""
    return _clause(given.rows, given.passed, lambda places: _names(places, columns))


def clause_from(given: GivenOptions) -> str:
    """The server reads what `upstream_rows` says, with the client's wishes for what happens to the rows."""
    return _clause(upstream_rows(given.rows), given.passed, lambda _: "")


def upstream_rows(rows: CopyOptions) -> CopyOptions:
    """How a client's rows look on their way on: headers stay here, and csv goes on as text, whose rows are lines."""
    if rows.format is CopyFormat.CSV:
        return CopyOptions(default=b"\\D" if rows.default is not None else None)
    return replace(rows, header=CopyHeader.NONE)


def _clause(rows: CopyOptions, passed: dict[str, str], names: Callable[[frozenset[int]], str]) -> str:
    parts = [f"FORMAT {rows.format}"]
    if rows.format is not CopyFormat.BINARY:
        parts += [f"DELIMITER {literal(rows.delimiter)}", f"NULL {literal(rows.null)}"]
        if rows.default is not None:
            parts.append(f"DEFAULT {literal(rows.default)}")
        if rows.header is CopyHeader.LINE:
            parts.append("HEADER true")
    if rows.format is CopyFormat.CSV:
        parts += [f"QUOTE {literal(rows.quote)}", f"ESCAPE {literal(rows.escape)}"]
        if rows.force_quote:
            parts.append(f"FORCE_QUOTE {names(rows.force_quote)}")
    parts += [f"{name} {literal(value.encode())}" for name, value in passed.items()]
    return ", ".join([*parts, "ENCODING 'UTF8'"])


def _names(places: frozenset[int], columns: Sequence[str]) -> str:
    if len(places) == len(columns):
        return "*"
    return "(" + ", ".join(quoted(columns[place]) for place in sorted(places)) + ")"


def literal(value: bytes) -> str:
    """A standard string; standard_conforming_strings is on wherever anything protected is planned."""
    return "'" + value.decode().replace("'", "''") + "'"
