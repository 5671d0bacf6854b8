"""COPY of a protected table to the client: one CopyData is one row, opened on its way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.session.commands import CloseBoth
from proxy.sql.plan import StatementPlan
from proxy.wire import backend, frontend
from proxy.wire.copying.binary_rows import HEADER, TRAILER, build_row
from proxy.wire.copying.options import CopyHeader
from proxy.wire.framing import message

from .copy_plans import BINARY, CSV, copy_out_plan
from .talk import (
    BOUND,
    CLOSED,
    NO_DATA,
    PARSED,
    SYNC,
    PlainCiphers,
    Talk,
    bind,
    cell,
    describe,
    done,
    error_of,
    execute,
    failed,
    hex_cell,
    parse,
    query,
    ready,
    tags,
)

COPY = "copy customers to stdout"
OUT = backend.build_copy_response(b"H", 0, (0, 0))
END = message(b"c", b"")


def data(row: bytes) -> bytes:
    return frontend.build_copy_data(row)


def text(*fields: bytes) -> bytes:
    return data(b"\t".join(fields) + b"\n")


def sealed(value: bytes) -> bytes:
    return b"\\" + hex_cell(value)  # text doubles the backslash


def escaped(value: bytes) -> bytes:
    """bytea_output = escape, in text."""
    return b"".join(bytes((b,)) if 32 <= b < 127 else b"\\\\%03o" % b for b in value)


def talking(plan: StatementPlan | None = None, *, split: bool = False, **more: object) -> Talk:
    talk = Talk(split=split, **more)  # type: ignore[arg-type]
    talk.planner.plans[COPY] = plan or copy_out_plan()
    return talk


@pytest.mark.parametrize("split", [False, True])
def test_cells_are_opened_and_the_rest_is_the_servers_own(split: bool) -> None:
    talk = talking(split=split)
    assert talk.client(query(COPY)) == [query("copy (...)")]
    answer = [OUT, text(b"7", sealed(b"a\tb\\c")), text(b"\\N", b"\\N"), text(b"x\\ty", sealed(b"")), END]
    told = talk.server(*answer, done("COPY 3"), ready())
    assert told == [
        OUT,
        text(b"7", b"a\\tb\\\\c"),
        text(b"\\N", b"\\N"),
        text(b"x\\ty", b""),
        END,
        done("COPY 3"),
        ready(),
    ]
    assert talk.conversation.idle
    assert [r["decision"] for r in talk.records] == ["allow"]
    assert talk.records[0]["kind"] == "copy"


def test_csv_quotes_what_needs_it_and_leaves_the_header() -> None:
    talk = talking(copy_out_plan(replace(CSV, header=CopyHeader.LINE, force_quote=frozenset())))
    talk.client(query(COPY))
    rows = [data(b"id,email\n"), data(b'"7,""8",' + hex_cell(b'x"y,z') + b"\n"), data(b'"7\n8",\n')]
    told = talk.server(OUT, *rows, data(b"9," + hex_cell(b"") + b"\n"), END, done("COPY 3"), ready())
    assert told[1:5] == [rows[0], data(b'"7,""8","x""y,z"\n'), rows[2], data(b'9,""\n')]


def test_the_escape_form_of_bytea_is_read_too() -> None:
    talk = talking()
    talk.client(query(COPY))
    assert talk.server(OUT, text(b"7", escaped(cell(b"ivan"))))[1:] == [text(b"7", b"ivan")]


@pytest.mark.parametrize("with_header", [False, True], ids=["header alone", "header with the first row"])
def test_binary(with_header: bool) -> None:
    talk = talking(copy_out_plan(BINARY))
    talk.client(query(COPY))
    row, opened = build_row([b"7", cell(b"ivan")]), build_row([b"7", b"ivan"])
    first = [data(HEADER + row)] if with_header else [data(HEADER), data(row)]
    answer = [backend.build_copy_response(b"H", 1, (1, 1)), *first, data(build_row([b"8", None])), data(TRAILER), END]
    told = talk.server(*answer, done("COPY 2"), ready())
    assert told[1:5] == [data(HEADER), data(opened), data(build_row([b"8", None])), data(TRAILER)]


@pytest.mark.parametrize("options", [None, CSV, BINARY], ids=["text", "csv", "binary"])
def test_the_hidden_key_is_stripped(options: object) -> None:
    plan = copy_out_plan(options, hidden=True) if options is not None else copy_out_plan(hidden=True)  # type: ignore[arg-type]
    talk = talking(plan)
    talk.client(query(COPY))
    if options is BINARY:
        rows = [data(HEADER + build_row([cell(b"ivan"), b"\0" * 7 + b"\7"]))]
        wanted = [data(HEADER), data(build_row([b"ivan"]))]
    elif options is CSV:
        rows, wanted = [data(hex_cell(b"\\.") + b",7\n")], [data(b'"\\."\n')]
    else:
        rows, wanted = [text(sealed(b"ivan"), b"7")], [text(b"ivan")]
    code = int(options is BINARY)
    told = talk.server(backend.build_copy_response(b"H", code, (code, code)), *rows)
    assert told == [backend.build_copy_response(b"H", code, (code,)), *wanted]


def test_nothing_is_told_before_the_record_is_durable() -> None:
    talk = talking(durable_at_once=False)
    talk.client(query(COPY))
    assert talk.server(OUT, text(b"7", sealed(b"ivan")), END, done("COPY 1"), ready()) == []
    talk.conversation.audit_durable(talk.tickets[0])
    assert tags(talk.told()) == "HdcCZ"


@pytest.mark.parametrize("options", [None, BINARY], ids=["text", "binary"])
def test_a_cell_that_cannot_be_opened_ends_the_statement_behind_the_rows_before_it(options: object) -> None:
    talk = talking(copy_out_plan(options) if options is not None else None)  # type: ignore[arg-type]
    talk.client(query(COPY))
    if options is BINARY:
        rows = [
            data(HEADER + build_row([b"7", cell(b"x")])),
            data(build_row([b"8", b"rubbish"])),
            data(build_row([b"9", cell(b"y")])),
        ]
        out = backend.build_copy_response(b"H", 1, (1, 1))
    else:
        rows, out = [text(b"7", sealed(b"x")), text(b"8", b"\\\\x00"), text(b"9", sealed(b"y"))], OUT
    told = talk.server(out, *rows, END, done("COPY 3"), ready())
    assert tags(told) == ("HddEZ" if options is BINARY else "HdEZ")
    assert error_of(told[-2])[b"C"] == b"XX001"
    assert b"rubbish" not in b"".join(told)


def test_in_a_transaction_it_ends_the_session() -> None:
    talk = talking()
    talk.client(query("begin"))
    talk.server(done("BEGIN"), ready(b"T"))
    talk.client(query(COPY))
    told = talk.server(OUT, text(b"8", b"\\\\x00"))
    assert error_of(told[-1])[b"S"] == b"FATAL"
    assert any(isinstance(command, CloseBoth) for command in talk.commands)


@pytest.mark.parametrize(
    ("options", "column"),
    [
        (None, sealed(b"ivan")),
        (None, b"{" + sealed(b"ivan") + b"}"),
        (None, escaped(cell(b"ivan"))),
        (replace(CSV, quote=b"7", escape=b"7"), b"7" + hex_cell(b"ivan").replace(b"7", b"77") + b"7"),
    ],
    ids=["hex", "array", "escape", "csv with a digit as quote"],
)
def test_an_envelope_in_a_plain_column_never_passes(options: object, column: bytes) -> None:
    talk = talking(copy_out_plan(options) if options is not None else None)  # type: ignore[arg-type]
    talk.client(query(COPY))
    other = (
        b"," + b"7" + hex_cell(b"ok").replace(b"7", b"77") + b"7\n"
        if options is not None
        else b"\t" + sealed(b"ok") + b"\n"
    )
    told = talk.server(OUT, data(column + other), END, done("COPY 1"), ready())
    assert tags(told) == "HEZ"
    assert b"stands where the analysis expects none" in error_of(told[1])[b"M"]


def test_an_envelope_in_a_plain_column_of_a_binary_copy_never_passes() -> None:
    talk = talking(copy_out_plan(BINARY))
    talk.client(query(COPY))
    rows = [data(HEADER), data(build_row([cell(b"x"), cell(b"y")]))]
    assert tags(talk.server(backend.build_copy_response(b"H", 1, (1, 1)), *rows)) == "HE"


def test_a_value_that_looks_like_an_envelope_is_data() -> None:
    talk = talking()
    talk.client(query(COPY))
    value = hex_cell(b"a value")
    assert talk.server(OUT, text(b"7", sealed(value)))[1] == text(b"7", b"\\" + value)


@pytest.mark.parametrize(
    "answer",
    [
        [backend.build_copy_response(b"H", 1, (1, 1))],
        [backend.build_copy_response(b"H", 0, (0, 0, 0))],
        [backend.build_copy_response(b"G", 0, (0, 0))],
        [OUT, data(b"7\t8\t9\n")],
        [OUT, data(b"7\n")],
        [OUT, data(b"7\t8")],
    ],
    ids=["binary", "more columns", "asks for data", "a longer row", "a shorter row", "half a row"],
)
def test_a_server_that_copies_something_else_ends_the_session(answer: list[bytes]) -> None:
    talk = talking()
    talk.client(query(COPY))
    told = talk.server(*answer)
    assert error_of(told[-1])[b"S"] == b"FATAL"
    assert talk.server(text(b"7", b"8")) == []


def test_extended_the_text_has_the_values_themselves() -> None:
    talk = talking(copy_out_plan(attribute=True))
    sent = talk.client(parse(COPY), describe(b"S"), bind(), execute(), SYNC)
    assert sent[0] == parse("copy (select ... where id = NULL) to stdout")
    parameters = backend.build_parameter_description(())
    told = talk.server(
        PARSED, parameters, NO_DATA, BOUND, OUT, text(b"7", sealed(b"ivan")), END, done("COPY 1"), ready()
    )
    assert tags(told) == "1tn2HdcCZ"


def test_extended_another_principal_is_written_anew_and_a_bound_copy_is_refused() -> None:
    talk = talking(copy_out_plan(attribute=True))
    change = replace(talk.planner.plans["set purpose"], effect_value="fieldgate.subject=8")
    talk.planner.plans["set subject"] = change
    talk.client(parse(COPY, b"s"), bind(name=b"s", portal=b"p"), SYNC)
    talk.server(PARSED, BOUND, ready(b"T"))
    talk.client(query("set subject"))
    talk.server(done("SET"), ready(b"T"))
    sent = talk.client(execute(b"p"), SYNC)
    assert b"refused" in sent[0]
    told = talk.server(failed(b"34000"), ready(b"E"))
    assert b"has changed" in error_of(told[0])[b"M"]
    sent = talk.client(bind(name=b"s"), execute(), SYNC)
    assert tags(sent) == "CPBES" and b"where id = '8'" in sent[1]
    assert tags(talk.server(CLOSED, PARSED, BOUND, OUT, END, done("COPY 0"), ready())) == "2HcCZ"


def test_extended_values_in_the_text_do_not_outlive_the_revision_that_they_were_made_under() -> None:
    """Terms are made with keys, and another revision may have others."""
    talk = talking(copy_out_plan(attribute=True))
    talk.client(parse(COPY, b"s"), bind(name=b"s", portal=b"p"), SYNC)
    talk.server(PARSED, BOUND, ready(b"T"))
    talk.revision = replace(talk.revision, ciphers=PlainCiphers())
    assert b"refused" in talk.client(execute(b"p"), SYNC)[0]
    assert b"has changed" in error_of(talk.server(failed(b"34000"), ready(b"E"))[0])[b"M"]
    assert tags(talk.client(bind(name=b"s"), execute(), SYNC)) == "CPBES"
