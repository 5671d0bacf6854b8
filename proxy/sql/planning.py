"""Text in, finished plan out: the decisions that come before any analysis, and what to do when it fails.

Contract: nothing raises; whatever goes wrong in planning is a plan with a refusal, never a statement passed on (I4).
"""

from __future__ import annotations

from dataclasses import replace

from proxy.errors import FieldgateError, Refused, SqlState, Unsupported

from .authorise import UseRefused
from .copies import plan_copy
from .definitions import refuse_shadowing, refuse_temporary_shadow
from .edits import SqlText
from .explain import explained
from .forward import forwarded
from .locks import check_lock
from .named import NAMED, prepared
from .outline import outline, reason
from .plan import ScriptPlan, SessionEffect, StatementKind, StatementPlan
from .planner import PlanContext
from .settings import effect_of_function
from .side_doors import declared_types
from .statement import KINDS, Request, plan_touching
from .stored import plan_stored, stores
from .system_catalogs import show_catalogs, with_catalogs
from .touch import Findings, look
from .tree import RawStatement, fingerprint, parse_script
from .utility import plan_utility


def plan_single(text: str, declared: tuple[int, ...], context: PlanContext) -> StatementPlan:
    if not context.catalog.has_protected:
        return forwarded(StatementKind.UTILITY, text.encode(errors="surrogateescape"))
    try:
        source = text.encode()
        statements = parse_script(source)
        if len(statements) > 1:
            raise Refused("cannot insert multiple commands into a prepared statement", sqlstate=SqlState.SYNTAX_ERROR)
    except (FieldgateError, ValueError, RecursionError) as error:
        return refused(_as_refusal(error))
    if not statements:
        return forwarded(StatementKind.EMPTY, source)
    return _plan(statements[0], source, declared, context)


def plan_all(text: str, context: PlanContext) -> ScriptPlan:
    if not context.catalog.has_protected:
        return ScriptPlan((forwarded(StatementKind.UTILITY, text.encode(errors="surrogateescape")),), unchanged=True)
    try:
        source = text.encode()
        statements = parse_script(source)
    except (FieldgateError, ValueError, RecursionError) as error:
        return ScriptPlan((refused(_as_refusal(error)),), unchanged=False)
    if len(statements) == 1:
        plans = [_plan(statements[0], source, (), context)]
    else:
        plans = [_member(statement, source, context) for statement in statements]
    return ScriptPlan(tuple(plans), unchanged=all(_as_it_is(plan) for plan in plans))


def _as_it_is(plan: StatementPlan) -> bool:
    """The server may see the client's own text."""
    return plan.refusal is None and not plan.rewritten and plan.effect is not SessionEffect.FIELDGATE


def _member(statement: RawStatement, source: bytes, context: PlanContext) -> StatementPlan:
    """One statement of several: parsed again by itself, so that its places count from its own beginning."""
    own = source[statement.start : statement.end]
    try:
        [alone] = parse_script(own)
    except (FieldgateError, ValueError, RecursionError) as error:
        return refused(_as_refusal(error))
    plan = _plan(alone, own, (), context, scripted=True)
    if plan.refusal is not None and plan.refusal.position is not None:
        plan.refusal.position += len(source[: statement.start].decode())
    return plan


def _plan(
    statement: RawStatement, source: bytes, declared: tuple[int, ...], context: PlanContext, *, scripted: bool = False
) -> StatementPlan:
    request = Request(context.catalog, context.decisions, context.principal, context.search_path, declared, scripted)
    try:
        return _decide(request, statement, source)
    except FieldgateError as refusal:
        plan = refused(refusal, statement, source)
    except RecursionError:
        plan = refused(_too_deep(), statement, source)
    except Exception:  # noqa: BLE001 - whatever goes wrong in here, the statement does not pass
        plan = refused(_internal(), statement, source)
    message = plan.refusal.message if plan.refusal is not None else ""
    said = reason(message, source, context.catalog)
    return replace(plan, outline=outline(source, context.catalog), reason=said)


