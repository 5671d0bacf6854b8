"""Whatever is asked and answered, with rounds or without: the same bytes go to both sides, the same is recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from struct import pack
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.session import rounds
from proxy.session.services import Revision
from proxy.sql.plan import Slot, SlotKind, StatementPlan, ValueSource
from proxy.wire import backend, frontend
from proxy.wire.framing import BACKEND_LIMITS, message

from .talk import (
    BOUND,
    BOUND_EMAIL,
    CLOSED,
    CUSTOMERS_OID,
    DAY_COLUMNS,
    EMAIL,
    EMAIL_COLUMNS,
    FIND_EMAIL,
    FLUSH,
    NO_DATA,
    PARSED,
    REFUSED,
    SELECT_EMAIL,
    SUSPENDED,
    SYNC,
    AllRights,
    PlainCiphers,
    Talk,
    bind,
    catalog,
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
    status,
)

OWN_ROWS = replace(
    FIND_EMAIL,
    segments=(b"select id from customers where fg_email_eq = ", 0, b" and id = ", 1),
    slots=(Slot(SlotKind.TERM, ValueSource(parameter=1), EMAIL), Slot(SlotKind.PRINCIPAL, attribute="subject")),
    client_parameters=1,
)
ID = columns(("id", 20, CUSTOMERS_OID, 1))
BOUND_COLUMNS = columns(("email", 17, CUSTOMERS_OID, 2), ("id", 20, CUSTOMERS_OID, 1))
TEXT = columns(("a", 25, 0, 0))
ONE = row(b"1", cell(b"ivan"))
# By name: text, description, number of parameters, a row.
PREPARED = {
    b"e": ("select email", EMAIL_COLUMNS, 0, ONE),
    b"f": ("find email", ID, 2, row(b"1")),
    b"w": ("bind day", NO_DATA, 1, b""),
    b"d": ("select day", DAY_COLUMNS, 0, row(cell(bytes(4)))),
    b"b": ("select bound", BOUND_COLUMNS, 0, row(cell(b"a"), bytes(8))),
    b"o": ("own rows", ID, 1, row(b"1")),
    b"s": ("select $1", TEXT, 1, row(b"x")),
    b"x": ("select 'é'", TEXT, 0, row(b"x")),
    b"i": ("insert", NO_DATA, 0, b""),
}
IN_PLANS: dict[str, StatementPlan] = {"select bound": BOUND_EMAIL, "own rows": OWN_ROWS}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client sends, in one piece or two, and what the server will send for it."""

    asked: bytes
    answer: bytes
    cut: int = 0
    settled: bool = True  # all is answered and recorded before the next step


def prepared() -> Talk:
    talk = Talk()
    talk.planner.plans |= IN_PLANS
    for name, (text, described, count, _) in PREPARED.items():
        talk.client(parse(text, name), describe(b"S", name), SYNC)
        talk.server(PARSED, backend.build_parameter_description((17,) * count), described, ready())
    talk.durable_at_once = False
    return talk


def _codes(codes: tuple[int, ...]) -> bytes:
    return pack(f"!{len(codes) + 1}H", len(codes), *codes)


CODES = st.sampled_from([(), (), (), (), (0,), (1,), (0, 1), (1, 0), (2,), (0, 0, 0), (65535,)])
VALUES = st.sampled_from([b"ivan", b"5", None, b"01/02/2000", b"\xff", b"", bytes(4), cell(b"q")])
ODD_BINDS = st.sampled_from([message(b"B", b) for b in (b"", b"\0", b"\0e", b"\0e\0", b"\0s\0", b"p\0e\0" + bytes(6))])


@st.composite
def binds(draw: st.DrawFn, name: bytes) -> bytes:
    if draw(st.integers(0, 60)) == 0:
        return draw(ODD_BINDS)
    count = draw(st.sampled_from([PREPARED[name][2]] * 9 + [0, 1, 3]))
    values = [draw(VALUES) for _ in range(count)]
    parts = [pack("!i", -1) if value is None else pack("!i", len(value)) + value for value in values]
    return message(
        b"B", b"\0" + name + b"\0" + _codes(draw(CODES)) + pack("!H", count) + b"".join(parts) + _codes(draw(CODES))
    )


