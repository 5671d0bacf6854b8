"""The canonical bytes of a row's key, as row-bound cells are bound to it (docs/envelope.md).

The same key gives the same bytes whether it comes from a client's parameter, a constant or a result column, in text
or in binary form.
"""

from __future__ import annotations

import uuid

from proxy.errors import SqlState, ValueRejected
from proxy.wire.oids import INT2, INT4, INT8, TEXT, UNKNOWN, UUID, VARCHAR

_INTEGER_SIZES = {INT2: 2, INT4: 4, INT8: 8}
_TEXTS = frozenset({TEXT, VARCHAR, UNKNOWN, 0})


def row_key_bytes(raw: bytes, *, binary: bool, type_oid: int, key_oid: int) -> bytes:
    """Canonical form of a key of column type `key_oid` that arrives as `type_oid` (0: as the column's own type).

    Raises ValueRejected when the value is not a key of that type, or the type cannot be a row key.
    """
    source = type_oid or key_oid
    try:
        if key_oid in _INTEGER_SIZES:
            return _integer(raw, binary, source)
        if key_oid == UUID:
            return _uuid(raw, binary, source)
        if key_oid in (TEXT, VARCHAR):
            return raw
    except ValueError:
        raise ValueRejected("the row's key does not have the form of its type") from None
    raise ValueRejected("a column of this type cannot be a row key", sqlstate=SqlState.FEATURE_NOT_SUPPORTED)


def _integer(raw: bytes, binary: bool, source: int) -> bytes:
    if not binary or source in _TEXTS:
        return b"%d" % int(raw.decode("ascii").strip())
    if _INTEGER_SIZES.get(source) != len(raw):
        raise ValueError
    return b"%d" % int.from_bytes(raw, "big", signed=True)


def _uuid(raw: bytes, binary: bool, source: int) -> bytes:
    if binary and source == UUID:
        return str(uuid.UUID(bytes=raw)).encode()
    return str(uuid.UUID(raw.decode("ascii").strip())).encode()
