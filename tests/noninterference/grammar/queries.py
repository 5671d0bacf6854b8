"""SELECT in all its parts: lists, conditions, subqueries, WITH, set operations, windows, order and limits."""

from __future__ import annotations

from dataclasses import dataclass

from policies.model import Verb

from . import tricks
from .conditions import condition
from .draw import Draw, Place
from .expressions import expression
from .groups import grouped
from .sealed import computed, searched
from .sources import joined, table
from .vocabulary import Column

READ = Verb.READ


@dataclass(frozen=True, slots=True)
class Query:
    """`exact`: its rows have an order."""

    text: str
    columns: tuple[Column, ...]
    exact: bool = False


def query(d: Draw, depth: int = 2) -> Query:
    """Any query at the top."""
    rules = {"select": 8, "grouped": 4, "with": 2, "union": 2, "ordered": 2, "windowed": 1.5, "whole": 1,
             "counted": 1, "trick": 1.2, "distinct": 1, "catalog": 0.5, "constants": 0.7,
             "opened": 2, "searched": 1.2}  # fmt: skip
    match d.rule(rules):
        case "grouped":
            return Query(grouped(d, _derived(depth), _inside), ())
        case "with":
            return _with(d, depth)
        case "union":
            return _union(d, depth)
        case "ordered":
            return _ordered(d, depth)
        case "windowed":
            return _windowed(d)
        case "whole":
            return _whole(d)
        case "counted":
            return _counted(d, depth)
        case "trick":
            return Query(tricks.query(d), ())
        case "distinct":
            return _distinct(d, depth)
        case "catalog":
            return Query(d.any(tricks.CATALOGS), ())
        case "opened":
            text, exact = computed(d)
            return Query(text, (), exact)
        case "searched":
            text, exact = searched(d)
            return Query(text, (), exact)
        case "constants":
            value = d.any(
                ("1", "'a'", "now() > '2020-01-01'", "current_setting('server_version_num')", "1/0", "'a'::int")
            )
            return Query(f"SELECT {value} AS v", ())
    return select(d, depth)


def select(d: Draw, depth: int = 1, around: Place | None = None) -> Query:
    text, place = joined(d, depth, _derived(depth))
    if place.grouped and not d.strays():
        return Query(grouped(d, _derived(depth), _inside), ())
    seen = place.joined(around) if around is not None else place
    columns, shown = _list(d, place, seen, depth)
    where = f" WHERE {condition(d, seen, 1, _inside if depth else None)}" if d.likes("where", 0.6) else ""
    return Query(f"SELECT {shown} FROM {text}{where}", columns)


def _derived(depth: int):  # type: ignore[no-untyped-def]
    def made(d: Draw, around: Place | None) -> tuple[str, list[Column]]:
        found = select(d, max(0, depth - 1), around)
        return found.text, list(found.columns)

    return made


def _list(d: Draw, place: Place, seen: Place, depth: int) -> tuple[tuple[Column, ...], str]:
    """Each column has a name of its own."""
    columns: list[Column] = []
    shown: list[str] = []
    for number in range(d.random.randint(1, 4)):
        match d.rule({"column": 7, "value": 3, "subquery": 0.8 if depth else 0, "trick": 0.25}):
            case "column":
                found = d.column(place, READ)
                if found is not None:
                    name = f"o{number}" if d.chance(0.5) or found.column.name in {c.name for c in columns} else ""
                    columns.append(found.column.named(name or found.column.name))
                    shown.append(f"{found.text} AS {name}" if name else found.text)
                    continue
            case "subquery":
                shown.append(f"{_scalar(d, seen)} AS o{number}")
                continue
            case "trick":
                shown.append(f"{tricks.expression(d, place)} AS o{number}")
                continue
        shown.append(f"{expression(d, seen)} AS o{number}")
    return tuple(columns), ", ".join(shown)


