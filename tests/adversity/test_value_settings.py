"""Dates under a DateStyle that has just changed: what is stored and shown is what the server itself stores and shows.

The same messages go to the server directly, on plain columns.  Where Fieldgate cannot know the setting it refuses, and
then nothing is stored; it never stores another date.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxy.wire import backend
from tests.session.talk import SYNC, bind, execute, parse, query

from .line import Heard, Line, states, tags
from .twin import Sides

pytestmark = pytest.mark.integration

DMY = "SET datestyle = 'SQL, DMY'"
WRITE = "UPDATE public.employees SET birth_date = '01/02/2000' WHERE id = 1"
WRITE_BOUND = "UPDATE public.employees SET birth_date = $1 WHERE id = 1"
READ = "SELECT birth_date FROM public.employees WHERE id = 1"
SHIFT = "SELECT set_config('DateStyle', 'German', false)"
NO_DAY = "UPDATE public.employees SET birth_date = '1999-12-31' WHERE id = 1"


def extended(sql: str, *values: bytes) -> bytes:
    return b"".join([parse(sql), bind(*values), execute()])


def whole(sql: str, *values: bytes) -> bytes:
    return extended(sql, *values) + SYNC


# Messages, how many ReadyForQuery they are owed, and what comes of it here: "same", or the SQLSTATE of our refusal.
CONVERSATIONS = {
    "a query of its own": ([query(DMY), query(WRITE), query(READ)], 3, "same"),
    "by function": ([query(SHIFT), query(READ), query("SET datestyle = 'ISO, DMY'"), query(WRITE)], 4, "same"),
    "pipelined": ([whole(DMY), whole(WRITE_BOUND, b"01/02/2000"), whole(READ)], 3, "same"),
    "constants, pipelined": ([whole(DMY), whole(WRITE), whole(READ)], 3, "same"),
    "taken back": ([query("BEGIN"), query(DMY), query(WRITE), query("ROLLBACK"), query(WRITE), query(READ)], 6, "same"),
    "local": ([query("BEGIN; SET LOCAL datestyle = 'SQL, DMY'"), query("COMMIT"), query(WRITE)], 3, "same"),
    "failed": ([query("BEGIN"), query(DMY), query("SELECT 1/0"), query("ROLLBACK"), whole(WRITE)], 5, "same"),
    "reset": ([query(DMY), query("RESET ALL"), query(WRITE), query("DISCARD ALL"), query(READ)], 5, "same"),
    "parsed before": ([parse(WRITE, b"w"), SYNC, query(DMY), bind(name=b"w"), execute(), SYNC], 3, "same"),
    "read in one query": ([query(f"{DMY}; {READ}")], 1, "0A000"),
    "written in one query": ([query(f"{DMY}; {WRITE}")], 1, "0A000"),
    "written in one batch": ([extended(DMY), whole(WRITE_BOUND, b"01/02/2000")], 1, "0A000"),
    "parsed in one batch": ([extended(DMY), whole(WRITE)], 1, "0A000"),
    "read in one batch": ([extended(DMY), whole(READ)], 1, "0A000"),
    "end and write": ([query("BEGIN"), query(DMY), query(f"ROLLBACK; {WRITE}")], 3, "0A000"),
}


@pytest.fixture
def lines(sides: Sides) -> Iterator[tuple[Line, Line]]:
    direct, proxied = sides.lines()
    with direct, proxied:
        yield direct, proxied


@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("size", [0, 1], ids=["whole", "byte by byte"])
def test_a_date_is_read_and_shown_as_by_the_server(lines: tuple[Line, Line], name: str, size: int) -> None:
    messages, answers, outcome = CONVERSATIONS[name]
    direct, proxied = lines
    data = b"".join(messages)
    told = []
    for line in (direct, proxied):
        line.talk(query(NO_DAY))
        line.send(data, pieces=[size] * len(data) if size else ())
        told.append(line.until("Z", answers))
        line.talk(query("ROLLBACK"))
        line.talk(query("SET datestyle = 'ISO, MDY'"))
    stored = [line.rows(READ) for line in (direct, proxied)]
    if outcome == "same":
        assert shown(told[1]) == shown(told[0])
        assert stored[1] == stored[0]
    else:
        assert states(told[1]) == [outcome]
        assert stored[1] == [(b"1999-12-31",)]


def shown(heard: list[Heard]) -> tuple[object, ...]:
    rows = [backend.parse_data_row(body) for tag, body in heard if tag == "D"]
    return tags(heard), states(heard), rows
