"""What tools learn of the sealed shop is what they learn of a plain one: psql, SQLAlchemy, Alembic, Django, drivers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg.types import TypeInfo
from psycopg.types.composite import CompositeInfo
from sqlalchemy import Column, Engine, MetaData, Text, create_engine, inspect

from proxy.demo.schema import logical_schema
from tests.support.servers import Database, fresh_database

from .stage import Stage

pytestmark = pytest.mark.integration

TABLES = ("customers", "orders", "access_accounts", "refunds", "employees")
INSPECTIONS = (
    "get_columns", "get_pk_constraint", "get_foreign_keys", "get_indexes", "get_unique_constraints",
    "get_check_constraints", "get_table_comment",
)  # fmt: skip


@pytest.fixture(scope="module")
def twin(stage: Stage) -> Iterator[Database]:
    """The shop as its developer thinks of it, on the same server."""
    with fresh_database(stage.server) as made:
        made.run(logical_schema())
        yield made


def engine_of(parameters: dict[str, Any]) -> Engine:
    line = {("dbname" if name == "database" else name): value for name, value in parameters.items()}
    return create_engine("postgresql+psycopg://", connect_args=line)


@pytest.fixture(scope="module")
def engines(stage: Stage, twin: Database) -> Iterator[tuple[Engine, Engine]]:
    """Through Fieldgate, and of the twin."""
    made = engine_of(stage.parameters("management")), engine_of(twin.parameters())
    yield made
    for engine in made:
        engine.dispose()


def psql(parameters: dict[str, Any], *commands: str) -> str:
    found = dict(parameters)
    password = found.pop("password")
    done = subprocess.run(
        ["psql", "-X", "-d", " ".join(f"{name}={value}" for name, value in found.items())]
        + [part for command in commands for part in ("-c", command)],
        env={"PGPASSWORD": str(password), "PATH": os.environ["PATH"], "PGCLIENTENCODING": "UTF8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed here (postgresql-client)")
@pytest.mark.parametrize(
    "command",
    [r"\d", r"\dt", r"\di", r"\ds", r"\df", r"\dC int8", r"\dT", *(rf"\d {t}" for t in TABLES), r"\d+ customers",
     r"\d customers_email_key", r"\d+ orders_submit_ip_idx", r"\dd", r"\dy", r"\dx", r"\dX"],
)  # fmt: skip
def test_psql_describes_the_same(stage: Stage, twin: Database, command: str) -> None:
    shown = psql(stage.parameters("management"), command)
    assert shown == psql(twin.parameters(), command)
    assert "ERROR" not in shown


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed here (postgresql-client)")
@pytest.mark.parametrize("command", [r"\dt+", r"\di+", r"\db+"])
def test_psql_lists_without_sizes(stage: Stage, command: str) -> None:
    shown = psql(stage.parameters("management"), command)
    assert "ERROR" not in shown
    assert not re.search(r"\d (bytes|[kM]B)", shown)
    assert re.search(r"customers_email_key|payments|pg_default", shown)


@pytest.mark.parametrize("role", ["support", "analyst"])
def test_structure_is_the_same_for_every_role(stage: Stage, twin: Database, role: str) -> None:
    with stage.connect(role) as connection, twin.connect() as plain:
        question = (
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
            " WHERE attrelid = 'customers'::regclass AND attnum > 0 ORDER BY attnum"
        )
        assert connection.execute(question).fetchall() == plain.execute(question).fetchall()


def test_sqlalchemy_inspects_the_same(engines: tuple[Engine, Engine]) -> None:
    through, plain = (inspect(engine) for engine in engines)
    names = plain.get_table_names()
    assert sorted(through.get_table_names()) == sorted(names)
    for table in names:
        for inspection in INSPECTIONS:
            found, expected = (repr(getattr(each, inspection)(table)) for each in (through, plain))
            assert found == expected, (table, inspection)


def test_alembic_finds_nothing_to_change(engines: tuple[Engine, Engine]) -> None:
    through, plain = engines
    metadata = MetaData()
    metadata.reflect(plain)
    options = {"compare_type": True, "compare_server_default": True}
    with through.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        metadata.tables["customers"].append_column(Column("nickname", Text))
        [(change, _, table, column)] = compare_metadata(context, metadata)
        assert (change, table, column.name) == ("add_column", "customers", "nickname")


def inspectdb(folder: Path, parameters: dict[str, Any]) -> str:
    known = {"host", "port", "dbname", "user", "password"}
    database = {
        "ENGINE": "django.db.backends.postgresql", "NAME": parameters["dbname"], "USER": parameters["user"],
        "PASSWORD": parameters["password"], "HOST": parameters["host"], "PORT": parameters["port"],
        "OPTIONS": {name: value for name, value in parameters.items() if name not in known},
    }  # fmt: skip
    folder.mkdir()
    (folder / "inspected_settings.py").write_text(f"SECRET_KEY = 'x'\nDATABASES = {{'default': {database!r}}}\n")
    done = subprocess.run(
        [sys.executable, "-m", "django", "inspectdb"],
        env={**os.environ, "PYTHONPATH": str(folder), "DJANGO_SETTINGS_MODULE": "inspected_settings"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_django_inspects_the_same(stage: Stage, twin: Database, tmp_path: Path) -> None:
    through = inspectdb(tmp_path / "through", stage.parameters("management"))
    assert through == inspectdb(tmp_path / "plain", twin.parameters())
    assert "class Customers(models.Model):" in through
    assert "unique=True" in through


async def test_drivers_learn_types_as_before(stage: Stage) -> None:
    with stage.raw.connect() as raw:
        raw.execute("CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TYPE pair AS (a int, b mood)")
        try:
            connection = await stage.open("management")
            try:
                found = await connection.fetchval("SELECT ROW(7, 'bad')::pair")
                assert (found["a"], found["b"]) == (7, "bad")
                assert await connection.fetchval("SELECT $1::mood[]", ["good"]) == ["good"]
            finally:
                await connection.close()
            with stage.connect("management") as other:
                pair = CompositeInfo.fetch(other, "pair")
                assert pair is not None
                assert pair.field_names == ("a", "b")
                row = CompositeInfo.fetch(other, "customers")
                assert row is not None
                assert row.field_names[:5] == ("id", "surname", "name", "patronymic", "email")
                text = TypeInfo.fetch(other, "text")
                assert text is not None
                assert row.field_types[4] == text.oid
        finally:
            raw.execute("DROP TYPE pair, mood")
