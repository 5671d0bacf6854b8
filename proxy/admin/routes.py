"""The table of /v1: each route once, with the models that serve it and that the OpenAPI document is made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from policies.audit.key_events import KeyEvent
from proxy.keywork.escrow import Escrow
from proxy.keywork.operation import Operation, OperationKind, Target, Wanted
from proxy.keywork.records import PageMark
from proxy.keywork.service import STEERED, Actor, Asked, KeyService

from . import models
from .problems import Problem


@dataclass(frozen=True, slots=True)
class Call:
    """One request, validated: `path`, `query` and `body` are of the route's models; `asked` is there for POST."""

    actor: Actor
    path: Any
    query: Any
    body: Any
    asked: Asked | None

    @property
    def wish(self) -> Asked:
        if self.asked is None:
            raise Problem("idempotency-key-required")
        return self.asked


Act = Callable[[KeyService, Call], Awaitable[BaseModel]]
Right = Callable[[KeyService, Call], Awaitable[None]]  # raises Refusal when the actor may not do it


async def _nobody(_service: KeyService, _call: Call) -> None:
    raise Problem("forbidden")


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str  # with {names} of `path_model`
    summary: str
    act: Act
    answer: type[BaseModel]
    status: int = 200
    path_model: type[BaseModel] = models.Empty
    query: type[BaseModel] = models.Empty
    body: type[BaseModel] | None = None
    problems: tuple[str, ...] = ()
    large: bool = False  # the body may be as large as an export
    right: Right = _nobody  # of POST: looked at before an answer is said again
    repeatable: bool = False  # done again with the same key it does nothing more: when its answer is lost, it is


async def _keys(service: KeyService, call: Call) -> BaseModel:
    return models.KeyList(keys=[models.key_model(line) for line in await service.keys(call.actor)])


async def _key(service: KeyService, call: Call) -> BaseModel:
    return models.key_model(await service.key(call.actor, call.path.key_id))


async def _operations(service: KeyService, call: Call) -> BaseModel:
    query: models.PageQuery = call.query
    states = () if query.state is None else (query.state,)
    found = await service.operations(call.actor, query.limit, _mark(query.after), states, query.kind)
    more = _mark_text(found[-1]) if len(found) == query.limit else None
    return models.OperationPage(operations=[models.operation_model(each) for each in found], next=more)


def _mark_text(last: Operation) -> str:
    return f"{last.created_at.isoformat().replace('+00:00', 'Z')}~{last.operation_id}"


def _mark(text: str | None) -> PageMark | None:
    if text is None:
        return None
    moment, _, operation_id = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError
        return PageMark(at, UUID(operation_id))
    except (ValueError, OverflowError):
        raise Problem("invalid-request", "after: is no `next` of a page") from None


async def _operation(service: KeyService, call: Call) -> BaseModel:
    return models.operation_model(await service.operation(call.actor, call.path.operation_id))


async def _approve(service: KeyService, call: Call) -> BaseModel:
    return models.operation_model(await service.approve(call.actor, call.path.operation_id))


async def _retry(service: KeyService, call: Call) -> BaseModel:
    return models.operation_model(await service.retry(call.actor, call.path.operation_id))


async def _export(service: KeyService, call: Call) -> BaseModel:
    return await service.export(call.actor)


async def _import(service: KeyService, call: Call) -> BaseModel:
    return models.imported_model(await service.put_back(call.actor, call.body))


def _right_upon(act: str, event: KeyEvent) -> Right:
    async def right(service: KeyService, call: Call) -> None:
        await service.may_act(call.actor, call.path.operation_id, act, event)

    return right


async def _right_to_import(service: KeyService, call: Call) -> None:
    await service.may_import(call.actor)


def _steer(wanted: Wanted) -> Act:
    async def act(service: KeyService, call: Call) -> BaseModel:
        return models.operation_model(await service.steer(call.actor, call.path.operation_id, wanted))

    return act


def _ask(kind: OperationKind, target: Callable[[Call], Target]) -> Act:
    async def act(service: KeyService, call: Call) -> BaseModel:
        return models.operation_model(await service.request(call.actor, call.wish, kind, target(call)))

    return act


def _nothing(_call: Call) -> Target:
    return Target()


def _field(call: Call) -> Target:
    return Target(database=call.path.database, field=call.path.field)


def _one_key(call: Call) -> Target:
    return Target(key_id=call.path.key_id)


def _subject(call: Call) -> Target:
    return Target(database=call.body.database, subject=call.body.subject)


def _right_to_ask(kind: OperationKind) -> Right:
    async def right(service: KeyService, call: Call) -> None:
        await service.may_request(call.actor, kind)

    return right


