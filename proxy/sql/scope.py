"""What names mean at one place of a statement: sources, columns and common table expressions, as PostgreSQL nests them.

PostgreSQL's rules (parse_relation.c): an unqualified column is searched in all visible columns of the innermost query,
then of the next one outwards; two matches at one level are an error; only when no level has such a column may the
name mean a whole row.  A qualified one takes the innermost source of that name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from policies.fields import Field
from policies.model import Parts
from proxy.errors import Refused, SqlState, Unsupported

from .authorise import Guarded
from .catalog import Relation
from .edits import SqlText
from .fragments import HIDDEN_PREFIX, dotted
from .name_errors import QUALIFY, ambiguous, system_column, unknown_column, whole_row
from .tree import Node

if TYPE_CHECKING:
    from .appendix import Appendix

SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


@dataclass(slots=True, eq=False)
class Pending:
    """A protected column named in an inner select list: if nothing outside uses it, naming it was reading it."""

    column: Guarded
    position: int | None
    used: bool = False


@dataclass(slots=True, eq=False)
class Given:
    """A column of VALUES, or of unnest, that holds constants and parameters only; places are where it is named."""

    nodes: list[Node]
    scope: Scope
    array: bool = False  # the one node is an array of the values
    sealed_for: tuple[str, str] | None = None
    named: set[tuple[int, int]] = field(default_factory=set)
    sealed: set[tuple[int, int]] = field(default_factory=set)


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """What a value is made of.

    `columns`: protected columns that it depends on.  `exact`: it is that one column, unchanged.  `cell`: it is
    physically a sealed cell of that field.  `oid`, `attnum`: where RowDescription will say it comes from.
    `nulled`: NULL stands in place of a column that may not be used at all.
    """

    columns: tuple[Guarded, ...] = ()
    exact: bool = False
    cell: Field | None = None
    oid: int = 0
    attnum: int = 0
    nulled: bool = False
    type_oid: int = 0
    released: bool = False  # a group key or an aggregate of an inner query: whoever may group may see it
    pending: tuple[Pending, ...] = ()
    given: Given | None = None


NOTHING = Origin()


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of a source.  `term`, `tokens`: the source's own columns that hold them; `row_key`: its row's key."""

    name: str
    origin: Origin
    term: str | None = None
    row_key: str | None = None  # name, in the same source, of the column that its cell is bound to; '': not there
    inner: str | None = None  # the name by which the source's own table knows it
    inside: Visible | None = None  # a subquery's column: what it is inside,
    appendix: Appendix | None = None  # and where more can be put beside it
    tokens: str | None = None


@dataclass(slots=True, eq=False)
class Source:
    """Something that FROM names.  `opaque`: its columns are not known here."""

    alias: str
    columns: list[Column]
    relation: Relation | None = None
    qualified: bool = False  # it may also be written schema.table.column
    opaque: bool = False
    anonymous: bool = False  # has no alias: its columns have no qualified name
    replaced: bool = False  # a subquery stands in its place, which has no schema
    parts: Parts | None = None  # it is seen in these

    @property
    def protected(self) -> bool:
        return self.relation is not None and self.relation.protected is not None

    def column(self, name: str) -> Column | None:
        found = [column for column in self.columns if column.name == name]
        if len(found) > 1:
            raise ambiguous(name)
        return found[0] if found else None


@dataclass(frozen=True, slots=True, eq=False)
class Visible:
    """A column together with the source through which it is reached; `merged` is the other side of JOIN USING."""

    name: str
    column: Column
    source: Source
    merged: tuple[Visible, ...] = ()

    @property
    def reference(self) -> str:
        """SQL that names it, whatever else is in scope."""
        if self.merged:
            return f"COALESCE({', '.join(each.reference for each in self.merged)})"
        return dotted(self.column.name) if self.source.anonymous else dotted(self.source.alias, self.column.name)


@dataclass(slots=True)
class Namespace:
    """What a FROM item, or a whole FROM list, adds: sources by name, and the columns `*` and bare names see."""

    sources: list[Source] = field(default_factory=list)
    columns: list[Visible] = field(default_factory=list)
    opaque: list[Source] = field(default_factory=list)  # sources whose unknown columns bare names may mean

    def add(self, other: Namespace) -> None:
        known = {source.alias for source in self.sources if not source.anonymous}
        for source in other.sources:
            if source.alias in known and not source.anonymous:
                raise Unsupported(
                    f'the name "{source.alias}" stands for two tables of one FROM list',
                    hint="Give each of them an alias of its own.",
                )
        self.sources.extend(other.sources)
        self.columns.extend(other.columns)
        self.opaque.extend(other.opaque)


