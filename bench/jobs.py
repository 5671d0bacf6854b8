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
    """`count` statements (POINTS) or rows in `seconds`; CPU time of the client and of the watched process."""

    count: int
    seconds: float
    cpu: float
    watched: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds
