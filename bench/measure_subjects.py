"""Measurement 9: what the proxy's own work on a row costs where cells are sealed under their subjects' secrets, too.

In this process, with all secrets at hand: rows of a number and three texts, each row another subject's, are made into
the client's, beside the same rows with plain sealed cells and with cells that are bound to their row.  Sockets, the
server and the audit come on top and are the same for all, so the ratio between whole statements is better than here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from keys.field import DataKey, FieldKeyCipher
from keys.primitives import random_bytes
from keys.subjects import SubjectCache, SubjectFieldCipher, SubjectName
from policies.fields import Field, LogicalType, Sealing
from proxy.rows.results import RowTransformer
from proxy.sql.plan import OutputAction, OutputColumn, StatementKind, StatementPlan
from proxy.wire.backend import FieldDescription, build_data_row
from proxy.wire.framing import BACKEND_LIMITS, scan
from proxy.wire.values.settings import ValueSettings

from .contest import Contest, Reading, Side
from .ratios import Goal

NAME = "subjects"
ROWS = 10_000
_RUN = 500  # rows that come in one read
_VALUE = b"anna@example.org"
_IDS = ("a" * 32, "b" * 32, "c" * 32)
_PLAIN, _BOUND, _SUBJECTS = "plain sealed cells", "cells bound to their row", "cells under 10,000 subjects' secrets"
_FIELDS = (
    FieldDescription(b"id", 1, 1, 20, 8, -1, 1),
    *(FieldDescription(b"c%d" % n, 1, n + 2, 17, -1, -1, 1) for n in range(len(_IDS))),
)


class _Plenty:
    def lease(self, key_id: bytes) -> int:
        return 1 << 20

    def give_back(self, key_id: bytes, unused: int) -> None:
        pass


class _Ciphers:
    def __init__(self, make: Callable[..., FieldKeyCipher]) -> None:
        self.made = {
            field_id: make(
                controller="bench", field_id=field_id, leases=_Plenty(),
                primary=DataKey(random_bytes(8), random_bytes(32)),
            )
            for field_id in _IDS
        }  # fmt: skip

    def cipher(self, field_id: str) -> FieldKeyCipher:
        return self.made[field_id]


def contest(rows: int = ROWS) -> Contest:
    secrets = SubjectCache()
    for number in range(rows):
        secrets.put(SubjectName("customer", b"%d" % number), random_bytes(32))
    sides = (
        _side(_PLAIN, _Ciphers(FieldKeyCipher), rows, bound=False, kind=None),
        _side(_BOUND, _Ciphers(partial(FieldKeyCipher, row_bound=True)), rows, bound=True, kind=None),
        _side(
            _SUBJECTS,
            _Ciphers(partial(SubjectFieldCipher, secrets=secrets.of_kind("customer"))),
            rows, bound=True, kind="customer",
        ),
    )  # fmt: skip
    goals = (Goal(_SUBJECTS, _PLAIN, at_least=0.5),)
    return Contest(NAME, "rows made into the client's, with three sealed cells each", "rows/s of CPU", sides, goals)


def _side(name: str, ciphers: _Ciphers, rows: int, *, bound: bool, kind: str | None) -> Side:
    data = b"".join(_row(number, ciphers, bound=bound) for number in range(rows))
    spans, _ = scan(data, 0, BACKEND_LIMITS)
    formats = [1] * len(_FIELDS)
    transformer = RowTransformer(_plan(bound=bound, kind=kind), _FIELDS, formats, formats, ciphers, ValueSettings())

    def measure() -> Reading:
        out: list[bytes] = []
        began = time.process_time()
        for start in range(0, rows, _RUN):
            transformer.rows(data, spans[start : start + _RUN], out)
        seconds = time.process_time() - began
        if b"".join(out).count(_VALUE) != rows * len(_IDS):
            raise AssertionError("not every cell was opened")
        return Reading(rows / seconds, {"us a row": seconds / rows * 1e6})

    return Side(name, measure)


def _row(number: int, ciphers: _Ciphers, *, bound: bool) -> bytes:
    key = b"%d" % number if bound else None
    cells = (ciphers.cipher(field_id).seal(_VALUE, row_key=key) for field_id in _IDS)
    return build_data_row([number.to_bytes(8, "big"), *cells])


def _plan(*, bound: bool, kind: str | None) -> StatementPlan:
    outputs = [OutputColumn("id", OutputAction.PASS)]
    for n, field_id in enumerate(_IDS):
        sealing = Sealing(field_id, LogicalType.TEXT, row_bound=bound, subject_kind=kind)
        field = Field("public", "t", f"c{n}", "pd", sealing)
        key = 0 if bound else None
        outputs.append(OutputColumn(f"c{n}", OutputAction.OPEN, field, 1, n + 2, 25, row_key_output=key))
    return StatementPlan(
        StatementKind.SELECT, (b"select",), outputs=tuple(outputs), returns_rows=True, touches_protected=True
    )
