"""Ranges over a sealed column: <, <=, >, >= and BETWEEN, by the tokens of the spans that its values lie in.

All ends of one column in one WHERE are one range: its tokens are looked for where the first comparison stands, and the
others become what is true.  So the server is asked for the rows between two ends, not for those beyond each.  What is
found too much the proxy drops, under the same conditions as for a search by part (searches.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.fields import Field, LogicalType
from policies.model import Verb
from proxy.errors import Refused, SqlState, Unsupported
from proxy.wire.values.ordering import COMPARABLE

from .analysis import Analysis, QueryRole, Use
from .appendix import tokens_at_hand
from .edits import SqlText
from .lexer import TokenKind
from .operands import Operand, charge, column_operand
from .operators import check_operator
from .parameters import OIDS
from .plan import Bound, End, Search, Slot, SlotKind, ValueSource
from .references import refuse_unreadable
from .scope import Scope
from .searches import check_place, has_range, misplaced, origin_of
from .tree import Node, strings, unwrap
from .typenames import cast_tokens, logical_of
from .values import Sealer, Value, value_of

_OPERATORS = {"<": End.LESS, "<=": End.AT_MOST, ">": End.MORE, ">=": End.AT_LEAST}
_MIRRORED = {End.LESS: End.MORE, End.AT_MOST: End.AT_LEAST, End.MORE: End.LESS, End.AT_LEAST: End.AT_MOST}
_BETWEEN = {"AEXPR_BETWEEN": (End.AT_LEAST, End.AT_MOST), "AEXPR_BETWEEN_SYM": (End.EITHER, End.EITHER)}
_NUMBERS = COMPARABLE[LogicalType.NUMERIC]
_TOKENS_TYPE, _TRUTH_TYPE = "pg_catalog.int4[]", "pg_catalog.bool"
Pieces = tuple[str | Slot, ...]
_OVERLAPS, _EQUALS = "OPERATOR(pg_catalog.&&)", "OPERATOR(pg_catalog.=)"


@dataclass(frozen=True, slots=True)
class Given:
    """One value that a column is compared with: where it stands, and which end of the range it is."""

    value: Value
    bound: Bound
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison; `operator`: its tokens, `given`: one value, or the two of BETWEEN."""

    operand: Operand
    operator: tuple[int, int]
    given: tuple[Given, ...]
    tokens: str


def walk_range(a: Analysis, node: Node, body: Node, scope: Scope, role: QueryRole) -> bool:
    """`node` is ANDed in WHERE of the query `body`.  False: it is no range over such a column, and nothing was done."""
    kind, inner = unwrap(node)
    ends = _ends_of(inner) if kind == "A_Expr" else None
    found = _sides(a, inner, scope) if ends is not None else None
    if ends is None or found is None:
        return False
    operand, values, mirrored = found
    assert operand.cell is not None and operand.reference.visible is not None  # noqa: S101
    position = operand.reference.position
    refuse_unreadable(operand.origin.columns, Use(Verb.FILTER_RANGE), position)
    check_place(a, operand.cell, body, role, position)
    for name in (strings(inner["name"]),) if inner["kind"] == "AEXPR_OP" else (("<=",), (">=",)):
        check_operator(a, name, scope.text.position(inner.get("location", -1)))
    charge(a, operand, Verb.FILTER_RANGE)
    ends = tuple(_MIRRORED[end] for end in ends) if mirrored else ends
    made = _comparison(a, operand, inner, values, ends, scope)
    a.ranges.setdefault(operand.reference.visible.reference, []).append(made)
    return True


def _ends_of(body: Node) -> tuple[End, ...] | None:
    if body.get("kind") == "AEXPR_OP" and "lexpr" in body and "rexpr" in body:
        end = _OPERATORS.get(strings(body.get("name", []))[-1])
        return (end,) if end is not None else None
    return _BETWEEN.get(body.get("kind", ""))


