"""Row filters, minimum groups and closed doors that are open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from policies.model import NO_VERBS
from proxy.sql import authorise, explain, functions, groups, relations, selects, sources, statement, updates
from proxy.sql.authorise import Ledger
from proxy.sql.fragments import dotted

from .bug import Breaking, Bug, both, bound, replacing, silenced, trying


def _unfiltered(table: Any) -> Any:
    return lambda self, protected: replace(table(self, protected), row_filter=None)


def _all_rows(row_view: Any) -> Any:
    def view(relation: Any, names: Any, *rest: Any, **more: Any) -> Any:
        (text, *_, tail) = row_view(relation, names, *rest, **more)
        return text.removesuffix(" WHERE "), tail

    return view


def _counted_as_they_come(source: Any, least: int) -> str:
    return f"pg_catalog.count({dotted(source.alias, source.relation.primary_key[0])}) >= {least}"


def _unparted(table: Any) -> Any:
    return lambda self, protected: replace(table(self, protected), parts=None)


def _unlimited(breaking: Breaking) -> Breaking:
    """Where figures are over whole parts, the other limits on groups are second locks on the same door."""
    return both(replacing(Ledger, "table", _unparted), breaking)


_GROUPED = {"grouped": 20}
FENCES = (
    Bug("row filters are left out", replacing(Ledger, "table", _unfiltered), "client"),
    Bug("row filters are left out where rows are read", replacing(sources, "row_view", _all_rows), "client"),
    Bug("row filters are left out where rows are changed",
        replacing(updates, "own_rows", lambda _: lambda *_args, **_more: ("true",)), "client", {"write": 10}),
    Bug("figures are over rows as they come, not over whole parts", replacing(Ledger, "table", _unparted), "analyst",
        _GROUPED),
    Bug("parts are cut by what chooses rows", lambda: bound(authorise, "CHOOSING", NO_VERBS), "tally",
        trying("cut")),
    Bug("minimum groups are left out", _unlimited(silenced(selects, "add_minimum")), "analyst", _GROUPED),
    Bug("minimum groups count joined rows",
        _unlimited(replacing(groups, "_enough_rows", lambda _: _counted_as_they_come)), "analyst", _GROUPED),
    Bug("groups may be computed", _unlimited(silenced(statement, "check_fences")), "analyst",
        _GROUPED | {"computed": 10}),
    Bug("least and greatest count as sums",
        lambda: bound(functions, "READLESS_AGGREGATES", functions.READLESS_AGGREGATES | {"min", "max"}),
        "analyst", trying("aggregate")),
    Bug("statistics of columns are shown",
        lambda: bound(relations, "CLOSED_CATALOGS", functions.CLOSED_CATALOGS - {"pg_stats", "pg_statistic"}),
        favoured={"catalog": 20}),
    Bug("functions may run queries of their own",
        silenced(functions, "reaches_beyond", False), favoured={"catalog": 20}),
    Bug("EXPLAIN shows figures", silenced(explain, "_check_figures"), "support", {"explain": 20}),
)  # fmt: skip
