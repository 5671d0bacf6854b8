"""A part of the long run: what one process does, with a server of its own."""

from __future__ import annotations

from dataclasses import dataclass

from .harness import Bench, Counts, Finding
from .place import raised
from .seats import BY_NAME
from .shrink import shrunk
from .twin import Twins


@dataclass(frozen=True, slots=True)
class Share:
    """`numbers`: of the episodes of each seat; `twin`: of those that are compared with the plaintext."""

    seed: str
    seats: tuple[str, ...]
    numbers: range
    twin: range


@dataclass(slots=True)
class Outcome:
    """`counts`, `findings`: of the seats; `same`, `wrong`: of the comparison with the plaintext."""

    counts: Counts
    findings: list[str]
    same: Counts
    wrong: list[str]


def done(share: Share) -> Outcome:
    outcome = Outcome(Counts(), [], Counts(), [])
    with raised() as place:
        for name in share.seats:
            bench = Bench(place, BY_NAME[name])
            found = bench.run(share.seed, share.numbers, outcome.counts)
            outcome.findings += [_told(bench, finding) for finding in found]
            bench.close()
        twins = Twins.open(place)
        outcome.wrong = [str(finding) for finding in twins.run(share.seed, share.twin, outcome.same)]
        twins.table.close()
    return outcome


def _told(bench: Bench, finding: Finding) -> str:
    return f"{finding}\n    in short: {shrunk(bench.table, finding.episode).text}"
