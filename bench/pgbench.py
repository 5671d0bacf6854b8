"""PostgreSQL's own pgbench: filling its tables, one run, and what it prints, parsed.

Debian's program is used, because the embedded server's was built without TLS.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .places import Endpoint

PGBENCH = Path("/usr/lib/postgresql/15/bin/pgbench")
_TPS = re.compile(r"^tps = ([0-9.]+) \(without initial connection time\)$", re.MULTILINE)
_LATENCY = re.compile(r"^latency average = ([0-9.]+) ms$", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)


class PgbenchFailed(Exception):
    """pgbench ended badly, or printed something else than numbers."""


@dataclass(frozen=True, slots=True)
class PgbenchResult:
    tps: float
    latency_ms: float


def parse(output: str) -> PgbenchResult:
    """Raises PgbenchFailed, also when some transactions failed: a fast error is no transaction."""
    tps, latency, failed = (pattern.search(output) for pattern in (_TPS, _LATENCY, _FAILED))
    if tps is None or latency is None:
        raise PgbenchFailed(f"pgbench printed no result: {output[-300:].strip()}")
    if failed is not None and failed[1] != "0":
        raise PgbenchFailed(f"{failed[1]} transactions failed")
    return PgbenchResult(float(tps[1]), float(latency[1]))


def fill(where: Endpoint, scale: int) -> None:
    """Make and fill pgbench's tables."""
    _run(where, "--initialize", "--init-steps=dtGvp", f"--scale={scale}", "--quiet")


def select_only(where: Endpoint, *, clients: int, seconds: int) -> PgbenchResult:
    """`pgbench -S -M prepared`: point selects by primary key."""
    arguments = ("--select-only", "--protocol=prepared", "--no-vacuum")
    return parse(_run(where, *arguments, f"--client={clients}", "--jobs=1", f"--time={seconds}"))


def _run(where: Endpoint, *arguments: str) -> str:
    environment = {"PATH": os.environ.get("PATH", ""), **where.libpq_environment()}
    done = subprocess.run([PGBENCH, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PgbenchFailed(f"pgbench at {where.name}: {done.stderr[-600:].strip()}")
    return done.stdout
