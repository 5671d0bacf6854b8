"""ON CONFLICT: the outcome tells whether a value is there already, so it needs filter_eq on what conflicts."""

from __future__ import annotations

from policies.model import Verb
from proxy.errors import Unsupported

from .analysis import FILTERING, Analysis
from .conditions import walk_condition
from .fragments import quoted
from .lexer import TokenKind
from .scope import Column, Scope, Source, namespace_of
from .tree import Node
from .updates import assignments, walk_assignment
from .writes import Target, charge_write, is_unique, names_with


def walk_conflict(a: Analysis, target: Target, clause: Node) -> None:
    inferred = clause.get("infer", {})
    if target.protected:
        _charge_inferred(a, target, inferred)
    if "whereClause" in inferred:
        walk_condition(a, inferred["whereClause"], target.scope, FILTERING)
    if clause.get("action") == "ONCONFLICT_UPDATE":
        _update(a, target, clause, inferred)


def _charge_inferred(a: Analysis, target: Target, inferred: Node) -> None:
    elements = inferred.get("indexElems", [])
    for element in elements:
        name = element["IndexElem"].get("name")
        if name is None:
            raise Unsupported("ON CONFLICT on an expression is not supported in protected tables")
        guarded = target.guarded(a, name)
        target.column(name, None)
        if guarded is None:
            continue
        a.ledger.charge(guarded, Verb.FILTER_EQ, None)
        if guarded.cell is not None:
            _infer_term(target, inferred, name, guarded.cell.term_column)
    if not elements:  # any unique constraint, or one that is named: nothing says which columns
        _charge_all_unique(a, target)


def _charge_all_unique(a: Analysis, target: Target) -> None:
    relation = target.relation
    if relation is None or relation.protected is None:
        return
    for name in relation.protected.fields:
        guarded = a.ledger.guarded(relation.protected, name)
        if is_unique(relation, guarded):
            a.ledger.charge(guarded, Verb.FILTER_EQ, None)


def _infer_term(target: Target, inferred: Node, name: str, term: str | None) -> None:
    """The unique index is on the term.  IndexElem has no location: the name is looked for between the brackets."""
    text = target.scope.text
    if term is None:
        raise Unsupported(f'the sealed column "{name}" has no equality, so nothing can conflict on it')
    opening = text.token_at(inferred.get("location", -1))
    index = opening + 1
    while index < len(text.tokens) and text.tokens.text(index) != b")":
        token = text.tokens[index]
        if token.kind in (TokenKind.WORD, TokenKind.QUOTED) and token.text in _spellings(name, token.text):
            text.replace(index, index, quoted(term))
            return
        index += 1
    raise Unsupported("the columns of ON CONFLICT can not be located exactly")


def _spellings(name: str, written: bytes) -> tuple[bytes, ...]:
    """As PostgreSQL folds it: unquoted names to lower case."""
    return (quoted(name).encode(), written if written.lower() == name.encode() else b"")


def _update(a: Analysis, target: Target, clause: Node, inferred: Node) -> None:
    """DO UPDATE sees the row that is there and, as EXCLUDED, the one that was to be added."""
    columns = [Column(c.name, c.origin, c.term, c.row_key, c.inner) for c in target.source.columns]
    excluded = Source("excluded", columns, target.relation, opaque=target.source.opaque)
    names = names_with(target.scope.names, namespace_of(excluded))
    for visible in [v for v in names.columns if v.source is excluded]:
        names.columns.remove(visible)  # bare names mean the row that is there
    scope = Scope(target.scope.text, target.scope.parent, names, target.scope.tables)
    for name, node, position in assignments(clause.get("targetList", []), scope):
        charge_write(a, target, name, Verb.UPDATE, position)
        _check_key(target, inferred, name)
        walk_assignment(a, target, name, node, scope, None, position, excluded)
    if "whereClause" in clause:
        walk_condition(a, clause["whereClause"], scope, FILTERING)


def _check_key(target: Target, inferred: Node, name: str) -> None:
    """A bound cell of EXCLUDED fits the row that is there only when the key is what they have in common."""
    table = target.relation.protected if target.relation is not None else None
    field = table.fields.get(name) if table is not None else None
    if field is None or field.sealing is None or not field.sealing.row_bound:
        return
    on = [element["IndexElem"].get("name") for element in inferred.get("indexElems", [])]
    if on != [target.row_key]:
        raise Unsupported(
            f'the sealed column "{field.name}" is bound to its row and can not be updated by this ON CONFLICT',
            hint=f'Let the conflict be on "{target.row_key}", or use UPDATE.',
        )
