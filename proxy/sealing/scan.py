"""`fieldgate scan-plaintext`: looks for values of a sealed field in the server's own files.

A sample of the field's values is opened in memory, and searched for in the files of its table (rows, TOAST, indexes)
and of the planner's statistics, or in the whole data directory: as they are, as hexadecimal digits, and in what
PostgreSQL has compressed (pglz, lz4) or cut in pieces.  Files are read through the server (pg_read_binary_file), so the
caller is a superuser or a member of pg_read_server_files, and may be far away.  The search is made here: no value is
sent anywhere, shown or written down.

A sample proves presence, not absence: of `count` values each of which would be found, none was.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from keys.keyring import KeyringCiphers
from policies.fields import DataMap, Field, LogicalType, ProtectedTable
from proxy.wire.values.codecs import codec_for

from .cells import CellMaker
from .ddl import checks_of, qualified, quote, sealing_of
from .errors import SealingRefused
from .facts import Connection, fix_settings
from .job import find_field
from .pages import PAGE, chunks, inline_values, is_page, put_together
from .run import facts_of
from .staging import printed
from .survey import survey_sealed

SHORTEST = 6  # bytes of a value: shorter ones stand anywhere by chance
_READ = 128 * PAGE
_TOGETHER = 64 << 20  # bytes of pieces that are kept until their values are whole
_SEARCHABLE = frozenset({LogicalType.TEXT, LogicalType.VARCHAR, LogicalType.JSON, LogicalType.JSONB, LogicalType.BYTEA})

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Find:
    """`path` in the data directory; `relation` when it is a file of one; `form` in which values stand there."""

    path: str
    relation: str | None
    form: str
    count: int


@dataclass(frozen=True, slots=True)
class ScanResult:
    values: int  # that were searched for
    files: int
    size: int  # bytes
    finds: tuple[Find, ...]


@dataclass(slots=True)
class Needles:
    """What is searched for: (form, bytes).  Its repr shows nothing."""

    values: Sequence[bytes] = field(repr=False)
    _patterns: list[tuple[str, bytes]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._patterns = [
            (form, made)
            for value in self.values
            for form, made in (("as it is", value), ("hex", _hex(value)), ("hex", _hex(value).upper()))
        ]

    @property
    def longest(self) -> int:
        return max((len(pattern) for _, pattern in self._patterns), default=0)

    def search(self, data: bytes, how: str = "") -> Iterator[str]:
        for form, pattern in self._patterns:
            if pattern in data:
                yield form + how


def _hex(value: bytes) -> bytes:
    return value.hex().encode()


async def scan_field(
    connection: Connection,
    data_map: DataMap,
    name: str,
    ciphers: KeyringCiphers,
    *,
    whole: bool = False,
    samples: int = 20,
    progress: Progress = lambda path, done, total: None,
) -> ScanResult:
    """Raises SealingRefused when the field's values cannot be told by their bytes, or we may read no files."""
    table, found = find_field(data_map, name)
    if sealing_of(found).logical_type not in _SEARCHABLE:
        raise SealingRefused(found.name, ["values of its type are too short to be told from chance by their bytes"])
    await _check_server(connection, found)
    values = await sample(connection, table, found, ciphers, samples)
    return await search(connection, found, Needles(values), whole=whole, progress=progress)


async def _check_server(connection: Connection, found: Field) -> None:
    row = await connection.fetchrow(
        "SELECT pg_catalog.current_setting('block_size') AS page,"
        " pg_catalog.current_setting('server_encoding') AS encoding,"
        " pg_catalog.pg_has_role('pg_read_server_files', 'USAGE') AS allowed"
    )
    obstacles = []
    if not row["allowed"]:
        obstacles.append(
            "this login may not read the server's files: be a superuser, or member of pg_read_server_files"
        )
    if row["page"] != str(PAGE) or row["encoding"] != "UTF8":
        obstacles.append("only servers with pages of 8 kB and the encoding UTF8 can be searched")
    if obstacles:
        raise SealingRefused(found.name, obstacles)


async def sample(
    connection: Connection, table: ProtectedTable, found: Field, ciphers: KeyringCiphers, count: int
) -> list[bytes]:
    """Values of the field as they would stand in a file, each once: opened when it is sealed."""
    sealed = bool(checks_of(sealing_of(found), (await facts_of(connection, table)).checks))
    bound = "NULL::pg_catalog.bytea"
    async with connection.transaction(readonly=True):
        await fix_settings(connection)
        seen = await survey_sealed(connection, table, found)
        if sealing_of(found).row_bound and seen.row_key is not None:
            bound = printed(seen.row_key.name)
        column = quote(found.column)
        value = f"t.{column}" if sealed else printed(found.column)
        rows = await connection.fetch(
            f"SELECT {value} AS value, {bound} AS bound FROM {qualified(found.schema, found.table)} t"  # noqa: S608
            f" WHERE t.{column} IS NOT NULL ORDER BY pg_catalog.random() LIMIT $1",
            10 * count,
        )
    key_type = seen.row_key.type_oid if seen.row_key is not None else None
    maker = CellMaker(
        found, ciphers.cipher(sealing_of(found).field_id), codec_for(sealing_of(found).logical_type), key_type
    )
    texts = (maker.open(row["value"], row["bound"]) if sealed else bytes(row["value"]) for row in rows)
    stored = (each for text in texts for each in _stored(sealing_of(found).logical_type, text))
    return list(dict.fromkeys(each for each in stored if len(each) >= SHORTEST))[:count]


def _stored(logical: LogicalType, text: bytes) -> Iterable[bytes]:
    """The bytes of a value that stand together on the disk."""
    if logical is LogicalType.BYTEA:
        return (bytes.fromhex(text[2:].decode()),)
    if logical is LogicalType.JSONB:
        return _strings(json.loads(text))
    return (text,)


