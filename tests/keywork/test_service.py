"""The key service: who may do what, what is refused before it begins, and that nothing happens without a record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from keys.key_tables import Uses
from keys.lifecycle import KeyState
from proxy.keywork.operation import NEEDS_APPROVAL, OperationKind, OperationState, Target, Wanted
from proxy.keywork.refusals import Code, Refusal
from tests.support.keywork import EMAIL, PASSPORT, SUBJECT, Desk, actor, asked, make_desk

OLGA, PAVEL, AUDITOR, DPO = (
    actor("olga"),
    actor("pavel", "security-admin"),
    actor("anna", "auditor"),
    actor("dina", "dpo"),
)
ROTATE = OperationKind.ROTATE_DATA_KEY
EMAIL_TARGET = Target(database="shop", field=EMAIL)


@pytest.fixture
async def desk() -> Desk:
    return await make_desk()


async def refusal(work: Awaitable[object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await work
    return caught.value


async def test_keys_say_where_they_are_used_and_what_is_left_of_them(desk: Desk) -> None:
    lines = await desk.service.keys(AUDITOR)
    by_place = {place.field: line for line in lines for place in line.places if line.key.info.slot.purpose == "cell"}
    assert by_place[EMAIL].seals_left == 1 << 32 and by_place[EMAIL].uses == Uses()
    shared = [line for line in lines if line.key.info.slot.scope == "group:client_ip"]
    assert [place.field for place in shared[0].places] == [
        "public.login_events.ip",
        "public.orders.submit_ip",
    ]
    one = await desk.service.key(AUDITOR, by_place[EMAIL].key.name)
    assert one == by_place[EMAIL]
    for unknown in ("00" * 8, "no hex", ""):
        assert (await refusal(desk.service.key(AUDITOR, unknown))).code is Code.UNKNOWN_KEY


async def test_a_request_is_recorded_before_and_after(desk: Desk) -> None:
    made = await desk.service.request(OLGA, asked(), ROTATE, EMAIL_TARGET)
    assert (made.state, made.target, made.requested_by) == (OperationState.QUEUED, EMAIL_TARGET, "olga")
    assert desk.sink.told() == [("operation-requested", "asked"), ("operation-requested", "done")]
    for record in desk.sink.records:
        assert (record["operation"], record["kind"], record["field"]) == (str(made.operation_id), ROTATE.value, EMAIL)
        assert (record["person"], record["via"], record["roles"]) == ("olga", OLGA.via, ["key-admin"])


async def test_the_same_request_again_is_the_same_operation_and_no_second_record(desk: Desk) -> None:
    wish = asked("k", 1)
    first = await desk.service.request(OLGA, wish, ROTATE, EMAIL_TARGET)
    desk.sink.lines.clear()
    assert await desk.service.request(OLGA, wish, ROTATE, EMAIL_TARGET) == first
    assert desk.sink.lines == [] and len(desk.records.rows) == 1
    other = await refusal(desk.service.request(OLGA, asked("k", 2), ROTATE, EMAIL_TARGET))
    assert other.code is Code.IDEMPOTENCY_KEY_REUSED


async def test_another_persons_key_is_another_key(desk: Desk) -> None:
    await desk.service.request(OLGA, asked("k", 1), OperationKind.VERIFY, EMAIL_TARGET)
    await desk.service.request(PAVEL, asked("k", 2), OperationKind.VERIFY, EMAIL_TARGET)
    assert len(desk.records.rows) == 2


@pytest.mark.parametrize("kind", OperationKind)
async def test_an_auditor_asks_for_nothing(desk: Desk, kind: OperationKind) -> None:
    refused = await refusal(desk.service.request(AUDITOR, asked(), kind, EMAIL_TARGET))
    assert refused.code is Code.FORBIDDEN and not desk.records.rows
    assert desk.sink.told() == [("operation-requested", "refused")]


WISHES: list[tuple[OperationKind, Target, Code]] = [
    (ROTATE, Target(database="shop", field="public.customers.nothing"), Code.UNKNOWN_FIELD),
    (ROTATE, Target(database="other", field=EMAIL), Code.UNKNOWN_FIELD),
    (ROTATE, Target(database="shop", field="public.customers.id"), Code.UNKNOWN_FIELD),
    (ROTATE, Target(), Code.UNKNOWN_FIELD),
    (OperationKind.ROTATE_TERM_KEY, Target(database="shop", field=PASSPORT), Code.UNKNOWN_FIELD),
    (OperationKind.DISABLE_KEY, Target(key_id="00" * 8), Code.UNKNOWN_KEY),
    (OperationKind.DESTROY_KEY, Target(), Code.UNKNOWN_KEY),
]


@pytest.mark.parametrize(("kind", "target", "code"), WISHES)
async def test_what_cannot_be_is_refused_at_once(desk: Desk, kind: OperationKind, target: Target, code: Code) -> None:
    assert (await refusal(desk.service.request(OLGA, asked(), kind, target))).code is code
    assert not desk.records.rows
    assert desk.sink.records[-1]["error"] == code.value


async def test_an_active_key_is_not_disabled_and_the_stores_own_never(desk: Desk) -> None:
    key = await desk.key_of()
    for kind in (OperationKind.DISABLE_KEY, OperationKind.ENABLE_KEY, OperationKind.DESTROY_KEY):
        refused = await refusal(desk.service.request(OLGA, asked(), kind, Target(key_id=key.name)))
        assert refused.code is Code.WRONG_KEY_STATE and "rotate it first" in refused.message
    [own] = [k for k in desk.tables.rows.values() if k.info.slot.purpose == "ledger"]
    refused = await refusal(desk.service.request(OLGA, asked(), OperationKind.DISABLE_KEY, Target(key_id=own.name)))
    assert refused.code is Code.WRONG_KEY_STATE


async def test_destruction_waits_for_its_time_and_a_second_person(desk: Desk) -> None:
    key = await desk.disabled_key()
    made = await desk.service.request(OLGA, asked(), OperationKind.DESTROY_KEY, Target(key_id=key.name))
    assert made.state is OperationState.AWAITING_APPROVAL
    assert key.disabled_at is not None and made.not_before == key.disabled_at + timedelta(days=7)
    assert made.target == Target(database="shop", field=EMAIL, key_id=key.name)
    for same in (OLGA, actor("olga", "security-admin")):  # the same person in another role, by another login
        assert (await refusal(desk.service.approve(same, made.operation_id))).code is Code.SAME_PERSON
    approved = await desk.service.approve(PAVEL, made.operation_id)
    assert (approved.state, approved.approved_by) == (OperationState.QUEUED, "pavel")
    assert await desk.records.claim(made.operation_id) is None


@pytest.mark.parametrize("kind", sorted(NEEDS_APPROVAL))
async def test_nobody_approves_without_the_right(desk: Desk, kind: OperationKind) -> None:
    target = {OperationKind.SHRED_SUBJECT: Target(database="shop", subject=SUBJECT)}.get(kind, EMAIL_TARGET)
    if kind is OperationKind.DESTROY_KEY:
        target = Target(key_id=(await desk.disabled_key()).name)
    who = DPO if kind is OperationKind.SHRED_SUBJECT else OLGA
    made = await desk.service.request(who, asked(), kind, target)
    assert (await refusal(desk.service.approve(AUDITOR, made.operation_id))).code is Code.FORBIDDEN
    assert desk.sink.told()[-1] == ("operation-approved", "refused")
    await desk.service.approve(PAVEL, made.operation_id)


async def test_work_on_the_same_keys_is_refused_while_it_lasts(desk: Desk) -> None:
    first = await desk.service.request(OLGA, asked(), ROTATE, EMAIL_TARGET)
    for kind in (ROTATE, OperationKind.UNSEAL_FIELD, OperationKind.SEAL_FIELD, OperationKind.ROTATE_TERM_KEY):
        if kind in NEEDS_APPROVAL:
            continue
        refused = await refusal(desk.service.request(OLGA, asked(), kind, EMAIL_TARGET))
        assert refused.code is Code.BUSY and str(first.operation_id) in refused.message
    assert desk.sink.told()[-1] == ("operation-requested", "refused")
    await desk.service.request(OLGA, asked(), OperationKind.VERIFY, EMAIL_TARGET)
    await desk.service.request(OLGA, asked(), OperationKind.REWRAP, Target())
    with pytest.raises(Refusal):
        await desk.service.request(OLGA, asked(), OperationKind.ROTATE_KEK, Target())


async def test_the_terms_of_a_join_group_are_one_thing(desk: Desk) -> None:
    place = Target(database="shop", field="public.orders.submit_ip")
    other = Target(database="shop", field="public.login_events.ip")
    await desk.service.request(OLGA, asked(), OperationKind.ROTATE_TERM_KEY, place)
    assert (await refusal(desk.service.request(OLGA, asked(), ROTATE, other))).code is Code.BUSY


async def test_steering_is_recorded_and_needs_a_right(desk: Desk) -> None:
    made = await desk.service.request(OLGA, asked(), ROTATE, EMAIL_TARGET)
    desk.sink.lines.clear()
    assert (await desk.service.steer(PAVEL, made.operation_id, Wanted.PAUSE)).state is OperationState.PAUSED
    assert (await desk.service.steer(OLGA, made.operation_id, Wanted.RUN)).state is OperationState.QUEUED
    assert (await refusal(desk.service.steer(DPO, made.operation_id, Wanted.CANCEL))).code is Code.FORBIDDEN
    assert (await desk.service.steer(OLGA, made.operation_id, Wanted.CANCEL)).state is OperationState.CANCELLED
    events = [event for event, _ in desk.sink.told()]
    assert events == [
        *["operation-paused"] * 2,
        *["operation-resumed"] * 2,
        "operation-cancelled",
        *["operation-cancelled"] * 2,
    ]
    assert (await refusal(desk.service.retry(OLGA, made.operation_id))).code is Code.WRONG_OPERATION_STATE


async def test_a_failed_operation_is_tried_again(desk: Desk) -> None:
    made = await desk.service.request(OLGA, asked(), ROTATE, EMAIL_TARGET)
    claim = await desk.records.claim(made.operation_id)
    assert claim is not None
    await desk.records.finish(claim, OperationState.FAILED, "lost")
    assert (await desk.service.retry(OLGA, made.operation_id)).state is OperationState.QUEUED


ACTS: list[Callable[[Desk, UUID], Awaitable[object]]] = [
    lambda d, i: d.service.request(OLGA, asked(), ROTATE, EMAIL_TARGET),
    lambda d, i: d.service.approve(PAVEL, i),
    lambda d, i: d.service.steer(OLGA, i, Wanted.CANCEL),
    lambda d, i: d.service.export(OLGA),
    lambda d, i: d.service.keys(OLGA),
    lambda d, i: d.service.operations(OLGA, 10),
]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("down", [True, False])
async def test_without_the_audit_sink_nothing_is_done(
    desk: Desk, act: Callable[[Desk, UUID], Awaitable[object]], down: bool
) -> None:
    key = await desk.disabled_key()
    made = await desk.service.request(OLGA, asked(), OperationKind.DESTROY_KEY, Target(key_id=key.name))
    before = dict(desk.records.rows)
    states = [row.operation.state for row in before.values()]
    desk.sink.available, desk.sink.fail_after = not down, 0
    assert (await refusal(act(desk, made.operation_id))).code is Code.AUDIT_UNAVAILABLE
    assert desk.records.rows == before and [row.operation.state for row in before.values()] == states


async def test_what_is_done_stays_done_when_the_sink_fails_afterwards(desk: Desk) -> None:
    desk.sink.fail_after = 1
    made = await desk.service.request(OLGA, asked(), ROTATE, EMAIL_TARGET)
    assert made.state is OperationState.QUEUED and desk.sink.told() == [("operation-requested", "asked")]


async def test_looking_again_and_again_is_recorded_once_in_a_minute(desk: Desk) -> None:
    for _ in range(3):
        await desk.service.operations(AUDITOR, 10)
    await desk.service.keys(AUDITOR)
    assert [(r["event"], r["kind"]) for r in desk.sink.records] == [("read", "operations"), ("read", "keys")]


async def test_unknown_operations_are_unknown(desk: Desk) -> None:
    for work in (
        desk.service.operation(OLGA, uuid4()),
        desk.service.approve(OLGA, uuid4()),
        desk.service.steer(OLGA, uuid4(), Wanted.PAUSE),
    ):
        assert (await refusal(work)).code is Code.UNKNOWN_OPERATION


async def test_a_lost_control_database_is_no_mystery(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(*_: object) -> None:
        raise ConnectionResetError("10.0.0.1 went away")

    monkeypatch.setattr(desk.records, "page", lost)
    refused = await refusal(desk.service.operations(OLGA, 10))
    assert refused.code is Code.STORE_UNAVAILABLE and "10.0.0.1" not in refused.message


async def test_a_key_is_enabled_again(desk: Desk) -> None:
    key = await desk.disabled_key()
    made = await desk.service.request(OLGA, asked(), OperationKind.ENABLE_KEY, Target(key_id=key.name))
    assert made.kind is OperationKind.ENABLE_KEY and key.info.state is KeyState.DISABLED


async def test_a_key_tells_what_the_latest_verification_counted(desk: Desk) -> None:
    key = await desk.key_of()
    assert (await desk.service.key(OLGA, key.name)).counted is None
    for cells in (40, 7):
        made = await desk.service.request(OLGA, asked(), OperationKind.VERIFY, EMAIL_TARGET)
        claim = await desk.records.claim(made.operation_id)
        assert claim is not None
        report = {"database": "shop", "field": EMAIL, "by_key": {key.name: cells, "00" * 8: 3}}
        await desk.records.report(claim, {"verified": [report, {"database": "other", "field": EMAIL}]})
        await desk.records.finish(claim, OperationState.DONE)
    found = (await desk.service.key(OLGA, key.name)).counted
    assert found is not None and (found.cells, found.operation_id) == (7, made.operation_id)
    other = await desk.key_of(PASSPORT)
    assert (await desk.service.key(OLGA, other.name)).counted is None
