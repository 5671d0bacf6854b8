"""Tokens and answers in the control database, as its control role."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from proxy.admin.answers import Answer, DatabaseAnswers, Known
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


ANSWER = Answer(202, '{"x":1}')
DIGEST = b"a" * 32


async def test_a_key_is_claimed_once_and_its_first_answer_stays(control: ControlDatabase) -> None:
    answers = DatabaseAnswers(control.connection)
    assert await answers.claim("olga", "key-0001", DIGEST) is None
    assert await answers.claim("olga", "key-0001", b"b" * 32) == Known(DIGEST, None)
    assert await answers.claim("pavel", "key-0001", b"b" * 32) is None
    await answers.keep("olga", "key-0001", ANSWER)
    await answers.keep("olga", "key-0001", Answer(200, "{}"))
    assert await answers.claim("olga", "key-0001", b"c" * 32) == Known(DIGEST, ANSWER)
    assert await answers.claim("pavel", "key-0001", DIGEST) == Known(b"b" * 32, None)


async def test_a_claim_is_given_up_and_an_answer_is_not(control: ControlDatabase) -> None:
    answers = DatabaseAnswers(control.connection)
    assert await answers.claim("olga", "key-0001", DIGEST) is None
    await answers.give_up("olga", "key-0001")
    assert await answers.claim("olga", "key-0001", DIGEST) is None
    await answers.keep("olga", "key-0001", ANSWER)
    await answers.give_up("olga", "key-0001")
    assert await answers.claim("olga", "key-0001", DIGEST) == Known(DIGEST, ANSWER)


async def test_of_many_who_claim_at_once_one_has_it(control: ControlDatabase) -> None:
    answers = DatabaseAnswers(control.connection)
    found = await asyncio.gather(*(answers.claim("olga", "key-0001", DIGEST) for _ in range(8)))
    assert sorted(map(str, found)) == sorted(map(str, [None, *[Known(DIGEST, None)] * 7]))


async def test_answers_and_claims_go_after_their_time(control: ControlDatabase) -> None:
    answers = DatabaseAnswers(control.connection)
    for key in ("key-0001", "key-0002"):
        await answers.claim("olga", key, DIGEST)
    await answers.keep("olga", "key-0001", ANSWER)
    owner = await control.database.connect_async()
    await owner.execute("UPDATE fieldgate.admin_answers SET created_at = now() - interval '31 days'")
    await owner.close()
    await answers.claim("pavel", "key-0001", DIGEST)
    await answers.keep("pavel", "key-0001", ANSWER)
    assert await answers.claim("olga", "key-0001", DIGEST) is await answers.claim("olga", "key-0002", DIGEST) is None
