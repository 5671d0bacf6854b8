"""SELECT, from WITH to FOR UPDATE, in the order in which PostgreSQL resolves its clauses."""

from __future__ import annotations

from policies.model import NO_VERBS, Verb
from proxy.errors import Refused, SqlState, Unsupported

from .analysis import FILTERING, READING, Analysis, Item, QueryRole, Use
from .appendix import Appendix
from .arranging import arrange, arranges
from .common_tables import walk_with
from .conditions import walk_condition
from .distinct import walk_distinct
from .finishing import finishing_of
from .folding import fold, folds
from .given import give
from .grouping import walk_group_by
from .groups import add_minimum, check_rows_are_grouped
from .lexer import TokenKind
from .ordering import takes_measure, walk_window
from .outputs import add_hidden_keys
from .parts import totals
from .placing import place_finished
from .ranges import finish_ranges, walk_range
from .scope import Origin, Scope
from .searches import conjuncts, finish_searches, take_limits, walk_search
from .set_operations import walk_set_operation
from .sorting import walk_order_by
from .sources import walk_from
from .targets import walk_targets
from .tree import Node

_ONE_ROW = frozenset({"targetList", "limitOption", "op"})


def run_query(a: Analysis, body: Node, outer: Scope, role: QueryRole) -> list[Item]:
    """The RunQuery of Analysis."""
    if "intoClause" in body:
        raise Refused(
            "SELECT INTO over protected tables is refused: it would store their data where no policy covers it",
            hint="Select the rows and store them with INSERT.",
        )
    scope = Scope(outer.text, outer)
    walk_with(a, body, scope)
    if body.get("op", "SETOP_NONE") != "SETOP_NONE":
        return walk_set_operation(a, body, scope, role)
    if "valuesLists" in body:
        return _values(a, body, scope, role)
    return _select(a, body, scope, role)


def _select(a: Analysis, body: Node, scope: Scope, role: QueryRole) -> list[Item]:
    scope.level.values = role is QueryRole.DERIVED and body.keys() <= _ONE_ROW
    scope.level.table = _table_word(body, scope)
    scope.level.totals = totals(body)
    walk_from(a, body.get("fromClause", []), scope)
    if "whereClause" in body:
        _walk_where(a, body, scope, role)
    targets = body.get("targetList", [])
    walk_group_by(a, body, scope)
    finishing_of(a, body, scope, role)
    if folds(a, body, scope, role):
        items = fold(a, body, scope)
        _finish(a, body, scope, role, items)
        return items
    items = walk_targets(a, targets, scope, role)
    if "havingClause" in body:
        scope.level.grouped = True
        walk_condition(a, body["havingClause"], scope, Use(NO_VERBS, predicate=True, what="HAVING"))
    windows = body.get("windowClause", [])
    measured = bool(windows) and takes_measure(body)
    for window in windows:
        walk_window(a, window["WindowDef"], scope, measured=measured)
    arranged = arranges(a, body, items, scope, role)
    if arranged:
        arrange(a, body, items, scope)
    else:
        walk_order_by(a, body.get("sortClause", []), items, scope)
        walk_distinct(a, body, items, scope)
    if arranged or (a.searches and role is QueryRole.TOP):
        take_limits(a, body, scope)
    else:
        walk_limit(a, body, scope)
    _finish(a, body, scope, role, items)
    return items


def _walk_where(a: Analysis, body: Node, scope: Scope, role: QueryRole) -> None:
    for node in conjuncts(body["whereClause"]):
        if not walk_search(a, node, body, scope, role) and not walk_range(a, node, body, scope, role):
            walk_condition(a, node, scope, FILTERING)
    finish_ranges(a, scope)