STRANGE = st.sampled_from([
    PARSED, BOUND, CLOSED, NO_DATA, SUSPENDED, backend.EMPTY_QUERY_RESPONSE, done(), ready(), ready(b"T"), ready(b"E"),
    EMAIL_COLUMNS, DAY_COLUMNS, ID, columns(), row(), row(b"1"), row(None, None), ONE, row(cell(b"z")),
    row(hex_cell(b"x"), cell(b"ivan")), row(b"1", b"none"), failed(), failed(b"26000"), failed(b"57P01", V=b"FATAL"),
    backend.build_notice_response({b"S": b"NOTICE", b"C": b"00000", b"M": b"a value"}), status("DateStyle", "SQL, DMY"),
    status("DateStyle", "ISO, MDY"), status("search_path", "other"), status("client_encoding", "LATIN1"),
    status("standard_conforming_strings", "off"), backend.build_command_complete(b"SELECT " + hex_cell(b"o")),
    backend.build_command_complete(cell(b"")), message(b"2", b"x"), message(b"G", bytes(3)), message(b"H", bytes(3)),
    message(b"d", b"1\n"), message(b"A", b"\0\0\0\1a\0b\0"), columns((cell(b"").decode("latin-1"), 25, 0, 0)),
])  # fmt: skip
FAILURES = st.sampled_from([[failed(b"26000")], [BOUND, failed()], [failed(b"34000")], [BOUND, failed(V=b"FATAL")]])


@st.composite
def whole_rounds(draw: st.DrawFn) -> Asked:
    name = draw(st.sampled_from([*PREPARED]))
    _, described, _, one = PREPARED[name]
    middle = draw(st.booleans())
    first = draw(binds(name))
    asked = first + (describe(b"P") if middle else b"") + execute(b"", draw(st.sampled_from([0, 0, 1]))) + SYNC
    rows = [one] * draw(st.integers(0, 3)) if one else []
    end = draw(st.sampled_from([done(), done(), SUSPENDED, backend.EMPTY_QUERY_RESPONSE]))
    answer = [BOUND, *([described] if middle else []), *rows, end]
    if draw(st.integers(0, 7)) == 0:
        answer = draw(FAILURES)
    answer = [*answer, ready(draw(st.sampled_from([b"I", b"I", b"I", b"T", b"E"])))]
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 0, 1, 2]))):
        at, gone = draw(st.integers(0, len(answer))), draw(st.integers(0, 1))
        answer[at : at + gone] = draw(st.sampled_from([[], [draw(STRANGE)], answer[at : at + 1] * 2]))
    cut = draw(st.integers(1, len(asked))) if draw(st.integers(0, 9)) == 0 else 0
    return Asked(asked, b"".join(answer), cut, draw(st.integers(0, 2)) > 0)


OTHERS = st.sampled_from([
    Asked(execute() + SYNC, ONE + done() + ready()),
    Asked(execute() + SYNC, failed(b"34000") + ready()),
    Asked(describe(b"P") + SYNC, EMAIL_COLUMNS + ready(b"T")),
    Asked(SYNC, ready()),
    Asked(FLUSH, b""),
    Asked(frontend.TERMINATE, b""),
    Asked(query("begin"), done("BEGIN") + ready(b"T")),
    Asked(query("commit"), done("COMMIT") + ready()),
    Asked(query("rollback"), done("ROLLBACK") + ready()),
    Asked(query("set style"), done("SET") + status("DateStyle", "SQL, DMY") + ready()),
    Asked(query("set style"), done("SET") + status("DateStyle", "ISO, DMY") + ready(b"T")),
    Asked(query("set path"), done("SET") + status("search_path", "other") + ready(b"T")),
    Asked(query("set path"), done("SET") + ready()),
    Asked(query("set purpose"), done("SET") + ready()),
    Asked(query("reset purpose"), done("RESET") + ready()),
    Asked(query("discard all"), done("DISCARD ALL") + ready()),
    Asked(query("deallocate s"), done("DEALLOCATE") + ready()),
    Asked(query("select email"), EMAIL_COLUMNS + ONE + done() + ready()),
    Asked(query("copy t from stdin"), message(b"G", bytes(3))),
    Asked(frontend.build_copy_data(b"1\n") + frontend.COPY_DONE, done("COPY 1") + ready()),
    Asked(close(b"S", b"e") + parse("find email", b"e") + SYNC, CLOSED + PARSED + ready()),
    Asked(parse("refused", b"s") + SYNC, failed() + ready()),
    Asked(bind(name=b"e") + execute(b"", 1), BOUND + ONE + SUSPENDED),
    Asked(bind(name=b"e", portal=b"p") + execute(b"p", 1) + SYNC, BOUND + ONE + SUSPENDED + ready(b"T")),
    Asked(execute(b"p") + SYNC, ONE + done() + ready(b"T")),
])  # fmt: skip
ANSWERED, RECORDED, ALL_RECORDED = "the server answers", "a record is durable", "all records are durable"
EVENTS = [
    ANSWERED, ANSWERED, ANSWERED, RECORDED, ALL_RECORDED, ALL_RECORDED, "a record fails", "no sink", "a sink",
    "a new revision", "a refusal", "another plan", "the server closes",
]  # fmt: skip
Step = Asked | str | int
STEPS = st.lists(
    st.one_of(
        whole_rounds(), whole_rounds(), OTHERS, st.sampled_from(EVENTS), st.sampled_from(EVENTS), st.integers(1, 99)
    ),
    max_size=16,
)


