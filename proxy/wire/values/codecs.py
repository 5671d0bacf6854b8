"""The codec of each logical type, and which parameter types may feed it."""

from __future__ import annotations

from typing import Final

from policies.fields import LogicalType
from proxy.wire import oids

from .boolean import BooleanCodec
from .bytea import ByteaCodec
from .codec import Codec
from .dates import date_codec, timestamp_codec, timestamptz_codec
from .integers import IntegerCodec
from .json_ import JsonbCodec, JsonCodec
from .network import InetCodec
from .numeric import NumericCodec
from .text import TextCodec, VarcharCodec
from .uuid_ import UuidCodec

__all__ = ["Codec", "accepts_source", "codec_for", "follows_settings"]

_CODECS: Final[dict[LogicalType, Codec]] = {
    LogicalType.TEXT: TextCodec(),
    LogicalType.VARCHAR: VarcharCodec(),
    LogicalType.INT2: IntegerCodec(LogicalType.INT2, oids.INT2),
    LogicalType.INT4: IntegerCodec(LogicalType.INT4, oids.INT4),
    LogicalType.INT8: IntegerCodec(LogicalType.INT8, oids.INT8),
    LogicalType.NUMERIC: NumericCodec(),
    LogicalType.BOOL: BooleanCodec(),
    LogicalType.DATE: date_codec(),
    LogicalType.TIMESTAMP: timestamp_codec(),
    LogicalType.TIMESTAMPTZ: timestamptz_codec(),
    LogicalType.INET: InetCodec(),
    LogicalType.UUID: UuidCodec(),
    LogicalType.JSON: JsonCodec(),
    LogicalType.JSONB: JsonbCodec(),
    LogicalType.BYTEA: ByteaCodec(),
}

# An undeclared parameter, and one declared as unknown, takes the type of the place where it stands.
_UNDECLARED = frozenset((0, oids.UNKNOWN))
_TEXTS = frozenset((oids.TEXT, oids.VARCHAR, oids.BPCHAR, oids.NAME))
_NUMBERS = frozenset((oids.INT2, oids.INT4, oids.INT8, oids.NUMERIC))
_MOMENTS = frozenset((oids.DATE, oids.TIMESTAMP, oids.TIMESTAMPTZ))
_FOLLOWERS = frozenset((LogicalType.DATE, LogicalType.TIMESTAMP, LogicalType.TIMESTAMPTZ))
_JSONS = frozenset((oids.JSON, oids.JSONB))

_FAMILIES: Final[dict[LogicalType, frozenset[int]]] = {
    LogicalType.TEXT: _TEXTS,
    LogicalType.VARCHAR: _TEXTS,
    LogicalType.INT2: _NUMBERS,
    LogicalType.INT4: _NUMBERS,
    LogicalType.INT8: _NUMBERS,
    LogicalType.NUMERIC: _NUMBERS,
    LogicalType.BOOL: frozenset((oids.BOOL,)),
    LogicalType.DATE: _MOMENTS,
    LogicalType.TIMESTAMP: _MOMENTS,
    LogicalType.TIMESTAMPTZ: _MOMENTS,
    LogicalType.INET: frozenset((oids.INET, oids.CIDR)),
    LogicalType.UUID: frozenset((oids.UUID,)),
    LogicalType.JSON: _JSONS,
    LogicalType.JSONB: _JSONS,
    LogicalType.BYTEA: frozenset((oids.BYTEA,)),
}


def codec_for(logical: LogicalType) -> Codec:
    return _CODECS[logical]


def follows_settings(logical: LogicalType) -> bool:
    """Whether what a text means, or how a value looks, depends on the session's DateStyle or TimeZone."""
    return logical in _FOLLOWERS


def accepts_source(logical: LogicalType, declared_oid: int) -> bool:
    """Whether a parameter declared with this type OID (0: not declared) may feed a field of this type.

    Only types whose values can be converted without loss; PostgreSQL itself assigns more (everything to text, text to
    nothing), but compares in the wider of two types, which a sealed field can not.
    """
    return declared_oid in _UNDECLARED or declared_oid in _FAMILIES[logical]
