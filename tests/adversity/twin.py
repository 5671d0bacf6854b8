"""The sample shop once more beside the sealed one: the same rows in the same server, as plain columns of a database of
its own.  What is asked of it directly is what the proxy must answer to somebody who may read and write everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from proxy.demo.generate import tables
from proxy.demo.schema import logical_schema
from tests.integration.stage import Stage
from tests.support.servers import Database, fresh_database

from .line import Line


@contextmanager
def plain_twin(stage: Stage) -> Iterator[Database]:
    with fresh_database(stage.server) as database:
        asyncio.run(_fill(stage, database))
        yield database


async def _fill(stage: Stage, database: Database) -> None:
    connection = await database.connect_async()
    try:
        await connection.execute(logical_schema())
        for table in tables(stage.shop):
            await connection.copy_records_to_table(table.name, records=table.rows, columns=table.columns)
            await connection.execute(f"ALTER TABLE {table.name} ALTER id RESTART WITH {len(table.rows) + 1}")
    finally:
        await connection.close()


class Sides:
    """Where the same is asked twice.  Not a dataclass: it would show thousands of rows when a test fails."""

    def __init__(self, stage: Stage, twin: Database) -> None:
        self.stage, self.twin = stage, twin

    def lines(self) -> tuple[Line, Line]:
        """To the server, and through the proxy."""
        return straight(self.twin), through(self.stage)


def straight(database: Database) -> Line:
    """Logged in to the server itself."""
    server = database.server
    line = Line(server.host, server.port)
    assert line.log_in(server.superuser, database.name, server.password)[-1][0] == "Z"
    return line


def through(stage: Stage, role: str = "management", **more: str) -> Line:
    """Logged in to the proxy."""
    line = Line("localhost", stage.port, stage.folder.ca)
    heard = line.log_in(role, "shop", "demo", **more)
    assert heard[-1][0] == "Z", heard
    return line
