"""Runs of the harness: episodes are said to both databases of a seat, and what differs is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from proxy.session.services import Revision
from proxy.sql.cache import CachedPlanner

from .compare import answered, broken, difference, state
from .episodes import Episode
from .grammar.statements import episode
from .place import GATE, Place
from .seats import Seat, policy
from .side import Side
from .talk import Answer, Table

AT_ONCE = 24  # episodes that are under way together


@dataclass(frozen=True, slots=True)
class Finding:
    """What differs, and how to say it again; no value of any row."""

    seat: str
    seed: str
    number: int
    episode: Episode
    what: str

    def __str__(self) -> str:
        said = "; ".join(step.text for step in self.episode.steps)
        return f"{self.seat}, seed {self.seed!r}, number {self.number}, {self.episode.manner}: {said}\n    {self.what}"


@dataclass(slots=True)
class Counts:
    said: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)

    def add(self, episode: Episode, answer: Answer) -> None:
        self.said[episode.kind] += 1
        self.answered[episode.kind] += answered(episode, answer)
        self.states[state(answer, episode.main)] += 1

    def merge(self, other: Counts) -> None:
        self.said += other.said
        self.answered += other.answered
        self.states += other.states

    @property
    def total(self) -> int:
        return self.said.total()

    @property
    def share(self) -> float:
        return self.answered.total() / max(1, self.total)


class Bench:
    """One seat before its two databases."""

    def __init__(self, place: Place, seat: Seat, warmed_by: Seat | None = None, *, spoiled: bool = False) -> None:
        """`warmed_by`: who asks everything first, through the same planner."""
        self.seat, self.planner = seat, CachedPlanner()
        self._place = place
        self._pair = pair = place.pair(seat, spoiled=spoiled)
        self._warm = None if warmed_by is None else Table(lambda: [self._side(pair.names[0], warmed_by)])
        self.table = Table(lambda: [self._side(name, seat) for name in pair.names])

    def _side(self, database: str, seat: Seat, role: str = GATE) -> Side:
        return Side(self._place.server, database, seat, self._revision, self.planner, role)

    def privileged(self) -> Table:
        """The same seat, with the privileges upstream that are compiled from the policy."""
        role = policy().logins[self.seat.login].upstream_role
        return Table(lambda: [self._side(self._pair.names[0], self.seat, role)])

    def _revision(self) -> Revision:
        return self._place.revision

    def close(self) -> None:
        self.table.close()
        if self._warm is not None:
            self._warm.close()

    def findings(self, seed: str, numbered: Sequence[tuple[int, Episode]], counts: Counts) -> Iterator[Finding]:
        asked = [episode for _, episode in numbered]
        if self._warm is not None:
            self._warm.ask(asked)
        answers = self.table.ask(asked)
        for (number, said), (one, other) in zip(numbered, answers, strict=True):
            counts.add(said, one)
            what = difference(said, one, other) or broken(said, one)
            if what:
                yield Finding(self.seat.name, seed, number, said, what)

    def run(
        self, seed: str, numbers: range, counts: Counts, favoured: Mapping[str, float] | None = None
    ) -> Iterator[Finding]:
        for some in (numbers[at : at + AT_ONCE] for at in range(0, len(numbers), AT_ONCE)):
            yield from self.findings(seed, [(n, episode(self.seat, seed, n, favoured)) for n in some], counts)