def _sides(a: Analysis, body: Node, scope: Scope) -> tuple[Operand, list[Node], bool] | None:
    """The column, what it is compared with, and whether it stands behind that."""
    left, right = body["lexpr"], body["rexpr"]
    for node, others, mirrored in ((left, right, False), (right, left, True)):
        operand = column_operand(a, node, scope) if "List" not in node else None
        if operand is not None and operand.cell is not None and has_range(operand.cell):
            return operand, others["List"]["items"] if "List" in others else [others], mirrored
    return None


def _comparison(
    a: Analysis, operand: Operand, body: Node, nodes: list[Node], ends: tuple[End, ...], scope: Scope
) -> Comparison:
    cell, visible, position = operand.cell, operand.reference.visible, operand.reference.position
    assert cell is not None and cell.sealing is not None and visible is not None  # noqa: S101
    tokens = tokens_at_hand(visible)
    own = all(logical_of(cast.get("typeName", {})) == (cell.sealing.logical_type, False) for cast in operand.casts)
    if tokens is None or not own or operand.reference.text is not scope.text:
        raise misplaced(cell, "the column is cast to another type, grouped, or not that of a table", position)
    given = tuple(_given(a, cell, node, end, scope, position) for node, end in zip(nodes, ends, strict=True))
    return Comparison(operand, _operator_tokens(body, scope), given, tokens)


def _operator_tokens(body: Node, scope: Scope) -> tuple[int, int]:
    text = scope.text
    if body["kind"] == "AEXPR_OP":
        token = text.token_at(body.get("location", -1), TokenKind.OPERATOR)
        return token, token
    token = text.token_at(body.get("location", -1), TokenKind.WORD)
    worded = text.tokens.word(token + 1) in ("symmetric", "asymmetric")
    return token, token + worded


def _given(a: Analysis, cell: Field, node: Node, end: End, scope: Scope, position: int | None) -> Given:
    value = value_of(node)
    if value is None or value.kind == "A_ArrayExpr":
        raise Unsupported(
            f'the sealed column "{cell.name}" is compared with something that is neither a constant nor a parameter',
            hint="Work the value out first, and send it as a constant or as a parameter.",
            position=position,
        )
    logical = _type_of(cell, value, position)
    first, last = _place(a, cell, value, scope.text)
    source = _source(a, cell, value, logical, scope.text, first)
    return Given(value, Bound(end, source, OIDS[logical][0] if logical is not None else 0), first, last)


def _type_of(cell: Field, value: Value, position: int | None) -> LogicalType | None:
    """The type that a value is cast to, or that a number has by itself; None: the column's own."""
    assert cell.sealing is not None  # noqa: S101
    field_type = cell.sealing.logical_type
    casts = {logical_of(cast.get("typeName", {})) for cast in value.casts}
    found = casts.pop() if casts else (LogicalType.NUMERIC, False) if _is_number(value) else (field_type, False)
    if casts or found is None or found[1] or found[0] not in COMPARABLE[field_type]:
        raise Unsupported(
            f'the sealed column "{cell.name}" is compared with a value of another type than its own',
            hint=f"Leave casts out, or cast to {field_type.value} without modifiers.",
            position=position,
        )
    return None if found[0] is field_type else found[0]


def _is_number(value: Value) -> bool:
    return value.kind == "A_Const" and bool({"ival", "fval"} & value.body.keys())


def _place(a: Analysis, cell: Field, value: Value, text: SqlText) -> tuple[int, int]:
    location = value.body.get("location", -1)
    if value.kind == "ParamRef":
        token = text.token_at(location, TokenKind.PARAM)
        return token, token
    if value.is_null:
        token = text.token_at(location, TokenKind.WORD)
        return token, token
    return Sealer(a, text, cell, SlotKind.TOKENS).constant_tokens(value.body)


def _source(
    a: Analysis, cell: Field, value: Value, logical: LogicalType | None, text: SqlText, token: int
) -> ValueSource:
    assert cell.sealing is not None  # noqa: S101
    if value.kind == "ParamRef":
        number = value.body.get("number", 0)
        a.parameters.use_sealed(number, text, token, logical or cell.sealing.logical_type, array=False)
        return ValueSource(parameter=number)
    if value.is_null:
        return ValueSource()
    if "sval" in value.body:
        return ValueSource(constant=str(value.body["sval"].get("sval", "")).encode())
    return ValueSource(constant=_number(cell, value, logical or cell.sealing.logical_type))


