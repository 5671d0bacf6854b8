"""References to PostgreSQL's own catalogs become references to what they are to show (design, Planning 7).

Spliced in: a subquery for each catalog that a FROM list names, a view's definition, itself rewritten, for each system
view over such catalogs, and a few function calls.  Everything else stays the client's own text.  Where that is not
possible (FOR UPDATE, TABLESAMPLE, ONLY, a catalog's name in a CREATE VIEW) the statement is left as it is: structure is
not protected, so nothing more is at stake than what is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from proxy.errors import FieldgateError, Unsupported

from .catalog import Catalog, Relation
from .catalog_calls import reads_behind, replace_call
from .edits import SqlText
from .fragments import dotted, quoted
from .lexer import TokenKind
from .plan import StatementPlan
from .scope import SYSTEM_COLUMNS
from .shown import shown_sql
from .source_names import alias_of, given_alias, name_span
from .structure import Structure
from .touch import Findings
from .tree import Node, Nodes, RawStatement, nodes, parse_script, strings, unwrap
from .verify import check_rewritten

# Statements whose text may be edited; what a view or a rule would store stays as it is.
_KINDS = frozenset(
    {
        "SelectStmt",
        "InsertStmt",
        "UpdateStmt",
        "DeleteStmt",
        "MergeStmt",
        "ExplainStmt",
        "PrepareStmt",
        "DeclareCursorStmt",
        "CopyStmt",
        "CreateTableAsStmt",
    }
)
# The catalog of roles that everyone may read stands for the one that only superusers may.
_READABLE = {"pg_authid": "pg_roles"}


def show_catalogs(catalog: Catalog, kind: str, body: Node, found: Findings, text: SqlText) -> bool:
    """True: catalogs are named, and `text` has edits for all of them.  False: `text` has none of ours."""
    structure = catalog.structure
    if structure is None or kind not in _KINDS or found.names_hidden or body.get("objtype") == "OBJECT_MATVIEW":
        return False
    named = {id(node): relation for node, relation in found.relations if relation is not None}
    before = list(text.edits)
    try:
        flat = nodes({kind: body})
        _Splices(catalog, structure, text, flat, system_columns(flat)).apply(named)
        return len(text.edits) > len(before)
    except FieldgateError:
        text.edits[:] = before
        return False


def with_catalogs(
    catalog: Catalog, plan: StatementPlan, statement: RawStatement, found: Findings, text: SqlText
) -> StatementPlan:
    """The plan of a statement that is forwarded, with what `show_catalogs` put in; other plans as they are."""
    if plan.refusal is not None or plan.touches_protected or plan.edited or plan.slots:
        return plan
    rendered = text.render()
    try:
        check_rewritten(catalog, statement.kind, nodes(statement.body), rendered, frozenset())
    except FieldgateError:
        if found.sizes is not None:
            raise found.sizes from None
        return plan
    return replace(plan, segments=(rendered.standin(),), edited=True)


def system_columns(flat: Nodes) -> tuple[str, ...]:
    """Those that the statement names, so that the subqueries must have them.  Raises Unsupported beside a `*`."""
    references = [strings(node["fields"]) for key, node in flat if key == "ColumnRef"]
    named = sorted({names[-1] for names in references} & SYSTEM_COLUMNS)
    targets = [unwrap(node.get("val", {})) for key, node in flat if key == "ResTarget"]
    if named and any(kind == "ColumnRef" and "A_Star" in node["fields"][-1] for kind, node in targets):
        raise Unsupported("system columns beside * over the server's catalogs are not supported")
    return tuple(named)


@dataclass(slots=True)
class _Splices:
    """The edits of one text: a client's statement, or the definition of a system view."""

    catalog: Catalog
    structure: Structure
    text: SqlText
    flat: Nodes
    system_columns: tuple[str, ...] = ()

    def apply(self, named: dict[int, Relation]) -> None:
        """`named`: the relation of each RangeVar, by the node's identity."""
        replaced: dict[str, str] = {}  # alias -> catalog
        wanted = {node for node, relation in named.items() if self._is_shown(relation)}
        for body in self._from_items():
            if id(body) in wanted:
                wanted.remove(id(body))
                self._replace(named[id(body)], body)
                replaced[alias_of(body)] = named[id(body)].name
        if wanted:
            raise Unsupported("the server's catalogs are only shown where FROM names them")
        if replaced:
            self._refuse_locks()
            self._shorten(replaced)
            self._type_rows(replaced)
        for key, node in self.flat:
            if key == "FuncCall" and reads_behind(node):
                replace_call(self.structure, node, self.text)
            elif key == "RangeFunction" and any(k == "FuncCall" and reads_behind(n) for k, n in _called(node)):
                raise Unsupported("such a function is not supported in FROM")

    def _from_items(self) -> list[Node]:
        found: list[Node] = []
        for _, node in self.flat:
            items = [*node.get("fromClause", []), *node.get("usingClause", [])]
            if "sourceRelation" in node:
                items.append(node["sourceRelation"])
            found += _range_vars(items)
        return found

    def _is_shown(self, relation: Relation) -> bool:
        known = relation.schema == "pg_catalog" and relation.name in self.structure.catalogs
        return known or (relation.schema, relation.name) in self.structure.views

    def _replace(self, relation: Relation, body: Node) -> None:
        if not body.get("inh", False):
            raise Unsupported("ONLY is not supported over the server's catalogs")
        key = relation.schema, relation.name
        if key in self.structure.views:
            sql = f"({expanded(self.catalog, self.structure, key)})"
        else:
            sql = shown_sql(self.structure.catalogs[relation.name], self.system_columns)
        self.text.replace(*name_span(self.text, body), sql, *given_alias(body))

    def _refuse_locks(self) -> None:
        if any("lockingClause" in node for _, node in self.flat):
            raise Unsupported("FOR UPDATE is not supported over the server's catalogs")

    def _shorten(self, replaced: dict[str, str]) -> None:
        """A subquery has no schema: `pg_catalog.pg_class.oid` is `pg_class.oid`."""
        for key, node in self.flat:
            names = strings(node["fields"]) if key == "ColumnRef" else ()
            if len(names) > 2 and names[-2] in replaced and names[-3] in ("pg_catalog", "information_schema"):
                first = self.text.token_at(node.get("location", -1), TokenKind.WORD, TokenKind.QUOTED)
                column = "*" if names[-1] == "*" else quoted(names[-1])
                self.text.replace(first, first + 2 * (len(names) - 1), f"{quoted(names[-2])}.{column}")

    def _type_rows(self, replaced: dict[str, str]) -> None:
        """The information schema's functions take rows of a catalog's own type."""
        for key, node in self.flat:
            if key == "FuncCall" and strings(node["funcname"])[0] == "information_schema":
                for argument in node.get("args", []):
                    self._type_row(replaced, *unwrap(argument))

    def _type_row(self, replaced: dict[str, str], kind: str, node: Node) -> None:
        names = strings(node["fields"]) if kind == "ColumnRef" else ()
        if len(names) == 2 and names[1] == "*" and names[0] in replaced:
            first = self.text.token_at(node.get("location", -1), TokenKind.WORD, TokenKind.QUOTED)
            self.text.replace(first, first + 2, f"({quoted(names[0])})::{dotted('pg_catalog', replaced[names[0]])}")


