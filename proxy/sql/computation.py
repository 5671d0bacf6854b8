"""What the proxy works out of opened values: expressions of the select list, as frozen data of the plan.

A term is a small tree.  Its leaves are cells of the same row, plain values of that row as text, and what the client
gave: constants, and parameters that are read at each Bind.  `proxy.rows.finishing` carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto

from policies.fields import Field, LogicalType

from .plan import ValueSource


class Operation(StrEnum):
    """By PostgreSQL's names where it has one; NULL in, NULL out, but for the first three."""

    COALESCE = auto()
    CONCAT = auto()
    CONCAT_WS = auto()
    APPEND = auto()  # ||
    LOWER = auto()
    UPPER = auto()
    LENGTH = auto()
    OCTET_LENGTH = auto()
    BIT_LENGTH = auto()
    SUBSTR = auto()
    LEFT = auto()
    RIGHT = auto()
    BTRIM = auto()
    LTRIM = auto()
    RTRIM = auto()
    REPLACE = auto()
    REVERSE = auto()
    STRPOS = auto()
    TEXT = auto()  # a cast to text
    MOMENT = auto()  # a date as the timestamp of its midnight
    EXTRACT = auto()
    TO_CHAR = auto()


@dataclass(frozen=True, slots=True)
class Casing:
    """What a collation makes of letters, character by character, for str.translate.

    `doubtful`: characters whose small form depends on their neighbours, so a text that holds one is not made small.
    """

    lower: dict[int, str]
    upper: dict[int, str]
    doubtful: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CellLeaf:
    """`index` into the computation's cells."""

    index: int
    logical: LogicalType


@dataclass(frozen=True, slots=True)
class TextLeaf:
    """`index` into the computation's texts."""

    index: int


@dataclass(frozen=True, slots=True)
class GivenLeaf:
    """`least`: a smaller number is an error."""

    source: ValueSource
    logical: LogicalType
    least: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """`taken`: the type of what the operation is done with; `unit`: what EXTRACT takes, or TO_CHAR's pattern."""

    operation: Operation
    arguments: tuple[Term, ...]
    taken: LogicalType = LogicalType.TEXT
    unit: str = ""
    casing: Casing | None = None  # LOWER, UPPER


Term = CellLeaf | TextLeaf | GivenLeaf | Call


@dataclass(frozen=True, slots=True)
class CellPlace:
    """Where the server's rows hold a cell; its RowDescription must name `relation_oid` and `attnum` (I2)."""

    field: Field
    column: int
    relation_oid: int
    attnum: int
    row_key: int | None = None  # the column that holds the key of the row that it is bound to


@dataclass(frozen=True, slots=True)
class Computation:
    """`texts`: columns that hold plain values as text.  `logical`: in what form the term's value comes."""

    term: Term
    cells: tuple[CellPlace, ...]
    texts: tuple[int, ...]
    logical: LogicalType
    type_oid: int
    typmod: int = -1
    follows: bool = False  # DateStyle or TimeZone rule it

    @property
    def bound(self) -> bool:
        """It depends on what is bound, so it is worked out for one execution."""
        return any(leaf.source.parameter is not None for leaf in given_leaves(self.term))


def given_leaves(term: Term) -> list[GivenLeaf]:
    if isinstance(term, GivenLeaf):
        return [term]
    return [leaf for each in term.arguments for leaf in given_leaves(each)] if isinstance(term, Call) else []
