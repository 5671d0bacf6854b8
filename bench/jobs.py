"""What a client process is asked to do, and what it answers: plain data, so that it crosses a pipe as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum, auto

from .appside import AppKeys
from .places import Endpoint


class Work(StrEnum):
    POINTS = auto()  # point selects by email, opening two fields, for `seconds`
    ROWS = auto()  # all customers with three opened fields, once
    COPY_OUT = auto()  # the same by COPY, in `format`
    COPY_IN = auto()  # as many orders with three sealed fields by COPY
    EQUALITY = auto()  # searches, each connection's one after another, for `seconds`: by e-mail, ...
    RANGE = auto()  # ... by a year of birth, which one row in a hundred has, ...
    MATCH = auto()  # ... by five characters that stand in fifty rows


@dataclass(frozen=True, slots=True)
class Job:
    """`app_keys` set: the application opens the cells itself.  `watch`: the process whose CPU time is taken, too."""

    work: Work
    where: Endpoint
    rows: int
    seconds: float = 0.0
    connections: int = 1
    app_keys: AppKeys | None = None
    watch: int | None = None
    format: str = "text"  # of a COPY
    twin: bool = False  # searched are the plain tables

    def to_json(self) -> str:
        keys = (
            None if self.app_keys is None else {"cells": self.app_keys.cells.hex(), "terms": self.app_keys.terms.hex()}
        )
        return json.dumps(
            {
                "work": self.work,
                "where": self.where.to_json(),
                "rows": self.rows,
                "seconds": self.seconds,
                "connections": self.connections,
                "app_keys": keys,
                "watch": self.watch,
                "format": self.format,
                "twin": self.twin,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Job:
        data = json.loads(text)
        keys = data.pop("app_keys")
        app_keys = None if keys is None else AppKeys(bytes.fromhex(keys["cells"]), bytes.fromhex(keys["terms"]))
        work, where = Work(data.pop("work")), Endpoint.from_json(data.pop("where"))
        return cls(work=work, where=where, app_keys=app_keys, **data)


@dataclass(frozen=True, slots=True)
class Done:
    """`count` statements or rows in `seconds`; CPU time of the client and of the watched process.

    `median`: of the seconds that one search took.
    """

    count: int
    seconds: float
    cpu: float
    watched: float
    median: float = 0.0

    @property
    def rate(self) -> float:
        return self.count / self.seconds
