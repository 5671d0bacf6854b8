"""Whose secrets a statement's cells need, so that they can be loaded at once before anything is sealed or opened.

A cell of a field with subjects' secrets is bound to its subject's key, so the places are those of the keys that bound
cells need.  What is wrong about a key is found, and said, where the cell is made or opened; here it is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keys.subjects import SubjectName
from policies.fields import Field
from proxy.errors import FieldgateError
from proxy.sql.plan import CopyTo, KeyPlace, SlotKind, StatementPlan
from proxy.wire.backend import FieldDescription, parse_data_row
from proxy.wire.framing import HEADER_SIZE, Span

from .client_values import ClientValues
from .params import SlotFiller
from .row_key import row_key_bytes


def kind_of(field: Field | None) -> str | None:
    return field.sealing.subject_kind if field is not None and field.sealing is not None else None


def sealed_for(plan: StatementPlan, filler: SlotFiller, client: ClientValues) -> Iterator[SubjectName]:
    """The subjects for whom this execution seals."""
    for slot in plan.slots:
        kind = kind_of(slot.field)
        if slot.kind is not SlotKind.CELL or kind is None:
            continue
        try:
            key = filler.row_key(slot, client)
        except FieldgateError:
            continue
        if key is not None:
            yield SubjectName(kind, key)


def subject_columns(copy: CopyTo) -> tuple[tuple[str, int, int], ...]:
    """Of COPY TO: the kind of the subjects, the physical column that holds their keys, and its type's OID."""
    types = dict(copy.row_key_types)
    found = {
        (kind, column.row_key_output, types[index])
        for index, column in enumerate(copy.columns)
        if (kind := kind_of(column.field)) is not None and column.row_key_output is not None
    }
    return tuple(sorted(found))


class KeyReader:
    """Reads the subjects' keys off the rows of one result."""

    def __init__(
        self, places: Sequence[KeyPlace], fields: Sequence[FieldDescription], formats: Sequence[int] | None
    ) -> None:
        self._places = [
            (kind, at, bool(formats and formats[at]), fields[at].type_oid) for kind, at in places if at < len(fields)
        ]

    def subjects(self, data: bytes, spans: Sequence[Span]) -> set[SubjectName]:
        """Of the DataRow messages at `spans`.  Raises ProtocolViolation for one that is none."""
        found: set[SubjectName] = set()
        for _, start, end in spans:
            values = parse_data_row(data[start + HEADER_SIZE : end])
            for kind, at, binary, oid in self._places:
                raw = values[at] if at < len(values) else None
                if raw is not None and (name := subject_name(kind, raw, oid, binary=binary)) is not None:
                    found.add(name)
        return found


def subject_name(kind: str, raw: bytes, oid: int, *, binary: bool) -> SubjectName | None:
    try:
        return SubjectName(kind, row_key_bytes(raw, binary=binary, type_oid=oid, key_oid=oid))
    except FieldgateError:
        return None
