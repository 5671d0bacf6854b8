"""What is said: a few statements that belong together, in one of three ways to say them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from proxy.wire import frontend

COPY_DONE = b"c\0\0\0\4"


class Manner(StrEnum):
    SIMPLE = "simple"
    TEXT = "extended, text"
    BINARY = "extended, binary"


@dataclass(frozen=True, slots=True)
class Step:
    """One statement.

    `values`: of its parameters; `data`: what follows a COPY FROM STDIN; `plainly`: always a Query.
    """

    text: str
    values: tuple[bytes | None, ...] = ()
    data: bytes | None = None
    plainly: bool = False
    rows: tuple[int, ...] = ()  # of each Execute, which come one behind the other; none: one of all rows

    def messages(self, manner: Manner) -> bytes:
        if self.plainly or (manner is Manner.SIMPLE and not self.values and not self.rows):
            asked = frontend.build_query(self.text.encode())
        else:
            asked = self._extended(binary=manner is Manner.BINARY)
        return asked if self.data is None else asked + frontend.build_copy_data(self.data) + COPY_DONE

    def _extended(self, *, binary: bool) -> bytes:
        return b"".join((
            frontend.build_parse(b"", self.text.encode()),
            frontend.build_bind(b"", b"", (), self.values, (1,) if binary else ()),
            frontend.build_describe(b"P", b""),
            *(frontend.build_execute(b"", most) for most in self.rows or (0,)),
            b"S\0\0\0\4",
        ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Episode:
    """`kind`: the rule of the grammar; `main`: which of the steps is what it is about; `exact`: rows have an order."""

    kind: str
    steps: tuple[Step, ...]
    main: int = 0
    exact: bool = False
    manner: Manner = Manner.SIMPLE

    def said(self, manner: Manner) -> Episode:
        return replace(self, manner=manner)

    @property
    def text(self) -> str:
        return self.steps[self.main].text

    def messages(self) -> list[bytes]:
        return [step.messages(self.manner) for step in self.steps]


def one(kind: str, text: str, *, exact: bool = False, values: tuple[bytes | None, ...] = ()) -> Episode:
    return Episode(kind, (Step(text, values),), exact=exact)


def undone(kind: str, *steps: Step, exact: bool = False) -> Episode:
    """Inside a transaction that is rolled back; the first of the steps is the main one."""
    return Episode(kind, (Step("BEGIN", plainly=True), *steps, Step("ROLLBACK", plainly=True)), 1, exact)
