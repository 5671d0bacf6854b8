"""The other world of a seat: everything that it may not use is different, and nothing that it may use is.

What a single verb lets through stays as that verb sees it: a field that may only be compared by equality keeps its rows
that hold a constant of the grammar's; one that may only be compared by range stays between the same constants; one that
may only be sorted by is moved along with all others; one that may only be counted and summed keeps the sums of all the
parts that figures are made of, and may be anything within a part.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from ipaddress import ip_address
from random import Random

from policies.engine import CompiledDecisions
from policies.model import READ_VERBS, TableRights, Verb
from tests.support.parting import shown

from .grammar.constants import NUMBERS, TEXTS
from .rows import LINKS, OWN, Rows, World, base, copied, shuffled
from .seats import Seat, policy, principal

Shown = tuple[str | None, ...]  # what a row was parted by, as far as it is shown

_LETTERS = "bcdfghjklmnpqrstvwxz"
_POOL = frozenset(text.strip("'") for text in TEXTS)


def rights_of(seat: Seat, table: str) -> TableRights:
    return CompiledDecisions(policy()).table_rights(principal(seat), "public", table)


def other_world(seat: Seat) -> World:
    """Deterministic: the same each time."""
    random, world = Random(f"hidden from {seat.name}"), copied(base())
    rights = {name: rights_of(seat, name) for name in world}
    for name, table in world.items():
        _change(random, name, table, rights[name])
    _remove(random, world, rights)
    return world


# -- cells --


def _change(random: Random, name: str, table: Rows, rights: TableRights) -> None:
    subject = policy().data_map.tables["public", name].subject
    seen = _seen(table, rights) if rights.parts is not None else None
    for at, column in enumerate(table.columns):
        verbs = rights.fields[column].verbs & READ_VERBS
        if column == "id":
            continue
        if rights.row_filter is not None and verbs:
            others = [row for row in table.rows if row[table.at(subject or "id")] != OWN]
            if column != subject:
                _freely(random, name, column, at, others)
        elif verbs and seen is not None:
            _in_parts(random, table, column, seen, rights, linked=(name, column) in LINKS)
        else:
            _HOW.get(verbs, _left_alone)(random, name, column, at, table.rows)


def _freely(random: Random, name: str, column: str, at: int, rows: list[list[object]]) -> None:
    if (name, column) in LINKS:
        _exchange(random, at, rows)
        return
    like = next((row[at] for row in rows if row[at] is not None), None)
    for row in rows:
        if row[at] is None or random.random() < 0.9:
            row[at] = _another(random, like)


def _exchange(random: Random, at: int, rows: list[list[object]]) -> None:
    for row, value in zip(rows, shuffled(random, [row[at] for row in rows]), strict=True):
        row[at] = value


def _another(random: Random, like: object) -> object:
    match like:
        case bool():
            return not like
        case int():
            return random.randint(1, 10**6)
        case Decimal():
            return Decimal(random.randint(100, 10**8)) / 100
        case datetime.datetime():
            return like + datetime.timedelta(seconds=random.randint(-(10**8), 10**8))
        case datetime.date():
            return like + datetime.timedelta(days=random.randint(-9999, 9999))
        case bytes():
            return random.randbytes(random.randint(1, 900))
        case str() if like.startswith("{"):
            return json.dumps({_word(random): random.randint(0, 999)})
        case str() if _is_address(like):
            return ".".join(str(random.randint(1, 250)) for _ in range(4))
    return _word(random)


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _word(random: Random) -> str:
    return "".join(random.choice(_LETTERS) for _ in range(random.choice((3, 8, 15, 40, 300, 1400))))


def _out_of_the_pool(random: Random, name: str, column: str, at: int, rows: list[list[object]]) -> None:
    """Whatever equality with a constant asks, the answer is the same."""
    del name, column
    for row in rows:
        if row[at] is not None and row[at] not in _POOL:
            row[at] = _word(random)


def _between_constants(random: Random, name: str, column: str, at: int, rows: list[list[object]]) -> None:
    del name, column
    bounds = sorted(Decimal(number) for number in NUMBERS)
    for row in rows:
        value = row[at]
        if not isinstance(value, Decimal) or value in bounds:
            continue
        low = max((bound for bound in bounds if bound < value), default=value - 1)
        high = min((bound for bound in bounds if bound > value), default=value + 9999)
        made = (low + (high - low) * Decimal(random.randint(1, 99)) / 100).quantize(Decimal("0.01"))
        if len(str(made)) == len(str(value)):  # `filter_range` lets functions compare, too, and the grammar asks for it
            row[at] = made


def _along(random: Random, name: str, column: str, at: int, rows: list[list[object]]) -> None:
    """The order stays.  A text grows by the smallest of all characters, as often as the text itself says."""
    del random, name, column
    for row in rows:
        value = row[at]
        if isinstance(value, datetime.datetime):
            row[at] = value + datetime.timedelta(days=40)
        elif isinstance(value, str):
            row[at] = value + "\x01" * (sum(value.encode()) % 41)


def _left_alone(random: Random, name: str, column: str, at: int, rows: list[list[object]]) -> None:
    """It may be read, or used in so many ways that nothing of it is hidden."""


How = Callable[[Random, str, str, int, list[list[object]]], None]
_HOW: dict[Verb, How] = {
    Verb(0): _freely,
    Verb.FILTER_EQ: _out_of_the_pool,
    Verb.FILTER_RANGE: _between_constants,
    Verb.ORDER: _along,
}


# -- parts --


def _seen(table: Rows, rights: TableRights) -> list[Shown]:
    """Each row as the seat sees it in parts; nothing of a table that is too small."""
    assert rights.parts is not None
    keys = [table.at(column) for column in rights.parts.columns]
    values = [[None if row[key] is None else str(row[key]) for key in keys] for row in table.rows]
    return shown(values, rights.parts.least) or [(None,) * len(keys) for _ in table.rows]


def _in_parts(
    random: Random, table: Rows, column: str, seen: list[Shown], rights: TableRights, *, linked: bool
) -> None:
    """Keys that are not shown, among rows that are not told apart; numbers, so that no part has another sum."""
    assert rights.parts is not None
    at = table.at(column)
    if column in rights.parts.columns:
        _hidden_keys(random, table, at, seen, rights.parts.columns.index(column), rights.parts.least)
        return
    if not any(isinstance(row[at], Decimal | int) for row in table.rows):
        _freely_but_for_holes(random, table, at)
        return
    for rows in _together(table, seen).values():
        if linked:
            _exchange(random, at, rows)
        else:
            _same_sum(random, rows, at)


def _hidden_keys(random: Random, table: Rows, at: int, seen: list[Shown], key: int, least: int) -> None:
    """Rare ones are called otherwise, and all are dealt out anew, between rows that one part before has together."""
    for before, rows in _together(table, [each[: key + 1] for each in seen]).items():
        if before[key] is not None:
            continue
        counts = Counter(row[at] for row in rows)
        names = {value: _word(random) for value, count in counts.items() if count < least and isinstance(value, str)}
        for row in rows:
            row[at] = names.get(row[at], row[at])
        _exchange(random, at, rows)


def _together(table: Rows, seen: Sequence[Shown]) -> dict[Shown, list[list[object]]]:
    found: dict[Shown, list[list[object]]] = {}
    for row, each in zip(table.rows, seen, strict=True):
        found.setdefault(each, []).append(row)
    return found


def _freely_but_for_holes(random: Random, table: Rows, at: int) -> None:
    """How many there are is counted."""
    for row in table.rows:
        if row[at] is not None:
            row[at] = _another(random, row[at])


def _same_sum(random: Random, rows: list[list[object]], at: int) -> None:
    """The largest becomes larger still and another one smaller, and so on down."""
    rows.sort(key=lambda row: row[at], reverse=True)  # type: ignore[arg-type, return-value]
    for one, other in zip(rows[0::2], rows[1::2], strict=False):
        step = random.randint(1, 99)
        one[at] += step  # type: ignore[operator]
        other[at] -= step  # type: ignore[operator]


# -- rows --


def _remove(random: Random, world: World, rights: dict[str, TableRights]) -> None:
    """Rows that the seat may not even count, with all that refer to them."""
    for name, table in world.items():
        subject = policy().data_map.tables["public", name].subject
        filtered = rights[name].row_filter is not None
        if _children_tell(name, rights) or (rights[name].countable and not filtered):
            continue
        own = table.at(subject) if filtered and subject else None
        gone = {
            row[0]
            for number, row in enumerate(table.rows)
            if random.random() < 0.3 and number > 1 and (own is None or row[own] != OWN)
        }
        _drop(world, name, gone)


def _children_tell(name: str, rights: dict[str, TableRights]) -> bool:
    """Whether a table whose rows all count refers to this one; or one that the seat may make refer to it, since what
    comes of a constraint on a field that may be written is published."""
    children = [link for link, parent in LINKS.items() if parent == name]
    return any(
        (rights[child].countable and rights[child].row_filter is None)
        or rights[child].fields[column].verbs & (Verb.INSERT | Verb.UPDATE)
        or _children_tell(child, rights)
        for child, column in children
    )


def _drop(world: World, name: str, gone: set[object]) -> None:
    world[name].rows = [row for row in world[name].rows if row[0] not in gone]
    for (child, column), parent in LINKS.items():
        if parent == name:
            table = world[child]
            _drop(world, child, {row[0] for row in table.rows if row[table.at(column)] in gone})
