"""The rows of the sample, a little changed so that there is something to find: rare groups, long texts, holes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from proxy.demo.generate import make_shop, tables

CUSTOMERS = 36
SEED = 3
OWN = 1  # the customer that the login `client` is

# Column -> the table whose `id` it holds.
LINKS = {
    ("customer_contacts", "customer_id"): "customers",
    ("orders", "customer_id"): "customers",
    ("access_accounts", "customer_id"): "customers",
    ("login_events", "customer_id"): "customers",
    ("correspondence", "customer_id"): "customers",
    ("payment_details", "customer_id"): "customers",
    ("payments", "order_id"): "orders",
    ("refunds", "order_id"): "orders",
    ("refunds", "customer_id"): "customers",
    ("health_records", "employee_id"): "employees",
}


@dataclass(slots=True)
class Rows:
    """One table: its columns, and its rows as lists that may be changed."""

    columns: tuple[str, ...]
    rows: list[list[object]]

    def at(self, column: str) -> int:
        return self.columns.index(column)

    def values(self, column: str) -> list[object]:
        at = self.at(column)
        return [row[at] for row in self.rows]


World = dict[str, Rows]


def base() -> World:
    made = {
        table.name: Rows(table.columns, [list(row) for row in table.rows])
        for table in tables(make_shop(CUSTOMERS, SEED))
    }
    _rare_groups(made)
    return made


def _rare_groups(world: World) -> None:
    """Groups that are smaller than any minimum group."""
    customers, orders, payments = world["customers"], world["orders"], world["payments"]
    for number in (7, 8, 9):
        customers.rows[number][customers.at("city")] = "Норильск"
    customers.rows[11][customers.at("city")] = "Oulu"
    for number in (20, 21, 22, 23):
        orders.rows[number][orders.at("status")] = "lost"
    for number in (30, 31, 32):
        payments.rows[number][payments.at("method")] = "cheque"
    visits = world["site_visits"]
    for number in (3, 4, 5):
        visits.rows[number][visits.at("page")] = "/secret-sale"


def copied(world: Mapping[str, Rows]) -> World:
    return {name: Rows(table.columns, [list(row) for row in table.rows]) for name, table in world.items()}


def shuffled(random: Random, values: list[object]) -> list[object]:
    """In another order, if there is one."""
    found = list(values)
    random.shuffle(found)
    return found
