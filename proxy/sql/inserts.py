"""INSERT: VALUES, DEFAULT VALUES, SELECT, ON CONFLICT, RETURNING."""

from __future__ import annotations

from policies.fields import Field
from policies.model import Verb
from proxy.errors import Refused, SqlState, Unsupported

from .analysis import READING, Analysis, Item, QueryRole
from .common_tables import walk_with
from .conflicts import walk_conflict
from .edits import closing_index, word_index
from .fragments import quoted
from .given import seal_column
from .lexer import TokenKind
from .operands import column_operand
from .plan import Slot, SlotKind, ValueSource
from .scope import Scope, is_hidden
from .targets import star_place
from .tree import Node
from .values import value_of
from .writes import Target, assign, bound_key, charge_write, returning, source_of_value, write_target


def walk_insert(a: Analysis, body: Node, outer: Scope, role: QueryRole) -> list[Item]:
    scope = Scope(outer.text, outer)
    walk_with(a, body, scope)
    target = write_target(a, body, scope)
    if target.row_filter is not None:
        raise Unsupported(
            f'you may see only some rows of "{target.source.alias}", so rows can not be added to it',
            hint="Policy must give the insert to a role without a row filter.",
        )
    names = insert_columns(target, body)
    select = body.get("selectStmt", {}).get("SelectStmt")
    if select is None:
        insert_defaults(a, target)
    elif "valuesLists" in select:
        _insert_values(a, target, names, select, scope, listed="cols" in body)
    else:
        _insert_query(a, target, names, select, scope, listed="cols" in body)
    if "onConflictClause" in body:
        walk_conflict(a, target, body["onConflictClause"])
    return returning(a, body, target.scope, role)


def insert_columns(target: Target, body: Node) -> list[tuple[str, int | None]]:
    """The columns that are given, with their positions; without a list the logical ones in the table's order."""
    if "cols" in body:
        text = target.scope.text
        columns = []
        for node in body["cols"]:
            entry = node["ResTarget"]
            if entry.get("indirection") and target.protected:
                raise Unsupported("assigning to a part of a column is not supported in protected tables")
            columns.append((entry["name"], text.position(entry.get("location", -1))))
        return columns
    if target.relation is None:
        return []
    return [(c.name, None) for c in target.relation.columns if not is_hidden(c.name)]


def insert_defaults(a: Analysis, target: Target) -> None:
    """DEFAULT VALUES names no column; some right to insert is needed all the same."""
    table = target.relation.protected if target.relation is not None else None
    if table is None:
        return
    rights = a.ledger.table(table).fields
    allowed = [name for name, right in rights.items() if right.allows(Verb.INSERT)]
    if not allowed or target.row_key is not None:
        raise Refused(f'permission denied: insert into "{table.schema}.{table.table}" without columns')
    a.ledger.charge(a.ledger.guarded(table, allowed[0]), Verb.INSERT, None)


def _charge(a: Analysis, target: Target, names: list[tuple[str, int | None]]) -> None:
    for name, position in names:
        target.column(name, position)
        charge_write(a, target, name, Verb.INSERT, position)


def _list_columns(target: Target, names: list[tuple[str, int | None]], drawn: str | None) -> None:
    """Say which columns the values are for: the table has columns that the client does not know of."""
    text = target.scope.text
    after = target.name_end
    if text.tokens.word(after + 1) == "as":
        after += 2
    listed = [quoted(name) for name, _ in names] + ([quoted(drawn)] if drawn else [])
    text.insert_after(after, f" ({', '.join(listed)})")


def _insert_values(
    a: Analysis, target: Target, names: list[tuple[str, int | None]], select: Node, scope: Scope, *, listed: bool
) -> None:
    rows = [row["List"]["items"] for row in select["valuesLists"]]
    if any(select.get(clause) for clause in ("sortClause", "limitCount", "limitOffset", "lockingClause", "withClause")):
        raise Unsupported("INSERT ... VALUES with ORDER BY, LIMIT or WITH is not supported over protected tables")
    if not target.protected:
        for row in rows:
            for node in row:
                a.charge_stored(a.walk(a, node, scope, READING), False, None)
        return
    width = max(len(row) for row in rows)
    if width > len(names) or any(len(row) != width for row in rows):
        raise Refused("INSERT has more expressions than target columns", sqlstate=SqlState.SYNTAX_ERROR)
    names = names[:width]
    _charge(a, target, names)
    drawn = _drawn_key(target, names)
    if not listed:
        _list_columns(target, names, drawn)
    elif drawn is not None:
        _extend_list(target, drawn)
    closings = _row_ends(target, len(rows)) if drawn is not None else []
    for index, row in enumerate(rows):
        key = _row_key(a, target, names, row)
        default = _defaulted_key(target, names, row)
        if drawn is not None:
            key, slot = _draw(a, target, drawn)
            scope.text.insert_before(closings[index], ", ", slot, _key_cast(a, target, drawn))
        elif default is not None and target.row_key is not None:
            key, slot = _draw(a, target, target.row_key)
            token = scope.text.token_at(default.get("location", -1), TokenKind.WORD)
            scope.text.replace(token, token, slot, _key_cast(a, target, target.row_key))
        for (name, _), node in zip(names, row, strict=True):
            assign(a, target, name, node, scope, key, None)


