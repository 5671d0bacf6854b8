"""A fence for transactions that began before a table was rewritten.

A rewriting ALTER TABLE is not MVCC-safe (PostgreSQL documentation, section 13.6): a REPEATABLE READ transaction whose
snapshot is older, and which had not touched the table yet, finds it empty.  Its UPDATE or DELETE would change nothing,
and say so without an error.  The fence is a statement trigger that gives such a transaction 40001 instead, which its
application already answers by trying again.  It goes when no snapshot from before is left; until then it costs a few
microseconds a statement.  (A SELECT of such a transaction still sees an empty table: nothing can be hung on a SELECT.)

When a field was unsealed, a second trigger refuses cells in the plain column as long: whoever planned a write before
the switch would store one as text.
"""

from __future__ import annotations

import asyncio
import time

from keys.envelope import minimum_size, scheme_of
from policies.fields import Field, LogicalType

from .ddl import qualified, quote, sealing_of
from .facts import Connection

_SHORTEST = minimum_size(scheme_of(term=False, row_bound=False, padded=False))  # bytes of a cell


def fence_name(field: Field) -> str:
    return f"fg_fence_{sealing_of(field).field_id}"


def raise_fence(field: Field, xid: str, what: str) -> tuple[str, ...]:
    """Statements for the transaction that rewrites; `xid` is its own full transaction id, in digits.

    `what` has happened to the table.
    """
    table, function = qualified(field.schema, field.table), qualified(field.schema, fence_name(field))
    trigger = quote(f"~{fence_name(field)}")
    return (
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS pg_catalog.trigger LANGUAGE plpgsql"
        " SET search_path = pg_catalog AS $fieldgate$\n"
        "BEGIN\n  IF NOT pg_visible_in_snapshot(TG_ARGV[0]::xid8, pg_current_snapshot()) THEN\n"
        f"    RAISE EXCEPTION 'could not serialize access: the table was {what} after this transaction began'\n"
        "      USING ERRCODE = '40001';\n  END IF;\n  RETURN NULL;\nEND\n$fieldgate$",
        f"CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}('{int(xid)}')",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}",
    )


def refuse_cells(field: Field) -> tuple[str, ...]:
    """For the transaction that unseals.  Of other types no cell is a value, so PostgreSQL itself refuses it."""
    table, function = qualified(field.schema, field.table), qualified(field.schema, _row_fence(field))
    trigger, column = quote(f"~{_row_fence(field)}"), f"NEW.{quote(field.column)}"
    match sealing_of(field).logical_type:
        case LogicalType.TEXT | LogicalType.VARCHAR:
            cell = f"starts_with({column}::text, E'\\\\xf96701') AND length({column}) >= {2 + 2 * _SHORTEST}"
        case LogicalType.BYTEA:
            cell = f"substr({column}, 1, 3) = E'\\\\xf96701'::bytea AND octet_length({column}) >= {_SHORTEST}"
        case _:
            return ()
    return (
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS pg_catalog.trigger LANGUAGE plpgsql"
        " SET search_path = pg_catalog AS $fieldgate$\n"
        f"BEGIN\n  IF {cell} THEN\n"
        "    RAISE EXCEPTION 'could not serialize access: the column was unsealed after this statement was planned'\n"
        "      USING ERRCODE = '40001';\n  END IF;\n  RETURN NEW;\nEND\n$fieldgate$",
        f"CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}",
    )


def _row_fence(field: Field) -> str:
    return f"fg_fence_row_{sealing_of(field).field_id}"


def lower_fence(field: Field) -> tuple[str, ...]:
    table, row_fence = qualified(field.schema, field.table), qualified(field.schema, _row_fence(field))
    return (
        f"DROP TRIGGER IF EXISTS {quote(f'~{_row_fence(field)}')} ON {table}",
        f"DROP FUNCTION IF EXISTS {row_fence}()",
        f"DROP TRIGGER IF EXISTS {quote(f'~{fence_name(field)}')} ON {table}",
        f"DROP FUNCTION IF EXISTS {qualified(field.schema, fence_name(field))}()",
    )


async def row_fence_stands(connection: Connection, field: Field) -> bool:
    query = (
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = $1 AND c.relname = $2 AND t.tgname = $3)"
    )
    return bool(await connection.fetchval(query, field.schema, field.table, f"~{_row_fence(field)}"))


async def passed_by_all(connection: Connection, field: Field, *, seconds: float) -> bool:
    """Whether no snapshot from before the rewrite is left; waits for that so long.  False when it cannot be known."""
    deadline = time.monotonic() + seconds
    while True:
        row = await connection.fetchrow(_WAITED_FOR, field.schema, field.table, f"~{fence_name(field)}")
        if row is None:
            return True  # there is no fence
        if row["knowable"] and not row["older"]:
            return True
        if not row["knowable"] or time.monotonic() >= deadline:
            return False
        await asyncio.sleep(0.1)


# The trigger's argument is the transaction id, as bytes that end with a zero.  Other logins' snapshots are visible to
# superusers and members of pg_read_all_stats only.
_WAITED_FOR = """
SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS knowable,
       EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid AND a.pid <> pg_catalog.pg_backend_pid()
               AND pg_catalog.age(a.backend_xmin) >= pg_catalog.age(x.xid)) AS older
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
CROSS JOIN LATERAL (SELECT pg_catalog.encode(pg_catalog.substr(t.tgargs, 1, pg_catalog.octet_length(t.tgargs) - 1),
                    'escape')::pg_catalog.xid8::pg_catalog.xid AS xid) x
WHERE n.nspname = $1 AND c.relname = $2 AND t.tgname = $3
"""
