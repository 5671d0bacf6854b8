"""The people file: what may stand there, and that a change counts at once and a mistake does not."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

import pytest

from proxy.admin.people import PeopleFile, load_people
from proxy.errors import ConfigError
from tests.support.shell import logger_into

GOOD = """
[people.olga]
roles = ["key-admin", "security-admin"]
certificates = ["olga.admins.example"]
oidc = ["f3b1"]

[people.anna]
roles = ["auditor"]
"""


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "admins.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_people_are_found_by_what_they_log_in_with(tmp_path: Path) -> None:
    people = load_people(written(tmp_path, GOOD))
    assert people.people["olga"].roles == {"key-admin", "security-admin"}
    assert people.by_certificate(frozenset({"olga.admins.example", "other"})) == "olga"
    assert people.by_oidc("f3b1") == "olga"
    assert people.by_certificate(frozenset()) is None and people.by_oidc("") is None


def test_a_certificate_that_names_two_people_is_nobodys(tmp_path: Path) -> None:
    more = GOOD + 'certificates = ["anna.admins.example"]\n'
    people = load_people(written(tmp_path, more))
    assert people.by_certificate(frozenset({"olga.admins.example", "anna.admins.example"})) is None


WRONG = [
    ('[people.olga]\nroles = ["root"]\n', r"admins.toml:1: people.olga: roles are auditor, dpo"),
    ("[people.olga]\nroles = []\n", "roles are"),
    ('[people.olga]\nroles = ["auditor", "key-admin"]\n', "only reads"),
    ('[people.olga]\nrole = ["auditor"]\n', r"admins.toml:2: people.olga.role: unknown key"),
    ('[person.olga]\nroles = ["auditor"]\n', r"admins.toml:1: person: unknown key"),
    ('[people.Olga]\nroles = ["auditor"]\n', "people.Olga"),
    ("[people", "admins.toml"),
    (GOOD + 'oidc = ["f3b1"]\n', "olga and anna have the same entry in oidc"),
    (GOOD + 'certificates = ["olga.admins.example"]\n', "olga and anna have the same entry in certificates"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_people(written(tmp_path, text))


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match="writable by its owner alone"):
        load_people(written(tmp_path, GOOD, mode))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_people(tmp_path / "none.toml")


def test_a_change_counts_at_once_and_a_mistake_does_not(tmp_path: Path) -> None:
    log = StringIO()
    file = PeopleFile(written(tmp_path, GOOD), logger_into(log))
    assert set(file.now().people) == {"olga", "anna"}
    changed(tmp_path, '[people.olga]\nroles = ["dpo"]\n', 1)
    assert set(file.now().people) == {"olga"}
    changed(tmp_path, "nonsense", 2)
    assert set(file.now().people) == {"olga"} and "admin_people_refused" in log.getvalue()
    (tmp_path / "admins.toml").unlink()
    assert set(file.now().people) == {"olga"}


def changed(folder: Path, text: str, second: int) -> None:
    path = written(folder, text)
    os.utime(path, (second, second))
