"""Search by part through the whole of Fieldgate, beside the same queries over plain text: no difference."""

from __future__ import annotations

import random
import re
import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from policies.loader import SHOP
from proxy.demo import prepare
from tests.integration.stage import Stage, raised
from tests.support.servers import Database, fresh_database

pytestmark = [pytest.mark.integration, pytest.mark.slow]

MODES = {"surname": "match = true, prefix = true", "name": "match = true", "patronymic": "prefix = true"}
_TEXT = """
Ковальчук Ковалёв КОВАЛЕНКО Ёжиков О'Нил Анна-Мария Владимирович Ильинична Иоанн Щукина ковальская Ян И Ю Smith
SMITHSON O'Neill McDonald Anna Annabel ANNA Jürgen Strauß STRASSE Müller Zoë Çelik İnönü Işık ışık IRMAK
Παπαδόπουλος ΠΑΠΑΔΟΠΟΥΛΟΣ Οδυσσεύς Ǆurđević Ǆ 100% a_b a\\b x\u0378y \u1c90\u10d0 ﬁne Å Å K kelvin Ивановичъ Перепелкинъ
"""
NAMES = tuple(re.findall(r"\S+", _TEXT))
OPERATORS = ("LIKE", "ILIKE", "~~", "~~*", "^@")
SEED, ROWS, PATTERNS = 7, 240, 700


def declare(datamap: Path) -> None:
    lines = datamap.read_text(encoding="utf-8").split("\n")
    for column, modes in MODES.items():
        at = next(n for n, line in enumerate(lines) if line.split(" ")[0] == column)
        lines[at] = lines[at].replace("match = true", modes)
        assert modes in lines[at]
    datamap.write_text("\n".join(lines), encoding="utf-8")


def a_name(chance: random.Random) -> str:
    name = chance.choice(NAMES)
    match chance.randrange(8):
        case 0:
            return unicodedata.normalize("NFD", name)
        case 1:
            return name.upper()
        case 2:
            return f"{name} {chance.choice(NAMES)}"
        case 3:
            return name.swapcase() + chance.choice(("", "\u0301", "\n", "ς", "Σ"))
    return name


def a_pattern(chance: random.Random, values: list[str]) -> str:
    value = chance.choice(values)
    start = chance.randrange(len(value) + 1)
    part = value[start : start + chance.randrange(2, 11)]
    part = chance.choice((str, str.upper, str.lower, str.swapcase))(part)
    part = "".join(chance.choice(("\\" + each, each)) if each in "%_\\" else each for each in part)
    if part and chance.random() < 0.2:
        at = chance.randrange(len(part))
        part = part[:at] + chance.choice("_%") + part[at + 1 :]
    part = part[:-1] if (len(part) - len(part.rstrip("\\"))) % 2 else part
    return chance.choice(("", "%", "%", "%", "_%")) + part + chance.choice(("", "%", "%", "%", "%_"))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    policy = tmp_path_factory.mktemp("searched") / "policy"
    shutil.copytree(SHOP, policy)
    declare(policy / "datamap.toml")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(prepare, "SHOP", policy)
        with raised() as made:
            yield made


@pytest.fixture(scope="module")
def twin(stage: Stage) -> Iterator[Database]:
    """The same people in plain text; those of the sample, and more of our own."""
    chance = random.Random(SEED)
    columns = "id, surname, name, patronymic, city, email, phone, country, postal_code, address"
    with fresh_database(stage.server) as made, made.connect() as plain, stage.connect("management") as gate:
        plain.execute("CREATE TABLE customers (id bigint, surname text, name text, patronymic text, city text)")
        rows = [
            (1000 + n, a_name(chance), a_name(chance), chance.choice((None, "", a_name(chance))), chance.choice("AB"))
            for n in range(ROWS)
        ]
        query = f"INSERT INTO customers ({columns}) VALUES (%s, %s, %s, %s, %s, %s, '1', 'x', '1', 'x')"
        with gate.cursor() as cursor:
            cursor.executemany(query, [(*row, f"{row[0]}@example.org") for row in rows])
        everyone = gate.execute("SELECT id, surname, name, patronymic, city FROM customers").fetchall()
        assert len(everyone) > ROWS
        with plain.cursor() as cursor:
            cursor.executemany("INSERT INTO customers VALUES (%s, %s, %s, %s, %s)", everyone)
        yield made


