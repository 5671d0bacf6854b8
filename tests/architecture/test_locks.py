"""The lock files: every version pinned, no address of any index, everything that pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib

import pytest

from .tree import ROOT

LOCKS = ("requirements.txt", "requirements-dev.txt")


def pins(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.lstrip().startswith("#"))


def canonical(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name.group()).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_nothing_else_stands_there(lock: str) -> None:
    for line in (ROOT / lock).read_text().splitlines():
        assert re.fullmatch(r"[a-z0-9._-]+==[\w.+!]+|\s*#.*|", line), line


@pytest.mark.parametrize("lock", LOCKS)
def test_no_address_of_an_index(lock: str) -> None:
    assert not re.search(r"https?://|--index|--extra-index|--find-links|--trusted", _without_command(lock))


def _without_command(lock: str) -> str:
    """The header repeats the command, whose options say that no address is to be written."""
    return re.sub(r"(?m)^#.*pip-compile.*$", "", (ROOT / lock).read_text())


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    run, develop = pins("requirements.txt"), pins("requirements-dev.txt")
    assert {canonical(r) for r in project["dependencies"]} <= set(run)
    assert {canonical(r) for extra in extras.values() for r in extra} <= set(develop)


def test_both_locks_agree() -> None:
    run, develop = pins("requirements.txt"), pins("requirements-dev.txt")
    assert {name: version for name, version in develop.items() if name in run} == run
