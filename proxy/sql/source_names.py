"""The names that a FROM item and its columns go by: aliases, column alias lists, and where a name stands."""

from __future__ import annotations

from dataclasses import replace

from proxy.errors import Refused, Unsupported

from .catalog import Relation
from .edits import SqlText
from .fragments import quoted
from .lexer import TokenKind
from .scope import Column, Origin, Source, is_hidden
from .tree import Node, strings


def alias_of(body: Node) -> str:
    return str(body.get("alias", {}).get("aliasname", body.get("relname", "")))


def plain_source(relation: Relation | None, body: Node) -> Source:
    """What is not protected; the columns of PostgreSQL's catalogs and of new temporary tables are not known."""
    known = relation.columns if relation is not None else ()
    columns = [Column(c.name, Origin(type_oid=c.type_oid), inner=c.name) for c in known]
    source = Source(alias_of(body), columns, relation, qualified="alias" not in body, opaque=not columns)
    return renamed(source, body)


def renamed(source: Source, body: Node) -> Source:
    """Apply a column alias list: it renames the first columns, in the order of the table."""
    names = strings(body.get("alias", {}).get("colnames", []))
    if not names:
        return source
    if source.relation is not None and any(is_hidden(c.name) for c in source.relation.columns[: len(names)]):
        raise Unsupported("a column alias list over this table is not supported", hint="Rename with AS instead.")
    if len(names) > len(source.columns) and not source.opaque:
        raise Refused(f'table "{source.alias}" has {len(source.columns)} columns available but more are named')
    source.columns = rename(source.columns, names)
    return source


def rename(columns: list[Column], names: tuple[str, ...]) -> list[Column]:
    """The first columns get new names, by their places; row keys follow."""
    given = [*names, *(column.name for column in columns[len(names) :])]
    keys = {column.name: new for column, new in zip(columns, given, strict=False)}
    return [
        replace(
            column, name=new, row_key=keys.get(column.row_key, column.row_key) if column.row_key else column.row_key
        )
        for column, new in zip(columns, given, strict=False)
    ]


def name_span(text: SqlText, body: Node) -> tuple[int, int]:
    """The tokens of a relation's name, with its schema."""
    first = text.token_at(body.get("location", -1), TokenKind.WORD, TokenKind.QUOTED)
    last = first
    while text.tokens.text(last + 1) == b".":
        last += 2
    if text.tokens.text(last + 1) == b"*":
        raise Unsupported("`table *` is not supported over protected tables", hint="Leave the star out.")
    return first, last


def given_alias(body: Node) -> tuple[str, ...]:
    return () if "alias" in body else (f" AS {quoted(str(body['relname']))}",)
