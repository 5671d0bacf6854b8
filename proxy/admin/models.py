"""Requests and answers of /v1, as pydantic models: they serve, and the OpenAPI document is made of them.

Requests take no unknown keys.  Errors of validation name the key and what is wrong with it, never what stood there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from keys.keyring import KeyPurpose
from keys.leases import SEALS_PER_KEY
from keys.lifecycle import KeyState
from proxy.keywork.operation import Operation, OperationKind, OperationState, Wanted
from proxy.keywork.service import Imported, KeyLine

_NAME = r"^[A-Za-z_][A-Za-z0-9_$-]{0,62}$"
DatabaseName = Annotated[str, Field(pattern=_NAME, description="A database of the configuration.")]
FieldName = Annotated[
    str,
    Field(
        pattern=r"^([A-Za-z_][A-Za-z0-9_$]{0,62}\.){2}([A-Za-z_][A-Za-z0-9_$]{0,62}|\*)$",
        description="schema.table.column; for rotate-data-key also schema.table.*, all sealed fields in one pass",
    ),
]
KeyIdText = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="16 hex digits")]
Subject = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}:[A-Za-z0-9._:-]{1,120}$", description="kind:key, as in customer:42")
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Empty(_Request):
    """No more is said."""


class ShredRequest(_Request):
    """Whose secret is to be destroyed."""

    database: DatabaseName
    subject: Subject


class FieldPath(_Request):
    database: DatabaseName
    field: FieldName


class KeyPath(_Request):
    key_id: KeyIdText


class OperationPath(_Request):
    operation_id: UUID


class PageQuery(_Request):
    """A page of operations, the newest first."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[
        str | None, Field(pattern=r"^[0-9TZ:.+-]{20,40}~[0-9a-f-]{36}$", description="`next` of the page before")
    ] = None
    state: OperationState | None = None
    kind: OperationKind | None = None


class PlaceModel(_Answer):
    database: str
    field: str


class CountedModel(_Answer):
    """Cells under the key as a verification found them."""

    operation_id: UUID
    at: datetime | None
    cells: int


class KeyModel(_Answer):
    """A key, without anything secret."""

    key_id: str
    controller: str
    scope: str
    purpose: KeyPurpose
    epoch: int
    state: KeyState
    wrapped_by: str | None
    created_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None
    disabled_at: datetime | None
    destroyed_at: datetime | None
    used_by: list[PlaceModel]
    seals_granted: int
    seals_left: int
    seals_limit: int = SEALS_PER_KEY
    cells_sealed: Annotated[int, Field(description="As counted by the proxies; what a crash swallowed is missing.")]
    cells_opened: int
    counted: Annotated[
        CountedModel | None,
        Field(description="Of one key alone, when a field of its was verified; ask for it by /verify."),
    ]


class KeyList(_Answer):
    keys: list[KeyModel]


class TargetModel(_Answer):
    database: str | None
    field: str | None
    key_id: str | None
    subject: str | None


class OperationModel(_Answer):
    operation_id: UUID
    kind: OperationKind
    target: TargetModel
    state: OperationState
    wanted: Wanted
    step: str
    done: int
    total: int
    rate: Annotated[float, Field(description="Of `done`, in a second, of late.")]
    seconds_left: float | None
    problem: str | None
    result: dict[str, Any]
    requested_by: str
    approved_by: str | None
    not_before: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class OperationPage(_Answer):
    operations: list[OperationModel]
    next: str | None


class ImportedModel(_Answer):
    revision: int
    put_back: list[str]
    present: int


class ProblemModel(_Answer):
    """An error (RFC 9457)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    detail: str | None = None


def key_model(line: KeyLine) -> KeyModel:
    key, slot = line.key, line.key.info.slot
    return KeyModel(
        key_id=key.name,
        controller=slot.controller,
        scope=slot.scope,
        purpose=slot.purpose,
        epoch=key.info.epoch,
        state=key.info.state,
        wrapped_by=key.kek_uri,
        created_at=key.created_at,
        activated_at=key.activated_at,
        retired_at=key.retired_at,
        disabled_at=key.disabled_at,
        destroyed_at=key.destroyed_at,
        used_by=[PlaceModel(database=place.database, field=place.field) for place in line.places],
        seals_granted=key.seals_granted,
        seals_left=line.seals_left,
        cells_sealed=line.uses.sealed,
        cells_opened=line.uses.opened,
        counted=None
        if line.counted is None
        else CountedModel(operation_id=line.counted.operation_id, at=line.counted.at, cells=line.counted.cells),
    )


def operation_model(found: Operation) -> OperationModel:
    target = found.target
    return OperationModel(
        operation_id=found.operation_id,
        kind=found.kind,
        target=TargetModel(database=target.database, field=target.field, key_id=target.key_id, subject=target.subject),
        state=found.state,
        wanted=found.wanted,
        step=found.step,
        done=found.done,
        total=found.total,
        rate=found.rate,
        seconds_left=found.seconds_left,
        problem=found.problem,
        result=dict(found.result),
        requested_by=found.requested_by,
        approved_by=found.approved_by,
        not_before=found.not_before,
        created_at=found.created_at,
        started_at=found.started_at,
        finished_at=found.finished_at,
    )


def imported_model(done: Imported) -> ImportedModel:
    return ImportedModel(revision=done.revision, put_back=list(done.put_back), present=done.present)
