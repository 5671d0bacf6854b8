"""Column references: what a ColumnRef means, where its tokens are, and what stands in its place."""

from __future__ import annotations

from dataclasses import dataclass

from policies.fields import Field
from policies.model import Verb
from proxy.errors import Refused, SqlState, Unsupported

from .analysis import Analysis, Use
from .appendix import term_at_hand
from .authorise import Guarded, refused_use
from .edits import SqlText
from .fragments import dotted, null_of, null_of_column, term_of
from .lexer import TokenKind
from .name_errors import system_column, unknown_column, whole_row
from .scope import SYSTEM_COLUMNS, Scope, Source, Visible, is_hidden
from .tree import Node, strings


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A ColumnRef that was resolved; `visible` None: it belongs to something whose columns do not matter here."""

    visible: Visible | None
    text: SqlText
    location: int

    @property
    def position(self) -> int | None:
        return self.text.position(self.location)

    @property
    def place(self) -> tuple[int, int]:
        return id(self.text), self.location

    def span(self) -> tuple[int, int]:
        """Its tokens: a name, or names with dots between."""
        first = self.text.token_at(self.location, TokenKind.WORD, TokenKind.QUOTED)
        last = first
        while self.text.tokens.text(last + 1) == b".":
            last += 2
        return first, last

    def own_text(self) -> str:
        first, last = self.span()
        return b"".join(token.text for token in self.text.tokens.items[first : last + 1]).decode()

    def term(self) -> str:
        """SQL for the equality term of the cell."""
        visible = self.visible
        if visible is None or visible.merged:
            raise Unsupported("a column merged by JOIN USING can not be searched", position=self.position)
        return term_at_hand(visible) or term_of(self.own_text(), visible.column.origin.cell)


def resolve(a: Analysis, body: Node, scope: Scope) -> Reference:
    """Raises for whole rows, system columns, hidden columns and names that do not exist."""
    location = body.get("location", 0)
    position = scope.text.position(location)
    names = strings(body["fields"])
    if any(is_hidden(name) for name in names):
        raise unknown_column(names[-1], position)
    if names[-1] == "*":
        raise whole_row(names[0], position)
    visible = scope.find(names[0], position) if len(names) == 1 else _qualified(a, names, scope, location, position)
    reference = Reference(visible, scope.text, location)
    if visible is not None and len(names) == 1:
        _fix_meaning(reference, visible)
    if visible is not None and visible.column.origin.given is not None:
        visible.column.origin.given.named.add(reference.place)
    return reference


def _fix_meaning(reference: Reference, visible: Visible) -> None:
    """A bare name of an unprotected table's column: were the column dropped meanwhile, in a transaction that nobody
    else sees, the name would mean a protected table's column further out, or its whole row.  So it is qualified (I5).
    """
    source = visible.source
    if source.relation is None or source.protected or source.replaced or source.anonymous or visible.merged:
        return
    if reference.text.from_client:
        first, last = reference.span()
        reference.text.replace_weakly(first, last, visible.reference)


def _qualified(
    a: Analysis, names: tuple[str, ...], scope: Scope, location: int, position: int | None
) -> Visible | None:
    source = source_of(a, names[:-1], scope, position)
    if source.replaced and len(names) > 2:
        _drop_schema(scope.text, location, names)
    column = source.column(names[-1])
    if column is not None:
        return Visible(column.name, column, source)
    if source.opaque:
        return None
    if names[-1] in SYSTEM_COLUMNS and source.relation is not None:
        if source.protected:
            raise system_column(names[-1], position)
        return None
    raise unknown_column(".".join(names), position)  # PostgreSQL would try a function of the row; we do not


def _drop_schema(text: SqlText, location: int, names: tuple[str, ...]) -> None:
    """A subquery stands in the table's place; its columns are reached by the bare name."""
    first = text.token_at(location, TokenKind.WORD, TokenKind.QUOTED)
    text.replace_weakly(first, first + 2 * (len(names) - 1), dotted(*names[-2:]))


def source_of(a: Analysis, names: tuple[str, ...], scope: Scope, position: int | None) -> Source:
    """`alias`, `schema.table` or `database.schema.table`."""
    if len(names) > 3 or (len(names) == 3 and names[0] != a.catalog.database):
        raise Refused(f"improper qualified name: {'.'.join(names)}", sqlstate=SqlState.SYNTAX_ERROR, position=position)
    schema = names[-2] if len(names) > 1 else None
    return scope.find_source(schema, names[-1], position)


def walk_reference(a: Analysis, body: Node, scope: Scope, use: Use) -> tuple[Guarded, ...]:
    """A column somewhere inside an expression."""
    reference = resolve(a, body, scope)
    if reference.visible is None:
        return ()
    origin = reference.visible.column.origin
    if origin.cell is not None:
        refuse_unreadable(origin.columns, use, reference.position)
        raise sealed_in(origin.cell, use.what, reference.position)
    if masked(origin.columns, use):
        replace_by_null(a, reference)
        return origin.columns
    a.charge(origin, use.general, reference.position)
    return origin.columns


def masked(columns: tuple[Guarded, ...], use: Use) -> bool:
    """Policy says that the one column, when named, reads as NULL."""
    if use.base is not Verb.READ or use.predicate or len(columns) != 1:
        return False
    return columns[0].rights.mask_null and not columns[0].rights.allows(Verb.READ)


def replace_by_null(a: Analysis, reference: Reference) -> None:
    assert reference.visible is not None  # noqa: S101 - only resolved columns are masked
    first, last = reference.span()
    origin = reference.visible.column.origin
    a.charge_mask(origin)
    reference.text.replace(first, last, null_for(a, origin.columns[0]))


def null_for(a: Analysis, guarded: Guarded) -> str:
    """NULL of the type that the client knows a protected column by."""
    relation = a.catalog.by_name.get((guarded.table.schema, guarded.table.table))
    column = relation.column(guarded.column) if relation is not None else None
    if column is None:
        return null_of("pg_catalog.text")
    sealing = guarded.field.sealing if guarded.field is not None else None
    return null_of_column(column, sealing, a.catalog)


def refuse_unreadable(columns: tuple[Guarded, ...], use: Use, position: int | None) -> None:
    """A right that is missing is the better reason than what cells can not do."""
    for column in columns:
        for verb in use.general:
            if verb in Verb.READ and not column.rights.allows(verb):
                raise refused_use(column, verb, position)


def sealed_in(cell: Field, what: str, position: int | None) -> Unsupported:
    return Unsupported(
        f'the sealed column "{cell.column}" ({cell.name}) can not be used in {what}',
        hint="Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map "
        "gives them equality, joined within their join group, grouped and counted.",
        position=position,
    )
