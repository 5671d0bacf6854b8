"""An expression of the grammar's tree made into a term that the proxy carries out, with PostgreSQL's types for it.

Contract: only what is known to give the server's own answer becomes a term; anything else raises NotFinished, and then
nothing was changed: rights, parameters and text are touched when the whole expression is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from policies.fields import LogicalType
from proxy.errors import Unsupported
from proxy.wire.values.codecs import codec_for, follows_settings
from proxy.wire.values.settings import DEFAULT_SETTINGS

from .analysis import READING, Analysis
from .computation import Call, CellLeaf, GivenLeaf, Operation, Term, TextLeaf
from .lexer import TokenKind
from .operands import Operand, column_operand
from .operators import check_operator
from .parameters import OIDS, TEXT_LIKE
from .plan import ValueSource
from .references import masked
from .scope import Scope
from .tree import Node, strings, unwrap
from .typenames import logical_of

TEXT, INT4 = LogicalType.TEXT, LogicalType.INT4
PLAIN_TEXTS = frozenset({20, 21, 23, 25, 1043})  # what `||` and concat write as the cast to text does
_BY_OID = {own: logical for logical, (own, _) in OIDS.items()}
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_READABLE = frozenset({"int2", "int4", "int8", "numeric", "bool", "uuid", "text", "varchar"})
_SHOWN_AS_TEXT = frozenset({"int2", "int4", "int8", "numeric", "date", "timestamp", "timestamptz", "uuid"})
C_COLLATIONS = frozenset({"C", "POSIX", "ucs_basic"})
UNKNOWN = "?"  # the collation of a plain column


class NotFinished(Exception):
    """The proxy does not work this out."""


@dataclass(frozen=True, slots=True)
class Typed:
    """`unknown`: a constant or parameter whose type its place decides.  `collation`: by COLLATE; '': the database's."""

    term: Term
    logical: LogicalType
    typmod: int = -1
    unknown: bool = False
    collation: str = ""
    follows: bool = False
    type_oid: int = 0  # 0: that of `logical`


