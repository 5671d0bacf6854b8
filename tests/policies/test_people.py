"""Logins and row filters."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.errors import PolicyError
from policies.files.people import ATTRIBUTES
from policies.loader import load_policy
from policies.policy_set import LoginKind

from .folders import write


def test_a_logins_purpose_is_its_roles_or_its_own(tmp_path: Path) -> None:
    assert load_policy(write(tmp_path / "a")).logins["boss"].purpose == "work"
    own = write(tmp_path / "b", logins=('roles = ["boss"]', 'roles = ["boss"]\npurpose = "dispute"'))
    assert load_policy(own).logins["boss"].purpose == "dispute"


def test_roles_that_disagree_need_a_purpose_of_the_login(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        roles=('title = "Boss"\npurpose = "work"', 'title = "Boss"\npurpose = "dispute"'),
        logins=('roles = ["boss"]', 'roles = ["boss", "clerk"]'),
    )
    with pytest.raises(PolicyError, match="do not agree"):
        load_policy(folder)


def test_own_rows_are_inherited(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        roles=('title = "Clerk"', 'title = "Clerk"\ninherits = ["self"]'),
        logins=('kind = "service"\nroles = ["clerk"]\nnames_person = true', 'kind = "person"\nroles = ["clerk"]'),
    )
    with pytest.raises(PolicyError, match="sees only its own rows"):
        load_policy(folder)


def test_a_service_with_own_rows_says_for_whom_when_it_connects(tmp_path: Path) -> None:
    folder = write(tmp_path, logins=('kind = "service"\nroles = ["clerk"]', 'kind = "service"\nroles = ["self"]'))
    policy = load_policy(folder)
    assert policy.logins["app"].kind is LoginKind.SERVICE
    assert policy.principal("app", person="p", subject="5").subject == "5"
    assert policy.principal("app", person="p").subject is None  # and then no row is its own


def test_one_filter_for_a_role_and_table(tmp_path: Path) -> None:
    folder = write(tmp_path)
    file = folder / "rowfilters.toml"
    file.write_text(file.read_text() * 2)
    with pytest.raises(PolicyError, match="a filter for this table already"):
        load_policy(folder)
    assert ATTRIBUTES == ("subject",)
