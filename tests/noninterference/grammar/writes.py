"""INSERT, UPDATE, DELETE, ON CONFLICT and MERGE, with RETURNING; they are undone behind them."""

from __future__ import annotations

from policies.model import Verb

from .conditions import condition
from .draw import Bound, Draw, Place
from .expressions import expression
from .sealed import search
from .sources import table
from .tricks import LETTERS, hidden, protected
from .vocabulary import Column, Relation


def write(d: Draw) -> str:
    """One of the tables that the seat may write to, or notes."""
    verbs = d.any((Verb.INSERT, Verb.UPDATE, Verb.UPDATE, Verb.DELETE))
    fitting = [relation for relation in d.words.tables if any(c.may(verbs) for c in relation.columns)]
    if d.strays():
        fitting = list(d.words.tables)
    relation = d.any(fitting) if fitting and d.chance(0.85) else d.words.relation("notes")
    match d.rule({"plain": 9, "merge": 1.5, "stolen": 0.6, "stolen conflict": 0.3}):
        case "merge":
            return _merge(d, relation)
        case "stolen":
            return _stolen(d)
        case "stolen conflict":
            return _stolen_conflict(d)
    if verbs is Verb.INSERT:
        return insert(d, relation)
    return _update(d, relation) if verbs is Verb.UPDATE else _delete(d, relation)


def insert(d: Draw, relation: Relation) -> str:
    columns = [c for c in relation.columns if c.given and c.name != "id"]
    more = [c for c in relation.columns if c.may(Verb.INSERT) and not c.given and c.name != "id"]
    columns += d.random.sample(more, min(len(more), d.random.randint(0, 2)))
    if relation.name == "notes" or d.likes("key given", 0.15):
        columns = [relation.column("id"), *columns]
    if not columns:
        return f"INSERT INTO {relation.name} DEFAULT VALUES"
    names = ", ".join(column.name for column in columns)
    rows = ", ".join(f"({', '.join(_value(d, column) for column in columns)})" for _ in range(d.random.randint(1, 2)))
    text = f"INSERT INTO {relation.name} ({names}) VALUES {rows}"
    if d.rule({"values": 8, "from a query": 1}) != "values":
        text = f"INSERT INTO {relation.name} ({names}) {_selected(d, columns)}"
    place = Place([Bound(column.name, column) for column in columns], [relation.name])
    return f"{text}{_conflict(d, relation, columns)}{_returning(d, place)}"


def _value(d: Draw, column: Column) -> str:
    if column.name == "id":
        return str(d.random.choice((1, 2, 3, 700_000)) + d.random.choice((0, d.random.randint(1, 10**4))))
    if column.name.endswith("_id"):
        return str(d.random.randint(1, 5))
    if column.unique and column.type == "text" and d.chance(0.7):
        return f"'new{d.random.randint(1, 10**6)}@example.org'"
    return d.constant(column.type)


def _selected(d: Draw, columns: list[Column]) -> str:
    """Values out of another table: what is stored in a sealed column has to be a constant."""
    text, place = table(d, d.relation())
    shown = []
    for column in columns:
        found = d.column(place, Verb.READ, (column.type,), plain=True)
        shown.append(_value(d, column) if column.sealed or found is None else found.text)
    return f"SELECT {', '.join(shown)} FROM {text} LIMIT 1"


def _conflict(d: Draw, relation: Relation, columns: list[Column]) -> str:
    if not d.likes("conflict", 0.3):
        return ""
    unique = [column for column in relation.columns if column.unique and (column in columns or d.chance(0.2))]
    target = f" ({d.any(unique).name})" if unique and d.chance(0.7) else ""
    changed = [column for column in relation.columns if column.may(Verb.UPDATE) and column.name != "id"]
    if not target or not changed or d.chance(0.4):
        return f" ON CONFLICT{target} DO NOTHING"
    column = d.any(changed)
    value = d.any((f"EXCLUDED.{column.name}", _value(d, column), f"{relation.name}.{column.name}"))
    own = Place([Bound(f"{relation.name}.{c.name}", c) for c in relation.columns], [relation.name])
    where = f" WHERE {condition(d, own, 0)}" if d.likes("conflict where", 0.4) else ""
    return f" ON CONFLICT{target} DO UPDATE SET {column.name} = {value}{where}"


