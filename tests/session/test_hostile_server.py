"""A server that answers almost as it should: one message is wrong, missing or too many, at every place.

The contract: our own error or a clean end, never another exception; no envelope ever reaches the client; and nobody
gets an answer to what somebody else has asked.
"""

from __future__ import annotations

import pytest

from proxy.session.commands import CloseBoth
from proxy.wire import backend
from proxy.wire.framing import BACKEND_LIMITS, message

from .talk import (
    BOUND,
    BOUND_EMAIL,
    CLOSED,
    CUSTOMERS_OID,
    EMAIL_COLUMNS,
    NO_DATA,
    PARSED,
    SUSPENDED,
    SYNC,
    Talk,
    bind,
    cell,
    close,
    columns,
    describe,
    done,
    execute,
    failed,
    hex_cell,
    parse,
    query,
    ready,
    row,
    split_messages,
)

BOUND_COLUMNS = columns(("email", 17, CUSTOMERS_OID, 2), ("id", 20, CUSTOMERS_OID, 1))
PARAMETERS = backend.build_parameter_description((17, 20))
COPY_IN = backend.build_copy_response(b"G", 0, ())
COPY_OUT = backend.build_copy_response(b"H", 0, ())
ID_COLUMN = columns(("id", 20, CUSTOMERS_OID, 1))
CELL = cell(b"ivan@example.org")
SECRET = CELL[28:56]  # nonce and tag
SHORT_CELL = CELL[:12] + SECRET  # of an empty value

CONVERSATIONS = {
    "query": (
        [query("select email")],
        [EMAIL_COLUMNS, row(b"7", hex_cell(b"ivan@example.org")), row(b"8", None), done("SELECT 2"), ready()],
    ),
    "script": (
        [query("select 1; select email; insert; refused")],
        [ID_COLUMN, row(b"1"), done(), EMAIL_COLUMNS, row(b"7", hex_cell(b"ivan")), done(), done(), failed(), ready()],
    ),
    "extended": (
        [parse("select email"), bind(), describe(b"P"), execute(rows=1), execute(), SYNC],
        [PARSED, BOUND, EMAIL_COLUMNS, row(b"7", CELL), SUSPENDED, row(b"8", CELL), done(), ready()],
    ),
    "not described": (
        [parse("select email", b"s"), SYNC, bind(name=b"s"), execute(), close(b"S", b"s"), SYNC],
        [PARSED, ready(), BOUND, EMAIL_COLUMNS, row(b"7", CELL), done(), CLOSED, ready()],
    ),
    "parameters": (
        [parse("find email", b"s"), describe(b"S", b"s"), bind(b"ivan", b"5", name=b"s"), execute(), SYNC],
        [PARSED, PARAMETERS, ID_COLUMN, BOUND, row(b"7"), done(), ready()],
    ),
    "bound to the row's key": (
        [parse("select bound"), bind(), describe(b"P"), execute(), SYNC],
        [PARSED, BOUND, BOUND_COLUMNS, row(CELL, (7).to_bytes(8, "big")), done(), ready()],
    ),
    "copy": (
        [query("copy t from stdin"), query("select 1")],
        [COPY_IN, failed(b"22P04"), ready(), ID_COLUMN, done("SELECT 0"), ready()],
    ),
}
# An envelope where the server itself says that a number stands is not looked for: numbers have no room for one.
IN_A_NUMBER = [
    row(CELL),
    row(CELL, b"7"),
    row(CELL, b"no number"),
    row(CELL, None),
    row(hex_cell(b"ivan@example.org"), b"7"),
]
ENVELOPE = hex_cell(b"ivan@example.org")
WRONG = [
    *(PARSED, BOUND, CLOSED, NO_DATA, SUSPENDED, EMAIL_COLUMNS, BOUND_COLUMNS, ID_COLUMN, COPY_IN, COPY_OUT),
    *(done(), ready(), ready(b"T"), ready(b"E"), failed(), failed(b"57P01", b"", V=b"FATAL"), PARAMETERS),
    *(row(), row(None), row(b"7"), row(CELL), row(b"7", CELL), row(CELL, b"7"), row(b"7", CELL, b"x")),
    *(row(b"7", ENVELOPE), row(ENVELOPE, b"7"), row(CELL[:30], CELL[:30]), row(CELL, b"no number"), row(CELL, None)),
    *(columns(), columns(("email", 17, CUSTOMERS_OID, 2)), columns(("id", 20, 0, 0), ("email", 25, 0, 0))),
    columns(*[("email", 17, CUSTOMERS_OID, 2)] * 3),
    columns(("email", 17, CUSTOMERS_OID, 2), ("id", 2950, CUSTOMERS_OID, 1)),
    *(backend.build_parameter_description(()), backend.build_parameter_description((17,) * 9)),
    *(backend.build_error_response({}), backend.build_error_response({b"M": ENVELOPE}), message(b"E", b"")),
    *(backend.build_notice_response({b"M": ENVELOPE}), message(b"N", b"no end"), message(b"A", ENVELOPE + b"\0")),
    backend.build_notification_response(1, b"c", ENVELOPE),
    backend.build_parameter_status(b"search_path", b'"no end'),
    backend.build_parameter_status(b"client_encoding", ENVELOPE),
    backend.build_parameter_status(b"TimeZone", b"No/Where"),
    *(message(b"S", b""), message(b"Z", b""), message(b"Z", b"X"), message(b"T", b"\0\2"), message(b"T", b"")),
    *(message(b"D", b""), message(b"D", b"\0\1"), message(b"D", b"\0\1\0\0\xff\xff"), message(b"t", b"\0")),
    *(message(b"C", b""), message(b"C", ENVELOPE + b"\0"), message(b"G", b""), message(b"d", ENVELOPE)),
    *(message(tag, SHORT_CELL) for tag in (b"1", b"2", b"3", b"n", b"s", b"I", b"C", b"G", b"H", b"c", b"Z")),
    *(message(b"C", b"SELECT " + CELL + b"\0"), columns((hex_cell(b"ivan@example.org").decode(), 25, 0, 0))),
    *(message(b"W", b"\0\0\0"), message(b"K", b"\0" * 12), message(b"R", b"\0\0\0\0"), message(b"v", b"\0" * 8)),
    *(
        message(b"V", b"\xff\xff\xff\xff"),
        message(b"V", b"\0\0\0\4" + ENVELOPE),
        message(b"c", b""),
        message(b"I", b""),
    ),
    *(b"D\0\0\0\3", b"D\x7f\xff\xff\xff", b"D\xff\xff\xff\xff", b"\0\0\0\0\0", b"Q\0\0\0\5\0"),
    b"",
]


