"""The sealed table of people, full, with the keyring that it was sealed by."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from keys.keyring import Keyring
from tests.rotation.making import ciphers_of, creation, fill, first_keyring
from tests.support.servers import Database

ROWS = 60


@pytest.fixture
def keyring() -> Keyring:
    return first_keyring()


@pytest.fixture
async def people(database: Database, keyring: Keyring) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the database of the table, a superuser's."""
    ciphers = ciphers_of(keyring)
    database.run(*creation(ciphers))
    connection = await database.connect_async()
    await fill(connection, ciphers, ROWS)
    yield connection
    await connection.close()
