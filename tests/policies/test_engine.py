"""Rights of role sets, purposes and cases; what a principal is; when plans may be shared."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from policies.engine import CompiledDecisions
from policies.errors import PrincipalRefused
from policies.loader import load_policy
from policies.model import NO_VERBS, FieldRights, Principal, RowFilter, TableRights, Verb
from policies.policy_set import ANY_PURPOSE, Effect, PolicySet, RoleFilter, Rule

from .folders import write


@pytest.fixture
def policy(tmp_path: Path) -> PolicySet:
    return load_policy(write(tmp_path))


def _principal(*roles: str, purpose: str = "work", controller: str = "firm", case: str | None = None) -> Principal:
    return Principal("x", "x", frozenset(roles), controller, purpose, case=case)


def _fields(policy: PolicySet, principal: Principal) -> dict[str, FieldRights]:
    return CompiledDecisions(policy).table_rights(principal, "public", "people").fields


def test_every_field_of_the_map_has_an_answer_and_the_default_is_no(policy: PolicySet) -> None:
    fields = _fields(policy, _principal())
    assert set(fields) == {"id", "name", "login", "pay", "ill"}
    assert all(rights.verbs == NO_VERBS for rights in fields.values())


def test_a_table_that_is_not_in_the_map_has_no_rights_at_all(policy: PolicySet) -> None:
    rights = CompiledDecisions(policy).table_rights(_principal("boss"), "public", "other")
    assert rights == TableRights() and not rights.countable and not rights.deletes_rows


def test_a_named_only_tag_is_not_reached_by_any(policy: PolicySet) -> None:
    fields = _fields(policy, _principal("boss"))
    assert fields["pay"].allows(Verb.READ)
    assert fields["ill"].verbs == NO_VERBS


def test_a_deny_of_any_reaches_a_named_only_tag(policy: PolicySet) -> None:
    named = Rule("boss", "special.health", Verb.READ, (ANY_PURPOSE,), Effect.ALLOW, ("D1",), "policy.csv:90")
    allowed = dataclasses.replace(policy, rules=(*policy.rules, named))
    assert _fields(allowed, _principal("boss"))["ill"].allows(Verb.READ)
    never = Rule("boss", "any", Verb.READ, (ANY_PURPOSE,), Effect.DENY, ("D1",), "policy.csv:91")
    denied = dataclasses.replace(allowed, rules=(*allowed.rules, never))
    assert _fields(denied, _principal("boss"))["ill"].verbs == NO_VERBS


def test_rights_of_several_roles_add_up_and_a_deny_takes_from_the_sum(policy: PolicySet) -> None:
    fields = _fields(policy, _principal("boss", "clerk"))
    assert fields["name"].verbs == Verb.READ | Verb.FILTER_EQ | Verb.MASK | Verb.GROUP
    assert fields["login"].verbs == NO_VERBS


def test_reasons_name_the_rules_that_gave_and_took(policy: PolicySet) -> None:
    fields = _fields(policy, _principal("boss", "clerk"))
    assert fields["login"].rules == ("policy.csv:2 allow D1", "policy.csv:5 deny D2")


def test_obligations_travel_with_the_rights(policy: PolicySet) -> None:
    decisions = CompiledDecisions(policy)
    rights = decisions.table_rights(_principal("clerk"), "public", "people")
    assert rights.fields["pay"].mask_null and rights.fields["pay"].min_group == 3
    assert rights.min_group == 3
    boss = decisions.table_rights(_principal("boss"), "public", "people")
    assert boss.min_group == 0 and not boss.fields["pay"].mask_null


def test_a_set_reaches_its_members_only(policy: PolicySet) -> None:
    fields = _fields(policy, _principal("clerk"))
    assert fields["name"].allows(Verb.READ)
    assert not fields["pay"].allows(Verb.READ)


@pytest.mark.parametrize(
    "principal",
    [
        _principal("boss", purpose=""),
        _principal("boss", purpose="*"),
        _principal("boss", purpose="fun"),
        _principal("boss", controller="other"),
        _principal("boss", purpose="dispute"),
        _principal("boss", purpose="dispute", case=""),
        _principal("nobody"),
    ],
)
def test_nothing_without_purpose_controller_case_or_role(policy: PolicySet, principal: Principal) -> None:
    assert all(rights.verbs == NO_VERBS for rights in _fields(policy, principal).values())


def test_a_narrower_purpose_has_the_rights_of_the_wider(policy: PolicySet) -> None:
    assert _fields(policy, _principal("clerk", purpose="dispute", case="7"))["name"].allows(Verb.READ)


def test_plans_are_shared_by_equal_rights_and_by_nothing_else(policy: PolicySet) -> None:
    decisions = CompiledDecisions(policy)
    anna, bert = (dataclasses.replace(_principal("self"), subject=subject) for subject in ("7", "8"))
    assert decisions.rights_key(anna) == decisions.rights_key(bert)
    assert decisions.table_rights(anna, "public", "people") is decisions.table_rights(bert, "public", "people")
    keys = {
        decisions.rights_key(p)
        for p in (
            _principal("self"),
            _principal("self", "clerk"),
            _principal("boss"),
            _principal("boss", purpose="dispute", case="1"),
            _principal("boss", purpose="dispute"),
        )
    }
    assert len(keys) == 5
    assert decisions.rights_key(_principal("boss", purpose="dispute", case="1")) == decisions.rights_key(
        _principal("boss", purpose="dispute", case="2")
    )


def test_a_row_filter_holds_for_whoever_has_the_role_among_others(policy: PolicySet) -> None:
    decisions = CompiledDecisions(policy)
    wanted = RowFilter("public", "people", "id", "subject")
    assert decisions.table_rights(_principal("self", "boss"), "public", "people").row_filter == wanted
    assert decisions.table_rights(_principal("boss"), "public", "people").row_filter is None


def test_two_filters_that_disagree_leave_nothing(policy: PolicySet) -> None:
    other = RoleFilter("boss", RowFilter("public", "people", "pay"), ("D1",))
    rights = CompiledDecisions(dataclasses.replace(policy, filters=(*policy.filters, other))).table_rights(
        _principal("self", "boss"), "public", "people"
    )
    assert all(each.verbs == NO_VERBS for each in rights.fields.values())


def test_the_cache_is_bounded_and_what_fell_out_is_compiled_again(policy: PolicySet) -> None:
    decisions = CompiledDecisions(policy, max_compiled=2)
    first = decisions.table_rights(_principal("boss"), "public", "people")
    for roles in (("clerk",), ("self",), ("clerk", "self")):
        decisions.table_rights(_principal(*roles), "public", "people")
    assert decisions.table_rights(_principal("boss"), "public", "people") == first
    assert len(decisions._compiled) == 2


def test_whole_rows_are_deleted_only_when_every_field_may_be() -> None:
    yes, no = FieldRights(Verb.DELETE), FieldRights(NO_VERBS)
    assert TableRights({"a": yes, "b": yes}).deletes_rows
    assert not TableRights({"a": yes, "b": no}).deletes_rows


def test_rows_are_counted_by_whoever_may_use_a_field_and_not_by_a_writer() -> None:
    assert TableRights({"a": FieldRights(Verb.JOIN)}).countable
    assert not TableRights({"a": FieldRights(Verb.INSERT | Verb.UPDATE | Verb.DELETE | Verb.MASK)}).countable


def test_principals_of_persons_and_services(policy: PolicySet) -> None:
    anna = policy.principal("anna")
    assert (anna.person, anna.purpose, anna.subject, anna.roles) == ("anna", "work", "7", frozenset(["self"]))
    app = policy.principal("app", person="Ivanova", subject="9")
    assert (app.login, app.person, app.subject) == ("app", "Ivanova", "9")
    assert policy.principal("boss", purpose="dispute", case="12").case == "12"


def test_a_login_that_the_policy_does_not_know_has_no_rights(policy: PolicySet) -> None:
    stranger = policy.principal("stranger")
    assert stranger.roles == frozenset()
    assert all(rights.verbs == NO_VERBS for rights in _fields(policy, stranger).values())


@pytest.mark.parametrize(
    ("login", "said"),
    [
        ("boss", {"purpose": "fun"}),
        ("boss", {"purpose": "dispute"}),
        ("boss", {"person": "anna"}),
        ("anna", {"subject": "8"}),
        ("app", {}),
        ("app", {"person": "fun\n"}),
        ("app", {"person": "fun" * 100}),
        ("boss", {"case": "\x00"}),
        ("stranger", {"person": "boss"}),
        ("stranger", {"subject": "7"}),
        ("stranger", {"purpose": "fun"}),
    ],
)
def test_what_a_session_says_of_itself_is_checked_and_never_repeated(
    policy: PolicySet, login: str, said: dict[str, str]
) -> None:
    with pytest.raises(PrincipalRefused) as found:
        policy.principal(login, **said)
    assert "fun" not in str(found.value)
