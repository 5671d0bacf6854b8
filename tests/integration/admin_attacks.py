"""Bad requests to an admin port, as bytes, each with a word that no answer, log or record may repeat."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

_VERIFY = "/v1/fields/shop/public.customers.email/verify"
_JSON = "Content-Type: application/json"


def speak(port: int, request: bytes) -> bytes:
    """The whole answer, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def bad_requests(word: str, token: str | None) -> Iterator[bytes]:
    """All of them, by somebody who is logged in by this token, or by nobody."""
    who = [] if token is None else [f"Authorization: Bearer {token}"]
    for method, path, headers in (*_places(word), *_lines(word)):
        yield request(method, path, *who, *headers)
    for number, body in enumerate(_bodies(word)):
        for path in ("/v1/subjects/shred", "/v1/escrow", _VERIFY):
            yield request("POST", path, *who, _JSON, f"Idempotency-Key: bad-body-{number:04}", body=body)
    yield from _no_http(word)


def bad_logins(word: str) -> Iterator[bytes]:
    """Nobody is let in by any of these."""
    for said in (
        f"Basic {word}", f"Bearer {word}", f"Bearer fgt_0011223344556677_{(word * 4)[:43]}", f"Bearer fgt_{word}",
        f"Bearer {word}.{word}.{word}", f"bearer  {word}", f"Bearer {word} {word}", "Bearer " + word * 1000, word,
    ):  # fmt: skip
        yield request("GET", "/v1/keys", f"Authorization: {said}")
    yield request("GET", "/v1/keys", f"Authorization: Bearer {word}", f"Authorization: Bearer {word}")


def _places(word: str) -> Iterator[tuple[str, str, list[str]]]:
    for path in (
        f"/v1/{word}", f"/{word}", f"/v1/keys/{word}", f"/v1/keys?{word}={word}", f"/v1/operations?limit={word}",
        f"/v1/operations?state={word}", f"/v1/operations?after={word}~{word}", f"/v1/operations?limit=1&limit={word}",
        f"/v1/operations?limit={'9' * 5000}&kind={word}", f"/v1/operations/{word}", f"/problems/{word}",
        f"/console/../../{word}", f"/console/..%2f..%2f{word}", f"/v1/keys/%00{word}", f"/v1/keys/%ed%a0%80{word}",
        f"//{word}", f"http://{word}/v1/keys", f"/v1/keys/{word}%0d%0aX-Injected:%20{word}", f"/?{word}", f"*{word}",
        f"/healthz/{word}", f"/metrics?{word}", f"/v1/openapi.json?{word}", "/v1/keys/" + word * 1000,
    ):  # fmt: skip
        yield "GET", path, []
    for path in (f"/v1/fields/{word}/public.{word}.{word}/verify", f"/v1/fields/shop/public.{word}.{word}/seal",
                 f"/v1/fields/{word}/public.{word}.*/rotate-data-key", f"/v1/fields/{word}/x/verify",
                 f"/v1/operations/{word}/approve", f"/v1/keys/{word}/destroy"):  # fmt: skip
        yield "POST", path, ["Idempotency-Key: bad-place-1"]
    for method in ("DELETE", "PUT", "TRACE", "OPTIONS", "CONNECT", "HEAD", word.upper()):
        yield method, "/v1/keys", [f"X-Word: {word}"]


def _lines(word: str) -> Iterator[tuple[str, str, list[str]]]:
    for line in (
        f"Idempotency-Key: {word}!", f"Idempotency-Key: {word}\r\n folded", f"Idempotency-Key: {word}\nX: {word}",
        f"Idempotency-Key: {word}%0d%0aX-Injected: {word}", f"Content-Encoding: {word}", f"Content-Type: {word}",
        f"Content-Type: application/json; charset={word}", f"Transfer-Encoding: {word}", f"Expect: {word}",
        f"Upgrade: {word}", f"Cookie: {word}={word}", f"Origin: https://{word}", f"X-Forwarded-For: {word}",
        f"Content-Length: {word}", f"{word}: {word}", f"{word}", f"Referer: https://{word}/", "X: \x00" + word,
    ):  # fmt: skip
        yield "POST", _VERIFY, [line]


def _bodies(word: str) -> Iterator[bytes]:
    yield b'{"subject": "' + word.encode()
    yield b"\xff\xfe" + word.encode("utf-16-le")
    yield b'{"subject": "\xed\xa0\x80' + word.encode() + b'"}'
    yield f'{{"database": "shop", "database": "{word}", "subject": "customer:{word}"}}'.encode()
    yield f'{{"database": "shop", "subject": "customer:{word}", "{word}": {"9" * 5000}}}'.encode()
    yield f'{{"database": {"9" * 400}, "subject": 1e999, "{word}": NaN}}'.encode()
    yield b"[" * 5000 + word.encode()
    yield b'"' + word.encode() * 200_000 + b'"'
    for said in (
        word, [word], {word: word}, {"database": [word], "subject": {word: word}},
        {"database": word, "subject": f"kind:{word}"}, {"database": "shop", "subject": f"{word[:20]}:1"},
        {"database": "shop", "subject": f"customer:\0{word}"}, {"database": "shop", "subject": f"customer:{word}\r\n"},
        {"database": "shop", "subject": f"\ud800{word}"}, {"database": "\ud800", "subject": word},
        {"format": word, "exported_at": word, "revision": word, "code": word, "keys": [word]},
        {"format": "fieldgate-wrapped-keys-1", "exported_at": "2026-01-01T00:00:00Z", "revision": 1, "code": word,
         "keys": [{"key_id": word, word: word}]},
        _row(controller=word, scope=f"{word}\0"), _row(kek_uri=word), _row(state="destroyed", scope=word),
    ):  # fmt: skip
        yield json.dumps(said).encode()


def _row(**said: str) -> dict[str, object]:
    """An export of one key, whose names say something."""
    dates = dict.fromkeys(("activated_at", "retired_at", "disabled_at", "destroyed_at"))
    key: dict[str, object] = {
        "key_id": "00" * 8, "controller": "", "scope": "ledger", "purpose": "ledger", "epoch": 1, "state": "active",
        "kek_uri": "local:demo", "wrapped": "AAAA", "created_at": "2026-01-01T00:00:00Z", **dates,
        "seals_granted": 0, "code": "A" * 43 + "=", **said,
    }  # fmt: skip
    head = {"format": "fieldgate-wrapped-keys-1", "exported_at": "2026-01-01T00:00:00Z", "revision": 1}
    return {**head, "code": "A" * 43 + "=", "keys": [key]}


def _no_http(word: str) -> Iterator[bytes]:
    told = word.encode()
    yield told + b"\r\n\r\n"
    yield b"GET /v1/keys HTTP/" + told + b"\r\n\r\n"
    yield b"GET /v1/keys HTTP/1.1\r\nHost: a\r\nX-" + told + b" : " + told + b"\r\n\r\n"
    yield b"GET /v1/keys HTTP/1.1\r\nHost: a\r\n" + told * 5000 + b": x\r\n\r\n"
    yield b"GET /" + told * 2000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    yield b"POST /v1/keks/rewrap HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + told + b"\r\n"
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + told
    yield b"\x16\x03\x01\x02\x00\x01" + told
