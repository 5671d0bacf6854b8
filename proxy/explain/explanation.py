"""A plan told in words: what the statement uses, which rules decide, what reaches the server, what is opened.

Contract: made from a plan, which holds no value, no cell and no key; slots are told by what fills them.  The text of
the statement, which the asker has typed, is all of a client's that is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from policies.model import FieldRights, Parts, Principal, TableRights, Verb
from policies.policy_set import Effect, PolicySet, Rule
from proxy.errors import FieldgateError
from proxy.sql.catalog import Catalog, Relation
from proxy.sql.plan import FieldUse, OutputAction, OutputColumn, Slot, SlotKind, StatementPlan, ValueSource
from proxy.sql.planner import PlanContext
from proxy.sql.planning import plan_single
from proxy.sql.touch import look
from proxy.sql.tree import RawStatement, parse_script

from .full_rights import FullRights


@dataclass(frozen=True, slots=True)
class Decided:
    """A rule that had a part in the decision."""

    origin: str  # file:line
    effect: str
    clauses: tuple[str, ...]
    text: tuple[str, ...]  # what the clauses say
    comment: str


@dataclass(frozen=True, slots=True)
class UseTold:
    field: str
    verb: str
    allowed: bool
    rules: tuple[Decided, ...]  # none: no rule gives it


@dataclass(frozen=True, slots=True)
class TableTold:
    """A protected table that the statement names, and what the role is bound to there."""

    name: str
    row_filter: str | None  # "column = attribute of the principal"
    min_group: int
    null_fields: tuple[str, ...]  # in `*` they are NULL
    masked_fields: tuple[str, ...]  # NULL also when they are named
    parts: Parts | None = None  # figures are over whole parts of this kind
    observed: bool = False  # the policy is not in force for it yet


@dataclass(frozen=True, slots=True)
class SlotTold:
    name: str  # as it stands in `rewritten`
    kind: str
    field: str | None
    source: str
    array: bool
    bound_to_row: bool


@dataclass(frozen=True, slots=True)
class OutputTold:
    name: str
    opened: str | None  # the field whose cells are opened here


@dataclass(frozen=True, slots=True)
class RefusalTold:
    sqlstate: str
    message: str
    detail: str | None
    hint: str | None
    position: int | None


@dataclass(frozen=True, slots=True)
class Explanation:
    statement: str
    roles: tuple[str, ...]
    purpose: str
    revision: str
    allowed: bool
    kind: str
    node: str  # the grammar's own name of the statement's kind
    relations: tuple[str, ...]
    uses: tuple[UseTold, ...]
    tables: tuple[TableTold, ...]
    refusal: RefusalTold | None
    rewritten: str | None  # None: refused; the statement itself: forwarded byte by byte
    slots: tuple[SlotTold, ...]
    outputs: tuple[OutputTold, ...] | None  # None: rows are passed on as they are
    hidden_outputs: int


def explain(text: str, context: PlanContext, policy: PolicySet) -> tuple[Explanation, StatementPlan]:
    """Of the one statement in `text`.  Never raises for bad SQL: that is a refusal like any other."""
    plan = plan_single(text, (), context)
    statement, relations = _named(text, context)
    tables, observed = _tables(context.catalog, relations), {(t.schema, t.table) for t in policy.data_map.observed}
    principal = context.principal
    made = Explanation(
        statement=text,
        roles=tuple(sorted(principal.roles)),
        purpose=principal.purpose,
        revision=context.decisions.revision,
        allowed=plan.refusal is None,
        kind=str(plan.kind),
        node=statement.kind if statement is not None else "",
        relations=tuple(dict.fromkeys(_relation_words(*each) for each in relations)),
        uses=tuple(_use(use, context, policy) for use in _all_uses(text, plan, context)),
        tables=tuple(
            _bound(name, context.decisions.table_rights(principal, *name), name in observed) for name in tables
        ),
        refusal=_refusal(plan.refusal),
        rewritten=None if plan.refusal is not None else _rewritten(plan),
        slots=tuple(_slot(number, slot, plan) for number, slot in enumerate(plan.slots, 1)),
        outputs=_outputs(plan),
        hidden_outputs=plan.hidden_outputs,
    )
    return made, plan


def _named(text: str, context: PlanContext) -> tuple[RawStatement | None, list[tuple[str, Relation | None]]]:
    """The parse, and each relation it names."""
    try:
        [statement] = parse_script(text.encode())
    except (FieldgateError, ValueError, RecursionError):
        return None, []
    found = look(context.catalog, statement.kind, statement.body, context.search_path)
    return statement, [(str(body.get("relname", "")), relation) for body, relation in found.relations]


def _relation_words(name: str, relation: Relation | None) -> str:
    if relation is None:
        return f"{name} (not in the catalog)"
    shown = f"{relation.schema}.{relation.name}"
    if relation.protected is not None:
        return f"{shown} (protected)"
    return f"{shown} (reads protected tables)" if relation.reaches else shown


def _tables(catalog: Catalog, relations: Iterable[tuple[str, Relation | None]]) -> list[tuple[str, str]]:
    """The protected tables behind the names, views included."""
    found: dict[tuple[str, str], None] = {}
    for _, relation in relations:
        if relation is None:
            continue
        for each in (relation, *(catalog.relations.get(oid) for oid in sorted(relation.reaches))):
            if each is not None and each.protected is not None:
                found[each.protected.schema, each.protected.table] = None
    return list(found)


def _all_uses(text: str, plan: StatementPlan, context: PlanContext) -> list[FieldUse]:
    """All that the statement does with fields; of a refused one as far as it can be analysed under every right.

    A refusal names only the use at which it came.
    """
    if plan.refusal is None:
        return list(plan.uses)
    full = PlanContext(context.catalog, FullRights(context.decisions), context.principal, context.search_path)
    return list(dict.fromkeys((*plan.uses, *plan_single(text, (), full).uses)))


def _use(use: FieldUse, context: PlanContext, policy: PolicySet) -> UseTold:
    schema, table, column = use.field.split(".", 2)
    rights = context.decisions.table_rights(context.principal, schema, table)
    if column == "*":  # that rows exist: some field must be usable
        known = [r for r in rights.fields.values() if r.allows(use.verb)]
        return UseTold(use.field, _verb(use.verb), rights.countable, _decided(known[:1], use.verb, policy))
    found = rights.fields.get(column)
    allowed = found is not None and found.allows(use.verb)
    return UseTold(use.field, _verb(use.verb), allowed, _decided([found] if found else [], use.verb, policy))


def _decided(rights: Iterable[FieldRights], verb: Verb, policy: PolicySet) -> tuple[Decided, ...]:
    """The rules about this verb; where one denies it, only those that deny."""
    labels = {label for each in rights for label in each.rules}
    rules = [rule for rule in policy.rules if rule.label in labels and verb in rule.verbs]
    denying = [rule for rule in rules if rule.effect is Effect.DENY]
    return tuple(_told(rule, policy) for rule in denying or rules)


def _told(rule: Rule, policy: PolicySet) -> Decided:
    words = tuple(policy.clauses[clause] for clause in rule.clauses if clause in policy.clauses)
    return Decided(rule.origin, str(rule.effect), rule.clauses, words, rule.comment)


def _bound(name: tuple[str, str], rights: TableRights, observed: bool) -> TableTold:
    limit = rights.row_filter
    hidden = [column for column, each in rights.fields.items() if not each.allows(Verb.READ)]
    masked = [column for column in hidden if rights.fields[column].mask_null]
    return TableTold(
        ".".join(name),
        f"{limit.column} = the principal's {limit.attribute}" if limit is not None else None,
        rights.min_group,
        tuple(column for column in hidden if column not in masked),
        tuple(masked),
        rights.parts,
        observed,
    )


def _refusal(refusal: FieldgateError | None) -> RefusalTold | None:
    if refusal is None:
        return None
    return RefusalTold(str(refusal.sqlstate), refusal.message, refusal.detail, refusal.hint, refusal.position)


def _rewritten(plan: StatementPlan) -> str:
    parts = [
        part.decode(errors="replace") if isinstance(part, bytes) else f"{{{_slot_name(part + 1, plan.slots[part])}}}"
        for part in plan.segments
    ]
    return "".join(parts)


def _slot_name(number: int, slot: Slot) -> str:
    about = slot.attribute if slot.kind is SlotKind.PRINCIPAL else slot.field.name if slot.field else ""
    return f"{number} {slot.kind} {about}".rstrip()


def _slot(number: int, slot: Slot, plan: StatementPlan) -> SlotTold:
    field = slot.field.name if slot.field is not None else None
    source = _source(slot, plan)
    return SlotTold(_slot_name(number, slot), str(slot.kind), field, source, slot.array, slot.row_key is not None)


def _source(slot: Slot, plan: StatementPlan) -> str:
    if slot.kind is SlotKind.PRINCIPAL:
        return f"the principal's {slot.attribute}"
    source = slot.source or ValueSource()
    if source.parameter is not None:
        return f"the client's parameter ${source.parameter}"
    if source.draw is not None:
        return f"a key drawn from {plan.draws[source.draw]}"
    return "a constant of the statement" if source.constant is not None else "NULL"


def _outputs(plan: StatementPlan) -> tuple[OutputTold, ...] | None:
    if plan.outputs is None or plan.refusal is not None:
        return None
    return tuple(OutputTold(each.name, _opened(each)) for each in plan.outputs)


def _opened(output: OutputColumn) -> str | None:
    if output.computation is not None:
        return ", ".join(place.field.name for place in output.computation.cells)
    return output.field.name if output.action is OutputAction.OPEN and output.field is not None else None


def _verb(verb: Verb) -> str:
    return (verb.name or "").lower()


def principal_for_role(policy: PolicySet, role: str, purpose: str | None, subject: str | None) -> Principal:
    """Who somebody with just this role would be, for its own purpose unless another is given.  Raises KeyError."""
    known = policy.roles[role]
    chosen = purpose or known.purpose
    if chosen not in policy.purposes:
        raise KeyError(chosen)
    case = "explain" if policy.purposes[chosen].case_required else None
    return Principal("explain", "explain", frozenset([role]), policy.controller, chosen, subject, case)
