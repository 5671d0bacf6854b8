"""ORDER BY and DISTINCT over sealed columns: the server sends the rows as they come, the proxy does the rest.

Both are taken out of the server's text, LIMIT and OFFSET are NULL there.  A plain key beside a sealed one stays the
server's own: behind the select list it says which place each row has by that key.
"""

from __future__ import annotations

from policies.fields import Field, LogicalType
from policies.model import Verb
from proxy.errors import FieldgateError, Unsupported

from .analysis import ORDERING, Analysis, Item, QueryRole
from .computation import CellLeaf
from .edits import end_index, word_index
from .finishing import Draft, KeyDraft, names_cell
from .operands import Operand, column_operand
from .ordering import charge_order_of_expression, no_ordinals
from .parameters import TEXT_LIKE
from .references import Reference
from .scope import Scope
from .sorting import output_item
from .term_functions import called
from .terms import C_COLLATIONS, Builder, NotFinished, Typed
from .tree import Node, unwrap
from .values import value_of

_TOO_MUCH = {
    "groupClause": "GROUP BY", "havingClause": "HAVING", "windowClause": "WINDOW",
    "lockingClause": "FOR UPDATE and its like",
}  # fmt: skip
_AS_THEY_ARE = frozenset({"ColumnRef", "A_Const", "ParamRef"})
_BEHIND_ORDER = ("limit", "offset", "fetch", "for")
_UNORDERED = frozenset({LogicalType.JSON, LogicalType.JSONB})
_NULLS = {"SORTBY_NULLS_FIRST": True, "SORTBY_NULLS_LAST": False}


def arranges(a: Analysis, body: Node, items: list[Item], scope: Scope, role: QueryRole) -> bool:
    """Some key of the outermost ORDER BY is sealed, or worked out of what is; or DISTINCT is beyond the server."""
    found = a.finishing
    if role is not QueryRole.TOP or found is None or found.level is not scope.level:
        return False
    if "distinctClause" in body and any(_beyond_terms(item) for item in items):
        return True
    return any(_is_sealed(a, node["SortBy"]["node"], items, scope) for node in body.get("sortClause", []))


def _beyond_terms(item: Item) -> bool:
    """The server has no term to tell its values apart by."""
    cell = item.origin.cell
    return item.draft is not None or (cell is not None and cell.sealing is not None and not cell.sealing.equality)


def _is_sealed(a: Analysis, node: Node, items: list[Item], scope: Scope) -> bool:
    try:
        item = output_item(node, items, scope)
    except FieldgateError:
        return False  # the usual walk says what is wrong
    if item is not None:
        return item.origin.cell is not None or item.draft is not None
    return names_cell(a, node, scope)


def arrange(a: Analysis, body: Node, items: list[Item], scope: Scope) -> None:
    """Raises UseRefused for a right that is missing, before anything that can not be done."""
    clause = body.get("sortClause", [])
    keys = [_key(a, node["SortBy"], items, scope) for node in clause]
    cell = next(cell for cell in (*map(_cell_of_item, items), *map(_cell_of_key, keys)) if cell is not None)
    if not items:
        raise unordered(cell, "the SELECT shows no column", None, "Show the key.")
    apart = _apart(a, body, items, scope, cell)
    _check_place(cell, body, items)
    for key, node in zip(keys, clause, strict=True):
        if key.draft is not None and node["SortBy"].get("sortby_dir") == "SORTBY_USING":
            raise unordered(key.draft.cell, "USING names an operator", None, "Write ASC or DESC.")
        if key.draft is not None:
            check_order(a, key.draft, _position(node["SortBy"]["node"], scope))
    assert a.finishing is not None  # noqa: S101 - the caller has asked `arranges`
    a.finishing.arranges, a.finishing.keys, a.finishing.apart = True, keys, apart
    if clause:
        _take_order(scope, body)


def _cell_of_item(item: Item) -> Field | None:
    return item.draft.cell if item.draft is not None else item.origin.cell


def _cell_of_key(key: KeyDraft) -> Field | None:
    return key.draft.cell if key.draft is not None else None