def _asking(path: str, summary: str, kind: OperationKind, target: Callable[[Call], Target], **more: Any) -> Route:
    """An operation is recorded once for its key: asked for again it is the same one."""
    body = more.pop("body", models.Empty)
    problems = ("busy", *more.pop("problems", ()))
    return Route(
        *("POST", path, summary, _ask(kind, target), models.OperationModel, 202),
        body=body,
        problems=problems,
        right=_right_to_ask(kind),
        repeatable=True,
        **more,
    )


def _of_field(act: str, summary: str, kind: OperationKind) -> Route:
    path = f"/v1/fields/{{database}}/{{field}}/{act}"
    return _asking(path, summary, kind, _field, path_model=models.FieldPath, problems=("unknown-field",))


def _of_key(act: str, summary: str, kind: OperationKind) -> Route:
    problems = ("unknown-key", "wrong-key-state")
    return _asking(f"/v1/keys/{{key_id}}/{act}", summary, kind, _one_key, path_model=models.KeyPath, problems=problems)


def _of_operation(act: str, summary: str, how: Act, right: Right, *problems: str) -> Route:
    return Route(
        *("POST", f"/v1/operations/{{operation_id}}/{act}", summary, how, models.OperationModel),
        path_model=models.OperationPath,
        body=models.Empty,
        problems=("unknown-operation", "wrong-operation-state", "answer-unknown", *problems),
        right=right,
    )


def _steering(act: str, summary: str, wanted: Wanted) -> Route:
    return _of_operation(act, summary, _steer(wanted), _right_upon("steer", STEERED[wanted]))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/v1/keys", "All keys, and where they are used", _keys, models.KeyList),
    Route(
        *("GET", "/v1/keys/{key_id}", "One key", _key, models.KeyModel),
        path_model=models.KeyPath,
        problems=("unknown-key",),
    ),
    _asking(
        "/v1/keks/rotate", "A new version of the KEK, and every key wrapped by it", OperationKind.ROTATE_KEK, _nothing
    ),
    _asking("/v1/keks/rewrap", "Every key wrapped by the KEK's newest version", OperationKind.REWRAP, _nothing),
    _of_field("rotate-data-key", "A new data key; all cells re-encrypted", OperationKind.ROTATE_DATA_KEY),
    _of_field("rotate-term-key", "A new key of search terms", OperationKind.ROTATE_TERM_KEY),
    _of_field("verify", "Does every cell open?", OperationKind.VERIFY),
    _of_field("seal", "From plaintext to sealed, online", OperationKind.SEAL_FIELD),
    _of_field("unseal", "Back to plaintext; a second person approves", OperationKind.UNSEAL_FIELD),
    _of_key("disable", "A key opens nothing any more; can be enabled again", OperationKind.DISABLE_KEY),
    _of_key("enable", "A disabled key opens again", OperationKind.ENABLE_KEY),
    _of_key("destroy", "A disabled key is destroyed; waits, and a second person approves", OperationKind.DESTROY_KEY),
    Route(
        *("GET", "/v1/operations", "Operations, the newest first", _operations, models.OperationPage),
        query=models.PageQuery,
    ),
    Route(
        *("GET", "/v1/operations/{operation_id}", "One operation: how far it is", _operation, models.OperationModel),
        path_model=models.OperationPath,
        problems=("unknown-operation",),
    ),
    _of_operation(
        *("approve", "By a second person", _approve, _right_upon("approve", KeyEvent.APPROVED)),
        *("same-person", "busy"),
    ),
    _steering("pause", "It rests at its next checkpoint", Wanted.PAUSE),
    _steering("resume", "It goes on", Wanted.RUN),
    _steering("cancel", "It ends as soon as everything is usable", Wanted.CANCEL),
    _of_operation(
        *("retry", "A failed operation once more", _retry, _right_upon("steer", KeyEvent.RETRIED)),
        "busy",
    ),
    Route(
        *("GET", "/v1/escrow", "All wrapped keys, for escrow", _export, Escrow),
        problems=("export-invalid",),
    ),
    Route(
        *("POST", "/v1/escrow", "Puts wrapped keys back", _import, models.ImportedModel),
        body=Escrow,
        problems=("export-invalid", "store-not-empty", "busy", "answer-unknown", "provider-unavailable"),
        large=True,
        right=_right_to_import,
    ),
    _asking(
        *("/v1/subjects/shred", "A data subject's secret is destroyed; a second person approves"),
        *(OperationKind.SHRED_SUBJECT, _subject),
        body=models.ShredRequest,
        problems=("unknown-field",),
    ),
)
