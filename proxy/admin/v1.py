"""The /v1 endpoints: authenticate, validate, claim the key, act once, answer.  Everything that fails is a problem."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from proxy.keywork.refusals import Code, Refusal
from proxy.keywork.service import Asked, KeyService

from .answers import Answer, Answers, Known
from .console_page import add_page
from .login import Authenticator
from .openapi import document
from .problems import TYPES, Problem
from .requests import asked_of, body_of, path_of, query_of
from .routes import ROUTES, Call, Route

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """`body_limit` and `import_limit` are bytes."""

    service: KeyService
    authenticator: Authenticator
    answers: Answers
    body_limit: int
    import_limit: int

    def add_to(self, app: web.Application) -> None:
        described = document().encode()

        async def openapi(_request: web.Request) -> web.Response:
            return web.Response(body=described, content_type=_JSON)

        add_page(app)
        app.router.add_get("/v1/openapi.json", openapi)
        app.router.add_get("/problems/{code:[a-z-]{1,40}}", _explain)
        for route in ROUTES:
            app.router.add_route(route.method, route.path, self._handler(route))

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            actor = await self.authenticator.actor(request)
            path, query = path_of(request, route), query_of(request, route)
            body = await body_of(request, route, self.import_limit if route.large else self.body_limit)
            if route.method == "GET":
                return _response(route.status, (await self._act(route, Call(actor, path, query, body, None))))
            return await self._once(route, Call(actor, path, query, body, asked_of(request, path, body)))

        return handle

    async def _act(self, route: Route, call: Call) -> str:
        return (await route.act(self.service, call)).model_dump_json()

    async def _once(self, route: Route, call: Call) -> web.Response:
        """What this person was answered to this request before, or is now.  The key is ours before anything is done."""
        asked, person = call.wish, call.actor.person
        known = await self._claimed(person, asked)
        if known is not None:
            await route.right(self.service, call)  # whoever may not do it any more is not told of it either
            if known.answer is not None:
                response = _response(known.answer.status, known.answer.body)
                response.headers["Idempotency-Replayed"] = "true"
                return response
            if not route.repeatable:
                raise Problem("answer-unknown", _look(call))
        body = await self._done(route, call, ours=known is None)
        with contextlib.suppress(Exception):  # it is done all the same; the claim stays, so that it is not done again
            await self.answers.keep(person, asked.key, Answer(route.status, body))
        return _response(route.status, body)

    async def _done(self, route: Route, call: Call, *, ours: bool) -> str:
        try:
            return await self._act(route, call)
        except (Refusal, Problem) as refused:
            # A store that is lost behind a commit has done it, and nobody knows: that claim stays.
            if ours and not (isinstance(refused, Refusal) and refused.code is Code.STORE_UNAVAILABLE):
                with contextlib.suppress(Exception):
                    await self.answers.give_up(call.actor.person, call.wish.key)
            raise

    async def _claimed(self, person: str, asked: Asked) -> Known | None:
        try:
            known = await self.answers.claim(person, asked.key, asked.digest)
        except Exception as error:
            raise Refusal(Code.STORE_UNAVAILABLE, "the control database cannot be asked now; try later") from error
        if known is not None and known.digest != asked.digest:
            raise Problem(Code.IDEMPOTENCY_KEY_REUSED.value)
        return known


def _look(call: Call) -> str:
    operation = getattr(call.path, "operation_id", None)
    where = "GET /v1/keys shows the keys" if operation is None else f"look at operation {operation}"
    return f"the first request with this key has no answer yet, or it was lost: {where} before you ask with a new key"


async def _explain(request: web.Request) -> web.Response:
    """What a problem's type means."""
    code = request.match_info["code"]
    if code not in TYPES:
        raise Problem("not-found")
    found = TYPES[code]
    return web.json_response({"type": f"/problems/{code}", "title": found.title, "status": found.status,
                              "remedy": found.remedy})  # fmt: skip


def _response(status: int, body: str) -> web.Response:
    return web.Response(body=body.encode(), status=status, content_type=_JSON)
