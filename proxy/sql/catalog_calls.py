"""Calls of functions that read catalogs behind our back, so that what they return would name what is physically there.

The arguments stay where they are, as the client's own text; what is put around them makes the call inside a scalar
subquery and puts logical names into what it returns.
"""

# ruff: noqa: S608 (what is put together here are names and numbers of the catalog, quoted where they could be text)

from __future__ import annotations

from proxy.errors import Unsupported

from .edits import SqlText, closing_index
from .fragments import quoted
from .lexer import TokenKind
from .shown import shown_sql, values_sql
from .structure import Structure
from .tree import Node, strings

_OID, _TEXT = "pg_catalog.oid", "pg_catalog.text"
_PRINTERS = {
    "pg_get_indexdef": {1: (_OID,), 3: (_OID, "pg_catalog.int4", "pg_catalog.bool")},
    "pg_get_constraintdef": {1: (_OID,), 2: (_OID, "pg_catalog.bool")},
}
_REGCLASS = "pg_catalog.regclass"
# How large something is is never said (I3).  What a database's name may be given as stays what it is.
_SIZES: dict[str, dict[int, tuple[str | None, ...]]] = {
    "pg_relation_size": {1: (_REGCLASS,), 2: (_REGCLASS, _TEXT)},
    "pg_table_size": {1: (_REGCLASS,)},
    "pg_indexes_size": {1: (_REGCLASS,)},
    "pg_total_relation_size": {1: (_REGCLASS,)},
    "pg_database_size": {1: (None,)},
    "pg_tablespace_size": {1: (None,)},
}
_NEVER = "'(?!)'"  # a regular expression that matches nowhere
_UNUSUAL = ("agg_order", "agg_filter", "agg_star", "agg_distinct", "func_variadic", "over", "agg_within_group")


def reads_behind(body: Node) -> bool:
    """Whether a FuncCall is one that this module may have to replace."""
    names = strings(body.get("funcname", []))
    own = (names[-1] in _PRINTERS or names[-1] in _SIZES) and names[:-1] in ((), ("pg_catalog",))
    return own or names == ("information_schema", "_pg_index_position")


def replace_call(structure: Structure, body: Node, text: SqlText) -> None:
    """Leaves what it does not know as it is; the server says what is wrong with it.  Raises Unsupported for sizes."""
    names, args = strings(body["funcname"]), body.get("args", [])
    if names[-1] in _SIZES:
        _wrap(text, body, *_unsaid(names[-1], _size_arguments(body)))
        return
    if any(key in body for key in _UNUSUAL) or any("NamedArgExpr" in arg for arg in args):
        return
    if names[-1] == "_pg_index_position":
        if len(args) == 2 and "pg_index" in structure.catalogs:
            _wrap(text, body, *_index_position(structure))
        return
    types = _PRINTERS[names[-1]].get(len(args))
    if types is not None and structure.definitions.get(names[-1]):
        _wrap(text, body, *_printed(structure, names[-1], types))


def _wrap(text: SqlText, body: Node, before: str, between: list[str], after: str) -> None:
    """The call's name, brackets and commas are replaced; nothing of its arguments is."""
    first = text.token_at(body.get("location", -1), TokenKind.WORD, TokenKind.QUOTED)
    opening = first
    while text.tokens.text(opening) != b"(":
        opening += 1
    closing = closing_index(text, opening)
    text.replace(first, opening, before)
    for comma, separator in zip(_commas(text, opening, closing), between, strict=True):
        text.replace(comma, comma, separator)
    text.replace(closing, closing, after)


def _commas(text: SqlText, opening: int, closing: int) -> list[int]:
    found, depth = [], 0
    for index in range(opening + 1, closing):
        mark = text.tokens.text(index)
        depth += {b"(": 1, b"[": 1, b")": -1, b"]": -1}.get(mark, 0)
        if depth == 0 and mark == b",":
            found.append(index)
    return found


def _printed(structure: Structure, name: str, types: tuple[str, ...]) -> tuple[str, list[str], str]:
    known = structure.definitions[name]
    depth = max(map(len, known.values()))
    arguments = [f"fg_a{n}" for n in range(len(types))]
    call = f"pg_catalog.{name}({', '.join(f'fg_x.{each}' for each in arguments)})"
    for n in range(depth):
        call = f"pg_catalog.regexp_replace({call}, COALESCE(fg_v.fg_w{n}, {_NEVER}), COALESCE(fg_v.fg_n{n}, ''), 'g')"
    columns = ", ".join(["fg_oid", *(f"fg_w{n}, fg_n{n}" for n in range(depth))])
    rows = [(str(oid), *(part for pair in pairs for part in pair)) for oid, pairs in sorted(known.items())]
    padded = tuple((*row, *(None,) * (1 + 2 * depth - len(row))) for row in rows)
    values = values_sql([_OID] + [_TEXT] * 2 * depth, padded)
    return (
        f"(SELECT {call} AS {quoted(name)} FROM (SELECT CAST(",
        [f" AS {each}), CAST(" for each in types[:-1]],
        f" AS {types[-1]})) AS fg_x ({', '.join(arguments)})"
        f" LEFT JOIN ({values}) AS fg_v ({columns}) ON fg_v.fg_oid = fg_x.fg_a0)",
    )


def _size_arguments(body: Node) -> tuple[str | None, ...]:
    types = _SIZES[strings(body["funcname"])[-1]].get(len(body.get("args", [])))
    if types is None or any(key in body for key in _UNUSUAL) or any("NamedArgExpr" in arg for arg in body["args"]):
        raise Unsupported("a size function can not be called in this way here")
    return types


def _unsaid(name: str, types: tuple[str | None, ...]) -> tuple[str, list[str], str]:
    """NULL; the arguments stay, because they may hold parameters, and are read as before."""
    opening = ["CAST(" if each else "(" for each in types]
    closing = [f" AS {each})" if each else ")" for each in types]
    between = [f"{end}, {start}" for end, start in zip(closing[:-1], opening[1:], strict=True)]
    before = f"(SELECT CAST(NULL AS pg_catalog.int8) AS {quoted(name)} FROM (SELECT {opening[0]}"
    return before, between, f"{closing[-1]}) AS fg_x)"


def _index_position(structure: Structure) -> tuple[str, list[str], str]:
    """The body of information_schema._pg_index_position (information_schema.sql), over the index as it is shown."""
    index = shown_sql(structure.catalogs["pg_index"])
    return (
        "(SELECT (fg_p.fg_a).n FROM (SELECT information_schema._pg_expandarray(fg_i.indkey) AS fg_a"
        f" FROM {index} AS fg_i WHERE fg_i.indexrelid = CAST(",
        [f" AS {_OID})) AS fg_p WHERE (fg_p.fg_a).x = CAST("],
        " AS pg_catalog.int2))",
    )
