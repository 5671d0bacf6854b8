"""The made-up customers of the benchmarks, the same ones for each side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_SURNAMES = ("Ivanova", "Petrov", "Smith", "Соколова", "Кузнецов", "O'Brien", "Schneider", "Лебедева")
_NAMES = ("Anna", "Пётр", "Mary", "Ольга", "John", "Дмитрий", "Lukas")


class Person(NamedTuple):
    number: int
    surname: str
    name: str
    email: str


def email_of(number: int) -> str:
    return f"customer{number:07d}@example.org"


def people(count: int) -> Iterator[Person]:
    for number in range(1, count + 1):
        surname, name = _SURNAMES[number % len(_SURNAMES)], _NAMES[number % len(_NAMES)]
        yield Person(number, surname, name, email_of(number))
