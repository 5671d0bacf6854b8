"""The words of a decision: verbs, principals, rights.  Pure data, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Flag, StrEnum, auto


class Verb(Flag):
    """What is done with a field.  `read` implies no other verb."""

    READ = auto()
    MASK = auto()
    FILTER_EQ = auto()
    FILTER_RANGE = auto()
    JOIN = auto()
    GROUP = auto()
    ORDER = auto()
    AGGREGATE = auto()
    INSERT = auto()
    UPDATE = auto()
    DELETE = auto()
    EXPORT = auto()
    HISTORY = auto()


NO_VERBS = Verb(0)

READ_VERBS = (
    Verb.READ | Verb.FILTER_EQ | Verb.FILTER_RANGE | Verb.JOIN | Verb.GROUP | Verb.ORDER | Verb.AGGREGATE | Verb.EXPORT
)
"""Whoever has one of these over a table may learn how many rows it has; nobody else may (`count(*)`, `EXISTS`)."""


VERBS_BY_NAME: dict[str, Verb] = {verb.name.lower(): verb for verb in Verb if verb.name is not None}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts.  `login` authenticated; `person` is the human being named by a service account, else the login."""

    login: str
    person: str
    roles: frozenset[str]
    controller: str
    purpose: str
    subject: str | None = None  # the data subject's key when the login *is* a data subject (row filters)
    case: str | None = None


class MaskKind(StrEnum):
    NULL = "null"


@dataclass(frozen=True, slots=True)
class FieldRights:
    """What one role set may do with one field, for one purpose: the answer of the decision table.

    `rules` names the policy rules (file:line and clause) that gave or took each verb, for reasons and audit.
    """

    verbs: Verb
    mask_null: bool = False  # named explicitly, a field without READ is NULL instead of 42501
    rules: tuple[str, ...] = ()
    min_group: int = 0  # GROUP and AGGREGATE hold only over groups of so many rows; fewer are not shown

    def allows(self, verb: Verb) -> bool:
        return verb in self.verbs


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Rows of `table` are visible where `column` equals the principal's attribute (today: `subject`)."""

    schema: str
    table: str
    column: str
    attribute: str = "subject"


@dataclass(frozen=True, slots=True)
class Parts:
    """What figures over a table are made of, for everyone who may see it in groups only.

    The rows are parted by `columns`, one after another, into parts of `least` rows or more; a figure is over whole
    parts, so no sum of figures and no difference between them is over fewer rows.
    """

    columns: tuple[str, ...]
    least: int


@dataclass(frozen=True, slots=True)
class TableRights:
    """All that the planner must know about one protected table for one role set and purpose."""

    fields: dict[str, FieldRights] = field(default_factory=dict)  # column name -> rights
    row_filter: RowFilter | None = None
    min_group: int = 0  # the strictest of the fields': holds for `count(*)` too, which names no field
    parts: Parts | None = None  # figures of what these rights do not let read are over whole parts only

    @property
    def countable(self) -> bool:
        """May a statement read this table without naming a column (`count(*)`, `EXISTS`, a join for its rows)?"""
        return any(rights.verbs & READ_VERBS for rights in self.fields.values())

    @property
    def deletes_rows(self) -> bool:
        """May rows be deleted?  A row is all its fields, so every field must allow it."""
        return bool(self.fields) and all(Verb.DELETE in rights.verbs for rights in self.fields.values())
