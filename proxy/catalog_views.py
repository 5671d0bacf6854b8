"""Which columns of views over protected tables are cells, and of what type a reader gets them.  Pure.

The planner itself is asked, as by someone who may do everything: what it would open is a sealed column, whatever the
view calls it.  A view that it refuses (one that calls unknown functions, say) stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.model import NO_VERBS, FieldRights, Principal, TableRights
from proxy.sql.catalog import Catalog, Relation
from proxy.sql.fragments import dotted
from proxy.sql.plan import OutputAction
from proxy.sql.planner import PlanContext
from proxy.sql.planning import plan_single

_EVERYTHING = FieldRights(~NO_VERBS)
_NOBODY = Principal("", "", frozenset(), "", "")


@dataclass(frozen=True, slots=True)
class _AllRights:
    """A DecisionTable for the question what a view is, never for what someone may see of it."""

    catalog: Catalog
    revision: str = ""

    def table_rights(self, principal: Principal, schema: str, table: str) -> TableRights:
        relation = self.catalog.by_name.get((schema, table))
        columns = relation.columns if relation is not None else ()
        return TableRights({column.name: _EVERYTHING for column in columns})

    def rights_key(self, principal: Principal) -> object:
        return None


def view_types(catalog: Catalog) -> dict[tuple[int, int], tuple[int, int]]:
    """(OID of the view, number of the column) -> (type, typmod), for columns that are cells."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for oid, relation in catalog.relations.items():
        if relation.kind == "v" and relation.reaches:
            for number, logical in _opened(catalog, relation).items():
                found[oid, number] = logical
    return found


def _opened(catalog: Catalog, view: Relation) -> dict[int, tuple[int, int]]:
    context = PlanContext(catalog, _AllRights(catalog), _NOBODY, ())
    text = f"SELECT * FROM {dotted(view.schema, view.name)}"  # noqa: S608 - both names are quoted
    plan = plan_single(text, (), context)
    found = {}
    for output in plan.outputs or ():
        column = view.column(output.name)
        if output.action is OutputAction.OPEN and column is not None and plan.refusal is None:
            found[column.position] = (output.type_oid, output.typmod)
    return found
