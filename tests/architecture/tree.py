"""The files of this repository, as the tests of its rules see them."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("proxy", "policies", "keys")
_NOT_OURS = {".git", ".venv", "build", "dist", "__pycache__", "demo-data"}


def tracked_files() -> list[Path]:
    """Relative to ROOT.  Outside of a git checkout: everything that is not made by tools."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        found = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    else:
        found = [p.relative_to(ROOT) for p in ROOT.rglob("*") if p.is_file()]
    return [p for p in found if not _NOT_OURS & set(p.parts) and (ROOT / p).is_file()]


def text_files() -> list[tuple[Path, str]]:
    found = []
    for path in tracked_files():
        try:
            found.append((path, (ROOT / path).read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def source_modules() -> list[Path]:
    """The modules of the three packages."""
    return [p for p in tracked_files() if p.suffix == ".py" and p.parts[0] in PACKAGES]


def imported_names(path: Path) -> set[str]:
    """Dotted names that a module imports; a relative import is given as an absolute one."""
    package = ".".join(path.with_suffix("").parts[:-1])
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(part for part in (package if node.level else "", node.module or "") if part)
            found.update({base, *(f"{base}.{alias.name}" for alias in node.names)})
    return found


def module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
