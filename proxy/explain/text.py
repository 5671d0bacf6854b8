"""An explanation as text for a terminal, in the order in which a statement is dealt with."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .explanation import Decided, Explanation, TableTold, UseTold
from .server_plan import ServerPlan


def rendered(told: Explanation, plan: ServerPlan) -> RenderableType:
    return Group(*_parts(told, plan))


def _parts(told: Explanation, plan: ServerPlan) -> Iterator[RenderableType]:
    yield _line("who", f"{', '.join(told.roles) or 'nobody known'}, purpose {told.purpose or '(none)'}")
    yield _line("policy", f"revision {told.revision[:12]}")
    yield _line("statement", f"{told.kind} ({told.node or 'not parsed'})")
    for name in told.relations:
        yield _line("relation", name)
    if told.uses:
        yield _uses(told.uses)
    for table in told.tables:
        if table.observed:
            yield _line("observed", f"{table.name}: the policy is not in force; what it would refuse passes")
        yield from _obligations(table)
    yield from _refused(told) if told.refusal is not None else _passed(told, plan)


def _uses(uses: tuple[UseTold, ...]) -> Table:
    table = Table("field", "verb", "", "decided by")
    for use in uses:
        decided = "\n".join(map(_rule, use.rules)) or "no rule gives it"
        table.add_row(*map(Text, (use.field, use.verb, "allowed" if use.allowed else "denied", decided)))
    return table


def _rule(rule: Decided) -> str:
    return f"{rule.origin} {rule.effect} {', '.join(rule.clauses)}" + (f": {rule.comment}" if rule.comment else "")


def _obligations(table: TableTold) -> Iterator[RenderableType]:
    name = table.name
    if table.row_filter is not None:
        yield _line("row filter", f"{name}: only rows where {table.row_filter}")
    if table.min_group:
        yield _line("min. group", f"{name}: no figures over fewer than {table.min_group} rows")
    if table.parts is not None:
        by = f" by {', '.join(table.parts.columns)}" if table.parts.columns else ""
        yield _line("figures", f"{name}: over whole parts{by}, each of {table.parts.least} rows or more")
    if table.null_fields:
        yield _line("NULL in *", f"{name}: {', '.join(table.null_fields)}")
    if table.masked_fields:
        yield _line("mask", f"{name}: NULL in place of {', '.join(table.masked_fields)}")


def _refused(told: Explanation) -> Iterator[RenderableType]:
    refusal = told.refusal
    assert refusal is not None  # noqa: S101  the caller looks
    yield _line("REFUSED", f"{refusal.message} ({refusal.sqlstate})")
    if refusal.position is not None:
        yield _line("at", f"character {refusal.position}")
    if refusal.detail:
        yield _line("reason", refusal.detail)
    if refusal.hint:
        yield _line("remedy", refusal.hint)


def _passed(told: Explanation, plan: ServerPlan) -> Iterator[RenderableType]:
    unchanged = told.rewritten == told.statement
    yield _line("sent", "the statement as it is" if unchanged else told.rewritten or "")
    for slot in told.slots:
        extra = (", an array" if slot.array else "") + (", bound to its row" if slot.bound_to_row else "")
        yield _line("slot", f"{{{slot.name}}}: {slot.source}{extra}")
    for output in told.outputs or ():
        if output.opened is not None:
            yield _line("opened", f"{output.name}: cells of {output.opened}")
    if told.hidden_outputs:
        yield _line("hidden", f"{told.hidden_outputs} column(s) of ours behind the result, taken off again")
    if plan.unavailable is not None:
        yield _line("plan", f"not available: {plan.unavailable}")
    for line in plan.lines:
        yield _line("plan", line)


def _line(label: str, words: str) -> Text:
    return Text.assemble((f"{label:<11}", "bold"), words)
