"""Statements that are neither SELECT nor INSERT, UPDATE, DELETE, in a database with protected tables.

Allow-list: what is not named here is refused, because its reach is unknown.  Nothing here is rewritten; a statement is
either forwarded as it is or refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proxy.errors import Refused, Unsupported

from .catalog import Catalog
from .plan import SessionEffect, StatementKind
from .settings import NO_EFFECT, Effect, setting_effect
from .touch import Findings
from .tree import Node, RawStatement, nodes, strings, unwrap


@dataclass(frozen=True, slots=True)
class Utility:
    """What a utility statement is and does; `kind` as the plan says it."""

    kind: StatementKind = StatementKind.UTILITY
    effect: Effect = NO_EFFECT
    returns_rows: bool = False


_CATALOG: Effect = (SessionEffect.CATALOG, None)
_DDL = Utility(effect=_CATALOG)
_PLAIN = Utility()

Handler = Callable[[Catalog, Node, Findings], Utility]


def plan_utility(catalog: Catalog, statement: RawStatement, found: Findings) -> Utility:
    """Raises Refused for what may not run."""
    handler = _HANDLERS.get(statement.kind)
    if handler is None:
        raise Unsupported(
            f"{_spoken(statement.kind)} is refused in a database with protected tables: its reach is not known",
            hint="Run it on a direct connection, as the administrator of the database.",
        )
    if found.refusal is not None:
        raise found.refusal
    if found.sets_path:
        raise Unsupported("set_config of search_path is supported in a SELECT of its own only", hint="Use SET.")
    return handler(catalog, statement.body, found)


def _spoken(kind: str) -> str:
    """`CreateFunctionStmt` as `CREATE FUNCTION`."""
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in kind.removesuffix("Stmt"))
    return words.strip().upper()


def _plain(catalog: Catalog, body: Node, found: Findings) -> Utility:
    _refuse_touching(found)
    return _PLAIN


def _refuse_touching(found: Findings) -> None:
    if found.touches:
        relation = found.protected[0]
        raise Refused(
            f'this command on "{relation.schema}.{relation.name}" is refused: the table is protected, or shows '
            "protected data",
            hint="Change protected tables on a direct connection, as the administrator of the database; "
            "`fieldgate check` then says whether the data map still fits.",
        )


def _ddl(catalog: Catalog, body: Node, found: Findings) -> Utility:
    _refuse_touching(found)
    created = _created(body)
    refuse_shadowing(catalog, created.get("relname"))
    refuse_temporary_shadow(catalog, created)
    return _DDL


def _created(body: Node) -> Node:
    for key in ("relation", "view", "sequence", "typevar", "rel"):
        if isinstance(body.get(key), dict) and "relname" in body[key]:
            found: Node = body[key]
            return found
    return {}


def refuse_temporary_shadow(catalog: Catalog, created: Node) -> None:
    """Temporary relations come first in every search_path, unseen by the catalog: one may not take a known name."""
    if created.get("relpersistence") == "t" or created.get("schemaname") == "pg_temp":
        refuse_known_name(catalog, created.get("relname"))


def refuse_known_name(catalog: Catalog, name: str | None) -> None:
    if any(known == name for schema, known in catalog.by_name if schema not in ("pg_catalog", "information_schema")):
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
    _refuse_touching(found)
    for _, node in nodes(body.get("schemaElts", [])):
        if "relname" in node:
            refuse_shadowing(catalog, node["relname"])
    for element in body.get("schemaElts", []):
        if unwrap(element)[0] not in ("CreateStmt", "IndexStmt", "CreateSeqStmt"):
            raise Unsupported("CREATE SCHEMA with this element is refused", hint="Create it by a statement of its own.")
    return _DDL


def _create_table_as(catalog: Catalog, body: Node, found: Findings) -> Utility:
    _refuse_storing(found)
    refuse_shadowing(catalog, body["into"]["rel"]["relname"])
    refuse_temporary_shadow(catalog, body["into"]["rel"])
    _check_query(body.get("query", {}))
    return _DDL


def _create_view(catalog: Catalog, body: Node, found: Findings) -> Utility:
    _refuse_storing(found)
    if any(body["relname"] == "pg_settings" for body, _ in found.relations):
        raise Unsupported(
            "a view of pg_settings is refused: writing to it would change settings unseen", hint="Use SET and SHOW."
        )
    refuse_shadowing(catalog, body["view"]["relname"])
    refuse_temporary_shadow(catalog, body["view"])
    return _DDL


def _refuse_storing(found: Findings) -> None:
    if found.touches:
        raise Refused(
            "creating a table or view from protected tables is refused: it would show their data where no policy "
            "covers it",
            hint="Create it on a direct connection and add it to the data map if it stores data.",
        )


def _rename(catalog: Catalog, body: Node, found: Findings) -> Utility:
    _refuse_touching(found)
    if body.get("renameType") in ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX"):
        refuse_shadowing(catalog, body.get("newname"))
        refuse_known_name(catalog, body.get("newname"))
    if body.get("renameType") in ("OBJECT_SCHEMA", "OBJECT_ROLE", "OBJECT_DATABASE"):
        raise Unsupported("renaming schemas, roles and databases is refused", hint="Use a direct connection.")
    return _DDL


def _alter_schema(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """SET SCHEMA gives a relation a new full name."""
    _refuse_touching(found)
    refuse_shadowing(catalog, body.get("relation", {}).get("relname"))
    return _DDL


_DROPPABLE = frozenset(
    {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX", "OBJECT_TYPE"}
)
_RELATIONS = frozenset({"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"})


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
    return _DDL


def _comment(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """Names no data, but belongs to whoever owns the table."""
    for _, node in nodes(body.get("object", {})):
        if any(value in catalog.sensitive_names for value in node.values() if isinstance(value, str)):
            raise Refused("COMMENT on a protected table is refused", hint="Use a direct connection.")
    return _PLAIN


def _grant(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """Column privileges of protected tables are compiled from policy (I2); a whole schema's may contain them."""
    _refuse_touching(found)
    if body.get("targtype") != "ACL_TARGET_OBJECT" or body.get("objtype") not in ("OBJECT_TABLE", "OBJECT_SEQUENCE"):
        raise Unsupported("GRANT and REVOKE are supported for single unprotected tables and sequences only")
    return _PLAIN


