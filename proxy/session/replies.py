"""What the server owes: one ordered queue, one entry for each reply (I6).

Every message that we send and that is answered puts one entry here, whether the client sent it (forward, transform)
or we did (`skip`).  After an error in the extended protocol the server drops everything up to the next Sync; so do
the entries, and what they had changed in our books is undone, newest first.  A ReadyForQuery owed to Sync is an
entry of its own; one owed to Query or FunctionCall is part of that entry and vanishes with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, TypeVar

from keys.field import FieldCiphers
from proxy.errors import FieldgateError
from proxy.rows.binding import Binding
from proxy.rows.results import RowTransformer
from proxy.sql.plan import StatementPlan
from proxy.wire.backend import FieldDescription
from proxy.wire.values.settings import ValueSettings

Key = TypeVar("Key")
Made = TypeVar("Made")


class Owed(Enum):
    """The kinds of reply, by the message that they answer."""

    PARSE = auto()
    BIND = auto()
    CLOSE = auto()
    DESCRIBE_STATEMENT = auto()
    DESCRIBE_PORTAL = auto()
    EXECUTE = auto()
    SYNC = auto()
    QUERY = auto()
    FUNCTION = auto()


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
    stamp: object  # under which revision, principal and search path it was planned
    fields: list[FieldDescription] | None = None  # the server's description of its result, once known
    bindings: dict[tuple[bytes, int, bytes], Binding] = field(default_factory=dict)  # by the shape of a Bind
    results: dict[tuple[int, ...], Result] = field(default_factory=dict)  # by the client's result formats

    def described(self, fields: list[FieldDescription]) -> None:
        self.fields = fields
        self.results.clear()


_KEPT = 8


def remember(book: dict[Key, Made], key: Key, made: Made) -> None:
    """Clients ask for few formats; one that asks for many is served, and costs more time but no more memory."""
    if len(book) >= _KEPT:
        book.clear()
    book[key] = made


@dataclass(slots=True)
class Portal:
    statement: Statement
    formats: tuple[int, ...] = ()  # the client's result formats, as in Bind


@dataclass(slots=True)
class BookChange:
    """Sending a message set `book[key]` from `old` to `new`; None stands for no entry."""

    book: dict[Any, Any]
    key: object
    old: object
    new: object

    def undo(self, later: list[BookChange]) -> None:
        """Take the change back; `later` are the changes of messages that are still to be answered, oldest first."""
        for change in later:
            if change.book is self.book and change.key == self.key:
                change.old = self.old  # that one came on top of ours, and stays
                return
        if self.old is None:
            self.book.pop(self.key, None)
        else:
            self.book[self.key] = self.old


@dataclass(slots=True)
class Reply:
    """One entry.  `changes`: what sending the message changed in our books, should the server never get to it.

    `refusal`: the server was made to fail here; its error is swapped for this one.  `ticket`: the reply waits until
    this audit record is durable.  `statements`, `index`: the plans of a Query and the one whose result comes next.
    """

    owed: Owed
    skip: bool = False
    statement: Statement | None = None
    portal: Portal | None = None
    refusal: FieldgateError | None = None
    changes: tuple[BookChange, ...] = ()
    ticket: int = 0
    statements: tuple[StatementPlan, ...] = ()
    refusals: tuple[FieldgateError | None, ...] = ()
    index: int = 0
    unchanged: bool = True
    transformer: RowTransformer | None = None
    failed: bool = False  # an error came; a Query still owes its ReadyForQuery
    muted: bool = False  # a cell could not be opened: the rest of this result is dropped
    during_copy: bool = False  # a Sync behind a COPY whose data had not ended: never answered if the COPY takes data

    def note(self, change: BookChange) -> None:
        self.changes += (change,)

    @property
    def plan(self) -> StatementPlan | None:
        """The plan whose result comes next from this entry; none once it has failed."""
        if self.failed:
            return None
        if self.statement is not None:
            return self.statement.plan
        if self.index < len(self.statements):
            return self.statements[self.index]
        return None

    @property
    def current_refusal(self) -> FieldgateError | None:
        if self.refusal is not None:
            return self.refusal
        return self.refusals[self.index] if self.index < len(self.refusals) else None


_DESCRIPTIONS = (Owed.DESCRIBE_STATEMENT, Owed.DESCRIBE_PORTAL)


class ReplyQueue:
    """The entries, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Reply] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Reply]:
        return iter(self._entries)

    def push(self, entry: Reply) -> None:
        self._entries.append(entry)

    @property
    def head(self) -> Reply | None:
        return self._entries[0] if self._entries else None

    @property
    def second(self) -> Reply | None:
        return self._entries[1] if len(self._entries) > 1 else None

    def owes_description(self, statement: Statement) -> bool:
        """Whether a Describe of the statement, or of a portal of it, is under way."""
        return any(e.statement is statement and e.owed in _DESCRIPTIONS for e in self._entries)

    def pop(self) -> Reply:
        return self._entries.popleft()

    def drop_to_sync(self) -> bool:
        """After an error in the extended protocol: forget all up to the next Sync.  False: none was sent yet."""
        dropped: list[Reply] = []
        while self._entries and self._entries[0].owed is not Owed.SYNC:
            dropped.append(self._entries.popleft())
        later = [change for entry in self._entries for change in entry.changes]
        for entry in reversed(dropped):
            for change in reversed(entry.changes):
                change.undo(later)
        return bool(self._entries)

    def forget_syncs_during_copy(self) -> None:
        """The server takes COPY data and ignores each Sync that was sent before the data's end."""
        self._entries = deque(e for e in self._entries if not e.during_copy)
