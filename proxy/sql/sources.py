"""FROM: what each item adds to the names that the rest of the query may use.

A protected table stands under its schema-qualified name, or, where only some of its rows are the principal's, as a
subquery that shows just these.  A view over protected tables is expanded in its place and analysed like any subquery.
"""

from __future__ import annotations

from collections.abc import Callable

from policies.model import Parts, Verb
from policies.physical import selectable
from proxy.errors import Unsupported

from .analysis import Analysis, Item, QueryRole, Use
from .catalog import Relation
from .edits import SqlText
from .fragments import quoted
from .joins import walk_join
from .lexer import TokenKind
from .parts import parted_table, parts_for
from .parts_view import parts_view
from .range_functions import range_function
from .relations import Reach, closed, find_relation, reach_of
from .row_view import row_view
from .scope import Column, CommonTable, Namespace, Origin, Scope, Source, is_hidden, namespace_of
from .source_names import alias_of, given_alias, name_span, plain_source, renamed
from .tree import Node, parse_script, unwrap

MAX_VIEWS = 100


def walk_from(a: Analysis, items: list[Node], scope: Scope) -> None:
    """Fill `scope.names`, item by item: a LATERAL item sees those before it."""
    for item in items:
        scope.names.add(from_item(a, item, scope))


def from_item(a: Analysis, item: Node, scope: Scope) -> Namespace:
    kind, body = unwrap(item)
    if kind == "JoinExpr":
        return walk_join(a, body, scope, from_item)
    handler = _ITEMS.get(kind)
    if handler is None:
        raise Unsupported(f"{kind} in FROM is not supported in statements over protected tables")
    return namespace_of(handler(a, body, scope))


def _table(a: Analysis, body: Node, scope: Scope) -> Source:
    if "schemaname" not in body:
        common = scope.common_table(body["relname"])
        if common is not None:
            return _common_table(common, body)
    relation = locate(a, body, scope)
    reach = reach_of(relation)
    if relation is None:
        return plain_source(None, body)
    if reach is Reach.CLOSED:
        raise closed(relation, scope.text.position(body.get("location", -1)))
    if relation.protected is not None:
        return _protected_table(a, relation, body, scope)
    if reach is Reach.PROTECTED:
        return _view(a, relation, body, scope)
    return plain_source(relation, body)


def locate(a: Analysis, body: Node, scope: Scope, *, target: bool = False) -> Relation | None:
    """The relation; a name that could come to mean another one later is qualified by a splice (I5).

    `target`: it is written to, so its name stays where it is.
    """
    path = a.search_path if scope.text.from_client else ()
    relation = find_relation(a.catalog, body, path, scope.text.position(body.get("location", -1)))
    if relation is not None and "schemaname" not in body and relation.name in a.catalog.sensitive_names:
        token = scope.text.token_at(body.get("location", -1), TokenKind.WORD, TokenKind.QUOTED)
        if target or not _replaced(a, relation, scope):
            scope.text.insert_before(token, f"{quoted(relation.schema)}.")
    return relation


def _replaced(a: Analysis, relation: Relation, scope: Scope) -> bool:
    """The name itself is going to be replaced, by a view's definition, the principal's rows, or the table in parts."""
    if relation.protected is None:
        return bool(relation.reaches)
    parts = parts_for(a, relation.protected, scope.level)
    return parts is not None or a.ledger.table(relation.protected).row_filter is not None


def _protected_table(a: Analysis, relation: Relation, body: Node, scope: Scope) -> Source:
    assert relation.protected is not None  # noqa: S101 - the caller looked
    a.analysed.add(relation.oid)
    position = scope.text.position(body.get("location", -1))
    a.ledger.charge_existence(relation.protected, position)
    rights = a.ledger.table(relation.protected)
    parts = parts_for(a, relation.protected, scope.level)
    source = protected_source(a, relation, body, parts)
    if rights.row_filter is not None or parts is not None:
        source.replaced = True
        _replace(a, relation, body, scope, parts)
    return source


def _replace(a: Analysis, relation: Relation, body: Node, scope: Scope, parts: Parts | None) -> None:
    """By the principal's rows, or by the table in parts."""
    assert relation.protected is not None  # noqa: S101 - the caller looked
    position = scope.text.position(body.get("location", -1))
    first, last = name_span(scope.text, body)
    only = not body.get("inh", False)
    if only:
        if scope.text.tokens.word(first - 1) != "only":
            raise Unsupported("ONLY (table) is not supported here", hint="Write ONLY table.", position=position)
        first -= 1
    rights = a.ledger.table(relation.protected)
    usable = selectable(relation.protected, rights)
    listed = bool(body.get("alias", {}).get("colnames"))
    if parts is not None:
        parted = parted_table(a, relation, parts, only=only, position=position)
        a.parts[f"{relation.schema}.{relation.name}"] = parts
        view = parts_view(parted, usable, [c.name for c in relation.columns if not is_hidden(c.name)] if listed else ())
    else:
        assert rights.row_filter is not None  # noqa: S101 - the caller looked
        view = row_view(relation, usable, rights.row_filter, a.catalog, only=only, placed=listed)
    scope.text.replace(first, last, *view, *given_alias(body))


