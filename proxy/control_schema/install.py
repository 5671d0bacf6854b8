"""Brings schema `fieldgate` of the control database up to date, and gives the control user what it needs there.

The schema is a row of numbered SQL files.  Which of them a database has stands in `fieldgate.schema_version`; the rest
are run in their order, each in a transaction of its own, under a lock that one installer holds at a time.  A database
that a newer Fieldgate has brought further is refused, and so is one whose files were others under the same numbers.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from proxy.errors import ConfigError

LOCK = 0x4647_5343_4845_4D41  # "FGSCHEMA"; advisory, of one database
_FILE = re.compile(r"(\d{3})_(\w+)\.sql")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")

# What a running proxy, its commands and its jobs do there.  Keys are never deleted, whoever asks.
GRANTS = {
    "schema_version": "SELECT",
    "data_keys": "SELECT, INSERT, UPDATE",
    "keys_revision": "SELECT, UPDATE",
    "key_holders": "SELECT, INSERT, UPDATE, DELETE",
    "key_uses": "SELECT, INSERT, UPDATE",
    "operations": "SELECT, INSERT, UPDATE",
    "operation_locks": "SELECT, INSERT, UPDATE, DELETE",
    "admin_tokens": "SELECT, INSERT, UPDATE",
    "admin_answers": "SELECT, INSERT, UPDATE, DELETE",
    "subject_secrets": "SELECT, INSERT, UPDATE",
}

Connection = Any  # asyncpg has no types that mypy can check


@dataclass(frozen=True, slots=True)
class SchemaFile:
    number: int
    name: str
    sql: str

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.sql.encode()).digest()


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation did."""

    applied: tuple[str, ...]
    version: int


def schema_files() -> tuple[SchemaFile, ...]:
    """In their order, without a gap."""
    found = []
    for entry in files(__package__).iterdir():
        match = _FILE.fullmatch(entry.name)
        if match is not None:
            found.append(SchemaFile(int(match[1]), entry.name, entry.read_text(encoding="utf-8")))
    found.sort(key=lambda file: file.number)
    if [file.number for file in found] != list(range(1, len(found) + 1)):
        raise ConfigError("the files of the control schema are not numbered one after the other")
    return tuple(found)


async def install(connection: Connection, control_user: str, known: tuple[SchemaFile, ...] | None = None) -> Installed:
    """Idempotent.  The connection is that of a role that may make schemas and roles' grants.  Raises ConfigError."""
    wanted = schema_files() if known is None else known
    await connection.execute("SELECT pg_catalog.pg_advisory_lock($1)", LOCK)
    try:
        async with connection.transaction():
            await connection.execute(_BEGIN)
        applied = await _applied(connection)
        _require_ours(applied, wanted)
        missing = [file for file in wanted if file.number not in applied]
        for file in missing:
            async with connection.transaction():
                await connection.execute(file.sql)
                await connection.execute(_NOTE, file.number, file.name, file.digest)
        async with connection.transaction():
            await connection.execute(_grants(control_user, await _tables(connection)))
    finally:
        await connection.execute("SELECT pg_catalog.pg_advisory_unlock($1)", LOCK)
    return Installed(tuple(file.name for file in missing), len(wanted))


async def schema_problems(connection: Connection, known: tuple[SchemaFile, ...] | None = None) -> list[str]:
    """What keeps this connection's role from working with the control schema; none: nothing does."""
    wanted = schema_files() if known is None else known
    if not await connection.fetchval(_USABLE):
        return ["the control database has no schema fieldgate for the control user: run `fieldgate control install`"]
    missing = [
        f"{privilege} on fieldgate.{table}"
        for table, privileges in GRANTS.items()
        for privilege in privileges.split(", ")
        if not await connection.fetchval(_HAS, table, privilege)
    ]
    if missing:
        return [f"the control user lacks {', '.join(missing)}: run `fieldgate control install`"]
    try:
        applied = await _applied(connection)
        _require_ours(applied, wanted)
    except ConfigError as error:
        return [error.message]
    late = [file.name for file in wanted if file.number not in applied]
    return [f"the control schema lacks {', '.join(late)}: run `fieldgate control install`"] if late else []


async def _applied(connection: Connection) -> dict[int, tuple[str, bytes]]:
    rows = await connection.fetch("SELECT number, name, digest FROM fieldgate.schema_version")
    return {row["number"]: (row["name"], row["digest"]) for row in rows}


def _require_ours(applied: dict[int, tuple[str, bytes]], wanted: tuple[SchemaFile, ...]) -> None:
    newest = max(applied, default=0)
    if newest > len(wanted):
        raise ConfigError(
            f"the control schema is at {newest}, made by a newer Fieldgate; this one knows {len(wanted)}: upgrade it"
        )
    for file in wanted:
        if file.number in applied and applied[file.number] != (file.name, file.digest):
            raise ConfigError(f"the control schema was made from another {file.name} than this Fieldgate's")


async def _tables(connection: Connection) -> set[str]:
    rows = await connection.fetch(
        "SELECT c.relname::pg_catalog.text AS name FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'fieldgate' AND c.relkind IN ('r', 'p')"
    )
    return {row["name"] for row in rows}


def _grants(user: str, there: set[str]) -> str:
    """Exactly these: what was granted to the user before and is not among them is taken back."""
    if not _IDENTIFIER.fullmatch(user):
        raise ConfigError("control.user is written with letters, digits and underscores")
    role = f'"{user}"'
    statements = [
        f"REVOKE ALL ON SCHEMA fieldgate FROM PUBLIC, {role}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA fieldgate FROM PUBLIC, {role}",
        f"GRANT USAGE ON SCHEMA fieldgate TO {role}",
        *(
            f"GRANT {privileges} ON fieldgate.{table} TO {role}"
            for table, privileges in GRANTS.items()
            if table in there
        ),
    ]
    return ";\n".join(statements)


_BEGIN = """
CREATE SCHEMA IF NOT EXISTS fieldgate;
CREATE TABLE IF NOT EXISTS fieldgate.schema_version (
    number integer PRIMARY KEY,
    name text NOT NULL,
    digest bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
"""
_NOTE = "INSERT INTO fieldgate.schema_version (number, name, digest) VALUES ($1, $2, $3)"
_USABLE = """
SELECT coalesce(pg_catalog.bool_or(pg_catalog.has_schema_privilege(n.oid, 'USAGE')), false) AND EXISTS (
    SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = pg_catalog.min(n.oid) AND c.relname = 'schema_version')
FROM pg_catalog.pg_namespace n WHERE n.nspname = 'fieldgate'
"""
_HAS = """
SELECT pg_catalog.to_regclass('fieldgate.' || $1) IS NULL
    OR pg_catalog.has_table_privilege('fieldgate.' || $1, $2)
"""
