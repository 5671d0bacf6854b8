"""Plans and findings, from snapshots written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.loader import SHOP, load_policy
from policies.model import FieldRights, RowFilter, TableRights, Verb
from policies.physical import selectable
from policies.policy_set import PolicySet
from proxy.grants.command import plan_text
from proxy.grants.planning import plan
from proxy.grants.privileges import PUBLIC, ObjectKind, Privilege, Target
from proxy.grants.snapshot import Held, Relation, Role, Schema, Sequence, Snapshot
from proxy.grants.verify import verify
from proxy.grants.wanted import Wanted, upstream_roles, wanted
from tests.policies.folders import write

PEOPLE = Target(ObjectKind.TABLE, "public", "people")
NUMBERS = Target(ObjectKind.SEQUENCE, "public", "people_id_seq")
COLUMNS = ("id", "name", "login", "pay", "ill", "fg_name_eq", "fg_login_eq")
CLERK, OWNER = "clerk", "owner"


def _held(role: str, name: str, column: str | None = None, target: Target = PEOPLE, grantable: bool = False) -> Held:
    return Held(Privilege(role, target, name, column), grantable)


def _snapshot(*held: Held, owner: str = OWNER, roles: tuple[Role, ...] = (), database_owner: str = OWNER) -> Snapshot:
    relation = Relation(
        "public",
        "people",
        "r",
        owner,
        ("public", "people"),
        COLUMNS,
        tuple(h for h in held if h.privilege.target == PEOPLE),
    )
    numbers = tuple(h for h in held if h.privilege.target == NUMBERS)
    return Snapshot(
        "firm",
        database_owner,
        {role.name: role for role in (Role(CLERK), Role(OWNER), *roles)},
        {("public", "people"): relation},
        (Sequence("public", "people_id_seq", owner, ("public", "people"), "id", numbers),),
        {"public": Schema("public", OWNER)},
    )


WANTED: Wanted = {
    Privilege(CLERK, PEOPLE, "SELECT", "name"): {"read"},
    Privilege(CLERK, PEOPLE, "SELECT", "id"): {"read"},
}


def _sql(*held: Held, snapshot: Snapshot | None = None, want: Wanted | None = None) -> list[str]:
    return [c.sql for c in plan(snapshot or _snapshot(*held), WANTED if want is None else want, [CLERK]).changes]


def test_what_is_missing_is_granted_by_column() -> None:
    assert _sql() == ['GRANT SELECT ("name", "id") ON TABLE "public"."people" TO "clerk"']


def test_what_is_held_already_is_left_alone() -> None:
    held = (_held(CLERK, "SELECT", "name"), _held(CLERK, "SELECT", "id"))
    made = plan(_snapshot(*held), WANTED, [CLERK])
    assert made.is_done
    assert plan_text(made) == "-- nothing to do\n"


def test_a_column_beyond_the_policy_is_taken() -> None:
    held = (_held(CLERK, "SELECT", "name"), _held(CLERK, "SELECT", "id"), _held(CLERK, "SELECT", "pay"))
    assert _sql(*held) == ['REVOKE SELECT ("pay") ON TABLE "public"."people" FROM "clerk" CASCADE']


def test_a_tables_privilege_is_taken_and_the_columns_that_go_with_it_are_given_again() -> None:
    held = (_held(CLERK, "SELECT"), _held(CLERK, "SELECT", "name"), _held(CLERK, "SELECT", "pay"))
    assert _sql(*held) == [
        'REVOKE SELECT ON TABLE "public"."people" FROM "clerk" CASCADE',
        'GRANT SELECT ("name", "id") ON TABLE "public"."people" TO "clerk"',
    ]


def test_a_right_to_pass_on_is_taken_alone() -> None:
    held = (_held(CLERK, "SELECT", "name", grantable=True), _held(CLERK, "SELECT", "id"))
    assert _sql(*held) == ['REVOKE GRANT OPTION FOR SELECT ("name") ON TABLE "public"."people" FROM "clerk" CASCADE']


def test_what_everybody_holds_is_taken_from_everybody() -> None:
    held = (_held(PUBLIC, "SELECT"), _held(PUBLIC, "USAGE", target=NUMBERS))
    assert _sql(*held)[:2] == [
        'REVOKE SELECT ON TABLE "public"."people" FROM PUBLIC CASCADE',
        'REVOKE USAGE ON SEQUENCE "public"."people_id_seq" FROM PUBLIC CASCADE',
    ]


def test_other_roles_are_not_touched() -> None:
    held = (_held("somebody", "SELECT"), _held(CLERK, "SELECT", "name"), _held(CLERK, "SELECT", "id"))
    assert _sql(*held) == []


def test_names_are_quoted() -> None:
    odd = Target(ObjectKind.TABLE, "public", 'x"; DROP TABLE y; --')
    want: Wanted = {Privilege(CLERK, odd, "SELECT", 'a"b'): {"read"}}
    assert _sql(want=want) == ['GRANT SELECT ("a""b") ON TABLE "public"."x""; DROP TABLE y; --" TO "clerk"']


def test_a_plan_says_why() -> None:
    text = plan_text(plan(_snapshot(_held(CLERK, "DELETE")), WANTED, [CLERK, "ghost"]))
    assert text.splitlines() == [
        "-- no rule of the policy gives clerk this on table public.people",
        'REVOKE DELETE ON TABLE "public"."people" FROM "clerk" CASCADE;',
        "-- read",
        'GRANT SELECT ("name", "id") ON TABLE "public"."people" TO "clerk";',
        '-- by hand: ghost does not exist -> CREATE ROLE "ghost" LOGIN',
    ]


OVER = [
    (_snapshot(roles=(Role(CLERK, superuser=True),)), "has SUPERUSER"),
    (_snapshot(roles=(Role(CLERK, bypass_rls=True),)), "has BYPASSRLS"),
    (_snapshot(roles=(Role(CLERK, create_role=True),)), "has CREATEROLE"),
    (_snapshot(roles=(Role(CLERK, replication=True),)), "has REPLICATION"),
    *(
        (_snapshot(roles=(Role(CLERK, member_of=frozenset([name])),)), f"is a member of {name}")
        for name in (
            "pg_read_all_data",
            "pg_write_all_data",
            "pg_read_server_files",
            "pg_write_server_files",
            "pg_execute_server_program",
            "pg_monitor",
            "pg_maintain",
            "pg_database_owner",
        )
    ),
    (_snapshot(owner=CLERK), "owns table public.people"),
    (_snapshot(database_owner=CLERK), "owns the database firm"),
    (
        _snapshot(roles=(Role(CLERK, member_of=frozenset([OWNER])),)),
        "is a member of owner, who owns table public.people",
    ),
    (
        _snapshot(roles=(Role(CLERK, member_of=frozenset(["boss"])), Role("boss", superuser=True))),
        "is a member of boss, a superuser",
    ),
    (_snapshot(_held(CLERK, "SELECT", "pay")), "holds SELECT (pay) on public.people, beyond the policy"),
    (_snapshot(_held(CLERK, "SELECT")), "holds SELECT on public.people, beyond the policy"),
    (_snapshot(_held(CLERK, "TRUNCATE")), "holds TRUNCATE on public.people, beyond the policy"),
    (
        _snapshot(_held(PUBLIC, "SELECT", "pay")),
        "holds SELECT (pay) on public.people, beyond the policy, through PUBLIC",
    ),
    (
        _snapshot(_held("staff", "SELECT"), roles=(Role(CLERK, member_of=frozenset(["staff"])),)),
        "holds SELECT on public.people, beyond the policy, through staff",
    ),
    (
        _snapshot(_held(CLERK, "SELECT", "name", grantable=True)),
        "holds SELECT WITH GRANT OPTION (name) on public.people, beyond the policy",
    ),
    (
        _snapshot(_held(CLERK, "UPDATE", target=NUMBERS)),
        "holds UPDATE on sequence public.people_id_seq, beyond the policy",
    ),
]


@pytest.mark.parametrize(("snapshot", "what"), OVER)
def test_an_over_privileged_role_is_found(snapshot: Snapshot, what: str) -> None:
    assert what in {finding.what for finding in verify(snapshot, WANTED, [CLERK])}


def test_a_role_with_the_plans_privileges_is_in_order() -> None:
    held = (_held(CLERK, "SELECT", "name"), _held("somebody", "SELECT"))
    assert verify(_snapshot(*held), WANTED, [CLERK]) == ()


def test_a_missing_role_is_found() -> None:
    assert [f.what for f in verify(_snapshot(), WANTED, ["ghost"])] == ["does not exist"]


@pytest.fixture
def policy(tmp_path: Path) -> PolicySet:
    return load_policy(write(tmp_path))


def _of(found: Wanted, role: str) -> set[tuple[str, str | None]]:
    return {(p.name, p.column) for p in found if p.role == role and p.target == PEOPLE}


def test_privileges_follow_from_the_verbs(policy: PolicySet) -> None:
    found = wanted(policy, _snapshot())
    assert _of(found, "boss") == {
        ("SELECT", column) for column in ("id", "name", "fg_name_eq", "login", "fg_login_eq", "pay")
    }
    assert _of(found, "fg_self") == {("SELECT", "name"), ("SELECT", "pay"), ("SELECT", "id")}
    assert Privilege("boss", Target(ObjectKind.SCHEMA, "public"), "USAGE") in found
    assert not any(p.target == NUMBERS for p in found)


def test_reasons_name_verbs_and_rules(policy: PolicySet) -> None:
    found = wanted(policy, _snapshot())
    assert found[Privilege("boss", PEOPLE, "SELECT", "name")] == {"read", "filter_eq", "policy.csv:2 allow D1"}
    assert found[Privilege("fg_self", PEOPLE, "SELECT", "id")] == {"row key, row filter or parts"}


def test_a_table_that_is_not_in_the_database_gets_nothing(policy: PolicySet) -> None:
    assert wanted(policy, Snapshot("firm", OWNER)) == {}


def test_the_control_role_draws_keys_of_rows_with_bound_cells(policy: PolicySet) -> None:
    found = wanted(policy, _snapshot(), "fieldgate")
    assert {(p.target, p.name) for p in found if p.role == "fieldgate"} == {
        (NUMBERS, "USAGE"),
        (Target(ObjectKind.SCHEMA, "public"), "USAGE"),
    }


def _rights(policy: PolicySet, verbs: dict[str, Verb], row_filter: RowFilter | None = None) -> dict[str, Verb]:
    table = policy.data_map.tables["public", "people"]
    fields = {column: FieldRights(verbs.get(column, Verb(0))) for column in table.fields}
    return selectable(table, TableRights(fields, row_filter))


def test_searching_without_reading_needs_the_term_and_not_the_cell(policy: PolicySet) -> None:
    assert set(_rights(policy, {"name": Verb.FILTER_EQ | Verb.JOIN})) == {"fg_name_eq"}
    assert set(_rights(policy, {"name": Verb.READ})) == {"name"}
    assert set(_rights(policy, {"pay": Verb.FILTER_EQ})) == {"pay"}


def test_a_bound_cell_is_read_with_its_rows_key_and_own_rows_with_their_column(policy: PolicySet) -> None:
    assert set(_rights(policy, {"ill": Verb.READ})) == {"ill", "id"}
    assert set(_rights(policy, {"name": Verb.READ}, RowFilter("public", "people", "id"))) == {"name", "id"}


def test_writing_needs_no_reading(policy: PolicySet) -> None:
    assert _rights(policy, {"name": Verb.INSERT | Verb.UPDATE, "ill": Verb.INSERT}) == {}


def test_the_shops_dpo_gets_nothing_and_its_roles_are_the_files() -> None:
    shop = load_policy(SHOP)
    relations = {
        name: Relation(*name, "r", OWNER, name, tuple(table.fields)) for name, table in shop.data_map.tables.items()
    }
    found = wanted(shop, Snapshot("shop", OWNER, {}, relations))
    assert "fg_dpo" in upstream_roles(shop)
    assert not [p for p in found if p.role == "fg_dpo"]
    denied = {"submit_ip", "submit_hostname", "tech_notes", "fg_submit_ip_eq", "placed_at"}
    assert not [p for p in found if p.role == "fg_accounting" and p.column in denied]


def test_who_draws_from_a_sequence_and_reads_its_column_may_read_where_it_stands() -> None:
    shop = load_policy(SHOP)
    name = ("public", "orders")
    relation = Relation(*name, "r", OWNER, name, tuple(shop.data_map.tables[name].fields))
    sequence = Sequence("public", "orders_id_seq", OWNER, name, "id")
    found = wanted(shop, Snapshot("shop", OWNER, {}, {name: relation}, (sequence,)))
    held = {(p.role, p.name) for p in found if p.target == sequence.target}
    assert held >= {("fg_management", "USAGE"), ("fg_management", "SELECT")}
    readers = {role for role, privilege in held if privilege == "SELECT"}
    assert readers <= {role for role, privilege in held if privilege == "USAGE"}
    assert "fg_client" not in readers
