"""What a plain column had that bytea has no place for (collation, storage), kept for the way back.  Pure.

It stands as the comment of a CHECK that is always true, `fg_was_<field id>`, so that it goes with the table through
dump and restore, renaming and pg_upgrade.  A column without such traits has no such CHECK.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from policies.fields import Field
from proxy.errors import ConfigError

from .carry import literal
from .ddl import qualified, quote, sealing_of

_STORAGES = ("PLAIN", "EXTERNAL", "EXTENDED", "MAIN")
_COMPRESSIONS = ("pglz", "lz4")


@dataclass(frozen=True, slots=True)
class Traits:
    """`collation`: (schema, name).  None: what the type has by itself."""

    collation: tuple[str, str] | None = None
    storage: str | None = None
    compression: str | None = None

    def collate(self) -> str:
        return f" COLLATE {qualified(*self.collation)}" if self.collation is not None else ""

    def settings(self, table: str, column: str) -> tuple[str, ...]:
        """Statements that give a column of the right type its storage and compression."""
        made = (("STORAGE", self.storage), ("COMPRESSION", self.compression))
        return tuple(f"ALTER TABLE {table} ALTER COLUMN {column} SET {what} {how}" for what, how in made if how)


NONE = Traits()


def memory_name(field: Field) -> str:
    return f"fg_was_{sealing_of(field).field_id}"


def remember(field: Field, traits: Traits) -> tuple[str, ...]:
    """Statements for the transaction that seals."""
    if traits == NONE:
        return ()
    said = {"collation": traits.collation, "storage": traits.storage, "compression": traits.compression}
    text = json.dumps({key: value for key, value in said.items() if value is not None}, sort_keys=True)
    table, name = qualified(field.schema, field.table), quote(memory_name(field))
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK (true)",
        f"COMMENT ON CONSTRAINT {name} ON {table} IS {literal(text)}",
    )


def recall(comment: str | None) -> Traits:
    """Raises ConfigError when somebody has changed it: it is put into statements."""
    if comment is None:
        return NONE
    try:
        said = json.loads(comment)
    except ValueError:
        said = None
    if not isinstance(said, Mapping) or not said.keys() <= {"collation", "storage", "compression"}:
        raise ConfigError("what was kept of the column's collation and storage cannot be read any more")
    collation, storage, compression = said.get("collation"), said.get("storage"), said.get("compression")
    named = isinstance(collation, list) and len(collation) == 2 and all(isinstance(part, str) for part in collation)
    if collation is not None and not named:
        raise ConfigError("what was kept of the column's collation is no name")
    if storage not in (None, *_STORAGES) or compression not in (None, *_COMPRESSIONS):
        raise ConfigError("what was kept of the column's storage is unknown")
    return Traits((collation[0], collation[1]) if collation is not None else None, storage, compression)