def answer(connection: psycopg.Connection[Any], query: str, values: list[object], *, simple: bool) -> object:
    try:
        if simple:
            cursor = psycopg.ClientCursor(connection).execute(query, values)
        else:
            cursor = connection.execute(query, values, binary=len(query) % 2 == 0)
    except psycopg.Error as error:
        return error.sqlstate
    return cursor.fetchall(), cursor.statusmessage, [column.name for column in cursor.description or ()]


def a_query(chance: random.Random, values: dict[str, list[str]]) -> tuple[str, list[object]]:
    conditions: list[str] = []
    given: list[object] = []
    for column in chance.sample(list(MODES), chance.choice((1, 1, 1, 2))):
        operator = chance.choice(OPERATORS)
        pattern = a_pattern(chance, values[column])
        conditions.append(f"{column} {operator} %s{chance.choice(('', '::text'))}")
        given.append(pattern if operator != "^@" else pattern.strip("%"))
    if chance.random() < 0.3:
        conditions.append("city = %s")
        given.append(chance.choice("AB"))
    query = f"SELECT {chance.choice(('id', 'id, surname, patronymic', 'patronymic, id'))} FROM customers WHERE "
    query += " AND ".join(conditions) + " ORDER BY id" + chance.choice(("", " DESC"))
    if chance.random() < 0.4:
        query += chance.choice((" LIMIT %s", " LIMIT %s::bigint", " OFFSET %s", " FETCH FIRST %s ROWS ONLY"))
        given.append(chance.choice((0, 1, 3, 1000)))
    return query, given


def test_no_difference_to_plain_text(stage: Stage, twin: Database) -> None:
    chance = random.Random(SEED + 1)
    answered = found = 0
    operators: set[str] = set()
    with stage.connect("management") as gate, twin.connect() as plain:
        rows = plain.execute("SELECT surname, name, patronymic FROM customers").fetchall()
        values = {column: [row[n] for row in rows if row[n]] for n, column in enumerate(MODES)}
        for _ in range(PATTERNS):
            query, given = a_query(chance, values)
            simple = chance.random() < 0.5
            told = answer(gate, query, given, simple=simple)
            if told == "0A000":
                continue
            assert told == answer(plain, query, given, simple=simple), (query, given)
            answered += 1
            operators |= {operator for operator in OPERATORS if f" {operator} %s" in query}
            found += isinstance(told, tuple) and bool(told[0])
    assert answered > 0.3 * PATTERNS
    assert operators == set(OPERATORS)
    assert found > 0.05 * PATTERNS


def test_what_the_server_is_sent_holds_no_pattern(stage: Stage) -> None:
    mark = "щюяпримета"
    with stage.connect("management") as gate:
        for query in (
            f"SELECT id FROM customers WHERE surname LIKE '%{mark}%'",
            "SELECT id FROM customers WHERE name ILIKE %s",
        ):
            gate.execute(query, [f"%{mark}%"] if "%s" in query else None)
    assert mark.encode() not in stage.server.log_file.read_bytes()


async def test_an_execute_counts_rows_that_are_found(stage: Stage, twin: Database) -> None:
    connection = await stage.open("management")
    query = "SELECT id FROM customers WHERE surname ILIKE $1 ORDER BY id"
    with twin.connect() as plain:
        known = [row[0] for row in plain.execute("SELECT id FROM customers WHERE surname ILIKE '%ова%' ORDER BY id")]
    assert len(known) > 2
    for _ in range(2):
        assert await connection.fetchval(query, "%ова%") == known[0]
        assert [row["id"] for row in await connection.fetch(query, "%ова%")] == known
        assert await connection.fetch(query, None) == []
    statement = await connection.prepare(f"{query} LIMIT $2 OFFSET $3")
    assert [str(each.name) for each in statement.get_parameters()] == ["text", "int8", "int8"]
    assert [row["id"] for row in await statement.fetch("%ова%", 2, 1)] == known[1:3]
    with pytest.raises(Exception, match="LIMIT must not be negative"):
        await statement.fetch("%ова%", -1, 0)
    async with connection.transaction():
        cursor = await statement.cursor("%ова%", None, 0)
        assert [row["id"] for row in await cursor.fetch(2)] == known[:2]
        assert [row["id"] for row in await cursor.fetch(1)] == known[2:3]
        assert [row["id"] for row in await cursor.fetch(1000)] == known[3:]
        assert await cursor.fetch(2) == []
        both = [statement.cursor("%ова%", None, 1, prefetch=some) for some in (1, 3)]
        assert [[row["id"] async for row in each] for each in both] == [known[1:]] * 2
    await connection.close()