def _scalar(d: Draw, around: Place) -> str:
    """A subquery that gives one value."""
    text, place = table(d, d.relation())
    match d.rule({"count": 3, "exists": 2, "max": 2, "array": 1}):
        case "count":
            return f"(SELECT count(*) FROM {text} WHERE {condition(d, place.joined(around), 0)})"
        case "exists":
            return f"EXISTS (SELECT 1 FROM {text} WHERE {condition(d, place.joined(around), 0)})"
        case "array":
            found = d.column(place, READ, plain=True)
            return f"(SELECT count(*) FROM unnest(ARRAY(SELECT {found.text if found else '1'} FROM {text})) u)"
    found = d.column(place, READ | Verb.AGGREGATE, ("number", "text", "time"), plain=True)
    return f"(SELECT {d.any(('max', 'min'))}({found.text if found is not None else '1'}) FROM {text})"


def _inside(d: Draw, around: Place) -> str:
    """A condition that asks another table."""
    text, place = table(d, d.relation())
    seen = place.joined(around)
    if d.chance(0.5):
        return f"{d.any(('', 'NOT '))}EXISTS (SELECT 1 FROM {text} WHERE {condition(d, seen, 0)})"
    one = d.column(around, Verb.JOIN, ("number", "text"), plain=True)
    other = d.column(place, Verb.JOIN, (one.type,), plain=True) if one is not None else None
    if one is None or other is None:
        return f"EXISTS (SELECT FROM {text} WHERE {condition(d, seen, 0)})"
    word = d.any(("IN", "= ANY", "NOT IN"))
    return f"{one.text} {word} (SELECT {other.text} FROM {text} WHERE {condition(d, place, 0)})"


def _with(d: Draw, depth: int) -> Query:
    if d.rule({"named": 4, "shadowing": 1}) == "shadowing":
        return Query(_shadowing(d), ())
    inner, outer = select(d, max(0, depth - 1)), d.alias()
    listed = [column.named(f"w{n}") for n, column in enumerate(inner.columns)]
    if listed and d.rule({"plain": 3, "swapped list": 1}) != "plain":
        names = [column.name for column in inner.columns]
        d.random.shuffle(names)
        listed = [column.named(name) for column, name in zip(inner.columns, names, strict=True)]
    names = f" ({', '.join(column.name for column in listed)})" if listed and d.chance(0.4) else ""
    columns = listed if names else list(inner.columns)
    material = d.any(("", "", "MATERIALIZED ", "NOT MATERIALIZED "))
    shown = ", ".join(f"{outer}.{column.name}" for column in columns) or "count(*)"
    return Query(f"WITH w{names} AS {material}({inner.text}) SELECT {shown} FROM w {outer}", tuple(columns))


def _shadowing(d: Draw) -> str:
    """A common table under the name of a real one, and what means the one or the other."""
    relation = tricks.protected(d)
    t, c = relation.name, tricks.hidden(d, relation)
    return d.any((
        f"WITH {t} AS (SELECT id, body AS {c if c != 'id' else 'body'} FROM notes) SELECT x.{c} FROM {t} x",
        f"WITH {t} AS (SELECT body AS {c} FROM notes) SELECT x.{c} FROM public.{t} x",
        f"WITH w AS (SELECT {c} FROM {t}), {t} AS (SELECT 'a' AS {c}) SELECT w.{c} FROM w",
        f"WITH w AS (WITH {t} AS (SELECT 'a' AS {c}) SELECT {c} FROM {t}) SELECT w.{c}, x.{c} FROM w, {t} x",
        f"SELECT (WITH {t} AS (SELECT 'a' AS {c}) SELECT max({c}) FROM {t})::text, x.{c}::text FROM {t} x",
    ))  # fmt: skip


def _union(d: Draw, depth: int) -> Query:
    one, other = _row(d, depth), _row(d, depth)
    word = d.any(("UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT"))
    return Query(f"{one} {word} {other}", ())


def _row(d: Draw, depth: int) -> str:
    text, place = joined(d, 0, _derived(0))
    found = d.column(place, READ | (Verb.GROUP if d.chance(0.5) else READ), plain=True)
    where = f" WHERE {condition(d, place, 0)}" if d.chance(0.5) else ""
    return f"SELECT {found.text}::text FROM {text}{where}" if found else f"SELECT 'a' FROM {text}{where}"


