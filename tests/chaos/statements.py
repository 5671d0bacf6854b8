"""A client's connection, and the ways in which a statement is said: prepared once, unprepared, or as one text."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import asyncpg

Rows = list[tuple[Any, ...]]


@dataclass(slots=True)
class Session:
    """`name` is the server session's application_name.  Prepared statements stay for as long as the connection."""

    connection: asyncpg.Connection
    name: str
    chance: random.Random
    commits: bool = False  # what has been said last may have taken effect
    prepared: dict[str, Any] = field(default_factory=dict)

    async def fetch(self, text: str, *values: object) -> Rows:
        if self.chance.random() < 0.3:
            return [tuple(row) for row in await self.connection.fetch(text, *values)]
        return [tuple(row) for row in await (await self._prepared(text)).fetch(*values)]

    async def execute(self, text: str, *values: object) -> None:
        """For what returns no rows."""
        if self.chance.random() < 0.3:
            await self.connection.execute(_with_literals(text, values))
        else:
            await self.fetch(text, *values)

    async def _prepared(self, text: str) -> Any:
        found = self.prepared.get(text)
        if found is None:
            found = self.prepared[text] = await self.connection.prepare(text)
        return found


def _with_literals(text: str, values: tuple[object, ...]) -> str:
    """The values of a chaos client hold no quotes."""
    for number, value in reversed(list(enumerate(values, 1))):
        text = text.replace(f"${number}", f"{value}" if isinstance(value, int) else f"'{value}'")
    return text
