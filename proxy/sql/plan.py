"""The Plan: everything that later steps need to know about one statement, as frozen data.

Nothing after this module looks at SQL.  A Plan holds no value of any principal, so that principals with the same
rights share it: row filters refer to slots that are filled for each execution.

How upstream text is made: `segments` is the client's own text, cut where something is put in.  An `int` is an index
into `slots`.  In the extended protocol each slot is a physical parameter `$k` (see `physical_parameters`); in the
simple protocol it is written as a literal for each execution (`'\\x...'::pg_catalog.bytea`, `NULL`, or a quoted text
literal with a cast), by `proxy.rows.params`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum, auto
from typing import TYPE_CHECKING

from policies.fields import Field, LogicalType
from policies.model import Parts, Verb
from proxy.errors import FieldgateError
from proxy.wire.copying.options import CopyOptions
from proxy.wire.values.codecs import follows_settings

if TYPE_CHECKING:
    from .arrangement import Arrangement
    from .computation import Computation


class StatementKind(StrEnum):
    SELECT = auto()
    INSERT = auto()
    UPDATE = auto()
    DELETE = auto()
    MERGE = auto()
    TRANSACTION = auto()
    SETTING = auto()  # SET, RESET, SHOW, DISCARD
    COPY = auto()
    UTILITY = auto()  # everything else
    EMPTY = auto()


class SlotKind(StrEnum):
    """What a slot becomes upstream.  CELL and TERM are `bytea` (or `bytea[]` when `array`)."""

    PLAIN = auto()  # a client parameter as it is (extended protocol only), or a drawn key as text
    CELL = auto()  # the value sealed for `field`
    TERM = auto()  # the equality term of the value for `field`
    TOKENS = auto()  # the search tokens of the pattern, or of the range with all its ends, for `field`, int4[]
    END = auto()  # NULL: an end of a range, which stands in the TOKENS slot of its column
    COUNT = auto()  # NULL: what only the proxy needs, as a LIMIT that it counts by itself
    KEYS = auto()  # the keys of the rows that were found, an array of column `attribute` of the key; before that NULL
    UNUSED = auto()  # NULL: a number that the statement does not use
    PRINCIPAL = auto()  # an attribute of the principal, as text, cast in the SQL around it


@dataclass(frozen=True, slots=True)
class ValueSource:
    """Where a slot's value comes from: client parameter `$parameter` (1-based), or a constant of the client's text.

    `constant` is the value in PostgreSQL's text form.  `draw` is an index into the plan's `draws`: the row's key, drawn
    from its sequence before the statement is sent, so that cells can be bound to it.  All None: SQL NULL.
    """

    parameter: int | None = None
    constant: bytes | None = None
    draw: int | None = None


class Comparing(StrEnum):
    """How an opened value is compared with what was searched for."""

    LIKE = auto()
    ILIKE = auto()
    STARTS = auto()  # ^@: it begins with the text


class End(StrEnum):
    """What an end of a range says of a value: it is less than the end, at most the end, ..."""

    LESS = auto()
    AT_MOST = auto()
    MORE = auto()
    AT_LEAST = auto()
    EITHER = auto()  # one of the two of BETWEEN SYMMETRIC, which follow each other


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range.  `type_oid`: the type that it is cast to, or has as it is written; 0: the field's own."""

    end: End
    source: ValueSource
    type_oid: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    kind: SlotKind
    source: ValueSource | None = None  # not for PRINCIPAL, KEYS and UNUSED
    field: Field | None = None  # CELL and TERM
    array: bool = False  # the client's value is an array of the logical type: `= ANY($1)`
    attribute: str | None = None  # PRINCIPAL: name of the attribute of `Principal`; KEYS: which column of the key
    row_key: ValueSource | None = None  # CELL of a row-bound field: where the row's key comes from
    row_key_type: int = 0  # OID of the row key column's type
    comparing: Comparing | None = None  # TOKENS
    bounds: tuple[Bound, ...] = ()  # TOKENS of a range

    @property
    def sources(self) -> tuple[ValueSource, ...]:
        """All values that it is made of, but for the row's key."""
        own = (self.source,) if self.source is not None else ()
        return own if not self.bounds else tuple(bound.source for bound in self.bounds)


