"""Cells under data subjects' secrets: what waits for the secrets, in what order, and how often they are asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from proxy.session.commands import DrawKeys
from proxy.session.subjects import ATTEMPTS
from proxy.sql.plan import StatementPlan
from proxy.wire import backend, framing, frontend
from proxy.wire.copying.binary_rows import HEADER, TRAILER, BinaryReader, build_row
from proxy.wire.copying.options import CopyFormat, CopyHeader, CopyOptions
from proxy.wire.framing import HEADER_SIZE, Span, message

from .subject_plans import COLUMNS, SELECT, SEQUENCE, SubjectTalk, copy_in_plan, copy_out_plan, name
from .talk import (
    BOUND,
    PARSED,
    SYNC,
    bind,
    describe,
    done,
    error_of,
    execute,
    failed,
    parse,
    query,
    ready,
    row,
    tags,
)

TEXT, CSV = CopyOptions(), CopyOptions(CopyFormat.CSV, b",", b"", dot_ends=False)
BINARY = CopyOptions(CopyFormat.BINARY)
COPY_DONE = message(b"c", b"")


def literal(message: bytes) -> bytes:
    """The cell in the text of a Query."""
    return bytes.fromhex(message.partition(b"'\\x")[2].partition(b"'")[0].decode())


# -- on the way to the server --


def test_a_statement_waits_for_the_secret_of_its_subject() -> None:
    talk = SubjectTalk()
    assert talk.client(query("insert constant"), query("select 1")) == []
    assert talk.waiting_for == [{b"7"}] and talk.conversation.client_paused
    talk.fetch()
    sent = talk.sent()
    assert tags(sent) == "QQ"
    assert talk.opened(literal(sent[0]), b"7") == b"hi"
    assert talk.client(query("insert constant")) and len(talk.waiting_for) == 1  # at hand from now on


@pytest.mark.parametrize("split", [False, True])
def test_a_bind_waits_and_is_sent_once(split: bool) -> None:
    talk = SubjectTalk(split=split)
    assert tags(talk.client(parse("insert"), bind(b"5", b"hi"), execute(), SYNC)) == "P"
    assert talk.waiting_for == [{b"5"}]
    talk.fetch()
    sent = talk.sent()
    assert tags(sent) == "BES"
    assert b"f9674" not in sent[0] and b"hi" not in sent[0]
    assert len(talk.records) == 1


def test_the_same_prepared_statement_for_many_subjects() -> None:
    talk = SubjectTalk()
    talk.client(parse("insert", b"s"), SYNC)
    talk.server(PARSED, ready())
    for key in (b"1", b"2", b"1"):
        known = len(talk.waiting_for)
        sent = talk.client(bind(key, b"hi", name=b"s"), execute(), SYNC)
        if key == b"1" and known:
            assert tags(sent) == "BES"
        else:
            talk.fetch()
            assert tags(talk.sent()) == "BES"
        talk.server(BOUND, done("INSERT 0 1"), ready())
    assert talk.waiting_for == [{b"1"}, {b"2"}]


def test_a_drawn_key_is_the_same_when_its_secret_has_come() -> None:
    talk = SubjectTalk()
    talk.keys[SEQUENCE] = [b"41", b"42"]
    assert talk.client(query("insert drawn")) == []
    assert talk.waiting_for == [{b"41"}]
    talk.fetch()
    [sent] = talk.sent()
    assert b"values ('41'::pg_catalog.int8" in sent
    talk.client(query("insert drawn"))
    assert talk.waiting_for == [{b"41"}, {b"42"}]


def test_keys_come_before_secrets() -> None:
    talk = SubjectTalk()
    assert talk.client(query("insert drawn")) == []
    assert talk.commands == [DrawKeys({SEQUENCE: 1})]
    talk.keys[SEQUENCE] = [b"9"]
    talk.conversation.keys_drawn()
    talk._perform()
    assert talk.waiting_for == [{b"9"}]


def test_nothing_is_stored_for_a_destroyed_subject() -> None:
    talk = SubjectTalk()
    talk.memory.put(name(b"7"), b"")
    [sent] = talk.client(query("insert constant"))
    assert b"fieldgate refused" in sent
    told = talk.server(*_stand_in_failed())
    assert error_of(told[0])[b"C"] == b"55000" and b"7" not in error_of(told[0])[b"M"]


def _stand_in_failed() -> tuple[bytes, bytes]:
    said = b'invalid input syntax for type integer: "fieldgate refused this statement"'
    return failed(b"22P02", said), ready()


def test_without_secrets_nothing_is_sent_and_the_session_ends() -> None:
    talk = SubjectTalk()
    talk.client(query("insert constant"))
    talk.conversation.keys_unavailable()
    assert tags(talk.sent()) == "X"
    assert error_of(talk.told()[0])[b"S"] == b"FATAL"


# -- on the way back --


def test_rows_wait_for_secrets_and_what_follows_waits_behind_them() -> None:
    talk = SubjectTalk([b"1", b"2"])
    talk.client(query("select"), query("select 1"))
    rows = [row(b"\\x" + talk.cell(b"note %s" % key, key).hex().encode(), key) for key in (b"1", b"2")]
    assert tags(talk.server(COLUMNS, *rows, done("SELECT 2"), ready(), done("SELECT 1"), ready())) == "T"
    assert talk.waiting_for == [{b"1", b"2"}]
    talk.fetch()
    told = talk.told()
    assert told[:2] == [row(b"note 1"), row(b"note 2")]
    assert tags(told) == "DDCZCZ"


def test_secrets_are_asked_for_twice_however_the_rows_come() -> None:
    keys = [b"%d" % number for number in range(200)]
    talk = SubjectTalk(keys)
    talk.client(query("select"))
    talk.server(COLUMNS)
    told: list[bytes] = []
    for key in keys:
        told += talk.server(row(b"\\x" + talk.cell(b"n" + key, key).hex().encode(), key))
        if len(talk.waiting_for) == 1 and not told:
            talk.fetch()
            told += talk.told()
    told += talk.server(done("SELECT 200"), ready())
    assert [len(asked) for asked in talk.waiting_for] == [1, 200]  # what is at hand stays
    talk.fetch()
    told += talk.told()
    assert told[:-2] == [row(b"n" + key) for key in keys]
    assert tags(told[-2:]) == "CZ"


def test_rows_whose_secrets_are_at_hand_do_not_wait() -> None:
    talk = SubjectTalk([b"1"])
    talk.memory.put(name(b"1"), talk.store[name(b"1")])
    talk.client(query("select"))
    talk.server(COLUMNS)
    assert talk.server(row(b"\\x" + talk.cell(b"x", b"1").hex().encode(), b"1")) == [row(b"x")]
    assert talk.waiting_for == []


def test_one_byte_at_a_time() -> None:
    talk = SubjectTalk([b"1", b"2"], split=True)
    talk.client(query("select"))
    rows = [row(b"\\x" + talk.cell(b"note", key).hex().encode(), key) for key in (b"1", b"2")]
    told = talk.server(COLUMNS, *rows, done("SELECT 2"), ready())
    while talk.conversation._state.secrets_awaited:
        talk.fetch()
        told += talk.told()
    assert tags(told) == "TDDCZ" and len(talk.waiting_for) <= 2


def test_what_was_destroyed_reads_as_null() -> None:
    talk = SubjectTalk([b"1", b"2"])
    cells = [b"\\x" + talk.cell(b"note", key).hex().encode() for key in (b"1", b"2")]
    talk.store[name(b"1")] = b""
    talk.client(query("select"))
    talk.server(COLUMNS, row(cells[0], b"1"), row(cells[1], b"2"), row(None, b"3"), done("SELECT 3"), ready())
    talk.fetch()
    assert talk.told()[:3] == [row(None), row(b"note"), row(None)]


def test_a_secret_that_is_not_there_fails_the_statement() -> None:
    talk = SubjectTalk([b"1"])
    cell = b"\\x" + talk.cell(b"note", b"1").hex().encode()
    del talk.store[name(b"1")]
    talk.client(query("select"))
    talk.server(COLUMNS, row(cell, b"1"), done("SELECT 1"), ready())
    talk.fetch()
    told = talk.told()
    assert tags(told) == "EZ" and error_of(told[0])[b"C"] == b"XX001"


def test_secrets_that_cannot_be_loaded_end_the_session() -> None:
    talk = SubjectTalk([b"1"])
    talk.client(query("select"))
    talk.server(COLUMNS, row(b"\\x" + talk.cell(b"note", b"1").hex().encode(), b"1"))
    talk.conversation.secrets_unavailable()
    told = talk.told()
    assert b"note" not in b"".join(told)
    assert error_of(told[-1])[b"S"] == b"FATAL"


def test_a_round_of_a_prepared_statement_waits_too() -> None:
    talk = SubjectTalk([b"1"])
    talk.client(parse("select", b"s"), describe(b"S", b"s"), SYNC)
    talk.server(PARSED, backend.build_parameter_description(()), COLUMNS, ready())
    assert tags(talk.client(bind(name=b"s", results=(1,)), execute(), SYNC)) == "BES"
    assert talk.server(BOUND, row(talk.cell(b"note", b"1"), (1).to_bytes(8, "big")), done(), ready()) == [BOUND]
    talk.fetch()
    assert talk.told() == [row(b"note"), done(), ready()]


def test_forgotten_secrets_are_asked_for_again() -> None:
    talk = SubjectTalk([b"1"])
    cell = b"\\x" + talk.cell(b"note", b"1").hex().encode()
    for _ in range(2):
        talk.client(query("select"))
        talk.server(COLUMNS, row(cell, b"1"), done(), ready())
        talk.fetch()
        assert tags(talk.told()) == "DCZ"
        talk.memory.forget()
    assert talk.waiting_for == [{b"1"}, {b"1"}]


@pytest.mark.parametrize("copied", [False, True], ids=["rows", "copy"])
def test_a_result_may_be_of_any_length(monkeypatch: pytest.MonkeyPatch, copied: bool) -> None:
    """Each part of it asks for secrets of its own."""
    monkeypatch.setattr("proxy.session.subjects.KEPT", 1)
    keys = [b"%d" % number for number in range(3 * ATTEMPTS)]
    talk, told = SubjectTalk(keys), list[bytes]()
    talk.planner.plans["copy"] = copy_out_plan(TEXT)
    talk.client(query("copy" if copied else "select"))
    talk.server(backend.build_copy_response(b"H", 0, (0, 0)) if copied else COLUMNS)
    for key in keys:
        cell = b"\\x" + talk.cell(b"n" + key, key).hex().encode()
        sent = frontend.build_copy_data(b"\\" + cell + b"\t" + key + b"\n") if copied else row(cell, key)
        told += talk.server(sent)
        talk.fetch()
        told += talk.told()
    shown = [m for m in told if m[:1] in b"Dd"]
    expected = [frontend.build_copy_data(b"n" + key + b"\n") if copied else row(b"n" + key) for key in keys]
    assert shown == expected and len(talk.waiting_for) == len(keys)


def test_a_result_of_more_subjects_than_there_is_room_for() -> None:
    keys = [b"%d" % number for number in range(8)]
    talk = SubjectTalk(keys, capacity=3)
    for _ in range(2):  # the second time some are there, and others had to go
        asked = len(talk.waiting_for)
        talk.client(query("select"))
        talk.server(
            COLUMNS, *(row(b"\\x" + talk.cell(b"n" + key, key).hex().encode(), key) for key in keys), done(), ready()
        )
        while len(talk.waiting_for) > asked:
            asked += 1
            talk.fetch()
        assert talk.told()[:-2] == [row(b"n" + key) for key in keys]
        talk.memory.put(name(b"9"), None)
        assert len(talk.memory) == 3
    assert len(talk.waiting_for) == 2


# -- COPY --


def copying(plan: StatementPlan, store: tuple[bytes, ...] = (), *, split: bool = False) -> SubjectTalk:
    talk = SubjectTalk(store, split=split)
    talk.planner.plans["copy"] = plan
    talk.client(query("copy"))
    return talk


def test_a_copy_of_more_subjects_than_there_is_room_for() -> None:
    talk = SubjectTalk([b"1"], capacity=3)
    talk.memory.put(name(b"1"), talk.store[name(b"1")])
    talk.planner.plans["copy"] = copy_in_plan(TEXT)
    talk.client(query("copy"))
    talk.client(frontend.build_copy_data(b"".join(b"%d\thi\n" % number for number in range(1, 9))))
    talk.fetch()
    assert len(talk.waiting_for) == 1 and not talk.conversation.client_paused
    assert data_of(talk.sent()).count(b"\n") == 8


def data_of(messages: list[bytes]) -> bytes:
    return b"".join(m[HEADER_SIZE:] for m in messages if m[:1] == b"d")


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (TEXT, b"1\thi\n2\t\\N\n1\tho\n"),
        (replace(TEXT, header=CopyHeader.LINE), b"customer_id\tnote\n1\thi\n2\t\\N\n1\tho"),
        (CSV, b"1,hi\n2,\n1,ho\n"),
    ],
    ids=["text", "header, no last line end", "csv"],
)
def test_rows_of_copy_in_wait_for_secrets(options: CopyOptions, rows: bytes, split: bool) -> None:
    talk = copying(copy_in_plan(options), split=split)
    talk.server(backend.build_copy_response(b"G", 0, (0, 0)))
    sent = talk.client(frontend.build_copy_data(rows), frontend.COPY_DONE)
    while talk.conversation.client_paused:
        assert frontend.COPY_DONE not in sent
        talk.fetch()
        sent += talk.sent()
    assert sent[-1] == frontend.COPY_DONE
    made = [line.split(b"\t") for line in data_of(sent).splitlines()]
    assert [fields[0] for fields in made] == [b"1", b"2", b"1"]
    assert made[1][1] == b"\\N"
    opened = [talk.opened(bytes.fromhex(made[n][1][3:].decode()), b"1") for n in (0, 2)]
    assert opened == [b"hi", b"ho"]
    assert set().union(*talk.waiting_for) == {b"1", b"2"}


@pytest.mark.parametrize("split", [False, True])
def test_binary_rows_of_copy_in_wait_too(split: bool) -> None:
    talk = copying(copy_in_plan(BINARY), split=split)
    talk.server(backend.build_copy_response(b"G", 1, (1, 1)))
    rows = HEADER + b"".join(build_row([key.to_bytes(8, "big"), b"hi"]) for key in (1, 2)) + TRAILER
    sent = talk.client(frontend.build_copy_data(rows), frontend.COPY_DONE)
    while talk.conversation.client_paused:
        assert frontend.COPY_DONE not in sent
        talk.fetch()
        sent += talk.sent()
    assert sent[-1] == frontend.COPY_DONE
    reader = BinaryReader(2)
    made = reader.feed(data_of(sent)) + reader.finish()
    assert [talk.opened(fields[1] or b"", b"%d" % n) for n, fields in enumerate(made, 1)] == [b"hi", b"hi"]


def test_a_bad_row_behind_waiting_ones_fails_the_copy_behind_them() -> None:
    talk = copying(copy_in_plan(TEXT))
    talk.server(backend.build_copy_response(b"G", 0, (0, 0)))
    assert talk.client(frontend.build_copy_data(b"1\thi\n\\N\tho\n"), frontend.COPY_DONE) == []
    talk.fetch()
    sent = talk.sent()
    assert tags(sent) == "ddf" or tags(sent) == "df"
    assert data_of(sent).startswith(b"1\t") and b"ho" not in data_of(sent)


@pytest.mark.parametrize("options", [TEXT, CSV], ids=["text", "csv"])
def test_rows_of_copy_out_wait_and_destroyed_ones_are_null(options: CopyOptions) -> None:
    talk = copying(copy_out_plan(options), (b"1", b"2"))
    mark = b"\\x" if options is CSV else b"\\\\x"
    rows = [
        frontend.build_copy_data(mark + talk.cell(b"note", key).hex().encode() + options.delimiter + key + b"\n")
        for key in (b"1", b"2")
    ]
    talk.store[name(b"2")] = b""
    out = backend.build_copy_response(b"H", 0, (0, 0))
    told = talk.server(out, *rows, COPY_DONE, done("COPY 2"), ready())
    assert tags(told) == "H" and talk.waiting_for == [{b"1", b"2"}]
    talk.fetch()
    told = talk.told()
    assert data_of(told) == b"note\n" + options.null + b"\n"
    assert tags(told)[-3:] == "cCZ"


def test_binary_rows_of_copy_out_wait_too() -> None:
    talk = copying(copy_out_plan(BINARY), (b"1", b"2"))
    cells = [(talk.cell(b"note", b"%d" % key), key.to_bytes(8, "big")) for key in (1, 2)]
    talk.store[name(b"2")] = b""
    told = talk.server(
        backend.build_copy_response(b"H", 1, (1, 1)),
        frontend.build_copy_data(HEADER + build_row(list(cells[0]))),
        frontend.build_copy_data(build_row(list(cells[1]))),
        frontend.build_copy_data(TRAILER),
    )
    assert tags(told) == "H"
    talk.fetch()
    told = talk.told() + talk.server(COPY_DONE, done("COPY 2"), ready())
    if talk.conversation._state.secrets_awaited:
        talk.fetch()
        told += talk.told()
    assert data_of(told) == HEADER + build_row([b"note"]) + build_row([None]) + TRAILER


def test_the_plan_knows_where_its_rows_hold_subjects() -> None:
    assert SELECT.subject_places == (("customer", 1),) and not SELECT.seals_subjects


def test_rows_that_wait_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often more of them come: a result of 8 MB is 80,000 rows, and comes in 128 pieces."""
    found: list[int] = []

    def counted(*given: Any) -> tuple[list[Span], int]:
        spans, end = framing.scan(*given)
        found.append(len(spans))
        return spans, end

    monkeypatch.setattr("proxy.session.inbox.scan", counted)
    talk = SubjectTalk([b"1", b"2"])
    rows = [row(b"\\x" + talk.cell(b"note", key).hex().encode(), key) for key in (b"1", b"2")]
    talk.client(query("select"))
    talk.server(COLUMNS, rows[0])
    talk.fetch()
    talk.told()
    found.clear()
    for _ in range(50):
        assert talk.server(rows[1]) == []
    told = talk.server(done("SELECT 51"), ready())
    talk.fetch()
    assert tags(told + talk.told()) == "D" * 51 + "CZ"
    assert sum(found) <= 51 + 4
