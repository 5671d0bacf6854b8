"""The write fence: from one moment on, a table takes cells of a field under one head only, whoever writes.

A CHECK cannot do this while old cells are left, since an UPDATE of another column checks the whole row again, with its
old cell.  The fence looks at cells that a statement itself has brought in: row triggers whose WHEN clause PostgreSQL
judges by itself, so that a write with the right head costs a comparison and calls nothing.  They fire always, also
for logical replication.  CREATE TRIGGER waits for every transaction that has written to the table, so what stands in
the table afterwards under an old head was there before, and can only become less.

The error is 40001 (serialization_failure), which applications answer by trying again; a proxy that sees it loads its
keys first (proxy/session/failures.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policies.fields import Field
from proxy.sealing.ddl import qualified, quote, sealing_of
from proxy.sealing.facts import Connection, fix_settings
from proxy.sealing.fences import FENCE_MESSAGE, fence_head, write_fence_name

from .places import Member
from .statements import is_old


def raise_fence(field: Field, head: bytes, members: Sequence[Member]) -> tuple[str, ...]:
    """Statements for one transaction.  `members` are all tables that hold rows.

    A partitioned table hands its triggers on to its partitions, also to later ones; an ordinary one hands on nothing.
    """
    name = write_fence_name(sealing_of(field))
    function = qualified(field.schema, name)
    new = is_old("NEW", field, head)
    changed = f"NEW.{quote(field.column)} IS DISTINCT FROM OLD.{quote(field.column)}"
    statements = [
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS pg_catalog.trigger LANGUAGE plpgsql"
        " SET search_path = pg_catalog AS $fieldgate$\n"
        f"BEGIN\n  RAISE EXCEPTION '{FENCE_MESSAGE}' USING ERRCODE = '40001';\nEND\n$fieldgate$",
    ]
    for kind, event, condition in (("ins", "INSERT", new), ("upd", "UPDATE", f"{new} AND {changed}")):
        trigger = quote(f"~{name}_{kind}")
        statements += [
            f"CREATE TRIGGER {trigger} AFTER {event} ON {on} FOR EACH ROW WHEN ({condition})"
            f" EXECUTE FUNCTION {function}()"
            for on in _holders(field, members)
        ]
        statements += [f"ALTER TABLE {on} ENABLE ALWAYS TRIGGER {trigger}" for on in _every(field, members)]
    return tuple(statements)


def lower_fence(field: Field, members: Sequence[Member]) -> tuple[str, ...]:
    name = write_fence_name(sealing_of(field))
    drops = [
        f"DROP TRIGGER IF EXISTS {quote(f'~{name}_{kind}')} ON {on}"
        for on in _holders(field, members)
        for kind in ("ins", "upd")
    ]
    return (*drops, f"DROP FUNCTION IF EXISTS {qualified(field.schema, name)}()")


def _holders(field: Field, members: Sequence[Member]) -> list[str]:
    """The tables that have triggers of their own."""
    if any(member.partition for member in members):
        return [qualified(field.schema, field.table)]
    return [qualified(member.schema, member.name) for member in members]


def _every(field: Field, members: Sequence[Member]) -> list[str]:
    """Those, and the partitions."""
    partitions = [qualified(member.schema, member.name) for member in members if member.partition]
    return [*_holders(field, members), *partitions]


@dataclass(frozen=True, slots=True)
class FenceState:
    """`head`: what whole fences on *all* tables admit; None when a trigger is missing or not always on.

    `heads`: what any trigger of a fence admits.
    """

    head: bytes | None
    heads: frozenset[bytes]


async def fence_state(connection: Connection, field: Field, members: Sequence[Member]) -> FenceState:
    name = write_fence_name(sealing_of(field))
    async with connection.transaction():
        await fix_settings(connection)
        rows = await connection.fetch(_FENCES, [m.schema for m in members], [m.name for m in members], name)
    heads = frozenset(fence_head(row["definition"] or "") or b"" for row in rows)  # None: dropped meanwhile
    whole = len(rows) == 2 * len(members) and all(row["enabled"] == "A" for row in rows) and len(heads) == 1
    return FenceState(next(iter(heads)) if whole else None, heads)


_FENCES = """
SELECT t.tgenabled::pg_catalog.text AS enabled, pg_catalog.pg_get_triggerdef(t.oid) AS definition
FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) AS w(schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid
WHERE t.tgname IN ('~' || $3 || '_ins', '~' || $3 || '_upd')
"""