@dataclass(frozen=True, slots=True)
class Lowering:
    """What the database's own collation makes of letters: `table` for str.translate, character by character.

    `sigma`: a capital sigma at the end of a word becomes the final one.
    """

    table: dict[int, str]
    sigma: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """One comparison that each row's opened value has to pass, or one range that it has to lie in (`bounds`).

    `column`: where the cell stands in the server's rows; its RowDescription must name `relation_oid` and `attnum` (I2).
    """

    field: Field
    column: int
    comparing: Comparing | None
    sought: ValueSource
    relation_oid: int
    attnum: int
    bounds: tuple[Bound, ...] = ()

    def at(self, column: int) -> Search:
        return replace(self, column=column)


@dataclass(frozen=True, slots=True)
class Sift:
    """The server's rows are candidates: which of them are the result.  LIMIT and OFFSET count those."""

    searches: tuple[Search, ...]
    limit: ValueSource | None = None
    offset: ValueSource | None = None
    lowering: Lowering | None = None


KeyPlace = tuple[str, int]  # kind of the data subjects, and the physical column that holds their keys


class OutputAction(StrEnum):
    PASS = auto()  # forwarded; if it is bytea, an envelope in it is an error (I2)
    OPEN = auto()  # a sealed cell of `field`
    COMPUTE = auto()  # worked out by `computation`; physically its first cell


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One column of the result as the client sees it, in its order.

    `relation_oid` and `attnum` are what the server's RowDescription must say for this column (I2); both 0 when it
    can only say 0 and the field id in the associated data is the proof.  `type_oid`/`typmod` replace the server's.
    """

    name: str
    action: OutputAction
    field: Field | None = None
    relation_oid: int = 0
    attnum: int = 0
    type_oid: int = 0
    typmod: int = -1
    row_key_output: int | None = None  # index of the physical output column that holds the row key
    normalised: bool = False  # what all cells of its group have in common is shown, not how one of them is written
    computation: Computation | None = None  # COMPUTE


@dataclass(frozen=True, slots=True)
class CopyTo:
    """COPY ... TO STDOUT: what the server is asked for has `columns`, and behind them `hidden` ones that are stripped.

    COPY has no RowDescription: the second proof of where a cell comes from is the field id that it is sealed with.
    """

    options: CopyOptions
    columns: tuple[OutputColumn, ...]
    hidden: int = 0
    row_key_types: tuple[tuple[int, int], ...] = ()  # OIDs of the types of the keys of bound cells, by their column

    @property
    def transforms(self) -> bool:
        """Otherwise the rows are the client's as the server writes them."""
        return self.hidden > 0 or any(column.action is OutputAction.OPEN for column in self.columns)


@dataclass(frozen=True, slots=True)
class CopyColumn:
    """One column of COPY ... FROM STDIN; `field`: its values are sealed."""

    name: str
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class CopyFrom:
    """COPY ... FROM STDIN.  `options` are the client's; `upstream`: how the rows look that the server gets.

    `table` is its name, for errors.  `row_key`: the column that holds the key of the row, where cells are bound to it;
    `row_key_type` is its type's OID.  `skips_bad_rows`: ON_ERROR ignore; a value that does not fit its field then makes
    the server skip its row.
    """

    options: CopyOptions
    upstream: CopyOptions
    columns: tuple[CopyColumn, ...]
    table: str
    row_key: int | None = None
    row_key_type: int = 0
    skips_bad_rows: bool = False


@dataclass(frozen=True, slots=True)
class FieldUse:
    """One use of one protected field by a statement; what audit records and what authorise decided on."""

    field: str  # schema.table.column
    verb: Verb


class SessionEffect(StrEnum):
    """What a statement does to the session state that planning depends on, once it has completed."""

    NONE = auto()
    SEARCH_PATH = auto()  # `effect_value` is the new path (comma separated, parsed), None: unknown from now on
    RESET_ALL = auto()
    DISCARD_ALL = auto()
    DEALLOCATE = auto()  # `effect_value`: the statement's name, None: ALL
    CATALOG = auto()  # DDL: the catalog must be read again
    FIELDGATE = (
        auto()
    )  # SET, RESET fieldgate.*: answered by the proxy; `effect_value` is "name=value", for RESET "name"
    PREPARES = auto()  # PREPARE: `effect_value` names a statement from now on, as a Parse would; see `keeps`
    DECLARES = auto()  # DECLARE CURSOR: `effect_value` names a portal from now on, as a Bind would; see `keeps`
    RUNS_STATEMENT = auto()  # EXECUTE: what stands behind the name `effect_value` is run, whoever made it
    RUNS_PORTAL = auto()  # FETCH, MOVE: the same for a portal
    CLOSES = auto()  # CLOSE: `effect_value` names the portal, None: ALL
    ENDS_TRANSACTION = auto()  # COMMIT, ROLLBACK, PREPARE TRANSACTION
    RETURNS_TO_SAVEPOINT = auto()
    VALUE_SETTINGS = auto()  # DateStyle, TimeZone or IntervalStyle, which rule how values are read and shown
    TAKES_DATA = auto()  # COPY ... FROM STDIN: the client's CopyData follows


