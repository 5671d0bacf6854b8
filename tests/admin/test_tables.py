"""Tokens and answers in the control database, as its control role."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from proxy.admin.answers import Answer, DatabaseAnswers
from proxy.admin.tokens import DatabaseTokens, check_token, make_token
from tests.support.control_database import ControlDatabase, make_control
from tests.support.servers import Database

NOW = datetime.now(UTC)


@pytest.fixture
async def control(database: Database) -> ControlDatabase:
    return await make_control(database)


async def test_a_token_is_kept_found_listed_and_revoked(control: ControlDatabase) -> None:
    table = DatabaseTokens(control.connection)
    shown, row = make_token("olga", frozenset({"key-admin", "dpo"}), "shell:root", NOW + timedelta(days=1))
    await table.add(row)
    found = await check_token(shown, table, NOW)
    assert found is not None and replace(found, created_at=None) == row
    assert await check_token(shown[:-2] + "AA", table, NOW) is None
    assert await check_token(shown, table, NOW + timedelta(days=2)) is None
    assert [each.token_id for each in await table.all()] == [row.token_id]
    assert await table.revoke(row.token_id) and await table.revoke(row.token_id)
    assert not await table.revoke("0" * 16)
    assert await check_token(shown, table, NOW) is None


async def test_the_database_holds_no_secret(control: ControlDatabase) -> None:
    shown, row = make_token("olga", frozenset({"dpo"}), "shell:root", NOW + timedelta(days=1))
    await DatabaseTokens(control.connection).add(row)
    async with control.connection() as connection:
        [stored] = await connection.fetch("SELECT t::text FROM fieldgate.admin_tokens t")
    assert shown.split("_", 2)[2] not in stored["t"] and shown.split("_", 2)[2].encode().hex() not in stored["t"]


async def test_a_token_that_never_was_valid_is_not_kept(control: ControlDatabase) -> None:
    _, row = make_token("olga", frozenset({"dpo"}), "shell:root", NOW - timedelta(days=1))
    with pytest.raises(asyncpg.CheckViolationError):
        await DatabaseTokens(control.connection).add(row)


async def test_the_first_answer_stays_and_old_ones_go(control: ControlDatabase) -> None:
    answers = DatabaseAnswers(control.connection)
    first, second = Answer(b"a" * 32, 202, '{"x":1}'), Answer(b"b" * 32, 200, "{}")
    assert await answers.find("olga", "key-0001") is None
    await answers.keep("olga", "key-0001", first)
    await answers.keep("olga", "key-0001", second)
    await answers.keep("pavel", "key-0001", second)
    assert await answers.find("olga", "key-0001") == first and await answers.find("pavel", "key-0001") == second
    owner = await control.database.connect_async()
    await owner.execute(
        "UPDATE fieldgate.admin_answers SET created_at = now() - interval '31 days' WHERE person = 'olga'"
    )
    await owner.close()
    await answers.keep("pavel", "key-0002", second)
    assert await answers.find("olga", "key-0001") is None
