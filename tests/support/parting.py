"""What the parts of a table must be, worked out by itself: the rule of docs/policy.md ("Parts") in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

Values = Sequence[str | None]


def shown(rows: Sequence[Values], least: int) -> list[tuple[str | None, ...]] | None:
    """For each row its values as the table in parts shows them; None: the table has too few rows to be shown."""
    if len(rows) < least:
        return None
    made: list[list[str | None]] = [[] for _ in rows]
    for at in range(len(rows[0]) if rows else 0):
        together: dict[tuple[str | None, ...], list[int]] = defaultdict(list)
        for number, before in enumerate(made):
            together[tuple(before)].append(number)
        for members in together.values():
            kept = _kept([rows[number][at] for number in members], least)
            for number in members:
                value = rows[number][at]
                made[number].append(value if value in kept else None)
    return [tuple(values) for values in made]


def _kept(values: Sequence[str | None], least: int) -> set[str]:
    """The values that stay: large enough, and those that do not are enough together, or none."""
    counts = {value: values.count(value) for value in set(values) if value is not None}
    by_size = sorted(counts, key=lambda value: (counts[value], value.encode()))
    hidden = values.count(None)
    if not hidden and all(count >= least for count in counts.values()):
        return set(counts)
    while by_size and (hidden < least or counts[by_size[0]] < least):
        hidden += counts[by_size.pop(0)]
    return set(by_size)
