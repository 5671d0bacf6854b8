"""Data subjects' secrets for jobs: a memory of their own for each piece of work, filled batch by batch."""

from __future__ import annotations

from collections.abc import Iterable

from keys.ciphers import SealLeases
from keys.database_store import DatabaseKeyStore
from keys.errors import CryptoError
from keys.key_tables import DatabaseTables
from keys.keyring import Keyring
from keys.subject_store import SubjectKeys, SubjectStore
from keys.subjects import SubjectCache, SubjectName
from proxy.subject_keeper import SubjectKeeper

from .errors import RotationRefused
from .places import Place


def secrets_of(
    store: DatabaseKeyStore, leases: SealLeases, keyring: Keyring, controller: str, kind: str
) -> SubjectStore:
    """Raises RotationRefused where there is no place for secrets, or no keys for those of this kind."""
    tables = store.tables
    if not isinstance(tables, DatabaseTables):
        raise RotationRefused(f"subjects of the kind {kind}", ["their secrets are kept in the control database only"])
    try:
        keys = {kind: SubjectKeys.of(keyring, controller, kind)}
    except CryptoError as error:
        raise RotationRefused(f"subjects of the kind {kind}", [str(error)]) from None
    return SubjectStore(controller, keys, tables.connections, leases)


def keeper_of(store: DatabaseKeyStore, leases: SealLeases, keyring: Keyring, place: Place) -> SubjectKeeper | None:
    """None where the table's cells need no secrets."""
    kind = place.table.subject_kind
    if kind is None:
        return None
    made = SubjectKeeper(SubjectCache())
    made.use(secrets_of(store, leases, keyring, place.controller, kind))
    return made


def names_of(place: Place, row_keys: Iterable[bytes | None]) -> set[SubjectName]:
    kind = place.table.subject_kind or ""
    return {SubjectName(kind, key) for key in row_keys if key is not None}
