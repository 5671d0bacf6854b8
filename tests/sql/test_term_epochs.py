"""Plans at a later epoch of the term keys: as at the first, but for columns and the place of a term in a cell."""

from __future__ import annotations

import re
from dataclasses import replace

from proxy.sql.cache import CachedPlanner
from proxy.sql.catalog import Catalog, Relation
from proxy.sql.plan import SlotKind, StatementPlan

from .golden import CASES, Case, read_cases, shown
from .shop import context
from .test_searches import FILES as SEARCHES


def _at_second(relation: Relation) -> Relation:
    table = relation.protected
    if table is None:
        return relation
    fields = {name: replace(each, term_epoch=2, token_epoch=2) for name, each in table.fields.items()}
    columns = tuple(
        replace(each, name=f"{each.name}_2") if re.fullmatch("fg_.*_(eq|tk)", each.name) else each
        for each in relation.columns
    )
    return replace(relation, protected=replace(table, fields=fields), columns=columns)


def _rotated(catalog: Catalog) -> Catalog:
    relations = {oid: _at_second(relation) for oid, relation in catalog.relations.items()}
    return replace(
        catalog, relations=relations, by_name={(each.schema, each.name): each for each in relations.values()}
    )


def _plan(case: Case) -> StatementPlan:
    asked = context(case.role)
    return CachedPlanner().plan_statement(case.sql, (), replace(asked, catalog=_rotated(asked.catalog)))


def _expected(text: str) -> str:
    text = re.sub(r"\b(fg_\w+_(?:eq|tk))\b", r"\1_2", text)
    return re.sub(r"pg_catalog\.substr\(((?:[^(),]|\([^()]*\))+), 13, 16\)", _second, text)


def _second(found: re.Match[str]) -> str:
    cell = found[1]
    even, second = (f"(pg_catalog.get_byte({cell}, 3) OPERATOR(pg_catalog.&) {bit})" for bit in (32, 16))
    return (
        f"CASE WHEN {even} OPERATOR(pg_catalog.=) 32 THEN pg_catalog.substr({cell}, 13, 16)"
        f" WHEN {second} OPERATOR(pg_catalog.=) 16 THEN pg_catalog.substr({cell}, 29, 16) END"
    )


def test_every_golden_case_at_the_second_epoch() -> None:
    looked = cells = searches = 0
    for path in (*sorted(CASES.glob("*.sql")), *SEARCHES):
        for case in read_cases(path):
            if not re.search("_eq|_tk|13, 16", case.expected) or case.expected.startswith("!!"):
                continue
            made = _plan(case)
            assert shown(made) == _expected(case.expected), case.sql
            terms = [slot for slot in made.slots if slot.kind is SlotKind.TERM]
            assert all(slot.field is not None and slot.field.term_epoch == 2 for slot in terms)
            tokens = [slot for slot in made.slots if slot.kind is SlotKind.TOKENS]
            assert all(slot.field is not None and slot.field.token_epoch == 2 for slot in tokens)
            looked += 1
            searches += bool(tokens)
            cells += "13, 16" in case.expected
    assert looked > 100 and cells > 3 and searches > 20
