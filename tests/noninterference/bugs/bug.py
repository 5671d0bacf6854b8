"""What a bug is, and the ways to put one in: a name bound to something else, or uses that are not charged."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from proxy.sql import authorise
from proxy.sql.analysis import Analysis

Breaking = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Bug:
    """`warmed_by`: a seat that asks everything first, through the same planner."""

    name: str
    breaking: Breaking
    seat: str = "support"
    favoured: Mapping[str, float] = field(default_factory=dict)
    warmed_by: str = ""


def trying(trick: str) -> dict[str, float]:
    """Mostly queries of this kind (grammar/tricks.py)."""
    return {"query": 5, "trick": 60, "straying": 4, f"try {trick}": 300}


@contextlib.contextmanager
def bound(owner: Any, name: str, value: Any) -> Iterator[None]:
    """`owner.name` is something else inside."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def replacing(owner: Any, name: str, made: Callable[[Any], Any]) -> Breaking:
    """`made` gets what was there and returns what is to be there."""
    return lambda: bound(owner, name, made(getattr(owner, name)))


def both(*breakings: Breaking) -> Breaking:
    @contextlib.contextmanager
    def broken() -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for breaking in breakings:
                stack.enter_context(breaking())
            yield

    return broken


def silenced(owner: Any, name: str, value: Any = None) -> Breaking:
    """A check that says nothing any more."""
    return replacing(owner, name, lambda _: lambda *_args, **_more: value)


def entry_replacing(mapping: dict[str, Any], key: str, made: Callable[[Any], Any]) -> Breaking:
    @contextlib.contextmanager
    def broken() -> Iterator[None]:
        before = mapping[key]
        mapping[key] = made(before)
        try:
            yield
        finally:
            mapping[key] = before

    return broken


def uncharged(owner: Any, name: str, when: Callable[..., bool] = lambda *_args: True) -> Breaking:
    """What `owner.name` walks is not charged, where `when` holds of its arguments."""
    return both(_without_charges, replacing(owner, name, lambda function: _unwatched(function, when)))


def uncharged_entry(mapping: dict[str, Any], key: str) -> Breaking:
    return both(_without_charges, entry_replacing(mapping, key, lambda function: _unwatched(function, lambda *_: True)))


_unwatched_now = [0]


@contextlib.contextmanager
def _without_charges() -> Iterator[None]:
    ledger = authorise.Ledger
    charge, existence = ledger.charge, ledger.charge_existence

    def maybe_charge(self: Any, column: Any, verbs: Any, position: Any) -> None:
        if not _unwatched_now[0]:
            charge(self, column, verbs, position)

    def maybe_existence(self: Any, table: Any, position: Any) -> None:
        if not _unwatched_now[0]:
            existence(self, table, position)

    with bound(ledger, "charge", maybe_charge), bound(ledger, "charge_existence", maybe_existence):
        yield


def _unwatched(function: Callable[..., Any], when: Callable[..., bool]) -> Callable[..., Any]:
    def called(*args: Any, **more: Any) -> Any:
        if not when(*args):
            return function(*args, **more)
        analysis = next((arg for arg in args if isinstance(arg, Analysis)), None)
        begun = len(analysis.pendings) if analysis is not None else 0
        _unwatched_now[0] += 1
        try:
            return function(*args, **more)
        finally:
            _unwatched_now[0] -= 1
            for pending in analysis.pendings[begun:] if analysis is not None else ():
                pending.used = True

    return called
