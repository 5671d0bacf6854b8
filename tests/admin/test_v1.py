"""The /v1 endpoints over HTTP: what they answer, once for each key, and every error as a problem."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.admin.problems import TYPES
from proxy.keywork.operation import OperationState
from tests.support.admin_port import Port, running_port
from tests.support.keywork import EMAIL

ROTATE = f"/v1/fields/shop/{EMAIL}/rotate-data-key"
VERIFY = f"/v1/fields/shop/{EMAIL}/verify"


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    async with running_port() as made:
        yield made


@pytest.fixture
async def olga(port: Port) -> str:
    return await port.token("olga")


async def test_keys_are_listed_and_shown(port: Port, olga: str) -> None:
    listed = await port.ask("GET", "/v1/keys", olga)
    keys = {key["key_id"]: key for key in listed.body["keys"]}
    assert listed.status == 200 and len(keys) == len(port.desk.tables.rows)
    email = await port.desk.key_of()
    one = await port.ask("GET", f"/v1/keys/{email.name}", olga)
    assert one.body == keys[email.name]
    assert one.body["used_by"] == [{"database": "shop", "field": EMAIL}]
    assert one.body["seals_left"] == one.body["seals_limit"] == 2**32
    assert 'wrapped"' not in one.text and (email.wrapped or b"").hex() not in listed.text


async def test_an_operation_is_asked_for_approved_steered_and_seen(port: Port, olga: str) -> None:
    key = await port.desk.disabled_key()
    pavel = await port.token("pavel")
    made = await port.ask("POST", f"/v1/keys/{key.name}/destroy", olga)
    assert (made.status, made.body["state"], made.body["requested_by"]) == (202, "awaiting-approval", "olga")
    path = f"/v1/operations/{made.body['operation_id']}"
    assert (await port.ask("POST", f"{path}/approve", olga)).problem == "same-person"
    approved = await port.ask("POST", f"{path}/approve", pavel)
    assert (approved.status, approved.body["state"], approved.body["approved_by"]) == (200, "queued", "pavel")
    assert (await port.ask("POST", f"{path}/pause", olga)).body["state"] == "paused"
    assert (await port.ask("POST", f"{path}/resume", olga)).body["state"] == "queued"
    assert (await port.ask("POST", f"{path}/cancel", pavel)).body["state"] == "cancelled"
    assert (await port.ask("POST", f"{path}/resume", olga)).problem == "wrong-operation-state"
    assert (await port.ask("GET", path, olga)).body["state"] == "cancelled"
    assert (await port.ask("POST", f"{path}/retry", olga)).problem == "wrong-operation-state"


async def test_pages_follow_each_other(port: Port, olga: str) -> None:
    for _ in range(5):
        await port.ask("POST", VERIFY, olga)
    seen: list[str] = []
    path = "/v1/operations?limit=2"
    while True:
        page = (await port.ask("GET", path, olga)).body
        seen += [each["operation_id"] for each in page["operations"]]
        if page["next"] is None:
            break
        path = f"/v1/operations?limit=2&after={page['next']}".replace("+", "%2B")
    assert len(seen) == len(set(seen)) == 5
    assert len((await port.ask("GET", "/v1/operations?kind=verify&state=queued", olga)).body["operations"]) == 5
    assert (await port.ask("GET", "/v1/operations?state=done", olga)).body == {"operations": [], "next": None}


async def test_the_same_request_again_is_answered_and_not_done_again(port: Port, olga: str) -> None:
    first = await port.ask("POST", ROTATE, olga, key="the-same-key")
    again = await port.ask("POST", ROTATE, olga, key="the-same-key")
    assert (again.status, again.text) == (first.status, first.text)
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    assert len(port.desk.records.rows) == 1
    for path, body in [(VERIFY, None), (ROTATE.replace("email", "phone"), None), ("/v1/keks/rewrap", {})]:
        assert (await port.ask("POST", path, olga, key="the-same-key", body=body)).problem == "idempotency-key-reused"


async def test_a_replayed_pause_does_not_pause_what_was_resumed(port: Port, olga: str) -> None:
    made = await port.ask("POST", ROTATE, olga)
    path = f"/v1/operations/{made.body['operation_id']}"
    await port.ask("POST", f"{path}/pause", olga, key="pause-once")
    await port.ask("POST", f"{path}/resume", olga)
    replayed = await port.ask("POST", f"{path}/pause", olga, key="pause-once")
    assert replayed.body["state"] == "paused"
    assert (await port.ask("GET", path, olga)).body["state"] == "queued"


async def test_of_a_key_only_its_digest_is_kept(port: Port, olga: str) -> None:
    await port.ask("POST", ROTATE, olga, key="ivan-petrov-1970")
    [[person, kept]], [row] = port.answers.rows, port.desk.records.rows.values()
    assert person == "olga" and kept == row.new.idempotency_key == hashlib.sha256(b"ivan-petrov-1970").hexdigest()


async def test_another_persons_key_shows_nothing_of_theirs(port: Port, olga: str) -> None:
    await port.ask("POST", ROTATE, olga, key="guessable-key")
    kirill = await port.token("kirill")
    other = await port.ask("POST", VERIFY, kirill, key="guessable-key")
    assert other.status == 202 and other.body["requested_by"] == "kirill"


async def test_a_lost_answer_does_not_make_a_second_operation(port: Port, olga: str) -> None:
    first = await port.ask("POST", ROTATE, olga, key="the-same-key")
    port.answers.rows.clear()  # the process died between the deed and the answer
    again = await port.ask("POST", ROTATE, olga, key="the-same-key")
    assert again.body["operation_id"] == first.body["operation_id"] and len(port.desk.records.rows) == 1


async def test_a_refusal_is_no_answer(port: Port, olga: str) -> None:
    first = await port.ask("POST", ROTATE, olga)
    assert (await port.ask("POST", ROTATE, olga, key="try-it-again")).problem == "busy"
    await port.ask("POST", f"/v1/operations/{first.body['operation_id']}/cancel", olga)
    assert (await port.ask("POST", ROTATE, olga, key="try-it-again")).status == 202


@pytest.mark.parametrize("key", [None, "short", "x" * 129, "with space1", "käse-käse-käse", "semi;colon"])
async def test_a_post_needs_an_idempotency_key(port: Port, olga: str, key: str | None) -> None:
    if key is not None and not key.isascii():
        said = await port.ask(
            "POST", ROTATE, olga, headers={"Idempotency-Key": key.encode().decode("latin-1")}, key=None
        )
    else:
        said = await port.ask("POST", ROTATE, olga, key=key)
    assert said.problem == "idempotency-key-required"
    assert not port.desk.records.rows


JSON = {"Content-Type": "application/json"}
ZERO = "00000000-0000-0000-0000-000000000000"
ERRORS: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/v1/nothing", {}, 404, "not-found"),
    ("GET", "/nothing", {}, 404, "not-found"),
    ("DELETE", "/v1/keys", {}, 405, "method-not-allowed"),
    ("POST", "/v1/keys", {}, 405, "method-not-allowed"),
    ("HEAD", "/v1/keys", {}, 405, ""),
    ("OPTIONS", "/v1/keys", {}, 405, "method-not-allowed"),
    ("GET", "/v1/keys/0011223344556677", {}, 404, "unknown-key"),
    ("GET", "/v1/keys/NOHEX", {}, 400, "invalid-request"),
    ("GET", "/v1/keys/..%2f..%2fetc%2fpasswd", {}, 400, "invalid-request"),
    ("GET", "/v1/operations/17", {}, 400, "invalid-request"),
    ("GET", "/v1/operations/00000000-0000-0000-0000-000000000000", {}, 404, "unknown-operation"),
    ("GET", "/v1/operations?limit=0", {}, 400, "invalid-request"),
    ("GET", "/v1/operations?limit=1&limit=2", {}, 400, "invalid-request"),
    ("GET", "/v1/operations?secret=1", {}, 400, "invalid-request"),
    ("GET", "/v1/operations?after=2026-13-41T00:00:00.000Z~" + ZERO, {}, 400, "invalid-request"),
    ("POST", "/v1/fields/shop/public.customers.nothing/verify", {}, 404, "unknown-field"),
    ("POST", "/v1/fields/shop/x/verify", {}, 400, "invalid-request"),
    ("POST", "/v1/fields/..%2f/public.a.b/verify", {}, 400, "invalid-request"),
    ("POST", VERIFY, {"body": {"more": 1}}, 400, "invalid-request"),
    ("POST", VERIFY, {"data": b"{", "headers": JSON}, 400, "invalid-request"),
    ("POST", VERIFY, {"data": b"[]", "headers": JSON}, 400, "invalid-request"),
    ("POST", VERIFY, {"data": b"\xff", "headers": JSON}, 400, "invalid-request"),
    ("POST", VERIFY, {"data": b"[" * 9999, "headers": JSON}, 400, "invalid-request"),
    ("POST", VERIFY, {"data": b"{}", "headers": {"Content-Type": "text/plain"}}, 415, "media-type"),
    ("POST", VERIFY, {"data": b"{}", "headers": {**JSON, "Content-Encoding": "gzip"}}, 415, "media-type"),
    ("POST", VERIFY, {"data": b" " * 70_000, "headers": JSON}, 413, "body-too-large"),
    ("POST", "/v1/subjects/shred", {}, 415, "media-type"),
    ("POST", "/v1/subjects/shred", {"body": {"database": "shop", "subject": "a b"}}, 400, "invalid-request"),
    ("POST", "/v1/subjects/shred", {"data": b'{"database":"shop","database":"x","subject":"1"}',
     "headers": JSON}, 400, "invalid-request"),
    ("POST", "/v1/escrow", {"body": {"format": "other"}}, 400, "invalid-request"),
    ("GET", "/problems/nothing-known", {}, 404, "not-found"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "sent", "status", "code"), ERRORS, ids=lambda v: str(v)[:40])
async def test_every_error_is_a_problem(
    port: Port, olga: str, method: str, path: str, sent: dict[str, Any], status: int, code: str
) -> None:
    said = await port.ask(method, path, olga, **sent)
    assert said.status == status
    if method != "HEAD":
        assert said.problem == code and code in TYPES
    assert said.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_body_in_pieces_is_measured_too(port: Port, olga: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b" " * 1024

    said = await port.ask("POST", VERIFY, olga, data=pieces(), headers={"Content-Type": "application/json"})  # type: ignore[arg-type]
    assert said.problem == "body-too-large"


async def test_nothing_that_was_sent_comes_back(port: Port, olga: str) -> None:
    word = "Ivanov7781"
    for method, path, sent in [
        ("GET", f"/v1/keys/{word}", {}),
        ("GET", f"/v1/{word}", {}),
        ("GET", f"/v1/operations?{word}={word}", {}),
        ("POST", f"/v1/fields/{word}/public.{word}.b/verify", {"body": {word: word}}),
        ("POST", f"/v1/fields/{word}/public.{word}.b/verify", {}),
        ("POST", f"/v1/fields/shop/public.{word}.*/rotate-data-key", {}),
        ("POST", "/v1/subjects/shred", {"body": {"database": word, "subject": f"customer:{word}"}}),
        ("POST", VERIFY, {"body": {word: word}}),
        ("POST", "/v1/subjects/shred", {"body": {"database": word + "!", "subject": word + "!"}}),
    ]:
        said = await port.ask(method, path, olga, **sent)  # type: ignore[arg-type]
        assert said.status in (400, 403, 404) and word not in said.text, path
    assert word.encode() not in b"".join(port.desk.sink.lines)


async def test_a_defect_of_ours_shows_nothing(port: Port, olga: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret 17")

    monkeypatch.setattr(port.desk.service, "keys", broken)
    said = await port.ask("GET", "/v1/keys", olga)
    assert (said.status, said.problem) == (500, "internal") and "17" not in said.text


async def test_problem_types_explain_themselves_without_a_login(port: Port) -> None:
    for code, found in TYPES.items():
        said = await port.ask("GET", f"/problems/{code}")
        assert said.status == 200 and said.body["status"] == found.status and said.body["remedy"]


async def test_no_site_may_read_frame_or_call_us(port: Port, olga: str) -> None:
    said = await port.ask("GET", "/v1/keys", olga, headers={"Origin": "https://evil.example"})
    assert not [name for name in said.headers if name.lower().startswith("access-control")]
    assert said.headers["X-Frame-Options"] == "DENY" and "default-src 'none'" in said.headers["Content-Security-Policy"]
    assert said.headers["Cache-Control"] == "no-store"


async def test_escrow_goes_out_and_comes_back(port: Port, olga: str) -> None:
    out = await port.ask("GET", "/v1/escrow", olga)
    assert out.status == 200 and out.body["format"] == "fieldgate-wrapped-keys-1"
    back = await port.ask("POST", "/v1/escrow", olga, body=out.body)
    assert back.body == {"revision": out.body["revision"], "put_back": [], "present": len(out.body["keys"])}
    changed = {**out.body, "revision": out.body["revision"] + 1}
    assert (await port.ask("POST", "/v1/escrow", olga, body=changed)).problem == "store-not-empty"


async def test_without_the_audit_sink_or_the_store_it_is_503(port: Port, olga: str) -> None:
    port.desk.sink.available = False
    assert (await port.ask("POST", ROTATE, olga)).problem == "audit-unavailable"
    assert (await port.ask("GET", "/v1/keys", olga)).problem == "audit-unavailable"
    assert not port.desk.records.rows


RAW: list[bytes] = [
    b"GET /v1/keys HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /v1/keys HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"GET /v1/keys HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    b"GET /v1/keys HTTP/1.1\r\nHost: a\r\nX-Bad : secret17\r\n\r\n",
    b"GET /v1/keys HTTP/1.1\r\nHost: a\r\nX: a\nAuthorization: Bearer secret17\r\n\r\n",
    b"GET /v1/keys HTTP/1.1\r\nHost: a\r\nX: secret17\0\r\n\r\n",
    b"secret17\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: secret17\r\n\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
]


@pytest.mark.parametrize("raw", RAW, ids=range(len(RAW)))
async def test_what_is_no_proper_http_is_refused_without_repeating_it(port: Port, raw: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port.server.port)
    writer.write(raw)
    answered = await asyncio.wait_for(reader.read(65536), 10)
    writer.close()
    head, _, body = answered.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] in (b"400", b"401") and b"application/problem+json" in head
    assert b"secret17" not in answered and json.loads(body)["type"] in (
        "/problems/invalid-request",
        "/problems/unauthenticated",
    )


async def test_a_request_hidden_behind_another_is_not_served(port: Port, olga: str) -> None:
    """Two lengths, two requests in one: the second must not be taken for one of Olga's."""
    hidden = "POST /v1/keks/rotate HTTP/1.1\r\nHost: a\r\nIdempotency-Key: smuggled-key\r\n"
    hidden += f"Authorization: Bearer {olga}\r\n\r\n"
    body = f"0\r\n\r\n{hidden}".encode()
    head = (
        f"POST /v1/keks/rewrap HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port.server.port)
    writer.write(head.encode() + body)
    answered = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert answered.count(b"HTTP/1.") == 1 and b" 400 " in answered.split(b"\r\n")[0]
    assert not port.desk.records.rows


async def test_states_of_operations_are_the_documented_ones(port: Port, olga: str) -> None:
    described = (await port.ask("GET", "/v1/openapi.json")).body
    assert described["components"]["schemas"]["OperationState"]["enum"] == [state.value for state in OperationState]
