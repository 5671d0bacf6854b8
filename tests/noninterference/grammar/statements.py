"""The top of the grammar: one episode for each number, always the same one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from random import Random

from tests.noninterference.episodes import Episode, Manner, one
from tests.noninterference.seats import BY_NAME, MANAGEMENT, Seat

from . import sessions
from .draw import Draw
from .queries import query
from .vocabulary import Vocabulary, vocabulary

STRAYING = 0.25  # of the statements are led astray at one place
_DEEPEST = 14  # choices, before it
_MANNERS = tuple(Manner)

_RULES: dict[str, tuple[float, Callable[[Draw], Episode]]] = {
    "query": (20, lambda d: _query(d)),
    "write": (5, sessions.written),
    "upsert": (0.7, sessions.upsert),
    "prepared": (1.2, sessions.prepared),
    "parameters": (2, sessions.parameters),
    "cursor": (1, sessions.cursor),
    "portal": (0.7, sessions.portal),
    "copy out": (1.2, sessions.copy_out),
    "copy in": (0.4, sessions.copy_in),
    "explain": (1, sessions.explained),
    "script": (0.7, sessions.script),
    "setting": (0.7, sessions.setting),
    "switched": (0.3, sessions.switched),
}


def _query(d: Draw) -> Episode:
    found = query(d)
    return one("query", found.text, exact=found.exact)


@cache
def words_of(seat: str) -> Vocabulary:
    found = vocabulary(BY_NAME.get(seat, MANAGEMENT))
    if seat != MANAGEMENT.name:
        return found
    whole = tuple(relation for relation in found.relations if relation.name != "health_records")  # in groups only
    return replace(found, relations=whole)


def episode(seat: Seat, seed: str, number: int, favoured: Mapping[str, float] | None = None) -> Episode:
    random = Random(f"{seed} {seat.name} {number}")
    favours = favoured or {}
    stray = random.randint(0, _DEEPEST) if random.random() < STRAYING * favours.get("straying", 1) else -1
    draw = Draw(random, words_of(seat.name), stray, favours)
    made = _RULES[draw.rule({name: weight for name, (weight, _) in _RULES.items()})][1](draw)
    return made.said(_MANNERS[number % 3])


def episodes(
    seat: Seat, seed: str, numbers: range, favoured: Mapping[str, float] | None = None
) -> Iterator[tuple[int, Episode]]:
    for number in numbers:
        yield number, episode(seat, seed, number, favoured)
