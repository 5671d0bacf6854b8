"""Errors of sealing existing data."""

from __future__ import annotations

from collections.abc import Iterable

from proxy.errors import FieldgateError, SqlState


class SealingRefused(FieldgateError):
    """The field cannot be sealed as things are; nothing was changed.  `obstacles` says all of what to do first."""

    sqlstate = SqlState.FEATURE_NOT_SUPPORTED

    def __init__(self, field: str, obstacles: Iterable[str]) -> None:
        self.obstacles = tuple(obstacles)
        super().__init__(f"{field} cannot be sealed yet: {'; '.join(self.obstacles)}")


class SealingFailed(FieldgateError):
    """Sealing or unsealing stopped; the column is as it was, and the same command goes on from where it stopped."""


class SealingInterrupted(SealingFailed):
    """It stopped for what may pass by itself: a lost connection, a table that was never free."""
