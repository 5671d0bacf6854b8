"""PostgreSQL's own plan of a rewritten statement: EXPLAIN without ANALYZE, in a transaction that is taken back.

Contract: it runs as the upstream role of the login, never with the rights of the proxy's own connection; nothing is
executed, and no value goes up: slots are the parameters of a generic plan, as they are in the extended protocol.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg

from proxy.config import Config
from proxy.control import Connection, connect, read_secret
from proxy.errors import FieldgateError
from proxy.session.upstream_text import upstream_text
from proxy.sql.plan import StatementKind, StatementPlan

_EXPLAINED = frozenset(
    {StatementKind.SELECT, StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE, StatementKind.MERGE}
)
_NAME = "fieldgate_explained"  # the connection ends behind it
_TIMEOUT_MS = 10_000


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """Either the plan, or why there is none."""

    lines: tuple[str, ...] = ()
    unavailable: str | None = None


async def server_plan(
    config: Config,
    database: str,
    plan: StatementPlan,
    path: tuple[str, ...],
    role: str | None,
    control: Connection,
) -> ServerPlan:
    """`role`: the upstream role that the statement would run as.  Never raises for what the server refuses."""
    if plan.refusal is not None:
        return ServerPlan(unavailable="the statement is refused")
    if plan.kind not in _EXPLAINED:
        return ServerPlan(unavailable="PostgreSQL has plans for SELECT, INSERT, UPDATE, DELETE and MERGE only")
    if role is None:
        return ServerPlan(
            unavailable="the policy names no login with just this role, so no upstream role; give --login"
        )
    credential = config.upstream.credentials.get(role)
    if credential is not None and credential.password_file is not None:
        return await _as_itself(config, database, plan, path, role, read_secret(credential.password_file))
    return await _explained(control, plan, path, lambda: _become(control, role))


async def _as_itself(
    config: Config, database: str, plan: StatementPlan, path: tuple[str, ...], role: str, password: str | None
) -> ServerPlan:
    try:
        connection = await connect(config.upstream, role, password, database)
    except FieldgateError as error:
        return ServerPlan(unavailable=error.message)
    try:
        return await _explained(connection, plan, path, None)
    finally:
        await connection.close()


async def _become(control: Connection, role: str) -> None:
    await control.execute(f"SET LOCAL ROLE {_quoted(role)}")


async def _explained(
    connection: Connection,
    plan: StatementPlan,
    path: tuple[str, ...],
    become: Callable[[], Awaitable[None]] | None,
) -> ServerPlan:
    transaction = connection.transaction(readonly=True)
    try:
        await transaction.start()
        try:
            if become is not None:
                await become()
            await connection.execute(f"SET LOCAL statement_timeout = {_TIMEOUT_MS}")
            await connection.execute(f"SET LOCAL search_path = {', '.join(map(_quoted, path)) or _quoted('')}")
            await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")  # it looks at no parameter
            await connection.execute(f"PREPARE {_NAME} AS {upstream_text(plan).decode()}")
            rows = await connection.fetch(f"EXPLAIN EXECUTE {_NAME}{_nulls(plan)}")
            return ServerPlan(tuple(str(row[0]) for row in rows))
        finally:
            await transaction.rollback()
    except asyncpg.PostgresError as error:
        return ServerPlan(unavailable=_reason(error, become is not None))
    except (OSError, asyncpg.InterfaceError):
        return ServerPlan(unavailable="the connection was lost")


def _nulls(plan: StatementPlan) -> str:
    count = len(plan.slots) or plan.client_parameters
    return f"({', '.join(['NULL'] * count)})" if count else ""


def _reason(error: asyncpg.PostgresError, borrowed: bool) -> str:
    """The server's SQLSTATE; its words may hold constants of the statement."""
    if borrowed and error.sqlstate == "42501":
        return "the control role may not act as this upstream role, and the configuration has no password of it"
    return f"the server does not plan it ({error.sqlstate})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
