"""What Fieldgate does with opened cells: values worked out of them, and searches by part and by range."""

from __future__ import annotations

from policies.model import Verb

from .conditions import condition
from .draw import Bound, Draw, Place
from .sources import table

_TEXTS = ("lower({})", "upper({})", "length({})", "left({}, 2)", "right({}, 3)", "substr({}, 2, 3)", "{} || '!'",
          "coalesce({}, '-')", "concat({}, ' ', {})", "replace({}, 'a', 'b')", "reverse({})", "strpos({}, 'а')",
          "octet_length({})", "trim({})", "concat_ws('-', {}, 'x')", "upper(left({}, 1)) || lower({})")  # fmt: skip
_TIMES = ("extract(year FROM {})", "to_char({}, 'YYYY-MM')", "{}::text", "coalesce({}, '2000-12-31')",
          "date_part('month', {})", "extract(quarter FROM {})")  # fmt: skip
_NUMBERS = ("{}::text", "{} || ' EUR'", "coalesce({}, 0)", "concat({}, '-')")
_OTHERS = ("{}::text", "coalesce({}, NULL)")
_PARTS = ("'%ова%'", "'Сми%'", "'%ИВА%'", "'Анн%'", "'%ann%'", "'%нов'", "'John%'", "'%а_а%'")


def computed(d: Draw) -> tuple[str, bool]:
    """Values of cells in the outermost select list.  Also whether the rows have an order."""
    text, place = table(d, d.relation())
    shown = []
    for number in range(d.random.randint(1, 3)):
        found = d.column(place, Verb.READ)
        if found is not None:
            shown.append(f"{_made_of(d, found)} AS v{number}")
    where = f" WHERE {condition(d, place, 1)}" if d.chance(0.4) else ""
    order, exact = _order(d, place)
    return f"SELECT {', '.join(shown) or '1 AS v0'} FROM {text}{where}{order}", exact


def _made_of(d: Draw, column: Bound) -> str:
    forms = {"text": _TEXTS, "time": _TIMES, "date": _TIMES, "number": _NUMBERS}.get(column.type, _OTHERS)
    return d.any((*forms, "{}")).format(column.text, column.text)


def searched(d: Draw, *, alone: bool = False) -> tuple[str, bool]:
    """By part of a text or by range, in a SELECT of its own.

    `alone`: beside no condition that may fail for a row: candidates may be read that plaintext had not come to yet.
    """
    text, place = table(d, d.relation())
    asked = [bound for bound in place.bound if bound.column.searched and bound.column.may(Verb.FILTER_RANGE)]
    if d.strays() or not asked:
        asked = [bound for bound in place.bound if bound.column.searched] or asked
    shown = [found.text for _ in range(2) if (found := d.column(place, Verb.READ)) is not None] or ["1"]
    conditions = [search(d, bound) for bound in asked[:1]]
    if d.chance(0.4) and not alone:
        conditions.append(condition(d, place, 0))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order, exact = _order(d, place)
    limit = d.any((" LIMIT 3", " OFFSET 1", " LIMIT 4 OFFSET 1", "", "")) if exact else ""
    return f"SELECT {', '.join(shown)} FROM {text}{where}{order}{limit}", exact


def search(d: Draw, bound: Bound) -> str:
    if bound.column.searched == "part":
        return f"{bound.text} {d.any(('LIKE', 'ILIKE', 'LIKE', '^@'))} {d.any(_PARTS)}".replace("^@ '%", "^@ '")
    low, high = d.constant(bound.type), d.constant(bound.type)
    return d.any((
        f"{bound.text} {d.any(('<', '>', '<=', '>='))} {low}",
        f"{bound.text} BETWEEN {low} AND {high}",
        f"{bound.text} >= {low} AND {bound.text} < {high}",
    ))  # fmt: skip


def _order(d: Draw, place: Place) -> tuple[str, bool]:
    key = next((bound for bound in place.bound if bound.column.key and bound.column.may(Verb.ORDER)), None)
    return (f" ORDER BY {key.text}", True) if key is not None and d.chance(0.5) else ("", False)
