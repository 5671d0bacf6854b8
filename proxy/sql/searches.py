"""Inexact search: LIKE, ILIKE and starts_with over a sealed column, by its search tokens.

Tokens name candidates, so the proxy looks at each row's opened value before the client sees it (`Sift` of the plan).
That is sound only where a row of the result stands for one row that WHERE has let through, and where nothing else of
the statement depends on the rows that are dropped: in a condition that is ANDed in WHERE of a SELECT of its own that
shows columns as they are.  LIMIT and OFFSET then count what is left, so the server gets none of them.
"""

from __future__ import annotations

from keys.tokens import RANGES
from policies.fields import Field
from policies.model import Verb
from proxy.errors import FieldgateError, Refused, SqlState, Unsupported
from proxy.wire.values.ordering import COMPARABLE

from .analysis import Analysis, Item, QueryRole, Use
from .appendix import targets_end, tokens_at_hand
from .finishing import finished_output
from .lexer import TokenKind
from .locking import append_keys, check_write
from .operands import Operand, charge, column_operand
from .operators import check_operator
from .parameters import TEXT_LIKE
from .plan import Comparing, Search, Sift, Slot, SlotKind, ValueSource
from .references import refuse_unreadable
from .scope import Scope
from .tree import Node, strings, unwrap
from .typenames import cast_tokens, logical_of
from .values import Value, value_of

PATTERNS = {"~~": Comparing.LIKE, "~~*": Comparing.ILIKE, "^@": Comparing.STARTS}
_WORDS = {Comparing.LIKE: ("like",), Comparing.ILIKE: ("ilike",), Comparing.STARTS: ()}
_KINDS = frozenset({"AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_OP"})
_TOO_MUCH = {
    "groupClause": "GROUP BY", "havingClause": "HAVING", "distinctClause": "DISTINCT", "windowClause": "WINDOW",
    "lockingClause": "FOR UPDATE and its like",
}  # fmt: skip
_AS_THEY_ARE = frozenset({"ColumnRef", "A_Const", "ParamRef"})
REMEDY = "Search in a SELECT of its own that shows columns as they are, and go on with the keys that it finds."
_ANY = "'{0}'::pg_catalog.int4[]"  # ANY_TOKEN of keys.envelope
ORDERED = frozenset({"<", "<=", ">", ">=", "BETWEEN", "BETWEEN SYMMETRIC"})


def conjuncts(node: Node) -> list[Node]:
    """The conditions that are ANDed."""
    kind, body = unwrap(node)
    if kind != "BoolExpr" or body.get("boolop") != "AND_EXPR":
        return [node]
    return [each for part in body["args"] for each in conjuncts(part)]


def walk_search(a: Analysis, node: Node, body: Node, scope: Scope, role: QueryRole) -> bool:
    """`node` is ANDed in WHERE of the query `body`.  False: it is no search by tokens, and nothing was done."""
    kind, inner = unwrap(node)
    how = _comparing(kind, inner)
    operand = column_operand(a, inner["lexpr"], scope) if how is not None and "lexpr" in inner else None
    if how is None or operand is None or operand.cell is None:
        return False
    position = operand.reference.position
    refuse_unreadable(operand.origin.columns, Use(Verb.FILTER_RANGE), position)
    if operand.cell.token_column is None or has_range(operand.cell):
        raise _undeclared(operand.cell, position, "match or prefix")
    check_place(a, operand.cell, body, role, position)
    check_operator(a, strings(inner.get("name", [])), scope.text.position(inner.get("location", -1)))
    charge(a, operand, Verb.FILTER_RANGE)
    _rewrite(a, operand, inner, scope, how)
    return True


def refusal_of_search(cell: Field, operator: str, position: int | None) -> FieldgateError | None:
    """Why a column is not searched by this operator where it stands; None: no field is searched by it."""
    range_wanted = operator.removeprefix("NOT ") in ORDERED
    if operator.lstrip("!") not in PATTERNS and not range_wanted:
        return None
    if range_wanted and not _is_ordered(cell):
        return None
    if range_wanted is not has_range(cell) or cell.token_column is None:
        return _undeclared(cell, position, "range" if range_wanted else "match or prefix")
    return misplaced(cell, f"the operator {operator} stands in an expression", position)


def _is_ordered(cell: Field) -> bool:
    return cell.sealing is not None and cell.sealing.logical_type in COMPARABLE


def has_range(cell: Field) -> bool:
    return cell.sealing is not None and bool(RANGES & set(cell.sealing.tokens))


