"""Conditions: comparisons that the verbs allow, and how they are put together."""

from __future__ import annotations

from collections.abc import Callable

from policies.model import Verb

from .constants import PATTERNS
from .draw import Bound, Draw, Place
from .expressions import failing, number

# A subquery for a condition: its text; `about` is the place around it.
Subquery = Callable[[Draw, Place], str]


def condition(d: Draw, place: Place, depth: int = 1, subquery: Subquery | None = None) -> str:
    if depth > 0 and d.chance(0.3):
        parts = [condition(d, place, depth - 1, subquery) for _ in range(d.random.randint(1, 2))]
        word = d.any((" AND ", " AND ", " OR "))
        return d.any(("({})", "({})", "NOT ({})", "({}) IS NOT FALSE")).format(word.join(parts))
    rules = {"equal": 6, "null": 2, "range": 4, "same": 1, "inside": 2 if subquery else 0, "pattern": 1, "failing": 0.4,
             "among": 2, "distinct": 1, "true": 0.5, "row": 0.5, "computed": 1}  # fmt: skip
    made = _RULES[d.rule(rules)](d, place)
    if made == "inside" and subquery is not None:
        return subquery(d, place)
    return made or "true"


def _plain(d: Draw, place: Place, verbs: Verb) -> Bound | None:
    return d.column(place, verbs, equal=True)


def _equal(d: Draw, place: Place) -> str:
    column = _plain(d, place, Verb.FILTER_EQ)
    if column is None:
        return ""
    word = d.any(("=", "=", "=", "<>"))
    value = d.constant(column.type)
    return d.any((f"{column.text} {word} {value}", f"{value} {word} {column.text}"))


def _among(d: Draw, place: Place) -> str:
    column = _plain(d, place, Verb.FILTER_EQ)
    if column is None:
        return ""
    values = ", ".join(d.constant(column.type) for _ in range(3))
    return f"{column.text} {d.any(('IN', 'IN', 'NOT IN'))} ({values})"


def _null(d: Draw, place: Place) -> str:
    column = d.column(place, Verb.FILTER_EQ)
    return f"{column.text} IS {d.any(('', 'NOT '))}NULL" if column is not None else ""


def _distinct(d: Draw, place: Place) -> str:
    column = _plain(d, place, Verb.FILTER_EQ)
    return f"{column.text} IS {d.any(('', 'NOT '))}DISTINCT FROM {d.constant(column.type)}" if column else ""


def _range(d: Draw, place: Place) -> str:
    column = d.column(place, Verb.FILTER_RANGE, plain=True)
    if column is None or column.type in ("jsonb", "bool"):
        return ""
    low, high = d.constant(column.type), d.constant(column.type)
    return d.any((
        f"{column.text} {d.any(('<', '>', '<=', '>='))} {low}",
        f"{column.text} BETWEEN {low} AND {high}",
        f"{low} < {column.text}",
    ))  # fmt: skip


def _pattern(d: Draw, place: Place) -> str:
    column = d.column(place, Verb.FILTER_RANGE, ("text",), plain=True)
    if column is None:
        return ""
    return f"{column.text} {d.any(('LIKE', 'ILIKE', 'NOT LIKE', '~'))} {d.any(PATTERNS)}"


def _same(d: Draw, place: Place) -> str:
    """Two columns: that is a join, whosever they are."""
    one = d.column(place, Verb.JOIN, plain=True)
    other = d.column(place, Verb.JOIN, (one.type,), plain=True) if one is not None else None
    return f"{one.text} = {other.text}" if one is not None and other is not None else ""


def _computed(d: Draw, place: Place) -> str:
    word = d.any(("<", ">", "="))
    return f"{number(d, place, Verb.FILTER_EQ | Verb.FILTER_RANGE)} {word} {d.random.randint(0, 40)}"


def _failing(d: Draw, place: Place) -> str:
    column = d.column(place, Verb.FILTER_EQ | Verb.FILTER_RANGE, plain=True)
    if column is None:
        return ""
    return f"{failing(d, Place([column]))} IS NOT NULL"


def _row(d: Draw, place: Place) -> str:
    one, other = (d.column(place, Verb.FILTER_EQ, plain=True) for _ in range(2))
    if one is None or other is None:
        return ""
    return f"({one.text}, {other.text}) = ({d.constant(one.type)}, {d.constant(other.type)})"


_RULES: dict[str, Callable[[Draw, Place], str]] = {
    "equal": _equal,
    "null": _null,
    "range": _range,
    "same": _same,
    "among": _among,
    "distinct": _distinct,
    "pattern": _pattern,
    "computed": _computed,
    "failing": _failing,
    "row": _row,
    "inside": lambda d, place: "inside",
    "true": lambda d, place: d.any(("true", "1 = 1", "now() IS NOT NULL")),
}