@dataclass(slots=True)
class Builder:
    """`cells` and `plain` are what leaves count; the same column counts once."""

    a: Analysis
    scope: Scope
    functions: Callable[[Builder, Node], Typed]
    cells: list[Operand] = field(default_factory=list)
    plain: list[Operand] = field(default_factory=list)
    _parameters: list[tuple[int, int, LogicalType]] = field(default_factory=list)
    _indexes: dict[str, int] = field(default_factory=dict)

    def build(self, node: Node) -> Typed:
        """Of the whole expression: an unknown constant in it is text."""
        made = self.typed(node)
        return self.as_type(made, TEXT) if made.unknown else made

    def typed(self, node: Node) -> Typed:
        kind, body = unwrap(node)
        match kind:
            case "ColumnRef":
                return self._column(node)
            case "A_Const":
                return _constant(body)
            case "ParamRef":
                return self._parameter(body)
            case "TypeCast":
                return self._cast(body)
            case "CollateClause":
                return self._collated(body)
            case "CoalesceExpr":
                return self._coalesce(body)
            case "FuncCall":
                return self.functions(self, body)
            case "A_Expr" if body.get("kind") == "AEXPR_OP" and strings(body["name"])[-1] == "||":
                return self._appended(body)
        raise NotFinished

    def take_parameters(self) -> None:
        """The server gets none of them."""
        for number, location, logical in self._parameters:
            token = self.scope.text.token_at(location, TokenKind.PARAM)
            self.a.parameters.use_sealed(number, self.scope.text, token, logical, array=False)
            self.a.finished_parameters[number] = logical

    # -- leaves --

    def _column(self, node: Node) -> Typed:
        operand = column_operand(self.a, node, self.scope)
        if operand is None or operand.reference.visible is None or operand.reference.visible.merged:
            raise NotFinished
        if operand.cell is None:
            return self._plain_column(operand)
        if self.scope.level.is_key(operand.reference.visible) or operand.origin.released or operand.origin.nulled:
            raise NotFinished
        sealing = operand.cell.sealing
        assert sealing is not None  # noqa: S101 - a cell is sealed
        index = self._index(operand, self.cells)
        follows = follows_settings(sealing.logical_type)
        return Typed(CellLeaf(index, sealing.logical_type), sealing.logical_type, sealing.typmod, follows=follows)

    def _plain_column(self, operand: Operand) -> Typed:
        visible, origin = operand.reference.visible, operand.origin
        assert visible is not None  # noqa: S101 - the caller looks
        relation = visible.source.relation
        column = relation.column(visible.column.inner or visible.column.name) if relation is not None else None
        if column is None or column.type_oid not in PLAIN_TEXTS or not origin.exact or origin.nulled:
            raise NotFinished
        if masked(origin.columns, READING) or origin.released or origin.given is not None:
            raise NotFinished
        leaf = TextLeaf(self._index(operand, self.plain))
        return Typed(leaf, _BY_OID[column.type_oid], column.typmod, collation=UNKNOWN)

    def _index(self, operand: Operand, among: list[Operand]) -> int:
        assert operand.reference.visible is not None  # noqa: S101 - the caller looks
        name = operand.reference.visible.reference
        if name not in self._indexes:
            self._indexes[name] = len(among)
            among.append(operand)
        return self._indexes[name]

    def _parameter(self, body: Node) -> Typed:
        number, declared = body.get("number", 0), self.a.parameters.declared
        oid = declared[number - 1] if 0 < number <= len(declared) else 0
        if oid not in (0, 705) and oid not in _BY_OID:
            raise NotFinished
        logical = _BY_OID.get(oid, TEXT)
        if logical.value not in _READABLE:
            raise NotFinished
        self._parameters.append((number, body.get("location", -1), logical))
        return Typed(GivenLeaf(ValueSource(parameter=number), logical), logical, unknown=logical is TEXT and oid != 25)

    # -- types --

    def as_type(self, made: Typed, logical: LogicalType) -> Typed:
        """Coerced as PostgreSQL does without being asked: what is unknown takes the type, varchar is a text."""
        if made.unknown:
            return self._read_as(made, logical)
        if isinstance(made.term, TextLeaf) and logical not in TEXT_LIKE:
            raise NotFinished
        if made.logical is logical or (made.logical in TEXT_LIKE and logical in TEXT_LIKE):
            return Typed(made.term, logical, -1 if made.logical is not logical else made.typmod,
                         collation=made.collation, follows=made.follows)  # fmt: skip
        raise NotFinished

    def _read_as(self, made: Typed, logical: LogicalType) -> Typed:
        leaf = made.term
        assert isinstance(leaf, GivenLeaf)  # noqa: S101 - nothing else is unknown
        source = leaf.source
        if source.parameter is not None:
            if logical.value not in _READABLE:
                raise NotFinished
            self._parameters = [(n, at, logical if n == source.parameter and known is TEXT else known)
                                for n, at, known in self._parameters]  # fmt: skip
        elif source.constant is not None:
            _check_constant(source.constant, logical)
        return Typed(GivenLeaf(source, logical), logical)

    def text(self, node: Node) -> Typed:
        return self.as_type(self.typed(node), TEXT)

    def whole(self, node: Node) -> Typed:
        """An int4, as a count of characters: an unknown constant would choose another function."""
        made = self.typed(node)
        if made.unknown or made.logical is not INT4 or not isinstance(made.term, GivenLeaf):
            raise NotFinished
        return made

    # -- inner nodes --

    def _cast(self, body: Node) -> Typed:
        found = logical_of(body.get("typeName", {}))
        if found is None or found[1]:
            raise NotFinished
        target, (kind, _) = found[0], unwrap(body.get("arg", {}))
        inner = self.typed(body["arg"])
        if inner.unknown or (inner.logical in TEXT_LIKE and target in TEXT_LIKE):
            made = self.as_type(inner, target)
            return Typed(made.term, target, collation=inner.collation, follows=made.follows)
        if isinstance(inner.term, GivenLeaf):
            raise NotFinished
        if target in TEXT_LIKE and inner.logical.value in _SHOWN_AS_TEXT | {"bool"} and not inner.type_oid:
            if kind == "ColumnRef" and isinstance(inner.term, TextLeaf):
                return Typed(inner.term, target)
            call = Call(Operation.TEXT, (inner.term,), inner.logical)
            return Typed(call, target, follows=inner.follows)
        raise NotFinished

    def _collated(self, body: Node) -> Typed:
        names = strings(body.get("collname", []))
        if names[-1] not in C_COLLATIONS or names[:-1] not in ((), ("pg_catalog",)):
            raise NotFinished
        inner = self.typed(body["arg"])
        inner = self.as_type(inner, TEXT) if inner.unknown else inner
        if inner.logical not in TEXT_LIKE:
            raise NotFinished
        return Typed(inner.term, inner.logical, inner.typmod, collation=names[-1], follows=inner.follows)

    def _coalesce(self, body: Node) -> Typed:
        members = [self.typed(node) for node in body.get("args", [])]
        known = [each for each in members if not each.unknown]
        types = {each.logical for each in known}
        if any(_is_null(each) for each in members) and any(each.typmod != -1 for each in known):
            raise NotFinished  # the server's optimizer drops the NULL, and then tells another length
        if types == TEXT_LIKE:
            target = known[0].logical
        elif len(types) == 1:
            [target] = types
        else:
            target = _wider(types)
        made = [self._widened(each, target) for each in members]
        typmods = {each.typmod for each in made}
        term = Call(Operation.COALESCE, tuple(each.term for each in made), target)
        follows = any(each.follows for each in made)
        return Typed(term, target, typmods.pop() if len(typmods) == 1 else -1, collation=common(made), follows=follows)

    def _widened(self, made: Typed, target: LogicalType) -> Typed:
        """A whole number stands beside a wider type as that."""
        leaf = made.term
        if not made.unknown and made.logical is not target and isinstance(leaf, GivenLeaf) and _widens(made, target):
            return Typed(GivenLeaf(leaf.source, target), target)
        return self.as_type(made, target)

    def _appended(self, body: Node) -> Typed:
        check_operator(self.a, strings(body["name"]), self.scope.text.position(body.get("location", -1)))
        sides = [self.typed(body[side]) for side in ("lexpr", "rexpr") if side in body]
        if len(sides) != 2 or not any(each.logical in TEXT_LIKE and not each.unknown for each in sides):
            raise NotFinished
        terms = tuple(self.shown(each).term for each in sides)
        return Typed(Call(Operation.APPEND, terms), TEXT, collation=common(sides))

    def shown(self, made: Typed) -> Typed:
        """As `||` and concat take it: whole numbers and texts, whose output is their cast to text."""
        if made.unknown or made.logical in TEXT_LIKE:
            return self.as_type(made, TEXT)
        if made.logical.value not in ("int2", "int4", "int8", "numeric", "uuid"):
            raise NotFinished
        if isinstance(made.term, TextLeaf):
            return Typed(made.term, TEXT)
        return Typed(Call(Operation.TEXT, (made.term,), made.logical), TEXT)


