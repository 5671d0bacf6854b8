"""The database's own collation, asked of the database itself, once: what it makes of letters, and if it compares bytes.

libc collations, C and C.UTF-8 map each character by itself.  ICU and PG_UNICODE_FAST look at neighbours only for the
capital sigma, in languages other than a few, for which nothing is known (None).
"""

from __future__ import annotations

from typing import Any

from policies.fields import DataMap, LogicalType, Sealing
from proxy.sql.catalog import Catalog
from proxy.sql.computation import Casing

Connection = Any  # asyncpg has no types that mypy can check

# Without Han, Hangul, surrogates and private use, which have no capitals.
_TABLE = """
SELECT p AS point, pg_catalog.lower(pg_catalog.chr(p)) AS small, pg_catalog.upper(pg_catalog.chr(p)) AS capital
FROM (SELECT pg_catalog.generate_series(1, 13311) UNION ALL SELECT pg_catalog.generate_series(42560, 43967)
      UNION ALL SELECT pg_catalog.generate_series(64256, 65535)
      UNION ALL SELECT pg_catalog.generate_series(65536, 131071)) AS s (p)
WHERE pg_catalog.lower(pg_catalog.chr(p)) COLLATE pg_catalog."C" OPERATOR(pg_catalog.<>) pg_catalog.chr(p)
   OR pg_catalog.upper(pg_catalog.chr(p)) COLLATE pg_catalog."C" OPERATOR(pg_catalog.<>) pg_catalog.chr(p)
"""
# Names of columns differ between versions, and before 15 there is libc only.
_PROVIDER = """
SELECT pg_catalog.getdatabaseencoding() AS encoding, d.datcollate::pg_catalog.text AS collation,
       pg_catalog.to_jsonb(d) ->> 'datlocprovider' AS provider,
       coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale', '') AS locale
FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
"""
_C_UTF8 = ("c.utf-8", "c.utf8")
# Each character is less than its neighbour, whatever follows: libraries have had C.UTF-8 in other orders.
_BY_CODES = """
SELECT pg_catalog.bool_and(pg_catalog.chr(p) || 'b' OPERATOR(pg_catalog.<) (pg_catalog.chr(q) || 'a'))
FROM (SELECT p, CASE p WHEN 55295 THEN 57344 ELSE p + 1 END AS q FROM pg_catalog.generate_series(1, 131071) AS s (p)
      WHERE p NOT BETWEEN 55296 AND 57343) AS t
"""
_SIGMA = frozenset({"\u03a3"})
_CONTEXTUAL = frozenset({"tr", "az", "lt", "el", "hy", "nl"})  # languages with rules of their own


async def load_casing(connection: Connection, data_map: DataMap, before: Catalog | None) -> Casing | None:
    """`before`: the catalog that was known last; a database keeps its collation as long as anyone is connected."""
    if not any(_is_text(f.sealing) for table in data_map.tables.values() for f in table.fields.values()):
        return None
    if before is not None and before.casing is not None:
        return before.casing
    database = await connection.fetchrow(_PROVIDER)
    if database["encoding"] != "UTF8":
        return None
    provider, locale = database["provider"] or "c", str(database["locale"])
    language = locale.replace("_", "-").partition("-")[0].lower()
    if provider not in ("c", "i", "b") or (provider == "i" and (language in _CONTEXTUAL or "-u-" in locale)):
        return None
    rows = await connection.fetch(_TABLE)
    lower = {row["point"]: str(row["small"]) for row in rows if row["small"] != chr(row["point"])}
    upper = {row["point"]: str(row["capital"]) for row in rows if row["capital"] != chr(row["point"])}
    by_itself = provider == "c" or (provider == "b" and locale in ("C", "C.UTF-8"))
    return Casing(lower, upper, frozenset() if by_itself else _SIGMA)


async def load_byte_order(connection: Connection, data_map: DataMap, before: Catalog | None) -> bool:
    """Whether ORDER BY a text is by its characters' codes, and so by its bytes."""
    if not any(_is_text(f.sealing) for table in data_map.tables.values() for f in table.fields.values()):
        return False
    if before is not None and before.casing is not None:
        return before.byte_order
    database = await connection.fetchrow(_PROVIDER)
    provider, collation = database["provider"] or "c", str(database["collation"])
    if database["encoding"] != "UTF8" or provider not in ("c", "b"):
        return False
    if provider == "b" or collation in ("C", "POSIX"):
        return True
    return collation.lower() in _C_UTF8 and bool(await connection.fetchval(_BY_CODES))


def _is_text(sealing: Sealing | None) -> bool:
    return sealing is not None and sealing.logical_type in (LogicalType.TEXT, LogicalType.VARCHAR)