def _apart(a: Analysis, body: Node, items: list[Item], scope: Scope, cell: Field) -> list[KeyDraft]:
    """What DISTINCT tells rows apart by: every column of the select list but constants."""
    if "distinctClause" not in body:
        return []
    for item in items:
        a.charge(item.origin, Verb.GROUP, item.position)
    if any(unwrap(node)[0] for node in body["distinctClause"]):
        raise _undistinguished(cell, "it is DISTINCT ON", None)
    for node in body.get("sortClause", []):
        if output_item(node["SortBy"]["node"], items, scope) is None:
            raise _undistinguished(cell, "ORDER BY names something else than an output column", None)
    _take_distinct(scope, body, cell)
    return [key for item in items if (key := _column_apart(item, cell)) is not None]


def _column_apart(item: Item, cell: Field) -> KeyDraft | None:
    made = KeyDraft(descending=False, nulls_first=False, draft=item.draft)
    if item.draft is not None:
        return made
    if item.origin.cell is not None:
        sealing = item.origin.cell.sealing
        if sealing is None or sealing.normalisers or sealing.logical_type is LogicalType.JSON:
            raise _undistinguished(item.origin.cell, "what counts as equal is known to the server only", item.position)
        made.draft = _cell_of(item)
        return made
    visible = item.visible
    if visible is not None and not item.origin.columns and visible.column.origin.columns:
        return None  # NULL stands in its place
    if item.node is not None and not item.origin.columns and value_of(item.node) is not None:
        return None
    if visible is None or (item.node is not None and "ColumnRef" not in item.node):
        raise _undistinguished(cell, "another expression stands in the select list", item.position)
    made.rank = _rank_of_item(item, made, item.position)
    return made


def _undistinguished(cell: Field, why: str, position: int | None) -> Unsupported:
    return Unsupported(
        f'DISTINCT over the sealed column "{cell.column}" ({cell.name}) is not carried out here: {why}',
        hint="Select columns and expressions over sealed ones only, and order by their output names.",
        position=position,
    )


def _take_distinct(scope: Scope, body: Node, cell: Field) -> None:
    text = scope.text
    word = text.token_at(body["targetList"][0]["ResTarget"].get("location", -1)) - 1
    if text.tokens.word(word) != "distinct":
        raise _undistinguished(cell, "it is not written as SELECT DISTINCT", None)
    text.remove(word, word)


def _check_place(cell: Field, body: Node, items: list[Item]) -> None:
    for clause, shown in _TOO_MUCH.items():
        if clause in body and "distinctClause" in body:
            raise _undistinguished(cell, f"the SELECT has {shown}", None)
        if clause in body:
            raise unordered(cell, f"the SELECT has {shown}", None)
    if body.get("limitOption") == "LIMIT_OPTION_WITH_TIES":
        raise unordered(cell, "it has WITH TIES", None)
    for item in items:
        if item.node is not None and item.draft is None and not _as_it_is(item.node):
            raise unordered(cell, "another expression stands in the select list", item.position)


def _as_it_is(node: Node) -> bool:
    kind, body = unwrap(node)
    while kind == "TypeCast":
        kind, body = unwrap(body["arg"])
    return kind in _AS_THEY_ARE


def unordered(cell: Field, why: str, position: int | None, hint: str = "") -> Unsupported:
    return Unsupported(
        f'ORDER BY over the sealed column "{cell.column}" ({cell.name}) is not carried out here: {why}',
        hint=hint or "Order the rows in the application, or by columns that are not sealed.",
        position=position,
    )


def check_order(a: Analysis, draft: Draft, position: int | None) -> None:
    """Only orders that are the same everywhere; a collation is the server's own, but for those that compare bytes."""
    typed = draft.typed
    if typed.logical in _UNORDERED:
        raise unordered(draft.cell, f"values of type {typed.logical} are compared by the server only", position)
    if typed.logical not in TEXT_LIKE or typed.collation in C_COLLATIONS:
        return
    if typed.collation or not a.catalog.byte_order:
        raise unordered(
            draft.cell, "how this collation orders texts is known to the server only", position,
            'Write COLLATE "C" behind the key for the order by characters, or order the rows in the application.',
        )  # fmt: skip