class Play:
    def __init__(self) -> None:
        self.talk = prepared()
        self.conversation = self.talk.conversation
        self.pending = b""
        self.recorded = len(self.talk.tickets)
        self.begun = len(self.talk.records)

    def step(self, step: Step) -> tuple[object, ...]:
        if isinstance(step, Asked):
            self._ask(step)
            if step.settled:
                self.talk._perform()
                self._happen(ALL_RECORDED)
                self._answer(len(self.pending))
        elif isinstance(step, int) or step == ANSWERED:
            self._answer(step if isinstance(step, int) else len(self.pending))
        else:
            self._happen(step)
        self.talk._perform()
        told = self.conversation.take_to_client()
        ended = self.conversation._ended()
        if ended:  # what comes before a result is of no use any more, and may be missing
            told = b"".join(m for m in split_messages(told, BACKEND_LIMITS) if m[:1] not in b"123tTn")
        paused = self.conversation.client_paused, self.conversation.server_paused
        return self.conversation.take_to_server(), told, ended, self.conversation.idle and not ended, paused

    def _answer(self, size: int) -> None:
        self.conversation.server_bytes(self.pending[:size])
        self.pending = self.pending[size:]

    def _ask(self, step: Asked) -> None:
        if step.cut:
            self.conversation.client_bytes(step.asked[: step.cut])
            self.talk._perform()
        self.conversation.client_bytes(step.asked[step.cut :])
        self.pending += step.answer

    def _happen(self, event: str) -> None:
        plans = self.talk.planner.plans
        if event in (RECORDED, ALL_RECORDED, "a record fails"):
            waiting = self.talk.tickets[self.recorded :]
            for ticket in waiting if event == ALL_RECORDED else waiting[:1]:
                self.recorded += 1
                (self.conversation.audit_failed if "fails" in event else self.conversation.audit_durable)(ticket)
        elif event in ("no sink", "a sink"):
            self.talk.audit = event == "a sink"
        elif event == "the server closes":
            if self.conversation.leaving:
                self.conversation.server_closed()
        else:
            plans["select email"] = REFUSED if event == "a refusal" else SELECT_EMAIL
            plans["find email"] = replace(FIND_EMAIL, segments=(1, b" ", 0)) if "another" in event else FIND_EMAIL
            self.talk.revision = Revision(catalog(), AllRights(), PlainCiphers())

    def records(self) -> list[object]:
        return [
            {k: r[k] for k in ("decision", "error", "kind", "purpose", "fields")}
            for r in self.talk.records[self.begun :]
        ]


@settings(max_examples=settings.default.max_examples * 3)
@given(STEPS)
def test_a_round_changes_no_conversation(steps: list[Step]) -> None:
    with_rounds, without = Play(), Play()
    for step in steps:
        seen = with_rounds.step(step)
        with mock.patch.object(rounds, "_usual", lambda _: False):
            assert seen == without.step(step)
    assert with_rounds.records() == without.records()
