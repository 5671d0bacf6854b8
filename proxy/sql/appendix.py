"""Behind the select list of a subquery: columns that the client does not see, put in for what is asked outside.

A search through a view or a subquery needs the term column of the table inside, so that its index serves; a cell that
is bound to its row needs the row's key.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.errors import Unsupported

from .edits import SqlText, end_index, word_index
from .fragments import HIDDEN_PREFIX, dotted, quoted
from .scope import Visible

AFTER_TARGETS = (
    "into",
    "from",
    "where",
    "group",
    "having",
    "window",
    "union",
    "intersect",
    "except",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
)


@dataclass(slots=True, eq=False)
class Appendix:
    """`start`: the first token of the select list.  `closed`: `*` shows it as it is, so nothing may be added."""

    text: SqlText
    start: int
    closed: bool = False
    _names: dict[str, str] = field(default_factory=dict)

    def close(self, position: int | None) -> None:
        """From now on the subquery's columns are shown as they are."""
        if self._names:
            raise Unsupported(
                "* shows a subquery with two columns of one name", hint="Name them apart with AS.", position=position
            )
        self.closed = True

    def add(self, sql: str) -> str | None:
        """The name under which `sql` can be had outside; None: it can not."""
        if self.closed:
            return None
        if sql not in self._names:
            self._names[sql] = f"{HIDDEN_PREFIX}{len(self._names) + 1}"
            self.text.insert_after(targets_end(self.text, self.start), f", {sql} AS {quoted(self._names[sql])}")
        return self._names[sql]


def targets_end(text: SqlText, start: int, *, returning: bool = False) -> int:
    """The last token of the select list (or RETURNING list) that begins at token `start`."""
    following = None if returning else word_index(text, start, *AFTER_TARGETS)
    return following - 1 if following is not None else end_index(text, start)


def term_at_hand(visible: Visible) -> str | None:
    """SQL for the term column of a visible cell; None: only the cell itself is at hand."""
    column = visible.column
    if visible.merged or visible.source.anonymous:
        return None
    if column.term is not None:
        return dotted(visible.source.alias, column.term)
    return _from_inside(visible, term_at_hand(column.inside) if column.inside is not None else None)


def tokens_at_hand(visible: Visible) -> str | None:
    """SQL for the token column of a visible cell."""
    column = visible.column
    if visible.merged or visible.source.anonymous:
        return None
    if column.tokens is not None:
        return dotted(visible.source.alias, column.tokens)
    return _from_inside(visible, tokens_at_hand(column.inside) if column.inside is not None else None)


def key_at_hand(visible: Visible) -> str | None:
    """SQL for the key of the row that a visible cell is bound to."""
    column = visible.column
    if visible.merged:
        return None
    if column.row_key:
        key = visible.source.column(column.row_key)
        return Visible(key.name, key, visible.source).reference if key is not None else None
    if visible.source.anonymous:
        return None
    return _from_inside(visible, key_at_hand(column.inside) if column.inside is not None else None)


def _from_inside(visible: Visible, sql: str | None) -> str | None:
    appendix = visible.column.appendix
    name = appendix.add(sql) if appendix is not None and sql is not None else None
    return dotted(visible.source.alias, name) if name is not None else None
