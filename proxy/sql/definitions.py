"""CREATE, ALTER, DROP and their like: what is protected is changed on a direct connection, and no name may hide it."""

from __future__ import annotations

from policies.fields import LogicalType
from proxy.errors import Refused, Unsupported

from .catalog import Catalog
from .extensions import HARMLESS_EXTENSIONS
from .touch import Findings
from .tree import Node, nodes, strings, unwrap
from .verdicts import DDL, PLAIN, Handler, Utility, check_query, refuse_touching

_TYPES = frozenset(logical.value for logical in LogicalType)
_RENAMED_TYPES = frozenset({"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_TYPE", "OBJECT_DOMAIN"})


def _ddl(catalog: Catalog, body: Node, found: Findings) -> Utility:
    refuse_touching(found)
    created = _created(body)
    refuse_shadowing(catalog, created.get("relname"))
    refuse_temporary_shadow(catalog, created)
    return DDL


def _sequence(catalog: Catalog, body: Node, found: Findings) -> Utility:
    _refuse_owner(catalog, body)
    return _ddl(catalog, body, found)


def _refuse_owner(catalog: Catalog, body: Node) -> None:
    """OWNED BY names a column as a list of words, not as a relation."""
    for option in body.get("options", []):
        element = option["DefElem"]
        owner = strings(element["arg"]["List"]["items"]) if element["defname"] == "owned_by" else ()
        if len(owner) > 1 and owner[-2] in catalog.sensitive_names:
            raise Unsupported(
                f'OWNED BY a column of "{owner[-2]}" is refused: it is a protected table, or may come to be',
                hint="Use a direct connection, as the table's owner.",
            )


def _created(body: Node) -> Node:
    for key in ("relation", "view", "sequence", "typevar", "rel"):
        if isinstance(body.get(key), dict) and "relname" in body[key]:
            found: Node = body[key]
            return found
    return {}


def refuse_temporary_shadow(catalog: Catalog, created: Node) -> None:
    """Temporary relations come first in every search_path, unseen by the catalog: one may not take a known name."""
    schema = created.get("schemaname", "")
    if created.get("relpersistence") == "t" or schema.startswith("pg_temp"):
        refuse_known_name(catalog, created.get("relname"))
    if not schema or schema.startswith("pg_temp"):
        refuse_type_name(created.get("relname"))


def refuse_type_name(name: str | None) -> None:
    """A temporary type, such as a relation's rows, comes before PostgreSQL's own; a domain may fail for some values."""
    if name in _TYPES:
        raise Refused(
            f'a type or relation named "{name}" is refused: where it is temporary, it takes the place of PostgreSQL\'s',
            hint="Choose another name, or write its schema.",
        )


def refuse_known_name(catalog: Catalog, name: str | None) -> None:
    if name is not None and catalog.schemas_of(name) - {"pg_catalog", "information_schema"}:
        raise Refused(
            f'a temporary relation named "{name}" is refused: it would hide the table of that name from analysis',
            hint="Choose another name.",
        )


def refuse_shadowing(catalog: Catalog, name: str | None) -> None:
    if name is not None and name in catalog.sensitive_names:
        raise Refused(
            f'a relation named "{name}" is refused: a protected table has that name', hint="Choose another name."
        )


def _create_schema(catalog: Catalog, body: Node, found: Findings) -> Utility:
    refuse_touching(found)
    for _, node in nodes(body.get("schemaElts", [])):
        if "relname" in node:
            refuse_shadowing(catalog, node["relname"])
    for element in body.get("schemaElts", []):
        if unwrap(element)[0] not in ("CreateStmt", "IndexStmt", "CreateSeqStmt"):
            raise Unsupported("CREATE SCHEMA with this element is refused", hint="Create it by a statement of its own.")
        _refuse_owner(catalog, unwrap(element)[1])
    return DDL


def _create_table_as(catalog: Catalog, body: Node, found: Findings) -> Utility:
    _refuse_storing(found)
    refuse_shadowing(catalog, body["into"]["rel"]["relname"])
    refuse_temporary_shadow(catalog, body["into"]["rel"])
    check_query(body.get("query", {}))
    return DDL


def _create_view(catalog: Catalog, body: Node, found: Findings) -> Utility:
    _refuse_storing(found)
    if any(body["relname"] == "pg_settings" for body, _ in found.relations):
        raise Unsupported(
            "a view of pg_settings is refused: writing to it would change settings unseen", hint="Use SET and SHOW."
        )
    refuse_shadowing(catalog, body["view"]["relname"])
    refuse_temporary_shadow(catalog, body["view"])
    return DDL


def _refuse_storing(found: Findings) -> None:
    if found.touches:
        raise Refused(
            "creating a table or view from protected tables is refused: it would show their data where no policy "
            "covers it",
            hint="Create it on a direct connection and add it to the data map if it stores data.",
        )


def _rename(catalog: Catalog, body: Node, found: Findings) -> Utility:
    refuse_touching(found)
    if body.get("renameType") in ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX"):
        refuse_shadowing(catalog, body.get("newname"))
        refuse_known_name(catalog, body.get("newname"))
    if body.get("renameType") in _RENAMED_TYPES:
        refuse_type_name(body.get("newname"))
    if body.get("renameType") in ("OBJECT_SCHEMA", "OBJECT_ROLE", "OBJECT_DATABASE"):
        raise Unsupported("renaming schemas, roles and databases is refused", hint="Use a direct connection.")
    return DDL


