"""Select lists and RETURNING lists: what each column is, and what `*` stands for."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from policies.model import Verb
from proxy.errors import Refused, SqlState, Unsupported

from .analysis import READING, Analysis, Item, QueryRole
from .finishing import finish_target
from .fragments import quoted
from .given import give
from .lexer import TokenKind
from .names import column_name
from .operands import Operand, column_operand, retype_casts
from .parameters import OIDS
from .references import masked, null_for, replace_by_null, sealed_in, source_of
from .scope import NOTHING, Origin, Pending, Scope, Visible
from .tree import Node, strings, unwrap
from .typenames import logical_of
from .values import value_of

MAX_COLUMNS = 1664  # PostgreSQL's own limit; star upon star would grow without end
SHOWN = frozenset({QueryRole.TOP, QueryRole.BRANCH})


def walk_targets(a: Analysis, targets: list[Node], scope: Scope, role: QueryRole) -> list[Item]:
    items: list[Item] = []
    for target in targets:
        body = target["ResTarget"]
        kind, inner = unwrap(body["val"])
        if kind == "ColumnRef" and strings(inner["fields"])[-1] == "*":
            items += _star(a, inner, scope, role)
        else:
            items.append(_item(a, body, scope, role))
    if len(items) > MAX_COLUMNS:
        raise Refused(f"a list may have {MAX_COLUMNS} columns", sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED)
    _find_row_keys(items)
    return items


def _item(a: Analysis, body: Node, scope: Scope, role: QueryRole) -> Item:
    node = body["val"]
    item = Item(
        body.get("name") or column_name(node),
        NOTHING,
        scope,
        node,
        scope.text.position(body.get("location", -1)),
        named="name" in body,
    )
    if finish_target(a, item, body, scope):
        return item
    operand = column_operand(a, node, scope)
    if operand is not None and (operand.cell is not None or not operand.casts):
        _column(a, item, operand, role)
    elif scope.level.values and (given := give(a, [node], scope)) is not None:
        item.origin = Origin(given=given)
    elif role is not QueryRole.STORED or value_of(node) is None:
        item.origin = Origin(columns=tuple(dict.fromkeys(a.walk(a, node, scope, READING))))
    return item


def _column(a: Analysis, item: Item, operand: Operand, role: QueryRole) -> None:
    """A column as it is: nothing is charged yet, unless the client sees it now."""
    reference = operand.reference
    assert reference.visible is not None  # noqa: S101 - operands are resolved
    item.visible, item.position = reference.visible, reference.position
    item.origin, item.single = operand.origin, True
    item.first, item.last = reference.span()
    key = item.scope.level.is_key(reference.visible)
    if not key and _shows_null(a, operand, role):
        replace_by_null(a, reference)
        _name_as_before(item)
        item.origin = NOTHING if role in SHOWN else Origin(operand.origin.columns, nulled=True)
        return
    if operand.casts:
        item.text_cast = _text_cast(operand)
        retype_casts(operand)
    if key:
        _group_key(a, item, operand)
    if role in SHOWN:
        a.charge(item.origin, Verb.READ, item.position)
    else:
        item.origin = _pending(a, item)


def _shows_null(a: Analysis, operand: Operand, role: QueryRole) -> bool:
    """A mask, where the client sees the column; in a subquery only where the column itself may not be read at all."""
    columns = operand.origin.columns
    if not masked(columns, READING):
        return False
    return role in SHOWN or (role is QueryRole.DERIVED and not all(a.ledger.selectable(column) for column in columns))


def _text_cast(operand: Operand) -> int:
    found = logical_of(operand.casts[0].get("typeName", {}))
    assert operand.cell is not None  # noqa: S101
    if found is None or found[1]:
        raise sealed_in(operand.cell, "a cast to another type", operand.reference.position)
    return OIDS[found[0]][0]


def _group_key(a: Analysis, item: Item, operand: Operand) -> None:
    """Whoever may group by a column sees the keys of the groups; a sealed key is any cell of its group."""
    if operand.cell is None:
        item.origin = replace(item.origin, released=True)
        return
    if item.scope.level.sets:
        raise sealed_in(operand.cell, "GROUPING SETS, ROLLUP or CUBE", item.position)
    own = operand.reference.own_text()
    modern = a.catalog.server_version >= 160000
    one = f"pg_catalog.any_value({own})" if modern else f"(pg_catalog.array_agg({own}))[1]"
    item.scope.text.replace(item.first, item.last, one)
    _name_as_before(item)
    item.single = False
    item.origin = replace(item.origin, released=True, oid=0, attnum=0)


def _name_as_before(item: Item) -> None:
    """What stands in place of a column has its name."""
    if item.named:
        return
    if item.node is not None and "TypeCast" in item.node:
        raise Unsupported("a cast is not supported here", hint="Name the column with AS.", position=item.position)
    item.scope.text.insert_after(item.last, f" AS {quoted(item.name)}")


def _pending(a: Analysis, item: Item) -> Origin:
    """Named in an inner query: whoever uses it outside is charged for that use, else for reading it."""
    origin = item.origin
    marks = tuple(Pending(column, item.position) for column in origin.columns if not origin.released)
    for mark in origin.pending:
        mark.used = True
    a.pendings.extend(marks)
    return replace(origin, pending=marks)


def _star(a: Analysis, body: Node, scope: Scope, role: QueryRole) -> list[Item]:
    names = strings(body["fields"])[:-1]
    position = scope.text.position(body.get("location", -1))
    if role is QueryRole.EXISTS:
        if scope.level.table is not None:
            scope.text.replace(scope.level.table, scope.level.table, "SELECT FROM")
        return []
    if names:
        source = source_of(a, names, scope, position)
        visible = [Visible(column.name, column, source) for column in source.columns]
        opaque = source.opaque
    else:
        visible, opaque = scope.names.columns, bool(scope.names.opaque)
    if opaque:
        raise Unsupported(
            "* includes columns that are not known here", hint="Name the columns that you need.", position=position
        )
    items = [_starred(a, each, scope, role, position) for each in visible]
    if scope.level.table is not None:
        listed = ", ".join(_list(items, position))
        scope.text.replace(scope.level.table, scope.level.table, f"SELECT {listed} FROM")
        return [item for item, _ in items]
    first = scope.text.token_at(body["location"], TokenKind.WORD, TokenKind.QUOTED, TokenKind.OPERATOR)
    last = first + 2 * len(names)
    if not items or scope.text.tokens.text(last) != b"*":
        raise Unsupported("* can not be expanded here", hint="Name the columns that you need.", position=position)
    scope.text.replace(first, last, ", ".join(_list(items, position)))
    return [item for item, _ in items]


def star_place(scope: Scope) -> tuple[int, int]:
    """Where a `*` names a column: a place of no column reference."""
    return id(scope), -1


def _list(items: list[tuple[Item, str]], position: int | None) -> list[str]:
    """The columns' texts; a subquery that gives two columns one name can only be shown as it is."""
    texts: list[str] = []
    for source, group in groupby(items, key=lambda pair: pair[0].visible.source if pair[0].visible else None):
        members = list(group)
        names = [column.name for column in source.columns] if source is not None else []
        if source is None or len(set(names)) == len(names):
            texts += [text for _, text in members]
        elif [item.name for item, _ in members] == names and all(_as_it_is(*member) for member in members):
            texts.append(f"{quoted(source.alias)}.*")
            for column in source.columns:
                if column.appendix is not None:
                    column.appendix.close(position)
        else:
            raise Unsupported(
                f'"{source.alias}" has two columns of one name', hint="Name them apart with AS.", position=position
            )
    return texts


