"""A second opinion: sqlglot reads the same statement, and where it sees other names or values it is refused (I5).

Only statements that touch protected data come here.  sqlglot turns many things inside out (`NOT IN`, `now()`, EXTRACT),
so what is compared is what a difference would be dangerous in: relations, columns, parameters, and the constants that
are going to be sealed.
"""

from __future__ import annotations

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from proxy.errors import Unsupported

from .edits import Rendered, SqlText
from .lexer import TokenKind
from .plan import Slot
from .tree import Nodes, strings

_FOLD = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
# Words that sqlglot reads as columns where PostgreSQL has a keyword.
_KEYWORDS = frozenset({"default", "user", "current_role"})


def check_agreement(flat: Nodes, text: SqlText, start: int, rendered: Rendered) -> None:
    """`start`: where the statement begins (inside EXPLAIN).  Raises Unsupported when the two grammars disagree."""
    try:
        trees = [tree for tree in parse(_spaced(text, start), dialect="postgres") if tree is not None]
    except (SqlglotError, RecursionError):
        raise _disagree("could not read it") from None
    if len(trees) != 1 or isinstance(trees[0], exp.Command):
        raise _disagree("sees no single statement")
    tree = trees[0]
    if _relations(flat) != _glot_relations(tree):
        raise _disagree("sees other tables")
    if _parameters(flat) != _glot_parameters(tree):
        raise _disagree("sees other parameters")
    if not _columns(flat) <= _glot_names(tree):
        raise _disagree("sees other columns")
    if not _glot_columns(tree) - _KEYWORDS <= _all_names(flat):
        raise _disagree("sees more columns")
    if not _sealed_constants(text, rendered) <= _glot_constants(tree):
        raise _disagree("sees other constants")


def _spaced(text: SqlText, start: int) -> str:
    """sqlglot takes `$1,$2` for a dollar-quoted string; with spaces around parameters it does not."""
    parts, position = [], start
    for token in text.tokens.items:
        if token.kind is TokenKind.PARAM and token.start >= start:
            parts.append(text.source[position : token.start] + b" " + token.text + b" ")
            position = token.end
    return b"".join([*parts, text.source[position:]]).decode()


def _disagree(how: str) -> Unsupported:
    return Unsupported(
        f"two independent parsers do not agree on this statement over protected tables: the second one {how}",
        hint="Write it in a plainer way.",
    )


def _relations(flat: Nodes) -> set[tuple[str, str]]:
    """FOR UPDATE OF names what FROM names too, unless it is an alias."""
    locked = {id(rel["RangeVar"]) for key, node in flat if key == "LockingClause" for rel in node.get("lockedRels", [])}
    return {
        (node.get("schemaname", ""), node["relname"])
        for _, node in flat
        if "relname" in node and id(node) not in locked
    }


def _glot_relations(tree: exp.Expr) -> set[tuple[str, str]]:
    found = set()
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier):
            if isinstance(table.parent, exp.Lock):
                continue
            database = table.args.get("db")
            found.add((_folded(database) if database else "", _folded(table.this)))
    return found


def _parameters(flat: Nodes) -> set[str]:
    return {str(node["number"]) for key, node in flat if key == "ParamRef"}


def _glot_parameters(tree: exp.Expr) -> set[str]:
    return {parameter.name for parameter in tree.find_all(exp.Parameter)}


def _columns(flat: Nodes) -> set[str]:
    found: set[str] = set()
    for key, node in flat:
        if key == "ColumnRef":
            found.update(name for name in strings(node["fields"]) if name != "*")
    return found


def _all_names(flat: Nodes) -> set[str]:
    found: set[str] = set()
    for _, node in flat:
        found.update(value for value in node.values() if isinstance(value, str))
    return {name.lower() for name in found} | found


def _glot_names(tree: exp.Expr) -> set[str]:
    found = {_folded(identifier) for identifier in tree.find_all(exp.Identifier)}
    return found | {str(variable.name).lower() for variable in tree.find_all(exp.Var)}


def _glot_columns(tree: exp.Expr) -> set[str]:
    return {_folded(c.this) for c in tree.find_all(exp.Column) if isinstance(c.this, exp.Identifier)}


def _folded(identifier: exp.Expr) -> str:
    """PostgreSQL folds the ASCII letters of unquoted names to lower case."""
    name = str(identifier.name)
    return name if identifier.args.get("quoted") else name.translate(_FOLD)


def _sealed_constants(text: SqlText, rendered: Rendered) -> set[str]:
    """Constants that become slots, where both grammars spell them the same way."""
    spelled = {token.text for token in text.tokens.items}
    found = set()
    for segment in rendered.segments:
        if isinstance(segment, Slot) and segment.source is not None and segment.source.constant is not None:
            value = segment.source.constant
            if b"'" + value.replace(b"'", b"''") + b"'" in spelled:
                found.add(value.decode())
    return found


def _glot_constants(tree: exp.Expr) -> set[str]:
    return {str(literal.this) for literal in tree.find_all(exp.Literal) if literal.is_string}
