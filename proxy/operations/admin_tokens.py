"""`fieldgate admin token`: makes, lists and revokes bearer tokens, on the control database itself.

Who may run this holds the control role's password and could write the table by hand: a token made here is as good as
the person it is for.  So each is recorded with the login that made it, and nothing is made without the audit sink.
"""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from policies.audit.key_events import Author, KeyEvent, KeyRecord
from policies.errors import AuditSinkFailed
from proxy.admin.people import load_people
from proxy.admin.tokens import DatabaseTokens, Token, TokenTable, make_token
from proxy.audit_process import AuditProcess
from proxy.config import Config, load_config
from proxy.config_types import duration
from proxy.control import Control
from proxy.demo.osuser import write_private
from proxy.errors import AuditUnavailable, ConfigError
from proxy.keywork.trail import Trail
from proxy.process import make_process_logger
from proxy.terminal import DEFAULT_CONFIG, ConfigOption, reporting

from .shared import out

admin_app = typer.Typer(help="Who may log in at the admin port.", no_args_is_help=True)
token_app = typer.Typer(help="Bearer tokens.", no_args_is_help=True)
admin_app.add_typer(token_app, name="token")


@token_app.command("create")
def token_create(
    person: Annotated[str, typer.Option(help="Whose it is: a name of the people file.")],
    role: Annotated[list[str], typer.Option(help="One of this person's roles; may be given again.")],
    expires: Annotated[str, typer.Option(help='How long it is good: "30d", "12h".')] = "30d",
    file: Annotated[Path | None, typer.Option(help="Write it there (0600) instead of showing it.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make a token; it is shown once, and only its hash is kept."""
    with reporting():
        loaded = load_config(config)
        roles = _roles_of(loaded, person, role)
        until = datetime.now(UTC) + _lifetime(loaded, expires)
        shown, row = asyncio.run(_created(loaded, person, roles, until, file))
        out.print(f"token {row.token_id} of {person}, good until {row.expires_at:%Y-%m-%d %H:%M} UTC", markup=False)
        if file is None:
            typer.echo(shown)


@token_app.command("list")
def token_list(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Every token: whose, until when; none of them is shown."""
    with reporting():

        async def work() -> None:
            table = Table("token", "person", "roles", "made by", "good until", "revoked")
            async with with_tokens(load_config(config)) as (tokens, _):
                found = await tokens.all()
            for each in found:
                revoked = f"{each.revoked_at:%Y-%m-%d %H:%M}" if each.revoked_at else ""
                good = f"{each.expires_at:%Y-%m-%d %H:%M}"
                table.add_row(each.token_id, each.person, ", ".join(sorted(each.roles)), each.created_by, good, revoked)
            out.print(table)

        asyncio.run(work())


@token_app.command("revoke")
def token_revoke(
    token: Annotated[str, typer.Argument(help="Its id: what stands between fgt_ and the next _.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """From now on the token is good for nothing."""
    with reporting():
        if len(token) != 16 or not all(letter in "0123456789abcdef" for letter in token):
            raise ConfigError("a token's id is 16 hex digits; do not give the token itself here")

        async def work() -> None:
            record = KeyRecord(KeyEvent.TOKEN_REVOKED, _author(), reason=f"token {token}")
            async with with_tokens(load_config(config)) as (tokens, trail), trail.asking(record):
                if not await tokens.revoke(token):
                    raise ConfigError("there is no token of this id")

        asyncio.run(work())
        out.print(f"token {token} is revoked", markup=False)


def _roles_of(config: Config, person: str, roles: list[str]) -> frozenset[str]:
    if config.admin is None or config.admin.people is None:
        raise ConfigError("[admin] people is required: the file of those who may log in")
    known = load_people(config.admin.people).people.get(person)
    if known is None:
        raise ConfigError(f"{config.admin.people} does not name this person")
    if not set(roles) <= known.roles:
        raise ConfigError(f"{person} has the roles {', '.join(sorted(known.roles))}, and no other")
    return frozenset(roles)


def _lifetime(config: Config, said: str) -> timedelta:
    try:
        wanted = duration(said)
    except ValueError as error:
        raise ConfigError(f"--expires: {error}") from None
    most = config.admin.token_max_age if config.admin is not None else 0.0
    if not 0 < wanted <= most:
        raise ConfigError(f"--expires: at most {most / 86400:g} days (admin.token_max_age)")
    return timedelta(seconds=wanted)


def _author() -> Author:
    """The login of the operating system; not a person of the people file."""
    login = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in getpass.getuser())
    return Author(f"shell {login}", f"shell:{login}")


async def _created(
    config: Config, person: str, roles: frozenset[str], expires_at: datetime, file: Path | None
) -> tuple[str, Token]:
    async with with_tokens(config) as (table, trail):
        return await add_token(table, trail, person, roles, expires_at, file)


async def add_token(
    table: TokenTable, trail: Trail, person: str, roles: frozenset[str], expires_at: datetime, file: Path | None
) -> tuple[str, Token]:
    """A new token as its owner gets it, also in `file` (0600), and its row.  Raises Refusal without the audit sink."""
    shown, row = make_token(person, roles, _author().via, expires_at)
    reason = f"token {row.token_id} of {person}"
    async with trail.asking(KeyRecord(KeyEvent.TOKEN_CREATED, _author(), reason=reason)):
        if file is not None:
            write_private(file, shown + "\n")
        await table.add(row)
    return shown, row


@asynccontextmanager
async def with_tokens(config: Config) -> AsyncIterator[tuple[DatabaseTokens, Trail]]:
    """The table of tokens, and the audit trail without which nothing is done.  Raises FieldgateError."""
    if config.control is None or config.audit is None:
        raise ConfigError("[control] and [audit] are required")
    _, logger = make_process_logger(config, worker="admin")
    control, sink = Control(config.control, config.upstream), AuditProcess(config.audit.path, config.audit.mode, logger)

    @asynccontextmanager
    async def lend() -> Any:
        async with control.connection() as connection:
            yield connection

    try:
        await sink.start()
        yield DatabaseTokens(lend), Trail(sink)
    except AuditSinkFailed as error:
        raise AuditUnavailable(str(error)) from None
    finally:
        await sink.close()
        await control.close()
