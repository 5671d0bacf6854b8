"""Every error of the admin port as problem+json (RFC 9457).

A problem's `type` is `/problems/<code>`, stable, and answers there with what it means and what to do.  `detail` is a
sentence of ours: it names keys, fields, operations and limits, and repeats nothing that the request said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from proxy.keywork.refusals import Code, Refusal

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    status: int
    title: str
    remedy: str


_OF_REFUSALS: dict[str, ProblemType] = {
    Code.FORBIDDEN: ProblemType(
        403, "Not allowed", "Ask somebody whose role allows it; docs/admin.md lists the roles."
    ),
    Code.UNKNOWN_KEY: ProblemType(404, "Unknown key", "GET /v1/keys lists the keys."),
    Code.UNKNOWN_FIELD: ProblemType(404, "Unknown field", "Name a sealed field of a configured database."),
    Code.UNKNOWN_OPERATION: ProblemType(404, "Unknown operation", "GET /v1/operations lists the operations."),
    Code.WRONG_KEY_STATE: ProblemType(409, "The key's state does not allow it", "The detail says what comes first."),
    Code.WRONG_OPERATION_STATE: ProblemType(
        409, "The operation's state does not allow it", "Look at the operation: it may have ended."
    ),
    Code.SAME_PERSON: ProblemType(403, "A second person must approve", "Ask another person whose role may approve."),
    Code.BUSY: ProblemType(409, "Another operation works on the same thing", "Wait for its end, or cancel it."),
    Code.IDEMPOTENCY_KEY_REUSED: ProblemType(
        422, "The idempotency key was used for another request", "Make a new key for each new request."
    ),
    Code.EXPORT_INVALID: ProblemType(422, "Not a usable export", "Use an export as it was written, unchanged."),
    Code.STORE_NOT_EMPTY: ProblemType(
        409, "The store has other keys", "An import fills an empty store, or puts back its very revision."
    ),
    Code.AUDIT_UNAVAILABLE: ProblemType(
        503, "The audit record cannot be written", "Nothing was done.  See to the audit file, then try again."
    ),
    Code.PROVIDER_UNAVAILABLE: ProblemType(
        503, "The holder of the key-encryption key cannot be used", "Nothing was done.  See to it, then try again."
    ),
    Code.STORE_UNAVAILABLE: ProblemType(
        503, "The control database cannot be used", "See to it, then send the same request with the same key."
    ),
}
_OF_HTTP: dict[str, ProblemType] = {
    "invalid-request": ProblemType(400, "The request is not as it must be", "GET /v1/openapi.json says how."),
    "idempotency-key-required": ProblemType(
        400, "An idempotency key is required", "Send Idempotency-Key: 8 to 128 letters, digits, - or _, new each time."
    ),
    "unauthenticated": ProblemType(
        401, "Not logged in", "Send Authorization: Bearer with a valid token, or a client certificate."
    ),
    "too-many-failures": ProblemType(429, "Too many failed logins", "Wait as long as Retry-After says."),
    "answer-unknown": ProblemType(
        409,
        "It is not known what became of this request",
        "Look at what it was about, then ask with a new key if needed.",
    ),
    "not-found": ProblemType(404, "There is nothing here", "GET /v1/openapi.json lists what there is."),
    "method-not-allowed": ProblemType(405, "The method is not allowed here", "Allow names those that are."),
    "body-too-large": ProblemType(413, "The body is too large", "docs/admin.md says how much is taken."),
    "uri-too-long": ProblemType(414, "The address is too long", "Shorten it."),
    "media-type": ProblemType(415, "The body must be JSON", "Send Content-Type: application/json."),
    "issuer-unavailable": ProblemType(
        503, "The issuer's keys cannot be fetched", "See to the identity provider, or use a token or certificate."
    ),
    "internal": ProblemType(500, "Something went wrong here", "The log says where.  Nothing is known to be done."),
}
TYPES: dict[str, ProblemType] = {**_OF_HTTP, **_OF_REFUSALS}


class Problem(Exception):
    """`code` is one of TYPES."""

    def __init__(self, code: str, detail: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = str(code)
        self.type = TYPES[code]
        self.detail = detail
        self.headers = dict(headers or {})


def from_refusal(refused: Refusal) -> Problem:
    return Problem(refused.code.value, refused.message)


_BY_STATUS = {
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    414: "uri-too-long",
    415: "media-type",
}


def from_http(error: web.HTTPException) -> Problem:
    """What aiohttp itself refuses; its own words are left out, since they may repeat the request."""
    code = _BY_STATUS.get(error.status, "invalid-request" if 400 <= error.status < 500 else "internal")
    kept = {name: value for name, value in error.headers.items() if name in ("Allow", "Retry-After")}
    return Problem(code, headers=kept)


def response_of(problem: Problem) -> web.Response:
    body: dict[str, object] = {
        "type": f"/problems/{problem.code}",
        "title": problem.type.title,
        "status": problem.type.status,
    }
    if problem.detail is not None:
        body["detail"] = problem.detail
    return web.Response(
        body=json.dumps(body).encode(),
        status=problem.type.status,
        headers={**problem.headers, "Content-Type": MEDIA_TYPE},
    )