@pytest.mark.parametrize("extra", [False, True], ids=["in its place", "too many"])
@pytest.mark.parametrize("name", list(CONVERSATIONS))
def test_one_wrong_message_at_every_place(name: str, extra: bool) -> None:
    asked, answer = CONVERSATIONS[name]
    for place in range(len(answer)):
        for wrong in WRONG:
            changed = [*answer[:place], wrong, *answer[place + (not extra) :]]
            told, talk = converse(asked, changed)
            if wrong in IN_A_NUMBER and name != "bound to the row's key":
                continue
            assert SECRET not in told, (place, wrong)
            assert SECRET.hex().encode() not in told, (place, wrong)
            assert len([c for c in talk.commands if isinstance(c, CloseBoth)]) <= 1
            split_messages(told, BACKEND_LIMITS)  # whole messages, whatever came


def converse(asked: list[bytes], answer: list[bytes]) -> tuple[bytes, Talk]:
    talk = Talk()
    talk.planner.plans["select bound"] = BOUND_EMAIL
    talk.client(*asked)
    talk.conversation.server_bytes(b"".join(answer))
    talk._perform()
    told = talk.conversation.take_to_client()
    talk.client(query("select 1"))
    return told, talk


@pytest.mark.parametrize("name", list(CONVERSATIONS))
def test_without_a_wrong_message_all_is_well(name: str) -> None:
    told, talk = converse(*CONVERSATIONS[name])
    assert told.endswith(ready())
    assert not any(isinstance(c, CloseBoth) for c in talk.commands)
