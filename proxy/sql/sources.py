"""FROM: what each item adds to the names that the rest of the query may use.

A protected table stands under its schema-qualified name, or, where only some of its rows are the principal's, as a
subquery that shows just these.  A view over protected tables is expanded in its place and analysed like any subquery.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from policies.model import Verb
from policies.physical import selectable
from proxy.errors import Refused, Unsupported

from . import functions
from .analysis import Analysis, Item, QueryRole, Use
from .authorise import Guarded
from .calls import check_function
from .catalog import Relation
from .edits import SqlText
from .fragments import quoted
from .given import give
from .joins import walk_join
from .lexer import TokenKind
from .relations import Reach, closed, find_relation, reach_of
from .row_view import row_view
from .scope import (
    NOTHING,
    Column,
    CommonTable,
    Namespace,
    Origin,
    Scope,
    Source,
    is_hidden,
    namespace_of,
)
from .tree import Node, parse_script, strings, unwrap

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
        if target or not _replaced(a, relation):
            scope.text.insert_before(token, f"{quoted(relation.schema)}.")
    return relation


def _replaced(a: Analysis, relation: Relation) -> bool:
    """The name itself is going to be replaced, by a view's definition or by the principal's rows."""
    if relation.protected is None:
        return bool(relation.reaches)
    return a.ledger.table(relation.protected).row_filter is not None


def alias_of(body: Node) -> str:
    return str(body.get("alias", {}).get("aliasname", body.get("relname", "")))


def plain_source(relation: Relation | None, body: Node) -> Source:
    """What is not protected; the columns of PostgreSQL's catalogs and of new temporary tables are not known."""
    known = relation.columns if relation is not None else ()
    columns = [Column(c.name, Origin(type_oid=c.type_oid), inner=c.name) for c in known]
    source = Source(alias_of(body), columns, relation, qualified="alias" not in body, opaque=not columns)
    return renamed(source, body)


def _protected_table(a: Analysis, relation: Relation, body: Node, scope: Scope) -> Source:
    assert relation.protected is not None  # noqa: S101 - the caller looked
    a.analysed.add(relation.oid)
    position = scope.text.position(body.get("location", -1))
    a.ledger.charge_existence(relation.protected, position)
    source = protected_source(a, relation, body)
    filtered = a.ledger.table(relation.protected).row_filter
    if filtered is not None:
        if not body.get("inh", False):
            raise Unsupported("ONLY is not supported over a table of which you may see some rows", position=position)
        source.replaced = True
        first, last = name_span(scope.text, body)
        usable = selectable(relation.protected, a.ledger.table(relation.protected))
        scope.text.replace(first, last, *row_view(relation, usable, filtered, a.catalog), *_given_alias(body))
    return source


def protected_source(a: Analysis, relation: Relation, body: Node) -> Source:
    """The logical columns of a protected table; its term columns are known by their columns only."""
    table = relation.protected
    assert table is not None  # noqa: S101
    physical = {column.name for column in relation.columns}
    columns = []
    for column in relation.columns:
        if is_hidden(column.name):
            continue
        guarded = a.ledger.guarded(table, column.name)
        cell = guarded.cell
        term = cell.term_column if cell is not None else None
        bound = cell is not None and cell.sealing is not None and cell.sealing.row_bound
        columns.append(
            Column(
                column.name,
                Origin((guarded,), True, cell, relation.oid, column.position, type_oid=column.type_oid),
                term=term if term in physical else None,
                row_key=table.row_key if bound else None,
                inner=column.name,
            )
        )
    return renamed(Source(alias_of(body), columns, relation, qualified="alias" not in body), body)


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


def _given_alias(body: Node) -> tuple[str, ...]:
    return () if "alias" in body else (f" AS {quoted(str(body['relname']))}",)


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
    scope.text.replace(first, last, "(", definition, ")", *_given_alias(body))
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


def _function(a: Analysis, body: Node, scope: Scope) -> Source:
    """A function in FROM sees the items before it; what goes in is read, and what comes out depends on it."""
    alias = body.get("alias", {}).get("aliasname")
    calls = [_call(a, entry["List"]["items"][0], scope) for entry in body.get("functions", [])]
    if len(calls) == 1 and calls[0][0] == "unnest":
        columns = _unnested(a, calls[0][1], scope, alias)
        opaque = False
    else:
        columns, opaque = _returned(a, calls, scope, alias)
    if body.get("coldeflist"):
        lineage = tuple(dict.fromkeys(guarded for column in columns for guarded in column.origin.columns))
        columns = [Column(each["ColumnDef"]["colname"], Origin(lineage)) for each in body["coldeflist"]]
    if body.get("ordinality"):
        columns.append(Column("ordinality", NOTHING))
    name = alias or (calls[0][0] if calls else "")
    return renamed(Source(name, columns, opaque=opaque), body)


def _call(a: Analysis, node: Node, scope: Scope) -> tuple[str, Node]:
    kind, call = unwrap(node)
    if kind != "FuncCall":
        raise Unsupported(f"{kind} in FROM is not supported in statements over protected tables")
    return check_function(a, strings(call["funcname"]), scope.text.position(call.get("location", -1))), call


def _unnested(a: Analysis, call: Node, scope: Scope, alias: str | None) -> list[Column]:
    """One column for each array; an array that is a constant or a parameter may hold values of a sealed column."""
    arguments = call.get("args", [])
    name = alias if alias is not None and len(arguments) == 1 else "unnest"
    origins = []
    for argument in arguments:
        given = give(a, [argument], scope, array=True)
        lineage = a.walk(a, argument, scope, Use(Verb.READ, what="the function unnest")) if given is None else ()
        origins.append(Origin(tuple(dict.fromkeys(lineage)), given=given))
    return [Column(name, origin) for origin in origins]


def _returned(a: Analysis, calls: list[tuple[str, Node]], scope: Scope, alias: str | None) -> tuple[list[Column], bool]:
    """The columns of any other functions, and whether their names are not known."""
    names: list[str] = []
    lineage: list[Guarded] = []
    opaque = False
    for name, call in calls:
        for argument in call.get("args", []):
            lineage += a.walk(a, argument, scope, Use(Verb.READ, what=f"the function {name}"))
        returned = functions.SETS.get(name)
        opaque = opaque or (returned is None and name not in functions.SCALARS)
        names += returned or (alias or name,)
    origin = Origin(columns=tuple(dict.fromkeys(lineage))) if lineage else NOTHING
    return [Column(name, origin) for name in names], opaque


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
    "RangeFunction": _function,
    "RangeTableSample": _sample,
}
