"""Results as tables for people and as JSON for machines."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from .contest import OTHERS, Outcome
from .ratios import Goal, spread

_TOO_MUCH = 0.2  # cores that something else used
_VERDICTS = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}


def show(console: Console, outcome: Outcome) -> None:
    contest = outcome.contest
    sides = Table(
        title=contest.title, title_justify="left", caption="\n".join(remarks(outcome)) or None, caption_justify="left"
    )
    for heading in (contest.unit, "min", "median", "max"):
        sides.add_column(heading, justify="left" if heading == contest.unit else "right")
    notes = _note_names(outcome)
    for name in notes:
        sides.add_column(name, justify="right")
    for side, readings in outcome.readings.items():
        own = spread([r.value for r in readings])
        seen = [[r.notes[name] for r in readings if name in r.notes] for name in notes]
        cells = [number(median(values)) if values else "" for values in seen]
        sides.add_row(side, *(number(v) for v in (own.minimum, own.median, own.maximum)), *cells)
    console.print(sides)
    if outcome.goals:
        console.print(_goals(outcome))


def _goals(outcome: Outcome) -> Table:
    table = Table()
    table.add_column("compared")
    for heading in ("min", "median", "max", "wanted", "met"):
        table.add_column(heading, justify="right")
    for goal in outcome.goals:
        found = spread(goal.values(outcome.rounds))
        values = (number(v) for v in (found.minimum, found.median, found.maximum))
        table.add_row(title(goal, outcome.contest.unit), *values, bound(goal), _VERDICTS[goal.met(outcome.rounds)])
    return table


def title(goal: Goal, unit: str) -> str:
    return f"{goal.side}, {unit}" if goal.base is None else f"{goal.side} / {goal.base}"


def bound(goal: Goal) -> str:
    parts = []
    if goal.at_least is not None:
        parts.append(f">= {number(goal.at_least)}")
    if goal.at_most is not None:
        parts.append(f"<= {number(goal.at_most)}")
    return " ".join(parts)


def number(value: float) -> str:
    """Three significant digits, thousands with commas."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def _note_names(outcome: Outcome) -> list[str]:
    return list(dict.fromkeys(name for readings in outcome.readings.values() for r in readings for name in r.notes))


def remarks(outcome: Outcome) -> list[str]:
    """What a reader must know before believing the numbers."""
    found = [f"skipped {side}: {reason}" for side, reason in outcome.contest.skipped]
    others = [r.notes[OTHERS] for readings in outcome.readings.values() for r in readings if OTHERS in r.notes]
    if others and median(others) > _TOO_MUCH:
        found.append(f"other work took {number(median(others))} cores meanwhile: measure again")
    return found


def as_json(machine: dict[str, str], outcomes: list[Outcome]) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "contests": [_contest_json(outcome) for outcome in outcomes],
    }


def _contest_json(outcome: Outcome) -> dict[str, Any]:
    unit = outcome.contest.unit
    return {
        "name": outcome.contest.name,
        "title": outcome.contest.title,
        "unit": unit,
        "sides": {
            side: [{"value": r.value, "notes": r.notes} for r in readings]
            for side, readings in outcome.readings.items()
        },
        "goals": [
            {
                "what": title(goal, unit),
                "rounds": goal.values(outcome.rounds),
                "at_least": goal.at_least,
                "at_most": goal.at_most,
                "met": goal.met(outcome.rounds),
            }
            for goal in outcome.goals
        ],
        "skipped": dict(outcome.contest.skipped),
    }


def save(folder: Path, result: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
