"""Rows that are candidates only: which of them are shown, written and counted."""

from __future__ import annotations

from typing import Any

from proxy.rows import sifting
from proxy.rows.reading import Reading
from proxy.session import answers, result_rows
from proxy.session.locking import Locking

from .bug import Bug, both, replacing


def _any_candidate(_sift: Any) -> Any:
    return lambda self, data, spans: list(spans)


def _as_the_server_counts(take: Any) -> Any:
    """So many candidates as rows are asked for."""

    def taken(self: Any, data: bytes, candidates: Any, passed: Any) -> Any:
        if self._most:
            passed = [span for span in candidates[: self._most - self.passed] if span in passed]
            self.passed += sum(span not in passed for span in candidates[: self._most - self.passed])
        return take(self, data, candidates, passed)

    return taken


_WRITES = {"write": 300, "written by search": 6, "query": 1, "merge": 0.1, "stolen": 0.1, "straying": 0}
_PORTALS = {"portal": 60, "searched by portal": 2, "query": 3, "straying": 0}
SIFTING = (
    Bug("what is found is not looked at", replacing(sifting.Sifter, "sift", _any_candidate), favoured={"searched": 30}),
    Bug("rows that wait for the next Execute are lost",
        both(replacing(Reading, "_candidates", lambda _: lambda self, missing: 5),
             replacing(Reading, "_keep", lambda _: lambda self, row: None)), favoured=_PORTALS),
    Bug("an Execute counts candidates", replacing(Reading, "take", _as_the_server_counts), favoured=_PORTALS),
    Bug("an Execute ends with its first step",
        both(replacing(Reading, "_candidates", lambda _: lambda self, missing: 1),
             replacing(answers, "goes_on", lambda _: lambda *_: False)), favoured=_PORTALS),
    Bug("FETCH is counted before the check",
        both(replacing(Reading, "_candidates", lambda _: lambda self, missing: missing or 1),
             replacing(answers, "fetches_on", lambda _: lambda *_: False)),
        favoured={"cursor": 100, "searched by cursor": 2, "query": 1, "straying": 0}),
    Bug("rows of EXECUTE are not looked at", replacing(result_rows, "_sifted", lambda _: lambda f, h, t, rows: rows),
        favoured={"prepared": 100, "searched by name": 3, "query": 1, "straying": 0}),
    Bug("DELETE and UPDATE write every candidate",
        replacing(result_rows, "_sifted", lambda _: lambda f, h, t, rows: rows),
        favoured=_WRITES),
    Bug("DELETE and UPDATE are not given their rows",
        replacing(Locking, "values", lambda _: lambda self, slots: list(self.bound.values)), favoured=_WRITES),
)  # fmt: skip
