"""A copy of the suites' scripts in which all of them work in the database that they are given.

Some make a database for themselves.  Nothing is protected there, so it would say nothing about protected tables.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

_OWN = re.compile(r"^db=.*$", re.MULTILINE)
_MADE = re.compile(r"^.*\b(?:CREATE DATABASE|DROP DATABASE IF EXISTS) \$db\b.*\n", re.MULTILINE)


def copied(folder: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in folder.iterdir():
        if file.is_file():
            (target / file.name).write_text(
                in_given_database(file.read_text()) if file.suffix == ".sh" else file.read_text()
            )
    return target


def in_given_database(script: str) -> str:
    """Only where a script makes a database named `$db` for itself."""
    if not _MADE.search(script) or not _OWN.search(script):
        return script
    return _OWN.sub("db=$PGDATABASE", _MADE.sub("", script))
