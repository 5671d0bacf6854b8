"""The long run of the harness: `python -m tests.noninterference --statements 100000 --twin 50000`.

Statements are divided among the seats and among processes.  Every run says other statements, unless it is given the
seed of an earlier one.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from .harness import Counts
from .seats import SEATS
from .shares import Share, done

TOLD = 20  # findings


def main() -> int:
    asked = _arguments()
    begun = time.monotonic()
    with ProcessPoolExecutor(asked.processes, get_context("spawn")) as pool:
        outcomes = list(pool.map(done, _shares(asked)))
    print(f"seed {asked.seed}, {time.monotonic() - begun:.0f} s")
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    wrong = [finding for outcome in outcomes for finding in outcome.wrong]
    _tell("two worlds", [outcome.counts for outcome in outcomes], findings)
    _tell("the plaintext", [outcome.same for outcome in outcomes], wrong)
    return 1 if findings or wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.noninterference", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--statements", type=int, default=10_000, help="said to the two worlds of the seats")
    parser.add_argument("--twin", type=int, default=5_000, help="compared with the plaintext")
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seats", nargs="*", choices=[seat.name for seat in SEATS], default=[s.name for s in SEATS])
    return parser.parse_args()


def _shares(asked: argparse.Namespace) -> Iterator[Share]:
    """Each process gets some of every seat's numbers."""
    each = -(-asked.statements // len(asked.seats))
    for n in range(asked.processes):
        yield Share(
            asked.seed, tuple(asked.seats), _nth(each, n, asked.processes), _nth(asked.twin, n, asked.processes)
        )


def _nth(count: int, n: int, parts: int) -> range:
    return range(count * n // parts, count * (n + 1) // parts)


def _tell(what: str, parts: list[Counts], findings: list[str]) -> None:
    counts = Counts()
    for part in parts:
        counts.merge(part)
    print(f"{what}: {counts.total} statements, {counts.share:.1%} answered, {len(findings)} with a difference")
    for finding in findings[:TOLD]:
        print(f"- {finding}")


if __name__ == "__main__":
    sys.exit(main())
