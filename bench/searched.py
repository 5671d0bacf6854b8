"""The rows that searches are measured with, their questions, and what a right answer is.  Pure.

Beside each sealed table stands a plain twin with an index on the same column.  E-mail addresses are all different,
birth dates are spread over a hundred years, and a mark of five letters stands in fifty patronymics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from proxy.demo.generate import Row

from .jobs import Work

HITS = 50
YEARS = 100
MARK = "qxzyq"
FIRST = 10_000_000  # ids begin here, behind those of the other measurements
CUSTOMERS = ("id", "surname", "name", "patronymic", "email", "phone", "country", "city", "postal_code", "address")
EMPLOYEES = ("id", "full_name", "birth_date", "hired_on", "position")
TWINS = (
    "CREATE TABLE twin_customers (id bigint PRIMARY KEY, patronymic text, email text UNIQUE)",
    "CREATE TABLE twin_employees (id bigint PRIMARY KEY, birth_date date)",
    "CREATE INDEX ON twin_employees (birth_date)",
)
_BEGIN = date(1920, 1, 1)
_DAYS = 36_525
_SYLLABLES = (
    "an",
    "be",
    "chi",
    "do",
    "el",
    "fa",
    "gor",
    "ha",
    "iv",
    "ko",
    "lu",
    "mir",
    "na",
    "ov",
    "pe",
    "ra",
    "sel",
    "ta",
)


def email_of(number: int) -> str:
    return f"searched{number:08d}@example.org"


def born(number: int, count: int) -> date:
    return _BEGIN + timedelta(days=number * _DAYS // count)


def patronymic(number: int, count: int) -> str:
    chance = Random(number)
    word = "".join(chance.choices(_SYLLABLES, k=4))
    return f"{word}{MARK}{word[:2]}" if number % (count // HITS) == 0 and number < HITS * (count // HITS) else word


def customers(count: int) -> Iterator[Row]:
    for n in range(count):
        address = ("RU", "Moscow", "101000", "Main street")
        yield (FIRST + n, "Ivanova", "Anna", patronymic(n, count), email_of(n), f"+7 901 {n:07d}", *address)


def employees(count: int) -> Iterator[Row]:
    for n in range(count):
        yield (FIRST + n, "Anna Ivanova", born(n, count), date(2020, 1, 1), "clerk")


def query(work: Work, *, twin: bool) -> str:
    prefix = "twin_" if twin else ""
    match work:
        case Work.EQUALITY:
            return f"SELECT id, email FROM {prefix}customers WHERE email = $1"
        case Work.RANGE:
            return f"SELECT id, birth_date FROM {prefix}employees WHERE birth_date BETWEEN $1 AND $2"
        case _:
            return f"SELECT id, patronymic FROM {prefix}customers WHERE patronymic LIKE $1"


def question(work: Work, count: int, chance: Random) -> tuple[tuple[Any, ...], Callable[[Sequence[Any]], bool]]:
    """The values, and whether rows are the answer to them."""
    match work:
        case Work.EQUALITY:
            number = chance.randrange(count)
            return (email_of(number),), lambda rows: [row["id"] for row in rows] == [FIRST + number]
        case Work.RANGE:
            first = date(chance.randrange(_BEGIN.year + 1, _BEGIN.year + YEARS - 1), 1, 1)
            last = date(first.year, 12, 31)
            wanted = sum(1 for _ in _between(first, last, count))
            return (first, last), lambda rows: len(rows) == wanted and all(first <= row[1] <= last for row in rows)
        case _:
            return (f"%{MARK}%",), lambda rows: len(rows) == HITS


def _between(first: date, last: date, count: int) -> Iterator[int]:
    number = (first - _BEGIN).days * count // _DAYS
    while born(number, count) <= last:
        if born(number, count) >= first:
            yield number
        number += 1
