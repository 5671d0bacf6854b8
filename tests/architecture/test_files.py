"""What no file of this repository may hold: this or that machine's paths, package indexes, secrets, loose ends."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from .tree import ROOT, text_files, tracked_files

_SELF = Path("tests/architecture/test_files.py")
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.])/(work|root|home/\w+|Users/\w+)/",
    "a neighbour folder": r"\.\./(shared|main)\b",
    "a package index": r"(?i)--(extra-)?index-url[ =]|--trusted-host[ =]|files\.pythonhosted\.org|pypi\.org/simple",
    "a loose end": r"\b(TODO|FIXME|XXX)\b",
    "a merge conflict": r"(?m)^(<{7} |>{7} |={7}$)",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "who or what wrote it": r"(?i)\b(written|made|generated|assisted) (by|with) (an? )?(ai|assistant|llm|chatbot)\b",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{path}:{text.count(chr(10), 0, hit.start()) + 1}: {hit.group()}"
        for path, text in text_files()
        if path != _SELF
        for hit in pattern.finditer(text)
    ]
    assert found == []


def test_text_ends_with_a_line_and_lines_with_their_text() -> None:
    ragged = [
        str(path)
        for path, text in text_files()
        if path.suffix in (".py", ".md", ".toml", ".sql", ".sh", ".yaml", ".yml") and text
        if not text.endswith("\n") or (re.search(r"[ \t]+$", text, re.MULTILINE) and "cases" not in path.parts)
    ]
    assert ragged == []


def test_files_that_tools_make_are_not_kept() -> None:
    made = re.compile(r"(^|/)(__pycache__|\.venv|[\w.]+\.egg-info|demo-data|\.pytest_cache)(/|$)|\.pyc$|keyring\.json$")
    assert [str(p) for p in tracked_files() if made.search(str(p))] == []


def test_programs_may_be_run() -> None:
    mode = (ROOT / ".ci" / "run").stat().st_mode
    assert mode & stat.S_IXUSR
