"""PREPARE, DECLARE, EXECUTE, FETCH, MOVE and CLOSE: statements that keep another one under a name, or run one by name.

What is kept is planned here, as it would be by itself; what a name stands for only the session knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from proxy.errors import FieldgateError, Refused, SqlState, Unsupported
from proxy.wire.oids import INT2, INT4, INT8
from proxy.wire.values.codecs import accepts_source
from proxy.wire.values.ordering import COMPARABLE

from .arguments import read_arguments, without_places
from .edits import SqlText, closing_index
from .forward import forwarded
from .fragments import quoted
from .parameters import OIDS
from .plan import Fetch, Kept, SessionEffect, Slot, SlotKind, StatementKind, StatementPlan
from .settings import Effect
from .statement import Request, plan_touching
from .touch import Findings
from .tree import Node, RawStatement, parse_script, unwrap
from .typenames import logical_of

Decide = Callable[[Request, RawStatement, bytes], StatementPlan]

_HOLD = 0x20  # CURSOR_OPT_HOLD
_OWN_NAMES = "fieldgate "  # those of the session's own statements and portals
_BINARY = 0x01  # CURSOR_OPT_BINARY
_ALL = (1 << 63) - 1  # FETCH_ALL
_WHOLE = frozenset({INT2, INT4, INT8})
_ARRAY_ELEMENTS = {array: element for element, array in OIDS.values()}


def prepared(
    request: Request, statement: RawStatement, source: bytes, found: Findings, decide: Decide
) -> StatementPlan:
    """PREPARE.  Raises FieldgateError for what is refused.  Constants become parameters, sealed at each EXECUTE."""
    _check_name(statement.body.get("name", ""))
    text = SqlText(source)
    types, start = _prepared_parts(text)
    inner = source[start : statement.end]
    alone = _alone(inner, statement.body["query"])
    declared = tuple(_oid(node["TypeName"]) for node in statement.body.get("argtypes", []))
    try:
        kept = decide(replace(request, declared=declared, scripted=True), alone, inner)
    except FieldgateError as refusal:
        if refusal.position is not None:
            refusal.position += len(source[:start].decode())
        raise
    if found.refusal is not None:  # of the types that it declares
        raise found.refusal
    if kept.locks is not None:
        raise Unsupported(
            "PREPARE of an UPDATE or DELETE by a search of a sealed column is not supported",
            hint="Use the prepared statements of your driver, or write the rows by their keys.",
        )
    if kept.arranged is not None or kept.computations:
        raise Unsupported(
            "PREPARE of an expression over a sealed column, or of ORDER BY, DISTINCT, min or max of one is not"
            " supported",
            hint="Use the prepared statements of your driver.",
        )
    _check_types(kept, statement.body.get("argtypes", []), declared)
    upstream = _prepared_text(statement, types, kept) if kept.rewritten else source
    return StatementPlan(
        StatementKind.UTILITY,
        (upstream,),
        touches_protected=kept.touches_protected,
        effect=SessionEffect.PREPARES,
        effect_value=statement.body.get("name", ""),
        fingerprint=kept.fingerprint,
        edited=kept.rewritten,
        keeps=Kept(kept, inner.decode(), declared),
    )


def _check_name(name: str) -> None:
    if name.startswith(_OWN_NAMES):
        raise Refused(f'names that begin with "{_OWN_NAMES}" are reserved', sqlstate=SqlState.RESERVED_NAME)


def _prepared_parts(text: SqlText) -> tuple[list[bytes], int]:
    """The type names as they are written, and where the statement inside begins."""
    tokens = text.tokens
    index = next(i for i in range(2, len(tokens)) if tokens.text(i) == b"(" or tokens.word(i) == "as")
    types: list[bytes] = []
    if tokens.text(index) == b"(":
        closing = closing_index(text, index)
        first = index + 1
        while first <= closing:
            last = _last_of_item(text, first, closing)
            types.append(text.source[tokens[first].start : tokens[last].end])
            first = last + 2
        index = closing + 1
    if tokens.word(index) != "as" or index + 1 >= len(tokens):
        raise _not_located()
    return types, tokens[index + 1].start


def _last_of_item(text: SqlText, first: int, closing: int) -> int:
    index = first
    while index < closing and text.tokens.text(index) != b",":
        index = closing_index(text, index) + 1 if text.tokens.text(index) in (b"(", b"[") else index + 1
    return index - 1


def _alone(inner: bytes, query: Node) -> RawStatement:
    """The statement inside, parsed by itself, so that its places count from its own beginning."""
    found = parse_script(inner)
    if len(found) != 1 or without_places({found[0].kind: found[0].body}) != without_places(query):
        raise _not_located()
    return found[0]


def _not_located() -> Unsupported:
    return Unsupported("the statement inside can not be located exactly", hint="Write it more simply.")


def _oid(type_name: Node) -> int:
    """0: a type that no sealed field has; `_check_types` then sees to it that none meets it."""
    found = logical_of(type_name, modified=True)  # PREPARE takes no notice of modifiers
    return 0 if found is None else OIDS[found[0]][found[1]]


def _check_types(kept: StatementPlan, types: list[Node], declared: tuple[int, ...]) -> None:
    """A parameter that meets a sealed field has a type whose values can be told exactly."""
    for slot in kept.slots:
        for number in {source.parameter for source in slot.sources if source.parameter is not None}:
            if slot.kind is SlotKind.PLAIN or number > len(types):
                continue
            if not _fits(slot, declared[number - 1], types[number - 1]["TypeName"]):
                raise _other_type(number, slot)


def _other_type(number: int, slot: Slot) -> Unsupported:
    if slot.field is None:
        return Unsupported(
            f"parameter ${number} is declared with a type that can not be used here",
            hint="Declare it as bigint, or leave the types out.",
        )
    return Unsupported(
        f'parameter ${number} is declared with a type that can not be used for the sealed column "{slot.field.name}"',
        hint="Declare it with the column's own type, or leave the types out.",
    )


def _fits(slot: Slot, oid: int, type_name: Node) -> bool:
    if not oid:
        return bool(_is_unknown(type_name))
    if slot.kind is SlotKind.COUNT:
        return oid in _WHOLE
    if slot.kind is SlotKind.END:  # the slot of its column's tokens says for what it is used
        return True
    element = _ARRAY_ELEMENTS.get(oid)
    sealing = slot.field.sealing if slot.field is not None else None
    if sealing is None or (element is not None) is not slot.array:
        return False
    if slot.bounds:
        return any(oid == OIDS[logical][0] for logical in COMPARABLE[sealing.logical_type])
    return accepts_source(sealing.logical_type, element or oid)


def _is_unknown(type_name: Node) -> bool:
    names = [node["String"].get("sval", "") for node in type_name.get("names", [])]
    return names in (["unknown"], ["pg_catalog", "unknown"]) and not type_name.get("arrayBounds")


def _prepared_text(statement: RawStatement, types: list[bytes], kept: StatementPlan) -> bytes:
    """PREPARE with the statement's physical parameters, parsed again before it is sent (I5).

    Without slots its parameters, if there are any, are the client's own.
    """
    name = quoted(statement.body.get("name", ""))
    listed = [_physical_type(slot, types) for slot in kept.slots] if kept.slots else types
    rewritten = b"".join(part if isinstance(part, bytes) else b"$%d" % (part + 1) for part in kept.segments)
    opening = f"PREPARE {name} ".encode() + (b"(" + b", ".join(listed) + b") " if listed else b"")
    made = opening + b"AS " + rewritten
    again = parse_script(made)
    if len(again) != 1 or again[0].kind != "PrepareStmt" or len(again[0].body.get("argtypes", [])) != len(listed):
        raise _not_located()
    _alone(rewritten, again[0].body["query"])
    return made


def _physical_type(slot: Slot, types: list[bytes]) -> bytes:
    """What the client declared, where its value is passed on; elsewhere a cast stands behind the parameter."""
    number = slot.source.parameter if slot.source is not None else None
    if slot.kind is SlotKind.PLAIN and number is not None and number <= len(types):
        return types[number - 1]
    return b"pg_catalog.unknown"


def declared_cursor(request: Request, statement: RawStatement, source: bytes, found: Findings) -> StatementPlan:
    """DECLARE.  Raises FieldgateError for what is refused."""
    if found.refusal is not None:
        raise found.refusal
    if found.sets:
        raise Unsupported(f"set_config of {found.sets[0]} is supported in a SELECT of its own only", hint="Use SET.")
    _check_name(statement.body["portalname"])
    kind, body = unwrap(statement.body["query"])
    if found.touches or found.must_rewrite(request.catalog):
        inner = RawStatement(kind, body, _query_start(source), statement.end)
        plan = plan_touching(request, inner, source, found, wrapper=statement)
        rows = replace(plan, segments=(), slots=(), client_parameters=0, parameter_types=(), edited=False)
    else:
        plan = forwarded(StatementKind.SELECT, source, returns_rows=True)
        rows = replace(plan, segments=())
    options = statement.body.get("options", 0)
    held, binary = bool(options & _HOLD), bool(options & _BINARY)
    return replace(
        plan,
        sift=None,
        kind=StatementKind.UTILITY,
        outputs=None,
        hidden_outputs=0,
        returns_rows=False,
        effect=SessionEffect.DECLARES,
        effect_value=statement.body["portalname"],
        keeps=Kept(rows, source.decode(), request.declared, held, binary),
    )


def _query_start(source: bytes) -> int:
    """DECLARE name ... CURSOR ... FOR: the name may be the word `cursor` itself."""
    tokens = SqlText(source).tokens
    words = [tokens.word(index) for index in range(len(tokens))]
    try:
        return tokens[words.index("for", words.index("cursor", 2)) + 1].start
    except (ValueError, IndexError):
        raise _not_located() from None


def runs_statement(request: Request, statement: RawStatement, source: bytes, found: Findings) -> StatementPlan:
    """EXECUTE.  Its arguments may do what a SELECT over nothing protected may do."""
    _check_harmless(request, found)
    return _named(source, runs(statement.body), returns_rows=True, arguments=read_arguments(statement, source))


def runs_portal(request: Request, statement: RawStatement, source: bytes, found: Findings) -> StatementPlan:
    """FETCH and MOVE."""
    moves = bool(statement.body.get("ismove"))
    return _named(source, runs(statement.body), returns_rows=not moves, fetch=_forward(statement.body, moves=moves))


def _forward(body: Node, *, moves: bool) -> Fetch | None:
    count = body.get("howMany", 0)
    if body.get("direction") != "FETCH_FORWARD" or count <= 0:
        return None
    return Fetch(0 if count == _ALL else count, moves)


def closes(request: Request, statement: RawStatement, source: bytes, found: Findings) -> StatementPlan:
    return _named(source, (SessionEffect.CLOSES, statement.body.get("portalname")))


def _check_harmless(request: Request, found: Findings) -> None:
    if found.refusal is not None:
        raise found.refusal
    if found.touches:
        raise Unsupported("cannot use subquery in EXECUTE parameter")  # as the server would say
    if found.sets or found.must_rewrite(request.catalog):
        raise Unsupported("this argument of EXECUTE is not supported", hint="Work its value out first.")


def _named(source: bytes, effect: Effect, **more: object) -> StatementPlan:
    plan = forwarded(StatementKind.UTILITY, source)
    return replace(plan, effect=effect[0], effect_value=effect[1], **more)  # type: ignore[arg-type]


def runs(body: Node) -> Effect:
    """What EXECUTE, FETCH or MOVE names."""
    if "portalname" in body:
        return SessionEffect.RUNS_PORTAL, body["portalname"]
    return SessionEffect.RUNS_STATEMENT, body.get("name", "")


NAMED: dict[str, Callable[[Request, RawStatement, bytes, Findings], StatementPlan]] = {
    "DeclareCursorStmt": declared_cursor,
    "ExecuteStmt": runs_statement,
    "FetchStmt": runs_portal,
    "ClosePortalStmt": closes,
}
