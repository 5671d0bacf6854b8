"""How the proxy puts rows in order: frozen data of the plan.  `proxy.rows.finishing.arranging` carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto

from .computation import Computation
from .plan import ValueSource


class FoldKind(StrEnum):
    MIN = auto()
    MAX = auto()
    COUNT = auto()  # of values that are not NULL
    DISTINCT = auto()  # of different ones
    ROWS = auto()


@dataclass(frozen=True, slots=True)
class Fold:
    """One column of a result of one row: all values of `computation` folded into one."""

    kind: FoldKind
    computation: Computation | None = None  # not for ROWS


@dataclass(frozen=True, slots=True)
class SortKey:
    """By the value of `computation`, or by the number in the server's column `rank`, its own place by a plain key."""

    descending: bool
    nulls_first: bool
    computation: Computation | None = None
    rank: int = -1


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The server's rows come in no order; OFFSET and LIMIT count them when they are in this one.

    `apart`: of rows that are equal in all of these only one stays.
    """

    keys: tuple[SortKey, ...]
    apart: tuple[SortKey, ...] = ()
    limit: ValueSource | None = None
    offset: ValueSource | None = None
    folds: tuple[Fold, ...] = ()  # the result is one row, of these; then there is nothing else

    @property
    def computations(self) -> tuple[Computation | None, ...]:
        keys = tuple(key.computation for key in (*self.keys, *self.apart))
        return keys + tuple(fold.computation for fold in self.folds)
