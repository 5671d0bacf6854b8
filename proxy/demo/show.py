"""What the demo shows: three queries, as the raw database and as each of three roles see them, side by side."""

from __future__ import annotations

import datetime
import ssl
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

PASSWORD = "demo"  # loopback only, and the demo says so
ROLES = ("management", "support", "accounting")
RAW = "raw database"


@dataclass(frozen=True, slots=True)
class Question:
    """`columns`: which of the result's columns the table shows, for it to fit on a screen."""

    title: str
    sql: str
    columns: tuple[str, ...]


QUESTIONS = (
    Question(
        "Who is customer 1?",
        "SELECT * FROM customers WHERE id = 1",
        ("surname", "name", "email", "phone", "city", "address"),
    ),
    Question(
        "What about order 1?",
        "SELECT * FROM orders WHERE id = 1",
        ("placed_at", "status", "total", "recipient_name", "delivery_address", "submit_ip", "tech_notes"),
    ),
    Question(
        "Whose e-mail address is this?",
        "SELECT id, surname, name FROM customers WHERE email = 'anna.smirnova@example.org'",
        ("id", "surname", "name"),
    ),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The first row, or none, or why there is no answer."""

    row: dict[str, object] | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """Where to ask: the proxy (by TLS, verified) or the raw server."""

    host: str
    port: int
    ca: Path | None = None
    database: str = "shop"

    async def open(self, user: str, password: str) -> asyncpg.Connection:
        context = ssl.create_default_context(cafile=str(self.ca)) if self.ca else None
        return await asyncpg.connect(
            host=self.host, port=self.port, user=user, password=password, database=self.database, ssl=context or False
        )


async def ask(connection: asyncpg.Connection, sql: str) -> Answer:
    try:
        rows = await connection.fetch(sql)
    except asyncpg.PostgresError as error:
        return Answer(refusal=str(error).splitlines()[0])
    return Answer(row=dict(rows[0].items()) if rows else None)


@dataclass(slots=True)
class Exhibition:
    """All answers: question -> viewer -> answer."""

    answers: list[dict[str, Answer]] = field(default_factory=list)

    async def collect(self, proxy: Door, raw: Door, raw_password: str) -> None:
        self.answers = [{} for _ in QUESTIONS]
        await self._collect_as(RAW, await raw.open("postgres", raw_password))
        for role in ROLES:
            await self._collect_as(role, await proxy.open(role, PASSWORD))

    async def _collect_as(self, viewer: str, connection: asyncpg.Connection) -> None:
        try:
            for question, answers in zip(QUESTIONS, self.answers, strict=True):
                answers[viewer] = await ask(connection, question.sql)
        finally:
            await connection.close()

    def show(self, console: Console) -> None:
        for question, answers in zip(QUESTIONS, self.answers, strict=True):
            console.print(f"[bold]{question.title}[/bold]\n[dim]{escape(question.sql)}[/dim]", highlight=False)
            console.print(_table(question, answers))
            for viewer, answer in answers.items():
                if answer.refusal is not None:
                    console.print(f"  [red]{viewer}[/red]: {escape(answer.refusal)}", highlight=False)
            console.print()


def _table(question: Question, answers: dict[str, Answer]) -> Table:
    table = Table(expand=False)
    table.add_column("field", style="bold", no_wrap=True)
    for viewer in answers:
        table.add_column(viewer, overflow="fold")
    for column in question.columns:
        full = answers["management"].row
        there = full is not None and full.get(column) is not None
        table.add_row(column, *(_cell(answer, column, there) for answer in answers.values()))
    return table


def _cell(answer: Answer, column: str, there: bool) -> str:
    """`there`: management sees a value, so that a NULL means that it is hidden."""
    if answer.refusal is not None:
        return "[red]refused[/red]"
    if answer.row is None:
        return "[dim]no row[/dim]"
    value = answer.row.get(column)
    if value is None:
        return "[yellow]hidden[/yellow]" if there else "[dim]NULL[/dim]"
    if isinstance(value, bytes):
        return f"[magenta]\\x{value[:7].hex()}…[/magenta] [dim]{len(value)} bytes[/dim]"
    return escape(value.isoformat(" ", "minutes") if isinstance(value, datetime.datetime) else str(value))


def connection_line(door: Door, user: str) -> str:
    return (
        f'psql "host={door.host} port={door.port} dbname={door.database} user={user} password={PASSWORD} '
        f'sslmode=verify-full sslrootcert={door.ca}"'
    )


def show_connections(console: Console, proxy: Door, raw: Door, password_file: Path, logins: Sequence[str]) -> None:
    """How to look for oneself.  Lines are not wrapped, so that they can be copied."""
    console.print(
        f"\nConnect as any role; the password of each is [bold]{PASSWORD}[/bold], and only this machine can connect:"
    )
    for role in ROLES:
        console.print(f"  {connection_line(proxy, role)}", soft_wrap=True, highlight=False, markup=False)
    others = ", ".join(sorted(set(logins) - set(ROLES)))
    console.print(f"The other logins are {others}.\n\nFor comparison the database itself, without Fieldgate:")
    line = f'PGPASSWORD="$(cat {password_file})" psql "host={raw.host} port={raw.port} dbname=shop user=postgres"'
    console.print(f"  {line}\n", soft_wrap=True, highlight=False, markup=False)


def show_admin_port(console: Console, url: str, tokens: Mapping[str, tuple[str, Path]], config: Path) -> None:
    """`tokens`: each person's role, and the file of their token."""
    console.print(f"Keys and operations are at [bold]{url}[/bold]; sign in with the token of one of these files:")
    widest = max(len(person) for person in tokens)
    for person, (role, file) in tokens.items():
        console.print(f"  {person:<{widest}}  {role:<15} {file}", soft_wrap=True, highlight=False, markup=False)
    key_admin = next(iter(tokens.values()))[1]
    console.print("The same from the shell; what one person asks for, another may have to approve:")
    for command in ("keys show", "keys rotate customers.email", "keys operations"):
        line = f"  {_program()} {command} --config {config} --token-file {key_admin}"
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    console.print()


def _program() -> str:
    """As it was started."""
    started = Path(sys.argv[0])
    return str(started) if started.name == "fieldgate" else f"{sys.executable} -m proxy"
