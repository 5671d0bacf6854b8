"""Golden files: what goes in, what goes to the server, what the client is shown, or why it is refused.

    [role] SELECT ...;                 may go on over several lines, up to the semicolon at a line's end
    -> SELECT ... {TERM email $1}      the upstream text; a slot shows its kind, field and source
    :: email=open(customers.email)     the result's columns, unless all are passed on
    ++ name=value                      everything else that the plan says
    == by key of                       what is said before it: the SELECT that finds and locks the rows that it writes
    !! 42501 message                   or the refusal; `hint:` when it has one

`FIELDGATE_UPDATE_CASES=1` writes what is planned now; the difference is then for a person to review.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from proxy.sql.arrangement import Arrangement
from proxy.sql.cache import CachedPlanner
from proxy.sql.computation import CellLeaf, Computation, GivenLeaf, Term, TextLeaf
from proxy.sql.plan import (
    Argument,
    Bound,
    OutputAction,
    OutputColumn,
    SessionEffect,
    Sift,
    Slot,
    SlotKind,
    StatementPlan,
    ValueSource,
)

from .shop import context

CASES = Path(__file__).parent / "cases"
UPDATE = bool(os.environ.get("FIELDGATE_UPDATE_CASES"))
_BLOCK = re.compile(
    r"^\[(?P<role>[^\]]+)\] (?P<sql>.*?);$\n(?P<expected>(?:(?:->|::|\+\+|==|!!|  )[^\n]*\n)*)", re.M | re.S
)


@dataclass(frozen=True, slots=True)
class Case:
    role: str
    sql: str
    expected: str

    @property
    def id(self) -> str:
        return f"{self.role}: {' '.join(self.sql.split())[:70]}"


def read_cases(path: Path) -> list[Case]:
    text = path.read_text(encoding="utf-8")
    return [Case(found["role"], found["sql"], found["expected"]) for found in _BLOCK.finditer(text)]


def rewrite(path: Path) -> None:
    """Put what is planned now in the place of what was expected."""
    rewrite_with(path, plan)


def rewrite_with(path: Path, planned: Callable[[str, str], StatementPlan]) -> None:
    def renewed(found: re.Match[str]) -> str:
        return f"[{found['role']}] {found['sql']};\n{shown(planned(found['role'], found['sql']))}"

    path.write_text(_BLOCK.sub(renewed, path.read_text(encoding="utf-8")), encoding="utf-8")


def plan(role: str, sql: str) -> StatementPlan:
    return CachedPlanner().plan_statement(sql, (), context(role))


def shown(made: StatementPlan) -> str:
    if made.refusal is not None:
        hint = f"\n   hint: {made.refusal.hint}" if made.refusal.hint else ""
        return f"!! {made.refusal.sqlstate} {made.refusal.message}{hint}\n"
    text = "".join(s.decode() if isinstance(s, bytes) else _slot(made.slots[s]) for s in made.segments)
    lines = ["-> " + text.rstrip().replace("\n", "\n   ")]
    if made.outputs is not None and any(o.action is not OutputAction.PASS for o in made.outputs):
        lines.append(":: " + ", ".join(_output(o) for o in made.outputs))
    extras = list(_extras(made))
    if extras:
        lines.append("++ " + "; ".join(extras))
    if made.locks is not None:
        key = ", ".join(f"{column.name}:{column.type_oid}" for column in made.locks.key)
        lines.append(f"== by {key} of\n   " + shown(made.locks.plan).rstrip().replace("\n", "\n   "))
    return "\n".join(lines) + "\n"


def _slot(slot: Slot) -> str:
    if slot.kind is SlotKind.PRINCIPAL:
        return f"{{PRINCIPAL {slot.attribute}}}"
    name = f" {slot.field.table}.{slot.field.column}" if slot.field is not None else ""
    array = "[]" if slot.array else ""
    key = f" row {_source(slot.row_key)}" if slot.row_key is not None else ""
    source = _ends(slot.bounds) if slot.bounds else _source(slot.source)
    return f"{{{slot.kind.name}{array}{name} {source}{key}}}"


def _ends(bounds: tuple[Bound, ...]) -> str:
    typed = (f"::{bound.type_oid}" if bound.type_oid else "" for bound in bounds)
    return " ".join(f"{bound.end} {_source(bound.source)}{oid}" for bound, oid in zip(bounds, typed, strict=True))


def _source(source: ValueSource | None) -> str:
    if source is None:
        return "-"
    if source.parameter is not None:
        return f"${source.parameter}"
    if source.draw is not None:
        return f"draw {source.draw}"
    return repr((source.constant or b"").decode()) if source.constant is not None else "NULL"


def _output(output: OutputColumn) -> str:
    if output.computation is not None:
        return f"{output.name}={_computed(output.computation)}"
    if output.action is not OutputAction.OPEN or output.field is None:
        return output.name
    where = f"{output.field.table}.{output.field.column}"
    proof = "" if output.relation_oid else ", untraced"
    key = f", row key {output.row_key_output}" if output.row_key_output is not None else ""
    return f"{output.name}=open({where}{proof}{key})"


def _computed(made: Computation) -> str:
    """`email@1`: the cell of that field in the server's second column; `text@2`: a plain value there."""
    cells = [f"{place.field.column}@{place.column}" for place in made.cells]
    keys = [f" key@{place.row_key}" if place.row_key is not None else "" for place in made.cells]
    texts = [f"text@{column}" for column in made.texts]

    def shown_term(term: Term) -> str:
        match term:
            case CellLeaf():
                return cells[term.index] + keys[term.index]
            case TextLeaf():
                return texts[term.index]
            case GivenLeaf():
                return f"{_source(term.source)}:{term.logical}"
        casing = " C" if term.casing is not None and not term.casing.doubtful and len(term.casing.lower) == 26 else ""
        unit = f" {term.unit}" if term.unit else ""
        return f"{term.operation}{casing}{unit}({', '.join(map(shown_term, term.arguments))})"

    typmod = f"/{made.typmod}" if made.typmod != -1 else ""
    return f"{shown_term(made.term)} -> {made.type_oid}{typmod}{' follows' if made.follows else ''}"


