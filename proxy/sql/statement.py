"""One statement that touches protected data: resolve, authorise, rewrite, and check what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from policies.engine import DecisionTable
from policies.model import Principal
from proxy.errors import Refused, SqlState, Unsupported

from .analysis import Analysis, Item, QueryRole
from .authorise import Ledger
from .catalog import Catalog
from .crosscheck import check_agreement
from .edits import SqlText
from .expressions import walk as walk_expression
from .fences import check_fences
from .forms import guard, guarded, migrating
from .fragments import HIDDEN_PREFIX
from .given import seal_given, settle
from .inserts import walk_insert
from .locking import Locked
from .merges import walk_merge
from .outputs import output_columns
from .parameters import Parameters
from .plan import Locks, Slot, SlotKind, StatementKind, StatementPlan
from .scope import Scope
from .searches import refuse_volatile, sift_of
from .selects import run_query
from .system_catalogs import show_catalogs
from .touch import WRITES, Findings, look
from .tree import Node, RawStatement, fingerprint, nodes, parse_script
from .updates import walk_delete, walk_update
from .verify import check_rewritten

KINDS = {
    "SelectStmt": StatementKind.SELECT,
    "InsertStmt": StatementKind.INSERT,
    "UpdateStmt": StatementKind.UPDATE,
    "DeleteStmt": StatementKind.DELETE,
    "MergeStmt": StatementKind.MERGE,
}
_WRITERS = {
    "InsertStmt": walk_insert,
    "UpdateStmt": walk_update,
    "DeleteStmt": walk_delete,
    "MergeStmt": walk_merge,
}


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that gives one statement its meaning."""

    catalog: Catalog
    decisions: DecisionTable
    principal: Principal
    search_path: tuple[str, ...] | None
    declared: tuple[int, ...] = ()
    scripted: bool = False  # one of several statements: what stands before it may change search_path


_GUARDED = frozenset({"ExplainStmt", "DeclareCursorStmt", *KINDS})

WalkStatement = Callable[[Analysis, str, Node, SqlText], list[Item]]


def plan_touching(
    request: Request,
    statement: RawStatement,
    source: bytes,
    found: Findings,
    wrapper: RawStatement | None = None,
    *,
    copied: bool = False,
    walk: WalkStatement | None = None,
    lock_keys: tuple[str, ...] = (),
) -> StatementPlan:
    """`wrapper`: the EXPLAIN around the statement; `copied`: it stands in a COPY; `walk`: who analyses it otherwise.

    Raises FieldgateError for what is refused.
    """
    if found.refusal is not None:
        raise found.refusal
    _check_names(request, found)
    text = SqlText(source)
    whole = wrapper or statement
    show_catalogs(request.catalog, whole.kind, whole.body, found, text)
    a = _analysis(request)
    a.copied = copied
    straight = not copied and walk is None
    a.lockable, a.lock_keys = straight and wrapper is None, lock_keys
    a.finishable = straight and (wrapper is None or wrapper.kind == "ExplainStmt")
    a.searchable = a.finishable or (straight and wrapper is not None and wrapper.kind == "DeclareCursorStmt")
    items = (walk or _walk)(a, statement.kind, statement.body, text)
    settle(a)
    a.charge_pending()
    check_fences(a)
    plan = _finish(a, statement, text, items, whole)
    return plan if a.locked is None else replace(plan, locks=_locks(request, a, a.locked))


def _locks(request: Request, a: Analysis, locked: Locked) -> Locks:
    """The SELECT that is said before an UPDATE or DELETE.  Parameters keep their numbers."""
    refuse_volatile(a)
    source = locked.select
    [select] = parse_script(source)
    found = look(request.catalog, select.kind, select.body, request.search_path, scripted=request.scripted)
    plan = plan_touching(request, select, source, found, lock_keys=locked.references)
    used = {node["number"] for kind, node in nodes(select.body) if kind == "ParamRef"}
    slots = tuple(slot if _is_used(slot, used) else Slot(SlotKind.UNUSED) for slot in plan.slots)
    return Locks(replace(plan, slots=slots), locked.key)


def _is_used(slot: Slot, used: set[int]) -> bool:
    return all(source.parameter is None or source.parameter in used for source in slot.sources)


def _check_names(request: Request, found: Findings) -> None:
    if found.names_hidden:
        raise Refused(
            f"names beginning with {HIDDEN_PREFIX} are not available in statements over protected tables",
            sqlstate=SqlState.UNDEFINED_COLUMN,
        )
    path = request.search_path or ()
    if "pg_catalog" in path and path.index("pg_catalog") > 0:
        raise Unsupported(
            "with pg_catalog behind other schemas in search_path PostgreSQL's own functions are not certain",
            hint="Put pg_catalog first in search_path, or leave it out.",
        )


def _analysis(request: Request) -> Analysis:
    return Analysis(
        request.catalog,
        Ledger(request.decisions, request.principal),
        Parameters(request.declared),
        request.search_path,
        walk=walk_expression,
        query=run_query,
        write=run_write,
        seal_given=seal_given,
    )


def run_write(a: Analysis, kind: str, body: Node, outer: Scope, role: QueryRole) -> list[Item]:
    """The RunWrite of Analysis."""
    return _WRITERS[kind](a, body, outer, role)


def _walk(a: Analysis, kind: str, body: Node, text: SqlText) -> list[Item]:
    if kind == "SelectStmt":
        return run_query(a, body, Scope(text), QueryRole.TOP)
    return run_write(a, kind, body, Scope(text), QueryRole.TOP)


def _finish(
    a: Analysis, statement: RawStatement, text: SqlText, items: list[Item], whole: RawStatement
) -> StatementPlan:
    flat = nodes(whole.body)
    a.parameters.check_complete(flat)
    a.parameters.type_plain_uses()
    rendered = text.render()
    check_agreement(flat, text, statement.start, rendered)
    if text.edits:
        check_rewritten(a.catalog, whole.kind, flat, rendered, frozenset(a.analysed))
    proof = guard(a.catalog, a.analysed) if whole.kind in _GUARDED else None
    edited = bool(text.edits) or proof is not None
    segments, slots = a.parameters.number(rendered.segments) if edited else ((text.source,), ())
    if proof is not None:
        segments = guarded(segments, statement.start, proof)
    returns = statement.kind == "SelectStmt" or bool(statement.body.get("returningList"))
    return StatementPlan(
        KINDS.get(statement.kind, StatementKind.UTILITY),
        segments,
        slots,
        client_parameters=a.parameters.count,
        parameter_types=a.parameters.described(),
        outputs=output_columns(items) if returns else None,
        hidden_outputs=a.hidden,
        sift=sift_of(a),
        arranged=a.finishing.arranged if a.finishing is not None else None,
        returns_rows=returns,
        touches_protected=a.touched,
        uses=tuple(a.ledger.uses),
        rules=tuple(a.ledger.rules),
        parts=tuple(a.parts.items()),
        fingerprint=fingerprint(text.source.decode()),
        edited=edited,
        unsettled=bool(migrating(a.catalog, a.analysed)),
        writes=any(kind in WRITES for kind in (statement.kind, *(kind for kind, _ in flat))),
        draws=tuple(a.draws),
    )
