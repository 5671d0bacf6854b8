"""What still holds plaintext after a column was sealed, outside the table's own files.  Pure."""

from __future__ import annotations

from policies.fields import Field

from .ddl import qualified


def remaining_plaintext(field: Field) -> tuple[str, ...]:
    """One sentence each: where plaintext is left, and whose duty it is to remove it."""
    table = qualified(field.schema, field.table)
    return (
        "The table's own file was written anew without plaintext; the old file's blocks are free disk space until"
        " the file system uses them again.",
        "WAL segments and their archive hold the rows as they were written: run CHECKPOINT, let them be recycled, and"
        " expire the archive.",
        "Base backups, dumps and snapshots taken before today hold the plaintext: expire or encrypt them.",
        "Streaming replicas follow by themselves; subscribers of logical replication keep their own plaintext copy.",
        "The server's log, pg_stat_statements and auto_explain may hold statements with values.",
        "Planner statistics of the old column are deleted, but their dead rows stay in the catalog's file until:"
        " VACUUM FULL pg_catalog.pg_statistic.",
        f"The cells' first copy takes space in the table until: VACUUM FULL {table} (no plaintext is in it).",
        "Whatever was made from the column elsewhere is not ours to see: materialized views, other tables, functions"
        " with constants, applications' caches and exports.",
    )
