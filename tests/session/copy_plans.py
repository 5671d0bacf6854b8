"""Plans of COPY over the protected table of `talk`, as the planner makes them."""

from __future__ import annotations

from dataclasses import replace

from policies.fields import LogicalType, Sealing
from policies.model import Verb
from proxy.sql.plan import (
    CopyColumn,
    CopyFrom,
    CopyTo,
    FieldUse,
    SessionEffect,
    Slot,
    SlotKind,
    StatementKind,
    StatementPlan,
)
from proxy.wire.copying.options import CopyFormat, CopyHeader, CopyOptions

from .talk import EMAIL, OPEN_EMAIL, PASS_ID, READ_EMAIL

CSV = CopyOptions(CopyFormat.CSV, b",", b"", dot_ends=False)
BINARY = CopyOptions(CopyFormat.BINARY)
TEXT = CopyOptions()
_BOUND = replace(EMAIL, sealing=Sealing("b" * 32, LogicalType.TEXT, row_bound=True, equality=True))


def copy_out_plan(options: CopyOptions = TEXT, *, hidden: bool = False, attribute: bool = False) -> StatementPlan:
    """`id, email`; with `hidden` just `email`, bound to the key that is stripped; with `attribute` own rows only."""
    columns = (PASS_ID, OPEN_EMAIL)
    if hidden:
        columns = (replace(OPEN_EMAIL, field=_BOUND, row_key_output=1),)
    copy = CopyTo(options, columns, int(hidden), ((0, 20),) if hidden else ())
    slots = (Slot(SlotKind.PRINCIPAL, attribute="subject"),) if attribute else ()
    text: tuple[bytes | int, ...] = (b"copy (select ... where id = ", 0, b") to stdout") if slots else (b"copy (...)",)
    return StatementPlan(
        StatementKind.COPY, text, slots, touches_protected=True, uses=READ_EMAIL, edited=True, copy=copy
    )


def copy_in_plan(options: CopyOptions = TEXT, **more: object) -> StatementPlan:
    """`id, email`."""
    upstream = TEXT if options.format is CopyFormat.CSV else replace(options, header=CopyHeader.NONE)
    columns = (CopyColumn("id"), CopyColumn("email", EMAIL))
    copy = CopyFrom(options, upstream, columns, "customers", **more)  # type: ignore[arg-type]
    return StatementPlan(
        StatementKind.COPY,
        (b"copy customers (id, email) from stdin",),
        touches_protected=True,
        uses=(FieldUse(EMAIL.name, Verb.INSERT),),
        effect=SessionEffect.TAKES_DATA,
        edited=True,
        copy=copy,
    )