def _strings(document: object) -> Iterator[bytes]:
    if isinstance(document, str):
        yield document.encode()
    elif isinstance(document, dict):
        for value in document.values():
            yield from _strings(value)
    elif isinstance(document, list):
        for value in document:
            yield from _strings(value)


async def search(
    connection: Connection,
    found: Field,
    needles: Needles,
    *,
    whole: bool = False,
    progress: Progress = lambda path, done, total: None,
) -> ScanResult:
    """What is in shared memory only is written to the files first, where the login may ask for that."""
    if await connection.fetchval("SELECT pg_catalog.pg_has_role('pg_checkpoint', 'USAGE')"):
        await connection.execute("CHECKPOINT")
    query = _WHOLE if whole else _OF_TABLE
    arguments = () if whole else (qualified(found.schema, found.table),)
    files = [row for row in await connection.fetch(query, *arguments) if row["size"]]
    finds, size = [], 0
    for number, row in enumerate(files):
        progress(row["path"], number, len(files))
        counted: Counter[str] = Counter()
        async for form in _in_file(connection, row["path"], needles):
            counted[form] += 1
        size += row["size"]
        finds += [Find(row["path"], row["relation"], form, count) for form, count in sorted(counted.items())]
    progress("", len(files), len(files))
    return ScanResult(len(needles.values), len(files), size, tuple(finds))


async def _in_file(connection: Connection, path: str, needles: Needles) -> AsyncIterator[str]:
    """Forms of what is found, once for each read and value."""
    at, tail = 0, b""
    pieces: dict[int, dict[int, bytes]] = {}
    kept = 0
    while data := await connection.fetchval(_READ_FILE, path, at, _READ):
        for form in needles.search(tail + data):
            yield form
        tail = (tail + data)[-needles.longest + 1 :] if needles.longest > 1 else b""
        for start in range(0, len(data), PAGE):
            page = data[start : start + PAGE]
            if not is_page(page):
                continue
            for value in inline_values(page):
                for form in needles.search(value, ", compressed"):
                    yield form
            for number, place, piece in chunks(page):
                pieces.setdefault(number, {})[place] = piece
                kept += len(piece)
        at += len(data)
        if kept > _TOGETHER:
            for form in _in_pieces(pieces, needles):
                yield form
            pieces, kept = {}, 0
    for form in _in_pieces(pieces, needles):
        yield form


def _in_pieces(pieces: dict[int, dict[int, bytes]], needles: Needles) -> Iterator[str]:
    for each in pieces.values():
        whole, *inflated = put_together(each)
        if len(each) > 1:
            yield from needles.search(whole, ", in pieces")
        for value in inflated:
            yield from needles.search(value, ", compressed")


_READ_FILE = "SELECT pg_catalog.pg_read_binary_file($1, $2, $3, true)"

# Files of the table, its TOAST, their indexes and the planner's statistics, with the segments of large ones.
_OF_TABLE = """
WITH main AS (SELECT $1::pg_catalog.text::pg_catalog.regclass::pg_catalog.oid AS oid), wanted AS (
  SELECT oid FROM main
  UNION SELECT c.reltoastrelid FROM pg_catalog.pg_class c JOIN main USING (oid)
  UNION SELECT unnest(ARRAY['pg_catalog.pg_statistic', 'pg_catalog.pg_statistic_ext_data']::pg_catalog.regclass[])
  UNION SELECT c.reltoastrelid FROM pg_catalog.pg_class c
    WHERE c.oid = ANY (ARRAY['pg_catalog.pg_statistic', 'pg_catalog.pg_statistic_ext_data']::pg_catalog.regclass[])
), every AS (
  SELECT oid FROM wanted WHERE oid <> 0
  UNION SELECT i.indexrelid FROM pg_catalog.pg_index i JOIN wanted w ON w.oid = i.indrelid
), named AS (
  SELECT pg_catalog.pg_relation_filepath(oid) AS first, oid::pg_catalog.regclass::pg_catalog.text AS relation FROM every
)
SELECT path, relation, (pg_catalog.pg_stat_file(path, true)).size AS size
FROM named CROSS JOIN LATERAL (
  SELECT CASE n WHEN 0 THEN first ELSE first || '.' || n END AS path FROM pg_catalog.generate_series(0, 32767) n
  WHERE n = 0 OR n <= pg_catalog.pg_relation_size(relation::pg_catalog.regclass) / 1073741824) s
WHERE first IS NOT NULL
ORDER BY path
"""

# Every file below the data directory.  What was there a moment ago may be gone.
_WHOLE = """
WITH RECURSIVE entry AS (
  SELECT name AS path, (pg_catalog.pg_stat_file(name, true)).* FROM pg_catalog.pg_ls_dir('.') AS name
  UNION ALL
  SELECT e.path || '/' || name, (pg_catalog.pg_stat_file(e.path || '/' || name, true)).*
  FROM entry e CROSS JOIN LATERAL pg_catalog.pg_ls_dir(e.path, true, false) AS name WHERE e.isdir
)
SELECT path, size, CASE WHEN path LIKE 'base/%'
  AND pg_catalog.split_part(path, '/', 2) = (SELECT oid::pg_catalog.text FROM pg_catalog.pg_database
                                              WHERE datname = pg_catalog.current_database())
  THEN (SELECT c.oid::pg_catalog.regclass::pg_catalog.text FROM pg_catalog.pg_class c
        WHERE pg_catalog.pg_relation_filepath(c.oid) = pg_catalog.regexp_replace(path, '(_[a-z]+)?(\\.[0-9]+)?$', ''))
  END AS relation
FROM entry WHERE NOT isdir
ORDER BY path
"""
