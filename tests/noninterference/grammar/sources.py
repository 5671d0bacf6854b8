"""FROM: tables and views under their own names and others, subqueries, functions, VALUES, and how they are joined."""

from __future__ import annotations

from collections.abc import Callable

from policies.model import READ_VERBS, Verb

from .draw import Bound, Draw, Place
from .vocabulary import Column, Relation

# A query for a place in FROM: its text, and its columns.
Derived = Callable[[Draw, Place | None], tuple[str, list[Column]]]


def table(d: Draw, relation: Relation) -> tuple[str, Place]:
    """A relation by any of the names that it may go by."""
    alias = d.alias()
    name = d.any((relation.name, relation.name, f"public.{relation.name}", f'"{relation.name}"'))
    match d.rule({"alias": 6, "as": 3, "own": 1, "listed": 1.5, "swapped": 1, "only": 0.3}):
        case "own":
            return relation.name, _place(relation, relation.name, list(relation.columns))
        case "as":
            return f"{name} AS {alias}", _place(relation, alias, list(relation.columns))
        case "listed":
            columns = [column.named(f"c{n}") for n, column in enumerate(relation.columns)]
            return f"{name} AS {alias} ({_names(columns)})", _place(relation, alias, columns)
        case "swapped":
            columns = _swapped(d, relation)
            return f"{name} AS {alias} ({_names(columns)})", _place(relation, alias, columns)
        case "only" if relation.protected and relation.writable:
            return f"ONLY {name} {alias}", _place(relation, alias, list(relation.columns))
    return f"{name} {alias}", _place(relation, alias, list(relation.columns))


def _swapped(d: Draw, relation: Relation) -> list[Column]:
    """Each column under the name of another one."""
    names = [column.name for column in relation.columns]
    d.random.shuffle(names)
    return [column.named(name) for column, name in zip(relation.columns, names, strict=True)]


def _names(columns: list[Column]) -> str:
    return ", ".join(column.name for column in columns)


def _place(relation: Relation, alias: str, columns: list[Column]) -> Place:
    qualified = [Bound(f"{alias}.{column.name}", column) for column in columns]
    return Place(qualified, [alias], relation, relation.grouped, relation.some_rows)


def source(d: Draw, depth: int, derived: Derived, around: Place | None = None) -> tuple[str, Place]:
    """`around`: what a LATERAL item can see."""
    rules = {"table": 8, "notes": 1, "subquery": 2 if depth else 0, "series": 0.5, "values": 0.5,
             "lateral": 1.5 if depth and around is not None else 0}  # fmt: skip
    match d.rule(rules):
        case "table":
            return table(d, d.relation())
        case "subquery":
            return _subquery(d, derived, None)
        case "lateral":
            return _subquery(d, derived, around)
        case "series":
            alias = d.alias()
            return f"generate_series(1, 3) AS {alias} (n)", _free(alias, (("n", "number"),))
        case "values":
            alias = d.alias()
            rows = ", ".join(f"({d.constant('number')}, {d.constant('text')})" for _ in range(2))
            return f"(VALUES {rows}) AS {alias} (v, w)", _free(alias, (("v", "number"), ("w", "text")))
    return table(d, d.words.relation("notes"))


def _subquery(d: Draw, derived: Derived, around: Place | None) -> tuple[str, Place]:
    text, columns = derived(d, around)
    alias = d.alias()
    place = Place([Bound(f"{alias}.{column.name}", column) for column in columns], [alias])
    lateral = "LATERAL " if around is not None else ""
    if columns and d.chance(0.2):
        listed = [column.named(f"s{n}") for n, column in enumerate(columns)]
        place.bound = [Bound(f"{alias}.{column.name}", column) for column in listed]
        return f"{lateral}({text}) AS {alias} ({_names(listed)})", place
    return f"{lateral}({text}) {alias}", place


def _free(alias: str, columns: tuple[tuple[str, str], ...]) -> Place:
    return Place([Bound(f"{alias}.{name}", Column(name, kind, READ_VERBS)) for name, kind in columns], [alias])


def joined(d: Draw, depth: int, derived: Derived) -> tuple[str, Place]:
    """One item, or some of them."""
    text, place = source(d, depth, derived)
    for _ in range(d.random.choices((0, 1, 2), (7, 3, 1))[0]):
        if place.grouped or " true" in text or "," in text or "CROSS" in text:
            break  # three tables side by side are too many rows
        more, other = _linked(d, place) if d.chance(0.6) else source(d, depth, derived, place)
        text, place = _join(d, text, place, more, other)
    return text, place


def _linked(d: Draw, place: Place) -> tuple[str, Place]:
    """A table that refers to one that is here, or is referred to, if there is one that may be joined."""
    names = {bound.column.table for bound in place.bound}
    near = {child for child, _, parent in d.words.links if parent in names}
    near |= {parent for child, _, parent in d.words.links if child in names}
    found = [relation for relation in d.words.relations if relation.name in near and relation.usable]
    return table(d, d.any(found) if found else d.relation())


def _join(d: Draw, text: str, place: Place, more: str, other: Place) -> tuple[str, Place]:
    both = place.joined(other)
    match d.rule({"on": 6, "cross": 1, "comma": 1, "using": 0.4, "natural": 0.2}):
        case "cross":
            return f"{text} CROSS JOIN {more}", both
        case "comma":
            return f"{text}, {more}", both
        case "natural":
            return f"{text} NATURAL JOIN {more}", both
        case "using":
            common = {b.column.name for b in place.bound} & {b.column.name for b in other.bound}
            allowed = {b.column.name for b in both.bound if b.column.may(Verb.JOIN) and not b.column.sealed}
            names = sorted(common if d.strays() else common & allowed)
            if names:
                return f"{text} {d.any(('JOIN', 'LEFT JOIN'))} {more} USING ({d.any(names)})", both
    kind = d.any(("JOIN", "JOIN", "LEFT JOIN", "FULL JOIN"))
    return f"{text} {kind} {more} ON {_on(d, place, other)}", both


def _on(d: Draw, place: Place, other: Place) -> str:
    one = d.column(place, Verb.JOIN, ("number", "text"), plain=True)
    two = d.column(other, Verb.JOIN, (one.type,), plain=True) if one is not None else None
    if one is None or two is None:
        return "true"
    return f"{one.text} = {two.text}"
