"""A contest: named sides that do the same work, taken in turn for several rounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .processes import OtherWork
from .ratios import Goal

OTHERS = "other work, cores"


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement of one side: the value that is compared, and what else was seen (CPU time, latency)."""

    value: float
    notes: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Side:
    name: str
    measure: Callable[[], Reading]


@dataclass(frozen=True, slots=True)
class Contest:
    """`skipped` names sides that cannot run here, with the reason."""

    name: str
    title: str
    unit: str
    sides: tuple[Side, ...]
    goals: tuple[Goal, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Outcome:
    contest: Contest
    readings: dict[str, list[Reading]]

    @property
    def rounds(self) -> dict[str, list[float]]:
        return {name: [r.value for r in readings] for name, readings in self.readings.items()}

    @property
    def goals(self) -> tuple[Goal, ...]:
        """The goals whose sides took part."""
        here = self.readings.keys()
        return tuple(g for g in self.contest.goals if g.side in here and (g.base is None or g.base in here))


def play(contest: Contest, rounds: int, progress: Callable[[str], None] = lambda _: None) -> Outcome:
    """Each round begins with another side, so that no side always has the machine as another one left it."""
    outcome = Outcome(contest, {side.name: [] for side in contest.sides})
    for number in range(rounds):
        shift = number % len(contest.sides)
        for side in contest.sides[shift:] + contest.sides[:shift]:
            progress(f"{contest.name}: round {number + 1} of {rounds}, {side.name}")
            others = OtherWork()
            reading = side.measure()
            outcome.readings[side.name].append(replace(reading, notes=reading.notes | {OTHERS: others.cores()}))
    return outcome
