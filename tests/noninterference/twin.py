"""The same statements, said through Fieldgate by somebody who may do everything, and straight to the plaintext.

What Fieldgate answers must be what the plaintext answers.  It may refuse; it may not say something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from proxy.sql.cache import CachedPlanner
from proxy.wire import backend
from proxy.wire.framing import BACKEND_LIMITS, HEADER_SIZE, scan
from tests.adversity.line import Heard

from .compare import normal, state
from .episodes import Episode, Step
from .grammar.statements import episode, words_of
from .grammar.vocabulary import Relation
from .harness import AT_ONCE, Counts, Finding
from .place import Place
from .seats import MANAGEMENT, SEATS
from .side import Side, upstream_line
from .talk import Answer, Table

# Kinds of episodes that say nothing of rows, or speak of the server's own state; and rules of queries that do.
_OTHERS = frozenset({"explain", "setting", "switched"})
FAVOURED = {"catalog": 0.0, "trick": 0.3, "straying": 0.2, "explain": 0.0, "setting": 0.0, "switched": 0.0}
REFUSALS = frozenset({"42501", "0A000"})
# Errors with which Fieldgate's parsers or analysis may come before the server's.
EARLIER = frozenset({"42601", "42702", "42703", "42P01", "42P10", "22P02", "22007", "22008", "26000", "34000", "42883"})
# A condition beside which the server looks at some rows only, or at others first, as it plans: whether it meets the row
# for which an expression fails is its own choice.
_LAZY = re.compile(r"\b(?:IN|ANY|ALL|EXISTS|SOME) \(\s*SELECT\b", re.IGNORECASE)
_EVALUATION = ("22", "21")  # classes of errors that a row's values make
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_TIMES = frozenset({"registered_at", "placed_at", "at", "paid_at", "requested_at", "learned_at", "last_login_at"})


class Straight:
    """A session without Fieldgate."""

    def __init__(self, place: Place, database: str) -> None:
        self._line, _ = upstream_line(place.server, database)
        self._line.socket.settimeout(None)
        self._heard = bytearray()
        self.closed = ""

    def fileno(self) -> int:
        return self._line.socket.fileno()

    def say(self, data: bytes) -> None:
        self._line.socket.sendall(data)

    def receive(self) -> None:
        data = self._line.socket.recv(1 << 18)
        self._heard += data
        if not data:
            self.closed = "the server closed"

    def heard(self) -> list[Heard]:
        spans, _ = scan(self._heard, 0, BACKEND_LIMITS)
        found = [(chr(tag), bytes(self._heard[start + HEADER_SIZE : end])) for tag, start, end in spans]
        if spans:
            del self._heard[: spans[-1][2]]
        return found

    def close(self) -> None:
        self._line.close()


@dataclass(slots=True)
class Twins:
    """Fieldgate before the sealed rows, and the same rows in plaintext."""

    place: Place
    table: Table

    @classmethod
    def open(cls, place: Place) -> Twins:
        planner, plain, sealed = CachedPlanner(), place.plain(), place.pair(SEATS[0]).names[0]
        return cls(
            place,
            Table(
                lambda: [
                    Side(place.server, sealed, MANAGEMENT, lambda: place.revision, planner),
                    Straight(place, plain),
                ]
            ),
        )

    def run(
        self, seed: str, numbers: range, counts: Counts, favoured: Mapping[str, float] = FAVOURED
    ) -> Iterator[Finding]:
        for some in (numbers[at : at + AT_ONCE] for at in range(0, len(numbers), AT_ONCE)):
            asked = [(n, watched(episode(MANAGEMENT, seed, n, favoured))) for n in some]
            answers = self.table.ask([said for _, said in asked])
            for (number, said), (gate, plain) in zip(asked, answers, strict=True):
                counts.add(said, gate)
                what = wrong(said, gate, plain) if _comparable(said) else ""
                if what:
                    yield Finding("management", seed, number, said, what)


def _comparable(said: Episode) -> bool:
    """A transaction's number is each database's own."""
    return said.kind not in _OTHERS and ".xmin" not in said.text


def watched(said: Episode) -> Episode:
    """After a write the table is looked at, before everything is undone."""
    if said.kind not in ("write", "copy in"):
        return said
    named = next((r for r in words_of("management").relations if re.search(rf"\b{r.name}\b", said.text)), None)
    if named is None:
        return said
    return replace(said, steps=(*said.steps[:-1], Step(_all_of(named)), said.steps[-1]))


def _all_of(relation: Relation) -> str:
    """Without what a default fills with the time, or a sequence that may be further on one side."""
    columns = ", ".join(c.name for c in relation.columns if c.name not in _TIMES and c.name != "id")
    return f"SELECT {columns} FROM {relation.name}"


def wrong(said: Episode, gate: Answer, plain: Answer) -> str:
    """ "" when Fieldgate answers like the plaintext, or not at all."""
    if gate.ended:
        return f"the session ended ({gate.ended})"
    for step in range(len(said.steps)):
        code, other = state(gate, step), state(plain, step)
        if code in REFUSALS or (code and code == other):
            return ""  # what comes behind it is of a failed transaction
        if code in EARLIER and other:
            return ""
        if (code or other)[:2] in _EVALUATION and not (code and other) and _LAZY.search(said.steps[step].text):
            return ""
        if code or other:
            return f"step {step + 1}: {code or 'passes'} instead of {other or 'passing'}"
        one, two = _rows(said, gate, step), _rows(said, plain, step)
        if one != two:
            return f"step {step + 1}: {_how(one, two)}"
    return ""


def _rows(said: Episode, answer: Answer, step: int) -> list[Heard]:
    """Of RowDescription only names and types: where columns come from is each database's own."""
    heard = [
        (tag, _described(body) if tag == "T" else body) for tag, body in normal(said, answer.of(step)) if tag != "S"
    ]
    data = b"".join(body for tag, body in answer.of(step) if tag == "d")
    if _SIGNATURE not in data:
        return heard
    return [*(each for each in heard if each[0] != "d"), *(("d", row) for row in sorted(_binary_rows(data)))]


def _binary_rows(data: bytes) -> Iterator[bytes]:
    """Of COPY's binary format, however it was cut into messages."""
    at = data.index(_SIGNATURE) + len(_SIGNATURE) + 8
    while (fields := int.from_bytes(data[at : at + 2], "big", signed=True)) >= 0:
        begun, at = at, at + 2
        for _ in range(fields):
            at += 4 + max(0, int.from_bytes(data[at : at + 4], "big", signed=True))
        yield data[begun:at]


def _described(body: bytes) -> bytes:
    fields = backend.parse_row_description(body)
    return b"\n".join(b"%s %d %d %d" % (f.name, f.type_oid, f.type_modifier, f.format) for f in fields)


def _how(one: list[Heard], other: list[Heard]) -> str:
    tags = "".join(tag for tag, _ in one), "".join(tag for tag, _ in other)
    if tags[0] != tags[1]:
        return f"{tags[0].count('D')} rows instead of {tags[1].count('D')}"
    differing = {tag for (tag, mine), (_, theirs) in zip(one, other, strict=True) if mine != theirs}
    return f"other messages {''.join(sorted(differing))}"
