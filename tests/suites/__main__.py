"""`python -m tests.suites FOLDER`: real clients' own tests, without Fieldgate and through it, and what it loses.

FOLDER holds `run_suite.sh` and a script for each suite.  `run_suite.sh SUITE` reads DIRECT_PGHOST, DIRECT_PGPORT and so
on, and PROXY_PGHOST and so on, runs the suite on either side and leaves in $RESULTS: SUITE.base (the names that pass
directly), SUITE.lost (those of them that do not pass through the proxy), and logs.

What is known to be lost stands in lost.toml, with the reason.  Exit code 0: nothing else was lost, and enough passes;
1: not; 2: nothing was run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.integration.stage import Stage
from tests.support.servers import DEBIAN_15

from .known import ENOUGH, Outcome, known_losses, report
from .place import endpoints, opened
from .scripts import copied

# pytest comes to grief over some of asyncpg's sources when it shows where a test has failed.
_SETTINGS = {"SUITES_CLEAN": "0", "SUITE_LIMIT": "1800", "PGSSLMODE": "disable", "ASYNCPG_ARGS": "--tb=native"}
# A suite that comes with one version of PostgreSQL speaks to servers of that version only.
SUITES = {"asyncpg": None, "node": None, "libpq_pipeline": DEBIAN_15, "pgbench": None}


@dataclass(frozen=True, slots=True)
class Run:
    scripts: Path
    results: Path
    cache: Path

    def suite(self, name: str) -> Outcome:
        """Each side has a server of its own, because suites leave things behind."""
        for direct in (True, False):
            with opened(SUITES[name]) as stage:
                self._side(name, stage, direct=direct)
        return Outcome(name, self._names(name, "base"), self._names(name, "lost"))

    def _side(self, name: str, stage: Stage, *, direct: bool) -> None:
        given = {**_SETTINGS, "RESULTS": str(self.results), "SUITES_CACHE": str(self.cache)}
        subprocess.run(
            ["bash", str(self.scripts / "run_suite.sh"), name],
            env={**os.environ, **given, **endpoints(stage, direct=direct)},
            check=True,
        )

    def _names(self, name: str, kind: str) -> frozenset[str]:
        return frozenset((self.results / f"{name}.{kind}").read_text().splitlines())


def main() -> int:
    asked = _arguments()
    if asked.folder is None or not (asked.folder / "run_suite.sh").is_file():
        print("nothing was run: name the folder of the suites (it holds run_suite.sh): make suites SUITES=FOLDER")
        return 2
    results = asked.results.resolve()
    results.mkdir(parents=True, exist_ok=True)
    run = Run(copied(asked.folder, results / "scripts"), results, (asked.cache or results / "cache").resolve())
    outcomes = [run.suite(name) for name in asked.suite or SUITES]
    lines, well = report(outcomes, known_losses())
    print("\n".join(lines))
    return 0 if well else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.suites", description=f"Real clients' tests; at least {ENOUGH:.0%} must pass."
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--suite", action="append", choices=SUITES, help="this one only; may be given again")
    parser.add_argument("--results", type=Path, default=Path("build/suites"), help="lines and logs")
    parser.add_argument("--cache", type=Path, help="downloads and builds that are kept; in the results if not given")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