def _finish(a: Analysis, body: Node, scope: Scope, role: QueryRole, items: list[Item]) -> None:
    if role is QueryRole.EXISTS:
        for item in items:
            a.charge(item.origin, Verb.READ, item.position)
    check_rows_are_grouped(a, scope)
    if role is QueryRole.DERIVED:
        _append(body, scope, items)
    if scope.level.over or role is QueryRole.TOP:
        start = _first_token(body, scope)
        add_minimum(scope, start, having="havingClause" in body)
        if role is QueryRole.TOP:
            apart = "distinctClause" in body and not (a.finishing is not None and a.finishing.arranges)
            plain = not apart and not scope.level.grouped and scope.level.table is None
            add_hidden_keys(a, scope, items, start, plain=plain)
            finish_searches(a, scope, items, start)
            place_finished(a, scope, items, start)


def _append(body: Node, scope: Scope, items: list[Item]) -> None:
    """Where rows are neither grouped nor made distinct, more columns change nothing."""
    cells = [item for item in items if item.origin.cell is not None]
    if not cells or scope.level.grouped or "distinctClause" in body or scope.level.table is not None:
        return
    appendix = Appendix(scope.text, _first_token(body, scope))
    for item in cells:
        item.appendix = appendix


def _first_token(body: Node, scope: Scope) -> int:
    targets = body.get("targetList", [])
    if scope.level.table is not None:
        return scope.level.table
    if not targets:
        return _after_select(body, scope)
    location = targets[0]["ResTarget"].get("location", -1)
    return scope.text.token_at(location)


def _table_word(body: Node, scope: Scope) -> int | None:
    """The token TABLE of `TABLE name`, which the grammar reads as a SELECT of a `*` without a place."""
    targets = body.get("targetList", [])
    if len(targets) != 1 or targets[0]["ResTarget"].get("location", -1) >= 0:
        return None
    tokens = scope.text.tokens
    index = scope.text.token_at(body["fromClause"][0]["RangeVar"]["location"], TokenKind.WORD, TokenKind.QUOTED) - 1
    while tokens.text(index) == b"(" or tokens.word(index) == "only":
        index -= 1
    if tokens.word(index) != "table":
        raise Unsupported("TABLE can not be located exactly", hint="Write SELECT * FROM.")
    return index


def _after_select(body: Node, scope: Scope) -> int:
    """`SELECT FROM t`: there is no target to begin at; the relation after FROM is as good."""
    for item in body.get("fromClause", []):
        location = item.get("RangeVar", {}).get("location", -1)
        if location >= 0:
            return scope.text.token_at(location, TokenKind.WORD, TokenKind.QUOTED)
    raise Unsupported("a SELECT without columns is not supported here", hint="Select a constant.")


def walk_limit(a: Analysis, body: Node, scope: Scope) -> None:
    for clause in ("limitCount", "limitOffset"):
        a.walk(a, body.get(clause, {}), scope, FILTERING.inside("LIMIT"))


def _values(a: Analysis, body: Node, scope: Scope, role: QueryRole) -> list[Item]:
    """VALUES as a query: columns named column1, column2, ..."""
    rows = [row["List"]["items"] for row in body["valuesLists"]]
    if any(len(row) != len(rows[0]) for row in rows):
        raise Refused("VALUES lists must all be the same length", sqlstate=SqlState.SYNTAX_ERROR)
    columns = [list(column) for column in zip(*rows, strict=True)]
    walk_limit(a, body, scope)
    origins = [_values_column(a, column, scope, role) for column in columns]
    items = [Item(f"column{n}", origin, scope) for n, origin in enumerate(origins, 1)]
    walk_order_by(a, body.get("sortClause", []), items, scope)
    return items


def _values_column(a: Analysis, nodes: list[Node], scope: Scope, role: QueryRole) -> Origin:
    given = give(a, nodes, scope) if role is QueryRole.DERIVED else None
    if given is not None:
        return Origin(given=given)
    lineage = [column for node in nodes for column in a.walk(a, node, scope, READING)]
    return Origin(tuple(dict.fromkeys(lineage)))
