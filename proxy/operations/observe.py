"""`fieldgate observe report`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from policies.audit.attention import Attention, Entry
from proxy.config import load_config
from proxy.errors import ConfigError
from proxy.terminal import DEFAULT_CONFIG, ConfigOption, reporting

from .shared import out

observe_app = typer.Typer(help="What the policy would refuse, and does.", no_args_is_help=True)
_AGO = re.compile(r"(\d{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST_LINE = 1 << 20


@observe_app.command("report")
def observe_report(
    config: ConfigOption = DEFAULT_CONFIG,
    files: Annotated[
        list[Path] | None, typer.Option("--file", help="Audit files, also rotated ones; else the configured one.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="30m, 12h, 7d ago, or a time: 2026-11-22T10:00:00.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Which statements need attention and why: refused ones, and what passed though the policy would refuse it."""
    with reporting():
        found = Attention()
        begin = _since(since)
        for path in files or [_configured(config)]:
            found.read(_lines(path), begin)
        if as_json:
            out.print_json(json.dumps({**asdict(found), "entries": [asdict(entry) for entry in found.ordered()]}))
            return
        for line in _text(found):
            out.print(line, markup=False, soft_wrap=True)


def _configured(config: Path) -> Path:
    loaded = load_config(config)
    if loaded.audit is None:
        raise ConfigError("[audit] is required")
    return loaded.audit.path


def _since(text: str | None) -> str:
    """As records write times: UTC."""
    if text is None:
        return ""
    if ago := _AGO.fullmatch(text):
        return (datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).isoformat()
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError("--since: write 30m, 12h, 7d, or a time like 2026-11-22T10:00:00") from None
    return (said if said.tzinfo is not None else said.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _lines(path: Path) -> Iterator[bytes]:
    """Line by line, none of them without end."""
    try:
        with path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE):
                yield line
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


def _text(found: Attention) -> Iterator[str]:
    for entry in found.ordered():
        yield from _entry(entry)
        yield ""
    yield f"{len(found.entries)} kinds of statements need attention; {found.allowed} decisions were to allow"
    if found.unreadable:
        yield f"{found.unreadable} lines are no records"
    if found.left_out:
        yield f"{found.left_out} records of further kinds of statements were left out"


def _entry(entry: Entry) -> Iterator[str]:
    what = "would be refused" if entry.sqlstate else "would see less"
    head = f"refused ({entry.sqlstate})" if entry.decision == "deny" else f"{what} ({entry.sqlstate or 'narrowed'})"
    yield f"{head}, {entry.count} times, {entry.first[:19]} to {entry.last[:19]}, {entry.kind} {entry.fingerprint}"
    roles, logins = ", ".join(entry.roles) or "no role", ", ".join(entry.logins)
    yield f"  who        {roles}, purpose {entry.purpose or '-'}, {logins}"
    if entry.statement:
        yield f"  statement  {entry.statement}"
    if entry.reason:
        yield f"  reason     {entry.reason}"
    for name, verbs in entry.fields.items():
        yield f"  field      {name}: {', '.join(verbs)}"
    for rule in entry.rules:
        yield f"  rule       {rule}"
