"""Types of which there are so few values that a search term gives them away: their frequencies, or a try of each."""

from __future__ import annotations

import math

from policies.fields import LogicalType

_SHORT_TEXT = 2  # characters: country codes, a letter for the sex, grades
_FEW_DIGITS = 3
LOW_BITS = 5.0  # measured: some value stands in more than one row of 32
ENOUGH_VALUES = 100  # below, frequencies say little


def has_few_values(logical: LogicalType, typmod: int) -> bool:
    """By the type alone; how a field is really filled is measured (`fieldgate leakage --measure`)."""
    match logical:
        case LogicalType.BOOL:
            return True
        case LogicalType.VARCHAR:
            return 0 <= typmod - 4 <= _SHORT_TEXT
        case LogicalType.NUMERIC:
            return 0 < (typmod - 4) >> 16 <= _FEW_DIGITS
        case _:
            return False


def min_entropy(most_frequent: int, values: int) -> float:
    """In bits: how well the single best guess of a value does.  `most_frequent` of `values` are the same."""
    return -math.log2(most_frequent / values) if values else 0.0
