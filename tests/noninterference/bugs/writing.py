"""Writing that tells: RETURNING, conflicts, conditions of UPDATE and MERGE, values out of other tables."""

from __future__ import annotations

from typing import Any

from proxy.sql import conflicts, inserts, merges, statement, updates, writes

from .bug import Breaking, Bug, both, entry_replacing, replacing, silenced, uncharged


def _merge_conditions(of_on: bool) -> Breaking:
    """ON, or the conditions of WHEN."""
    ons: set[int] = set()

    def noted(walk: Any) -> Any:
        def walked(a: Any, body: Any, *rest: Any) -> Any:
            ons.add(id(body["joinCondition"]))
            return walk(a, body, *rest)

        return walked

    return both(
        entry_replacing(statement._WRITERS, "MergeStmt", noted),
        uncharged(merges, "walk_condition", lambda a, node, *_: (id(node) in ons) is of_on),
    )


_WRITES = {"write": 30, "straying": 4}
WRITING = (
    Bug("RETURNING is not checked",
        both(uncharged(updates, "returning"), uncharged(inserts, "returning"), uncharged(merges, "returning")),
        "shop_app", _WRITES | {"stolen": 200}),
    Bug("the conditions of UPDATE and DELETE are not checked", uncharged(updates, "walk_condition"),
        "shop_app", _WRITES),
    Bug("the values of assignments are not checked", uncharged(writes, "_assign_plain"),
        favoured=_WRITES | {"stolen": 200}),
    Bug("the conditions of MERGE's branches are not checked", _merge_conditions(False),
        favoured=_WRITES | {"stolen": 200}),
    Bug("the condition of ON CONFLICT is not checked", uncharged(conflicts, "walk_condition"), "shop_app",
        _WRITES | {"stolen conflict": 60}),
    Bug("whether a value is there already may be asked by writing it",
        both(replacing(writes, "is_unique", lambda _: lambda *_args: False), silenced(conflicts, "_charge_inferred")),
        "entry", {"upsert": 60}),
)  # fmt: skip
