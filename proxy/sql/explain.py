"""EXPLAIN: the statement inside is analysed and rewritten like any other, and must be allowed like any other.

Costs come from the sizes of whole rows and from the number of all rows, which are protected fields (I3).  So who may
read every field of a table sees everything; who may read some sees the shape of the plan (COSTS OFF, nothing measured),
which tells no more than the order of unordered rows does; who sees only some rows or groups sees nothing.
"""

from __future__ import annotations

from dataclasses import replace

from policies.model import Verb
from proxy.errors import Refused, Unsupported

from .catalog import Relation
from .edits import SqlText
from .forward import forwarded
from .named import runs
from .plan import SlotKind, StatementKind, StatementPlan
from .settings import Effect
from .statement import KINDS, Request, plan_touching
from .touch import Findings
from .tree import Node, RawStatement, unwrap

# Options that show nothing but the plan's shape and what the statement itself says.
_SHAPE = frozenset({"verbose", "format", "settings", "generic_plan", "summary", "timing"})
_OFF = frozenset({"off", "false", "0"})
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
    options = _options(statement.body)
    for relation in found.protected:
        for base in (relation.oid, *sorted(relation.reaches)):
            _check_figures(request, request.catalog.relations.get(base, relation), options)
    inner = RawStatement(kind, body, _inner_start(source), statement.end)
    plan = plan_touching(request, inner, source, found, wrapper=statement)
    if "verbose" in options and any(slot.kind is SlotKind.CELL for slot in plan.slots):
        raise Unsupported(
            "EXPLAIN VERBOSE is refused where sealed values are written: it would show the cells",
            hint="Leave VERBOSE out.",
        )
    return replace(
        plan, kind=StatementKind.UTILITY, outputs=None, hidden_outputs=0, sift=None, arranged=None, returns_rows=True
    )


def _executed(kind: str, body: Node) -> Effect | None:
    """EXPLAIN runs, or at least plans, what EXECUTE names; CREATE TABLE AS may stand in between."""
    if kind == "CreateTableAsStmt":
        kind, body = unwrap(body["query"])
    return runs(body) if kind == "ExecuteStmt" else None


def _options(body: Node) -> set[str]:
    """Those that are on.  COSTS is on unless it is said to be off."""
    said = {"costs": True}
    for node in body.get("options", []):
        said[node["DefElem"]["defname"]] = _word(node["DefElem"].get("arg", {})) not in _OFF
    return {name for name, on in said.items() if on}


def _word(argument: Node) -> str:
    """As PostgreSQL's defGetBoolean reads it; an Integer without a value is 0."""
    kind, value = unwrap(argument)
    if kind == "Integer":
        return str(value.get("ival", 0))
    return str(value.get("sval", "true")).lower()


def _check_figures(request: Request, relation: Relation, options: set[str]) -> None:
    """What EXPLAIN estimates, counts and measures is about all rows, and all of each row."""
    table = relation.protected
    if table is None:
        return
    rights = request.decisions.table_rights(request.principal, table.schema, table.table)
    if rights.row_filter is not None or rights.min_group:
        raise Unsupported(f'EXPLAIN over "{relation.name}" is refused: its figures tell of rows you may not see')
    entitled = all(field in rights.fields and rights.fields[field].allows(Verb.READ) for field in table.fields)
    if not entitled and not options <= _SHAPE:
        raise Refused(
            f'EXPLAIN with figures over "{relation.name}" is refused: they tell of fields that you may not read',
            hint="Use EXPLAIN (COSTS OFF), without ANALYZE and what belongs to it.",
        )


def _inner_start(source: bytes) -> int:
    """Where the statement inside begins: the first of its opening words outside the brackets of EXPLAIN's options."""
    tokens, depth = SqlText(source).tokens, 0
    for index in range(1, len(tokens)):
        text = tokens.text(index)
        depth += {b"(": 1, b")": -1}.get(text, 0)
        if tokens.word(index) in _OPENERS and (depth == 0 or tokens.text(index - 1) == b"("):
            return tokens[index].start
    raise Unsupported("the statement inside EXPLAIN can not be located")
