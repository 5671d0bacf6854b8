"""Keys in a session: without confirmed ones nothing protected runs; others take their place and no plan changes; a
refused cell makes the worker look for newer ones (I7)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keys.errors import SealBudgetExhausted, SealBudgetUnavailable
from proxy.errors import FieldgateError, SqlState
from proxy.sealing.fences import FENCE_MESSAGE
from proxy.session.commands import SuspectKeys
from proxy.wire import backend

from .talk import (
    BOUND,
    EMAIL_COLUMNS,
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
    parse,
    query,
    ready,
    row,
    tags,
)

UNCONFIRMED = FieldgateError("keys are not confirmed", sqlstate=SqlState.CANNOT_CONNECT_NOW)


@pytest.fixture
def talk() -> Talk:
    return Talk()


def suspected(talk: Talk) -> int:
    return sum(isinstance(command, SuspectKeys) for command in talk.commands)


# -- not confirmed


def test_a_query_over_protected_data_is_refused(talk: Talk) -> None:
    talk.keys_refusal = UNCONFIRMED
    talk.client(query("select email"))
    told = error_of(talk.server(failed(), ready())[0])
    assert (told[b"C"], told[b"M"]) == (b"57P03", b"keys are not confirmed")
    assert talk.client(query("select 1")) == [query("select 1")]


def test_a_round_of_a_statement_that_was_prepared_before_is_refused(talk: Talk) -> None:
    talk.client(parse("select email", b"s"), describe(b"S", b"s"), SYNC)
    talk.server(PARSED, backend.build_parameter_description(()), EMAIL_COLUMNS, ready())
    talk.client(bind(name=b"s"), execute(), SYNC)
    talk.server(BOUND, row(b"7", cell(b"a")), done(), ready())
    talk.keys_refusal = UNCONFIRMED
    talk.client(bind(name=b"s"), execute(), SYNC)
    assert error_of(talk.server(failed(b"26000"), ready())[0])[b"C"] == b"57P03"


def test_an_execute_of_a_portal_that_was_bound_before_is_refused(talk: Talk) -> None:
    talk.client(parse("select email", b"s"), bind(name=b"s", portal=b"p"), SYNC)
    talk.server(PARSED, BOUND, ready(b"T"))
    talk.keys_refusal = UNCONFIRMED
    talk.client(execute(b"p"), SYNC)
    assert error_of(talk.server(failed(b"34000"), ready(b"E"))[0])[b"C"] == b"57P03"


def test_it_goes_on_when_they_are_confirmed_again(talk: Talk) -> None:
    talk.keys_refusal = UNCONFIRMED
    talk.client(query("select email"))
    talk.server(failed(), ready())
    talk.keys_refusal = None
    talk.client(query("select email"))
    assert tags(talk.server(EMAIL_COLUMNS, row(b"7", cell(b"a")), done(), ready())) == "TDCZ"


# -- other keys


def test_other_keys_drop_no_plan_statement_or_portal(talk: Talk) -> None:
    talk.client(parse("select email", b"s"), bind(name=b"s", portal=b"p"), SYNC)
    talk.server(PARSED, BOUND, ready(b"T"))
    planned = len(talk.planner.contexts)
    talk.revision = replace(talk.revision, ciphers=PlainCiphers())
    assert tags(talk.client(execute(b"p"), SYNC)) == "DES"  # our own Describe, and what was sent
    assert len(talk.planner.contexts) == planned
    told = talk.server(EMAIL_COLUMNS, row(b"7", cell(b"a")), done(), ready(b"T"))
    assert tags(told) == "DCZ"
    assert tags(talk.client(bind(name=b"s"), execute(), SYNC)) == "BES"  # not parsed again


# -- refused cells


def error(code: bytes, message: bytes, constraint: bytes = b"") -> bytes:
    fields = {b"S": b"ERROR", b"V": b"ERROR", b"C": code, b"M": message}
    return backend.build_error_response({**fields, b"n": constraint} if constraint else fields)


CHECK = b"fg_" + b"0" * 31 + b"1"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (error(b"40001", FENCE_MESSAGE.encode()), 1),
        (error(b"40001", b"could not serialize access due to concurrent update"), 0),
        (error(b"23514", b"violates check constraint", CHECK), 1),
        (error(b"23514", b"violates check constraint", CHECK + b"_0123abcd"), 1),
        (error(b"23514", b"violates check constraint", b"positive_total"), 0),
        (error(b"23505", b"duplicate key", CHECK + b"_key"), 0),
    ],
)
def test_a_cell_that_is_refused_for_its_head_makes_the_worker_look(talk: Talk, said: bytes, expected: int) -> None:
    talk.client(query("insert"))
    assert tags(talk.server(said, ready())) == "EZ"
    assert suspected(talk) == expected


def test_the_client_hears_the_fence_as_a_serialization_failure(talk: Talk) -> None:
    talk.client(query("insert"))
    told = error_of(talk.server(error(b"40001", FENCE_MESSAGE.encode()), ready())[0])
    assert told[b"C"] == b"40001" and b"try the transaction again" in told[b"M"]


# -- the budget of seals


class Dry:
    """A cipher whose leases give nothing."""

    def __init__(self, why: Exception) -> None:
        self.why = why

    def cipher(self, field_id: str) -> Dry:
        return self

    def seal(self, plaintext: bytes, *, term_input: bytes | None = None, row_key: bytes | None = None) -> bytes:
        raise self.why


@pytest.mark.parametrize(
    ("why", "code", "said"),
    [
        (SealBudgetExhausted("spent"), b"54000", b"must be rotated"),
        (SealBudgetUnavailable("slow"), b"57P03", b"no cell can be sealed now"),
    ],
)
def test_what_cannot_be_sealed_says_whether_to_try_again(talk: Talk, why: Exception, code: bytes, said: bytes) -> None:
    talk.revision = replace(talk.revision, ciphers=Dry(why))
    talk.client(query("insert"))
    told = error_of(talk.server(failed(), ready())[0])
    assert told[b"C"] == code and said in told[b"M"]
