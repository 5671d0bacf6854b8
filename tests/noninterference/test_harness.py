"""I3, bounded: what is hidden leaves no trace in some hundred statements of each seat; the long run is `make fuzz`."""

from __future__ import annotations

import pytest

from .compare import difference, state
from .episodes import Manner, one
from .grammar.statements import episode
from .harness import Bench, Counts
from .hidden import other_world, rights_of
from .place import Place
from .rows import OWN, base
from .seats import BY_NAME, SEATS, Seat, policy
from .shrink import smaller
from .talk import Answer

pytestmark = pytest.mark.integration

EACH = 150  # statements of each seat
ANSWERED = 0.4


def test_what_is_hidden_leaves_no_trace(place: Place) -> None:
    counts, found = Counts(), []
    for seat in SEATS:
        bench, own = Bench(place, seat), Counts()
        found += [str(finding) for finding in bench.run("bounded", range(EACH), own)]
        bench.close()
        assert own.share >= ANSWERED, f"too little of {seat.name}'s is answered: {own.share:.0%}"
        counts.merge(own)
    assert found == []
    assert counts.total == EACH * len(SEATS)
    assert counts.share >= ANSWERED


@pytest.mark.parametrize("seat", SEATS, ids=lambda seat: seat.name)
def test_what_may_be_read_is_the_same_in_both_worlds(seat: Seat) -> None:
    one_world, other = base(), other_world(seat)
    hidden = 0
    for name, table in one_world.items():
        rights, subject = rights_of(seat, name), policy().data_map.tables["public", name].subject
        mine, theirs = table.rows, other[name].rows
        if rights.row_filter is not None and subject is not None:
            at = table.at(subject)
            hidden += mine != theirs
            mine, theirs = [row for row in mine if row[at] == OWN], [row for row in theirs if row[at] == OWN]
        for at, column in enumerate(table.columns):
            if rights.countable and "READ" in str(rights.fields[column].verbs):
                assert [row[at] for row in mine] == [row[at] for row in theirs], f"{name}.{column}"
            else:
                hidden += mine != theirs
    assert hidden


def test_the_same_seed_says_the_same() -> None:
    seat = BY_NAME["support"]
    assert [episode(seat, "s", n) for n in range(40)] == [episode(seat, "s", n) for n in range(40)]
    assert episode(seat, "s", 1) != episode(seat, "another", 1)


def test_every_manner_is_used() -> None:
    assert {episode(BY_NAME["hr"], "s", n).manner for n in range(3)} == set(Manner)


def test_a_difference_is_told_without_its_values() -> None:
    said = one("query", "SELECT 1")
    answers = [
        Answer(((("D", b"\0\1\0\0\0\6" + value), ("C", b"SELECT 1\0"), ("Z", b"I")),))
        for value in (b"hidden", b"masked")
    ]
    what = difference(said, *answers)
    assert what == "step 1: rows, in column 1"
    assert difference(said, answers[0], answers[0]) == ""


def test_the_order_of_unordered_rows_is_no_difference() -> None:
    rows = [("D", b"\0\1\0\0\0\1a"), ("D", b"\0\1\0\0\0\1b")]
    end = [("C", b"SELECT 2\0"), ("Z", b"I")]
    answers = Answer((tuple(rows + end),)), Answer((tuple(rows[::-1] + end),))
    assert difference(one("query", "SELECT 1"), *answers) == ""
    assert difference(one("query", "SELECT 1", exact=True), *answers) != ""


def test_the_order_of_rows_that_are_copied_is_no_difference() -> None:
    header = b"PGCOPY\n\xff\r\n\0" + bytes(8)
    rows = [b"\0\1\0\0\0\1a", b"\0\1\0\0\0\1b"]
    told = [
        Answer(((("d", header + first), ("d", second), ("d", b"\xff\xff"), ("C", b"COPY 2\0"), ("Z", b"I")),))
        for first, second in (rows, rows[::-1], rows[:1] * 2)
    ]
    said = one("query", "COPY (SELECT 1) TO STDOUT (FORMAT binary)")
    assert difference(said, told[0], told[1]) == ""
    assert difference(said, told[0], told[2]) == "step 1: a message d"


