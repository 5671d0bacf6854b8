"""Tables that are observed only: what runs is planned as if they were not protected, what is told as if they were.

Contract: what passes is always a whole plan under the tables that are in force, so nothing of those is given up for
observing; the second plan is only looked at.  Where nothing at all is in force, what cannot be analysed passes as the
client's own text.
"""

from __future__ import annotations

from dataclasses import replace

from policies.model import Verb
from proxy.errors import FieldgateError

from .forward import forwarded
from .outline import outline, reason
from .plan import FieldUse, Observed, ScriptPlan, StatementKind, StatementPlan
from .planner import PlanContext
from .planning import plan_all, plan_single
from .tree import parse_script


def plan_one(text: str, declared: tuple[int, ...], context: PlanContext) -> StatementPlan:
    plan = plan_single(text, declared, context)
    if context.observed is None:
        return plan
    return _both(plan, plan_single(text, declared, _as_protected(context)), text.encode(errors="replace"), context)


def plan_script(text: str, context: PlanContext) -> ScriptPlan:
    script = plan_all(text, context)
    if context.observed is None:
        return script
    told, sources = plan_all(text, _as_protected(context)).statements, _sources(text)
    if not len(script.statements) == len(told) == len(sources):
        return script  # they are cut by one parser; were they not, nothing is said
    plans = tuple(
        _both(plan, shadow, source, context)
        for plan, shadow, source in zip(script.statements, told, sources, strict=True)
    )
    passed = any(new.refusal is not old.refusal for new, old in zip(plans, script.statements, strict=True))
    return ScriptPlan(plans, script.unchanged and not passed)


def _as_protected(context: PlanContext) -> PlanContext:
    assert context.observed is not None  # noqa: S101  the callers look
    return replace(context, catalog=context.observed, observed=None)


def _sources(text: str) -> list[bytes]:
    """The text of each statement; of all of them, where they cannot be told apart."""
    try:
        source = text.encode()
        return [source[each.start : each.end] for each in parse_script(source)]
    except (FieldgateError, ValueError, RecursionError):
        return [text.encode(errors="replace")]


def _both(plan: StatementPlan, shadow: StatementPlan, source: bytes, context: PlanContext) -> StatementPlan:
    if plan.refusal is not None:
        if not context.catalog.lenient:
            return plan
        plan = forwarded(plan.kind if plan.kind is not StatementKind.EMPTY else StatementKind.UTILITY, source)
    observed, said = _observed(shadow, source, context)
    if observed is None and not shadow.uses:
        return plan
    return replace(
        plan,
        uses=tuple(dict.fromkeys((*plan.uses, *shadow.uses))),
        rules=tuple(dict.fromkeys((*plan.rules, *shadow.rules))),
        fingerprint=plan.fingerprint or shadow.fingerprint,
        outline=outline(source, context.catalog) if observed is not None else "",
        reason=said,
        observed=observed,
    )


def _observed(shadow: StatementPlan, source: bytes, context: PlanContext) -> tuple[Observed | None, str | None]:
    """And the reason."""
    if shadow.refusal is not None:
        return Observed(str(shadow.refusal.sqlstate)), reason(shadow.refusal.message, source, context.catalog)
    if shadow.edited and any(_sees_less(use, context) for use in shadow.uses) and _inserts(shadow, source):
        return Observed(None), "rows or columns would be left out"
    return None, None


def _sees_less(use: FieldUse, context: PlanContext) -> bool:
    schema, table, _ = use.field.split(".", 2)
    rights = context.decisions.table_rights(context.principal, schema, table)
    hidden = any(not field.allows(Verb.READ) for field in rights.fields.values())
    return rights.row_filter is not None or rights.min_group > 0 or hidden


def _inserts(shadow: StatementPlan, source: bytes) -> bool:
    """More than names that are qualified: a subquery, a filter, or a NULL in a column's place."""
    written = b"".join(part for part in shadow.segments if isinstance(part, bytes)).upper()
    plain = source.upper()
    return any(written.count(word) > plain.count(word) for word in (b"NULL", b"SELECT", b"HAVING", b"CASE"))
