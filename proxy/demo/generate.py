"""The rows of `shop`: the same for the same seed and size, on every machine.

One function for each table, each with a random source of its own, so that a change to one table leaves the others as
they were.  Values are Python's: str, int, Decimal, datetime, date, bytes, and str for inet and jsonb.
"""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from . import words
from .people import ANNA, JAMES, Person, ip_address, latin, person

Row = tuple[object, ...]
_BEGIN = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
_CENT = Decimal("0.01")
_YEAR_SECONDS = 365 * 24 * 3600
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@dataclass(frozen=True, slots=True)
class TableRows:
    name: str
    columns: tuple[str, ...]
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Shop:
    """What the tables have in common: who the customers are, and who placed and paid which order."""

    seed: int
    people: list[Person]
    order_customers: list[int]  # customer of order i + 1
    order_totals: list[Decimal]

    def source(self, table: str) -> Random:
        return Random(f"{self.seed}/{table}")  # noqa: S311 (made-up people, not secrets)

    @property
    def customers(self) -> int:
        return len(self.people)


def make_shop(customers: int, seed: int) -> Shop:
    """`customers` of them (at least two), three times as many orders."""
    count = max(customers, 2)
    rng = Random(f"{seed}/people")  # noqa: S311
    people = [ANNA, JAMES, *(person(rng) for _ in range(count - 2))]
    buyers = [1, 2, *(rng.randint(1, count) for _ in range(3 * count - 2))]
    totals = [_money(rng, 390, 48_000) for _ in buyers]
    return Shop(seed, people, buyers, totals)


def tables(shop: Shop) -> Iterator[TableRows]:
    """Every table of `shop`, a referenced one before those that refer to it."""
    for name, (columns, make) in _TABLES.items():
        yield TableRows(name, tuple(columns.split()), make(shop, shop.source(name)))


def _moment(rng: Random) -> datetime.datetime:
    return _BEGIN + datetime.timedelta(seconds=rng.randrange(_YEAR_SECONDS))


def _day(rng: Random, first: int, last: int) -> datetime.date:
    return datetime.date(first, 1, 1) + datetime.timedelta(days=rng.randrange((last - first + 1) * 365))


def _money(rng: Random, low: int, high: int) -> Decimal:
    return (Decimal(rng.randint(low * 100, high * 100)) / 100).quantize(_CENT)


def _mail(shop: Shop, number: int) -> str:
    """Customer `number`'s e-mail address; the two fixed people have theirs without a number."""
    return shop.people[number - 1].mailbox(number if number > 2 else 0)


def _customers(shop: Shop, rng: Random) -> list[Row]:
    rows: list[Row] = []
    for number, who in enumerate(shop.people, 1):
        preferences = {"language": who.language, "newsletter": rng.random() < 0.4, "size": rng.choice("SMLX")}
        rows.append((
            number, who.surname, who.name, who.patronymic, _mail(shop, number), who.phone, who.country, who.city,
            who.postal_code, who.address, _moment(rng), "active" if rng.random() < 0.95 else "closed",
            json.dumps(preferences) if rng.random() < 0.9 else None,
        ))  # fmt: skip
    return rows


def _customer_contacts(shop: Shop, rng: Random) -> list[Row]:
    rows: list[Row] = []
    for customer, who in enumerate(shop.people, 1):
        if rng.random() < 0.5:
            number = len(rows) + 1
            kind = rng.choice(("phone", "email", "telegram"))
            value = {"phone": person(rng).phone, "email": f"{latin(who.name)}{number}@mail.example"}.get(
                kind, f"@{latin(who.name)}_{latin(who.surname)}{number}"
            )
            rows.append((number, customer, kind, value, _moment(rng)))
    return rows


def _orders(shop: Shop, rng: Random) -> list[Row]:
    rows: list[Row] = []
    for number, (customer, total) in enumerate(zip(shop.order_customers, shop.order_totals, strict=True), 1):
        who = shop.people[customer - 1] if rng.random() < 0.85 else person(rng)
        address = f"{who.postal_code}, {who.city}, {who.address}"
        rows.append((
            number, customer, _moment(rng), rng.choice(words.ORDER_STATUSES), total, who.full_name, who.phone, address,
            ip_address(rng), f"host-{rng.randint(1, 9999)}.isp.example",
            rng.choice(words.TECH_NOTES) if rng.random() < 0.3 or number == 1 else None,
        ))  # fmt: skip
    return rows


def _access_accounts(shop: Shop, rng: Random) -> list[Row]:
    rows: list[Row] = []
    for customer, who in enumerate(shop.people, 1):
        login = latin(who.name)[:1] + latin(who.surname) + (str(customer) if customer > 2 else "")
        salt, digest = (base64.b64encode(rng.randbytes(n)).decode().rstrip("=") for n in (16, 32))
        secret = f"$argon2id$v=19$m=65536,t=3,p=4${salt}${digest}"
        rows.append((customer, customer, login, secret, _moment(rng), ip_address(rng)))
    return rows


