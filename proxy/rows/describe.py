"""The shape of a result: what the server describes, checked against the plan, and what the client is told.

This is the dynamic half of I2: a column is opened only when the server's own table OID and attribute number equal
what the static analysis expects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from proxy.errors import CellUnreadable, ProtocolViolation
from proxy.sql.plan import OutputAction, StatementPlan
from proxy.wire.backend import FieldDescription
from proxy.wire.oids import BYTEA

_TYPE_SIZES = {16: 1, 21: 2, 23: 4, 20: 8, 701: 8, 1082: 4, 1114: 8, 1184: 8, 2950: 16}


def check_shape(plan: StatementPlan, fields: Sequence[FieldDescription]) -> None:
    """Raises CellUnreadable unless the server describes just what the plan expects where a cell is to be opened."""
    outputs = plan.outputs
    if outputs is None:
        return
    if len(fields) != len(outputs) + plan.hidden_outputs:
        raise CellUnreadable("the server describes another number of columns than the analysis")
    for output, described in zip(outputs, fields, strict=False):
        if output.action is not OutputAction.OPEN:
            continue  # what is worked out is looked at where it is
        proven = (described.table_oid, described.attnum) == (output.relation_oid, output.attnum)
        if not proven or described.type_oid != BYTEA:
            name = output.field.name if output.field else output.name
            raise CellUnreadable(
                f"the origin of a column is not proven to be {name}",
                hint="The table may have changed; prepare the statement again.",
            )


def client_fields(
    plan: StatementPlan, fields: Sequence[FieldDescription], formats: Sequence[int] | None
) -> list[FieldDescription]:
    """The fields as the client must see them: logical types, the client's own formats, no hidden columns.

    `formats`: what the client asked for in Bind, one for each visible column; None: text (Describe of a statement or
    a simple query, where the protocol says 0).  Raises ProtocolViolation.
    """
    if plan.outputs is None:
        return list(fields)
    if len(fields) != len(plan.outputs) + plan.hidden_outputs:
        raise ProtocolViolation("the server describes another number of columns than was asked for")
    visible = fields[: len(plan.outputs)]
    told = []
    for index, (output, described) in enumerate(zip(plan.outputs, visible, strict=True)):
        wanted = described if formats is None else replace(described, format=formats[index])
        if output.action is OutputAction.COMPUTE:
            wanted = replace(wanted, table_oid=0, attnum=0)
        if output.action is not OutputAction.PASS:
            wanted = replace(
                wanted,
                type_oid=output.type_oid,
                type_size=_TYPE_SIZES.get(output.type_oid, -1),
                type_modifier=output.typmod,
                format=0 if formats is None else formats[index],
            )
        told.append(wanted)
    return told


def expand_formats(formats: Sequence[int], count: int) -> list[int]:
    """Bind's result formats, one for each of `count` columns (none: all text; one: all the same)."""
    if not formats:
        return [0] * count
    if len(formats) == 1:
        return [formats[0]] * count
    return list(formats)


def upstream_formats(plan: StatementPlan, formats: Sequence[int]) -> list[int]:
    """What we ask of the server: cells in binary always, hidden row keys in binary, the rest as the client asked."""
    assert plan.outputs is not None  # noqa: S101  only called for analysed outputs
    asked = expand_formats(formats, len(plan.outputs))
    if len(asked) != len(plan.outputs):
        return list(formats)  # the server refuses it with its own words
    own = [f if o.action is OutputAction.PASS else 1 for o, f in zip(plan.outputs, asked, strict=True)]
    return own + [1] * plan.hidden_outputs
