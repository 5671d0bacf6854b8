"""Functions over opened values: which of PostgreSQL's the proxy carries out, for which types.

A handler gets the arguments as they stand.  What has no handler, or does not fit it, is NotFinished: the usual walk
then refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from policies.fields import LogicalType
from proxy.wire.oids import FLOAT8

from .computation import Call, Casing, GivenLeaf, Operation, Term
from .parameters import TEXT_LIKE
from .terms import C_COLLATIONS, INT4, TEXT, Builder, NotFinished, Typed, common, unproven
from .tree import Node, strings

Handler = Callable[[Builder, list[Node]], Typed]

_NOT_PLAIN = ("agg_order", "agg_filter", "agg_star", "agg_distinct", "agg_within_group", "over", "func_variadic")
_LEAST_COUNT = -(2**31) + 1  # -(-2^31) is no int4
_ASCII = Casing(
    {ord(each): each.lower() for each in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    {ord(each): each.upper() for each in "abcdefghijklmnopqrstuvwxyz"},
)
_DAYS = "year month day quarter week dow isodow doy isoyear decade century millennium"
_UNITS = {
    LogicalType.DATE: frozenset(_DAYS.split()),
    LogicalType.TIMESTAMP: frozenset(f"{_DAYS} hour minute".split()),
    LogicalType.TIMESTAMPTZ: frozenset(f"{_DAYS} hour minute".split()),
}
# One word behind the same word would be read as another one (SSSS, DDD).
_PATTERN = re.compile(r"(?:(YYYY|MM|DD|HH24|MI|SS)(?!\1)[-./:, ]?)+")


def called(builder: Builder, body: Node) -> Typed:
    names = strings(body["funcname"])
    handler = _HANDLERS.get(names[-1])
    if handler is None or names[:-1] not in ((), ("pg_catalog",)) or any(key in body for key in _NOT_PLAIN):
        raise NotFinished
    if len(names) == 1 and builder.a.catalog.functions.get(names[0]):
        raise NotFinished  # somebody has made another of that name
    arguments = body.get("args", [])
    if not arguments or any("NamedArgExpr" in each for each in arguments):
        raise NotFinished
    return handler(builder, arguments)


def _subject(builder: Builder, node: Node) -> Typed:
    """The text that a function is about; were it unknown, PostgreSQL might choose the function for another type."""
    made = builder.typed(node)
    if made.unknown or made.logical not in TEXT_LIKE:
        raise NotFinished
    return builder.as_type(made, TEXT)


def _exactly(arguments: list[Node], *counts: int) -> None:
    if len(arguments) not in counts:
        raise NotFinished


def _cased(operation: Operation) -> Handler:
    def handle(builder: Builder, arguments: list[Node]) -> Typed:
        _exactly(arguments, 1)
        made = _subject(builder, arguments[0])
        casing = _ASCII if made.collation in C_COLLATIONS else builder.a.catalog.casing if not made.collation else None
        if casing is None:
            raise unproven(
                builder, f"{operation.value}()", "what this collation makes of letters is not known",
                'Write COLLATE "C" behind its argument if only the letters A to Z count, or make it so in'
                " the application.",
            )  # fmt: skip
        return Typed(Call(operation, (made.term,), casing=casing), TEXT, collation=made.collation)

    return handle


def _length(operation: Operation, *, bytes_too: bool) -> Handler:
    def handle(builder: Builder, arguments: list[Node]) -> Typed:
        _exactly(arguments, 1)
        made = builder.typed(arguments[0])
        if made.unknown or made.logical not in (*TEXT_LIKE, *[LogicalType.BYTEA] * bytes_too):
            raise NotFinished
        return Typed(Call(operation, (made.term,), made.logical), INT4)

    return handle


def _texts(operation: Operation, *counts: int, result: LogicalType = TEXT) -> Handler:
    """All arguments are texts, the first is known to be one."""

    def handle(builder: Builder, arguments: list[Node]) -> Typed:
        _exactly(arguments, *counts)
        made = [_subject(builder, arguments[0]), *(builder.text(each) for each in arguments[1:])]
        return Typed(_call(operation, made), result, collation=common(made) if result is TEXT else "")

    return handle


def _call(operation: Operation, made: list[Typed]) -> Term:
    return Call(operation, tuple(each.term for each in made))


def _part(builder: Builder, arguments: list[Node]) -> Typed:
    """substr and substring, by numbers."""
    _exactly(arguments, 2, 3)
    made = [_subject(builder, arguments[0]), builder.whole(arguments[1])]
    if len(arguments) == 3:
        made.append(_at_least(builder.whole(arguments[2]), 0))
    return Typed(_call(Operation.SUBSTR, made), TEXT, collation=made[0].collation)


def _end(operation: Operation) -> Handler:
    """left and right: there is one function of the name, so an unknown parameter is an integer, too."""

    def handle(builder: Builder, arguments: list[Node]) -> Typed:
        _exactly(arguments, 2)
        text, count = builder.text(arguments[0]), builder.typed(arguments[1])
        count = builder.as_type(count, INT4)
        if not isinstance(count.term, GivenLeaf):
            raise NotFinished
        count = _at_least(count, _LEAST_COUNT)
        return Typed(Call(operation, (text.term, count.term)), TEXT, collation=text.collation)

    return handle


def _at_least(made: Typed, least: int) -> Typed:
    leaf = made.term
    if not isinstance(leaf, GivenLeaf):
        raise NotFinished
    if leaf.source.constant is not None and int(leaf.source.constant) < least:
        raise NotFinished
    return replace(made, term=replace(leaf, least=least))


def _joined(builder: Builder, arguments: list[Node]) -> Typed:
    made = [builder.shown(builder.typed(each)) for each in arguments]
    return Typed(_call(Operation.CONCAT, made), TEXT, collation=common(made))


def _joined_with(builder: Builder, arguments: list[Node]) -> Typed:
    made = [builder.text(arguments[0]), *(builder.shown(builder.typed(each)) for each in arguments[1:])]
    if len(made) < 2:
        raise NotFinished
    return Typed(_call(Operation.CONCAT_WS, made), TEXT, collation=common(made))


def _extracted(builder: Builder, arguments: list[Node]) -> Typed:
    if builder.a.catalog.server_version < 140000:
        raise NotFinished
    return _extract(builder, arguments)


def _date_part(builder: Builder, arguments: list[Node]) -> Typed:
    """As double precision; a date becomes a timestamp first."""
    made = _extract(builder, arguments)
    call = made.term
    assert isinstance(call, Call)  # noqa: S101 - as it was made
    through = LogicalType.TIMESTAMP if call.taken is LogicalType.DATE else call.taken
    inner = Call(Operation.MOMENT, call.arguments, call.taken) if through is not call.taken else call.arguments[0]
    return replace(made, term=replace(call, arguments=(inner,), taken=through), type_oid=FLOAT8)


def _extract(builder: Builder, arguments: list[Node]) -> Typed:
    _exactly(arguments, 2)
    unit, moment = _word(arguments[0]).lower(), builder.typed(arguments[1])
    if unit not in _UNITS.get(moment.logical, ()):
        raise NotFinished
    return Typed(
        Call(Operation.EXTRACT, (moment.term,), moment.logical, unit), LogicalType.NUMERIC, follows=moment.follows
    )


def _to_char(builder: Builder, arguments: list[Node]) -> Typed:
    _exactly(arguments, 2)
    pattern, moment = _word(arguments[1]), builder.typed(arguments[0])
    if moment.logical not in _UNITS or not _PATTERN.fullmatch(pattern):
        raise NotFinished
    return Typed(Call(Operation.TO_CHAR, (moment.term,), moment.logical, pattern), TEXT, follows=moment.follows)


def _word(node: Node) -> str:
    constant = node.get("A_Const", {})
    if "sval" not in constant:
        raise NotFinished
    return str(constant["sval"].get("sval", ""))


_HANDLERS: dict[str, Handler] = {
    "lower": _cased(Operation.LOWER),
    "upper": _cased(Operation.UPPER),
    "length": _length(Operation.LENGTH, bytes_too=True),
    "char_length": _length(Operation.LENGTH, bytes_too=False),
    "character_length": _length(Operation.LENGTH, bytes_too=False),
    "octet_length": _length(Operation.OCTET_LENGTH, bytes_too=True),
    "bit_length": _length(Operation.BIT_LENGTH, bytes_too=True),
    "substr": _part,
    "substring": _part,
    "left": _end(Operation.LEFT),
    "right": _end(Operation.RIGHT),
    "btrim": _texts(Operation.BTRIM, 1, 2),
    "ltrim": _texts(Operation.LTRIM, 1, 2),
    "rtrim": _texts(Operation.RTRIM, 1, 2),
    "replace": _texts(Operation.REPLACE, 3),
    "reverse": _texts(Operation.REVERSE, 1),
    "strpos": _texts(Operation.STRPOS, 2, result=INT4),
    "position": _texts(Operation.STRPOS, 2, result=INT4),
    "concat": _joined,
    "concat_ws": _joined_with,
    "extract": _extracted,
    "date_part": _date_part,
    "to_char": _to_char,
}
