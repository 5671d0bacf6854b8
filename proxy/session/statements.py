"""Prepared statements and portals as the client knows them, and what is kept with them for their next execution."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from keys.field import FieldCiphers
from policies.model import Principal
from proxy.rows.binding import Binding
from proxy.rows.client_values import ClientValues
from proxy.rows.filling import Filling
from proxy.rows.finishing.arranging import Counts
from proxy.rows.finishing.computing import Given
from proxy.rows.reading import Reading
from proxy.rows.results import RowTransformer
from proxy.rows.sifting import Sought
from proxy.sql.plan import StatementPlan
from proxy.wire.backend import FieldDescription
from proxy.wire.values.settings import ValueSettings

from .services import Revision

Stamp = tuple[Revision, Principal, tuple[str, ...] | None]
Key = TypeVar("Key")
Made = TypeVar("Made")
_KEPT = 8


@dataclass(frozen=True, slots=True)
class Result:
    """How a statement's rows are transformed, and what that was made for."""

    transformer: RowTransformer
    ciphers: FieldCiphers
    values: ValueSettings

    def serves(self, ciphers: FieldCiphers, values: ValueSettings) -> bool:
        return self.ciphers is ciphers and self.values is values


@dataclass(slots=True)
class Statement:
    """A prepared statement as the client knows it, and what the server has said of it."""

    plan: StatementPlan
    text: str
    declared: tuple[int, ...]  # the client's parameter type OIDs, $1 first
    values: ValueSettings  # as of its Parse, when PostgreSQL reads the constants that stand in it
    stamp: Stamp  # under which revision, principal and search path it was planned
    fields: list[FieldDescription] | None = None  # the server's description of its result, once known
    bindings: dict[tuple[bytes, int, bytes], Binding] = field(default_factory=dict)  # by the shape of a Bind
    results: dict[tuple[int, ...], Result] = field(default_factory=dict)  # by the client's result formats
    fillings: dict[tuple[bytes, int, bytes], Filling] = field(default_factory=dict)  # by the shape of a Bind
    told: dict[tuple[tuple[int, ...], bytes], bytes] = field(default_factory=dict)  # RowDescriptions for the server's
    by_sql: bool = False  # PREPARE made it
    declaration: StatementPlan | None = None  # the plan of the DECLARE that made it: its rows come by `plan`
    run: Run | None = None  # of an EXECUTE, FETCH or MOVE, and then `plan` is that of what it runs
    resolved: Statement | None = None  # ... with which the books said it would be run, when they were asked last
    sought: Sought | None = None  # ... of an EXECUTE: what its rows are looked at for
    bound: bool = False  # a Bind was made of it
    parse_refused: bool = False  # its Parse was refused, and recorded as that
    parse_number: int = 0  # the entry that owes the answer to its Parse
    describe_number: int = 0  # the entry that owes the newest description of it

    @property
    def target(self) -> Statement:
        """What a portal of it runs."""
        return self.resolved or self

    def described(self, fields: list[FieldDescription]) -> None:
        self.fields = fields
        self.results.clear()
        self.told.clear()


def remember(book: dict[Key, Made], key: Key, made: Made) -> None:
    """Clients ask for few formats; one that asks for many is served, and costs more time but no more memory."""
    if len(book) >= _KEPT:
        book.clear()
    book[key] = made


@dataclass(frozen=True, slots=True)
class Bound:
    """What a Bind has given: the client's values, and what was made of them for the server."""

    client: ClientValues = field(repr=False)
    values: tuple[bytes | None, ...] = field(repr=False)


@dataclass(slots=True)
class Portal:
    statement: Statement
    formats: tuple[int, ...] = ()  # the client's result formats, as in Bind
    bind_refused: bool = False  # its Bind was refused, and recorded as that
    sought: Sought | None = None  # what its rows are looked at for
    reading: Reading | None = None  # ... and how far that has come
    read_as: tuple[int, ...] = ()  # ... in which formats
    given: Given | None = None  # what is bound, where values are worked out of it
    counts: Counts | None = None  # LIMIT and OFFSET, where its rows are put in order; such a portal is executed once
    executed: bool = False
    bound: Bound | None = None  # of an UPDATE or DELETE by a search, which is bound again with keys
    held: bool = False  # it outlives its transaction
    binary: bool = False  # DECLARE has made it so
    bound_for: Principal | None = None  # whose attributes its slots were filled with; None: as the statement says


@dataclass(frozen=True, slots=True)
class Run:
    """What EXECUTE, FETCH or MOVE runs.

    `source`: what the name stood for when it was resolved, None: nothing.  `once`: cells were sealed for its text.
    `read_under`: the settings by which dates and times among its arguments were read, None: there are none.
    """

    call: StatementPlan
    source: Statement | Portal | None
    once: bool = False
    read_under: ValueSettings | None = None
