"""Values that the proxy works out of opened cells, in conversations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policies.fields import LogicalType
from proxy.rows.finishing.arranging import FinishBounds
from proxy.sql.arrangement import Arrangement, Fold, FoldKind, SortKey
from proxy.sql.computation import Call, Casing, CellLeaf, CellPlace, Computation, GivenLeaf, Operation
from proxy.sql.plan import OutputAction, OutputColumn, SessionEffect, Slot, SlotKind, StatementPlan, ValueSource
from proxy.wire import backend
from proxy.wire.framing import HEADER_SIZE

from .talk import (
    BOUND,
    CUSTOMERS_OID,
    EMAIL,
    PARSED,
    PASS_ID,
    SELECT_EMAIL,
    SYNC,
    Talk,
    bind,
    cell,
    columns,
    describe,
    done,
    error_of,
    execute,
    failed,
    hex_cell,
    parse,
    query,
    ready,
    row,
    running,
    tags,
)  # fmt: skip

TEXT, INT4 = LogicalType.TEXT, LogicalType.INT4
LEAF = CellLeaf(0, TEXT)
PLACE = CellPlace(EMAIL, 1, CUSTOMERS_OID, 2)
MARKED = Casing({ord("A"): "a"}, {ord("a"): "A"}, frozenset("Σ"))
GIVEN = GivenLeaf(ValueSource(parameter=1), TEXT)


def computing(operation: Operation, *more: GivenLeaf, oid: int = 25, casing: Casing | None = None) -> StatementPlan:
    logical = INT4 if oid == 23 else TEXT
    made = Computation(Call(operation, (LEAF, *more), casing=casing), (PLACE,), (), logical, oid)
    output = OutputColumn("made", OutputAction.COMPUTE, type_oid=oid, computation=made)
    return replace(SELECT_EMAIL, outputs=(PASS_ID, output))


LENGTH = computing(Operation.LENGTH, oid=23)
LOWER = computing(Operation.LOWER, casing=MARKED)
COALESCE = replace(
    computing(Operation.COALESCE, GIVEN),
    segments=(b"select id, email, ", 0, b"::text"),
    slots=(Slot(SlotKind.COUNT, ValueSource(parameter=1)),),
    client_parameters=1,
    parameter_types=((1, 25),),
    hidden_outputs=1,
)
PLANS = {"length": LENGTH, "lower": LOWER, "coalesce": COALESCE}
TWO = columns(("id", 20, CUSTOMERS_OID, 1), ("made", 17, CUSTOMERS_OID, 2))
THREE = columns(("id", 20, CUSTOMERS_OID, 1), ("made", 17, CUSTOMERS_OID, 2), ("text", 25, 0, 0))


def talk(**more: object) -> Talk:
    made = Talk(**more)  # type: ignore[arg-type]
    made.planner.plans |= PLANS
    return made


def rows_of(told: list[bytes]) -> list[tuple[bytes | None, ...]]:
    return [tuple(backend.parse_data_row(each[HEADER_SIZE:])) for each in told if each[:1] == b"D"]


@pytest.mark.parametrize("split", [False, True])
def test_a_simple_query(split: bool) -> None:
    made = talk(split=split)
    made.client(query("length"))
    told = made.server(TWO, row(b"1", hex_cell("Зоя".encode())), row(b"2", None), done("SELECT 2"), ready())
    assert tags(told) == "TDDCZ"
    fields = backend.parse_row_description(told[0][HEADER_SIZE:])
    assert [(f.type_oid, f.type_size, f.table_oid, f.attnum) for f in fields] == [
        (20, -1, CUSTOMERS_OID, 1),
        (23, 4, 0, 0),
    ]
    assert rows_of(told) == [(b"1", b"3"), (b"2", None)]


def test_described_before_it_is_bound_and_answered_in_binary() -> None:
    made = talk()
    made.client(parse("length", b"s"), describe(b"S", b"s"), SYNC)
    told = made.server(PARSED, b"t\0\0\0\x06\0\0", TWO, ready())
    assert backend.parse_row_description(told[2][HEADER_SIZE:])[1].type_oid == 23
    made.client(bind(name=b"s", results=(1,)), execute(), SYNC)
    told = made.server(BOUND, row(b"\0" * 8, cell(b"ann")), done(), ready())
    assert rows_of(told) == [(b"\0" * 8, b"\0\0\0\x03")]


def test_each_execution_has_its_own_parameter() -> None:
    made = talk()
    made.client(parse("coalesce", b"s"), describe(b"S", b"s"), SYNC)
    told = made.server(PARSED, backend.build_parameter_description((25,)), THREE, ready())
    assert backend.parse_parameter_description(told[1][HEADER_SIZE:]) == (25,)
    for value in (b"first", b"second", None):
        sent = made.client(bind(value, name=b"s"), execute(), SYNC)
        assert value is None or not any(value in each for each in sent)
        told = made.server(BOUND, row(b"1", None, None), row(b"2", cell(b"ann"), None), done("SELECT 2"), ready())
        assert rows_of(told) == [(b"1", value), (b"2", b"ann")]


def test_without_a_description_the_proxy_asks_for_one() -> None:
    made = talk()
    sent = made.client(parse("coalesce"), bind(b"x"), execute(), SYNC)
    assert tags(sent) == "PBDES"
    told = made.server(PARSED, BOUND, THREE, row(b"1", None, None), done(), ready())
    assert (tags(told), rows_of(told)) == ("12DCZ", [(b"1", b"x")])


def test_a_cell_of_another_origin_is_not_opened() -> None:
    made = talk()
    made.client(query("length"))
    told = made.server(columns(("id", 20, CUSTOMERS_OID, 1), ("made", 17, CUSTOMERS_OID, 7)), row(b"1", hex_cell(b"x")),
                       done(), ready())  # fmt: skip
    assert tags(told) == "EZ"
    assert error_of(told[0])[b"C"] == b"XX001"


def test_a_value_that_is_not_certain_fails_the_statement() -> None:
    made = talk()
    made.client(query("lower"))
    told = made.server(TWO, row(b"1", hex_cell(b"AB")), row(b"2", hex_cell("ΑΣ".encode())), done("SELECT 2"), ready())
    assert tags(told) == "TDEZ"
    assert rows_of(told) == [(b"1", b"aB")]
    assert error_of(told[2])[b"C"] == b"0A000"


def test_it_is_recorded_like_reading() -> None:
    made = talk()
    made.client(query("length"))
    [record] = made.records
    assert (record["decision"], record["fields"]) == ("allow", {EMAIL.name: ["read"]})


def test_not_run_by_name_in_sql() -> None:
    made = talk()
    made.planner.plans["execute l"] = running("execute l", SessionEffect.RUNS_STATEMENT, "l")
    made.client(parse("length", b"l"), SYNC)
    made.server(PARSED, ready())
    made.client(query("execute l"))
    assert made.records[-1]["decision"] == "deny"


# -- in order --

ORDERED = replace(
    SELECT_EMAIL,
    arranged=Arrangement(
        (SortKey(True, True, Computation(LEAF, (PLACE,), (), TEXT, 25)),),
        limit=ValueSource(parameter=1),
        offset=ValueSource(constant=b"1"),
    ),
    segments=(b"select id, email limit ", 0, b"::int8"),
    slots=(Slot(SlotKind.COUNT, ValueSource(parameter=1)),),
    client_parameters=1,
    parameter_types=((1, 20),),
)
ALL_ORDERED = replace(
    SELECT_EMAIL, arranged=Arrangement((SortKey(False, False, Computation(LEAF, (PLACE,), (), TEXT, 25)),))
)
NAMED = columns(("id", 20, CUSTOMERS_OID, 1), ("email", 17, CUSTOMERS_OID, 2))


UNSHOWN = replace(ALL_ORDERED, outputs=(PASS_ID,), hidden_outputs=1)


def ordering(**more: object) -> Talk:
    made = Talk(**more)  # type: ignore[arg-type]
    made.planner.plans |= {"ordered": ORDERED, "all": ALL_ORDERED, "unshown": UNSHOWN}
    return made


@pytest.mark.parametrize("split", [False, True])
def test_rows_wait_for_the_last(split: bool) -> None:
    made = ordering(split=split)
    made.client(query("all"))
    told = made.server(NAMED, row(b"1", hex_cell(b"b")), row(b"2", None), row(b"3", hex_cell(b"a")))
    assert tags(told) == "T"
    told = made.server(row(b"4", hex_cell("ä".encode())), done("SELECT 4"), ready())
    assert tags(told) == "DDDDCZ"
    assert [each[0] for each in rows_of(told)] == [b"3", b"1", b"4", b"2"]
    assert told[4] == done("SELECT 4")


@pytest.mark.parametrize("described", [False, True])
@pytest.mark.parametrize("binary", [False, True])
def test_a_key_that_is_not_shown(described: bool, binary: bool) -> None:
    made = ordering()
    asks = (describe(b"P"),) if described else ()
    sent = made.client(parse("unshown"), bind(results=(int(binary),)), *asks, execute(), SYNC)
    assert tags(sent) == "PBDES"
    told = made.server(PARSED, BOUND, NAMED, row(b"1", cell(b"b")), row(b"2", cell(b"a")), done("SELECT 2"), ready())
    assert tags(told) == ("12TDDCZ" if described else "12DDCZ")
    assert rows_of(told) == [(b"2",), (b"1",)]
    if described:
        assert [f.format for f in backend.parse_row_description(told[2][HEADER_SIZE:])] == [int(binary)]


def test_limit_and_offset_are_bound_and_count_ordered_rows() -> None:
    made = ordering()
    made.client(parse("ordered", b"s"), describe(b"S", b"s"), SYNC)
    made.server(PARSED, backend.build_parameter_description((20,)), NAMED, ready())
    for limit, expected in ((b"1", [b"1"]), (b"2", [b"1", b"3"]), (b"0", []), (None, [b"1", b"3"])):
        made.client(bind(limit, name=b"s"), execute(), SYNC)
        rows = row(b"1", cell(b"m")), row(b"2", cell(b"z")), row(b"3", cell(b"b"))
        told = made.server(BOUND, *rows, done("SELECT 3"), ready())
        assert [each[0] for each in rows_of(told)] == expected
        assert told[-2] == done(f"SELECT {len(expected)}")
    sent = made.client(bind(b"-1", name=b"s"), execute(), SYNC)
    assert b"fieldgate refused this Bind" in sent[0]


def test_an_execute_with_a_number_suspends_and_is_not_repeated() -> None:
    made = ordering()
    made.client(parse("all", b"s"), describe(b"S", b"s"), SYNC)
    made.server(PARSED, b"t\0\0\0\x06\0\0", NAMED, ready())
    sent = made.client(bind(name=b"s"), execute(rows=2), execute(rows=2), SYNC)
    assert sent[1] == execute()
    told = made.server(BOUND, row(b"1", cell(b"m")), row(b"2", cell(b"z")), row(b"3", cell(b"b")), done("SELECT 3"))
    assert (tags(told), [each[0] for each in rows_of(told)]) == ("2DDs", [b"3", b"1"])
    told = made.server(failed(b"34000"), ready())
    assert error_of(told[0])[b"C"] == b"0A000"


def test_no_rows() -> None:
    made = ordering()
    made.client(query("all"))
    assert tags(made.server(NAMED, done("SELECT 0"), ready())) == "TCZ"


@pytest.mark.parametrize(("status", "severity"), [(b"I", b"ERROR"), (b"T", b"FATAL")])
def test_too_many_rows(status: bytes, severity: bytes) -> None:
    """In a transaction the server would go on as if all were well, so the session ends."""
    made = ordering()
    made.conversation._state.services = replace(made.conversation._state.services, bounds=lambda: FinishBounds(rows=2))
    made.client(query("begin"))
    made.server(done("BEGIN"), ready(status))
    made.client(query("all"))
    told = made.server(NAMED, *(row(b"%d" % n, hex_cell(b"x")) for n in range(3)), done("SELECT 3"), ready(status))
    assert rows_of(told) == []
    error = error_of(next(each for each in told if each[:1] == b"E"))
    assert (error[b"C"], error[b"S"]) == (b"54000", severity)
    assert b"limits.finish_rows" in error[b"H"]


def test_a_cell_that_can_not_be_opened_shows_no_row() -> None:
    made = ordering()
    made.client(query("all"))
    told = made.server(NAMED, row(b"1", hex_cell(b"x")), row(b"2", b"\\x00"), done("SELECT 2"), ready())
    assert tags(told) == "TEZ"


def test_the_usual_round_is_no_shortcut_for_it() -> None:
    made = ordering()
    made.client(parse("all", b"s"), describe(b"S", b"s"), SYNC)
    made.server(PARSED, b"t\0\0\0\x06\0\0", NAMED, ready())
    made.client(bind(name=b"s", results=()), execute(), SYNC)
    told = made.server(BOUND, row(b"1", cell(b"m")), row(b"2", cell(b"b")), done("SELECT 2"), ready())
    assert [each[0] for each in rows_of(told)] == [b"2", b"1"]


def test_rows_that_are_equal_are_shown_once() -> None:
    made = ordering()
    key = SortKey(False, False, Computation(LEAF, (PLACE,), (), TEXT, 25))
    made.planner.plans["apart"] = replace(SELECT_EMAIL, arranged=Arrangement((), (key,)))
    made.client(query("apart"))
    told = made.server(
        NAMED,
        *(
            row(b"%d" % n, value)
            for n, value in enumerate((hex_cell(b"a"), None, hex_cell(b"b"), hex_cell(b"a"), None))
        ),
        done("SELECT 5"),
        ready(),
    )
    assert [each[0] for each in rows_of(told)] == [b"0", b"1", b"2"]
    assert told[-2] == done("SELECT 3")


FOLDED = replace(
    SELECT_EMAIL,
    outputs=(
        OutputColumn("count", OutputAction.PASS),
        OutputColumn("max", OutputAction.COMPUTE, type_oid=25, computation=Computation(LEAF, (PLACE,), (), TEXT, 25)),
    ),
    arranged=Arrangement(
        (), folds=(Fold(FoldKind.ROWS), Fold(FoldKind.MAX, Computation(LEAF, (PLACE,), (), TEXT, 25)))
    ),
)
FOLDED_COLUMNS = columns(("count", 20, 0, 0), ("max", 17, CUSTOMERS_OID, 2))


def test_all_rows_become_one() -> None:
    made = ordering()
    made.planner.plans["folded"] = FOLDED
    made.client(query("folded"))
    told = made.server(
        FOLDED_COLUMNS, row(None, hex_cell(b"a")), row(None, hex_cell(b"c")), row(None, None), done("SELECT 3"), ready()
    )
    assert (tags(told), rows_of(told), told[-2]) == ("TDCZ", [(b"3", b"c")], done("SELECT 1"))


def test_of_no_rows_there_is_one_too() -> None:
    made = ordering()
    made.planner.plans["folded"] = FOLDED
    made.client(query("folded"))
    assert rows_of(made.server(FOLDED_COLUMNS, done("SELECT 0"), ready())) == [(b"0", None)]
    made.client(parse("folded", b"s"), bind(name=b"s", results=(1,)), execute(), SYNC)
    told = made.server(PARSED, BOUND, FOLDED_COLUMNS, done("SELECT 0"), ready())
    assert (tags(told), rows_of(told)) == ("12DCZ", [(bytes(8), None)])
