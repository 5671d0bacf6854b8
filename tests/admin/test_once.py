"""A key is claimed before anything is done: whatever is lost, nothing is done twice; and who hears of it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.admin.routes import ROUTES, Call, Route
from proxy.keywork.operation import OperationState
from proxy.keywork.refusals import Code, Refusal
from tests.support.admin_port import Port, running_port
from tests.support.keywork import EMAIL, actor, asked

ROTATE = f"/v1/fields/shop/{EMAIL}/rotate-data-key"
ASKED = [route for route in ROUTES if route.method == "POST"]


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    async with running_port() as made:
        yield made


@pytest.fixture
async def olga(port: Port) -> str:
    return await port.token("olga")


@pytest.fixture
async def operation(port: Port, olga: str) -> str:
    """The path of one that is queued."""
    return f"/v1/operations/{(await port.ask('POST', ROTATE, olga)).body['operation_id']}"


async def state(port: Port, olga: str, operation: str) -> str:
    return str((await port.ask("GET", operation, olga)).body["state"])


async def test_an_answer_that_could_not_be_kept_is_not_made_again(port: Port, olga: str, operation: str) -> None:
    port.answers.lost = True
    assert (await port.ask("POST", f"{operation}/pause", olga, key="pause-once")).status == 200
    port.answers.lost = False
    await port.ask("POST", f"{operation}/resume", olga)
    again = await port.ask("POST", f"{operation}/pause", olga, key="pause-once")
    assert (again.status, again.problem) == (409, "answer-unknown")
    assert operation.rpartition("/")[2] in again.body["detail"]
    assert await state(port, olga, operation) == OperationState.QUEUED


async def test_a_lost_answer_of_an_operation_is_the_operation(port: Port, olga: str) -> None:
    port.answers.lost = True
    first = await port.ask("POST", ROTATE, olga, key="rotate-once")
    port.answers.lost = False
    again = await port.ask("POST", ROTATE, olga, key="rotate-once")
    assert again.body["operation_id"] == first.body["operation_id"] and len(port.desk.records.rows) == 1
    other = ROTATE.replace("rotate-data-key", "verify")
    assert (await port.ask("POST", other, olga, key="rotate-once")).problem == "idempotency-key-reused"


async def test_a_request_that_is_under_way_is_not_begun_again(
    port: Port, olga: str, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steer, begun, go_on, times = port.desk.service.steer, asyncio.Event(), asyncio.Event(), 0

    async def slow(*said: Any) -> Any:
        nonlocal times
        times += 1
        begun.set()
        if times == 1:
            await go_on.wait()
        return await steer(*said)

    monkeypatch.setattr(port.desk.service, "steer", slow)
    first = asyncio.create_task(port.ask("POST", f"{operation}/pause", olga, key="pause-once"))
    await begun.wait()
    assert (await port.ask("POST", f"{operation}/pause", olga, key="pause-once")).problem == "answer-unknown"
    go_on.set()
    done = await first
    assert (done.status, times) == (200, 1)
    assert (await port.ask("POST", f"{operation}/pause", olga, key="pause-once")).text == done.text


@pytest.mark.parametrize(
    ("fault", "said"),
    [(Refusal(Code.STORE_UNAVAILABLE, "lost behind the commit"), "store-unavailable"), (RuntimeError(), "internal")],
)
async def test_what_may_have_been_done_is_not_done_again(
    port: Port, olga: str, operation: str, monkeypatch: pytest.MonkeyPatch, fault: Exception, said: str
) -> None:
    steer = port.desk.service.steer

    async def acts_and_fails(*said: Any) -> None:
        await steer(*said)
        raise fault

    with monkeypatch.context() as patched:
        patched.setattr(port.desk.service, "steer", acts_and_fails)
        assert (await port.ask("POST", f"{operation}/pause", olga, key="pause-once")).problem == said
    await port.ask("POST", f"{operation}/resume", olga)
    assert (await port.ask("POST", f"{operation}/pause", olga, key="pause-once")).problem == "answer-unknown"
    assert await state(port, olga, operation) == OperationState.QUEUED


async def test_a_refusal_gives_the_key_back(port: Port, olga: str, operation: str) -> None:
    assert (await port.ask("POST", f"{operation}/retry", olga, key="once-more-1")).problem == "wrong-operation-state"
    port.desk.sink.available = False
    assert (await port.ask("POST", f"{operation}/pause", olga, key="once-more-1")).problem == "audit-unavailable"
    port.desk.sink.available = True
    assert (await port.ask("POST", f"{operation}/pause", olga, key="once-more-1")).status == 200


async def test_who_may_not_do_it_any_more_is_not_told_again(port: Port, olga: str, operation: str) -> None:
    """The same person, whose token has fewer roles now: neither the operation's answer nor a steering's is repeated."""
    anna = await port.token("olga", "security-admin")
    assert (await port.ask("POST", ROTATE.replace("email", "phone"), olga, key="rotate-once")).status == 202
    said = await port.ask("POST", ROTATE.replace("email", "phone"), anna, key="rotate-once")
    assert said.problem == "forbidden" and "Idempotency-Replayed" not in said.headers
    assert port.desk.sink.told()[-1] == ("operation-requested", "refused")
    assert (await port.ask("POST", f"{operation}/pause", olga, key="pause-once")).status == 200
    assert (
        await port.ask("POST", f"{operation}/pause", anna, key="pause-once")
    ).status == 200  # steering is theirs, too
    export = (await port.ask("GET", "/v1/escrow", olga)).body
    assert (await port.ask("POST", "/v1/escrow", olga, key="import-once", body=export)).status == 200
    assert (await port.ask("POST", "/v1/escrow", anna, key="import-once", body=export)).problem == "forbidden"


@pytest.mark.parametrize("route", ASKED, ids=[route.path for route in ASKED])
async def test_every_route_that_acts_says_who_may_hear_of_it(
    port: Port, olga: str, operation: str, route: Route
) -> None:
    """An auditor may do none of it."""
    [one] = port.desk.records.rows
    path = route.path_model.model_construct(operation_id=one)
    with pytest.raises(Refusal) as refused:
        await route.right(port.desk.service, Call(actor("anna", "auditor"), path, None, None, asked()))
    assert refused.value.code is Code.FORBIDDEN
