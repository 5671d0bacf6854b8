"""COPY into sealed tables: what PostgreSQL would have stored comes back, and what it would refuse is refused."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.wire.copying.binary_rows import HEADER, TRAILER, build_row

from .canaries import Canaries
from .copy_twin import COLUMNS, FIRST, STRANGE, Side, both
from .stage import Stage

pytestmark = pytest.mark.integration

OPTIONS = [
    "",
    "(FORMAT text, HEADER match)",
    "(DELIMITER '|', NULL '')",
    "(DELIMITER 'Z', NULL 'nil')",
    "(FORMAT csv, HEADER match)",
    "(FORMAT csv, DELIMITER ';', NULL 'NULL')",
    "(FORMAT csv, DELIMITER E'\\t', NULL '\\N', FORCE_QUOTE *)",
    "(FORMAT csv, QUOTE '''')",
    "(FORMAT csv, ESCAPE '\\')",
    "(FORMAT csv, QUOTE 'e', ESCAPE 'x', DELIMITER 'a', NULL '7')",
    "(FORMAT binary)",
]
LISTED = {table: names.replace(" ", ", ") for table, names in COLUMNS.items()}
CUSTOMER = "id, surname, name, email, phone, country, city, postal_code, address"
NEW = FIRST + 5000


@pytest.fixture(scope="module")
def sides(stage: Stage) -> Iterator[tuple[Side, Side]]:
    with both(stage) as made:
        for side in made:
            side.clear("refunds", "access_accounts", "orders")
        yield made


def cut(data: bytes, seed: int) -> list[bytes]:
    """Anywhere."""
    chance, pieces = random.Random(seed), []
    while data:
        size = chance.choice((1, 2, 7, 100, 5000))
        pieces.append(data[:size])
        data = data[size:]
    return pieces


@pytest.mark.parametrize("option", OPTIONS)
def test_what_comes_in_is_what_postgresql_would_have_stored(sides: tuple[Side, Side], option: str) -> None:
    sealed, plain = sides
    written, read = option.replace("HEADER match", "HEADER"), option.replace(", FORCE_QUOTE *", "")
    for table in ("customers", "employees"):
        query = f"(SELECT {LISTED[table]} FROM {table} WHERE id >= {FIRST} ORDER BY id)"
        data = plain.out(f"COPY {query} TO STDOUT {written}")
        wanted = ("", f"COPY {len(STRANGE)}") if "text" in option or "NULL" not in option or "csv" in option else None
        for side in sides:
            side.clear(table)
            told = side.put(f"COPY {table} ({LISTED[table]}) FROM STDIN {read}", cut(data, len(data)))
            assert told == wanted or (wanted is None and told[0] == "23502"), (table, told)
            if wanted is None:  # such a NULL of text is not told from a value
                side.fill(table)
        assert sealed.out(f"COPY {query} TO STDOUT") == plain.out(f"COPY {query} TO STDOUT")


def test_searches_find_what_was_copied(sides: tuple[Side, Side]) -> None:
    sealed, _ = sides
    row = f"{NEW}\tSurname\tName\tfound{NEW}@x\t+7\tc\tc\tp\ta\n".encode()
    assert sealed.put(f"COPY customers ({CUSTOMER}) FROM STDIN", [row]) == ("", "COPY 1")
    found = sealed.connection.execute("SELECT id FROM customers WHERE email = %s", (f"found{NEW}@x",)).fetchall()
    assert found == [(NEW,)]
    code, said = sealed.put(f"COPY customers ({CUSTOMER}) FROM STDIN", [row.replace(b"%d" % NEW, b"%d" % (NEW + 1), 1)])
    assert code == "23505" and f"found{NEW}@x" not in said


def test_bound_cells_belong_to_their_row(sides: tuple[Side, Side]) -> None:
    sealed, _ = sides
    rows = b"%d\t%d\tlogin one\thash one\n" % (NEW, FIRST)
    columns = "id, customer_id, login, password_hash"
    assert sealed.put(f"COPY access_accounts ({columns}) FROM STDIN", [rows]) == ("", "COPY 1")
    assert sealed.out(f"COPY (SELECT {columns} FROM access_accounts WHERE id = {NEW}) TO STDOUT") == rows
    code, said = sealed.put("COPY access_accounts (customer_id, login, password_hash) FROM STDIN", [rows])
    assert code == "0A000" and "bound to its row" in said


def test_conditions_and_errors_to_be_ignored(sides: tuple[Side, Side]) -> None:
    columns = "id, full_name, birth_date, hired_on, position, salary"
    rows = b"".join(
        b"%d,%s,%s,2020-01-01,x,%s\n" % (NEW + n, name, date, salary)
        for n, (name, date, salary) in enumerate(
            [(b"a", b"2000-01-01", b"1"), (b"b", b"2000-02-30", b"2"), (b"c", b"", b"1e999"), (b"d", b"", b"3")]
        )
    )
    for side in sides:
        told = side.put(f"COPY employees ({columns}) FROM STDIN (FORMAT csv, ON_ERROR ignore)", [rows])
        assert told == ("", "COPY 2")
        side.run(f"DELETE FROM employees WHERE id >= {NEW}")
        told = side.put(f"COPY employees ({columns}) FROM STDIN (FORMAT csv, ON_ERROR ignore, REJECT_LIMIT 1)", [rows])
        assert told[0] == "22P02"
        told = side.put(f"COPY employees ({columns}) FROM STDIN CSV WHERE id = {NEW}", [rows.splitlines(True)[0]])
        assert told == ("", "COPY 1")
        side.run(f"DELETE FROM employees WHERE id >= {NEW}")


def row(*values: bytes) -> bytes:
    """Of `CUSTOMER`, with a number that is free."""
    given = [b"%d" % (NEW + 10), b"s", b"n", b"bad@x", b"p", b"c", b"c", b"p", b"a"]
    given[: len(values)] = values
    return b"\t".join(given) + b"\n"


GOOD = row(b"%d" % (NEW + 9), b"s", b"n", b"good@x")
SECRET = b"Secretary"
BAD = {
    "too few columns": ("", [GOOD, b"1\t" + SECRET + b"\n"]),
    "too many columns": ("", [GOOD, row().replace(b"\n", b"\t" + SECRET + b"\n")]),
    "NUL": ("", [GOOD, row(b"1", SECRET + b"\0")]),
    "NUL in plain": ("", [GOOD, row(b"1").replace(b"\tc\t", b"\tc\0\t")]),
    "invalid UTF-8": ("", [GOOD, row(b"1", SECRET + b"\xff")]),
    "overlong by an escape": ("", [GOOD, row(b"1", SECRET + b"\\xc0\\x80")]),
    "a marker inside": ("", [GOOD, row(b"1", SECRET + b"\\.")]),
    "mixed line ends": ("", [GOOD, row().replace(b"\n", b"\r\n")]),
    "wrong header": ("(HEADER match)", [b"id\tSecretary\n", GOOD]),
    "bad quote": ("(FORMAT csv, DELIMITER E'\\t')", [GOOD, b'1\t"' + SECRET + b"\n"]),
    "not a key": ("", [GOOD, row(b"x", SECRET)]),
    "not null": ("", [GOOD, row(b"\\N", SECRET)]),
    "duplicate": ("", [GOOD, GOOD.replace(b"\ts\t", b"\t" + SECRET + b"\t")]),
    "1 GB field": (
        "(FORMAT binary)",
        [HEADER, build_row([b"\0" * 7 + b"\1", *[SECRET] * 8]), b"\0\x09\x3f\xff\xff\xff", SECRET * 10],
    ),
    "negative length": ("(FORMAT binary)", [HEADER, b"\0\x09\xff\xff\xff\xfe", SECRET]),
    "cut trailer": ("(FORMAT binary)", [HEADER, b"\0\x09\0\0\0\x08", SECRET]),
    "behind the trailer": ("(FORMAT binary)", [HEADER, TRAILER, SECRET]),
    "no signature": ("(FORMAT binary)", [SECRET * 5]),
}


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a transaction"])
@pytest.mark.parametrize("what", BAD)
def test_what_postgresql_refuses_is_refused_and_nothing_stays(
    sides: tuple[Side, Side], what: str, inside: bool
) -> None:
    option, pieces = BAD[what]
    codes = []
    for side in sides:
        if inside:
            side.run("BEGIN")
        code, said = side.put(f"COPY customers ({CUSTOMER}) FROM STDIN {option}", pieces)
        codes.append(code)
        assert side is sides[1] or SECRET.decode() not in said
        if inside:
            assert side.connection.info.transaction_status.name == "INERROR"
            side.run("ROLLBACK")
        assert side.connection.execute(f"SELECT count(*) FROM customers WHERE id > {NEW}".encode()).fetchone() == (0,)
    assert codes[0] == codes[1] != ""


def test_errors_say_where_and_not_what(sides: tuple[Side, Side]) -> None:
    code, said = sides[0].put(
        "COPY employees (id, full_name, birth_date, hired_on, position) FROM STDIN CSV HEADER",
        [b"a,b,c,d,e\n1,x,2000-01-01,2000-01-01,x\n2,y,31 of Octember,2000-01-01,x\n"],
    )
    assert (code, said) == (
        "22007",
        "invalid input syntax for type date /  / COPY employees, line 3, column birth_date",
    )


def test_a_client_that_gives_up_in_the_middle_of_a_row(sides: tuple[Side, Side]) -> None:
    for side in sides:
        code, said = side.put(f"COPY customers ({CUSTOMER}) FROM STDIN", [GOOD, row()[:20]], b"Secretary is ill")
        assert code == "57014"
        assert side is sides[1] or "Secretary" not in said


def test_an_envelope_that_a_client_sends_is_data_like_any_other(sides: tuple[Side, Side], stage: Stage) -> None:
    sealed, _ = sides
    with stage.raw.connect() as raw:
        found = raw.execute(f"SELECT surname::text FROM customers WHERE id = {FIRST}").fetchone()
    assert found is not None
    envelope = found[0].encode()
    data = row(b"%d" % (NEW + 20), b"\\" + envelope, b"n", b"env@x")
    assert sealed.put(f"COPY customers ({CUSTOMER}) FROM STDIN", [data]) == ("", "COPY 1")
    answer = sealed.connection.execute(f"SELECT surname FROM customers WHERE id = {NEW + 20}".encode()).fetchone()
    assert answer == (found[0],)
    sealed.run(f"DELETE FROM customers WHERE id = {NEW + 20}")


@pytest.mark.parametrize("role", ["support", "accounting", "client", "hr", "analyst"])
def test_who_may_not_insert_may_not_copy(stage: Stage, role: str) -> None:
    with stage.connect(role) as connection:
        code, _ = Side(connection).put(f"COPY customers ({CUSTOMER}) FROM STDIN", [row()])
        assert code in ("42501", "0A000")


def test_canaries_in_every_format_are_nowhere(stage: Stage, canaries: Canaries) -> None:
    with stage.connect("shop_app") as connection:
        side = Side(connection)
        for number, option in enumerate(("", "(FORMAT csv)", "(FORMAT csv, QUOTE '''')", "(FORMAT binary)")):
            values = [
                canaries.text(),
                canaries.text('a"b\\'),
                canaries.mail(),
                "+7",
                "c",
                "c",
                canaries.text(),
                canaries.text(),
            ]
            columns = CUSTOMER.removeprefix("id, ")
            raw = [value.encode() for value in values]
            if "binary" in option:
                data = HEADER + build_row(raw) + TRAILER
            elif "csv" in option:
                quote = "'" if "QUOTE" in option else '"'
                data = (",".join(quote + v.replace(quote, quote * 2) + quote for v in values) + "\n").encode()
            else:
                data = b"\t".join(value.replace(b"\\", b"\\\\") for value in raw) + b"\n"
            assert side.put(f"COPY customers ({columns}) FROM STDIN {option}", cut(data, number)) == ("", "COPY 1")
            bad = side.put(f"COPY customers ({columns}) FROM STDIN {option}", cut(data + data[:-1], number))
            assert bad[0] != "" and canaries.marker not in bad[1]


async def test_asyncpg(stage: Stage) -> None:
    connection = await stage.open("management")
    try:
        columns = [
            "id",
            "surname",
            "name",
            "email",
            "phone",
            "country",
            "city",
            "postal_code",
            "address",
            "preferences",
        ]
        records = [
            (NEW + 100 + n, f"s{n}", "n", f"a{n}@x", "p", "c", "c", "p", "a", json.dumps({"n": n})) for n in range(3)
        ]
        told = await connection.copy_records_to_table("customers", records=records, columns=columns)
        assert told == "COPY 3"
        text = io.BytesIO()
        await connection.copy_from_query(
            f"SELECT email, preferences FROM customers WHERE id > {NEW + 99} AND email <> $1 ORDER BY id",
            "a0@x",
            output=text,
            format="csv",
        )
        assert text.getvalue() == b'a1@x,"{""n"": 1}"\na2@x,"{""n"": 2}"\n'
        binary = io.BytesIO()
        await connection.copy_from_table("customers", output=binary, columns=columns, format="binary")
        assert binary.getvalue().startswith(HEADER) and b"a1@x" in binary.getvalue()
        await connection.execute(f"DELETE FROM customers WHERE id > {NEW + 99}")
        told = await connection.copy_to_table(
            "customers", source=io.BytesIO(b"%d,s,n,csv@x,p,c,c,p,a,\n" % (NEW + 100)), columns=columns, format="csv"
        )
        assert told == "COPY 1"
        await connection.execute(f"DELETE FROM customers WHERE id > {NEW + 99}")
    finally:
        await connection.close()


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed here (postgresql-client)")
def test_psql(stage: Stage, tmp_path: Path) -> None:
    found = stage.parameters("management")
    password = found.pop("password")
    line = " ".join(f"{name}={value}" for name, value in found.items())
    file, back = tmp_path / "in.csv", tmp_path / "out.csv"
    file.write_text(
        f'id,surname,name,email,phone,country,city,postal_code,address\n{NEW + 200},"a ""b""\nc",n,psql@x,p,c,c,p,a\n'
    )
    query = f"(SELECT {CUSTOMER} FROM customers WHERE id = {NEW + 200})"
    commands = [
        f"\\copy customers ({CUSTOMER}) FROM '{file}' CSV HEADER",
        f"\\copy {query} TO '{back}' CSV HEADER",
        f"COPY {query} TO STDOUT",
        f"DELETE FROM customers WHERE id = {NEW + 200}",
    ]
    done = subprocess.run(
        ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-d", line, *[part for c in commands for part in ("-c", c)]],
        env={"PGPASSWORD": str(password), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert back.read_text() == file.read_text()
    assert f'{NEW + 200}\ta "b"\\nc\tn\tpsql@x' in done.stdout