def _decide(request: Request, statement: RawStatement, source: bytes) -> StatementPlan:
    found = look(request.catalog, statement.kind, statement.body, request.search_path, scripted=request.scripted)
    found.refusal = found.refusal or declared_types(request.catalog, request.declared)
    if request.catalog.lenient:
        found.refusal, found.sizes, found.names_hidden = None, None, False
    if statement.kind == "PrepareStmt":
        return prepared(request, statement, source, found, _decide)
    text = SqlText(source)
    shown = show_catalogs(request.catalog, statement.kind, statement.body, found, text)
    if not shown:
        found.refusal = found.refusal or found.sizes
    plan = _decide_as_found(request, statement, source, found)
    return with_catalogs(request.catalog, plan, statement, found, text) if shown else plan


def _decide_as_found(request: Request, statement: RawStatement, source: bytes, found: Findings) -> StatementPlan:
    if statement.kind == "ExplainStmt":
        return explained(request, statement, source, found)
    if statement.kind == "CopyStmt" and found.touches:
        return plan_copy(request, statement, source, found)
    if statement.kind in NAMED:
        return NAMED[statement.kind](request, statement, source, found)
    if found.touches and stores(statement):
        return plan_stored(request, statement, source, found)
    if found.touches and statement.kind == "LockStmt":
        check_lock(request, found)
        return forwarded(StatementKind.UTILITY, source)
    if statement.kind not in KINDS:
        _refuse_uncertain_names(request, found)
        utility = plan_utility(request.catalog, statement, found)
        effect, value = utility.effect
        plan = forwarded(utility.kind, source, returns_rows=utility.returns_rows)
        return replace(plan, effect=effect, effect_value=value)
    if found.touches or found.must_rewrite(request.catalog):
        return plan_touching(request, statement, source, found)
    if found.refusal is not None:
        raise found.refusal
    plan = forwarded(KINDS[statement.kind], source, returns_rows=found.returns_rows)
    if found.sets:
        effect, value = effect_of_function(statement.kind, statement.body, found.sets)
        return replace(plan, effect=effect, effect_value=value)
    if "intoClause" in statement.body:
        refuse_shadowing(request.catalog, statement.body["intoClause"]["rel"]["relname"])
        refuse_temporary_shadow(request.catalog, statement.body["intoClause"]["rel"])
        return replace(plan, effect=SessionEffect.CATALOG, returns_rows=False)
    return plan


def _refuse_uncertain_names(request: Request, found: Findings) -> None:
    """A utility statement is never rewritten, so a name that could come to mean a protected table may not stand in it.

    A Query may change search_path before it gets here.
    """
    if not found.touches and found.must_rewrite(request.catalog):
        raise Unsupported(
            "an unqualified name in this statement is also that of a protected table",
            hint="Write it with its schema.",
        )


def refused(
    refusal: FieldgateError, statement: RawStatement | None = None, source: bytes | None = None
) -> StatementPlan:
    refusal.__traceback__ = refusal.__context__ = None  # it is kept in caches, and must not keep what made it
    kind = KINDS.get(statement.kind, StatementKind.UTILITY) if statement is not None else StatementKind.UTILITY
    text = source.decode(errors="replace") if source is not None else ""
    use = refusal if isinstance(refusal, UseRefused) else None
    return StatementPlan(
        kind,
        (),
        refusal=refusal,
        touches_protected=True,
        uses=(use.use,) if use is not None else (),
        rules=use.rules if use is not None else (),
        fingerprint=fingerprint(text) if source is not None else "",
    )


def _as_refusal(error: Exception) -> FieldgateError:
    if isinstance(error, FieldgateError):
        return error
    if isinstance(error, RecursionError):
        return _too_deep()
    return Refused('invalid byte sequence for encoding "UTF8"', sqlstate=SqlState.CHARACTER_NOT_IN_REPERTOIRE)


def _too_deep() -> FieldgateError:
    return Refused("the statement is nested too deeply to be analysed", sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED)


def _internal() -> FieldgateError:
    return FieldgateError("the statement could not be analysed", sqlstate=SqlState.INTERNAL_ERROR)