def protected_source(a: Analysis, relation: Relation, body: Node, parts: Parts | None = None) -> Source:
    """The logical columns of a protected table; its term columns are known by their columns only."""
    table = relation.protected
    assert table is not None  # noqa: S101
    physical = {column.name for column in relation.columns}
    columns = []
    for column in relation.columns:
        if is_hidden(column.name):
            continue
        guarded = a.ledger.guarded(table, column.name, parts)
        cell = guarded.cell
        term = cell.term_column if cell is not None else None
        tokens = cell.token_column if cell is not None else None
        bound = cell is not None and cell.sealing is not None and cell.sealing.row_bound
        columns.append(
            Column(
                column.name,
                Origin((guarded,), True, cell, relation.oid, column.position, type_oid=column.type_oid),
                term=term if term in physical else None,
                row_key=table.row_key if bound else None,
                inner=column.name,
                tokens=tokens if tokens in physical else None,
            )
        )
    source = Source(alias_of(body), columns, relation, qualified="alias" not in body, parts=parts)
    return renamed(source, body)


def _view(a: Analysis, relation: Relation, body: Node, scope: Scope) -> Source:
    position = scope.text.position(body.get("location", -1))
    if relation.kind != "v" or relation.definition is None or relation.has_rules or not body.get("inh", False):
        raise Unsupported(
            f'"{relation.schema}.{relation.name}" shows data of protected tables in a way that can not be analysed',
            hint="Query the tables themselves.",
            position=position,
        )
    a.views += 1
    if a.views > MAX_VIEWS:
        raise Unsupported("the statement's views contain too many others", position=position)
    definition = SqlText(relation.definition.strip().rstrip(";").encode(), from_client=False)
    [statement] = parse_script(definition.source)
    items = a.query(a, statement.body, Scope(definition), QueryRole.DERIVED)
    first, last = name_span(scope.text, body)
    scope.text.replace(first, last, "(", definition, ")", *given_alias(body))
    source = Source(alias_of(body), columns_of(items, position), relation, "alias" not in body, replaced=True)
    return renamed(source, body)


def _common_table(common: CommonTable, body: Node) -> Source:
    columns = list(common.columns or [])
    return renamed(Source(alias_of(body), columns, opaque=common.opaque), body)


def _subquery(a: Analysis, body: Node, scope: Scope) -> Source:
    outer = scope if body.get("lateral") else scope.with_names(Namespace())
    kind, inner = unwrap(body["subquery"])
    if kind != "SelectStmt":
        raise Unsupported(f"{kind} in FROM is not supported")
    items = a.query(a, inner, outer, QueryRole.DERIVED)
    alias = body.get("alias", {}).get("aliasname")
    source = Source(alias or "", columns_of(items, None), anonymous=alias is None)
    source.opaque = any(item.unknown for item in items)
    return renamed(source, body)


def columns_of(items: list[Item], position: int | None) -> list[Column]:
    """The columns that a subquery shows to the query around it."""
    columns = []
    for index, item in enumerate(items):
        if item.unknown:
            continue
        key = items[item.row_key_at].name if item.row_key_at is not None else None
        key = key if key is not None else _lost_key(item)
        columns.append(Column(item.name, item.origin, None, key, str(index), item.visible, item.appendix))
    return columns


def _lost_key(item: Item) -> str | None:
    """A row-bound cell whose row's key is not selected beside it: '' says that it is missing."""
    cell = item.origin.cell
    return "" if cell is not None and cell.sealing is not None and cell.sealing.row_bound else None


def _sample(a: Analysis, body: Node, scope: Scope) -> Source:
    source = _table(a, body["relation"]["RangeVar"], scope)
    if source.relation is None or source.protected:
        raise Unsupported("TABLESAMPLE is not supported over protected tables")
    for argument in [*body.get("args", []), body.get("repeatable", {})]:
        a.walk(a, argument, scope, Use(Verb.READ, what="TABLESAMPLE"))
    return source


_ITEMS: dict[str, Callable[[Analysis, Node, Scope], Source]] = {
    "RangeVar": _table,
    "RangeSubselect": _subquery,
    "RangeFunction": range_function,
    "RangeTableSample": _sample,
}
