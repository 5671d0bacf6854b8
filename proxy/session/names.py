"""Our books of names: prepared statements and portals, each as it will be when the server has answered everything.

What sending a message changes is noted in its entry, and taken back if the server never gets to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .replies import BookChange, Owed, Reply, ReplyQueue
from .statements import Portal, Statement

_NAME_SIZE = 63  # bytes: the server cuts longer names, so that two of them may be one


class AnswersNeeded(Exception):
    """What a name stands for depends on answers that are under way; the message waits, and nothing has been changed."""


@dataclass(slots=True)
class Names:
    queue: ReplyQueue
    statements: dict[bytes, Statement] = field(default_factory=dict)
    portals: dict[bytes, Portal] = field(default_factory=dict)
    # Names that stood for something else before: the newest entry that changes each, and whether it can fail alone.
    unsettled: dict[tuple[bool, bytes], tuple[int, bool]] = field(default_factory=dict)

    def set_statement(self, entry: Reply, name: bytes, new: Statement | None, index: int = 0) -> None:
        name = cut(name)
        self._unsettle(False, name, self.statements, entry)
        entry.note(changed(self.statements, name, new, index))

    def set_portal(self, entry: Reply, name: bytes, new: Portal | None, index: int = 0) -> None:
        name = cut(name)
        self._unsettle(True, name, self.portals, entry)
        entry.note(changed(self.portals, name, new, index))

    def _unsettle(self, is_portal: bool, name: bytes, book: dict[bytes, Any], entry: Reply) -> None:
        mark = (is_portal, name)
        if name in book or mark in self.unsettled:
            self.unsettled[mark] = (self.queue.pushed + 1, entry.owed is Owed.QUERY)

    def statement(self, name: bytes) -> Statement | None:
        """What the server has under this name when it gets to the message at hand.  Raises AnswersNeeded."""
        name = cut(name)
        self._settle((False, name))
        return self.statements.get(name)

    def portal(self, name: bytes) -> Portal | None:
        """The same for a portal."""
        name = cut(name)
        self._settle((True, name))
        return self.portals.get(name)

    def _settle(self, mark: tuple[bool, bytes]) -> None:
        """Raises AnswersNeeded while the server may still have something else under this name than our book.

        That is so when a message before the last Sync, or a Query, gives the name another meaning: it may fail, and
        what comes next is carried out all the same.
        """
        found = self.unsettled.get(mark)
        if found is None:
            return
        number, may_fail_alone = found
        if not self.queue.owes(number):
            del self.unsettled[mark]
        elif number <= self.queue.last_sync or (may_fail_alone and number <= self.queue.pushed):
            raise AnswersNeeded

    def all_answered(self, transaction: bytes) -> None:
        """Nothing is owed any more; without a transaction no portal is left but what WITH HOLD has made."""
        self.unsettled.clear()
        if transaction == b"I":
            for name in [name for name, portal in self.portals.items() if not portal.held]:
                del self.portals[name]


def cut(name: bytes) -> bytes:
    return name[:_NAME_SIZE]


def changed(book: dict[Any, Any], key: object, new: object, index: int) -> BookChange:
    change = BookChange(book, key, book.get(key), new, index)
    if new is None:
        book.pop(key, None)
    else:
        book[key] = new
    return change
