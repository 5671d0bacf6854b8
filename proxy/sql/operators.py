"""Operators in statements that touch protected data: PostgreSQL's own, and no other of the same name."""

from __future__ import annotations

from proxy.errors import Unsupported

from .analysis import Analysis
from .side_doors import visible


def check_operator(a: Analysis, name: tuple[str, ...], position: int | None) -> None:
    """`OPERATOR(schema.x)` outside pg_catalog, and names that someone defined anew, have unknown reach."""
    schema = name[0] if len(name) > 1 else None
    others = a.catalog.operators.get(name[-1], ()) if schema is None else ()
    if schema not in (None, "pg_catalog") or any(visible(other, a.search_path) for other in others):
        raise Unsupported(
            f"the operator {'.'.join(name)} is not PostgreSQL's own, so it is not known what it does",
            hint="Write OPERATOR(pg_catalog.…) if PostgreSQL's own operator is meant.",
            position=position,
        )
