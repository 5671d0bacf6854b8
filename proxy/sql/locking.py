"""UPDATE and DELETE by a search: which rows to write only the look at opened values says.

So the statement comes with another one, a SELECT ... FOR UPDATE of the same rows by the same condition, which gives the
cells and the keys of candidates.  The statement itself writes, of the rows that its condition names, just those whose
keys it is given (`KEYS` slots); without keys it writes none.  Both see a row alike, because it is locked: so a
condition over the row alone is the same for both, and any other is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.fields import Field
from policies.model import Verb
from proxy.errors import Refused, Unsupported
from proxy.wire.oids import INT2, INT4, INT8, NUMERIC, TEXT, UUID, VARCHAR

from .analysis import Analysis, QueryRole
from .catalog import Relation
from .edits import SqlText
from .fragments import dotted, quoted
from .plan import KeyColumn, Slot, SlotKind
from .scope import Scope
from .tree import Node, nodes
from .writes import Target

_TYPES = {
    INT2: "pg_catalog.int2", INT4: "pg_catalog.int4", INT8: "pg_catalog.int8", NUMERIC: "pg_catalog.numeric",
    TEXT: "pg_catalog.text", VARCHAR: "pg_catalog.varchar", UUID: "pg_catalog.uuid",
}  # fmt: skip
_BESIDE = {"withClause": "WITH", "fromClause": "FROM", "usingClause": "USING"}
REMEDY = "Select the keys first, and write the rows by their keys."
_KEYS = "fg_keys"


@dataclass(frozen=True, slots=True)
class Locked:
    """The statement's target, and its condition as the client wrote it."""

    target: Target
    key: tuple[KeyColumn, ...]
    only: bool
    condition: bytes
    strength: str

    @property
    def references(self) -> tuple[str, ...]:
        """The columns of the key, of the rows that are locked."""
        return tuple(dotted(self.target.source.alias, column.name) for column in self.key)

    @property
    def select(self) -> bytes:
        relation = self.target.relation
        assert relation is not None  # noqa: S101 - a protected one
        table = f"{'ONLY ' if self.only else ''}{dotted(relation.schema, relation.name)}"
        opening = f"SELECT 1 FROM {table} AS {quoted(self.target.source.alias)} WHERE "  # noqa: S608 - quoted names only
        return opening.encode() + b"(" + self.condition + f") FOR {self.strength}".encode()


def check_write(a: Analysis, cell: Field, body: Node, role: QueryRole, position: int | None) -> None:
    """Raises where it is not certain that the SELECT finds just the rows that the statement would write."""
    if not a.lockable or role is not QueryRole.TOP:
        raise misplaced(cell, "the statement is part of another one, or explained", position)
    for clause, shown in _BESIDE.items():
        if clause in body:
            raise misplaced(cell, f"it has {shown}", position)
    if any(kind == "SubLink" for kind, _ in nodes(body)):
        raise misplaced(cell, "it has a subquery", position)


def misplaced(cell: Field, why: str, position: int | None) -> Unsupported:
    return Unsupported(
        f'rows can be written by a search of the sealed column "{cell.column}" ({cell.name}) only where a statement of'
        f" its own names its table and nothing else; here {why}",
        hint=REMEDY,
        position=position,
    )


def lock(a: Analysis, target: Target, body: Node, condition: bytes) -> Locked:
    """Called when the condition has been walked and has searches.  Raises Unsupported or Refused."""
    relation = target.relation
    cell = a.searches[0][1].field
    assert relation is not None and relation.protected is not None  # noqa: S101 - it has a cell
    if target.row_filter is not None:
        raise misplaced(cell, "you may change some rows of the table only", None)
    only = not body["relation"].get("inh", False)
    if not only and relation.kind == "r" and _has_children(a, relation):
        raise misplaced(cell, "the table has children, whose keys are their own", None)
    deletes = "targetList" not in body
    if deletes:
        _check_may_lock(a, relation)
    a.searches.clear()  # they are those of the SELECT
    return Locked(target, _key(a, relation, cell), only, condition, "UPDATE" if deletes else "NO KEY UPDATE")


def _has_children(a: Analysis, relation: Relation) -> bool:
    others = (other for other in a.catalog.relations.values() if other.oid != relation.oid)
    return any(other.protected is relation.protected for other in others)


def _check_may_lock(a: Analysis, relation: Relation) -> None:
    """PostgreSQL lets rows be locked by who may update some column of them."""
    assert relation.protected is not None  # noqa: S101 - as above
    if not any(rights.allows(Verb.UPDATE) for rights in a.ledger.table(relation.protected).fields.values()):
        raise Refused(
            f'permission denied: delete of rows of "{relation.schema}.{relation.name}" by a search of a sealed column',
            detail="The rows are locked first, which needs update of some field of the table.",
            hint=REMEDY,
        )


def _key(a: Analysis, relation: Relation, cell: Field) -> tuple[KeyColumn, ...]:
    assert relation.protected is not None  # noqa: S101 - as above
    found = []
    for name in relation.primary_key:
        column = relation.column(name)
        if column is None or column.type_oid not in _TYPES:
            raise misplaced(cell, f'"{name}" in its primary key has none of the types that keys are told by', None)
        guarded = a.ledger.guarded(relation.protected, name)
        if not a.ledger.selectable(guarded):
            raise Refused(
                f'permission denied: rows of "{relation.schema}.{relation.name}" are written by their key, and column'
                f' "{name}" may not be used',
                detail="Policy must give some verb over the key that reads it, such as filter_eq.",
                hint=REMEDY,
            )
        found.append(KeyColumn(name, column.type_oid, relation.oid, column.position))
    if not found:
        raise misplaced(cell, "it has no primary key", None)
    return tuple(found)


def by_keys(locked: Locked) -> tuple[str | Slot, ...]:
    """The condition that a row is one of those that were found."""
    slots = [
        (Slot(SlotKind.KEYS, attribute=str(n)), f"::{_TYPES[column.type_oid]}[]") for n, column in enumerate(locked.key)
    ]
    if len(slots) == 1:
        [(slot, cast)] = slots
        return f"{locked.references[0]} OPERATOR(pg_catalog.=) ANY (", slot, f"{cast})"
    arrays: list[str | Slot] = []
    for slot, cast in slots:
        arrays += [", " if arrays else "", slot, cast]
    names = [quoted(f"fg_{n}") for n in range(len(slots))]
    equal = (
        f"{quoted(_KEYS)}.{name} OPERATOR(pg_catalog.=) {own}"
        for name, own in zip(names, locked.references, strict=True)
    )
    listed = f") AS {quoted(_KEYS)} ({', '.join(names)}) WHERE {' AND '.join(equal)})"
    return ("EXISTS (SELECT FROM pg_catalog.unnest(", *arrays, listed)


def append_keys(a: Analysis, scope: Scope, last: int) -> None:
    """Behind everything else that the SELECT shows."""
    if a.lock_keys:
        scope.text.insert_after(last, "".join(f", {reference}" for reference in a.lock_keys))
        a.hidden += len(a.lock_keys)


def condition_of(text: SqlText, word: int, last: int) -> bytes:
    """What stands behind WHERE."""
    return text.source[text.tokens[word + 1].start : text.tokens[last].end]