def test_patterns_that_say_too_little_are_refused_with_the_remedy(stage: Stage) -> None:
    with stage.connect("management") as gate:
        for query in ("surname LIKE '%ab%'", "name ILIKE '_a_'", "patronymic LIKE '%abcdef%'", "surname LIKE '%'"):
            with pytest.raises(psycopg.errors.FeatureNotSupported, match="says too little") as refused:
                gate.execute(sql.SQL("SELECT id FROM customers WHERE " + query))  # type: ignore[arg-type]
            assert "It needs" in str(refused.value.diag.message_hint)
            with pytest.raises(psycopg.errors.FeatureNotSupported, match="says too little"):
                column, operator, pattern = query.split(" ")
                gate.execute(f"SELECT id FROM customers WHERE {column} {operator} %s", [pattern.strip("'")])


def test_who_may_not_search_by_part(stage: Stage) -> None:
    with stage.connect("support") as gate, pytest.raises(psycopg.errors.InsufficientPrivilege, match="filter_range"):
        gate.execute("SELECT id FROM customers WHERE surname LIKE 'Ков%'")


def test_a_search_by_name_in_sql(stage: Stage, twin: Database) -> None:
    query = b"SELECT id, surname FROM customers WHERE surname ILIKE $1 ORDER BY id"
    with stage.connect("management") as gate, twin.connect() as plain:
        known = plain.execute(
            "SELECT id, surname FROM customers WHERE surname ILIKE '%ова%' OR surname ILIKE '%smith%' ORDER BY id"
        ).fetchall()
        for connection in (gate, plain):
            assert connection.pgconn.prepare(b"found", query).status == psycopg.pq.ExecStatus.COMMAND_OK
            connection.execute("PREPARE named (text, int) AS " + query.decode() + " LIMIT $2")  # type: ignore[call-overload]
        for asked in ("EXECUTE found ('%ова%')", "EXECUTE named ('%smith%', 2)", "EXECUTE named (NULL, 1)"):
            told = [psycopg.ClientCursor(each).execute(asked.encode()) for each in (gate, plain)]
            assert [each.statusmessage for each in told] == [told[1].statusmessage] * 2
            assert told[0].fetchall() == told[1].fetchall()
            assert gate.execute(asked.encode()).fetchall() == plain.execute(asked.encode()).fetchall()
        assert len(known) > 4
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            gate.execute("EXPLAIN EXECUTE found ('%abc%')")


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("held", [False, True])
def test_psycopgs_server_cursor(stage: Stage, twin: Database, held: bool, binary: bool) -> None:
    query, found = "SELECT id, surname, city FROM customers WHERE surname ILIKE %s ORDER BY id", []
    for side in (stage.connect("management"), twin.connect()):
        with side as connection:
            connection.autocommit = held
            with connection.cursor("named here", withhold=held, binary=binary) as cursor:
                cursor.itersize = 2
                cursor.execute(query, ["%ова%"])
                told = [cursor.fetchone(), cursor.fetchmany(2), *cursor]
                found.append((told, cursor.fetchone(), [column.type_code for column in cursor.description or ()]))
            with connection.cursor("again", withhold=held, binary=binary) as cursor:
                cursor.execute(query, ["%smith%"])
                cursor.scroll(1)
                found[-1] += (cursor.fetchall(),)
    assert found[0] == found[1] and len(found[0][0]) > 3


def test_explain_of_a_search(stage: Stage) -> None:
    with stage.connect("management") as gate:
        explained = gate.execute("EXPLAIN (COSTS OFF) SELECT id FROM customers WHERE surname LIKE '%abcde%' LIMIT 3")
        assert "fg_surname_tk" in str(explained.fetchall())