def _ordered(d: Draw, depth: int) -> Query:
    """The order ends with the key, so that it is one; only then may rows be limited."""
    relation = d.relation()
    text, place = table(d, relation)
    key = next((b for b, c in zip(place.bound, relation.columns, strict=True) if c.name == relation.key), None)
    by = d.column(place, Verb.ORDER, plain=True)
    columns, shown = _list(d, place, place, depth)
    total = key is not None and key.column.may(Verb.ORDER)
    keys = [
        *([f"{by.text}{d.any(('', ' DESC', ' NULLS FIRST'))}"] if by else []),
        *([key.text] if total and key else []),
    ]
    where = f" WHERE {condition(d, place, 1, _inside)}" if d.chance(0.4) else ""
    order = f" ORDER BY {', '.join(keys)}" if keys else ""
    limit = f" {d.any(('LIMIT 3', 'LIMIT 5 OFFSET 2', 'FETCH FIRST 4 ROWS ONLY', ''))}" if total else ""
    return Query(f"SELECT {shown} FROM {text}{where}{order}{limit}", columns, exact=total)


def _windowed(d: Draw) -> Query:
    relation = d.relation()
    text, place = table(d, relation)
    part, by = d.column(place, Verb.GROUP, plain=True), d.column(place, Verb.ORDER, plain=True)
    of = d.column(place, READ | Verb.AGGREGATE, ("number",), plain=True)
    over = " ".join(filter(None, (
        f"PARTITION BY {part.text}" if part and d.chance(0.6) else "",
        f"ORDER BY {by.text}" if by and d.chance(0.6) else "",
    )))  # fmt: skip
    what = of.text if of else "1"
    called = d.any(
        ("rank()", "dense_rank()", "count(*)", f"sum({what})", f"max({what})", "cume_dist()", "percent_rank()")
    )
    shown = d.column(place, READ)
    listed = f"{shown.text}, " if shown else ""
    if d.chance(0.3):
        return Query(f"SELECT {listed}{called} OVER w AS n FROM {text} WINDOW w AS ({over})", ())
    return Query(f"SELECT {listed}{called} OVER ({over}) AS n FROM {text}", ())


def _whole(d: Draw) -> Query:
    """Everything of a table, which shows NULL for what may not be read."""
    text, place = table(d, d.relation())
    where = f" WHERE {condition(d, place, 0)}" if d.chance(0.4) else ""
    alias = place.aliases[0]
    return Query(d.any((
        f"SELECT * FROM {text}{where}",
        f"SELECT {alias}.* FROM {text}{where}",
        f"TABLE {d.relation().name}",
        f"SELECT * FROM (SELECT * FROM {text}{where}) q",
        f"WITH q AS (SELECT * FROM {text}) SELECT * FROM q",
    )), ())  # fmt: skip


def _counted(d: Draw, depth: int) -> Query:
    inner = select(d, max(0, depth - 1))
    return Query(f"SELECT count(*) FROM ({inner.text}) q", ())


def _distinct(d: Draw, depth: int) -> Query:
    text, place = joined(d, depth, _derived(depth))
    found = [d.column(place, READ | Verb.GROUP, equal=True) for _ in range(2)]
    shown = ", ".join(f"{bound.text} AS d{n}" for n, bound in enumerate(found) if bound) or "1 AS d"
    where = f" WHERE {condition(d, place, 0)}" if d.chance(0.4) else ""
    if d.chance(0.2) and found[0] is not None:
        key = d.column(place, Verb.ORDER, ("number",), plain=True)
        order = f" ORDER BY {found[0].text}, {key.text}" if key else ""
        return Query(f"SELECT DISTINCT ON ({found[0].text}) {found[0].text} AS d FROM {text}{where}{order}", ())
    return Query(f"SELECT DISTINCT {shown} FROM {text}{where}", ())
