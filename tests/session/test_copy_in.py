"""COPY into a protected table: cells are sealed on their way, wherever the client cuts its data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.session.refusals import CLIENT_FAILED, ROW_REFUSED
from proxy.sql.plan import StatementPlan
from proxy.wire import backend, frontend
from proxy.wire.copying.binary_rows import HEADER, TRAILER, BinaryReader, build_row
from proxy.wire.copying.options import CopyHeader
from proxy.wire.framing import HEADER_SIZE

from .copy_plans import BINARY, CSV, TEXT, copy_in_plan
from .talk import (
    BOUND,
    PARSED,
    SYNC,
    Talk,
    bind,
    cell,
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

COPY = "copy customers from stdin"
IN = backend.build_copy_response(b"G", 0, (0, 0))
END = frontend.COPY_DONE
FAIL = frontend.build_copy_fail(ROW_REFUSED)
FAILED = failed(b"57014", b"COPY from stdin failed: fieldgate refused this row")


def data(rows: bytes) -> bytes:
    return frontend.build_copy_data(rows)


def talking(plan: StatementPlan | None = None, *, split: bool = False, **more: object) -> Talk:
    talk = Talk(split=split, **more)  # type: ignore[arg-type]
    talk.planner.plans[COPY] = plan or copy_in_plan()
    talk.client(query(COPY))
    return talk


def sent(messages: list[bytes]) -> bytes:
    """The data in these messages, which must all be CopyData."""
    assert set(tags(messages)) <= {"d"}
    return b"".join(m[HEADER_SIZE:] for m in messages)


def sealed(value: bytes) -> bytes:
    return b"\\" + hex_cell(value)


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_cells_are_sealed_wherever_the_data_is_cut(split: bool, size: int) -> None:
    talk = talking(split=split)
    assert tags(talk.server(IN)) == "G"
    rows = b"7\tivan@example.org\n\\N\t\\N\nx\\ty\t\\x41\\\\\\n\r\n".replace(b"\r", b"") + b"9\tlast"
    pieces = [data(rows[at : at + size]) for at in range(0, len(rows), size)]
    made = talk.client(*pieces, END)
    assert made.pop() == END
    assert sent(made) == b"\n".join(
        [
            b"7\t" + sealed(b"ivan@example.org"),
            b"\\N\t\\N",
            b"x\\ty\t" + sealed(b"A\\\n"),
            b"9\t" + sealed(b"last"),
            b"",
        ]
    )
    assert tags(talk.server(done("COPY 4"), ready())) == "CZ"
    assert talk.conversation.idle
    assert [(r["decision"], r["fields"]) for r in talk.records] == [("allow", {"public.customers.email": ["insert"]})]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_csv_goes_on_as_text(size: int) -> None:
    talk = talking(copy_in_plan(replace(CSV, header=CopyHeader.MATCH, default=b"D")))
    rows = b'id,email\n7,"a""b,\nc"\n,\n"",""\nD,x\n"a\tb\\N",\\N\n'
    made = talk.client(*[data(rows[at : at + size]) for at in range(0, len(rows), size)], END)
    lines = [
        b"7\t" + sealed(b'a"b,\nc'),
        b"\\N\t\\N",
        b"\t" + sealed(b""),
        b"\\D\t" + sealed(b"x"),
        b"a\\tb\\\\N\t" + sealed(b"\\N"),
        b"",
    ]
    assert sent(made[:-1]) == b"\n".join(lines)


def test_csv_with_forced_nulls() -> None:
    talk = talking(copy_in_plan(replace(CSV, force_null=frozenset({0}), force_not_null=frozenset({1}))))
    made = talk.client(data(b'"",\n1,""\n'), END)
    assert sent(made[:-1]) == b"\\N\t" + sealed(b"") + b"\n1\t" + sealed(b"") + b"\n"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_binary(size: int) -> None:
    talk = talking(copy_in_plan(BINARY))
    rows = HEADER[:15] + b"\0\0\0\2xx" + build_row([b"7", b"ivan"]) + build_row([None, None]) + TRAILER
    made = talk.client(*[data(rows[at : at + size]) for at in range(0, len(rows), size)], END)
    reader = BinaryReader(2)
    assert reader.feed(sent(made[:-1])) + reader.finish() == [[b"7", cell(b"ivan")], [None, None]]
    assert reader.failure is None


def test_binary_without_a_row_still_has_its_frame() -> None:
    talk = talking(copy_in_plan(BINARY))
    assert sent(talk.client(data(HEADER + TRAILER), END)[:-1]) == HEADER + TRAILER


BAD: list[tuple[object, bytes, bytes, str]] = [
    (TEXT, b"7\tok\n8\tsec\xffret\n9\tx\n", b"22021", "COPY customers, line 2, column email"),
    (TEXT, b"7\tok\n8\tsecret\\0\n", b"22021", "COPY customers, line 2, column email"),
    (TEXT, b"7\tok\n8\tsecret\tmore\n", b"22P04", "COPY customers, line 2"),
    (TEXT, b"7\tok\n8\n", b"22P04", "COPY customers, line 2"),
    (TEXT, b"7\tok\n\\.x\n", b"22P04", "COPY customers, line 2"),
    (TEXT, b"7\tok\n8\tsecret\r\n", b"22P04", "COPY customers, line 2"),
    (CSV, b'7,ok\n8,"secret', b"22P04", "COPY customers, line 2"),
    (CSV, b'7,ok\n8,"secret","x"\n', b"22P04", "COPY customers, line 2"),
    (replace(CSV, header=CopyHeader.MATCH), b"id,secret\n7,ok\n", b"22P04", "COPY customers, line 1"),
    (replace(CSV, header=CopyHeader.MATCH), b"id\n7,ok\n", b"22P04", "COPY customers, line 1"),
    (BINARY, HEADER + build_row([b"7", b"ok"]) + b"\0\2\0\0\0\1a\x3f\xff\xff\xff", b"54000", "COPY customers, line 2"),
    (BINARY, HEADER + build_row([b"7", b"ok"]) + TRAILER + b"x", b"22P04", "COPY customers, line 2"),
    (BINARY, HEADER + build_row([b"7", b"ok"]) + b"\xff", b"", ""),
    (BINARY, HEADER + build_row([b"7", b"ok"]) + b"\0\2\0\0", b"22P04", "COPY customers, line 2"),
    (BINARY, b"PGCOPX\n\xff\r\n\0" + bytes(8), b"22P04", "COPY customers, line 1"),
]  # fmt: skip


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize(("options", "rows", "code", "context"), BAD, ids=str)
def test_a_bad_row_makes_the_server_fail_there(
    options: object, rows: bytes, code: bytes, context: str, split: bool
) -> None:
    talk = talking(copy_in_plan(options), split=split)  # type: ignore[arg-type]
    talk.server(IN)
    made = talk.client(data(rows), END, data(b"more"), END)
    if not code:  # the server takes it, so do we
        assert made[-1] == END
        return
    assert made[-1] == FAIL and set(tags(made[:-1])) <= {"d"}
    assert b"secret" not in b"".join(made) and b"secret".hex().encode() not in b"".join(made)
    told = talk.server(FAILED, ready(b"I"))
    assert tags(told) == "EZ"
    error = error_of(told[0])
    assert (error[b"C"], error[b"W"].decode()) == (code, context)
    assert b"secret" not in told[0]
    assert [r["decision"] for r in talk.records] == ["allow", "deny"]
    assert talk.client(data(b"1\t2\n"), END) == []
    assert talk.conversation.idle


def test_the_server_may_find_an_error_of_its_own_before_the_bad_value() -> None:
    for answer, code in ((failed(b"22P04"), b"22P04"), (failed(b"22P02", b"bad id"), b"22P02")):
        talk = talking()
        assert talk.client(data(b"x\n"), END) == [data(b"x\n"), FAIL]
        error = error_of(talk.server(IN, answer, ready())[1])
        assert error[b"C"] == code and (b"W" in error) == (code == b"22P04")


def test_the_error_waits_for_its_record() -> None:
    talk = talking(durable_at_once=False)
    talk.conversation.audit_durable(talk.tickets[0])
    talk.client(data(b"x\n"), END)
    assert talk.server(IN, FAILED, ready()) == []
    talk.conversation.audit_durable(talk.tickets[1])
    assert tags(talk.told()) == "GEZ"


def test_copy_in_response_waits_for_the_record() -> None:
    talk = talking(durable_at_once=False)
    assert talk.server(IN) == []
    talk.conversation.audit_durable(talk.tickets[0])
    assert talk.told() == [IN]


def test_an_error_of_the_servers_own_passes_scrubbed() -> None:
    talk = talking()
    talk.client(data(b"7\tok\nx\n"))
    told = talk.server(
        IN, failed(b"23505", b"duplicate key", D=b"Key (id)=(7)", W=b'COPY customers, line 1: "7"'), ready()
    )
    assert tags(told) == "GEZ"
    assert error_of(told[1])[b"C"] == b"23505" and b"W" not in error_of(told[1])


def test_what_the_client_says_of_its_own_failure_stays_here() -> None:
    talk = talking()
    assert talk.client(frontend.build_copy_fail(b"could not send ivan@example.org")) == [
        frontend.build_copy_fail(CLIENT_FAILED)
    ]
    told = talk.server(IN, failed(b"57014", b"COPY from stdin failed: the client has ended the COPY"), ready())
    assert error_of(told[1])[b"M"] == b"COPY from stdin failed: the client has ended the COPY"


def test_half_a_row_before_copy_fail_is_dropped() -> None:
    talk = talking()
    assert tags(talk.client(data(b"7\tok\n8\tiv"), frontend.build_copy_fail(b"no"))) == "df"


def test_in_a_script_the_data_of_a_later_copy_is_not_sent_once_an_earlier_one_failed() -> None:
    talk = Talk()
    talk.planner.plans[COPY] = copy_in_plan()
    sent_query = talk.client(query(f"select 1; {COPY}; copy t from stdin; {COPY}"))
    assert tags(sent_query) == "Q"
    talk.server(done(), IN)
    made = talk.client(data(b"bad\n"), END, data(b"secret\n"), END, data(b"1\tsecret\n"), END)
    assert made == [data(b"bad\n"), FAIL]
    assert tags(talk.server(FAILED, ready())) == "EZ"


def test_in_a_script_each_copy_gets_its_own_data() -> None:
    talk = Talk()
    talk.planner.plans[COPY] = copy_in_plan()
    talk.client(query(f"{COPY}; copy t from stdin; {COPY}"))
    made = talk.client(data(b"1\ta\n"), END, data(b"plain\n"), END, data(b"2\tb\n"), END)
    assert made == [
        data(b"1\t" + sealed(b"a") + b"\n"),
        END,
        data(b"plain\n"),
        END,
        data(b"2\t" + sealed(b"b") + b"\n"),
        END,
    ]
    answer = [IN, done("COPY 1"), IN, done("COPY 1"), IN, done("COPY 1"), ready()]
    assert tags(talk.server(*answer)) == "GCGCGCZ"


def test_extended() -> None:
    talk = Talk()
    talk.planner.plans[COPY] = copy_in_plan()
    made = talk.client(parse(COPY), bind(), execute(), SYNC)
    assert tags(made) == "PBES"
    assert tags(talk.server(PARSED, BOUND, IN)) == "12G"
    made = talk.client(data(b"1\ta\nbad\n"), SYNC, END, SYNC)
    assert tags(made) == "dfSS"
    told = talk.server(FAILED, ready(), ready())
    assert tags(told) == "EZZ"
    assert error_of(told[0])[b"C"] == b"22P04"
    assert talk.conversation.idle


def test_extended_a_value_that_is_bound_to_a_copy_is_not_sent() -> None:
    talk = Talk()
    talk.planner.plans[COPY] = copy_in_plan()
    made = talk.client(parse(COPY), bind(b"secret"), execute(), SYNC)
    assert b"secret" not in b"".join(made)
    assert error_of(talk.server(PARSED, failed(b"26000"), ready())[1])[b"C"] == b"08P01"


def test_bound_cells_need_the_rows_key() -> None:
    plan = copy_in_plan(TEXT, row_key=0, row_key_type=20)
    for row, code in ((b"\\N\ta\n", b"23502"), (b"x\ta\n", b"22P02")):
        talk = talking(plan)
        assert talk.client(data(row), END) == [FAIL]
        assert error_of(talk.server(IN, FAILED, ready())[1])[b"C"] == code


def test_on_error_ignore_lets_the_server_skip_and_count_the_row() -> None:
    talk = talking(copy_in_plan(TEXT, skips_bad_rows=True))
    email = talk.planner.plans[COPY].copy
    assert email is not None
    made = talk.client(data(b"1\tok\n2\tb\xffd\n"), END)
    assert made[-1] == FAIL  # bytes that are no text fail there too


@pytest.mark.parametrize(
    "answer",
    [[backend.build_copy_response(b"H", 0, (0, 0))], [IN, IN], [IN, b"W\0\0\0\7\0\0\0"]],
    ids=["data for the client", "asked twice", "replication"],
)
def test_a_server_that_begins_another_copy_ends_the_session(answer: list[bytes]) -> None:
    talk = talking()
    assert error_of(talk.server(*answer)[-1])[b"S"] == b"FATAL"
