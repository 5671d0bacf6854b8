"""Whether the settings that rule values are known right now: DateStyle, TimeZone, IntervalStyle.

PostgreSQL 14 and newer report a changed setting just before the next ReadyForQuery, not when it changes.  Until then a
date that is sealed would be read, and one that is opened shown, by the setting that was.
"""

from __future__ import annotations

from proxy.errors import FieldgateError, Unsupported


class ValueChanges:
    """`unknown_since`: the newest entry that may change them and is not followed by a ReadyForQuery yet; 0: known."""

    __slots__ = ("_in_transaction", "unknown_since")

    def __init__(self) -> None:
        self.unknown_since = 0
        self._in_transaction = False  # changed since the transaction began, so its end may change them back

    def sent(self, number: int) -> None:
        """The entry of this number changes them, or may."""
        self.unknown_since = number
        self._in_transaction = True

    def transaction_control_sent(self, number: int) -> None:
        """COMMIT ends SET LOCAL; ROLLBACK, to a savepoint too, takes SET back."""
        if self._in_transaction:
            self.unknown_since = number

    @property
    def in_transaction(self) -> bool:
        return self._in_transaction

    def ready(self, number: int, status: bytes) -> None:
        """ReadyForQuery of this entry has come, and what was to be reported came before it."""
        if number < self.unknown_since:
            return
        self.unknown_since = 0
        if status == b"I":
            self._in_transaction = False


def unknown_values() -> FieldgateError:
    return Unsupported(
        "a date or time of a sealed field cannot be read or shown before the server has reported the new DateStyle, "
        "TimeZone or IntervalStyle",
        hint="Change the setting in a Query of its own, or send Sync behind it.",
    )
