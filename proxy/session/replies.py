"""What the server owes: one ordered queue, one entry for each reply (I6).

Every message that we send and that is answered puts one entry here, whether the client sent it (forward, transform)
or we did (`skip`).  After an error in the extended protocol the server drops everything up to the next Sync; so do
the entries, and what they had changed in our books is undone, newest first.  A ReadyForQuery owed to Sync is an
entry of its own; one owed to Query or FunctionCall is part of that entry and vanishes with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from proxy.errors import FieldgateError, ProtocolViolation
from proxy.rows.copy_in import CopyIn
from proxy.rows.copy_out import CopyOut
from proxy.rows.finishing.arranging import Arranger
from proxy.rows.finishing.folding import Folder
from proxy.rows.reading import Reading
from proxy.rows.results import RowTransformer
from proxy.rows.sifting import Sifter, Sought
from proxy.sql.plan import StatementPlan

from .statements import Portal, Statement

if TYPE_CHECKING:
    from .fetching import Fetching
    from .locking import Locking


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


@dataclass(slots=True, eq=False)
class BookChange:
    """Sending a message set `book[key]` from `old` to `new`; None stands for no entry.

    `index`: which statement of a Query does it; those that a failing Query never reached are taken back.
    """

    book: dict[Any, Any]
    key: object
    old: object
    new: object
    index: int = 0

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


@dataclass(slots=True, eq=False)
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
    soughts: tuple[Sought | None, ...] = ()  # what the rows of each of them are looked at for
    index: int = 0
    unchanged: bool = True
    transformer: RowTransformer | None = None
    sifter: Sifter | None = None  # of a statement whose rows are candidates
    arranger: Arranger | Folder | None = None  # of a statement whose rows are put in order
    most: int = 0  # of the rows of such Execute asked for so many, 0: all
    reading: Reading | None = None  # how far candidates have been read
    begun: bool = False  # ... and that its first rows have come
    stepping: bytes | None = None  # the portal that more candidates may be asked of, before the client's next message
    fetching: Fetching | None = None  # of a FETCH or MOVE
    locking: Locking | None = None  # of the SELECT before an UPDATE or DELETE by a search
    broken: FieldgateError | None = None  # why the server is to fail as soon as it has answered
    failed: bool = False  # an error came; a Query still owes its ReadyForQuery
    muted: bool = False  # a cell could not be opened: the rest of this result is dropped
    number: int = 0  # its place among all entries of the session
    copies: int = 0  # COPY ... FROM STDIN statements in it
    copy_begins: int = 0  # ... of which the server has asked for the data of so many
    copy_ends: int = 0  # ... and the client has ended the data of so many
    taking: tuple[StatementPlan, ...] = ()  # the plans of these COPYs
    copying_in: CopyIn | None = None  # takes the data that the client sends now, where it is sealed
    copying_out: CopyOut | None = None  # opens the rows that the server sends now
    copy_refusal: FieldgateError | None = None  # a row of its data was refused: the server was made to fail there
    rows_kept: int = 0  # so many rows wait for the rest of the result, where they are
    secrets_asked: int = 0  # how often the secrets that this result needs have been asked for
    during_copy: tuple[Reply, int] | None = None  # a Sync behind the start of this COPY, before the end of its data

    def note(self, change: BookChange) -> None:
        self.changes += (change,)

    def take_back(self, index: int = 0) -> None:
        """Before it is pushed: what its statements from that one on would have changed."""
        for change in reversed(self.changes):
            if change.index >= index:
                change.undo([])
        self.changes = tuple(change for change in self.changes if change.index < index)

    @property
    def takes_data(self) -> bool:
        """The client's CopyData may still belong to it."""
        return self.copy_ends < self.copies and not self.failed

    @property
    def in_copy(self) -> bool:
        """The server reads its data right now."""
        return self.copy_begins > self.copy_ends

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


@dataclass(slots=True, eq=False)
class Round:
    """A whole usual round of a prepared statement, in place of its entries (rounds.py)."""

    portal: Portal
    described: bool
    ticket: int = 0

    @property
    def statement(self) -> Statement:
        return self.portal.statement


_READY = (Owed.SYNC, Owed.QUERY, Owed.FUNCTION)
_DESCRIPTIONS = (Owed.DESCRIBE_STATEMENT, Owed.DESCRIBE_PORTAL)


class ReplyQueue:
    """The entries, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Reply] = deque()
        self.pushed = 0  # as many entries as there ever were
        self.last_sync = 0  # number of the newest entry that a Sync is owed

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Reply]:
        return iter(self._entries)

    def push(self, entry: Reply) -> None:
        self.pushed += 1
        entry.number = self.pushed
        if entry.owed is Owed.SYNC:
            self.last_sync = entry.number
        elif entry.statement is not None and entry.owed in _DESCRIPTIONS:
            entry.statement.describe_number = entry.number
        elif entry.statement is not None and entry.owed is Owed.PARSE:
            entry.statement.parse_number = entry.number
        self._entries.append(entry)

    def owes(self, number: int) -> bool:
        """Whether the entry of this number, or an older one, is still to be answered."""
        return bool(self._entries) and self._entries[0].number <= number

    def owes_ready(self, number: int) -> bool:
        """Whether the ReadyForQuery of the entry of this number, or of a newer one, is still to come."""
        return any(entry.number >= number and entry.owed in _READY for entry in self._entries)

    @property
    def head(self) -> Reply | None:
        return self._entries[0] if self._entries else None

    @property
    def second(self) -> Reply | None:
        return self._entries[1] if len(self._entries) > 1 else None

    def may_fail_alone(self, number: int) -> bool:
        """Whether the entry of this number is still to be answered, and its failure would not skip the next message."""
        return number <= self.last_sync and self.owes(number)

    def owes_description(self, statement: Statement) -> bool:
        """Whether a Describe of the statement, or of a portal of it, will be answered before the next message.

        One before a Sync does not count: an error there would drop it, and the next message would be carried out.
        """
        return statement.describe_number > self.last_sync and self.owes(statement.describe_number)

    def pop(self) -> Reply:
        return self._entries.popleft()

    def drop_to_sync(self) -> bool:
        """After an error in the extended protocol: forget all up to the next Sync.  False: none was sent yet."""
        dropped: list[Reply] = []
        while self._entries and self._entries[0].owed is not Owed.SYNC:
            dropped.append(self._entries.popleft())
        self._undo([change for entry in dropped for change in entry.changes], self._entries)
        return bool(self._entries)

    def fail_query(self) -> None:
        """The Query at the head has failed: what its statements from that one on would have changed is taken back."""
        head = self._entries[0]
        head.failed = True
        unreached = [change for change in head.changes if change.index >= head.index]
        head.changes = tuple(change for change in head.changes if change.index < head.index)
        self._undo(unreached, list(self._entries)[1:])

    def _undo(self, changes: list[BookChange], entries: Iterable[Reply]) -> None:
        later = [change for entry in entries for change in entry.changes]
        for change in reversed(changes):
            change.undo(later)

    def data_begins(self) -> None:
        """The server takes the next COPY's data, and ignores each Sync that was sent before that data's end."""
        head = self._entries[0]
        ignored = (head, head.copy_begins)
        head.copy_begins += 1
        self._entries = deque(e for e in self._entries if e.during_copy != ignored)


def misplaced() -> ProtocolViolation:
    return ProtocolViolation("the server's reply does not belong to the oldest request")
