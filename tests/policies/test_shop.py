"""The sample policy against the written clauses."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import pytest

from policies.engine import CompiledDecisions
from policies.loader import SHOP, load_policy
from policies.matrix import HEADER, text
from policies.model import NO_VERBS, READ_VERBS, FieldRights, Principal, TableRights, Verb
from policies.policy_set import ANY_PURPOSE, Effect, PolicySet, Rule

GOLDEN = Path(__file__).parent / "golden" / "shop_matrix.csv"
WRITES = Verb.INSERT | Verb.UPDATE | Verb.DELETE

SHAPE = """\
customers(id, surname, name, patronymic, email, phone, country, city, postal_code, address, registered_at, status,
    preferences)
customer_contacts(id, customer_id, kind, value, learned_at)
orders(id, customer_id, placed_at, status, total, recipient_name, recipient_phone, delivery_address, submit_ip,
    submit_hostname, tech_notes)
access_accounts(id, customer_id, login, password_hash, last_login_at, last_login_ip)
login_events(id, customer_id, at, kind, ip, user_agent)
correspondence(id, customer_id, channel, at, subject, body)
payment_details(id, customer_id, system, account_ref, holder_name)
payments(id, order_id, amount, paid_at, method, reference)
refunds(id, order_id, customer_id, requested_at, amount, reason, passport_scan, requisites)
site_visits(id, at, page, referrer, ip, browser, language, bytes_in, bytes_out, seconds_on_page)
employees(id, full_name, birth_date, phone, hired_on, position, salary)
health_records(id, employee_id, recorded_on, note)
"""

SEALED = """\
customers: surname= name= patronymic= email=! phone= postal_code address preferences:jsonb
customer_contacts: value=
orders: recipient_name recipient_phone delivery_address submit_ip:inet=
access_accounts: login=! password_hash last_login_ip:inet
login_events: ip:inet=
correspondence: subject body
payment_details: account_ref= holder_name
payments: reference=
refunds: passport_scan:bytea requisites
employees: full_name birth_date:date phone salary:numeric
health_records: note
"""


@pytest.fixture(scope="module")
def shop() -> PolicySet:
    return load_policy(SHOP)


def _rights(policy: PolicySet, role: str, table: str, purpose: str | None = None) -> TableRights:
    principal = Principal(role, role, frozenset([role]), "shop", purpose or policy.roles[role].purpose, case="c")
    if policy.revision not in _COMPILED:
        _COMPILED[policy.revision] = CompiledDecisions(policy)
    return _COMPILED[policy.revision].table_rights(principal, "public", table)


_COMPILED: dict[str, CompiledDecisions] = {}  # by revision; compiling is what takes the time here


def _all(policy: PolicySet, role: str, purpose: str | None = None) -> dict[str, FieldRights]:
    """`table.column` -> rights, for every field."""
    return {
        f"{table}.{column}": rights
        for _, table in policy.data_map.tables
        for column, rights in _rights(policy, role, table, purpose).fields.items()
    }


def _with(policy: PolicySet, role: str, tag: str, verbs: Verb) -> PolicySet:
    """The policy with one more allow, as somebody might add it later."""
    added = Rule(role, tag, verbs, (ANY_PURPOSE,), Effect.ALLOW, ("D18",), "policy.csv:999")
    return dataclasses.replace(policy, rules=(*policy.rules, added))


def test_the_matrix_is_the_reviewed_one(shop: PolicySet) -> None:
    """After a change: `python -m policies.matrix`, review what differs against the clauses, replace the file."""
    assert text(shop).splitlines() == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_the_golden_file_names_every_role_and_field(shop: PolicySet) -> None:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == HEADER
    seen = {(row["role"], row["field"]) for row in rows}
    assert seen == {(role, field.name) for role in shop.roles for field in shop.all_fields()}


def test_tables_and_columns_are_the_designs(shop: PolicySet) -> None:
    wanted = {}
    for entry in SHAPE.replace("\n    ", " ").splitlines():
        name, _, columns = entry.rstrip(")").partition("(")
        wanted[name] = [column.strip() for column in columns.split(",")]
    found = {table: list(entry.fields) for (_, table), entry in shop.data_map.tables.items()}
    assert found == wanted


def test_sealed_fields_are_the_designs(shop: PolicySet) -> None:
    wanted = set()
    for line in SEALED.splitlines():
        table, _, columns = line.partition(": ")
        wanted |= {f"{table}.{column}" for column in columns.split()}
    found = set()
    for field in shop.all_fields():
        if (sealing := field.sealing) is not None:
            kind = "" if sealing.logical_type == "text" else f":{sealing.logical_type}"
            marks = "=" * sealing.equality + "!" * sealing.unique
            found.add(f"{field.table}.{field.column}{kind}{marks}")
    assert found == wanted


def test_d1_every_field_has_an_id_of_its_own_and_a_tag_that_the_policy_knows(shop: PolicySet) -> None:
    ids = [field.sealing.field_id for field in shop.all_fields() if field.sealing]
    assert len(set(ids)) == len(ids) == 29
    assert all(field.tag in shop.tags for field in shop.all_fields())


def test_d17_management_reads_and_searches_everything_for_every_purpose(shop: PolicySet) -> None:
    for purpose in shop.purposes:
        for name, rights in _all(shop, "management", purpose).items():
            assert rights.verbs & READ_VERBS == READ_VERBS & ~Verb.EXPORT, name


def test_d11_nobody_rewrites_how_an_application_came_in(shop: PolicySet) -> None:
    for role in shop.roles:
        for purpose in shop.purposes:
            orders = _rights(shop, role, "orders", purpose).fields
            assert not any(orders[c].allows(Verb.UPDATE) for c in ("placed_at", "submit_ip", "submit_hostname"))


def test_d9_d24_nobody_exports_or_reads_history(shop: PolicySet) -> None:
    for role in shop.roles:
        for purpose in shop.purposes:
            assert not any(r.verbs & (Verb.EXPORT | Verb.HISTORY) for r in _all(shop, role, purpose).values())


@pytest.mark.parametrize("role", ["support", "accounting", "client", "analyst", "dpo", "hr", "shop_app"])
def test_d18_nobody_else_equals_management(shop: PolicySet, role: str) -> None:
    """Each lacks every verb over at least one whole tag, whatever purpose it declares."""
    tags = {field.tag.split(".")[0] for field in shop.all_fields()}
    used = set()
    for purpose in shop.purposes:
        rights = _all(shop, role, purpose)
        used |= {f.tag.split(".")[0] for f in shop.all_fields() if rights[f"{f.table}.{f.column}"].verbs}
    assert tags - used


def test_d19_support_reads_who_the_customer_is_and_the_technical_side_of_orders(shop: PolicySet) -> None:
    rights = _all(shop, "support")
    identify = {f"customers.{c}" for c in ("surname", "name", "patronymic", "email", "phone")}
    technical = {f"orders.{c}" for c in ("placed_at", "status", "submit_ip", "submit_hostname", "tech_notes")}
    keys = {"customers.id", "orders.id", "orders.customer_id"}
    assert {name for name, r in rights.items() if r.allows(Verb.READ)} == identify | technical | keys
    assert {name for name, r in rights.items() if r.verbs} == identify | technical | keys
    assert all(rights[name].verbs == Verb.READ | Verb.FILTER_EQ for name in identify)
    assert not any(r.verbs & WRITES for r in rights.values())


def test_d20_accounting_has_nothing_technical_and_no_access_data(shop: PolicySet) -> None:
    for purpose in shop.purposes:
        rights = _all(shop, "accounting", purpose)
        for field in shop.all_fields():
            if field.tag.split(".")[0] in ("tech", "access"):
                assert rights[f"{field.table}.{field.column}"].verbs == NO_VERBS


@pytest.mark.parametrize("tag", ["access", "access.ip", "tech", "tech.submission.ip", "any", "order_technical"])
def test_d20_an_allow_added_later_does_not_help(shop: PolicySet, tag: str) -> None:
    later = _with(shop, "accounting", tag, ~Verb(0))
    rights = _all(later, "accounting")
    for field in later.all_fields():
        if field.tag.split(".")[0] in ("tech", "access"):
            assert rights[f"{field.table}.{field.column}"].verbs == NO_VERBS
    if tag == "any":
        assert rights["customers.email"].allows(Verb.READ)


def test_d20_holds_for_a_login_that_is_support_too(shop: PolicySet) -> None:
    principal = Principal("x", "x", frozenset(["accounting", "support"]), "shop", "identification")
    orders = CompiledDecisions(shop).table_rights(principal, "public", "orders").fields
    assert orders["submit_ip"].verbs == NO_VERBS
    assert "deny D20" in "".join(orders["submit_ip"].rules)


def test_accounting_reads_names_addresses_totals_payments_and_requisites(shop: PolicySet) -> None:
    readable = {name for name, r in _all(shop, "accounting").items() if r.allows(Verb.READ)}
    assert {
        "customers.surname",
        "customers.address",
        "customers.city",
        "orders.total",
        "payments.reference",
    } <= readable
    assert {"payment_details.account_ref", "refunds.requisites"} <= readable
    assert readable.isdisjoint({"customers.email", "customers.phone", "refunds.passport_scan", "employees.salary"})


def test_d27_checking_payments_reads_no_address(shop: PolicySet) -> None:
    rights = _all(shop, "accounting", "payment_check")
    assert rights["payments.reference"].allows(Verb.READ)
    assert not rights["customers.address"].verbs and not rights["orders.delivery_address"].verbs


def test_d22_d23_a_client_changes_registration_data_and_never_an_order(shop: PolicySet) -> None:
    rights = _all(shop, "client")
    changeable = {name for name, r in rights.items() if r.allows(Verb.UPDATE)}
    registration = ("surname", "name", "patronymic", "email", "phone", "country", "city", "postal_code", "address")
    assert changeable == {f"customers.{c}" for c in (*registration, "preferences")}
    later = _with(shop, "client", "any", WRITES)
    orders = _rights(later, "client", "orders").fields
    assert not any(r.verbs & WRITES for r in orders.values())
    assert not any(r.verbs & (Verb.INSERT | Verb.DELETE) for r in rights.values())


def test_a_client_sees_own_rows_only(shop: PolicySet) -> None:
    for table, column in (("customers", "id"), ("customer_contacts", "customer_id"), ("orders", "customer_id")):
        found = _rights(shop, "client", table).row_filter
        assert found is not None and (found.column, found.attribute) == (column, "subject")
    one, two = shop.principal("client"), shop.principal("client2")
    decisions = CompiledDecisions(shop)
    assert (one.subject, two.subject) == ("1", "2")
    assert decisions.rights_key(one) == decisions.rights_key(two)
    assert _rights(shop, "support", "orders").row_filter is None


def test_d23_the_application_never_changes_personal_data_of_an_order(shop: PolicySet) -> None:
    for purpose in shop.purposes:
        orders = _rights(_with(shop, "shop_app", "any", WRITES), "shop_app", "orders", purpose)
        for column in ("recipient_name", "recipient_phone", "delivery_address"):
            assert not orders.fields[column].verbs & (Verb.UPDATE | Verb.DELETE)
        assert not orders.deletes_rows
    assert _rights(shop, "shop_app", "orders").fields["recipient_name"].allows(Verb.INSERT)


def test_d13_the_application_takes_passport_scans_and_shows_none(shop: PolicySet) -> None:
    assert _all(shop, "shop_app")["refunds.passport_scan"].verbs == Verb.INSERT
    readers = {
        role
        for role in shop.roles
        for purpose in shop.purposes
        if _all(shop, role, purpose)["refunds.passport_scan"].allows(Verb.READ)
    }
    assert readers == {"management"}


def test_d8_the_analyst_only_counts_groups(shop: PolicySet) -> None:
    for purpose in shop.purposes:
        for rights in _all(shop, "analyst", purpose).values():
            assert not rights.verbs & ~(Verb.GROUP | Verb.AGGREGATE)
            assert not rights.verbs or rights.min_group == 5
    assert _rights(shop, "analyst", "customers").min_group == 5


def test_d6_visits_are_looked_at_for_one_purpose(shop: PolicySet) -> None:
    for role in set(shop.roles) - {"management"}:
        for purpose in set(shop.purposes) - {"site_analytics"}:
            assert not any(r.verbs for r in _rights(shop, role, "site_visits", purpose).fields.values())
    assert _rights(shop, "analyst", "site_visits", "site_analytics").countable


def test_z1_3_the_responsible_person_sees_no_data(shop: PolicySet) -> None:
    for purpose in shop.purposes:
        assert not any(r.verbs for r in _all(shop, "dpo", purpose).values())
        assert not any(_rights(shop, "dpo", t, purpose).countable for _, t in shop.data_map.tables)


def test_z5_6_health_data_is_reached_by_named_grants_only(shop: PolicySet) -> None:
    readers = {role for role in shop.roles for p in shop.purposes if _rights(shop, role, "health_records", p).countable}
    assert readers == {"management"}
    assert not _rights(_with(shop, "hr", "any", ~Verb(0)), "hr", "health_records").countable
    assert not _rights(_with(shop, "hr", "special", ~Verb(0)), "hr", "health_records").countable
    assert _rights(_with(shop, "hr", "special.health", ~Verb(0)), "hr", "health_records").countable


def test_hr_has_employees_and_nothing_else(shop: PolicySet) -> None:
    assert {name.split(".")[0] for name, r in _all(shop, "hr").items() if r.verbs} == {"employees"}


def test_every_rule_purpose_and_filter_serves_a_clause(shop: PolicySet) -> None:
    served = [*(r.clauses for r in shop.rules), *(p.clauses for p in shop.purposes.values())]
    served += [f.clauses for f in shop.filters]
    assert all(clauses and set(clauses) <= set(shop.clauses) for clauses in served)
    assert {"D17", "D18", "D19", "D20", "D22", "D23"} <= {c for r in shop.rules for c in r.clauses}
    assert [c for c in shop.clauses if c.startswith("D")] == [f"D{n}" for n in range(1, 31)]


def test_d27_the_six_uses_are_in_the_register(shop: PolicySet) -> None:
    assert len([p for p in shop.purposes.values() if "D27" in p.clauses]) == 6
