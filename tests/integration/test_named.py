"""Names in SQL and in the protocol, at random, beside PostgreSQL itself: the same conversation about plain columns.

Each example is a sequence of statements and messages that prepare, declare, run, move, close, commit and fail, under
few names, so that they meet.  What the proxy answers for sealed columns must be what the server answers for the same
rows as plain ones: rows, tags, names, types and formats of columns, SQLSTATEs, and the state of the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import pq

from .copy_twin import FIRST, Side, both
from .stage import Stage

pytestmark = pytest.mark.integration

QUERIES = {  # with the types that PREPARE may declare
    f"SELECT id, email, city FROM customers WHERE id >= {FIRST} ORDER BY id": ("", "(text)"),
    "SELECT id, surname FROM customers WHERE email = $1 AND id >= $2 ORDER BY id": (
        "",
        "(text, bigint)",
        "(text, int)",
    ),
    f"SELECT password_hash, login FROM access_accounts WHERE id >= {FIRST} AND id < $1 ORDER BY id": ("", "(int)"),
    f"SELECT full_name, birth_date, salary FROM employees WHERE id >= {FIRST} ORDER BY id": ("",),
    "SELECT id, submit_ip FROM orders WHERE submit_ip = $1 OR submit_ip = ANY ($2) ORDER BY id": ("", "(inet, inet[])"),
    "SELECT id, email FROM customers WHERE surname = $1 OR email = ANY ($2) ORDER BY id": ("(varchar(3), text[])", ""),
    f"UPDATE customers SET phone = $1, city = $2 WHERE id = {FIRST + 3} RETURNING id, phone, city": ("", "(text)"),
    f"SELECT count(*), 'a constant' AS email FROM customers WHERE id >= {FIRST} AND email <> 'NULL'": ("",),
    "SELECT n FROM generate_series(1, 5) AS n": ("",),
}
ARGUMENTS = (
    (),
    (f"'{FIRST + 2}plain@x'", str(FIRST)),
    (f"'{FIRST + 3}NULL@x'::text", str(FIRST + 1)),
    (str(FIRST + 4),),
    ("'10.0.0.3/24'", f"ARRAY['{FIRST + 1} @x', NULL]"),
    ("'10.0.0.5/24'", "'{10.0.0.7/24,NULL}'"),
    ("NULL", "NULL"),
    ("'new'", f"'{FIRST + 2}'"),
    ("5", "true"),
)
VALUES = (
    (),
    (f"{FIRST + 2}plain@x", str(FIRST)),
    (str(FIRST + 4),),
    ("10.0.0.3/24", "{10.0.0.7/24,NULL}"),
    ("new", str(FIRST + 2)),
    (None, None),
)
WAYS = ("", "NEXT", "PRIOR", "FIRST", "LAST", "ABSOLUTE 3", "ABSOLUTE -1", "RELATIVE 2", "RELATIVE -2", "4", "ALL",
        "0", "FORWARD 3", "FORWARD ALL", "BACKWARD", "BACKWARD 2", "BACKWARD ALL")  # fmt: skip

NAMES = ('"T w o"', "x" * 70)
name = st.sampled_from(NAMES)
transactions = st.sampled_from(
    ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "ROLLBACK TO a", "ROLLBACK TO a", "ROLLBACK TO a", "RELEASE a",
     "SELECT 1 / 0", "SELECT 2 AS two")
)  # fmt: skip
query = st.sampled_from(list(QUERIES))
plain_query = st.sampled_from([text for text in QUERIES if "$" not in text])
typed = st.sampled_from([(types, text) for text, lists in QUERIES.items() for types in lists])
prepare = st.builds(lambda n, made: f"PREPARE {n} {made[0]} AS {made[1]}", name, typed)
call = st.builds(
    lambda n, arguments: f"EXECUTE {n}" + (f" ({', '.join(arguments)})" if arguments else ""),
    name,
    st.sampled_from(ARGUMENTS),
)
declare = st.builds(
    lambda n, binary, scroll, hold, query: f"DECLARE {n} {binary} {scroll} CURSOR {hold} FOR {query}",
    name,
    st.sampled_from(("", "BINARY")),
    st.sampled_from(("SCROLL", "NO SCROLL")),
    st.sampled_from(("", "WITH HOLD")),
    plain_query,
)
fetch = st.builds(
    lambda verb, way, n: f"{verb} {way} FROM {n}", st.sampled_from(("FETCH", "MOVE")), st.sampled_from(WAYS), name
)
forget = st.builds("{} {}".format, st.sampled_from(("DEALLOCATE", "CLOSE")), st.one_of(name, st.just("ALL")))
statement = st.one_of(transactions, prepare, call, declare, fetch, fetch, forget)


@dataclass(frozen=True, slots=True)
class Step:
    """`how`: query, params (unnamed, with the result format), or a message about a name."""

    how: str
    text: str
    values: tuple[str | None, ...] = ()
    binary: bool = False


def bare(given_name: str) -> str:
    return given_name.strip('"')


step = st.one_of(
    st.builds(lambda text: Step("query", text), statement),
    st.builds(lambda texts: Step("query", "; ".join(texts)), st.lists(statement, min_size=2, max_size=4)),
    st.builds(lambda text, binary: Step("params", text, (), binary), statement, st.booleans()),
    st.builds(lambda n, query: Step("prepare", f"{bare(n)}|{query}"), name, query),
    st.builds(
        lambda n, values, binary: Step("run", bare(n), values, binary), name, st.sampled_from(VALUES), st.booleans()
    ),
    st.builds(lambda n: Step("describe statement", bare(n)), name),
    st.builds(lambda n: Step("describe portal", bare(n)), name),
)


def begun(
    declared: tuple[str, str], prepared: tuple[tuple[str, str], tuple[str, str]], held: bool, steps: list[Step]
) -> list[Step]:
    """Both names stand for something already: in a transaction with a savepoint, or with cursors that are held."""
    opening = [] if held else ["BEGIN"]
    for each, rows, (types, text) in zip(NAMES, declared, prepared, strict=True):
        opening.append(f"DECLARE {each} SCROLL CURSOR {'WITH HOLD' if held else ''} FOR {rows}")
        opening.append(f"PREPARE {each} {types} AS {text}")
    return [*(Step("query", text) for text in [*opening, "SAVEPOINT a"]), *steps]


conversation = st.builds(
    begun,
    st.tuples(plain_query, plain_query),
    st.tuples(typed, typed),
    st.booleans(),
    st.lists(step, min_size=2, max_size=12),
)


def answers(side: Side, each: Step) -> list[object]:
    raw = side.connection.pgconn
    form = pq.Format.BINARY if each.binary else pq.Format.TEXT
    match each.how:
        case "query":
            raw.send_query(each.text.encode())
        case "params":
            raw.send_query_params(each.text.encode(), [], result_format=form)
        case "prepare":
            given_name, query = each.text.split("|")
            raw.send_prepare(given_name.encode(), query.encode())
        case "run":
            values = [None if value is None else value.encode() for value in each.values]
            raw.send_query_prepared(each.text.encode(), values, result_format=form)
        case "describe statement":
            raw.send_describe_prepared(each.text.encode())
        case "describe portal":
            raw.send_describe_portal(each.text.encode())
    found: list[object] = []
    while (result := raw.get_result()) is not None:
        found.append(told(result))
    return [*found, raw.transaction_status]


# Of several values that do not fit, the server and the proxy may meet different ones first.
UNFIT = (b"22P02", b"22007", b"22008", b"42804", b"22001", b"22003")


def told(result: pq.abc.PGresult) -> tuple[object, ...]:
    """Everything but tables' OIDs and the words of an error, which may be withheld."""
    code = result.error_field(pq.DiagnosticField.SQLSTATE)
    code = b"unfit" if code in UNFIT else code
    columns = [(result.fname(i), result.ftype(i), result.fmod(i), result.fformat(i)) for i in range(result.nfields)]
    rows = [[result.get_value(row, i) for i in range(result.nfields)] for row in range(result.ntuples)]
    parameters = [result.param_type(i) for i in range(result.nparams)]
    return pq.ExecStatus(result.status).name, result.command_status, code, columns, parameters, rows


@pytest.fixture(scope="module")
def sides(stage: Stage) -> Iterator[tuple[Side, Side]]:
    with both(stage) as made:
        yield made


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=conversation)
def test_a_random_conversation_is_postgresqls_own(sides: tuple[Side, Side], steps: list[Step]) -> None:
    try:
        for number, each in enumerate(steps):
            sealed, plain = (answers(side, each) for side in sides)
            assert sealed == plain, steps[: number + 1]
    finally:
        for side in sides:
            for end in ("ROLLBACK", "CLOSE ALL", "DEALLOCATE ALL"):
                side.connection.pgconn.exec_(end.encode())
