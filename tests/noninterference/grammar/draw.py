"""Choosing, and the one place of a statement at which it may go astray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from policies.model import Verb

from .constants import BY_TYPE
from .vocabulary import Column, Relation, Vocabulary

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Bound:
    """A column of something in FROM, as it is named there."""

    text: str
    column: Column

    @property
    def type(self) -> str:
        return self.column.type


@dataclass(slots=True)
class Place:
    """What a query's expressions can name.  `single`: it is one relation as it is, under this alias."""

    bound: list[Bound]
    aliases: list[str] = field(default_factory=list)
    single: Relation | None = None
    grouped: bool = False
    some_rows: bool = False

    def joined(self, other: Place) -> Place:
        return Place(
            self.bound + other.bound,
            self.aliases + other.aliases,
            None,
            self.grouped or other.grouped,
            self.some_rows or other.some_rows,
        )


@dataclass(slots=True)
class Draw:
    """`stray`: how many choices of a column until one that the policy does not give; below zero never.

    `favoured`: rules of the grammar by name, and how many times as often as usual they are chosen.
    """

    random: Random
    words: Vocabulary
    stray: int = -1
    favoured: Mapping[str, float] = field(default_factory=dict)
    _aliases: int = 0

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def any(self, choices: Sequence[Choice]) -> Choice:
        return self.random.choice(choices)

    def some(self, choices: Sequence[Choice], most: int) -> list[Choice]:
        return self.random.sample(choices, self.random.randint(1, max(1, min(most, len(choices)))))

    def rule(self, weights: Mapping[str, float]) -> str:
        """One of the rules, by weight."""
        names = list(weights)
        return self.random.choices(names, [weights[name] * self.favoured.get(name, 1) for name in names])[0]

    def likes(self, name: str, share: float) -> bool:
        """A rule that is taken or left out."""
        return self.random.random() < min(0.9, share * self.favoured.get(name, 1))

    def alias(self) -> str:
        self._aliases += 1
        return f"t{self._aliases}"

    def constant(self, kind: str) -> str:
        return self.any(BY_TYPE[kind])

    def column(
        self, place: Place, verbs: Verb, kinds: Sequence[str] = (), *, plain: bool = False, equal: bool = False
    ) -> Bound | None:
        """One that may be used for `verbs`; `plain`: stored plain; `equal`: it can be compared."""
        fitting = [
            bound
            for bound in place.bound
            if (not kinds or bound.type in kinds)
            and not (plain and bound.column.sealed)
            and not (equal and not bound.column.equality)
        ]
        if self.strays():
            astray = [bound for bound in fitting if not bound.column.may(verbs)]
            if astray:
                return self.any(astray)
        allowed = [bound for bound in fitting if bound.column.may(verbs)]
        return self.any(allowed) if allowed else None

    def strays(self) -> bool:
        """Whether this is the place."""
        if self.stray < 0:
            return False
        self.stray -= 1
        return self.stray < 0

    def relation(self) -> Relation:
        """Mostly one that the seat may use."""
        usable = [relation for relation in self.words.relations if relation.usable]
        if self.strays():
            return self.any(self.words.relations)
        return self.any(usable)