class Written(StrEnum):
    """How a constant was written; a cast may stand around it."""

    NULL = auto()
    STRING = auto()
    INTEGER = auto()
    DECIMAL = auto()
    BOOLEAN = auto()
    ARRAY = auto()  # ARRAY[...] of constants


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of EXECUTE: the client's own text, and what is known of it if it is one constant.

    `casts`: the types that it is cast to, outermost first, with whether it is an array of such; None: another type.
    """

    text: bytes
    written: Written | None = None  # None: no constant
    constant: bytes = b""
    casts: tuple[tuple[LogicalType, bool] | None, ...] = ()
    elements: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What PREPARE and DECLARE keep under a name.

    `plan`: PREPARE's statement, or the rows of a cursor (its segments are then empty).  `text` is planned again, with
    the parameter types `declared`, when something has changed: PREPARE's statement, or the whole DECLARE.
    """

    plan: StatementPlan
    text: str
    declared: tuple[int, ...] = ()
    held: bool = False  # the cursor outlives its transaction
    binary: bool = False  # its rows are binary in a Query


@dataclass(frozen=True, slots=True)
class Fetch:
    """FETCH or MOVE of so many rows forward, 0: all that are left."""

    count: int
    moves: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """What the policy would do to a statement that passes because its tables are observed only.

    `sqlstate`: of the refusal; None: it would be answered, with fewer rows or with NULLs.
    """

    sqlstate: str | None


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column of a table's key; RowDescription must name it (I2)."""

    name: str
    type_oid: int
    relation_oid: int
    attnum: int


@dataclass(frozen=True, slots=True)
class Locks:
    """Of an UPDATE or DELETE by a search: `plan` gives its candidates and locks them, and `key` behind all it shows."""

    plan: StatementPlan
    key: tuple[KeyColumn, ...]


