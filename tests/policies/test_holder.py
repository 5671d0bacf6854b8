"""A new revision comes in whole, or the old one stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.errors import PolicyError
from policies.holder import PolicyHolder
from policies.policy_set import PolicySet

from .folders import write


def test_reload_swaps_to_the_new_revision(tmp_path: Path) -> None:
    holder = PolicyHolder.load(write(tmp_path))
    before = holder.current
    assert holder.reload() is False and holder.current is before
    write(tmp_path, policy=("boss, any, read|", "boss, any, read|order|"))
    assert holder.reload() is True
    assert holder.current.revision != before.revision == before.decisions.revision


def test_a_wrong_policy_is_refused_with_its_place_and_the_old_one_stays(tmp_path: Path) -> None:
    holder = PolicyHolder.load(write(tmp_path))
    before = holder.current
    write(tmp_path, policy=("self, pd, read", "self, pd, raed"))
    with pytest.raises(PolicyError, match=r'policy\.csv:6: verbs: unknown verb "raed"'):
        holder.reload()
    assert holder.current is before
    write(tmp_path)
    assert holder.reload() is False


@pytest.mark.parametrize(("key", "value"), [("controller", "other"), ("database", "other")])
def test_controller_and_database_do_not_change_while_running(tmp_path: Path, key: str, value: str) -> None:
    holder = PolicyHolder.load(write(tmp_path))
    before = holder.current
    write(tmp_path, datamap=(f'{key} = "firm"', f'{key} = "{value}"'))
    with pytest.raises(PolicyError, match="cannot change while the proxy runs"):
        holder.reload()
    assert holder.current is before


def test_a_revision_that_casbin_judges_otherwise_is_not_published(tmp_path: Path) -> None:
    asked: list[PolicySet] = []

    def check(policy: PolicySet) -> None:
        asked.append(policy)
        if len(asked) > 1:
            raise PolicyError("differ")

    holder = PolicyHolder.load(write(tmp_path), check=check)
    before = holder.current
    write(tmp_path, policy=("boss, any, read|", "boss, any, read|order|"))
    with pytest.raises(PolicyError, match="differ"):
        holder.reload()
    assert holder.current is before and len(asked) == 2


def test_a_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    holder = PolicyHolder.load(write(tmp_path / "p"))
    (tmp_path / "p").rename(tmp_path / "q")
    with pytest.raises(PolicyError, match="is no folder"):
        holder.reload()
    assert holder.current.revision
