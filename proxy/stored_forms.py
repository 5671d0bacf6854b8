"""Which of the fields that change their form stand sealed now, and the data map that follows from it.

A field with `state = "migrating"` is sealed exactly while a column of the database has its CHECK.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from policies.fields import DataMap

Connection = Any  # asyncpg has no types that mypy can check

_CHECK = re.compile(r"fg_([0-9a-f]{32})(?:_.*)?")
_CHECKS = r"""
SELECT k.conname::pg_catalog.text FROM pg_catalog.pg_constraint k
WHERE k.contype = 'c' AND k.conrelid <> 0 AND k.conname LIKE 'fg\_%'
"""


def as_stored(data_map: DataMap, checks: Iterable[str]) -> DataMap:
    """`checks`: names of all CHECKs of the database, or of those that begin with fg_."""
    if not data_map.migrates:
        return data_map
    sealed = {found[1] for name in checks if (found := _CHECK.fullmatch(name))}
    return data_map.as_stored(sealed)


async def stored_forms(connection: Connection, data_map: DataMap) -> DataMap:
    if not data_map.migrates:
        return data_map
    return as_stored(data_map, [row[0] for row in await connection.fetch(_CHECKS)])
