"""A statement that was planned by a column of terms or tokens which a rotation has replaced (proxy/rotation).

Behind the switch PostgreSQL says that there is no such column, and nothing has been done.  The client knows nothing of
such columns, and the same statement again is planned by the new one; so it is told to try again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.fields import Field
from proxy.errors import FieldgateError, SqlState

from .catalog import Catalog


class TermsRotated(FieldgateError):
    """The terms of a field are others since the statement was planned; the same statement again is planned anew."""

    sqlstate = SqlState.SERIALIZATION_FAILURE


def rotated() -> TermsRotated:
    return TermsRotated(
        "could not serialize access: the search terms of a field of this statement have just been rotated",
        hint="Run the transaction again.",
    )


def is_gone(fields: dict[bytes, bytes], catalog: Catalog) -> bool:
    """Whether a server's error is about a missing column that is, or was, one of terms or tokens of a protected table.

    For statements that were rewritten: in its own text no client names such a column, since none is shown.
    """
    if fields.get(b"C") != SqlState.UNDEFINED_COLUMN.encode():
        return False
    message = fields.get(b"M", b"").decode(errors="replace")  # in the server's language, with the column's name
    tables = (relation.protected for relation in catalog.relations.values() if relation.protected is not None)
    return any(_is_named(first, message) for table in tables for field in table.fields.values() for first in _of(field))


def _of(field: Field) -> Iterator[str]:
    """The columns that a field is searched by, by their names in the first epoch."""
    if field.term_column is not None:
        yield field.term_column_of(1)
    if field.token_column is not None:
        yield field.token_column_of(1)


def _is_named(first: str, message: str) -> bool:
    if first not in message:
        return False
    return re.search(rf"(?<![\w$]){re.escape(first)}(?:_[1-9][0-9]{{0,8}})?(?![\w$])", message) is not None
