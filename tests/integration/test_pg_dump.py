"""pg_dump through Fieldgate: a dump of the sealed shop restores to a plain one, and its data goes back in.

The embedded server's own programs are built without TLS, so that this stage lets them in without it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from proxy.demo.prepare import DATABASE
from proxy.demo.schema import logical_schema
from proxy.demo.show import PASSWORD
from tests.support.servers import Database, fresh_database

from .stage import Stage, raised

pytestmark = pytest.mark.integration

# What management may not read, and privileges of roles that only the sealed database has.
LEFT_OUT = ("--no-privileges", "-T", "health_records", "-T", "health_records_id_seq")


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with raised(plaintext=True) as made:
        yield made


@pytest.fixture
def plain(stage: Stage) -> Iterator[Database]:
    with fresh_database(stage.server) as made:
        yield made


def program(stage: Stage, name: str, database: Database | None, *options: str, text: str | None = None) -> str:
    """Through Fieldgate as management, or straight to a database of the same server."""
    server = stage.server
    host, port, user, password = "127.0.0.1", stage.port, "management", PASSWORD
    if database is not None:
        host, port, user, password = server.host, server.port, server.superuser, server.password
    done = subprocess.run(
        [str(server.binaries / name), "-h", host, "-p", str(port), "-U", user, "-d", name_of(database), *options],
        env={"PGPASSWORD": password, "PGSSLMODE": "disable", "PATH": os.environ["PATH"], "PGCLIENTENCODING": "UTF8"},
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def name_of(database: Database | None) -> str:
    return database.name if database is not None else DATABASE


def dump(stage: Stage, database: Database | None, *options: str) -> str:
    """Without the lines that are other ones each time."""
    text = program(stage, "pg_dump", database, *options)
    return re.sub(r"(?m)^\\(un)?restrict .*\n", "", text)


def restore(stage: Stage, database: Database | None, text: str) -> None:
    program(stage, "psql", database, "-X", "-q", "-v", "ON_ERROR_STOP=1", text=text)


def test_the_schema_is_the_plain_one(stage: Stage, plain: Database) -> None:
    plain.run(logical_schema())
    through = dump(stage, None, "--no-privileges", "--schema-only")
    assert through == dump(stage, plain, "--no-privileges", "--schema-only")
    assert "fg_" not in through
    assert "CONSTRAINT customers_email_key UNIQUE (email)" in through


@pytest.mark.parametrize("form", [(), ("--inserts",), ("--column-inserts", "--rows-per-insert=7")], ids=str)
def test_what_was_dumped_and_restored_dumps_the_same(stage: Stage, plain: Database, form: tuple[str, ...]) -> None:
    through = dump(stage, None, *LEFT_OUT, *form)
    assert "anna.smirnova@example.org" in through
    restore(stage, plain, through)
    assert _in_no_order(dump(stage, plain, "--no-privileges", *form)) == _in_no_order(through)


def _in_no_order(text: str) -> list[str]:
    """Rows stand where a page had room for them; the last of several in one INSERT ends otherwise."""
    return sorted(line.rstrip(",;") for line in text.splitlines())


def test_data_goes_back_into_sealed_tables(stage: Stage) -> None:
    options = ("--data-only", "-t", "correspondence", "--no-privileges")
    through = dump(stage, None, *options)
    rows = re.sub(r"(?m)^SELECT pg_catalog\.setval.*\n", "", through)  # moving a sequence is the administrator's
    with stage.connect("management") as connection:
        assert connection.execute("DELETE FROM correspondence").rowcount
    restore(stage, None, rows)
    assert dump(stage, None, *options) == through
    with stage.raw.connect() as raw:
        [(kind, found)] = raw.execute("SELECT pg_typeof(body)::text, substr(body, 1, 3) FROM correspondence LIMIT 1")
        assert (kind, found) == ("bytea", b"\xf9\x67\x01")