def _undeclared(cell: Field, position: int | None, modes: str) -> Unsupported:
    how, lacks = ("by range", "no range") if modes == "range" else ("by part", "neither match nor prefix")
    return Unsupported(
        f'the sealed column "{cell.column}" ({cell.name}) can not be searched {how}: its data map entry has {lacks}',
        hint=f"Compare by =, or declare {modes} for it before it is sealed.",
        position=position,
    )


def misplaced(cell: Field, why: str, position: int | None) -> Unsupported:
    return Unsupported(
        f'the sealed column "{cell.column}" ({cell.name}) can be searched by {"range" if has_range(cell) else "part"}'
        f" only in a condition that is ANDed in WHERE of a plain SELECT, UPDATE or DELETE; here {why}",
        hint=REMEDY,
        position=position,
    )


def _comparing(kind: str, body: Node) -> Comparing | None:
    if kind != "A_Expr" or body.get("kind") not in _KINDS:
        return None
    return PATTERNS.get(strings(body.get("name", []))[-1])


def check_place(a: Analysis, cell: Field, body: Node, role: QueryRole, position: int | None) -> None:
    """Raises where rows that are found too much could not be dropped unseen."""
    if "relation" in body:
        check_write(a, cell, body, role, position)
        return
    if not a.searchable or role is not QueryRole.TOP:
        raise misplaced(cell, "the SELECT is part of another statement", position)
    for clause, shown in _TOO_MUCH.items():
        if clause in body and not (a.lock_keys and clause == "lockingClause"):
            raise misplaced(cell, f"it has {shown}", position)
    if body.get("limitOption") == "LIMIT_OPTION_WITH_TIES":
        raise misplaced(cell, "it has WITH TIES", position)
    shows = [each["ResTarget"].get("val", {}) for each in body.get("targetList", [])]
    sorts = [each["SortBy"]["node"] for each in body.get("sortClause", [])]
    if not all(_as_it_is(each) for each in (*shows, *sorts)):
        raise misplaced(cell, "it shows or sorts by an expression", position)


def _as_it_is(node: Node) -> bool:
    kind, body = unwrap(node)
    while kind == "TypeCast" and "ColumnRef" not in body.get("arg", {}):
        kind, body = unwrap(body["arg"])
    return kind in _AS_THEY_ARE


def _rewrite(a: Analysis, operand: Operand, body: Node, scope: Scope, how: Comparing) -> None:
    """The whole comparison becomes one of tokens."""
    cell, position = operand.cell, operand.reference.position
    assert cell is not None and operand.reference.visible is not None  # noqa: S101
    tokens = tokens_at_hand(operand.reference.visible)
    value = value_of(body.get("rexpr", {}))
    if how is Comparing.ILIKE and a.catalog.lowering is None:
        raise Unsupported(
            "ILIKE over sealed columns is not supported here: how this database makes letters small is not known",
            hint="Use LIKE.",
            position=position,
        )
    if tokens is None or operand.casts:
        raise misplaced(cell, "the column is cast, grouped, or not that of a table", position)
    if value is None or value.kind == "A_ArrayExpr":
        raise Unsupported(
            f'the pattern for the sealed column "{cell.name}" is neither a constant nor a parameter',
            hint="Put % and _ into the value itself, and escape by a backslash.",
            position=position,
        )
    last = _last_token(operand, value, scope, how)
    source = _source(a, cell, value, scope)
    slot = Slot(SlotKind.TOKENS, source, cell, comparing=how)
    first = operand.reference.span()[0]
    contains = f"{tokens} OPERATOR(pg_catalog.@>) "
    scope.text.replace(first, last, f"({contains}", slot, f"::pg_catalog.int4[] OR {contains}{_ANY})")
    a.searches.append((operand.reference.visible.reference, Search(cell, -1, how, source, *origin_of(operand))))


def origin_of(operand: Operand) -> tuple[int, int]:
    return operand.origin.oid, operand.origin.attnum


def _last_token(operand: Operand, value: Value, scope: Scope, how: Comparing) -> int:
    """Column, operator and value stand side by side, so that all between them can be replaced."""
    tokens, text = scope.text.tokens, scope.text
    at = operand.reference.span()[1] + 1
    spelled = tokens.text(at).decode(errors="replace").lower()
    kinds = (TokenKind.PARAM,) if value.kind == "ParamRef" else (TokenKind.STRING, TokenKind.WORD)
    last = text.token_at(value.body.get("location", -1), *kinds)
    plain = spelled in _WORDS[how] or PATTERNS.get(spelled) is how
    if operand.reference.text is not text or not plain or last != at + 1 or tokens.word(last + 1) == "uescape":
        raise Unsupported(
            "a search of a sealed column is written as: column, LIKE, pattern",
            hint="Leave out brackets, ESCAPE, UESCAPE and casts in front.",
            position=operand.reference.position,
        )
    for cast in value.casts:
        last = max(last, cast_tokens(text, cast["typeName"])[1])
    return last