def _as_it_is(item: Item, text: str) -> bool:
    visible = item.visible
    return visible is not None and not visible.source.anonymous and text == visible.reference


def _starred(a: Analysis, visible: Visible, scope: Scope, role: QueryRole, position: int | None) -> tuple[Item, str]:
    """One column of `*`: NULL of its type where the principal may not read it, so that positions stay the same."""
    origin = visible.column.origin
    item = Item(visible.name, origin, scope, None, position, visible, inserted=True, single=False)
    if origin.given is not None:
        origin.given.named.add(star_place(scope))
    unreadable = [column for column in origin.columns if not column.rights.allows(Verb.READ)]
    if unreadable and not origin.released:
        if role is QueryRole.STORED or (a.copied and role in SHOWN and not masked(origin.columns, READING)):
            a.charge(origin, Verb.READ, position)
        if role in SHOWN or not origin.exact or not all(a.ledger.selectable(column) for column in unreadable):
            item.origin = Origin(origin.columns, nulled=True) if role not in SHOWN else NOTHING
            return item, f"{null_for(a, unreadable[0])} AS {quoted(visible.name)}"
    elif role in SHOWN:
        a.charge(origin, Verb.READ, position)
    text = visible.reference
    return item, f"{text} AS {quoted(visible.name)}" if visible.merged else text


def _find_row_keys(items: list[Item]) -> None:
    """For each cell that is bound to its row, the item that holds that row's key, if there is one."""
    for item in items:
        key = item.visible.column.row_key if item.visible is not None and item.origin.cell is not None else None
        if not key or item.visible is None:
            continue
        for index, other in enumerate(items):
            if _is_column(other, item.visible, key):
                item.row_key_at = index
                break


def _is_column(item: Item, beside: Visible, name: str) -> bool:
    return (
        item.visible is not None
        and item.visible.source is beside.source
        and item.visible.column.name == name
        and not item.origin.nulled
        and item.origin is not NOTHING
    )
