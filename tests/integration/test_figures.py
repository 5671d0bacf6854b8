"""What an analyst is shown through the whole of Fieldgate, against the parts worked out by themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.support.parting import shown

from .stage import Stage

pytestmark = pytest.mark.integration

LEAST = 5
KEYS = {"customers": ("country", "status", "city"), "orders": ("status",)}
MEASURES = {"customers": "id", "orders": "total"}
REFUSED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def raw(stage: Stage) -> Iterator[psycopg.Connection[Any]]:
    """Around the proxy, with two rare groups beside the sample's."""
    with stage.raw.connect() as connection:
        before = connection.execute("SELECT id, status FROM orders").fetchall()
        towns = connection.execute("SELECT id, city FROM customers").fetchall()
        connection.execute("UPDATE orders SET status = 'lost' WHERE id IN (SELECT id FROM orders ORDER BY id LIMIT 2)")
        connection.execute(
            "UPDATE customers SET city = 'Tiny' WHERE id IN (SELECT id FROM customers ORDER BY id LIMIT 3)"
        )
        yield connection
        connection.execute("DELETE FROM orders WHERE id > 1000000")
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE orders SET status = %s WHERE id = %s", [(s, n) for n, s in before])
            cursor.executemany("UPDATE customers SET city = %s WHERE id = %s", [(s, n) for n, s in towns])


def _expected(raw: psycopg.Connection[Any], table: str, keys: Sequence[str]) -> dict[tuple[Any, ...], Decimal]:
    columns = KEYS[table]
    rows = raw.execute(f"SELECT {MEASURES[table]}, {', '.join(columns)} FROM {table}".encode()).fetchall()
    parts = shown([row[1:] for row in rows], LEAST)
    assert parts is not None
    found: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for row, part in zip(rows, parts, strict=True):
        found[tuple(part[columns.index(key)] for key in keys)] += row[0]
    return found


def _asked(connection: psycopg.Connection[Any], table: str, keys: Sequence[str], **how: bool) -> dict[Any, Decimal]:
    listed = ", ".join(keys)
    text = f"SELECT sum({MEASURES[table]}), {listed} FROM {table} GROUP BY {listed}"
    with connection.cursor(binary=how.get("binary", False)) as cursor:
        rows = cursor.execute(text.encode(), prepare=how.get("prepare")).fetchall()
    return {row[1:]: Decimal(row[0]) for row in rows}


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("orders", ("status",)),
        ("customers", ("city",)),
        ("customers", ("status",)),
        ("customers", ("country", "status")),
        ("customers", ("city", "status", "country")),
    ],
)
def test_groups_are_whole_parts(stage: Stage, raw: psycopg.Connection[Any], table: str, keys: tuple[str, ...]) -> None:
    expected = _expected(raw, table, keys)
    with stage.connect("analyst") as one, stage.connect("analyst") as other:
        assert _asked(one, table, keys) == expected
        assert _asked(other, table, keys, binary=True, prepare=True) == expected
        total = other.execute(f"SELECT sum({MEASURES[table]}) FROM {table}".encode()).fetchone()
    assert total is not None
    assert sum(expected.values()) == total[0]


def test_a_small_group_is_together_with_the_next(stage: Stage, raw: psycopg.Connection[Any]) -> None:
    statuses = raw.execute("SELECT status, count(*) FROM orders GROUP BY status ORDER BY 2").fetchall()
    assert statuses[0] == ("lost", 2)
    with stage.connect("analyst") as connection:
        asked = connection.execute("SELECT status, count(*) FROM orders GROUP BY status").fetchall()
    hidden = {status for status, _ in statuses} - {status for status, _ in asked}
    assert "lost" in hidden
    assert dict(asked)[None] == sum(count for status, count in statuses if status in hidden) >= LEAST


def test_what_choosing_rows_needs_is_refused_with_parameters_too(stage: Stage) -> None:
    with stage.connect("analyst") as connection:
        for condition in ("id <= %s", "id <> %s", "total < %s", "customer_id = %s"):
            for prepare in (False, True):
                with pytest.raises(REFUSED, match="permission denied: filter"):
                    connection.execute(
                        f"SELECT sum(total) FROM orders WHERE {condition}".encode(), (5,), prepare=prepare
                    )


def test_a_change_between_two_questions_is_seen(stage: Stage, raw: psycopg.Connection[Any]) -> None:
    """A published limit (docs/limits.md): figures are over whole parts of what is there when they are asked for."""
    with stage.connect("analyst") as connection:
        before = _asked(connection, "orders", ("status",))
        raw.execute(
            "INSERT INTO orders SELECT 1000001, customer_id, placed_at, status, 12345, recipient_name, "
            "recipient_phone, delivery_address, submit_ip, submit_hostname, tech_notes "
            "FROM orders WHERE status = 'lost' LIMIT 1"
        )
        after = _asked(connection, "orders", ("status",))
        assert after == _expected(raw, "orders", ("status",))
    assert after[None,] - before[None,] == 12345


def test_what_figures_are_over_is_recorded(stage: Stage) -> None:
    with stage.connect("analyst") as connection:
        connection.execute("SELECT count(*) FROM orders").fetchall()
    assert '"parts":{"public.orders":{"rows":5,"by":["status"]}}' in stage.folder.audit.read_text()