def _setting(catalog: Catalog, body: Node, found: Findings) -> Utility:
    return Utility(StatementKind.SETTING, setting_effect(body))


def _show(catalog: Catalog, body: Node, found: Findings) -> Utility:
    return Utility(StatementKind.SETTING, returns_rows=True)


def _discard(catalog: Catalog, body: Node, found: Findings) -> Utility:
    everything = body.get("target", "DISCARD_ALL") == "DISCARD_ALL"
    return Utility(StatementKind.SETTING, (SessionEffect.DISCARD_ALL, None) if everything else NO_EFFECT)


def _deallocate(catalog: Catalog, body: Node, found: Findings) -> Utility:
    return Utility(effect=(SessionEffect.DEALLOCATE, body.get("name")))


def _transaction(catalog: Catalog, body: Node, found: Findings) -> Utility:
    return Utility(StatementKind.TRANSACTION)


def _copy(catalog: Catalog, body: Node, found: Findings) -> Utility:
    if "filename" in body:
        raise Unsupported(
            "COPY to or from files and programs of the server is refused in a database with protected tables",
            hint="Use COPY ... TO STDOUT or FROM STDIN.",
        )
    if found.touches:
        raise Unsupported(
            "COPY of protected tables is not supported",
            hint="Use SELECT to read and INSERT to write them.",
        )
    _check_query(body.get("query", {}))
    return Utility(StatementKind.COPY, (SessionEffect.TAKES_DATA, None) if body.get("is_from") else NO_EFFECT)


def _prepared(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """PREPARE and DECLARE CURSOR keep a statement under a name that we do not follow."""
    if found.touches:
        raise Unsupported(
            "PREPARE and DECLARE over protected tables are not supported",
            hint="Use the driver's own prepared statements and portals (the extended protocol).",
        )
    _check_query(body.get("query", {}))
    if "portalname" in body:
        return Utility(effect=(SessionEffect.DECLARES, body["portalname"]))
    return Utility(effect=(SessionEffect.PREPARES, body.get("name", "")))


def _execute(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """What stands behind the name only the session knows: a Parse or a Bind may have made it."""
    _refuse_touching(found)
    return Utility(effect=runs(body), returns_rows=True)


def runs(body: Node) -> Effect:
    """What EXECUTE, FETCH or MOVE names."""
    if "portalname" in body:
        return SessionEffect.RUNS_PORTAL, body["portalname"]
    return SessionEffect.RUNS_STATEMENT, body.get("name", "")


def _maintenance(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """VERBOSE tells sizes; without a table it goes over all of them."""
    verbose = any(node.get("defname") == "verbose" for _, node in nodes(body))
    _refuse_touching(found)
    if verbose and not found.relations:
        raise Unsupported("VACUUM and ANALYZE with VERBOSE need a table's name in a database with protected tables")
    return _PLAIN


def _check_query(query: Node) -> None:
    """Only what is understood may be wrapped."""
    kind = unwrap(query)[0]
    if kind and kind not in ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"):
        raise Unsupported(f"{_spoken(kind)} can not be used here in a database with protected tables")


_HANDLERS: dict[str, Handler] = {
    "TransactionStmt": _transaction,
    "VariableSetStmt": _setting,
    "VariableShowStmt": _show,
    "DiscardStmt": _discard,
    "DeallocateStmt": _deallocate,
    "PrepareStmt": _prepared,
    "ExecuteStmt": _execute,
    "DeclareCursorStmt": _prepared,
    "FetchStmt": _execute,
    "ClosePortalStmt": _plain,
    "ListenStmt": _plain,
    "UnlistenStmt": _plain,
    "NotifyStmt": _plain,
    "CheckPointStmt": _plain,
    "ConstraintsSetStmt": _plain,
    "CopyStmt": _copy,
    "LockStmt": _plain,
    "VacuumStmt": _maintenance,
    "ReindexStmt": _plain,
    "ClusterStmt": _plain,
    "CreateStmt": _ddl,
    "AlterTableStmt": _ddl,
    "IndexStmt": _ddl,
    "CreateSeqStmt": _ddl,
    "AlterSeqStmt": _ddl,
    "CreateEnumStmt": _ddl,
    "AlterEnumStmt": _ddl,
    "CompositeTypeStmt": _ddl,
    "CreateStatsStmt": _ddl,
    "CreateSchemaStmt": _create_schema,
    "CreateTableAsStmt": _create_table_as,
    "ViewStmt": _create_view,
    "RefreshMatViewStmt": _ddl,
    "RenameStmt": _rename,
    "AlterObjectSchemaStmt": _alter_schema,
    "DropStmt": _drop,
    "TruncateStmt": _plain,
    "CommentStmt": _comment,
    "GrantStmt": _grant,
}