def _returning(d: Draw, place: Place) -> str:
    """Only what was given: a default may be the time."""
    if not d.likes("returning", 0.4) or not place.bound:
        return ""
    found = d.column(place, Verb.READ)
    return f" RETURNING {d.any((found.text, expression(d, place, 0))) if found else expression(d, place, 0)}"


def _target(d: Draw, relation: Relation) -> tuple[str, Place]:
    alias = d.alias() if d.chance(0.5) else relation.name
    place = Place(
        [Bound(f"{alias}.{c.name}", c) for c in relation.columns], [alias], relation, some_rows=relation.some_rows
    )
    return (relation.name if alias == relation.name else f"{relation.name} {alias}"), place


def _narrow(d: Draw, place: Place) -> str:
    """Mostly by key, so that something can be bound to it."""
    key = place.bound[0]
    if key.column.may(Verb.FILTER_EQ) and d.chance(0.5):
        return f"{key.text} = {d.random.randint(1, 6)}"
    if place.some_rows:
        column = d.column(place, Verb.FILTER_EQ, equal=True)
        return f"{column.text} = {d.constant(column.type)}" if column else "true"
    return condition(d, place, 1)


def _update(d: Draw, relation: Relation) -> str:
    text, place = _target(d, relation)
    verbs = Verb.UPDATE if not d.strays() else Verb(0)
    allowed = [column for column in relation.columns if column.may(verbs) and column.name != "id"]
    if not allowed:
        return _delete(d, relation)
    sets = ", ".join(f"{column.name} = {_new(d, place, column)}" for column in d.some(allowed, 2))
    origin, seen = "", place
    if d.chance(0.15) and not relation.some_rows:
        more, other = table(d, d.relation())
        origin, seen = f" FROM {more}", place.joined(other)
    where = f" WHERE {_narrow(d, seen)}" if d.chance(0.9) else ""
    if not origin and d.likes("written by search", 0.15):
        where = _searched(d, place) or where
    return f"UPDATE {text} SET {sets}{origin}{where}{_returning(d, place)}"


def _new(d: Draw, place: Place, column: Column) -> str:
    if column.sealed:
        return d.any((_value(d, column), _value(d, column), "NULL"))
    found = d.column(place, Verb.READ, (column.type,), plain=True)
    return d.any((_value(d, column), _value(d, column), "NULL", found.text if found else "DEFAULT"))


def _delete(d: Draw, relation: Relation) -> str:
    text, place = _target(d, relation)
    origin, seen = "", place
    if d.chance(0.1) and not relation.some_rows:
        more, other = table(d, d.relation())
        origin, seen = f" USING {more}", place.joined(other)
    where = f" WHERE {_narrow(d, seen)}"
    if not origin and d.likes("written by search", 0.15):
        where = _searched(d, place) or where
    return f"DELETE FROM {text}{origin}{where}{_returning(d, place)}"


def _searched(d: Draw, place: Place) -> str:
    """By part or range, where the table has such columns; sometimes beside another condition."""
    asked = [bound for bound in place.bound if bound.column.searched and bound.column.may(Verb.FILTER_RANGE)]
    if not asked:
        return ""
    beside = f" AND {place.bound[0].text} < {d.random.randint(2, 40)}" if d.chance(0.3) else ""
    return f" WHERE {search(d, d.any(asked))}{beside}"


