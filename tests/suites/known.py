"""What is known to be lost, why, and what a run says about it."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOST = Path(__file__).with_name("lost.toml")
ENOUGH = 0.95  # of what passes without Fieldgate


@dataclass(frozen=True, slots=True)
class Outcome:
    """`base`: the tests that pass without Fieldgate.  `lost`: those of them that do not pass through it."""

    suite: str
    base: frozenset[str]
    lost: frozenset[str]


def known_losses(file: Path = LOST) -> dict[str, dict[str, str]]:
    """Suite -> test -> reason.  The file's sections are suites, its keys reasons, and the values lists of tests."""
    read = tomllib.loads(file.read_text())
    return {suite: {test: why for why, tests in reasons.items() for test in tests} for suite, reasons in read.items()}


def report(outcomes: Sequence[Outcome], known: Mapping[str, Mapping[str, str]]) -> tuple[list[str], bool]:
    """What to print, and whether it is well."""
    lines, well = [], True
    for each in outcomes:
        reasons = known.get(each.suite, {})
        counted = Counter(reasons[test] for test in each.lost if test in reasons)
        new = sorted(each.lost - reasons.keys())
        told = ", ".join(f"{why} ({count})" for why, count in sorted(counted.items())) or "none"
        lines.append(
            f"{each.suite}: {len(each.base)} pass without Fieldgate, {len(each.base - each.lost)} through it; {told}"
        )
        lines += [f"  lost and not known: {test}" for test in new]
        lines += [
            f"  passes now, take it out of {LOST.name}: {test}"
            for test in sorted(reasons.keys() & each.base - each.lost)
        ]
        well = well and not new and bool(each.base)
    base, lost = sum(len(each.base) for each in outcomes), sum(len(each.lost) for each in outcomes)
    lines.append(f"together: {base - lost} of {base}" + (f", {(base - lost) / base:.1%}" if base else ""))
    return lines, well and base > 0 and (base - lost) / base >= ENOUGH
