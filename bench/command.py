"""`python -m bench [--only NAME] [--rounds N] [--quick]`: everything in one run, tables, and one JSON file.

The exit code says whether the measurements were made, not whether the goals were met: a busy machine is no failure.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from . import gate as gate_module
from . import (
    machine,
    measure_copy,
    measure_customers,
    measure_kek,
    measure_memory,
    measure_pgbench,
    measure_planner,
    measure_rotation,
    measure_searches,
    measure_subjects,
    report,
    searched,
)
from .contest import Contest, Outcome, play
from .gate import Gates
from .workplace import Sizes, Workplace, fill_appside, workplace

RESULTS = Path(__file__).parent / "results"

# In the order of a run.
_CONTESTS: dict[str, Callable[[Workplace, Gates], Contest]] = {
    measure_planner.NAME: measure_planner.contest,
    measure_pgbench.NAME: measure_pgbench.contest,
    measure_customers.POINTS: measure_customers.points,
    measure_customers.ROWS: measure_customers.rows,
    measure_copy.OUT: measure_copy.out,
    measure_copy.IN: measure_copy.into,
    measure_searches.EQUALITY: measure_searches.equality,
    measure_searches.RANGE: measure_searches.in_range,
    measure_searches.MATCH: measure_searches.match,
    measure_memory.NAME: measure_memory.contest,
    measure_rotation.REENCRYPT: measure_rotation.reencrypt,
    measure_rotation.LATENCY: measure_rotation.latency,
}
# These need no servers but their own, and come first.
_ALONE: dict[str, Callable[[Sizes], Contest]] = {
    measure_kek.NAME: lambda sizes: measure_kek.contest(sizes.keks),
    measure_subjects.NAME: lambda sizes: measure_subjects.contest(),
}
NAMES = (*_ALONE, *_CONTESTS)
_ONE_ROUND = (measure_memory.NAME,)  # memory does not waver as time does, and its clients take long to connect


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m bench", description="Compare Fieldgate with what it replaces.")
    made.add_argument("--only", action="append", choices=NAMES, metavar="NAME", help=f"one of {', '.join(NAMES)}")
    made.add_argument("--rounds", type=int, default=5, help="how often each side has its turn (default 5)")
    made.add_argument("--quick", action="store_true", help="small data and short runs, to see that everything works")
    made.add_argument("--searched", type=int, help="rows of the tables that are searched (default 100,000)")
    made.add_argument("--seconds", type=int, help="length of each timed run (default 5)")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = parser().parse_args(arguments)
    if chosen.rounds < 1:
        parser().error("--rounds must be at least 1")
    sizes = Sizes.quick() if chosen.quick else Sizes()
    if chosen.seconds is not None:
        sizes = sizes.lasting(max(1, chosen.seconds))
    if chosen.searched is not None:
        sizes = sizes.searching(max(searched.HITS * 20, chosen.searched))
    names = tuple(name for name in NAMES if not chosen.only or name in chosen.only)
    console = Console(width=None if sys.stdout.isatty() else 150)
    seen = machine.describe()
    for key, value in seen.items():
        console.print(f"{key:17}{value}", highlight=False)
    outcomes = _play_all(console, names, sizes, chosen.rounds)
    path = report.save(RESULTS, report.as_json(seen, outcomes))
    console.print(f"written to {path}", highlight=False)
    return 0


def _play_all(console: Console, names: tuple[str, ...], sizes: Sizes, rounds: int) -> list[Outcome]:
    outcomes = []
    with console.status("beginning") as status:
        for contest in _contests(names, sizes, status.update):
            outcome = play(contest, 1 if contest.name in _ONE_ROUND else rounds, status.update)
            report.show(console, outcome)
            outcomes.append(outcome)
    return outcomes


def _contests(names: tuple[str, ...], sizes: Sizes, progress: Callable[[str], None]) -> Iterator[Contest]:
    """The servers stand until the last one has been played."""
    for name in names:
        if name in _ALONE:
            yield _ALONE[name](sizes)
    names = tuple(name for name in names if name in _CONTESTS)
    if not names:
        return
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(workplace(sizes, progress))
        progress("sealing the application's own customers")
        asyncio.run(fill_appside(place))
        gates = stack.enter_context(gate_module.running(place, progress))
        for name in names:
            yield _CONTESTS[name](place, gates)