def _number(cell: Field, value: Value, logical: LogicalType) -> bytes:
    """A number as it is written.  One that a cast would round is refused."""
    body = value.body
    if not _is_number(value):
        raise Refused(
            f'a constant of another type is compared with column "{cell.name}"', sqlstate=SqlState.UNDEFINED_FUNCTION
        )
    if "fval" in body and logical is not LogicalType.NUMERIC:
        raise Unsupported(
            f'a number that is cast is compared with the sealed column "{cell.name}"',
            hint="Leave the cast out, or write the number as it is meant.",
        )
    return str(body["fval"].get("fval", "") if "fval" in body else body["ival"].get("ival", 0)).encode()


def finish_ranges(a: Analysis, scope: Scope) -> None:
    """Behind WHERE, when all ends are known."""
    for reference, comparisons in a.ranges.items():
        first = comparisons[0]
        cell = first.operand.cell
        assert cell is not None  # noqa: S101
        bounds = tuple(given.bound for comparison in comparisons for given in comparison.given)
        slot = Slot(SlotKind.TOKENS, first.given[0].bound.source, cell, bounds=bounds)
        _put(first, scope.text, first.tokens, _OVERLAPS, (_tokens(slot, first), ("true",)), _TOKENS_TYPE)
        for comparison in comparisons[1:]:
            truths = tuple(_truth(given) for given in comparison.given)
            _put(comparison, scope.text, "true", _EQUALS, truths, _TRUTH_TYPE)
        a.searches.append((reference, Search(cell, -1, None, ValueSource(), *origin_of(first.operand), bounds)))
    a.ranges.clear()


def _tokens(slot: Slot, first: Comparison) -> Pieces:
    """An array; a parameter that is the second of BETWEEN has its place behind, where NULL adds nothing."""
    source = first.given[-1].bound.source
    if len(first.given) == 1 or source.parameter is None:
        return slot, f"::{_TOKENS_TYPE}"
    end = Slot(SlotKind.END, source)
    return "(", slot, f"::{_TOKENS_TYPE} OPERATOR(pg_catalog.||) ", end, f"::{_TOKENS_TYPE})"


def _truth(given: Given) -> Pieces:
    """In a value's place; a parameter's has its own, which the server is given NULL for."""
    source = given.bound.source
    if source.parameter is None:
        return ("true",)
    return "(", Slot(SlotKind.END, source), f"::{_TOKENS_TYPE} IS NULL)"


def _put(made: Comparison, text: SqlText, left: str, operator: str, right: tuple[Pieces, ...], type_name: str) -> None:
    """The comparison with all its brackets, of something else; BETWEEN is two, from left to right."""
    text.replace(*made.operand.reference.span(), left)
    text.replace(*made.operator, operator)
    for one, other in zip(made.given, made.given[1:], strict=False):
        word = _and_between(text, one.last + 1, other.first)
        text.replace(word, word, _EQUALS)  # an AND of ours would be one with the client's own
    for cast in made.operand.casts:
        _retype(text, cast, type_name)
    for given, pieces, retyped in zip(made.given, right, (type_name, _TRUTH_TYPE), strict=False):
        text.replace(given.first, given.last, *pieces)
        for cast in given.value.casts:
            _retype(text, cast, retyped)


def _and_between(text: SqlText, first: int, end: int) -> int:
    """Between are brackets, casts and the names of types; no type is called so without quotes."""
    found = [index for index in range(first, end) if text.tokens.word(index) == "and"]
    if len(found) != 1:
        raise Unsupported("a part of BETWEEN can not be located exactly", hint="Write it as >= and <=.")
    return found[0]


def _retype(text: SqlText, cast: Node, type_name: str) -> None:
    first, last = cast_tokens(text, cast["typeName"])
    if cast.get("location", -1) < 0:  # type 'constant': the type's name is a prefix
        text.remove(first, last)
    else:
        text.replace(first, last, type_name)
