"""Which columns parts are made of, how many rows they have, and for whom figures are over whole parts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from policies.engine import CompiledDecisions
from policies.loader import SHOP, load_policy
from policies.model import Parts, Principal, TableRights, Verb
from policies.policy_set import ANY_PURPOSE, Effect, PolicySet, Role, Rule

from .folders import write


def _with(policy: PolicySet, *rules: tuple[str, str, Verb, int], purpose: str = ANY_PURPOSE) -> PolicySet:
    made = (
        Rule(role, tag, verbs, (purpose,), Effect.ALLOW, ("D1",), f"policy.csv:{90 + n}", min_group)
        for n, (role, tag, verbs, min_group) in enumerate(rules)
    )
    return dataclasses.replace(policy, rules=(*(rule for rule in policy.rules if not rule.min_group), *made))


def _rights(policy: PolicySet, *roles: str, purpose: str = "work") -> TableRights:
    principal = Principal("x", "x", frozenset(roles), "firm", purpose)
    return CompiledDecisions(policy).table_rights(principal, "public", "people")


@pytest.fixture
def policy(tmp_path: Path) -> PolicySet:
    return load_policy(write(tmp_path))


FIGURES = Verb.GROUP | Verb.AGGREGATE


def test_the_sample() -> None:
    shop = load_policy(SHOP)
    decisions = CompiledDecisions(shop)
    for table, columns in (
        ("customers", ("country", "status", "city")),  # as the data map says
        ("orders", ("status",)),
        ("payments", ("method",)),
        ("site_visits", ("page", "referrer", "browser", "language")),
        ("refunds", ()),
    ):
        assert decisions.parts("public", table) == Parts(columns, 5)
        for purpose in ("statistics", "site_analytics"):
            rights = decisions.table_rights(
                Principal("a", "a", frozenset({"analyst"}), shop.controller, purpose), "public", table
            )
            assert rights.parts == (Parts(columns, 5) if rights.min_group else None)


def test_whoever_reads_everything_is_shown_figures_over_rows() -> None:
    """Management reads health data; its minimum group hides nothing from it that a difference could tell."""
    shop = load_policy(SHOP)
    manager = Principal("m", "m", frozenset({"management"}), shop.controller, "contract")
    rights = CompiledDecisions(shop).table_rights(manager, "public", "health_records")
    assert rights.min_group == 5
    assert rights.parts is None


def test_one_parting_for_everybody(policy: PolicySet) -> None:
    """Two people with different rights ask about the same parts, of the larger of both minimums."""
    made = _with(
        policy, ("clerk", "key", FIGURES, 3), ("clerk", "pd", Verb.AGGREGATE, 3), ("self", "access", FIGURES, 7)
    )
    assert CompiledDecisions(made).parts("public", "people") == Parts(("id", "login"), 7)
    assert _rights(made, "clerk").parts == _rights(made, "self").parts == Parts(("id", "login"), 7)


def test_purposes_share_it(policy: PolicySet) -> None:
    made = _with(policy, ("clerk", "key", FIGURES, 3), purpose="dispute")
    made = dataclasses.replace(made, rules=(*made.rules, *_with(policy, ("clerk", "pd", Verb.AGGREGATE, 3)).rules[-1:]))
    assert CompiledDecisions(made).parts("public", "people").columns == ("id",)
    assert _rights(made, "clerk").parts == Parts(("id",), 3)


def test_a_role_that_inherits_counts(policy: PolicySet) -> None:
    heir = Role("heir", "Heir", "work", inherits=("clerk",))
    made = _with(policy, ("clerk", "pd", Verb.AGGREGATE, 4), ("heir", "key", FIGURES, 0))
    made = dataclasses.replace(made, roles={**made.roles, "heir": heir})
    assert CompiledDecisions(made).parts("public", "people") == Parts(("id",), 4)


def test_cells_without_terms_are_grouped_by_nobody(policy: PolicySet) -> None:
    made = _with(policy, ("clerk", "pd", FIGURES, 3))
    assert CompiledDecisions(made).parts("public", "people").columns == ("name",)


def test_the_order_is_the_data_maps(tmp_path: Path) -> None:
    text = 'subject = "id"\n'
    folder = write(
        tmp_path,
        datamap=(text, text + 'parts = ["name"]\n'),
        policy=(
            "clerk, pd, mask|group, work, allow, mask=null|min_group=3",
            "clerk, any, group, work, allow, min_group=3",
        ),
    )
    assert CompiledDecisions(load_policy(folder)).parts("public", "people") == Parts(("name", "id"), 3)
