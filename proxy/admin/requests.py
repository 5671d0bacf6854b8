"""A request, taken apart and validated before anything is done with it.

Raises Problem naming the parameter and what is wrong with it; what stood there is not repeated.  Lengths are checked
before bytes are read, a compressed body is refused (it may be of any size), and a JSON object that says a key twice is.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ValidationError

from proxy.keywork.service import Asked

from .problems import Problem
from .routes import Route

_WITHIN = 60.0  # seconds for a body to arrive
_KEY = re.compile(r"[A-Za-z0-9_-]{8,128}", re.ASCII)


def path_of(request: web.Request, route: Route) -> BaseModel:
    return _validated(route.path_model, dict(request.match_info), "path")


def query_of(request: web.Request, route: Route) -> BaseModel:
    return _validated(route.query, _singles(request.query), "query")


async def body_of(request: web.Request, route: Route, limit: int) -> BaseModel | None:
    if route.body is None:
        if request.body_exists and await _read(request, limit):
            raise Problem("invalid-request", "no body is taken here")
        return None
    raw = await _read(request, limit)
    if not raw and not any(field.is_required() for field in route.body.model_fields.values()):
        return route.body()
    if request.content_type != "application/json" or request.charset not in (None, "utf-8", "UTF-8"):
        raise Problem("media-type")
    return _validated(route.body, _json(raw), "body")


def asked_of(request: web.Request, path: BaseModel, body: BaseModel | None) -> Asked:
    """The idempotency key, of which only a digest is known from here on (people put names into keys), with a digest
    of everything that the request says."""
    found = request.headers.getall("Idempotency-Key", [])
    if len(found) != 1 or not _KEY.fullmatch(found[0]):
        raise Problem("idempotency-key-required")
    said = [request.method, request.path, path.model_dump_json(), body.model_dump_json() if body is not None else ""]
    return Asked(
        hashlib.sha256(found[0].encode("ascii")).hexdigest(), hashlib.sha256(json.dumps(said).encode()).digest()
    )


async def _read(request: web.Request, limit: int) -> bytes:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem("media-type", "a compressed body is not taken")
    if (request.content_length or 0) > limit:
        raise Problem("body-too-large", f"at most {limit} bytes are taken here")
    chunks, size = [], 0
    try:
        async with asyncio.timeout(_WITHIN):
            while chunk := await request.content.readany():
                size += len(chunk)
                if size > limit:
                    raise Problem("body-too-large", f"at most {limit} bytes are taken here")
                chunks.append(chunk)
    except TimeoutError:
        raise Problem("invalid-request", "the body did not arrive in time") from None
    return b"".join(chunks)


def _json(raw: bytes) -> object:
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Problem("invalid-request", "the body is no JSON that is taken here") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key is said twice")
    return made


def _no_constant(_name: str) -> object:
    raise ValueError("no number")


def _singles(query: MultiMapping[str]) -> Mapping[str, str]:
    if len(set(query)) < len(query):
        raise Problem("invalid-request", "a parameter is said twice")
    return dict(query)


def _validated(model: type[BaseModel], data: object, where: str) -> BaseModel:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Problem("invalid-request", _what_is_wrong(error, model, where)) from None


def _what_is_wrong(error: ValidationError, model: type[BaseModel], where: str) -> str:
    """At most three of them.  A key that we do not know is not repeated either: who knows what stands there."""
    found = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False)[:3]:
        known = [str(part) for part in problem["loc"] if isinstance(part, int) or part in _names(model)]
        unknown = problem["type"] == "extra_forbidden"
        what = "has a key that is not known" if unknown else problem["type"].replace("_", " ")
        found.append(f"{'.'.join([where, *known])}: {what}")
    return "; ".join(found)


def _names(model: type[BaseModel]) -> frozenset[str]:
    """Of the model and of the models in its lists."""
    schema = json.dumps(model.model_json_schema())
    return frozenset(re.findall(r'"([a-z_]+)": \{', schema))
