"""What may not stand beside a row filter or a minimum group, wherever in the statement it is.

A function that counts its calls tells how many rows a condition was asked of, whoever's they are; beside a minimum
group it, a FILTER, or a computed group key can make a group of one and subtract it from the rest.
"""

from __future__ import annotations

from proxy.errors import Unsupported

from .analysis import Analysis


def check_fences(a: Analysis) -> None:
    """Raises Unsupported."""
    rights = a.ledger.used_tables()
    grouped = any(table.min_group for table in rights)
    filtered = any(table.row_filter is not None for table in rights)
    if a.volatile and (grouped or filtered):
        name, position = a.volatile[0]
        raise Unsupported(
            f"the function {name} is not available beside tables of which you may see some rows or groups only",
            hint="Call it in a statement of its own.",
            position=position,
        )
    if grouped and a.filters:
        raise Unsupported(
            "FILTER is not available over tables of which you may see groups only",
            hint="Group by the column instead.",
            position=a.filters[0],
        )
    if grouped and a.computed_keys:
        raise Unsupported(
            "tables of which you may see groups only are grouped by their columns as they are",
            hint="Write the column itself in GROUP BY.",
            position=a.computed_keys[0],
        )
