"""Errors of rotating keys.  Messages name fields, tables, steps and SQLSTATEs; never a value, an envelope or a key."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg

from keys.errors import ProviderUnavailable, SealBudgetUnavailable
from proxy.errors import FieldgateError, SqlState, UpstreamUnavailable


class RotationRefused(FieldgateError):
    """It cannot be done as things are, and nothing was changed by this step; trying again does not help."""

    sqlstate = SqlState.FEATURE_NOT_SUPPORTED

    def __init__(self, name: str, obstacles: Iterable[str]) -> None:
        self.obstacles = tuple(obstacles)
        super().__init__(f"{name}: {'; '.join(self.obstacles)}")


class CellsDamaged(FieldgateError):
    """Cells that no key opens stand in the field: nothing was lost by us, and nothing is retired over their heads."""

    sqlstate = SqlState.DATA_CORRUPTED


class StepWaits(FieldgateError):
    """A step could not have its locks, or others have not confirmed yet; trying again later helps."""

    sqlstate = SqlState.CANNOT_CONNECT_NOW


# What a later attempt may find gone: a lost connection, a server that starts or stops, locks, deadlocks.
TRANSIENT: tuple[type[BaseException], ...] = (
    StepWaits,
    ProviderUnavailable,
    SealBudgetUnavailable,
    UpstreamUnavailable,
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.QueryCanceledError,
    asyncpg.InternalClientError,
)


def is_transient(failure: BaseException) -> bool:
    return isinstance(failure, TRANSIENT)
