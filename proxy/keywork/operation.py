"""An operation over keys as data: kinds, states, targets and progress.  Pure.

    awaiting-approval -> queued -> running <-> paused
                           running -> done | failed | cancelled        (failed may be queued again)

An operation is asked for once (its idempotency key), approved by a second person where its kind needs that, and
carried out by a handler that may be killed at any point: what it has done so far is read from the databases, not from
here.  `done`, `total` and `rate` are for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID


class OperationKind(StrEnum):
    ROTATE_KEK = "rotate-kek"  # a new version in the provider, and every data key wrapped by it
    REWRAP = "rewrap"  # every data key wrapped by the configured KEK's newest version
    ROTATE_DATA_KEY = "rotate-data-key"
    ROTATE_TERM_KEY = "rotate-term-key"
    VERIFY = "verify"  # every cell of a field opens
    DISABLE_KEY = "disable-key"
    ENABLE_KEY = "enable-key"  # disabled -> decrypt-only
    DESTROY_KEY = "destroy-key"
    SEAL_FIELD = "seal-field"  # plaintext -> sealed
    UNSEAL_FIELD = "unseal-field"  # sealed -> plaintext
    SHRED_SUBJECT = "shred-subject"


NEEDS_APPROVAL = frozenset({OperationKind.DESTROY_KEY, OperationKind.UNSEAL_FIELD, OperationKind.SHRED_SUBJECT})


class OperationState(StrEnum):
    AWAITING_APPROVAL = "awaiting-approval"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({OperationState.DONE, OperationState.FAILED, OperationState.CANCELLED})


class Wanted(StrEnum):
    RUN = "run"
    PAUSE = "pause"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Target:
    """What an operation is about, by names only; what a kind does not need is None.

    `field` is `schema.table.column`.
    `subject` is the data subject's pseudonym.
    """

    database: str | None = None
    field: str | None = None
    key_id: str | None = None  # 16 hex digits
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    operation_id: UUID
    kind: OperationKind
    target: Target
    state: OperationState
    requested_by: str
    created_at: datetime
    wanted: Wanted = Wanted.RUN
    step: str = ""
    done: int = 0
    total: int = 0
    rate: float = 0.0  # units of `done` in a second, of late
    problem: str | None = None
    result: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    approved_by: str | None = None
    not_before: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def seconds_left(self) -> float | None:
        """A guess from the rate; None when there is nothing to guess from."""
        if self.state is not OperationState.RUNNING or self.rate <= 0 or self.total <= 0:
            return None
        return max(0, self.total - self.done) / self.rate
