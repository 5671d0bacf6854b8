"""GROUP BY, HAVING and aggregates, for those who may read and for those who may only count."""

from __future__ import annotations

from policies.model import Verb

from .conditions import Subquery, condition
from .draw import Bound, Draw, Place
from .sources import Derived, joined, table
from .vocabulary import Relation

_READLESS = ("count", "sum", "avg")
_OTHERS = ("min", "max", "stddev", "variance", "bit_or")


def grouped(d: Draw, derived: Derived, inside: Subquery) -> str:
    narrow = [relation for relation in d.words.relations if relation.grouped and relation.usable]
    if narrow and d.chance(0.8):
        text, place = table(d, d.any(narrow))
        if d.chance(0.1):
            text += " CROSS JOIN generate_series(1, 6) AS blown (up)"
    else:
        text, place = joined(d, 1, derived)
    keys = [key for _ in range(d.random.choices((0, 1, 2), (2, 4, 1))[0]) if (key := _key(d, place)) is not None]
    # A computed key is read where it is shown; who sees groups only can but group by it.
    shown = [f"{key.text} AS k{n}" for n, key in enumerate(keys) if not place.grouped or "(" not in key.text]
    shown += [f"{aggregate(d, place)} AS a{n}" for n in range(d.random.randint(1, 2))]
    where = f" WHERE {condition(d, place, 1, inside)}" if d.likes("where", 0.1 if place.grouped else 0.5) else ""
    return f"SELECT {', '.join(shown)} FROM {text}{where}{_by(d, keys)}{_having(d, place)}"


def _key(d: Draw, place: Place) -> Bound | None:
    column = d.column(place, Verb.GROUP, equal=True)
    if column is None or column.column.sealed or d.rule({"bare": 8, "computed": 0.7}) == "bare":
        return column
    form = {"text": "length({})", "number": "({} > 10)", "time": "extract(month FROM {})"}.get(column.type, "{}")
    return Bound(form.format(column.text), column.column)


def _by(d: Draw, keys: list[Bound]) -> str:
    if not keys:
        return ""
    listed = ", ".join(key.text for key in keys)
    computed = any("(" in key.text for key in keys)
    numbers = listed if computed else ", ".join(str(n) for n in range(1, len(keys) + 1))
    return " GROUP BY " + d.any(
        (listed, listed, listed, numbers, f"ROLLUP ({listed})", f"GROUPING SETS (({listed}), ())")
    )


def aggregate(d: Draw, place: Place) -> str:
    match d.rule({"rows": 3, "readless": 5, "others": 1.5, "apart": 1, "filtered": 1, "listed": 0.7, "reckoned": 0.5}):
        case "readless":
            called = d.any(_READLESS)
            of = d.column(place, Verb.AGGREGATE, () if called == "count" else ("number",), plain=called != "count")
            return f"{called}({of.text})" if of is not None else "count(*)"
        case "others":
            of = d.column(place, Verb.AGGREGATE | Verb.READ, ("number", "text", "time"), plain=True)
            if of is not None:
                return f"{d.any(_OTHERS[:2] if of.type != 'number' else _OTHERS[:4])}({of.text})"
        case "apart":
            of = d.column(place, Verb.AGGREGATE | Verb.GROUP, equal=True)
            if of is not None:
                return f"count(DISTINCT {of.text})"
        case "filtered" if not place.grouped or d.chance(0.3):
            return f"count(*) FILTER (WHERE {condition(d, place, 0)})"
        case "listed":
            of = d.column(place, Verb.AGGREGATE | Verb.READ | Verb.ORDER, ("text", "number"), plain=True)
            if of is not None:
                return f"string_agg({of.text}::text, ',' ORDER BY {of.text})"
        case "reckoned":
            of = d.column(place, Verb.AGGREGATE | Verb.READ, ("number",), plain=True)
            if of is not None:
                return f"sum({of.text} * 2)"
    return "count(*)"


def _having(d: Draw, place: Place) -> str:
    if not d.likes("having", 0.25):
        return ""
    of = d.column(place, Verb.AGGREGATE, ("number",), plain=True)
    called = f"sum({of.text})" if of is not None and d.chance(0.6) else "count(*)"
    return f" HAVING {called} {d.any(('>', '<', '>='))} {d.constant('number')}"


def groupable(relation: Relation) -> bool:
    return any(column.may(Verb.GROUP) for column in relation.columns)