def namespace_of(source: Source) -> Namespace:
    visible = [Visible(column.name, column, source) for column in source.columns]
    return Namespace([source], visible, [source] if source.opaque else [])


@dataclass(slots=True)
class CommonTable:
    """A common table expression; `columns` None while a recursive one is still being analysed."""

    name: str
    columns: list[Column] | None
    opaque: bool = False


@dataclass(slots=True, eq=False)
class Level:
    """What one query's clauses have in common: its group keys, and over which tables it counts or sums."""

    keys: set[tuple[int, str]] = field(default_factory=set)  # (identity of the source, column) in GROUP BY
    grouped: bool = False  # GROUP BY, HAVING or an aggregate: one row stands for a group
    totals: bool = False  # what stands in the query says beforehand that it is going to be grouped
    sets: bool = False  # GROUPING SETS, ROLLUP or CUBE
    counts_rows: bool = False
    table: int | None = None  # the token TABLE, where the query is `TABLE name`
    values: bool = False  # a subquery that is nothing but a list of constants and parameters, like a row of VALUES
    over: dict[int, tuple[Source, int]] = field(default_factory=dict)  # tables whose groups must have so many rows

    def is_key(self, visible: Visible) -> bool:
        return (id(visible.source), visible.column.name) in self.keys


@dataclass(slots=True)
class Scope:
    """One query level of one text."""

    text: SqlText
    parent: Scope | None = None
    names: Namespace = field(default_factory=Namespace)
    tables: dict[str, CommonTable] = field(default_factory=dict)
    level: Level = field(default_factory=Level)

    def common_table(self, name: str) -> CommonTable | None:
        level: Scope | None = self
        while level is not None:
            if name in level.tables:
                return level.tables[name]
            level = level.parent
        return None

    def with_names(self, names: Namespace) -> Scope:
        """The same level, seeing only `names` (a join condition, a LATERAL item)."""
        return Scope(self.text, self.parent, names, self.tables, self.level)

    def find(self, name: str, position: int | None) -> Visible | None:
        """An unqualified column; None: it belongs to a source whose columns are unknown, or does not exist."""
        level: Scope | None = self
        doubtful = False
        while level is not None:
            found = [visible for visible in level.names.columns if visible.name == name]
            if len(found) > 1:
                raise ambiguous(name, position)
            if found and doubtful:
                raise Unsupported(
                    f'it is not clear what the column "{name}" belongs to', hint=QUALIFY, position=position
                )
            if found:
                return found[0]
            if name in SYSTEM_COLUMNS and level.names.sources:
                _check_system_column(level, name, position)
                return None
            doubtful = doubtful or bool(level.names.opaque)
            level = level.parent
        self._refuse_rows(name, position)
        if not doubtful:
            raise unknown_column(name, position)
        return None

    def _refuse_rows(self, name: str, position: int | None) -> None:
        """No column of that name is known: it would be the whole row of the innermost source of that name."""
        level: Scope | None = self
        while level is not None:
            for source in level.names.sources:
                if source.alias == name and not source.anonymous:
                    if source.opaque and not source.protected:
                        return
                    raise whole_row(name, position)
            level = level.parent

    def find_source(self, schema: str | None, name: str, position: int | None) -> Source:
        level: Scope | None = self
        while level is not None:
            for source in level.names.sources:
                if source.alias == name and not source.anonymous and _matches(source, schema):
                    return source
            level = level.parent
        raise Refused(
            f'missing FROM-clause entry for table "{name}"', sqlstate=SqlState.UNDEFINED_TABLE, position=position
        )


def _check_system_column(level: Scope, name: str, position: int | None) -> None:
    """It belongs to one of this level's tables; none of them may be protected."""
    if any(source.protected for source in level.names.sources):
        raise system_column(name, position)


def _matches(source: Source, schema: str | None) -> bool:
    if schema is None:
        return True
    return source.qualified and source.relation is not None and source.relation.schema == schema


def is_hidden(name: str) -> bool:
    return name.startswith(HIDDEN_PREFIX)
