"""The made-up people: the same for the same seed, as many as asked for, and nobody who could be real."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from pathlib import Path

import pytest

import proxy.demo
from proxy.demo.generate import TableRows, make_shop, tables

RESERVED = [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]


def generated(rows: int = 60, seed: int = 1) -> dict[str, TableRows]:
    return {table.name: table for table in tables(make_shop(rows, seed))}


def column(table: TableRows, name: str) -> list[object]:
    at = table.columns.index(name)
    return [row[at] for row in table.rows]


def test_the_same_seed_gives_the_same_shop_everywhere() -> None:
    digest = hashlib.sha256(repr([(t.name, t.columns, t.rows) for t in generated().values()]).encode()).hexdigest()
    assert digest == "eb714b493820a6f778dc4c747a1f6fef4f8da7b0cb4b5a28c6db05619daf5fa6"


def test_another_seed_gives_other_people_but_the_same_first_two() -> None:
    one, two = generated(seed=1)["customers"], generated(seed=2)["customers"]
    assert column(one, "surname")[2:] != column(two, "surname")[2:]
    assert (
        column(one, "email")[:2]
        == column(two, "email")[:2]
        == ["anna.smirnova@example.org", "james.turner@example.org"]
    )


def test_sizes_follow_the_number_of_customers() -> None:
    found = generated(rows=2000)
    assert len(found["customers"].rows) == 2000
    assert len(found["orders"].rows) == 6000
    assert all(table.rows for table in generated(rows=0).values() if table.name != "refunds")


def test_what_must_be_unique_is() -> None:
    found = generated(rows=2000)
    for table, name in (("customers", "email"), ("access_accounts", "login"), ("access_accounts", "customer_id")):
        values = column(found[table], name)
        assert len(set(values)) == len(values)
    assert all(column(table, "id") == list(range(1, len(table.rows) + 1)) for table in found.values())


@pytest.mark.parametrize(
    ("table", "name", "parent"),
    [
        ("orders", "customer_id", "customers"),
        ("payments", "order_id", "orders"),
        ("refunds", "order_id", "orders"),
        ("health_records", "employee_id", "employees"),
        ("correspondence", "customer_id", "customers"),
    ],
)
def test_references_hit(table: str, name: str, parent: str) -> None:
    found = generated()
    assert set(column(found[table], name)) <= set(column(found[parent], "id"))
    order = list(found)
    assert order.index(parent) < order.index(table)


def test_people_are_russian_and_english_and_nobody_can_be_reached() -> None:
    found = generated(rows=300)
    customers = found["customers"]
    assert {"Россия", "United Kingdom", "United States"} == set(column(customers, "country"))
    assert all(re.search(r"@(example\.(org|com|net)|mail\.example)$", str(mail)) for mail in column(customers, "email"))
    assert all(re.search(r" 000-\d\d-\d\d$| 555-01\d\d$", str(phone)) for phone in column(customers, "phone"))
    for address in column(found["orders"], "submit_ip") + column(found["login_events"], "ip"):
        assert any(ipaddress.ip_address(str(address)) in network for network in RESERVED)


def test_columns_are_those_of_the_schema_in_its_order() -> None:
    schema = (Path(proxy.demo.__file__).parent / "shop.sql").read_text()
    declared = {
        name: tuple(line.split()[0] for line in body.strip().splitlines())
        for name, body in re.findall(r"CREATE TABLE (\w+) \(\n(.*?)\n\);", schema, re.DOTALL)
    }
    assert declared == {table.name: table.columns for table in generated().values()}
