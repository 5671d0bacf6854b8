"""The sample application's work through every driver, in each of its modes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from .canaries import Canaries
from .sample_app import Row, Run, work
from .stage import Stage

pytestmark = pytest.mark.integration


def numbered(statement: str, values: tuple[object, ...]) -> tuple[str, dict[str, object]]:
    """`$1` as psycopg's `%(p1)s`."""
    return re.sub(r"\$(\d+)", r"%(p\1)s", statement), {f"p{n}": value for n, value in enumerate(values, 1)}


@asynccontextmanager
async def psycopg_driver(stage: Stage, **options: Any) -> AsyncIterator[Run]:
    binary, pipeline = options.pop("binary", False), options.pop("pipeline", False)
    kind = options.pop("cursor", psycopg.AsyncCursor)
    connection = await psycopg.AsyncConnection.connect(
        **stage.parameters("shop_app"), autocommit=True, cursor_factory=kind, **options
    )
    open_pipeline: list[psycopg.AsyncPipeline] = []
    async with connection:

        async def run(statement: str, *values: object) -> list[Row]:
            text, named = numbered(statement, values)
            cursor = connection.cursor(binary=binary) if binary else connection.cursor()
            await cursor.execute(text.encode(), named)
            if open_pipeline:
                await open_pipeline[0].sync()
            return list(await cursor.fetchall()) if cursor.description else []

        if pipeline:
            async with connection.pipeline() as opened:
                open_pipeline.append(opened)
                yield run
        else:
            yield run


@asynccontextmanager
async def asyncpg_driver(stage: Stage, **options: Any) -> AsyncIterator[Run]:
    connection = await asyncpg.connect(
        host="localhost",
        port=stage.port,
        user="shop_app",
        password="demo",
        database="shop",
        ssl=stage.tls(),
        **options,
    )

    async def run(statement: str, *values: object) -> list[Row]:
        return [tuple(record) for record in await connection.fetch(statement, *values)]

    try:
        yield run
    finally:
        await connection.close()


@asynccontextmanager
async def sqlalchemy_driver(stage: Stage, driver: str) -> AsyncIterator[Run]:
    """SQLAlchemy's own text() statements; the ORM has tests of its own (test_sqlalchemy.py)."""
    arguments = (
        {"ssl": stage.tls()} if driver == "asyncpg" else {"sslmode": "verify-full", "sslrootcert": stage.folder.ca}
    )
    engine = create_async_engine(
        f"postgresql+{driver}://shop_app:demo@localhost:{stage.port}/shop", connect_args=arguments
    )

    async def run(statement: str, *values: object) -> list[Row]:
        named = {f"p{n}": value for n, value in enumerate(values, 1)}
        async with engine.begin() as connection:
            result = await connection.execute(text(re.sub(r"\$(\d+)", r":p\1", statement)), named)
            return [tuple(row) for row in result] if result.returns_rows else []

    try:
        yield run
    finally:
        await engine.dispose()


DRIVERS = {
    "psycopg text": lambda stage: psycopg_driver(stage),
    "psycopg binary": lambda stage: psycopg_driver(stage, binary=True),
    "psycopg prepared": lambda stage: psycopg_driver(stage, prepare_threshold=0),
    "psycopg pipeline": lambda stage: psycopg_driver(stage, pipeline=True),
    "psycopg simple query": lambda stage: psycopg_driver(stage, cursor=psycopg.AsyncClientCursor),
    "asyncpg": lambda stage: asyncpg_driver(stage),
    "asyncpg without statement cache": lambda stage: asyncpg_driver(stage, statement_cache_size=0),
    "SQLAlchemy asyncpg": lambda stage: sqlalchemy_driver(stage, "asyncpg"),
    "SQLAlchemy psycopg": lambda stage: sqlalchemy_driver(stage, "psycopg"),
}


@pytest.mark.parametrize("driver", DRIVERS)
async def test_the_sample_applications_work(stage: Stage, canaries: Canaries, driver: str) -> None:
    async with DRIVERS[driver](stage) as run:
        await work(run, canaries)
        await work(run, canaries)
