"""COPY ... FROM STDIN into a protected table: which columns are sealed, and the statement that the server gets.

Like INSERT: the verb `insert` on every column that is copied, `filter_eq` too where a unique index would tell whether a
value exists; a column that is left out gets its default.
"""

from __future__ import annotations

from policies.fields import ProtectedTable
from policies.model import Verb
from proxy.errors import FieldgateError, Refused, SqlState, Unsupported
from proxy.wire.copying.options import CopyFormat

from .authorise import Ledger
from .catalog import Column, Relation
from .copy_options import GivenOptions, clause_from, read_options, upstream_rows
from .copy_table import copied_columns, copied_relation, look_inside
from .edits import SqlText, end_index, word_index
from .fragments import HIDDEN_PREFIX, dotted, quoted
from .plan import CopyColumn, CopyFrom, FieldUse, SessionEffect, StatementKind, StatementPlan
from .statement import Request, plan_touching
from .touch import Findings
from .tree import Node, fingerprint, parse_script, shape
from .writes import is_unique


def plan_copy_from(request: Request, body: Node, source: bytes, found: Findings) -> StatementPlan:
    """Raises FieldgateError for what is refused."""
    relation, table = _target(request, body, found)
    ledger = Ledger(request.decisions, request.principal)
    columns = _allowed_columns(ledger, relation, table, body)
    names = [column.name for column in columns]
    given = read_options(body.get("options", []), names, is_from=True, server_version=request.catalog.server_version)
    copy = _described(relation, table, columns, given)
    where, uses, rules = _where(request, relation, body, source)
    listed = ", ".join(quoted(name) for name in names)
    text = f"COPY {dotted(relation.schema, relation.name)} ({listed}) FROM STDIN ({clause_from(given)}){where}"
    _check_text(text)
    return StatementPlan(
        StatementKind.COPY,
        (text.encode(),),
        touches_protected=True,
        uses=tuple(dict.fromkeys((*ledger.uses, *uses))),
        rules=tuple(dict.fromkeys((*ledger.rules, *rules))),
        fingerprint=fingerprint(source.decode()),
        effect=SessionEffect.TAKES_DATA,
        edited=True,
        unsettled=any(field.migrating is not None for field in table.fields.values()),
        copy=copy,
    )


def _target(request: Request, body: Node, found: Findings) -> tuple[Relation, ProtectedTable]:
    relation = copied_relation(request, body)
    if relation.protected is None or relation.has_rules or relation.kind not in ("r", "p"):
        raise Unsupported(
            f'writing through "{relation.schema}.{relation.name}" is not supported: it shows data of protected tables',
            hint="Copy into the table itself.",
        )
    if found.names_hidden:
        raise Refused(
            f"names beginning with {HIDDEN_PREFIX} are not available in statements over protected tables",
            sqlstate=SqlState.UNDEFINED_COLUMN,
        )
    return relation, relation.protected


def _allowed_columns(ledger: Ledger, relation: Relation, table: ProtectedTable, body: Node) -> list[Column]:
    if ledger.table(table).row_filter is not None:
        raise Unsupported(
            f'you may see only some rows of "{relation.name}", so rows can not be added to it',
            hint="Policy must give the insert to a role without a row filter.",
        )
    columns = copied_columns(relation, body)
    if not columns:
        raise Unsupported("COPY of no column is not supported over protected tables")
    for column in columns:
        guarded = ledger.guarded(table, column.name)
        ledger.charge(guarded, Verb.INSERT, None)
        if is_unique(relation, guarded):
            ledger.charge(guarded, Verb.FILTER_EQ, None)
    for column in relation.columns:
        field = table.fields.get(column.name)
        if column not in columns and column.has_default and field is not None and field.sealing is not None:
            raise _unknown_default(column)
    return columns


def _described(relation: Relation, table: ProtectedTable, columns: list[Column], given: GivenOptions) -> CopyFrom:
    sealed = [_sealed(table, column) for column in columns]
    bound = any(c.field is not None and c.field.sealing is not None and c.field.sealing.row_bound for c in sealed)
    names = [column.name for column in columns]
    if bound and table.row_key not in names:
        raise Unsupported(
            f'a sealed column of "{relation.name}" is bound to its row, and the row\'s key is not known here',
            hint=f'Name "{table.row_key}" in the list of columns, and give it in every row.',
        )
    if given.rows.default is not None:
        for column, described in zip(columns, sealed, strict=True):
            if described.field is not None and column.has_default:
                raise _unknown_default(column)
    place = names.index(table.row_key) if bound and table.row_key is not None else None
    return CopyFrom(
        given.rows,
        upstream_rows(given.rows),
        tuple(sealed),
        relation.name,
        place,
        columns[place].type_oid if place is not None else 0,
        given.skips_bad_rows and given.rows.format is not CopyFormat.BINARY,
    )


def _sealed(table: ProtectedTable, column: Column) -> CopyColumn:
    field = table.fields.get(column.name)
    return CopyColumn(column.name, field if field is not None and field.sealing is not None else None)


def _unknown_default(column: Column) -> Unsupported:
    return Unsupported(
        f'the default of the sealed column "{column.name}" is not known to the data map', hint="Send the value itself."
    )


def _where(
    request: Request, relation: Relation, body: Node, source: bytes
) -> tuple[str, tuple[FieldUse, ...], tuple[str, ...]]:
    """WHERE as the client wrote it, if it is a condition over plain columns: as such it needs no rewriting."""
    if "whereClause" not in body:
        return "", (), ()
    text = SqlText(source)
    found = word_index(text, 1, "where")
    if found is None:
        raise Unsupported("WHERE of COPY can not be located exactly")
    start, end = text.tokens[found].start, text.tokens[end_index(text, found + 1)].end
    condition = source[start:end].decode()
    query = f"SELECT 1 FROM {dotted(relation.schema, relation.name)} {condition}".encode()  # noqa: S608 - quoted names
    try:
        [inner] = parse_script(query)
        if shape(inner.body.get("whereClause")) != shape(body["whereClause"]):
            raise Unsupported("WHERE of COPY can not be located exactly")
        plan = plan_touching(request, inner, query, look_inside(request, inner, query))
    except FieldgateError as refusal:
        refusal.position = None  # it counts in a query of ours
        raise
    if plan.rewritten or plan.client_parameters or "SubLink" in str(inner.body):
        raise Unsupported(
            "WHERE of COPY is supported over plain columns only, without subqueries and parameters",
            hint="Copy into a table without protection, or choose the rows beforehand.",
        )
    return f" {condition}", plan.uses, plan.rules


def _check_text(text: str) -> None:
    again = parse_script(text.encode())
    whole = again[0].body if len(again) == 1 and again[0].kind == "CopyStmt" else {}
    if not whole.get("is_from") or "filename" in whole:
        raise Unsupported("this COPY can not be rewritten", hint="Write it in a plainer way.")
