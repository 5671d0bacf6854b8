"""Names that are taken to mean something else than they mean to the server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from proxy.errors import FieldgateError
from proxy.sql import common_tables, notation, operands, references, selects, sources, targets, touch
from proxy.sql.analysis import Item
from proxy.sql.references import Reference
from proxy.sql.scope import CommonTable, Origin, Scope
from proxy.sql.source_names import plain_source

from .bug import Breaking, Bug, both, entry_replacing, replacing, silenced, trying


def _schema_is_ignored(table: Any) -> Any:
    def meant(a: Any, body: Any, scope: Any) -> Any:
        if scope.common_table(body["relname"]) is not None:
            body = {key: value for key, value in body.items() if key != "schemaname"}
        return table(a, body, scope)

    return meant


def _later_ones_are_seen(walk: Any) -> Any:
    def walked(a: Any, body: Any, scope: Any) -> Any:
        for node in body.get("withClause", {}).get("ctes", []):
            name = node["CommonTableExpr"]["ctename"]
            scope.tables[name] = CommonTable(name, [], opaque=True)
        return walk(a, body, scope)

    return walked


def _without_lineage(columns_of: Any) -> Any:
    """What a subquery shows comes from nowhere."""

    def made(items: list[Item], position: int | None) -> Any:
        for item in items:
            for pending in item.origin.pending:
                pending.used = True
            item.origin = Origin()
        return columns_of(items, position)

    return made


def _outer_names_are_free(find: Any) -> Any:
    def found(self: Scope, name: str, position: int | None) -> Any:
        visible = find(self, name, position)
        return visible if visible in self.names.columns else None

    return found


def _outer_sources_are_free(qualified: Any) -> Any:
    def found(a: Any, names: Any, scope: Scope, location: int, position: Any) -> Any:
        visible = qualified(a, names, scope, location, position)
        return visible if visible is None or visible.source in scope.names.sources else None

    return found


def _whole_rows_pass(resolve: Any) -> Any:
    def resolved(a: Any, body: Any, scope: Any) -> Any:
        try:
            return resolve(a, body, scope)
        except FieldgateError as error:
            if "as a whole row" not in error.message:
                raise
            return Reference(None, scope.text, body.get("location", 0))

    return resolved


_WHOLE_ROWS: Breaking = both(
    replacing(references, "resolve", _whole_rows_pass), replacing(operands, "resolve", _whole_rows_pass)
)


def _star_shows_all(starred: Any) -> Any:
    def shown(a: Any, visible: Any, scope: Any, role: Any, position: Any) -> Any:
        item = Item(visible.name, visible.column.origin, scope, None, position, visible, inserted=True)
        return item, visible.reference

    return shown


def _mask_is_named_only(replace_by_null: Any) -> Any:
    def named(a: Any, reference: Any) -> None:
        a.charge_mask(reference.visible.column.origin)

    return named


def _everything_is_released(origin: Any) -> Any:
    def made(a: Any, item: Any) -> Any:
        found = origin(a, item)
        for pending in found.pending:
            pending.used = True
        return replace(found, released=True)

    return made


_TRICKS = {"trick": 10, "straying": 4}
_CALLED = both(_WHOLE_ROWS, silenced(notation, "check_notation"), silenced(touch, "check_notation"))
NAMES = (
    Bug("alias lists of tables are ignored", replacing(sources, "renamed", lambda _: lambda source, body: source),
        favoured={"swapped": 30}),
    Bug("column lists of WITH are ignored",
        replacing(common_tables, "rename", lambda _: lambda columns, names: columns), "apart", trying("relisted")),
    Bug("a common table hides a name with its schema", entry_replacing(sources._ITEMS, "RangeVar", _schema_is_ignored),
        favoured={"with": 20, "shadowing": 20}),
    Bug("a common table is seen before its place", replacing(selects, "walk_with", _later_ones_are_seen),
        favoured={"with": 20, "shadowing": 20}),
    Bug("what views show comes from nowhere",
        replacing(sources, "_view", lambda _: lambda a, relation, body, scope: plain_source(relation, body)),
        favoured={"straying": 4}),
    Bug("what subqueries show comes from nowhere", replacing(sources, "columns_of", _without_lineage),
        favoured={"subquery": 5, "straying": 4}),
    Bug("columns of outer queries are not checked",
        both(replacing(Scope, "find", _outer_names_are_free),
             replacing(references, "_qualified", _outer_sources_are_free)),
        favoured=trying("outer")),
    Bug("whole rows pass", _WHOLE_ROWS, favoured=trying("whole row")),
    Bug("rows may be called by functions' names", _CALLED, favoured=trying("called")),
    Bug("* shows what may not be read", replacing(targets, "_starred", _star_shows_all), favoured={"whole": 10}),
    Bug("a mask is named and not put on",
        both(replacing(targets, "replace_by_null", _mask_is_named_only),
             replacing(references, "replace_by_null", _mask_is_named_only)),
        "apart", {"straying": 4}),
    Bug("what an inner query names is free outside", replacing(targets, "_pending", _everything_is_released),
        favoured=trying("inside")),
)  # fmt: skip
