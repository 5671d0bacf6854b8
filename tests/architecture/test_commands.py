"""What the README tells a newcomer to type exists, and the packaging says what it promises."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .tree import ROOT

TARGETS = ("demo", "test", "lint", "format", "bench", "fuzz", "soak")


def makefile_targets() -> set[str]:
    return set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))


def read(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("target", TARGETS)
def test_the_makefile_has(target: str) -> None:
    assert target in makefile_targets()


def test_what_the_readme_says_to_make_can_be_made() -> None:
    said = set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(re.findall(r"```.*?```|`[^`\n]+`", read("README.md"), re.S))))
    assert {"demo", "test"} <= said <= makefile_targets()


def test_continuous_integration_ends_with_the_tests() -> None:
    lines = [line for line in read(".ci/run").splitlines() if line and not line.startswith("#")]
    assert lines[-1] == "exec make lint test"


def test_hooks_run_what_is_installed_here() -> None:
    hooks = read(".pre-commit-config.yaml")
    assert hooks.count("language: system") == hooks.count("- id:")
    assert "https://" not in hooks


def test_the_image_is_small_unprivileged_and_watched() -> None:
    stages = re.findall(r"(?m)^FROM (\S+)", read("Dockerfile"))
    assert len(stages) == 2
    assert all(stage.endswith("-slim") for stage in stages)
    last = read("Dockerfile").rsplit("FROM ", 1)[1]
    user = re.search(r"(?m)^USER (\S+)", last)
    assert user is not None
    assert user.group(1) not in ("root", "0")
    assert re.search(r"HEALTHCHECK (.|\n)*?urllib.request.urlopen", last)
    assert 'ENTRYPOINT ["fieldgate"]' in last
    assert 'CMD ["serve"]' in last


def test_the_image_installs_by_the_script_that_is_tested() -> None:
    build = read("Dockerfile").rsplit("FROM ", 1)[0]
    assert re.findall(r"(?m)^RUN (.*)$", build) == ["sh deploy/install.sh /opt/fieldgate"]


def test_what_the_readme_says_to_run_can_be_run() -> None:
    said = set(re.findall(r"(?m)^fieldgate ([a-z]+)", read("README.md")))
    shown = subprocess.run(
        [sys.executable, "-m", "proxy", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    there = set(re.findall(r"(?m)^\W*([a-z]+) ", shown.stdout))
    assert said
    assert said <= there
