"""I3: what a login may not use leaves no trace in its conversations.

The same statements are asked twice, and between the two times every cell that the login may not use becomes another
one; of tables of which it may use nothing rows disappear.  All that comes back must be equal, byte for byte.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from random import Random

import pytest

from policies.fields import Field, LogicalType
from policies.loader import SHOP, load_policy

from .attacks import GROUPS
from .stage import Stage, raised
from .statements import Grammar
from .talker import Talker
from .test_roles import golden

pytestmark = pytest.mark.integration

STATEMENTS = 200
PASSING = 30  # of these at least
TABLES = load_policy(SHOP).data_map.tables
CHANGED = {
    "text": "md5({c} || {seed})",
    "timestamp with time zone": "{c} + interval '{seed} minutes'",
    "numeric": "{c} + 1.01",
    "integer": "{c} + {seed}",
    "bigint": "{c} + {seed}",
    "date": "{c} + 1",
    "inet": "NULL",
    "bytea": "NULL",
}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with raised() as made:
        yield made


@pytest.mark.parametrize("role", ["support", "accounting", "client", "hr", "dpo"])
def test_hidden_cells_leave_no_trace(stage: Stage, role: str) -> None:
    asked = [*made_up(role), *copies(role), *attacks(role)]
    before = conversation(stage, role, asked)
    assert sum(code == "" for code, _ in before) >= PASSING or role == "dpo", "too little is allowed"
    changed = change_hidden(stage, role)
    assert changed > 100
    after = conversation(stage, role, asked)
    differing = [(text, one, two) for text, one, two in zip(asked, before, after, strict=True) if one != two]
    assert differing == []


def attacks(role: str) -> list[str]:
    return [text for group in GROUPS if group.role == role for text in group.statements if "archive." not in text]


def made_up(role: str) -> list[str]:
    usable = {name for (who, name), verbs in golden().items() if who == role and verbs - {"mask"}}
    columns = {table.table: [f.column for f in table.fields.values()] for table in TABLES.values()}
    allowed = {table.table: [f.column for f in table.fields.values() if f.name in usable] for table in TABLES.values()}
    return list(Grammar(Random(f"{role} 1"), columns, allowed).statements(STATEMENTS))


def copies(role: str) -> list[str]:
    """Some of the same queries as COPY."""
    queries = [text for text in made_up(role) if text.startswith("SELECT") and "$" not in text][:60]
    forms = ("text", "csv, HEADER", "binary")
    return [f"COPY ({text}) TO STDOUT (FORMAT {forms[n % 3]})" for n, text in enumerate(queries)]


Line = tuple[str, list[bytes]]


def conversation(stage: Stage, role: str, asked: list[str]) -> list[Line]:
    """Rows in any order, everything else as it came; half of the statements in each protocol."""
    talker = Talker(stage, role)
    lines = []
    for number, text in enumerate(asked):
        answer = talker.undone(text, ("simple", "extended")[number % 2])
        lines.append((answer.code, sorted(answer.parts)))
    talker.connection.finish()
    return lines


def change_hidden(stage: Stage, role: str) -> int:
    """How many cells are other ones now."""
    usable = {name for (who, name), verbs in golden().items() if who == role and verbs - {"mask"}}
    own = role == "client"
    done = 0
    for table in TABLES.values():
        others = f"{table.subject} <> 1" if own and table.subject else "true"
        for each in table.fields.values():
            if each.column not in keys(stage, table.table) and (own or each.name not in usable):
                done += change(stage, each, table.table, others)
        if not own and not any(f.name in usable for f in table.fields.values()):
            done += remove(stage, table.table)
    return done


def keys(stage: Stage, table: str) -> set[str]:
    """Columns of primary and foreign keys."""
    question = """
        SELECT a.attname
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
        WHERE c.conrelid = %s::regclass AND c.contype IN ('p', 'f')
    """
    with stage.raw.connect() as connection:
        return {row[0] for row in connection.execute(question, (f"public.{table}",))}


def change(stage: Stage, field: Field, table: str, where: str) -> int:
    if field.sealing is not None and field.sealing.logical_type is LogicalType.TEXT:
        return reseal(stage, field, table, where)
    with stage.raw.connect() as connection:
        kind = connection.execute(
            "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s",
            (f"public.{table}", field.column),
        ).fetchone()
        assert kind is not None
        value = CHANGED[kind[0]].format(c=field.column, seed=7)
        return connection.execute(f"UPDATE {table} SET {field.column} = {value} WHERE {where}".encode()).rowcount


def reseal(stage: Stage, field: Field, table: str, where: str) -> int:
    """New values through Fieldgate, one by one, since cells are bound to their fields and some to their rows."""
    with stage.connect("management") as connection:
        found = connection.execute(f"SELECT id FROM {table} WHERE {where}".encode()).fetchall()
        question = f"UPDATE {table} SET {field.column} = %s WHERE id = %s".encode()
        with connection.transaction(), connection.pipeline():
            for (number,) in found:
                connection.execute(question, (f"another {field.column} {secrets.token_hex(8)}", number))
        return len(found)


def remove(stage: Stage, table: str) -> int:
    """Some rows of a table of which the login may not even count the rows."""
    with stage.raw.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        return connection.execute(f"DELETE FROM {table} WHERE id % 3 = 0".encode()).rowcount


def test_the_search_for_traces_finds_some(stage: Stage) -> None:
    """The comparison itself: what a login may use does differ."""
    asked = ["SELECT id, surname FROM customers WHERE id = 4"]
    before = conversation(stage, "support", asked)
    change(stage, TABLES["public", "customers"].fields["surname"], "customers", "id = 4")
    assert conversation(stage, "support", asked) != before
