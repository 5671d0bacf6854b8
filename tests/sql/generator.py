"""Random statements over the small world, for property tests: mostly meaningful, often refused, sometimes wrong."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

SEALED = {
    "customers": ["email", "name", "phone", "born", "score"],
    "orders": ["recipient"],
    "accounts": ["login", "password"],
    "customer_view": ["email"],
}
PLAIN = {
    "customers": ["id", "city", "status"],
    "orders": ["id", "customer_id", "total", "status", "tech_notes", "placed_at"],
    "accounts": ["id", "customer_id"],
    "notes": ["id", "customer_id", "body", "email"],
    "customer_view": ["id", "town"],
}
KEYS = {"id", "customer_id"}
VALUES = {
    "born": ["'2001-02-03'", "'1999-12-31'::date", "date '2001-02-03'", "NULL"],
    "score": ["5", "-5", "'7'", "NULL"],
    "id": ["1", "2", "'3'", "7"],
    "customer_id": ["1", "2", "7"],
    "total": ["10.5", "20", "7.00"],
    "placed_at": ["'2024-01-02'"],
}
TEXTS = ["'ann@x'", "'x'", "'Ann'", "'Rome'", "'new'", "''", "E'x'", "$$Me$$", "'bob@x'::text", "NULL"]


@dataclass(frozen=True, slots=True)
class Bound:
    """A source in FROM: its alias and its columns, as (name, the column it comes from, sealed)."""

    alias: str
    columns: tuple[tuple[str, str, bool], ...]


def _table(name: str, alias: str) -> Bound:
    sealed = tuple((c, c, True) for c in SEALED.get(name, []))
    return Bound(alias, tuple((c, c, False) for c in PLAIN[name]) + sealed)


@st.composite
def sources(draw: st.DrawFn, number: int, depth: int) -> tuple[str, Bound]:
    name = draw(st.sampled_from(list(PLAIN)))
    alias = f"t{number}{depth}"
    bound = _table(name, alias)
    kind = draw(st.integers(0, 9 if depth else 5))
    if kind < 6:
        schema = draw(st.sampled_from(["", "public.", '"public".']))
        return f"{schema}{name} {draw(st.sampled_from(['AS ', '']))}{alias}", bound
    if kind == 6:
        return f"(SELECT * FROM {name}) {alias}", bound
    chosen = draw(st.lists(st.sampled_from(bound.columns), min_size=1, max_size=3, unique=True))
    listed = ", ".join(f"{column} AS k{i}" for i, (column, _, _) in enumerate(chosen))
    renamed = tuple((f"k{i}", origin, sealed) for i, (_, origin, sealed) in enumerate(chosen))
    where = f" WHERE {draw(conditions([_table(name, name)], 0))}" if draw(st.booleans()) else ""
    return f"(SELECT {listed} FROM {name}{where}) AS {alias}", Bound(alias, renamed)


@st.composite
def columns(draw: st.DrawFn, bounds: list[Bound]) -> tuple[str, str, bool]:
    bound = draw(st.sampled_from(bounds))
    name, origin, sealed = draw(st.sampled_from(bound.columns))
    return draw(st.sampled_from([f"{bound.alias}.{name}", f'{bound.alias}."{name}"'])), origin, sealed


@st.composite
def conditions(draw: st.DrawFn, bounds: list[Bound], depth: int) -> str:
    kind = draw(st.integers(0, 11 if depth else 8))
    if kind >= 10:
        word = draw(st.sampled_from(["AND", "OR"]))
        return f"({draw(conditions(bounds, depth - 1))} {word} {draw(conditions(bounds, depth - 1))})"
    if kind == 9:
        return f"NOT {draw(conditions(bounds, depth - 1))}"
    column, origin, sealed = draw(columns(bounds))
    value = draw(st.sampled_from(VALUES.get(origin, TEXTS)))
    if kind == 0:
        return f"{column} IS {draw(st.sampled_from(['', 'NOT ']))}NULL"
    if kind == 1:
        more = draw(st.sampled_from(VALUES.get(origin, TEXTS)))
        return f"{column} {draw(st.sampled_from(['IN', 'NOT IN']))} ({value}, {more})"
    if kind == 2:
        return f"{column} IS {draw(st.sampled_from(['', 'NOT ']))}DISTINCT FROM {value}"
    if kind == 3:
        other, _, _ = draw(columns(bounds))
        return f"{column} = {other}"
    if kind == 4 and depth:
        inner_text, inner = draw(sources(draw(st.integers(5, 9)), 0))
        chosen, _, _ = draw(columns([inner]))
        return f"{column} IN (SELECT {chosen} FROM {inner_text})"
    if kind == 5 and depth:
        inner_text, inner = draw(sources(draw(st.integers(5, 9)), 0))
        return f"EXISTS (SELECT 1 FROM {inner_text} WHERE {draw(conditions([*bounds, inner], 0))})"
    if kind == 6 and not sealed:
        return f"{column} {draw(st.sampled_from(['>', '<=']))} {value}"
    return f"{column} {draw(st.sampled_from(['=', '<>', '=', '=']))} {value}"


@st.composite
def froms(draw: st.DrawFn, depth: int) -> tuple[str, list[Bound]]:
    text, first = draw(sources(0, depth))
    bounds = [first]
    for number in range(1, draw(st.integers(1, 3))):
        more, bound = draw(sources(number, depth))
        join = draw(st.sampled_from(["JOIN", "LEFT JOIN", "CROSS JOIN", ","]))
        bounds.append(bound)
        on = f" ON {draw(conditions(bounds, 0))}" if join.endswith("T JOIN") or join == "JOIN" else ""
        text += f"{' ' if join != ',' else ''}{join} {more}{on}"
    return text, bounds


@st.composite
def selects(draw: st.DrawFn, depth: int = 1) -> str:
    text, bounds = draw(froms(depth))
    where = f" WHERE {draw(conditions(bounds, depth))}" if draw(st.booleans()) else ""
    shape = draw(st.integers(0, 5))
    if shape == 0:
        return f"SELECT * FROM {text}{where}"
    chosen = [draw(columns(bounds)) for _ in range(draw(st.integers(1, 3)))]
    listed = ", ".join(f"{c} AS o{i}" if draw(st.booleans()) else c for i, (c, _, _) in enumerate(chosen))
    if shape == 1:
        keys = ", ".join(c for c, _, _ in chosen)
        having = draw(st.sampled_from(["", " HAVING count(*) > 1", " HAVING count(*) >= 1"]))
        return f"SELECT {listed}, count(*) AS n FROM {text}{where} GROUP BY {keys}{having}"
    if shape == 2:
        return f"SELECT DISTINCT {listed} FROM {text}{where}"
    if shape == 3:
        counted, _, _ = draw(columns(bounds))
        return f"SELECT count({draw(st.sampled_from(['', 'DISTINCT ']))}{counted}), count(*) FROM {text}{where}"
    if shape == 4:
        other, other_bounds = draw(froms(0))
        same = [draw(columns(other_bounds)) for _ in chosen]
        word = draw(st.sampled_from(["UNION ALL", "UNION", "EXCEPT"]))
        left = ", ".join(c for c, _, _ in chosen)
        return f"SELECT {left} FROM {text}{where} {word} SELECT {', '.join(c for c, _, _ in same)} FROM {other}"
    return f"SELECT {listed} FROM {text}{where}"


@st.composite
def writes(draw: st.DrawFn) -> str:
    table = draw(st.sampled_from(["customers", "orders", "accounts"]))
    bound = _table(table, "w")
    names = draw(st.lists(st.sampled_from([c for c, _, _ in bound.columns]), min_size=1, max_size=3, unique=True))
    values = [draw(st.sampled_from(VALUES.get(name, TEXTS))) for name in names]
    kind = draw(st.integers(0, 3))
    returning = draw(st.sampled_from(["", " RETURNING *", f" RETURNING {names[0]}"]))
    if kind == 0:
        return f"DELETE FROM {table} w WHERE {draw(conditions([bound], 1))}{returning}"
    if kind == 1:
        more = [draw(st.sampled_from(VALUES.get(name, TEXTS))) for name in names]
        conflict = draw(st.sampled_from(["", " ON CONFLICT DO NOTHING"]))
        rows = f"({', '.join(values)}), ({', '.join(more)})"
        return f"INSERT INTO {table} ({', '.join(names)}) VALUES {rows}{conflict}{returning}"
    assignments = ", ".join(f"{n} = {v}" for n, v in zip(names, values, strict=True))
    return f"UPDATE {table} w SET {assignments} WHERE {draw(conditions([bound], 1))}{returning}"


@st.composite
def statements(draw: st.DrawFn) -> str:
    kind = draw(st.integers(0, 6))
    if kind == 0:
        return draw(writes())
    if kind == 1:
        inner = draw(selects())
        text, bounds = draw(froms(0))
        return f"WITH q AS ({inner}) SELECT * FROM q, {text} WHERE {draw(conditions(bounds, 0))}"
    return draw(selects())