def _extras(made: StatementPlan) -> list[str]:
    found = []
    if not made.touches_protected:
        found.append("untouched")
    if made.hidden_outputs:
        found.append(f"hidden={made.hidden_outputs}")
    if made.sift is not None:
        found += list(_sifted(made.sift))
    if made.arranged is not None:
        found += list(_arranged(made.arranged))
    if made.slots and made.client_parameters:
        found.append("physical=" + " ".join(f"{s.kind.name}({_source(s.source)})" for s in made.slots))
    if made.parameter_types:
        found.append("described=" + ",".join(f"${n}:{oid}" for n, oid in made.parameter_types))
    if made.draws:
        found.append("draws=" + ",".join(made.draws))
    if made.effect is not SessionEffect.NONE:
        found.append(f"effect={made.effect} {made.effect_value}")
    if made.arguments:
        found.append("arguments=" + ", ".join(map(_argument, made.arguments)))
    if made.fetch is not None:
        found.append(f"{'moves' if made.fetch.moves else 'fetches'} {made.fetch.count or 'all'}")
    if made.keeps is not None:
        kept = made.keeps.plan
        held = (
            ["held"] * made.keeps.held
            + ["binary"] * made.keeps.binary
            + ["declared=" + ",".join(map(str, made.keeps.declared))] * bool(made.keeps.declared)
        )
        shows = [", ".join(_output(o) for o in kept.outputs)] if kept.opens and kept.outputs else []
        found += [f"kept {each}" for each in [*held, *shows, *_extras(kept)] if each != "untouched"]
    return found


def _arranged(arranged: Arrangement) -> Iterator[str]:
    for key in arranged.keys:
        by = _computed(key.computation).partition(" -> ")[0] if key.computation is not None else f"rank@{key.rank}"
        direction = " desc" * key.descending + " nulls first" * key.nulls_first
        yield f"orders by {by}{direction}"
    for fold in arranged.folds:
        by = _computed(fold.computation).partition(" -> ")[0] if fold.computation is not None else "*"
        yield f"folds {fold.kind}({by})"
    for key in arranged.apart:
        by = _computed(key.computation).partition(" -> ")[0] if key.computation is not None else f"rank@{key.rank}"
        yield f"apart by {by}"
    for clause, source in (("limit", arranged.limit), ("offset", arranged.offset)):
        if source is not None:
            yield f"{clause} {_source(source)}"


def _sifted(sift: Sift) -> Iterator[str]:
    for search in sift.searches:
        name = f"{search.field.table}.{search.field.column}"
        how = f"{search.comparing} {_source(search.sought)}" if search.comparing else _ends(search.bounds)
        yield f"sifts {name} at {search.column} {how}"
    for clause, source in (("limit", sift.limit), ("offset", sift.offset)):
        if source is not None:
            yield f"{clause} {_source(source)}"
    if sift.lowering is not None:
        yield "lowering"


def _argument(argument: Argument) -> str:
    return f"{argument.written or 'expression'} {argument.text.decode()}"
