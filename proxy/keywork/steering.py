"""What becomes of an operation when somebody wants it paused, resumed or cancelled.  Pure.

An operation that nobody carries out yet obeys at once.  One that has a runner keeps its state: the runner sees what is
wanted at its next checkpoint and says itself when it rests, goes on, or has ended.  Who wants it cancelled has the last
word: the runner may have begun to go back.
"""

from __future__ import annotations

from dataclasses import dataclass

from .operation import ENDED, OperationState, Wanted
from .records import WrongState

_SAID = {Wanted.RUN: "resumed", Wanted.PAUSE: "paused", Wanted.CANCEL: "cancelled"}


@dataclass(frozen=True, slots=True)
class Steered:
    state: OperationState
    wanted: Wanted


def steered(state: OperationState, before: Wanted, begun: bool, wanted: Wanted) -> Steered:
    """`before` was wanted so far; `begun`: a runner has claimed it before.  Raises WrongState."""
    if state in ENDED:
        if state is OperationState.CANCELLED and wanted is Wanted.CANCEL:
            return Steered(state, wanted)
        raise WrongState(_SAID[wanted], state)
    if state is OperationState.AWAITING_APPROVAL:
        if wanted is not Wanted.CANCEL:
            raise WrongState(_SAID[wanted], state)
        return Steered(OperationState.CANCELLED, wanted)
    if before is Wanted.CANCEL and wanted is not Wanted.CANCEL:
        raise WrongState(f"{_SAID[wanted]} any more: it is being cancelled", state)
    if begun and state is not OperationState.QUEUED:
        return Steered(state, wanted)
    return Steered(_AT_ONCE[wanted], wanted)


_AT_ONCE = {
    Wanted.RUN: OperationState.QUEUED,
    Wanted.PAUSE: OperationState.PAUSED,
    Wanted.CANCEL: OperationState.CANCELLED,
}
