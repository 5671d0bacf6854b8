"""An operation's estimate of what is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from proxy.keywork.operation import ENDED, Operation, OperationKind, OperationState, Target

RUNNING = Operation(
    uuid4(),
    OperationKind.ROTATE_DATA_KEY,
    Target(database="shop", field="public.customers.email"),
    OperationState.RUNNING,
    "officer",
    datetime(2026, 1, 1, tzinfo=UTC),
    done=250,
    total=1000,
    rate=50.0,
)


def test_what_is_left_follows_from_the_rate() -> None:
    assert RUNNING.seconds_left == 15.0


@pytest.mark.parametrize("state", [*sorted(ENDED), OperationState.PAUSED, OperationState.QUEUED])
def test_nothing_is_guessed_of_what_does_not_run(state: OperationState) -> None:
    assert replace(RUNNING, state=state).seconds_left is None


def test_nothing_is_guessed_without_a_rate_and_never_less_than_nothing() -> None:
    assert replace(RUNNING, rate=0.0).seconds_left is None
    assert replace(RUNNING, done=2000).seconds_left == 0
