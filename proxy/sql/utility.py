"""Statements that are neither SELECT nor INSERT, UPDATE, DELETE, in a database with protected tables.

Allow-list: what is not named here, in `definitions` or in `named` is refused, because its reach is unknown.  Nothing
here is rewritten; a statement is either forwarded as it is or refused.
"""

from __future__ import annotations

from proxy.errors import Unsupported

from .catalog import Catalog
from .definitions import DEFINITIONS
from .plan import SessionEffect, StatementKind
from .settings import NO_EFFECT, Effect, setting_effect
from .touch import Findings
from .tree import Node, RawStatement, nodes
from .verdicts import PLAIN, Handler, Utility, check_query, refuse_files, refuse_touching, spoken


def plan_utility(catalog: Catalog, statement: RawStatement, found: Findings) -> Utility:
    """Raises Refused for what may not run."""
    handler = _HANDLERS.get(statement.kind)
    if handler is None:
        raise Unsupported(
            f"{spoken(statement.kind)} is refused in a database with protected tables: its reach is not known",
            hint="Run it on a direct connection, as the administrator of the database.",
        )
    if found.refusal is not None:
        raise found.refusal
    if found.sets:
        raise Unsupported(f"set_config of {found.sets[0]} is supported in a SELECT of its own only", hint="Use SET.")
    return handler(catalog, statement.body, found)


def _plain(catalog: Catalog, body: Node, found: Findings) -> Utility:
    refuse_touching(found)
    return PLAIN


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
    return Utility(StatementKind.TRANSACTION, _TRANSACTION_EFFECTS.get(body["kind"], NO_EFFECT))


def _copy(catalog: Catalog, body: Node, found: Findings) -> Utility:
    refuse_files(body)
    check_query(body.get("query", {}))
    return Utility(StatementKind.COPY, (SessionEffect.TAKES_DATA, None) if body.get("is_from") else NO_EFFECT)


def _maintenance(catalog: Catalog, body: Node, found: Findings) -> Utility:
    """VERBOSE tells sizes; without a table it goes over all of them."""
    verbose = any(node.get("defname") == "verbose" for _, node in nodes(body))
    refuse_touching(found)
    if verbose and not found.relations:
        raise Unsupported("VACUUM and ANALYZE with VERBOSE need a table's name in a database with protected tables")
    return PLAIN


_ENDS: Effect = (SessionEffect.ENDS_TRANSACTION, None)
_TRANSACTION_EFFECTS: dict[str, Effect] = {
    "TRANS_STMT_COMMIT": _ENDS,
    "TRANS_STMT_ROLLBACK": _ENDS,
    "TRANS_STMT_PREPARE": _ENDS,
    "TRANS_STMT_ROLLBACK_TO": (SessionEffect.RETURNS_TO_SAVEPOINT, None),
}
_HANDLERS: dict[str, Handler] = {
    "TransactionStmt": _transaction,
    "VariableSetStmt": _setting,
    "VariableShowStmt": _show,
    "DiscardStmt": _discard,
    "DeallocateStmt": _deallocate,
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
    "TruncateStmt": _plain,
    **DEFINITIONS,
}