@dataclass(frozen=True, slots=True)
class StatementPlan:
    """One statement.  `refusal` set: upstream must be made to fail at this position and the client sees the refusal."""

    kind: StatementKind
    segments: tuple[bytes | int, ...]
    slots: tuple[Slot, ...] = ()
    draws: tuple[str, ...] = ()  # one sequence (qualified and quoted) for each key that an execution needs
    client_parameters: int = 0  # the highest $n in the client's text
    # logical type that ParameterDescription must show for client parameter n (only where it differs upstream)
    parameter_types: tuple[tuple[int, int], ...] = ()
    outputs: tuple[OutputColumn, ...] | None = None  # None: not analysed; PASS for all, envelopes guarded
    sift: Sift | None = None
    arranged: Arrangement | None = None  # the rows are put in order here
    locks: Locks | None = None  # what finds the rows that it writes, and is said before it
    hidden_outputs: int = 0  # so many trailing physical columns are ours and are stripped
    returns_rows: bool = False
    touches_protected: bool = False
    uses: tuple[FieldUse, ...] = ()
    rules: tuple[str, ...] = ()
    parts: tuple[tuple[str, Parts], ...] = ()  # tables (schema.table) over whole parts of which its figures are
    effect: SessionEffect = SessionEffect.NONE
    effect_value: str | None = None
    refusal: FieldgateError | None = None
    fingerprint: str = ""  # of the statement's shape, for audit; holds no constant
    copy: CopyTo | CopyFrom | None = None  # COPY of protected data
    writes: bool = False  # INSERT, UPDATE, DELETE or MERGE stands somewhere in it, in WITH, too
    edited: bool = False  # the text is not the client's own, even if it is one segment without a slot (`*` spelt out)
    unsettled: bool = False  # it uses a field whose form is changing (forms.py)
    keeps: Kept | None = None  # PREPARE and DECLARE
    fetch: Fetch | None = None  # FETCH and MOVE, where they go forward
    arguments: tuple[Argument, ...] | None = None  # EXECUTE; None: EXECUTE inside another statement, or another kind
    outline: str = ""  # of a refused or observed one, for audit: the statement without values (outline.py)
    reason: str | None = None  # ... and why, without the client's words
    observed: Observed | None = None
    # Follow from the above; asked for at every execution, so worked out once.
    rewritten: bool = field(init=False, compare=False, repr=False)
    opens: bool = field(init=False, compare=False, repr=False)
    # What DateStyle and TimeZone rule: values of sealed fields that stand in the text, that are bound, that are shown.
    constants_follow: bool = field(init=False, compare=False, repr=False)
    parameters_follow: bool = field(init=False, compare=False, repr=False)
    outputs_follow: bool = field(init=False, compare=False, repr=False)
    computes_follow: bool = field(init=False, compare=False, repr=False)  # ... in binary, too
    computes_bound: bool = field(init=False, compare=False, repr=False)  # values that are bound are shown
    # Cells under data subjects' secrets: it seals some; where the rows hold the keys of those whose cells it opens.
    seals_subjects: bool = field(init=False, compare=False, repr=False)
    subject_places: tuple[KeyPlace, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        opens = self.outputs is not None and any(o.action is not OutputAction.PASS for o in self.outputs)
        computed = self.computations
        object.__setattr__(self, "computes_follow", any(each.follows for each in computed))
        object.__setattr__(self, "computes_bound", any(each.bound for each in computed))
        object.__setattr__(self, "rewritten", self.edited or bool(self.slots) or len(self.segments) != 1)
        object.__setattr__(self, "opens", opens)
        sources = [source for slot in self.slots if _follows(slot.field) for source in slot.sources]
        constants = any(source.parameter is None for source in sources)
        prepares = self.effect is SessionEffect.PREPARES and self.keeps is not None and self.keeps.plan.constants_follow
        object.__setattr__(self, "constants_follow", constants or prepares)
        bound = any(source.parameter is not None for source in sources)
        object.__setattr__(self, "parameters_follow", bound or _reads_following(self.copy))
        shown = self.copy.columns if isinstance(self.copy, CopyTo) else self.outputs or ()
        seals = any(slot.kind is SlotKind.CELL and _subject_kind(slot.field) is not None for slot in self.slots)
        object.__setattr__(self, "seals_subjects", seals)
        object.__setattr__(self, "subject_places", self._subject_places(shown))
        object.__setattr__(self, "outputs_follow", self.computes_follow or any(_follows(o.field) for o in shown))

    @property
    def computations(self) -> tuple[Computation, ...]:
        """Of the select list, and of the keys by which the rows are put in order."""
        shown = (output.computation for output in self.outputs or ())
        arranged = self.arranged.computations if self.arranged is not None else ()
        return tuple(each for each in (*shown, *arranged) if each is not None)

    def _subject_places(self, shown: tuple[OutputColumn, ...]) -> tuple[KeyPlace, ...]:
        found = {(_subject_kind(column.field), column.row_key_output) for column in shown}
        for computation in self.computations:
            found |= {(_subject_kind(cell.field), cell.row_key) for cell in computation.cells}
        return tuple(sorted((kind, place) for kind, place in found if kind is not None and place is not None))

    @property
    def counted_here(self) -> bool:
        """How many of its rows are the result, and which, only we know: the server is not told LIMIT."""
        return self.sift is not None or self.arranged is not None

    @property
    def recorded(self) -> bool:
        """Each execution is a decision."""
        return bool(self.uses) or self.observed is not None

    @property
    def shows_rows(self) -> bool:
        """It is a SELECT that writes nothing, or copies the rows of one to the client."""
        return not self.writes and (self.kind is StatementKind.SELECT or isinstance(self.copy, CopyTo))

    @property
    def has_literals(self) -> bool:
        """Its text has no parameters: what stands in its slots is written into it whenever it is parsed (COPY)."""
        return self.copy is not None and bool(self.slots)


def _reads_following(copy: CopyTo | CopyFrom | None) -> bool:
    return isinstance(copy, CopyFrom) and any(_follows(column.field) for column in copy.columns)


def _subject_kind(field: Field | None) -> str | None:
    return field.sealing.subject_kind if field is not None and field.sealing is not None else None


def _follows(field: Field | None) -> bool:
    return field is not None and field.sealing is not None and follows_settings(field.sealing.logical_type)


@dataclass(frozen=True, slots=True)
class ScriptPlan:
    """All statements of one simple Query, in order; `unchanged`: forward the client's own bytes."""

    statements: tuple[StatementPlan, ...]
    unchanged: bool


def physical_parameters(plan: StatementPlan) -> tuple[Slot, ...]:
    """The upstream statement's parameters $1..$m: slot i of the plan is `$i+1`.

    The planner keeps this true: in a rewritten statement with parameters, *every* client parameter stands in `slots`
    (kind PLAIN when it is passed on), client parameter n that is used plainly first, at index n-1 wherever possible.
    """
    return plan.slots
