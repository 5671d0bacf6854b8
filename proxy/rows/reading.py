"""How far one portal's rows have been read: rows that passed the check are counted here, for OFFSET, LIMIT and Execute.

A Reading belongs to one portal, or to one result of a Query.  The server is asked for candidates in steps; what passes
beyond what the client has asked for waits here for its next Execute, a step's worth at most.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from proxy.errors import CellUnreadable, SqlState
from proxy.wire.framing import Span

_GOOD = 2  # of so many candidates one passes: then what is missing is asked for, no more
_MOST_SPARE = 2_000  # rows
_SPARE_BYTES = 1024 * 1024  # of rows as large as the largest so far


class Reading:
    """`begin` each Execute, `take` what passed the check, `ask` how many candidates to ask for next."""

    __slots__ = (
        "_asked",
        "_kept",
        "_kept_bytes",
        "_largest",
        "_left",
        "_most",
        "_most_bytes",
        "_seen",
        "_seen_before",
        "_skip",
        "_spares",
        "_taken",
        "passed",
    )

    def __init__(self, limit: int | None, offset: int, most_bytes: int) -> None:
        """`most_bytes`: of rows that wait here; more is an error."""
        self._left, self._skip, self._most_bytes = limit, offset, most_bytes
        self._kept: deque[bytes] = deque()
        self._kept_bytes = self._most = self.passed = 0
        self._spares = True
        self._seen = self._taken = self._largest = self._asked = self._seen_before = 0

    @property
    def over(self) -> bool:
        """LIMIT lets nothing more pass."""
        return self._left == 0

    @property
    def suspended(self) -> bool:
        """As many rows as were asked for have passed, so that there may be more."""
        return 0 < self._most == self.passed

    @property
    def waiting(self) -> bool:
        """Rows wait for the next Execute."""
        return bool(self._kept)

    @property
    def exhausted(self) -> bool:
        """Fewer candidates have come than were asked for last."""
        return not self._asked or self._seen - self._seen_before < self._asked

    @property
    def satisfied(self) -> bool:
        """Nothing that the server has still to send is wanted now."""
        return self.suspended or self.over

    def begin(self, most: int) -> tuple[bytes, list[Span]]:
        """An Execute's rows begin; those of them that wait here.  `most`: as it asks, 0 for all."""
        self._most, self.passed = most, 0
        rows = [self._kept.popleft() for _ in range(min(len(self._kept), most or len(self._kept)))]
        self._kept_bytes -= sum(map(len, rows))
        self.passed = len(rows)
        spans, at = [], 0
        for row in rows:
            spans.append((row[0], at, at + len(row)))
            at += len(row)
        return b"".join(rows), spans

    def take(self, data: bytes, candidates: Sequence[Span], passed: Sequence[Span]) -> list[Span]:
        """Of the server's rows those that passed: which of them the client gets now.

        Raises CellUnreadable where too much would wait.
        """
        self._seen += len(candidates)
        self._taken += len(passed)
        self._largest = max(self._largest, max((end - start for _, start, end in candidates), default=0))
        given: list[Span] = []
        for span in passed:
            if self._left == 0:
                break
            if self._skip:
                self._skip -= 1
                continue
            if self._left is not None:
                self._left -= 1
            if self.suspended:
                self._keep(data[span[1] : span[2]])
            else:
                self.passed += 1
                given.append(span)
        return given

    def _keep(self, row: bytes) -> None:
        self._kept.append(row)
        self._kept_bytes += len(row)
        if self._kept_bytes > self._most_bytes:
            raise CellUnreadable(
                f"too many bytes of rows wait for the next Execute: more than {self._most_bytes}",
                sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED,
                hint="Ask for all rows at once, or ask the operator for a higher limits.finish_bytes.",
            )

    def ask_first(self, most: int, *, spares: bool = True) -> int:
        """As `ask`, before an Execute's answer begins; 0: all.  `spares`: what is not wanted yet may be read, too."""
        self._spares = spares
        self._seen_before, self._asked = self._seen, 0
        if most or self._left is not None:
            self._asked = self._candidates(most - len(self._kept) if most else None)
        return self._asked

    def ask(self) -> int:
        """How many candidates to ask the server for next, so that as many pass as are still wanted."""
        self._seen_before, self._asked = self._seen, self._candidates(self._most - self.passed if self._most else None)
        return self._asked

    def _candidates(self, missing: int | None) -> int:
        """At least one, so that the server always says how it stands with the portal.

        While many candidates pass, just as many as are missing: then none is read that nobody has asked for.
        """
        wanted = min(each for each in (missing, self._left) if each is not None)
        if wanted <= 0:
            return 1
        wanted += self._skip
        spare = 0
        if self._spares and self._seen > _GOOD * (self._taken + 1):
            likely = wanted * (self._seen + 1) // (self._taken + 1)
            spare = min(likely - wanted, self._seen, _MOST_SPARE, _SPARE_BYTES // (self._largest or 1))
        return min(wanted + spare, 0x7FFFFFFF)
