"""What the shop's own application does all day, once, for every driver: it acts as `shop_app`.

A driver is a function from SQL with `$1` parameters to rows; `work` says what must come back.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal

from .canaries import Canaries

Row = Sequence[object]
Run = Callable[..., Awaitable[list[Row]]]

REGISTER = """
    INSERT INTO customers (surname, name, patronymic, email, phone, country, city, postal_code, address, preferences)
    VALUES ($1, $2, $3, $4, $5, 'Россия', 'Казань', $6, $7, $8) RETURNING id, email, surname
"""
FIND = "SELECT id, name, patronymic, phone, address, preferences FROM customers WHERE email = $1"
OPEN_ACCOUNT = """
    INSERT INTO access_accounts (customer_id, login, password_hash, last_login_at, last_login_ip)
    VALUES ($1, $2, $3, now(), $4)
"""
LOG_IN = "SELECT a.customer_id, a.password_hash FROM access_accounts AS a WHERE a.login = $1"
ORDER = """
    INSERT INTO orders
        (customer_id, total, recipient_name, recipient_phone, delivery_address, submit_ip, submit_hostname)
    VALUES ($1, $2, $3, $4, $5, $6, 'host-1.isp.example'), ($1, $7, $3, $4, $5, $6, NULL) RETURNING id
"""
HISTORY = """
    SELECT o.id, o.total, o.recipient_name, o.delivery_address, c.email
    FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email = $1 ORDER BY o.id
"""
UPSERT = """
    INSERT INTO customers (surname, name, email, phone, country, city, postal_code, address)
    VALUES ($1, $2, $3, $4, 'Россия', 'Казань', $5, $6)
    ON CONFLICT (email) DO UPDATE SET phone = EXCLUDED.phone RETURNING id, phone
"""
WRITE = "INSERT INTO correspondence (customer_id, channel, subject, body) VALUES ($1, 'email', $2, $3)"
READ = "SELECT subject, body FROM correspondence WHERE customer_id = $1 ORDER BY at, id"


async def work(run: Run, canaries: Canaries) -> None:
    """Register, log in, order, look, change, write.  Every sealed value is a canary."""
    mail, surname, name = canaries.mail(), canaries.text("surname"), canaries.text("name")
    phone, code, street = canaries.text("phone"), canaries.text("code"), canaries.text("ул. Лесная")
    preferences = canaries.document()

    ((customer, echoed, family),) = await run(REGISTER, surname, name, None, mail, phone, code, street, preferences)
    assert (echoed, family) == (mail, surname)
    ((found, *rest, document),) = await run(FIND, mail)
    assert [found, *rest] == [customer, name, None, phone, street]
    assert _document(document) == json.loads(preferences)
    assert await run(FIND, canaries.mail()) == []

    await _account(run, canaries, customer)
    await _orders(run, canaries, customer, mail)
    await _changes(run, canaries, customer, mail)
    await _letters(run, canaries, customer)


async def _account(run: Run, canaries: Canaries, customer: object) -> None:
    login, secret = canaries.text("login"), canaries.text("$argon2id$")
    await run(OPEN_ACCOUNT, customer, login, secret, canaries.address())
    assert await _tuples(run, LOG_IN, login) == [(customer, secret)]
    assert await _tuples(run, LOG_IN, canaries.text("login")) == []


async def _orders(run: Run, canaries: Canaries, customer: object, mail: str) -> None:
    recipient, phone, address = canaries.text("recipient"), canaries.text("phone"), canaries.text("address")
    one, two = Decimal("120.50"), Decimal("7.00")
    ids = await _tuples(run, ORDER, customer, one, recipient, phone, address, canaries.address(), two)
    assert len(ids) == 2
    assert await _tuples(run, HISTORY, mail) == [
        (ids[0][0], one, recipient, address, mail),
        (ids[1][0], two, recipient, address, mail),
    ]


async def _changes(run: Run, canaries: Canaries, customer: object, mail: str) -> None:
    phone = canaries.text("phone")
    await run("UPDATE customers SET phone = $1 WHERE email = $2", phone, mail)
    assert await _tuples(run, "SELECT phone FROM customers WHERE id = $1", customer) == [(phone,)]
    newer, other = canaries.text("phone"), canaries.text("other")
    assert await _tuples(run, UPSERT, other, other, mail, newer, other, other) == [(customer, newer)]
    assert await _tuples(run, "SELECT surname IS NULL, patronymic IS NULL FROM customers WHERE email = $1", mail) == [
        (False, True)
    ]
    either = "SELECT id FROM customers WHERE email IN ($1, $2) OR email = $3"
    assert await _tuples(run, either, canaries.mail(), mail, canaries.mail()) == [(customer,)]


async def _letters(run: Run, canaries: Canaries, customer: object) -> None:
    letters: list[tuple[str | None, str]] = [
        (canaries.text("subject"), canaries.text("body")),
        (None, ""),
        ("", "'; --"),
    ]
    for subject, body in letters:
        await run(WRITE, customer, subject, body)
    assert await _tuples(run, READ, customer) == letters


async def _tuples(run: Run, statement: str, *values: object) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await run(statement, *values)]


def _document(value: object) -> object:
    """Some drivers give jsonb as text, some parsed."""
    return json.loads(value) if isinstance(value, str) else value
