"""Everything in one write and Terminate at its end: the answers are those of the server, and so is the end."""

from __future__ import annotations

import pytest

from proxy.wire.backend import parse_data_row
from proxy.wire.frontend import FLUSH, TERMINATE, build_copy_data
from tests.session.talk import SYNC, bind, describe, execute, parse, query

from .line import Heard, states, tags
from .twin import Sides

pytestmark = pytest.mark.integration

READ = "SELECT id, email FROM public.customers WHERE id < 4 ORDER BY id"
WRITE = "UPDATE public.employees SET birth_date = '03/04/2000' WHERE id = 2"
CONVERSATIONS = {
    "nothing": [],
    "queries": [query(READ), query("SELECT 1/0"), query(READ)],
    "batches": [parse(READ), bind(), describe(b"P"), execute(), SYNC, parse("SELECT 2"), bind(), execute(), SYNC],
    "a batch without its sync": [parse(READ), bind(), execute()],
    "a failed batch without its sync": [parse("SELECT nope"), bind(), execute(), FLUSH],
    "what waits for an answer": [query("SET datestyle = 'SQL, DMY'"), query(WRITE), query(READ)],
    "an open transaction": [query("BEGIN"), query(WRITE)],
    "a long result": [query("SELECT c.email FROM public.customers c, generate_series(1, 200) g ORDER BY g, c.id")],
    "in the middle of a COPY": [
        query("CREATE TEMP TABLE notes (a int4)"),
        query("COPY notes FROM STDIN"),
        build_copy_data(b"1\n"),
    ],
}


@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("size", [0, 1], ids=["whole", "byte by byte"])
def test_what_is_owed_before_goodbye_is_told(sides: Sides, name: str, size: int) -> None:
    told = []
    data = b"".join([*CONVERSATIONS[name], TERMINATE])
    for line in sides.lines():
        with line:
            line.send(data, pieces=[size] * len(data) if size else ())
            told.append(shown(line.to_the_end()))
    assert told[1] == told[0]


def test_what_came_before_goodbye_is_done_too(sides: Sides) -> None:
    for line in sides.lines():
        with line:
            line.send(query("SET datestyle = 'SQL, DMY'"), query(WRITE), TERMINATE)
            line.to_the_end()
    direct, proxied = sides.lines()
    with direct, proxied:
        question = "SELECT birth_date FROM public.employees WHERE id = 2"
        assert proxied.rows(question) == direct.rows(question) == [(b"2000-04-03",)]


def shown(heard: list[Heard]) -> tuple[object, ...]:
    return tags(heard), states(heard), [parse_data_row(body) for tag, body in heard if tag == "D"]
