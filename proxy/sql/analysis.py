"""The state of analysing one statement, and the words in which uses of columns are told from one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

from policies.fields import Field, LogicalType
from policies.model import NO_VERBS, Parts, Verb

from .appendix import Appendix
from .authorise import Guarded, Ledger
from .catalog import Catalog
from .parameters import Parameters
from .plan import FieldUse, Search, SlotKind, ValueSource
from .scope import Given, Origin, Pending, Scope, Visible
from .tree import Node

if TYPE_CHECKING:
    from .finishing import Draft, Finishing
    from .locking import Locked


@dataclass(frozen=True, slots=True)
class Use:
    """For what the value of an expression is used.

    `base` is charged for every protected column in it; where it decides which rows or branches count (`predicate`),
    filter verbs are charged as well.  `what` names the construct for refusals over sealed columns.
    """

    base: Verb
    predicate: bool = False
    what: str = "an expression"

    @property
    def general(self) -> Verb:
        return self.base | Verb.FILTER_RANGE if self.predicate else self.base

    @property
    def equality(self) -> Verb:
        return self.base | Verb.FILTER_EQ if self.predicate else self.base

    def inside(self, what: str) -> Use:
        return replace(self, what=what)

    def as_predicate(self) -> Use:
        return replace(self, predicate=True)


READING = Use(Verb.READ)
FILTERING = Use(NO_VERBS, predicate=True, what="a condition")
ORDERING = Use(Verb.ORDER, what="ORDER BY")
GROUPING = Use(Verb.GROUP, what="GROUP BY")


class QueryRole(Enum):
    """What becomes of a query's rows; it decides what `*` stands for and when naming a column is reading it."""

    TOP = auto()  # the client sees them
    BRANCH = auto()  # the client sees them, as one side of a set operation
    DERIVED = auto()  # another query reads them (FROM, WITH, a view)
    COMPARED = auto()  # IN, ANY, ALL, a scalar subquery
    EXISTS = auto()  # only whether there are any
    STORED = auto()  # INSERT ... SELECT


class Walk(Protocol):
    """Walks an expression: charges its uses, makes its edits, returns the protected columns it depends on."""

    def __call__(self, a: Analysis, node: Node, scope: Scope, use: Use) -> tuple[Guarded, ...]: ...


class RunQuery(Protocol):
    """Analyses a SELECT (or VALUES, or a set operation) body; `outer` is the scope around it."""

    def __call__(self, a: Analysis, body: Node, outer: Scope, role: QueryRole) -> list[Item]: ...


class RunWrite(Protocol):
    """Analyses an INSERT, UPDATE or DELETE body and returns the columns of its RETURNING list."""

    def __call__(self, a: Analysis, kind: str, body: Node, outer: Scope, role: QueryRole) -> list[Item]: ...


class SealGiven(Protocol):
    """Makes cells or terms of a column of VALUES that an operand names; False: it names no such column."""

    def __call__(self, a: Analysis, operand: Any, cell: Field, kind: SlotKind) -> bool: ...


@dataclass(slots=True, eq=False)
class Item:
    """One column of a query's select list (or RETURNING list).

    `first`, `last`: the tokens of the column reference, when it is one.  `visible` is what it refers to.
    `single`: it stands in a query where it can still be turned into its term (no grouping, no set operation).
    """

    name: str
    origin: Origin
    scope: Scope
    node: Node | None = None
    position: int | None = None
    visible: Visible | None = None
    first: int = -1
    last: int = -1
    single: bool = False
    named: bool = False  # has its name by AS
    text_cast: int = 0  # OID of the text-like type that the client casts the cell to
    inserted: bool = False  # put in by `*`, so it has no tokens of its own
    unknown: bool = False  # stands for an unknown number of columns
    row_key_at: int | None = None
    appendix: Appendix | None = None  # of the subquery whose select list it stands in
    draft: Draft | None = None  # an expression that the proxy works out


@dataclass(slots=True)
class Analysis:
    """`walk` and `query` are handed in, because expressions contain queries and queries contain expressions."""

    catalog: Catalog
    ledger: Ledger
    parameters: Parameters
    search_path: tuple[str, ...] | None
    walk: Walk
    query: RunQuery
    write: RunWrite
    seal_given: SealGiven
    pendings: list[Pending] = field(default_factory=list)
    analysed: set[int] = field(default_factory=set)  # OIDs of protected relations, and views of such, that it uses
    views: int = 0  # how many were expanded
    hidden: int = 0  # columns that were put in behind the outermost select list
    left_side: dict[int, Callable[[list[Item]], None]] = field(default_factory=dict)  # by identity of a UNION's body
    given: list[Given] = field(default_factory=list)
    parts: dict[str, Parts] = field(default_factory=dict)  # of the tables (schema.table) that are seen in parts
    volatile: list[tuple[str, int | None]] = field(default_factory=list)  # such functions, and where
    filters: list[int | None] = field(default_factory=list)  # aggregates with FILTER
    computed_keys: list[int | None] = field(default_factory=list)  # GROUP BY of something that is no column
    copied: bool = False  # the rows are copied out: what is denied is refused, where a SELECT would show NULL for `*`
    draws: list[str] = field(default_factory=list)  # sequences from which row keys are drawn beforehand

    searchable: bool = False  # the statement's rows go straight to the client, through a sieve if need be
    lockable: bool = False  # the statement is by itself, so that another one may be said before it
    locked: Locked | None = None  # of an UPDATE or DELETE by a search
    lock_keys: tuple[str, ...] = ()  # of the SELECT that is said before it: SQL of the columns of the key
    finishable: bool = False  # ... and values may be worked out of them, and they may be put in order
    searches: list[tuple[str, Search]] = field(default_factory=list)  # with the SQL of the column that is looked at
    ranges: dict[str, list[Any]] = field(default_factory=dict)  # comparisons, by the SQL of their column (ranges.py)
    limit: ValueSource | None = None
    offset: ValueSource | None = None
    finishing: Finishing | None = None  # of the outermost SELECT
    finished_parameters: dict[int, LogicalType] = field(default_factory=dict)  # whose values only the proxy needs

    def charge(self, origin: Origin, verbs: Verb, position: int | None) -> None:
        """Charge `verbs` on everything a value depends on."""
        if origin.released:
            verbs &= ~Verb.READ
        for column in origin.columns:
            self.ledger.charge(column, verbs, position)
        for pending in origin.pending:
            pending.used = True

    @property
    def touched(self) -> bool:
        return bool(self.analysed)

    def charge_mask(self, origin: Origin) -> None:
        """A column that policy shows as NULL was named."""
        for column in origin.columns:
            self.ledger.uses[FieldUse(column.name, Verb.MASK)] = None
            self.ledger.rules.update(dict.fromkeys(column.rights.rules))
        for pending in origin.pending:
            pending.used = True

    def charge_stored(self, columns: tuple[Guarded, ...], governed: bool, position: int | None) -> None:
        """Values that depend on `columns` are stored; where no policy covers the place, that is an export."""
        if not governed:
            for column in columns:
                self.ledger.charge(column, Verb.EXPORT, position)

    def charge_pending(self) -> None:
        """Columns named in inner select lists that nothing used: naming was reading."""
        for pending in self.pendings:
            if not pending.used:
                self.ledger.charge(pending.column, Verb.READ, pending.position)