def _login_events(shop: Shop, rng: Random) -> list[Row]:
    def one(number: int) -> Row:
        kind = rng.choices(("login", "logout", "failed"), (6, 3, 1))[0]
        customer = rng.randint(1, shop.customers)
        return (number, customer, _moment(rng), kind, ip_address(rng), rng.choice(words.USER_AGENTS))

    return [one(number) for number in range(1, 3 * shop.customers + 1)]


def _correspondence(shop: Shop, rng: Random) -> list[Row]:
    rows: list[Row] = []
    for number in range(1, shop.customers + 1):
        customer = rng.randint(1, shop.customers)
        who = shop.people[customer - 1]
        subject, body = rng.choice(words.LETTERS[who.language])
        order = rng.randint(1, len(shop.order_customers))
        channel = rng.choice(("email", "chat", "phone"))
        rows.append((number, customer, channel, _moment(rng), subject, body.format(name=who.name, order=order)))
    return rows


def _payment_details(shop: Shop, rng: Random) -> list[Row]:
    rows: list[Row] = []
    for customer, who in enumerate(shop.people, 1):
        if rng.random() < 0.6 or customer <= 2:
            system = rng.choice(words.PAYMENT_SYSTEMS)
            holder = f"{latin(who.name)} {latin(who.surname)}".upper()
            rows.append((len(rows) + 1, customer, system, _account(rng, system), holder))
    return rows


def _account(rng: Random, system: str) -> str:
    """Card numbers begin with 0000, which no issuer has."""
    if system == "card":
        return "0000 " + " ".join(f"{rng.randint(0, 9999):04}" for _ in range(3))
    return f"{system}:{rng.randint(10**9, 10**10 - 1)}"


def _payments(shop: Shop, rng: Random) -> list[Row]:
    rows: list[Row] = []
    for order, total in enumerate(shop.order_totals, 1):
        if rng.random() < 0.85:
            reference = f"PAY-{rng.randint(10**11, 10**12 - 1)}"
            rows.append((len(rows) + 1, order, total, _moment(rng), rng.choice(words.PAYMENT_SYSTEMS), reference))
    return rows


def _refunds(shop: Shop, rng: Random) -> list[Row]:
    rows: list[Row] = []
    for order, (customer, total) in enumerate(zip(shop.order_customers, shop.order_totals, strict=True), 1):
        if rng.random() < 0.03:
            who = shop.people[customer - 1]
            scan = _PNG + rng.randbytes(rng.randint(200, 800)) if rng.random() < 0.7 else None
            requisites = f"{who.full_name}, {_account(rng, 'card')}"
            reason = rng.choice(words.REFUND_REASONS)
            rows.append((len(rows) + 1, order, customer, _moment(rng), total, reason, scan, requisites))
    return rows


def _site_visits(shop: Shop, rng: Random) -> list[Row]:
    def one(number: int) -> Row:
        language = rng.choice(("ru", "en", "de"))
        traffic = (rng.randint(300, 4_000), rng.randint(5_000, 900_000), rng.randint(1, 600))
        where = (rng.choice(words.PAGES), rng.choice(words.REFERRERS), ip_address(rng), rng.choice(words.BROWSERS))
        return (number, _moment(rng), *where, language, *traffic)

    return [one(number) for number in range(1, 2 * shop.customers + 1)]


def _employees(shop: Shop, rng: Random) -> list[Row]:
    rows: list[Row] = []
    for number in range(1, _employee_count(shop) + 1):
        who = person(rng)
        born, hired = _day(rng, 1962, 2003), _day(rng, 2015, 2024)
        salary = Decimal(rng.randint(60, 420) * 1000).quantize(_CENT)
        rows.append((number, who.full_name, born, who.phone, hired, rng.choice(words.POSITIONS), salary))
    return rows


def _health_records(shop: Shop, rng: Random) -> list[Row]:
    employees = _employee_count(shop)
    return [
        (number, rng.randint(1, employees), _day(rng, 2023, 2025), rng.choice(words.HEALTH_NOTES))
        for number in range(1, 2 * employees + 1)
    ]


def _employee_count(shop: Shop) -> int:
    return max(5, shop.customers // 50)


_TABLES: dict[str, tuple[str, Callable[[Shop, Random], list[Row]]]] = {
    "customers": (
        "id surname name patronymic email phone country city postal_code address registered_at status preferences",
        _customers,
    ),
    "customer_contacts": ("id customer_id kind value learned_at", _customer_contacts),
    "orders": (
        "id customer_id placed_at status total recipient_name recipient_phone delivery_address submit_ip "
        "submit_hostname tech_notes",
        _orders,
    ),
    "access_accounts": ("id customer_id login password_hash last_login_at last_login_ip", _access_accounts),
    "login_events": ("id customer_id at kind ip user_agent", _login_events),
    "correspondence": ("id customer_id channel at subject body", _correspondence),
    "payment_details": ("id customer_id system account_ref holder_name", _payment_details),
    "payments": ("id order_id amount paid_at method reference", _payments),
    "refunds": ("id order_id customer_id requested_at amount reason passport_scan requisites", _refunds),
    "site_visits": (
        "id at page referrer ip browser language bytes_in bytes_out seconds_on_page",
        _site_visits,
    ),
    "employees": ("id full_name birth_date phone hired_on position salary", _employees),
    "health_records": ("id employee_id recorded_on note", _health_records),
}
