"""What is never allowed, or by other names than usual: whole rows, functional notation, system columns, side doors."""

from __future__ import annotations

from pathlib import Path

from policies.model import Verb

from .draw import Draw, Place
from .vocabulary import Relation

_HERE = Path(__file__).parent


def lines(name: str) -> tuple[str, ...]:
    """The statements of a file, one on each line."""
    found = (_HERE / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in found if line and not line.startswith("--"))


def _sections(name: str) -> dict[str, tuple[str, ...]]:
    """The same, by the comment in front of them."""
    found: dict[str, list[str]] = {}
    for part in (_HERE / f"{name}.sql").read_text(encoding="utf-8").split("\n\n")[1:]:
        title, *statements = part.strip().splitlines()
        found[title.removeprefix("-- ")] = statements
    return {title: tuple(statements) for title, statements in found.items()}


CATALOGS = lines("catalogs")
_QUERIES = _sections("tricks")
_EXPRESSIONS = (
    "{alias}::text", "row_to_json({alias})::text", "to_jsonb({alias})::text", "ROW({alias}.*)::text",
    "length({alias}::text)", "({alias}).{column}", "{column}({alias})", "{alias}.ctid::text", "{alias}.xmin::text",
    "{alias}.tableoid::regclass::text", "octet_length({alias}.fg_email_eq)", "({alias}.*)::text", "{alias} IS NULL",
    "pg_column_size({alias}.{column})", "json_agg({alias}) OVER ()", "({alias}).{column}::text",
    "hashtext({alias}::text)", "num_nulls({alias}.{column})", "concat({alias})", "{alias} = {alias}",
    "jsonb_build_object('a', {alias})", "ARRAY[{alias}]::text", "COALESCE({alias}, {alias})::text",
)  # fmt: skip


def expression(d: Draw, place: Place) -> str:
    if not place.bound:
        return "1"
    found = d.any(place.bound)
    alias = found.text.partition(".")[0]
    return d.any(_EXPRESSIONS).format(alias=alias, column=found.column.name)


LETTERS = ("'M'", "'К'", "'b'", "'g'", "'n'", "'2025-06'")


def hidden(d: Draw, relation: Relation) -> str:
    """A column, mostly one that may not be read, and often one that may be used otherwise."""
    closed = [column for column in relation.columns if not column.may(Verb.READ)]
    used = [column for column in closed if column.verbs]
    if used and d.chance(0.3):
        return d.any(used).name
    return d.any(closed if closed and d.chance(0.8) else relation.columns).name


def protected(d: Draw) -> Relation:
    """Mostly one of which something may be used."""
    known = [relation for relation in d.words.relations if relation.protected]
    usable = [relation for relation in known if relation.usable]
    return d.any(usable if usable and d.chance(0.75) else known)


def query(d: Draw) -> str:
    """A query that tries something over one table."""
    relation, other = protected(d), d.any(d.words.tables)
    kind = d.rule({f"try {name}": len(forms) for name, forms in _QUERIES.items()}).removeprefix("try ")
    return d.any(_QUERIES[kind]).format(
        t=relation.name,
        k=relation.columns[0].name,
        c=hidden(d, relation),
        o=hidden(d, relation),
        n=other.name,
        v=d.any(LETTERS),
    )