def _range_vars(items: list[Node]) -> list[Node]:
    found: list[Node] = []
    for kind, body in map(unwrap, items):
        if kind == "RangeVar":
            found.append(body)
        elif kind == "JoinExpr":
            found += _range_vars([body["larg"], body["rarg"]])
    return found


def _called(range_function: Node) -> Nodes:
    """What FROM itself calls; not what is called in an argument."""
    items = [item for each in range_function.get("functions", []) for item in each["List"]["items"]]
    return [unwrap(item) for item in items if item]


def expanded(catalog: Catalog, structure: Structure, key: tuple[str, str]) -> str:
    """A system view's definition with everything in it replaced; every relation in it has its schema."""
    known = structure.expanded.get(key)
    if known is not None:
        return known
    text = SqlText(structure.views[key].strip().rstrip(";").encode(), from_client=False)
    [statement] = parse_script(text.source)
    flat = nodes({statement.kind: statement.body})
    bodies = [node for _, node in flat if "relname" in node]
    named = {id(node): _system_relation(catalog, node) for node in bodies}
    _Splices(catalog, structure, text, flat).apply({node: r for node, r in named.items() if r is not None})
    edited = {edit.start for edit in text.edits}
    for node in bodies:
        if "schemaname" not in node and node["location"] not in edited:
            _qualify(text, node)
    made = text.render().standin().decode()
    structure.expanded[key] = made
    return made


def _system_relation(catalog: Catalog, node: Node) -> Relation | None:
    return catalog.by_name.get((node.get("schemaname", "pg_catalog"), node["relname"]))


def _qualify(text: SqlText, node: Node) -> None:
    name = str(node["relname"])
    token = text.token_at(node["location"], TokenKind.WORD, TokenKind.QUOTED)
    alias = given_alias(node) if name in _READABLE else ()
    text.replace(token, token, dotted("pg_catalog", _READABLE.get(name, name)), *alias)
