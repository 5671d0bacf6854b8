"""Random pipelines, in random pieces, through the proxy and straight to a server that has the same rows in the clear.

Every message, value and status must be the same.  Statements that Fieldgate refuses stand beside ones that PostgreSQL
refuses at the same step.  `make fuzz` looks for much longer.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.wire import backend, frontend
from proxy.wire.copying.binary_rows import HEADER
from tests.session.talk import FLUSH, SYNC, bind, close, describe, execute, parse, query

from .line import Heard, Line
from .twin import Sides

pytestmark = pytest.mark.integration

END = "end of talk"
ANNA = b"anna.smirnova@example.org"


@dataclass(frozen=True, slots=True)
class Text:
    """A statement, what stands for it on the other side where that one refuses it, and values for its parameters."""

    sql: str
    values: tuple[bytes | None, ...] = ()
    direct: str = ""
    alone: bool = False  # beside other statements in one Query it is refused


NOPE = "SELECT nope"
FOUND = "SELECT id, surname FROM customers WHERE surname LIKE '%нов%'"
TEXTS = [
    Text("SELECT 1 AS one, NULL::text AS nothing"),
    Text("SELECT g FROM generate_series(1, 5) g"),
    Text("SELECT $1::int4 + 1", (b"5",)),
    Text("SELECT $1::int4 + 1", (b"five",)),
    Text("SELECT 10 / (3 - g) FROM generate_series(1, 5) g"),
    Text("SELECT 1 / 0"),
    Text(NOPE),
    Text("SELEC 1"),
    Text(""),
    Text("INSERT INTO notes VALUES ($1) RETURNING a", (b"7",)),
    Text("SELECT count(*), sum(a) FROM notes"),
    Text("BEGIN"),
    Text("COMMIT"),
    Text("ROLLBACK"),
    Text("SAVEPOINT a"),
    Text("ROLLBACK TO a"),
    Text("DEALLOCATE s"),
    Text("DEALLOCATE ALL"),
    Text("PREPARE q AS SELECT 41"),
    Text("DECLARE c CURSOR FOR SELECT g FROM generate_series(1, 4) g"),
    Text("FETCH 2 FROM c"),
    Text("SET search_path = public"),
    Text("SET TIME ZONE 'Asia/Tokyo'"),
    Text("SHOW TIME ZONE"),
    Text("SELECT id, email FROM customers WHERE id < 4 ORDER BY id"),
    Text("SELECT id, surname, city, preferences FROM customers WHERE email = $1", (ANNA,)),
    Text("SELECT email FROM customers WHERE id = $1", (b"2",)),
    Text("SELECT email FROM customers WHERE id = $1", (b"two",)),
    Text("SELECT * FROM customers WHERE id = 1"),
    Text("SELECT phone FROM customers WHERE id = 3"),
    Text("UPDATE customers SET phone = $1 WHERE id = 3 RETURNING phone", (b"+49 30 1",)),
    Text("UPDATE customers SET email = $1 WHERE id = 3", (ANNA,)),
    Text("SELECT count(*) FROM customers"),
    Text("SELECT id, 6 / (2 - id) AS x, email FROM customers WHERE id < 4 ORDER BY id"),
    Text("SELECT id, submit_ip FROM orders WHERE id < 4 ORDER BY id"),
    Text("SELECT customers FROM customers", direct=NOPE),
    Text("DO $$ BEGIN NULL; END $$", direct=NOPE),
    Text("SELECT query_to_xml('SELECT 1', true, true, '')", direct=NOPE),
    Text("COPY (SELECT id, email, phone FROM customers WHERE id < 4 ORDER BY id) TO STDOUT"),
    Text("COPY (SELECT email, 6 / (2 - id) FROM customers WHERE id < 4 ORDER BY id) TO STDOUT WITH CSV HEADER"),
    Text("COPY (SELECT id, email FROM customers WHERE id < 3 ORDER BY id) TO STDOUT (FORMAT binary)"),
    Text(f"COPY (SELECT id, surname FROM customers WHERE email = '{ANNA.decode()}') TO STDOUT"),
    Text("COPY (SELECT customers FROM customers) TO STDOUT", direct=NOPE),
    Text("COPY (SELECT id FROM customers WHERE id = $1) TO STDOUT", direct=NOPE),
    Text(f"{FOUND} ORDER BY id"),
    Text(f"{FOUND} ORDER BY id LIMIT 3 OFFSET 1"),
    Text(f"{FOUND} ORDER BY id LIMIT 0"),
    Text("SELECT id, name FROM customers WHERE surname ILIKE $1 ORDER BY id LIMIT $2", ("%НОВ%".encode(), b"2")),
    Text("SELECT id, name FROM customers WHERE surname ILIKE $1 AND id < 40 ORDER BY id", ("%ова".encode(),)),
    Text("SELECT id, name FROM customers WHERE surname ILIKE $1 ORDER BY id", (None,)),
    Text(f"PREPARE q AS {FOUND} ORDER BY id"),
    Text("UPDATE customers SET city = 'there' WHERE surname ILIKE '%ова' AND id < 30", alone=True),
    Text(
        "UPDATE customers SET city = $1 WHERE surname LIKE $2 AND id < 9 RETURNING city, name",
        (b"x", "%ова".encode()),
        alone=True,
    ),
    Text("UPDATE customers SET phone = NULL WHERE surname LIKE '%нов%' AND id < 20", alone=True),
    Text("DELETE FROM customers WHERE surname LIKE '%ова%' AND id = 2", alone=True),
    Text("SELECT id, city FROM customers WHERE id < 30 ORDER BY id"),
]
texts = st.sampled_from(TEXTS)
statements = st.sampled_from([b"", b"s", b"t"])
portals = st.sampled_from([b"", b"p"])
formats = st.sampled_from([(), (0,), (1,)])


@dataclass(frozen=True, slots=True)
class Step:
    """Messages for the proxy and for the server; they differ where one refuses what the other does not."""

    proxy: bytes
    direct: bytes
    refused: bool = False


def same(*messages: bytes) -> Step:
    return Step(b"".join(messages), b"".join(messages))


def script(members: list[Text]) -> Step:
    plain = [text for text in members if not text.values] or [TEXTS[0]]
    others = [NOPE if text.alone and len(plain) > 1 else text.direct for text in plain]
    refused = any(others)
    direct = "; ".join(other or text.sql for other, text in zip(others, plain, strict=True))
    first = SYNC if any(text.alone for text in plain) else b""  # behind an Execute it would be refused
    return Step(first + query("; ".join(text.sql for text in plain)), first + query(direct), refused)


def prepared(text: Text, name: bytes) -> Step:
    return Step(parse(text.sql, name), parse(text.direct or text.sql, name), bool(text.direct))


def whole(text: Text, name: bytes, portal: bytes, results: tuple[int, ...], rows: int) -> Step:
    """What a driver sends for one statement."""
    first = prepared(text, name)
    rest = [bind(*text.values, name=name, portal=portal, results=results), describe(b"P", portal)]
    tail = b"".join([*rest, execute(portal, rows)])
    return Step(first.proxy + tail, first.direct + tail, first.refused)


PLAIN, SEALED = "COPY notes FROM STDIN", "COPY employees (full_name, hired_on, position, salary) FROM STDIN"


def copied(statement: str, lines: list[bytes], end: bytes, extended: bool, sync: bool) -> Step:
    """A COPY with all of its data; libpq sends a Sync in front of it, too."""
    begin = [parse(statement, b"x"), bind(name=b"x", portal=b"x"), execute(b"x")]
    first = [*begin, SYNC] if sync else begin
    data = [frontend.build_copy_data(line) for line in lines]
    closing = [end, SYNC, close(b"S", b"x"), SYNC]
    return same(*(first if extended else [query(statement)]), *data, *closing)


def copied_twice(first: str, second: str, lines: list[bytes], more: list[bytes]) -> Step:
    """Two in one Query, with the data of both behind it."""
    data = [*map(frontend.build_copy_data, lines), frontend.COPY_DONE]
    data += [*map(frontend.build_copy_data, more), frontend.COPY_DONE]
    return same(query(f"SELECT 1; {first}; {second}; SELECT 2"), *data, SYNC)


plain_lines = st.lists(st.sampled_from([b"1\n", b"2\n3\n", b"x\n", b"4"]), max_size=3)
sealed_lines = st.lists(
    st.sampled_from([b"Ann\t2020-01-01\tx\t1.5\n", b"B\\tb\t2020-01-01", b"\tx\t\\N\n", b"C\t",
                     b"D\t2020-01-01\tx\tmuch\n", b"D\t2020-01-99\tx\tmuch\n",
                     b"\\N\t2020-01-01\tx\t1\n", b"E\xff\t2020-01-01\tx\t1\n", b"F\n"]), max_size=4,
)  # fmt: skip
ends = st.sampled_from([frontend.COPY_DONE, frontend.COPY_DONE, frontend.build_copy_fail(b"no")])
CALL = frontend.build_function_call(0, (), (), 0)
steps = st.one_of(
    st.builds(script, st.lists(texts, min_size=1, max_size=3)),
    st.builds(whole, texts, statements, portals, formats, st.sampled_from([0, 0, 0, 1, 2])),
    st.builds(prepared, texts, statements),
    st.builds(lambda v, n, p, f: same(bind(*v, name=n, portal=p, results=f)),
              st.sampled_from([(), (b"5",), (ANNA,), (None,)]), statements, portals, formats),
    st.builds(lambda n, rows: same(execute(n, rows)), portals, st.sampled_from([0, 1, 2])),
    st.builds(lambda n: same(describe(b"S", n)), statements),
    st.builds(lambda n: same(describe(b"P", n)), portals),
    st.builds(lambda n: same(close(b"S", n)), statements),
    st.builds(lambda n: same(close(b"P", n)), portals),
    st.builds(copied, st.just(PLAIN), plain_lines, ends, st.booleans(), st.booleans()),
    st.builds(copied, st.just(SEALED), sealed_lines, ends, st.booleans(), st.booleans()),
    st.builds(copied_twice, st.just(PLAIN), st.just(SEALED), plain_lines, sealed_lines),
    st.builds(copied_twice, st.just(SEALED), st.just(PLAIN), sealed_lines, plain_lines),
    st.just(same(query("SELECT full_name, hired_on, salary FROM employees WHERE position = 'x' ORDER BY id"))),
    st.just(same(query("COPY notes TO STDOUT"))),
    st.just(same(query("EXECUTE q"))),  # a Parse of it fails at once where nobody knows the name (docs/limits.md)
    st.just(same(query("SELECT 1; EXECUTE q"))),
    st.just(same(query(f"DECLARE d SCROLL CURSOR WITH HOLD FOR {FOUND} ORDER BY id"))),
    st.just(same(query(f"DECLARE d CURSOR FOR {FOUND} ORDER BY id"))),
    st.just(same(SYNC, query("FETCH 2 FROM d"))),
    st.just(same(SYNC, query("MOVE 1 FROM d"))),
    st.just(same(SYNC, query("FETCH ALL FROM d"))),
    st.just(same(query("CLOSE d"))),
    st.just(same(SYNC)),
    st.just(same(SYNC)),
    st.just(same(FLUSH)),
    st.just(Step(CALL, CALL, refused=True)),
)  # fmt: skip
PREPARE = "CREATE TEMP TABLE notes(a int4); UPDATE customers SET phone = '0', email = 'three@example.org' WHERE id = 3"
PREPARE += "; DELETE FROM employees WHERE position = 'x'"
# Where a row fails, how many have come before it is a matter of the plan.
PREPARE += "; SET enable_seqscan = off; SET enable_sort = off"
LAST = [frontend.build_copy_fail(b"over"), SYNC, query("ROLLBACK"), query(f"SELECT '{END}'")]


def hear_all(line: Line) -> list[Heard]:
    got: list[Heard] = []
    while not (got and got[-1][0] == "D" and END.encode() in got[-1][1]):
        got.append(line.hear())
    return got + line.until("Z")


def seen(heard: list[Heard]) -> list[tuple[object, ...]]:
    """What an application gets to see, without what two databases may differ in: OIDs of tables."""
    told = [_seen(tag, body) for tag, body in heard if tag not in "NSA"]
    return [each for message in told for each in _header_apart(message)]


def _header_apart(message: tuple[object, ...]) -> list[tuple[object, ...]]:
    """That of a binary COPY may share its message with the first row."""
    body = message[1] if message[0] == "d" else b""
    if isinstance(body, bytes) and body.startswith(HEADER) and body != HEADER:
        return [("d", HEADER), ("d", body[len(HEADER) :])]
    return [message]


def _seen(tag: str, body: bytes) -> tuple[object, ...]:
    if tag == "T":
        fields = backend.parse_row_description(body)
        return tag, *((f.name, f.type_oid, f.type_size, f.type_modifier, f.format) for f in fields)
    if tag == "E":
        error = backend.parse_error_response(body)
        # A Query that failed leaves an unnamed portal behind that nothing can be done with but fail once more.
        code = error[b"C"].replace(b"34000", b"25P02")
        return tag, error[b"V"], code
    if tag == "D":
        return tag, *backend.parse_data_row(body)
    return tag, body


def without_codes(told: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Where a refusal stands for PostgreSQL's own error only the place can be the same."""
    return [(message[0],) if message[0] == "E" else message for message in told]


@settings(max_examples=settings.default.max_examples * 2 // 5)  # each asks two servers
@given(program=st.lists(steps, max_size=12), pieces=st.lists(st.integers(1, 90), max_size=30))
def test_pipelines_are_answered_as_by_the_server(sides: Sides, program: list[Step], pieces: list[int]) -> None:
    direct, proxied = sides.lines()
    with direct, proxied:
        for line in (direct, proxied):
            line.talk(query(PREPARE))
        direct.send(*(step.direct for step in program), *LAST)
        proxied.send(*(step.proxy for step in program), *LAST, pieces=pieces)
        expected, got = seen(hear_all(direct)), seen(hear_all(proxied))
    if any(step.refused for step in program):
        expected, got = without_codes(expected), without_codes(got)
    assert got == expected
