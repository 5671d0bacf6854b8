"""The report as text, Markdown, or data for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policies.leakage.profile import TITLES, Adversary, FieldProfile, Mode

from .measure import Measured

Report = tuple[FieldProfile, ...]
Numbers = Mapping[str, Measured]
Lines = Iterator[str]

_LAYERS = """\
Each adversary learns what stands before as well.  No one who lacks the keyring opens a cell of a sealed field.
Searching through Fieldgate is bounded by login and minute ([limits]) and recorded; writing is recorded."""


def plain(report: Report, numbers: Numbers) -> Lines:
    yield from (f"{adversary}: {TITLES[adversary]}" for adversary in Adversary)
    yield from ("", _LAYERS, "")
    yield f"stored plain, so known to whoever reads the database: {_plain_fields(report)}"
    for profile in _sealed(report):
        yield ""
        yield f"{profile.field} ({profile.tag}): {profile.mode}"
        for adversary, learns in profile.learns.items():
            yield from (f"  {adversary:<21}{learned}" for learned in learns)
        yield from (f"  {'note':<21}{note}" for note in _notes(profile, numbers))


def markdown(report: Report, numbers: Numbers) -> Lines:
    yield from ("# What the database tells of protected fields", "")
    yield from (f"- **{adversary}**: {TITLES[adversary]}" for adversary in Adversary)
    yield from ("", _LAYERS, "")
    yield from (f"Stored plain, so known to whoever reads the database: {_plain_fields(report)}", "")
    yield f"| field | mode | {' | '.join(Adversary)} | notes |"
    yield "|---" * (len(Adversary) + 3) + "|"
    for profile in _sealed(report):
        cells = ["; ".join(profile.learns[adversary]) for adversary in Adversary]
        notes = "; ".join(_notes(profile, numbers))
        yield f"| {' | '.join(map(_cell, (profile.field, str(profile.mode), *cells, notes)))} |"


def data(report: Report, numbers: Numbers) -> dict[str, Any]:
    return {
        "adversaries": {str(adversary): title for adversary, title in TITLES.items()},
        "fields": [
            {
                "field": profile.field,
                "tag": profile.tag,
                "mode": str(profile.mode),
                "learns": {str(adversary): list(learns) for adversary, learns in profile.learns.items()},
                "notes": list(profile.notes),
                "few_values": profile.few_values,
                "measured": _numbers(numbers[profile.field]) if profile.field in numbers else None,
            }
            for profile in report
        ],
    }


def _numbers(measured: Measured) -> dict[str, Any]:
    if measured.unavailable is not None:
        return {"unavailable": measured.unavailable}
    return {
        "rows": measured.rows,
        "values": measured.values,
        "distinct": measured.distinct,
        "most_frequent_share": round(measured.share, 6),
        "min_entropy_bits": round(measured.bits, 2),
        "low": measured.low,
    }


def _sealed(report: Report) -> Iterable[FieldProfile]:
    return (profile for profile in report if profile.mode is not Mode.PLAIN)


def _plain_fields(report: Report) -> str:
    return ", ".join(profile.field for profile in report if profile.mode is Mode.PLAIN) or "none"


def _notes(profile: FieldProfile, numbers: Numbers) -> Lines:
    yield from profile.notes
    if profile.few_values:
        yield "LOW ENTROPY by its type: its few values are told apart by how often each occurs"
    if profile.field in numbers:
        yield _measured(numbers[profile.field])


def _measured(found: Measured) -> str:
    if found.unavailable is not None:
        return f"not measured: {found.unavailable}"
    said = (
        f"measured: {found.distinct:,} different among {found.values:,} values, the most frequent in {found.share:.1%},"
        f" min-entropy {found.bits:.1f} bits"
    )
    if found.few:
        return f"{said} (too few values to judge)"
    return f"LOW ENTROPY, {said}" if found.low else said


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
