"""The compiled table decides exactly as Casbin's `enforce`: for the whole of `shop`, and for policies made up."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from policies import oracle as oracle_module
from policies.engine import CompiledDecisions
from policies.errors import PolicyError
from policies.loader import SHOP, load_policy
from policies.model import VERBS_BY_NAME, Principal, Verb
from policies.oracle import Oracle, cells, check_against_oracle, compare, policy_rows
from policies.policy_set import PolicySet

from .generated import VERBS, policies


@pytest.fixture(scope="module")
def shop() -> PolicySet:
    return load_policy(SHOP)


@pytest.mark.parametrize("role", ["management", "support", "accounting", "client", "analyst", "dpo", "hr", "shop_app"])
def test_every_cell_of_shop_is_decided_as_casbin_decides(shop: PolicySet, role: str) -> None:
    asked = [cell for cell in cells(shop) if cell.subject == role]
    assert len(asked) == len({f.tag for f in shop.all_fields()}) * len(shop.purposes) * len(VERBS_BY_NAME)
    compare(shop, asked)


def test_no_role_of_shop_is_left_out(shop: PolicySet) -> None:
    assert {cell.subject for cell in cells(shop)} == set(shop.roles)
    assert len(shop.roles) == 8


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(policy=policies())
def test_made_up_policies_are_decided_as_casbin_decides(policy: PolicySet) -> None:
    _compare(policy)


def _compare(policy: PolicySet) -> None:
    decisions, oracle = CompiledDecisions(policy), Oracle(policy)
    for cell in (c for c in cells(policy) if c.verb in VERBS or c.verb is Verb.HISTORY):
        verb = (cell.verb.name or "").lower()
        for controller in ("firm", "other"):
            principal = Principal("", "", cell.roles, controller, cell.purpose, case="c")
            fields = decisions.table_rights(principal, "public", "t").fields
            allowed = fields[cell.field.column].allows(cell.verb)
            assert allowed == oracle.allows(cell.subject, cell.field.name, verb, cell.purpose, controller)


@pytest.mark.parametrize("purpose", ["", "*", "any", "marketing", "CONTRACT"])
def test_a_purpose_outside_the_register_gives_nothing_in_either(shop: PolicySet, purpose: str) -> None:
    decisions, oracle = CompiledDecisions(shop), Oracle(shop)
    principal = Principal("m", "m", frozenset(["management"]), "shop", purpose, case="c")
    rights = decisions.table_rights(principal, "public", "customers")
    assert not any(field.verbs for field in rights.fields.values())
    if purpose != "*":  # the root of Casbin's links leads to itself; no session can have it (see above)
        assert not oracle.allows("management", "public.customers.name", "read", purpose)


def test_an_untagged_column_is_denied_by_both(shop: PolicySet) -> None:
    decisions, oracle = CompiledDecisions(shop), Oracle(shop)
    rights = decisions.table_rights(shop.principal("management"), "public", "customers")
    assert "added_later" not in rights.fields
    for verb in VERBS_BY_NAME:
        assert not oracle.allows("management", "public.customers.added_later", verb, "contract")


def test_an_empty_policy_allows_nothing_in_either(shop: PolicySet) -> None:
    empty = dataclasses.replace(shop, rules=())
    assert check_against_oracle(empty, 2000) == 2000
    decisions = CompiledDecisions(empty)
    for role in empty.roles:
        for table in empty.data_map.tables:
            principal = Principal("", "", frozenset([role]), "shop", "contract")
            assert not any(f.verbs for f in decisions.table_rights(principal, *table).fields.values())


def test_a_difference_is_caught(shop: PolicySet, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_denies(policy: PolicySet) -> Iterator[list[str]]:
        return (row for row in policy_rows(policy) if row[-1] == "allow")

    monkeypatch.setattr(oracle_module, "policy_rows", without_denies)
    with pytest.raises(PolicyError, match="differ for"):
        check_against_oracle(shop, 20000)


def test_casbin_logs_nothing_of_what_it_is_asked(shop: PolicySet, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        check_against_oracle(shop, 50)
    assert caplog.records == []
