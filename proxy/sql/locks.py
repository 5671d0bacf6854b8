"""LOCK TABLE of protected tables: it shows nothing, so whoever may use a table in any way may ask for a lock of it.

PostgreSQL decides which one, by the privileges that were compiled from policy.  A view is refused, because the locks of
what stands below it follow from its owner's rights.
"""

from __future__ import annotations

from proxy.errors import Refused

from .catalog import Relation
from .statement import Request
from .touch import Findings
from .verdicts import refuse_touching


def check_lock(request: Request, found: Findings) -> None:
    """Raises Refused."""
    if found.refusal is not None:
        raise found.refusal
    for relation in found.protected:
        if not _usable(request, relation):
            refuse_touching(found)


def _usable(request: Request, relation: Relation) -> bool:
    table = relation.protected
    if table is None:
        return False
    rights = request.decisions.table_rights(request.principal, table.schema, table.table)
    if not any(each.verbs for each in rights.fields.values()):
        raise Refused(f'permission denied for table "{table.schema}.{table.table}"')
    return True
