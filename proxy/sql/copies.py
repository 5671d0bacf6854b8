"""COPY of protected data, both ways: TO STDOUT as the role's own SELECT, FROM STDIN with every value sealed on its way.

The server never gets the client's COPY.  Out, it copies the equivalent SELECT, analysed and rewritten like any other;
in, it gets a statement of ours that names table and columns, and rows that `proxy.rows.copy_in` has made.
"""

from __future__ import annotations

from collections.abc import Sequence

from proxy.errors import FieldgateError, Refused, SqlState, Unsupported

from .copy_from import plan_copy_from
from .copy_options import clause_to, read_options
from .copy_table import copied_columns, copied_relation, look_inside
from .edits import STANDIN, SqlText, closing_index
from .fragments import dotted, quoted
from .plan import CopyTo, OutputAction, OutputColumn, SlotKind, StatementKind, StatementPlan
from .statement import Request, plan_touching
from .touch import Findings
from .tree import Node, RawStatement, fingerprint, parse_script, shape, unwrap
from .verdicts import refuse_files, spoken

_NOT_COPIED = {"v": "view", "p": "partitioned table", "f": "foreign table", "S": "sequence", "m": "materialized view"}


def plan_copy(request: Request, statement: RawStatement, source: bytes, found: Findings) -> StatementPlan:
    """Raises FieldgateError for what is refused."""
    body = statement.body
    refuse_files(body)
    if found.refusal is not None:
        raise found.refusal
    if body.get("is_from"):
        return plan_copy_from(request, body, source, found)
    if "query" in body:
        return _copy_query(request, body, source)
    return _copy_table(request, body, source)


def _copy_query(request: Request, body: Node, source: bytes) -> StatementPlan:
    kind, _ = unwrap(body["query"])
    if kind != "SelectStmt":
        raise Unsupported(
            f"COPY of {spoken(kind)} is not supported over protected tables",
            hint="Run the statement by itself, with RETURNING.",
        )
    text = SqlText(source)
    first = next((n for n in range(len(text.tokens)) if text.tokens.text(n) != b";"), 0)  # behind empty statements
    opening = first + 1
    if text.tokens.word(first) != "copy" or text.tokens.text(opening) != b"(":
        raise Unsupported("the query of COPY can not be located exactly")
    start, end = text.tokens[opening].end, text.tokens[closing_index(text, opening)].start
    try:
        return _wrapped(request, body, source[start:end], body["query"], source)
    except FieldgateError as refusal:
        if refusal.position is not None:
            refusal.position += len(source[:start].decode())
        raise


def _copy_table(request: Request, body: Node, source: bytes) -> StatementPlan:
    relation = copied_relation(request, body)
    if relation.kind != "r":
        raise Refused(
            f'cannot copy from {_NOT_COPIED.get(relation.kind, "this kind of relation")} "{relation.name}"',
            sqlstate=SqlState.WRONG_OBJECT_TYPE,
            hint="Try the COPY (SELECT ...) TO variant.",
        )
    columns = ", ".join(quoted(column.name) for column in copied_columns(relation, body))
    query = f"SELECT {columns} FROM ONLY {dotted(relation.schema, relation.name)}".encode()  # noqa: S608 - quoted names
    try:
        return _wrapped(request, body, query, None, source)
    except FieldgateError as refusal:
        refusal.position = None  # the client did not write this query
        if "attlist" not in body and refusal.hint is None and refusal.sqlstate is SqlState.INSUFFICIENT_PRIVILEGE:
            refusal.hint = "Name the columns that you need: COPY table (column, ...) TO STDOUT."
        raise


def _wrapped(request: Request, body: Node, query: bytes, tree: Node | None, source: bytes) -> StatementPlan:
    """The plan of `query` inside a COPY of ours.  `tree`: what the grammar has made of it in the client's statement."""
    [inner] = parse_script(query)
    if tree is not None and shape({inner.kind: inner.body}) != shape(tree):
        raise Unsupported("the query of COPY can not be located exactly")
    plan = plan_touching(request, inner, query, look_inside(request, inner, query), copied=True)
    columns = plan.outputs or ()
    _refuse_values(plan)
    given = read_options(
        body.get("options", []),
        [column.name for column in columns],
        is_from=False,
        server_version=request.catalog.server_version,
    )
    tail = f") TO STDOUT ({clause_to(given, [column.name for column in columns])})"
    segments = _joined(b"COPY (", plan.segments, tail.encode())
    _check_wrapped(segments)
    return StatementPlan(
        StatementKind.COPY,
        segments,
        plan.slots,
        touches_protected=True,
        uses=plan.uses,
        rules=plan.rules,
        fingerprint=fingerprint(source.decode()),
        writes=plan.writes,
        edited=True,
        unsettled=plan.unsettled,
        copy=CopyTo(given.rows, columns, plan.hidden_outputs, _row_key_types(request, columns)),
    )


def _row_key_types(request: Request, columns: Sequence[OutputColumn]) -> tuple[tuple[int, int], ...]:
    """COPY describes no column, so what a key's type is must be known here."""
    found: list[tuple[int, int]] = []
    for index, column in enumerate(columns):
        if column.action is not OutputAction.OPEN or column.field is None or column.row_key_output is None:
            continue
        relation = request.catalog.by_name.get((column.field.schema, column.field.table))
        key = relation.protected.row_key if relation is not None and relation.protected is not None else None
        described = relation.column(key) if relation is not None and key is not None else None
        if described is None:
            raise Unsupported("the key that a sealed column is bound to is not known")
        found.append((index, described.type_oid))
    return tuple(found)


def _refuse_values(plan: StatementPlan) -> None:
    if plan.client_parameters:
        raise Refused("there is no parameter $1: COPY takes none", sqlstate=SqlState.UNDEFINED_PARAMETER)
    if any(slot.kind is SlotKind.CELL for slot in plan.slots) or plan.draws:
        raise Unsupported(
            "COPY of a query that writes sealed columns is not supported",
            hint="Run the statement by itself, with RETURNING.",
        )


def _joined(head: bytes, segments: Sequence[bytes | int], tail: bytes) -> tuple[bytes | int, ...]:
    joined: list[bytes | int] = []
    for segment in (head, *segments, tail):
        if joined and isinstance(segment, bytes) and isinstance(joined[-1], bytes):
            joined[-1] += segment
        else:
            joined.append(segment)
    return tuple(joined)


def _check_wrapped(segments: Sequence[bytes | int]) -> None:
    """What was put together is one COPY of one query to the client (I5)."""
    again = parse_script(b"".join(s if isinstance(s, bytes) else STANDIN for s in segments))
    whole = again[0].body if len(again) == 1 and again[0].kind == "CopyStmt" else {}
    if unwrap(whole.get("query", {}))[0] != "SelectStmt" or whole.get("is_from") or "filename" in whole:
        raise Unsupported("the query of COPY can not be taken into another COPY", hint="Write it in a plainer way.")
