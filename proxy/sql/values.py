"""Values that meet a sealed column: a constant or a parameter becomes a slot; every other source is refused.

Contract: the decoded value is libpg_query's; the place of its text is the lexer's.  Whatever is not exactly one
constant or one parameter, under casts that keep its cell form, raises Unsupported (I1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from policies.fields import Field, LogicalType, Sealing
from proxy.errors import FieldgateError, Refused, SqlState, Unsupported

from .analysis import Analysis
from .edits import SqlText
from .fragments import BYTEA_ARRAY_CAST, BYTEA_CAST
from .lexer import TokenKind
from .parameters import TEXT_LIKE
from .plan import Slot, SlotKind, ValueSource
from .tree import Node, unwrap
from .typenames import cast_tokens, compatible, logical_of, rounds_like

_INTEGERS = frozenset({LogicalType.INT2, LogicalType.INT4, LogicalType.INT8})
_NUMBERS = _INTEGERS | {LogicalType.NUMERIC}
_MODERN = re.compile(rb"^[0-9]+[_xXoObB]")  # 1_000, 0x1F: forms of numbers that servers before 16 do not know
_WHOLE = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(slots=True)
class Value:
    """A constant, a parameter, or an ARRAY[...] of such, with the casts around it (outermost first)."""

    kind: str  # A_Const, ParamRef, A_ArrayExpr
    body: Node
    casts: list[Node] = field(default_factory=list)  # TypeCast bodies

    @property
    def is_null(self) -> bool:
        return self.kind == "A_Const" and bool(self.body.get("isnull"))


def value_of(node: Node) -> Value | None:
    """None: the node is something else than a value."""
    casts: list[Node] = []
    kind, body = unwrap(node)
    while kind == "TypeCast":
        casts.append(body)
        kind, body = unwrap(body.get("arg", {}))
    return Value(kind, body, casts) if kind in ("A_Const", "ParamRef", "A_ArrayExpr") else None


@dataclass(frozen=True, slots=True)
class Sealer:
    """Puts slots in place of values that belong to one sealed field."""

    a: Analysis
    text: SqlText
    field: Field
    kind: SlotKind
    row_key: ValueSource | None = None
    row_key_type: int = 0

    @property
    def sealing(self) -> Sealing:
        assert self.field.sealing is not None  # noqa: S101 - a Sealer is made for sealed fields only
        return self.field.sealing

    def seal(self, value: Value, position: int | None, *, array: bool = False) -> None:
        """`array`: the value is compared as an array of the field's type (`= ANY (...)`)."""
        self._check_casts(value, array, position)
        if value.kind == "A_ArrayExpr":
            if not array:
                raise self.unsupported("an array", position)
            self._seal_elements(value, position)
        elif value.kind == "ParamRef":
            self._seal_parameter(value.body, array=array)
        elif not value.is_null:
            self._seal_constant(value, position, array=array)
        self._retype(value, array)

    def _seal_elements(self, value: Value, position: int | None) -> None:
        elements = [value_of(node) for node in value.body.get("elements", [])]
        for element in elements:
            if element is None:
                raise self.unsupported("an expression inside ARRAY[...]", position)
            self.seal(element, position)

    def _seal_parameter(self, body: Node, *, array: bool) -> None:
        number = body.get("number", 0)
        token = self.text.token_at(body.get("location", -1), TokenKind.PARAM)
        self.a.parameters.use_sealed(number, self.text, token, self.sealing.logical_type, array=array)
        self._put(token, token, ValueSource(parameter=number), array=array)

    def _seal_constant(self, value: Value, position: int | None, *, array: bool) -> None:
        constant = value.body["sval"].get("sval", "") if array and "sval" in value.body else None
        if array and constant is None:
            raise self.unsupported("this constant", position)
        encoded = (constant if constant is not None else self._constant_text(value.body, position)).encode()
        first, last = self.constant_tokens(value.body)
        self._put(first, last, ValueSource(constant=encoded), array=array)

    def _put(self, first: int, last: int, source: ValueSource, *, array: bool) -> None:
        slot = Slot(
            self.kind,
            source,
            self.field,
            array=array,
            row_key=self.row_key,
            row_key_type=self.row_key_type,
        )
        self.text.replace(first, last, slot, BYTEA_ARRAY_CAST if array else BYTEA_CAST)

    def _constant_text(self, body: Node, position: int | None) -> str:
        """The constant as PostgreSQL's text form of the field's type."""
        logical = self.sealing.logical_type
        if "sval" in body:
            return str(body["sval"].get("sval", ""))
        if "boolval" in body and (logical is LogicalType.BOOL or self._stored_as_text(logical)):
            return "true" if body["boolval"].get("boolval", False) else "false"
        if "ival" in body and (logical in _NUMBERS or self._stored_as_text(logical)):
            return str(body["ival"].get("ival", 0))
        if "fval" in body:
            written = str(body["fval"].get("fval", ""))
            pattern = _DECIMAL if logical is LogicalType.NUMERIC else _WHOLE
            if logical in _NUMBERS and pattern.fullmatch(written):
                return written
        raise self._mistyped(logical, number="fval" in body or "ival" in body, position=position)

    def _mistyped(self, logical: LogicalType, *, number: bool, position: int | None) -> FieldgateError:
        """An assignment says that the types differ; a comparison, that there is no operator for them."""
        said = f'the constant is not of the type {logical.value} of column "{self.field.name}"'
        if self.kind is SlotKind.CELL:
            return Refused(said, sqlstate=SqlState.DATATYPE_MISMATCH, position=position)
        if number and logical in _NUMBERS:  # the server compares them
            return Unsupported(said, hint="Compare with a constant of the column's own type.", position=position)
        return Refused(
            said,
            sqlstate=SqlState.UNDEFINED_FUNCTION,
            hint="No operator compares these types; write the constant as a string.",
            position=position,
        )

    def _stored_as_text(self, logical: LogicalType) -> bool:
        """Assignment casts numbers and booleans to text; comparison does not."""
        return self.kind is SlotKind.CELL and logical in TEXT_LIKE

    def constant_tokens(self, body: Node) -> tuple[int, int]:
        """Where a constant stands; NULL is none."""
        kinds = (TokenKind.STRING,) if "sval" in body else (TokenKind.NUMBER, TokenKind.OPERATOR, TokenKind.WORD)
        first = self.text.token_at(body.get("location", -1), *kinds)
        tokens = self.text.tokens
        if self.a.catalog.server_version < 160000 and _MODERN.search(tokens[first].text):
            raise Refused("trailing junk after numeric literal", sqlstate=SqlState.SYNTAX_ERROR)
        if tokens[first].kind is TokenKind.OPERATOR:
            if tokens[first].text != b"-" or tokens[first + 1].kind is not TokenKind.NUMBER:
                raise self.unsupported("this constant", None)
            return first, first + 1
        if tokens[first].kind is TokenKind.WORD and tokens.word(first) not in ("true", "false"):
            raise self.unsupported("this constant", None)
        if tokens[first].text[:2].lower() == b"u&" and tokens.word(first + 1) == "uescape":
            return first, first + 2
        return first, first

    def _check_casts(self, value: Value, array: bool, position: int | None) -> None:
        for cast in value.casts:
            if self.kind is SlotKind.CELL and rounds_like(cast.get("typeName", {}), self.sealing):
                continue
            found = logical_of(cast.get("typeName", {}))
            if found is None or found[1] != array or not compatible(found[0], self.sealing.logical_type):
                raise Unsupported(
                    f'a value for the sealed column "{self.field.name}" is cast to another type than its own',
                    hint=f"Leave the cast out, or cast to {self.sealing.logical_type.value} without modifiers.",
                    position=position,
                )

    def _retype(self, value: Value, array: bool) -> None:
        """The casts that stand around the value become casts to the physical type."""
        for cast in value.casts:
            first, last = cast_tokens(self.text, cast["typeName"])
            if cast.get("location", -1) < 0:  # type 'constant': the type's name is a prefix
                self.text.remove(first, last)
            else:
                self.text.replace(first, last, (BYTEA_ARRAY_CAST if array else BYTEA_CAST)[2:])

    def unsupported(self, what: str, position: int | None) -> Unsupported:
        return Unsupported(
            f'{what} can not be used as a value of the sealed column "{self.field.name}"',
            hint="Send the value as a constant or as a parameter.",
            position=position,
        )