def _defaulted_key(target: Target, names: list[tuple[str, int | None]], row: list[Node]) -> Node | None:
    """DEFAULT in the place of the row key, when bound cells are written beside it and a sequence gives it."""
    column = target.relation.column(target.row_key or "") if target.relation is not None else None
    if column is None or column.default_sequence is None or not _writes_bound(target, names):
        return None
    for (name, _), node in zip(names, row, strict=False):
        if name == target.row_key and "SetToDefault" in node:
            return dict(node["SetToDefault"])
    return None


def _writes_bound(target: Target, names: list[tuple[str, int | None]]) -> bool:
    table = target.relation.protected if target.relation is not None else None
    fields = table.fields if table is not None else {}
    return any((f := fields.get(name)) and f.sealing is not None and f.sealing.row_bound for name, _ in names)


def _row_key(a: Analysis, target: Target, names: list[tuple[str, int | None]], row: list[Node]) -> ValueSource | None:
    for (name, _), node in zip(names, row, strict=False):
        if name == target.row_key:
            return source_of_value(node)
    return None


def _drawn_key(target: Target, names: list[tuple[str, int | None]]) -> str | None:
    """The row key, when bound cells are written and the key would come from a sequence."""
    key = target.row_key
    if key is None or target.relation is None or any(name == key for name, _ in names):
        return None
    column = target.relation.column(key)
    drawable = column is not None and column.default_sequence is not None
    return key if drawable and _writes_bound(target, names) else None


def _draw(a: Analysis, target: Target, key: str) -> tuple[ValueSource, Slot]:
    column = target.relation.column(key) if target.relation is not None else None
    assert column is not None and column.default_sequence is not None  # noqa: S101 - _drawn_key looked
    source = ValueSource(draw=len(a.draws))
    a.draws.append(column.default_sequence)
    return source, Slot(SlotKind.PLAIN, source)


def _key_cast(a: Analysis, target: Target, key: str) -> str:
    column = target.relation.column(key) if target.relation is not None else None
    kind = a.catalog.type_names.get(column.type_oid, "pg_catalog.int8") if column is not None else "pg_catalog.int8"
    return f"::pg_catalog.text::{kind}"


def _extend_list(target: Target, key: str) -> None:
    text = target.scope.text
    opening = target.name_end + 1
    while text.tokens.text(opening) not in (b"(", b""):
        opening += 1
    text.insert_before(closing_index(text, opening), f", {quoted(key)}")


def _row_ends(target: Target, count: int) -> list[int]:
    """The closing bracket of each row of VALUES."""
    text = target.scope.text
    word = word_index(text, target.name_end + 1, "values")
    ends: list[int] = []
    opening = (word if word is not None else len(text.tokens)) + 1
    while text.tokens.text(opening) == b"(":
        ends.append(closing_index(text, opening))
        opening = ends[-1] + 2
    if len(ends) != count:
        raise Unsupported("the rows of VALUES can not be located exactly")
    return ends


def _insert_query(
    a: Analysis, target: Target, names: list[tuple[str, int | None]], select: Node, scope: Scope, *, listed: bool
) -> None:
    items = a.query(a, select, scope, QueryRole.STORED)
    if not target.protected:
        for item in items:
            store_outside(a, item)
        return
    if len(items) > len(names) or any(item.unknown for item in items):
        raise Refused("INSERT has more expressions than target columns", sqlstate=SqlState.SYNTAX_ERROR)
    if not items:
        raise Unsupported("INSERT of a query that has no columns is not supported over protected tables")
    names = names[: len(items)]
    _charge(a, target, names)
    if not listed:
        _list_columns(target, names, None)
    nodes = [item.node or {} for item in items]
    key = _row_key(a, target, names, nodes)
    for (name, position), item in zip(names, items, strict=True):
        guarded = target.guarded(a, name)
        if guarded is not None and guarded.cell is not None and _from_values(a, target, guarded.cell, item):
            continue
        if (guarded is not None and guarded.cell is not None) or _is_value(item):
            assign(a, target, name, item.node or {}, item.scope, key, position)
        else:
            _store_inside(a, item)


def _from_values(a: Analysis, target: Target, cell: Field, item: Item) -> bool:
    """The select list names a column of VALUES; a row's key is not known there."""
    operand = column_operand(a, item.node, item.scope) if item.node is not None else None
    given = operand.origin.given if operand is not None else item.origin.given if item.inserted else None
    if given is None:
        return False
    bound_key(target, cell, None, item.position)
    if operand is not None:
        return a.seal_given(a, operand, cell, SlotKind.CELL)
    seal_column(a, given, cell, SlotKind.CELL, item.position)
    given.sealed.add(star_place(item.scope))
    return True


def _is_value(item: Item) -> bool:
    return item.node is not None and value_of(item.node) is not None


def _store_inside(a: Analysis, item: Item) -> None:
    if item.origin.cell is not None:
        raise Unsupported(
            f'the sealed column "{item.origin.cell.name}" can not be copied into another column',
            hint="Select it, and insert what you got.",
            position=item.position,
        )
    a.charge(item.origin, Verb.READ, item.position)


def store_outside(a: Analysis, item: Item) -> None:
    """Into a table that no policy covers."""
    if item.node is not None and value_of(item.node) is not None:
        a.walk(a, item.node, item.scope, READING)
        return
    _store_inside(a, item)
    a.charge_stored(item.origin.columns, False, item.position)