def _merge(d: Draw, relation: Relation) -> str:
    """Mostly into notes; its branches ask whatever they like."""
    if d.chance(0.6):
        relation = d.words.relation("notes")
    target = Place([Bound(f"m.{c.name}", c) for c in relation.columns], ["m"])
    source, place = table(d, d.relation())
    key = d.column(place, Verb.JOIN, ("number",), plain=True)
    allowed = [column for column in relation.columns if column.may(Verb.UPDATE) and column.name != "id"]
    both = target.joined(place)
    asked = f" AND {condition(d, both, 0)}" if d.likes("merge when", 0.5) else ""
    then = "DO NOTHING"
    if allowed:
        column = d.any(allowed)
        found = d.column(place, Verb.READ, (column.type,), plain=True)
        value = found.text if found and not column.sealed and d.chance(0.6) else _value(d, column)
        then = f"UPDATE SET {column.name} = {value}"
    on = f"m.id = {key.text}" if key else "false"
    other = f" WHEN NOT MATCHED{' AND ' + condition(d, place, 0) if d.likes('merge when', 0.3) else ''} THEN DO NOTHING"
    returning = _returning(d, target) if relation.name == "notes" else ""
    return f"MERGE INTO {relation.name} m USING {source} ON {on} WHEN MATCHED{asked} THEN {then}{other}{returning}"


def _stolen(d: Draw) -> str:
    """What may not be read is stored, asked or returned by writing."""
    relation = protected(d)
    halves = [one for one in d.words.tables if _half_open(one)]
    if halves and d.chance(0.5):
        relation = d.any(halves)
    t, k, c, v = relation.name, relation.columns[0].name, hidden(d, relation), d.any(LETTERS)
    merge = f"MERGE INTO notes m USING {t} x"
    u = next((column.name for column in relation.columns if column.may(Verb.UPDATE) and not column.unique), c)
    return d.any((
        f"UPDATE notes SET body = x.{c}::text FROM {t} x WHERE x.{k} = notes.id RETURNING body",
        f"UPDATE notes SET weight = length(x.{c}::text) FROM {t} x WHERE x.{k} = notes.id RETURNING weight",
        f"INSERT INTO notes (id, body) SELECT 900 + x.{k}, x.{c}::text FROM {t} x RETURNING body",
        f"DELETE FROM notes USING {t} x WHERE x.{k} = notes.id AND x.{c}::text > {v} RETURNING notes.id",
        f"{merge} ON m.id = x.{k} WHEN MATCHED THEN UPDATE SET body = x.{c}::text RETURNING m.body",
        f"{merge} ON m.id = x.{k} AND x.{c}::text > {v} WHEN MATCHED THEN DELETE",
        f"{merge} ON m.id = x.{k} WHEN MATCHED AND x.{c}::text > {v} THEN DELETE",
        f"UPDATE {t} SET {u} = {u} WHERE {k} < 5 RETURNING {c}",
        f"UPDATE {t} SET {u} = {u} WHERE {k} < 5 RETURNING {c} IS NULL, length({c}::text)",
        f"DELETE FROM {t} WHERE {k} = 3 RETURNING *",
        f"WITH u AS (UPDATE notes SET body = body RETURNING id) SELECT x.{c} FROM {t} x, u WHERE u.id = x.{k}",
    ))  # fmt: skip


def _half_open(relation: Relation) -> bool:
    """Something in it may be changed, and something may not be read."""
    columns = relation.columns
    return any(column.may(Verb.UPDATE | Verb.READ) for column in columns) and not all(c.may(Verb.READ) for c in columns)


def _stolen_conflict(d: Draw) -> str:
    """The row is there, and what is asked of it decides what is done."""
    fitting = [relation for relation in d.words.tables if any(c.may(Verb.UPDATE) for c in relation.columns)]
    relation = d.any(fitting or d.words.tables)
    changed = [c for c in relation.columns if c.may(Verb.UPDATE) and c.name != "id"] or list(relation.columns)
    columns = [relation.column("id"), *(c for c in relation.columns if c.given and c.name != "id")]
    values = ", ".join("3" if c.name == "id" else _value(d, c) for c in columns)
    name = hidden(d, relation)
    return (
        f"INSERT INTO {relation.name} ({', '.join(c.name for c in columns)}) VALUES ({values}) ON CONFLICT (id) "
        f"DO UPDATE SET {changed[0].name} = EXCLUDED.{changed[0].name} WHERE {relation.name}.{name} IS NOT NULL"
    )
