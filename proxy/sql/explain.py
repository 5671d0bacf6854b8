"""EXPLAIN: the statement inside is analysed and rewritten like any other, and must be allowed like any other.

Where the principal may see only some rows, estimates and row counts would tell of the others: refused.
"""

from __future__ import annotations

from dataclasses import replace

from proxy.errors import Unsupported

from .catalog import Relation
from .edits import SqlText
from .forward import forwarded
from .plan import StatementKind, StatementPlan
from .settings import Effect
from .statement import KINDS, Request, plan_touching
from .touch import Findings
from .tree import Node, RawStatement, unwrap
from .utility import runs

_OPENERS = frozenset({"select", "insert", "update", "delete", "with", "values", "table", "merge"})
_WRAPPED = frozenset({"ExecuteStmt", "CreateTableAsStmt", "DeclareCursorStmt", *KINDS})


def explained(request: Request, statement: RawStatement, source: bytes, found: Findings) -> StatementPlan:
    """Raises FieldgateError for what is refused."""
    kind, body = unwrap(statement.body["query"])
    if found.refusal is not None:
        raise found.refusal
    if kind not in _WRAPPED:
        raise Unsupported("EXPLAIN of this statement is refused in a database with protected tables")
    if found.sets:
        raise Unsupported(f"EXPLAIN of set_config of {found.sets[0]} is refused")
    if not found.touches and not found.must_rewrite(request.catalog):
        plan = forwarded(StatementKind.UTILITY, source, returns_rows=True)
        executed = _executed(kind, body)
        return plan if executed is None else replace(plan, effect=executed[0], effect_value=executed[1])
    if kind not in KINDS:
        raise Unsupported("EXPLAIN of this statement over protected tables is not supported")
    for relation in found.protected:
        _check_figures(request, relation)
    inner = RawStatement(kind, body, _inner_start(source), statement.end)
    plan = plan_touching(request, inner, source, found, wrapper=statement)
    return replace(plan, kind=StatementKind.UTILITY, outputs=None, hidden_outputs=0, returns_rows=True)


def _executed(kind: str, body: Node) -> Effect | None:
    """EXPLAIN runs, or at least plans, what EXECUTE names; CREATE TABLE AS may stand in between."""
    if kind == "CreateTableAsStmt":
        kind, body = unwrap(body["query"])
    return runs(body) if kind == "ExecuteStmt" else None


def _check_figures(request: Request, relation: Relation) -> None:
    """What EXPLAIN estimates and counts is about all rows."""
    table = relation.protected
    rights = request.decisions.table_rights(request.principal, table.schema, table.table) if table else None
    if rights is not None and (rights.row_filter is not None or rights.min_group):
        raise Unsupported(f'EXPLAIN over "{relation.name}" is refused: its figures tell of rows you may not see')


def _inner_start(source: bytes) -> int:
    """Where the statement inside begins: the first of its opening words outside the brackets of EXPLAIN's options."""
    tokens, depth = SqlText(source).tokens, 0
    for index in range(1, len(tokens)):
        text = tokens.text(index)
        depth += {b"(": 1, b")": -1}.get(text, 0)
        if tokens.word(index) in _OPENERS and (depth == 0 or tokens.text(index - 1) == b"("):
            return tokens[index].start
    raise Unsupported("the statement inside EXPLAIN can not be located")
