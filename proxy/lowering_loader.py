"""How the database makes letters small, as ILIKE does it: asked of the database itself, once.

Collations differ in it, and so do their versions, so no table of ours would be right everywhere.  Each character is
asked about by itself; where its neighbours matter, but for the final sigma, nothing is known (None).
"""

from __future__ import annotations

from typing import Any

from keys.tokens import MATCH, PREFIX
from policies.fields import DataMap
from proxy.sql.catalog import Catalog
from proxy.sql.plan import Lowering

Connection = Any  # asyncpg has no types that mypy can check

# Without Han, Hangul, surrogates and private use, which have no capitals.
_TABLE = """
SELECT p AS point, pg_catalog.lower(pg_catalog.chr(p)) AS small
FROM (SELECT pg_catalog.generate_series(1, 13311) UNION ALL SELECT pg_catalog.generate_series(40960, 44031)
      UNION ALL SELECT pg_catalog.generate_series(63744, 131071)) AS s (p)
WHERE pg_catalog.lower(pg_catalog.chr(p)) COLLATE pg_catalog."C" OPERATOR(pg_catalog.<>) pg_catalog.chr(p)
"""
_UTF8 = "SELECT pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'UTF8'"
_FINAL_SIGMA, _OTHERS = "\u0391\u03a3", ("I\u0307", "I\u0300", "J\u0301", "\u012e\u0303", "i\u0307", "\u03a3\u0391")


async def load_lowering(connection: Connection, data_map: DataMap, before: Catalog | None) -> Lowering | None:
    """`before`: the catalog that was known last; a database keeps its collation as long as anyone is connected."""
    sealings = [field.sealing for table in data_map.tables.values() for field in table.fields.values()]
    if not any(sealing is not None and {MATCH, PREFIX} & set(sealing.tokens) for sealing in sealings):
        return None
    if before is not None and before.lowering is not None:
        return before.lowering
    if not await connection.fetchval(_UTF8):
        return None
    table = {row["point"]: str(row["small"]) for row in await connection.fetch(_TABLE)}
    sigma = await connection.fetchval("SELECT pg_catalog.lower($1::pg_catalog.text)", _FINAL_SIGMA)
    for probe in _OTHERS:
        small = await connection.fetchval("SELECT pg_catalog.lower($1::pg_catalog.text)", probe)
        if small != probe.translate(table):
            return None
    return Lowering(table, sigma=sigma != _FINAL_SIGMA.translate(table))