def common(members: list[Typed]) -> str:
    """What COLLATE says counts before what columns have."""
    said = {each.collation for each in members if each.collation not in ("", UNKNOWN)}
    if len(said) > 1:
        raise NotFinished
    if said:
        return said.pop()
    return UNKNOWN if any(each.collation for each in members) else ""


def _is_null(made: Typed) -> bool:
    return isinstance(made.term, GivenLeaf) and made.term.source == ValueSource()


def _constant(body: Node) -> Typed:
    if body.get("isnull"):
        return Typed(GivenLeaf(ValueSource(), TEXT), TEXT, unknown=True)
    if "sval" in body:
        return Typed(_given(str(body["sval"].get("sval", "")), TEXT), TEXT, unknown=True)
    if "ival" in body:
        return Typed(_given(str(body["ival"].get("ival", 0)), INT4), INT4)
    if "boolval" in body:
        return Typed(_given("true" if body["boolval"].get("boolval") else "false", LogicalType.BOOL), LogicalType.BOOL)
    raise NotFinished


def _given(text: str, logical: LogicalType) -> GivenLeaf:
    return GivenLeaf(ValueSource(constant=text.encode()), logical)


def _check_constant(constant: bytes, logical: LogicalType) -> None:
    """It reads the same under all settings.  Raises ValueRejected where it is none of the type, as the server would."""
    if logical is LogicalType.DATE:
        if not _ISO_DATE.fullmatch(constant.decode()):
            raise NotFinished
    elif logical.value not in _READABLE:
        raise NotFinished
    codec_for(logical).from_text(constant, -1, DEFAULT_SETTINGS)


def _wider(types: set[LogicalType]) -> LogicalType:
    """Of a whole number that the client wrote and a column."""
    rest = types - {INT4}
    if len(rest) != 1 or not rest <= {LogicalType.INT8, LogicalType.NUMERIC}:
        raise NotFinished
    return rest.pop()


def _widens(made: Typed, target: LogicalType) -> bool:
    return made.logical is INT4 and target in (LogicalType.INT8, LogicalType.NUMERIC)


def unproven(builder: Builder, what: str, why: str, hint: str) -> Unsupported:
    """With the field's name, where there is one by now."""
    operand = builder.cells[0] if builder.cells else None
    name = f" of the sealed column {operand.cell.name}" if operand is not None and operand.cell is not None else ""
    position = operand.reference.position if operand is not None else None
    return Unsupported(f"{what}{name} is not worked out here: {why}", hint=hint, position=position)