def _alter_schema(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """SET SCHEMA gives a relation a new full name."""
    refuse_touching(found)
    refuse_shadowing(catalog, body.get("relation", {}).get("relname"))
    return DDL


def _create_domain(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """The functions of its CHECKs and its default are among the findings, like those of a table's."""
    return _create_type(catalog, strings(body["domainname"]), found)


def _create_enum(catalog: Catalog, body: Node, found: Findings) -> Utility:
    return _create_type(catalog, strings(body["typeName"]), found)


def _create_type(catalog: Catalog, names: tuple[str, ...], found: Findings) -> Utility:
    refuse_touching(found)
    refuse_shadowing(catalog, names[-1])
    if len(names) == 1 or names[-2].startswith("pg_temp"):
        refuse_type_name(names[-1])
    return DDL


_EMPTY_DATABASES = frozenset({"template0", "template1"})
_DATABASE_OPTIONS = frozenset({
    "encoding", "locale", "lc_collate", "lc_ctype", "locale_provider", "icu_locale", "builtin_locale",
    "connection_limit",
})  # fmt: skip


def _create_extension(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """Of those that are known; their functions are known before the catalog is read again."""
    options = {unwrap(option)[1]["defname"] for option in body.get("options", [])}
    if "cascade" in options:
        raise Unsupported("CREATE EXTENSION with CASCADE is refused: it makes others, too", hint="Make one by one.")
    if body["extname"] not in HARMLESS_EXTENSIONS:
        raise Unsupported(
            f'CREATE EXTENSION "{body["extname"]}" is refused: it is not known what its functions reach',
            hint="Make it on a direct connection, and allow it in the data map, as [harmless].",
        )
    return DDL


def _create_database(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """An empty one.  A copy of another would hold protected tables that no data map covers."""
    for _, option in map(unwrap, body.get("options", [])):
        name, given = option["defname"], unwrap(option.get("arg", {}))[1]
        if name not in _DATABASE_OPTIONS and not (name == "template" and given.get("sval") in _EMPTY_DATABASES):
            raise Unsupported(
                f"CREATE DATABASE with this {name} is refused in a database with protected tables",
                hint="Make it from template0 or template1, or on a direct connection.",
            )
    return PLAIN


def _drop_database(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """Its owner's own; whoever owns the database that is protected does not get in here (I2)."""
    return PLAIN


_DROPPABLE = frozenset(
    {
        *("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW"),
        *("OBJECT_SEQUENCE", "OBJECT_INDEX", "OBJECT_TYPE", "OBJECT_DOMAIN", "OBJECT_EXTENSION"),
    }
)


def _drop(catalog: Catalog, body: Node, found: Findings) -> Utility:
    if body.get("removeType") not in _DROPPABLE:
        raise Unsupported("dropping this kind of object is refused in a database with protected tables")
    if body.get("behavior") == "DROP_CASCADE":
        raise Unsupported("DROP ... CASCADE is refused in a database with protected tables", hint="Drop one by one.")
    for node in body.get("objects", []):
        name = strings(node.get("List", {}).get("items", []))
        if name and name[-1] in catalog.sensitive_names:
            raise Refused(
                f'dropping "{".".join(name)}" is refused: the table is protected, or shows protected data',
                hint="Use a direct connection, as the administrator of the database.",
            )
    return DDL


def _comment(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """Names no data, but belongs to whoever owns the table; of large objects it would tell that they exist."""
    if body.get("objtype") == "OBJECT_LARGEOBJECT":
        raise Unsupported("COMMENT ON LARGE OBJECT is refused in a database with protected tables")
    for _, node in nodes(body.get("object", {})):
        if any(value in catalog.sensitive_names for value in node.values() if isinstance(value, str)):
            raise Refused("COMMENT on a protected table is refused", hint="Use a direct connection.")
    return PLAIN


def _grant(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """Column privileges of protected tables are compiled from policy (I2); a whole schema's may contain them."""
    refuse_touching(found)
    if body.get("targtype") != "ACL_TARGET_OBJECT" or body.get("objtype") not in ("OBJECT_TABLE", "OBJECT_SEQUENCE"):
        raise Unsupported("GRANT and REVOKE are supported for single unprotected tables and sequences only")
    return PLAIN


DEFINITIONS: dict[str, Handler] = {
    "CreateStmt": _ddl,
    "AlterTableStmt": _ddl,
    "IndexStmt": _ddl,
    "CreateSeqStmt": _sequence,
    "AlterSeqStmt": _sequence,
    "CreateEnumStmt": _create_enum,
    "AlterEnumStmt": _ddl,
    "CompositeTypeStmt": _ddl,
    "CreateStatsStmt": _ddl,
    "CreateDomainStmt": _create_domain,
    "CreateExtensionStmt": _create_extension,
    "CreatedbStmt": _create_database,
    "DropdbStmt": _drop_database,
    "CreateSchemaStmt": _create_schema,
    "CreateTableAsStmt": _create_table_as,
    "ViewStmt": _create_view,
    "RefreshMatViewStmt": _ddl,
    "RenameStmt": _rename,
    "AlterObjectSchemaStmt": _alter_schema,
    "DropStmt": _drop,
    "CommentStmt": _comment,
    "GrantStmt": _grant,
}