def _source(a: Analysis, cell: Field, value: Value, scope: Scope) -> ValueSource:
    for cast in value.casts:
        found = logical_of(cast.get("typeName", {}))
        if found is None or found[1] or found[0] not in TEXT_LIKE:
            raise Unsupported("a pattern is cast to another type than text", hint="Leave the cast out.")
    if value.kind == "ParamRef":
        number = value.body.get("number", 0)
        assert cell.sealing is not None  # noqa: S101
        token = scope.text.token_at(value.body.get("location", -1), TokenKind.PARAM)
        a.parameters.use_sealed(number, scope.text, token, cell.sealing.logical_type, array=False)
        return ValueSource(parameter=number)
    if value.is_null:
        return ValueSource()
    if "sval" not in value.body:
        raise Refused("a pattern is a text", sqlstate=SqlState.UNDEFINED_FUNCTION)
    return ValueSource(constant=str(value.body["sval"].get("sval", "")).encode())


def finish_searches(a: Analysis, scope: Scope, items: list[Item], start: int) -> None:
    """Behind the select list come the cells that the proxy looks at, but for those that are shown."""
    if not a.searches:
        return
    refuse_volatile(a)
    if not items:
        raise Unsupported("a search of a sealed column needs a SELECT that shows some column", hint="Show the key.")
    places = {item.visible.reference: n for n, item in enumerate(items) if item.visible and _is_shown(item)}
    added = list(dict.fromkeys(reference for reference, _ in a.searches if reference not in places))
    last = targets_end(scope.text, start)
    if added:
        scope.text.insert_after(last, "".join(f", {reference}" for reference in added))
    places |= {reference: len(items) + a.hidden + n for n, reference in enumerate(added)}
    a.hidden += len(added)
    append_keys(a, scope, last)
    a.searches = [(reference, search.at(places[reference])) for reference, search in a.searches]


def refuse_volatile(a: Analysis) -> None:
    if a.volatile:
        raise Unsupported(
            f"the function {a.volatile[0][0]} is not available beside a search of a sealed column: the server would"
            " call it for rows that are not found",
            hint=REMEDY,
            position=a.volatile[0][1],
        )


def _is_shown(item: Item) -> bool:
    """The server sends the cell itself for it."""
    return item.origin.cell is not None and finished_output(item) is None and not item.text_cast


def take_limits(a: Analysis, body: Node, scope: Scope) -> None:
    """LIMIT and OFFSET are the proxy's; the server gets NULL for them, which is none."""
    a.limit = _taken(a, body.get("limitCount", {}), scope, "LIMIT")
    a.offset = _taken(a, body.get("limitOffset", {}), scope, "OFFSET")


def _taken(a: Analysis, node: Node, scope: Scope, clause: str) -> ValueSource | None:
    kind, body = unwrap(node)
    while kind == "TypeCast":
        kind, body = unwrap(body["arg"])
    if not kind or (kind == "A_Const" and body.get("isnull")):
        return None
    if kind == "ParamRef":
        return _taken_parameter(a, body, scope)
    if kind != "A_Const" or "ival" not in body or body.get("location", -1) < 0:
        raise Unsupported(
            f"{clause} beside a search of a sealed column is a whole number or a parameter",
            hint="Work its value out first.",
        )
    token = scope.text.token_at(body["location"], TokenKind.NUMBER)
    scope.text.replace(token, token, "(NULL)")
    return ValueSource(constant=str(body["ival"].get("ival", 0)).encode())


def _taken_parameter(a: Analysis, body: Node, scope: Scope) -> ValueSource:
    source = ValueSource(parameter=body.get("number", 0))
    token = scope.text.token_at(body.get("location", -1), TokenKind.PARAM)
    a.parameters.use_counting(source.parameter or 0, scope.text, token)
    scope.text.replace(token, token, "(", Slot(SlotKind.COUNT, source), "::pg_catalog.int8)")
    return source


def sift_of(a: Analysis) -> Sift | None:
    """What the proxy does with the rows of the result; None: it only opens and shows them."""
    if not a.searches:
        return None
    lowering = a.catalog.lowering if any(s.comparing is Comparing.ILIKE for _, s in a.searches) else None
    searches = tuple(search for _, search in a.searches)
    if a.finishing is not None and a.finishing.arranges:  # LIMIT and OFFSET count what is in order
        return Sift(searches, lowering=lowering)
    return Sift(searches, a.limit, a.offset, lowering)
