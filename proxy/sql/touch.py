"""Does a statement touch anything protected?  A look at every relation and function in its tree, scopes aside.

Contract: `Touch.NONE` is only said when nothing in the statement can read or write protected data, whatever its names
turn out to mean; a common table expression that happens to have a protected table's name counts as touching, and the
full analysis finds out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.errors import FieldgateError, Refused, Unsupported

from . import functions
from .catalog import Catalog, Relation
from .fragments import HIDDEN_PREFIX
from .notation import check_notation
from .relations import Reach, closed, find_relation, reach_of, refuse_closed_name
from .settings import VALUE_SETTINGS, named_by_rows
from .side_doors import check_doors
from .sizes import is_pg_class, size_function, sizes_named
from .tree import Node, nodes, string, strings

# Settings that change what later text means or who runs it; set_config may set the others.
GUARDED_SETTINGS = frozenset({"role", "session_authorization", "standard_conforming_strings", "client_encoding"})
OWN_SETTINGS = "fieldgate."
WRITES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
_NAMED = ("relname", "aliasname", "name", "ctename", "colname")  # where identifiers stand as they are


@dataclass(slots=True)
class Findings:
    """What a look at the tree found."""

    protected: list[Relation] = field(default_factory=list)
    relations: list[tuple[Node, Relation | None]] = field(default_factory=list)  # RangeVar bodies
    refusal: FieldgateError | None = None  # why the statement may not run even if it touches nothing
    names_hidden: bool = False
    returns_rows: bool = False
    sets: list[str] = field(default_factory=list)  # what set_config sets of the settings that later steps depend on
    sizes: FieldgateError | None = None  # why it may not run with pg_class and size functions as they are

    def must_rewrite(self, catalog: Catalog) -> bool:
        """An unqualified name could come to mean a protected table when search_path changes: it is qualified."""
        return any(
            relation is not None and "schemaname" not in body and relation.name in catalog.sensitive_names
            for body, relation in self.relations
        )

    @property
    def touches(self) -> bool:
        return bool(self.protected)


def look(catalog: Catalog, kind: str, body: Node, path: tuple[str, ...] | None, *, scripted: bool = False) -> Findings:
    """`scripted`: search_path may be another one when the statement is reached."""
    found = Findings(returns_rows=kind == "SelectStmt" or "returningList" in body)
    tree = {kind: body}
    flat = nodes(tree)
    common = frozenset(body["ctename"] for _, body in flat if "ctename" in body)
    by_rows = named_by_rows(flat)
    for key, body in flat:
        try:
            if "relname" in body:
                _relation(catalog, body, path, common, found)
            elif key == "FuncCall":
                check_call(catalog, body, found, by_rows.get(id(body)))
            elif key.startswith("Json") and catalog.server_version < 170000:
                _check_json(catalog)
            elif key in WRITES:
                _check_write(catalog, body["relation"], path)
        except FieldgateError as refusal:
            found.refusal = found.refusal or refusal
        if _is_hidden(key, body):
            found.names_hidden = True
    if found.refusal is None:
        found.refusal = check_notation(catalog, flat, found.relations)
    if found.refusal is None:
        certain = not scripted and kind not in ("PrepareStmt", "DeclareCursorStmt")
        found.refusal = check_doors(catalog, kind, flat, found.relations, path if certain else None)
    if "pg_class" in common:
        found.refusal = found.refusal or Unsupported('a common table expression named "pg_class" is refused')
    if any(is_pg_class(relation) for _, relation in found.relations):
        found.sizes = found.sizes or sizes_named(tree)
    return found


def _relation(
    catalog: Catalog, body: Node, path: tuple[str, ...] | None, common: frozenset[str], found: Findings
) -> None:
    if "schemaname" not in body and body["relname"] in common:
        if body["relname"] in catalog.sensitive_names:
            found.protected.extend(r for r in catalog.relations.values() if r.name == body["relname"])
        return
    relation = find_relation(catalog, body, path, None)
    found.relations.append((body, relation))
    if relation is None:
        refuse_closed_name(body)
    reach = reach_of(relation)
    if relation is not None and reach is Reach.PROTECTED:
        found.protected.append(relation)
    if relation is not None and reach is Reach.CLOSED:
        raise closed(relation, None)


def _check_json(catalog: Catalog) -> None:
    """What the grammar reads as SQL/JSON is a call of a function of that name for servers that do not know it yet."""
    if any(name.startswith("json_") or name == "json" for name in catalog.functions):
        raise Unsupported("SQL/JSON is not certain on this server, where functions have such names")


def _check_write(catalog: Catalog, target: Node, path: tuple[str, ...] | None) -> None:
    """UPDATE pg_settings is SET by another name; other catalogs are for superusers."""
    relation = find_relation(catalog, target, path, None)
    schema = target.get("schemaname") or (relation.schema if relation is not None else None)
    if schema in ("pg_catalog", "information_schema"):
        raise Refused(f'writing to "{schema}.{target["relname"]}" is refused', hint="Use SET for settings.")


def check_call(catalog: Catalog, body: Node, found: Findings, setting: str | None = None) -> None:
    """A function of known reach; `set_config` only of settings that nothing here depends on.

    `setting`: which one, where it is no constant and is known all the same.
    """
    names = strings(body.get("funcname", []))
    name, schema = names[-1], names[0] if len(names) > 1 else None
    if schema == "information_schema":
        return
    others = [f for f in catalog.functions.get(name, ()) if schema in (None, f.schema)]
    if schema not in (None, "pg_catalog"):
        if not others or not all(other.allowed for other in others):
            raise unknown_reach(names)
        return
    if functions.reaches_beyond(name) and name not in catalog.opened and (schema == "pg_catalog" or not others):
        if name not in functions.SIZE_FUNCTIONS:
            raise unknown_reach(names)
        found.sizes = found.sizes or size_function(name)
    if schema is None and not all(other.allowed for other in others):
        raise unknown_reach(names)
    if name == "set_config":
        _check_set_config(body, found, setting)


def _check_set_config(body: Node, found: Findings, setting: str | None) -> None:
    first = (body.get("args") or [{}])[0].get("A_Const", {})
    if "sval" not in first and setting is None:
        raise Unsupported("set_config is supported with a constant name only", hint="Use SET.")
    name = (setting or first["sval"].get("sval", "")).lower()
    if name == "search_path" or name in VALUE_SETTINGS:
        found.sets.append(name)
    elif name in GUARDED_SETTINGS or name.startswith(OWN_SETTINGS):
        raise Unsupported(f"set_config of {name} is not supported", hint=f"Use SET {name}.")


def unknown_reach(names: tuple[str, ...]) -> Refused:
    return Unsupported(
        f"it is not known what the function {'.'.join(names)} reads or does, and this database has protected tables",
        hint="Ask for it to be allowed in the data map.",
    )


def _is_hidden(key: str, body: Node) -> bool:
    """An identifier of ours, anywhere in the statement."""
    if key == "String":
        return string({"String": body}).startswith(HIDDEN_PREFIX)
    for name in _NAMED:
        given = body.get(name)
        if isinstance(given, str) and given.startswith(HIDDEN_PREFIX):
            return True
    return False