def _key(a: Analysis, sort: Node, items: list[Item], scope: Scope) -> KeyDraft:
    descending = sort.get("sortby_dir") == "SORTBY_DESC"
    made = KeyDraft(descending, _NULLS.get(sort.get("sortby_nulls", ""), descending))
    item = output_item(sort["node"], items, scope)
    position = _position(sort["node"], scope)
    if item is None:
        _key_of_expression(a, sort["node"], scope, made)
    elif item.draft is not None:
        _charge(a, item.draft)
        made.draft = item.draft
    elif item.origin.cell is not None:
        made.draft = _draft_of_item(a, item)
    else:
        a.charge(item.origin, Verb.ORDER, position)
        made.rank = _rank_of_item(item, made, position)
    return made


def _key_of_expression(a: Analysis, node: Node, scope: Scope, made: KeyDraft) -> None:
    operand = column_operand(a, node, scope)
    if operand is not None and operand.cell is None and not operand.casts:
        a.charge(operand.origin, Verb.ORDER, operand.reference.position)
        made.rank = _rank(operand.reference.visible.reference if operand.reference.visible else "", made)
        return
    builder = Builder(a, scope, called)
    try:
        typed = builder.build(node)
    except NotFinished:
        typed = None
    if typed is None or not builder.cells:
        a.walk(a, node, scope, ORDERING)
        raise _plain_expression(scope.text.position(unwrap(node)[1].get("location", -1)))
    made.draft = Draft(typed, builder.cells, builder.plain)
    _charge(a, made.draft)
    if not isinstance(typed.term, CellLeaf):
        for operand in (*builder.cells, *builder.plain):
            charge_order_of_expression(a, operand.origin.columns, operand.reference.position)
    builder.take_parameters()


def _charge(a: Analysis, draft: Draft) -> None:
    for operand in (*draft.cells, *draft.plain):
        a.charge(operand.origin, Verb.ORDER, operand.reference.position)


def _draft_of_item(a: Analysis, item: Item) -> Draft:
    a.charge(item.origin, Verb.ORDER, item.position)
    return _cell_of(item)


def _cell_of(item: Item) -> Draft:
    cell, visible = item.origin.cell, item.visible
    assert cell is not None and cell.sealing is not None  # noqa: S101 - the callers look
    if visible is None or visible.merged or item.origin.released:
        raise unordered(cell, "the column is grouped, or not that of a table", item.position)
    logical = cell.sealing.logical_type
    operand = Operand(Reference(visible, item.scope.text, -1), item.origin, ())
    return Draft(Typed(CellLeaf(0, logical), logical), [operand], [])


def _rank_of_item(item: Item, made: KeyDraft, position: int | None) -> str:
    """An output column that is a plain column as it is; NULL in its place has no order of its own."""
    visible = item.visible
    shown = item.node is None or "ColumnRef" in item.node
    if visible is None or not shown or item.origin.columns != visible.column.origin.columns:
        raise _plain_expression(position)
    return _rank(visible.reference, made)


def _rank(reference: str, made: KeyDraft) -> str:
    if not reference:
        raise _plain_expression(None)
    direction = "DESC" if made.descending else "ASC"
    nulls = "FIRST" if made.nulls_first else "LAST"
    return f"pg_catalog.dense_rank() OVER (ORDER BY {reference} {direction} NULLS {nulls})"


def _plain_expression(position: int | None) -> Unsupported:
    return Unsupported(
        "a key of ORDER BY beside a sealed one is neither a column nor an expression that is worked out here",
        hint="Order by columns.",
        position=position,
    )


def _position(node: Node, scope: Scope) -> int | None:
    return scope.text.position(unwrap(node)[1].get("location", -1))


def _take_order(scope: Scope, body: Node) -> None:
    """The server gets no ORDER BY.  A wrong guess does not survive the second parse."""
    text = scope.text
    start = text.token_at(body["targetList"][0]["ResTarget"].get("location", -1))
    order = word_index(text, start, "order")
    if order is None or text.tokens.word(order + 1) != "by":
        raise no_ordinals("ORDER BY", None)
    following = word_index(text, order + 2, *_BEHIND_ORDER)
    text.remove(order, following - 1 if following is not None else end_index(text, order))
