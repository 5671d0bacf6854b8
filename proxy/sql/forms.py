"""A guard in statements over fields whose form is changing: it fails when the database has another form than the plan.

While a field is being sealed or unsealed (`state = "migrating"` in the data map) the catalog says which form it has.  A
statement that was planned for one form and reaches the server behind the switch must do nothing: comparing plaintext
with cells would find no rows and say so without an error.  So each such statement carries a common table expression
that nobody refers to.  PostgreSQL analyses it, under the statement's own locks and again for each cached plan that is
out of date, and never executes it: it costs no row and asks for no privilege.  Its COALESCE of the column with a NULL
of the form that was planned for is a type error in the other form.

A field whose values are bytea in both forms is told by the second column, which is there from the first step of the
change until the switch.
"""

from __future__ import annotations

from collections.abc import Collection

from policies.fields import Field, LogicalType
from proxy.errors import FieldgateError, SqlState

from .catalog import Catalog, Relation
from .edits import SqlText
from .fragments import dotted, quoted
from .tree import parse_script, unwrap
from .verify import Differs

GUARD = "fg_form"
_TYPES_DIFFER = (b"42804", b"42846")  # of different categories, of one category (PostgreSQL's select_common_type)
_STAGED = ("fg_new_", "fg_open_")


class FormChanged(FieldgateError):
    """The form of a field has changed since the statement was planned; the same statement again is planned anew."""

    sqlstate = SqlState.SERIALIZATION_FAILURE


def changed() -> FormChanged:
    return FormChanged(
        "could not serialize access: a field of this statement has just been sealed or unsealed",
        hint="Run the transaction again.",
    )


def is_changed(fields: dict[bytes, bytes]) -> bool:
    """Whether a server's error is the guard's, or PostgreSQL's refusal of a value in the other form."""
    message, code = fields.get(b"M", b""), fields.get(b"C")
    if code in _TYPES_DIFFER:
        return b"COALESCE" in message and b"bytea" in message
    if code == b"42703":
        return any(name.encode() in message for name in _STAGED)
    return code == b"23514" and fields.get(b"n", b"").startswith(b"fg_")


def migrating(catalog: Catalog, oids: Collection[int]) -> list[tuple[Relation, list[Field]]]:
    found = []
    for oid in sorted(oids):
        relation = catalog.relations.get(oid)
        table = relation.protected if relation is not None else None
        fields = [f for f in table.fields.values() if f.migrating is not None] if table is not None else []
        if relation is not None and fields and relation.kind in ("r", "p"):
            found.append((relation, fields))
    return found


def guard(catalog: Catalog, oids: Collection[int]) -> str | None:
    """`"fg_form" AS (SELECT ...)`; None when nothing changes its form."""
    proofs, sources = [], []
    for number, (relation, fields) in enumerate(migrating(catalog, oids)):
        alias = f"t{number}"
        made = [proof for field in fields if (proof := _proof(relation, field, alias)) is not None]
        if made:
            proofs += made
            sources.append(f"ONLY {dotted(relation.schema, relation.name)} {alias}")
    if not proofs:
        return None
    return f"{quoted(GUARD)} AS (SELECT {', '.join(proofs)} FROM {', '.join(sources)})"  # noqa: S608 - quoted names


def _proof(relation: Relation, field: Field, alias: str) -> str | None:
    assert field.migrating is not None  # noqa: S101 - the caller looks
    logical = field.migrating.logical_type
    if logical is LogicalType.BYTEA:
        staged = [f"{prefix}{field.migrating.field_id}" for prefix in _STAGED]
        names = [name for name in staged if relation.column(name) is not None]
        return f"{alias}.{quoted(names[0])}" if names else None
    form = LogicalType.BYTEA if field.sealing is not None else logical
    return f"COALESCE({alias}.{quoted(field.column)}, NULL::pg_catalog.{form.value})"


def guarded(segments: tuple[bytes | int, ...], start: int, text: str) -> tuple[bytes | int, ...]:
    """The statement that begins at byte `start` of the first segment, with the guard.  Raises Differs."""
    first = segments[0] if segments else 0
    if not isinstance(first, bytes):
        raise Differs("the beginning of a statement can not be located exactly")
    head, own = first[:start], first[start:]
    tokens = SqlText(own).tokens
    if tokens.word(0) == "with":
        last = 1 if tokens.word(1) == "recursive" else 0
        end = tokens[last].end
        own = own[:end] + f" {text},".encode() + own[end:]
    else:
        own = f"WITH {text} ".encode() + own
    made = (head + own, *segments[1:])
    _check(made)
    return made


def _check(segments: tuple[bytes | int, ...]) -> None:
    """PostgreSQL's grammar finds the guard once, first in the WITH of the statement, and nothing refers to it."""
    try:
        again = parse_script(b"".join(each if isinstance(each, bytes) else b"$1" for each in segments))
    except FieldgateError:
        raise Differs("a guarded statement is no statement any more") from None
    body = again[0].body if len(again) == 1 else {}
    while "query" in body and "withClause" not in body:  # EXPLAIN, DECLARE
        body = unwrap(body["query"])[1]
    ctes = body.get("withClause", {}).get("ctes", [])
    if not ctes or ctes[0]["CommonTableExpr"]["ctename"] != GUARD:
        raise Differs("a guarded statement is no longer the statement that it was")
