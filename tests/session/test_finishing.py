"""Values that the proxy works out of opened cells, in conversations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policies.fields import LogicalType
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