def test_the_order_of_rows_that_come_in_parts_is_no_difference() -> None:
    rows = [("D", b"\0\1\0\0\0\1" + value) for value in (b"a", b"b", b"c")]
    told = [
        Answer(((first, second, ("s", b""), third, ("C", b"SELECT 1\0"), ("Z", b"I")),))
        for first, second, third in (rows, rows[::-1], (rows[0], rows[1], rows[1]))
    ]
    assert difference(one("portal", "SELECT 1"), told[0], told[1]) == ""
    assert difference(one("portal", "SELECT 1", exact=True), told[0], told[1]) != ""
    assert difference(one("portal", "SELECT 1"), told[0], told[2]) == "step 1: rows, in column 1"


def test_a_statement_is_made_smaller() -> None:
    text = "SELECT a, b, city FROM customers WHERE id > 3 ORDER BY a"
    assert smaller(text, lambda tried: "city" in tried and "FROM" in tried) == "city FROM"


SORTED_BY = (
    "registered_at < '2024-05-05'", "registered_at = '2024-05-05', id", "extract(day FROM registered_at)",
    "1 / (extract(day FROM registered_at) - 5)", "registered_at::date", "registered_at::text", "registered_at IS NULL",
    "CASE WHEN registered_at < '2024-05-05' THEN 1 END", "id, greatest(registered_at, '2024-05-05')",
    "(SELECT registered_at)", "EXISTS (SELECT FROM notes WHERE at < registered_at)", "ROW(registered_at, id)",
)  # fmt: skip
WINDOWS = (
    "rank() OVER (ORDER BY registered_at = '2024-05-05')",
    "ntile(2) OVER (ORDER BY registered_at::date)",
    "count(*) OVER (ORDER BY registered_at RANGE BETWEEN '1 day' PRECEDING AND '1 day' FOLLOWING)",
    "count(*) OVER (ORDER BY registered_at RANGE '1 day' PRECEDING)",
    "count(*) OVER w FROM customers WINDOW w AS (ORDER BY registered_at RANGE '1 day' PRECEDING)",
    "count(*) OVER (w RANGE '1 day' PRECEDING) FROM customers WINDOW w AS (ORDER BY registered_at)",
    "count(*) OVER v FROM customers WINDOW w AS (ORDER BY registered_at), v AS (w RANGE '1 day' PRECEDING)",
)


def test_a_right_to_sort_is_one_to_sort_by_the_column_as_it_is(place: Place) -> None:
    """By what is made of it one finds the rows that are equal to a constant, and how far apart two of them are."""
    bench = Bench(place, BY_NAME["apart"])
    refused = [
        *(f"SELECT id FROM customers ORDER BY {key}" for key in SORTED_BY),
        *(f"SELECT id, {window}{'' if 'FROM' in window else ' FROM customers'}" for window in WINDOWS),
        "SELECT id FROM orders ORDER BY length(delivery_address)",
        "SELECT id FROM orders ORDER BY strpos(delivery_address, 'a'), id",
    ]
    allowed = (
        "SELECT id FROM customers ORDER BY registered_at",
        "SELECT id FROM orders ORDER BY delivery_address",
        "SELECT id, rank() OVER w FROM customers WINDOW w AS (ORDER BY registered_at)",
    )
    answers = bench.table.ask([one("query", text) for text in (*refused, *allowed)])
    bench.close()
    assert [state(answer, 0) for answer, _ in answers] == ["42501"] * len(refused) + [""] * len(allowed)


@pytest.mark.parametrize("called", ["percentile_disc(0.5)", "percentile_cont(0.5)", "mode()"])
def test_a_right_to_sort_shows_no_value(place: Place, called: str) -> None:
    """Ordered-set aggregates return what they sort."""
    bench = Bench(place, BY_NAME["apart"])
    column = "registered_at" if called != "percentile_cont(0.5)" else "extract(day FROM registered_at)"
    asked = one("query", f"SELECT {called} WITHIN GROUP (ORDER BY {column}) FROM customers")
    ((answer, _),) = bench.table.ask([asked])
    bench.close()
    assert state(answer, 0) == "42501"
