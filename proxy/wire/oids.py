"""OIDs of PostgreSQL's built-in types (pg_type.dat); they are the same in every server."""

from __future__ import annotations

from typing import Final

from policies.fields import LogicalType

BOOL: Final = 16
BYTEA: Final = 17
CHAR: Final = 18  # "char", one byte
NAME: Final = 19
INT8: Final = 20
INT2: Final = 21
INT4: Final = 23
REGPROC: Final = 24
TEXT: Final = 25
OID: Final = 26
TID: Final = 27
XID: Final = 28
CID: Final = 29
JSON: Final = 114
XML: Final = 142
POINT: Final = 600
CIDR: Final = 650
FLOAT4: Final = 700
FLOAT8: Final = 701
UNKNOWN: Final = 705
MACADDR: Final = 829
INET: Final = 869
BPCHAR: Final = 1042
VARCHAR: Final = 1043
DATE: Final = 1082
TIME: Final = 1083
TIMESTAMP: Final = 1114
TIMESTAMPTZ: Final = 1184
INTERVAL: Final = 1186
TIMETZ: Final = 1266
BIT: Final = 1560
VARBIT: Final = 1562
NUMERIC: Final = 1700
REGCLASS: Final = 2205
REGTYPE: Final = 2206
RECORD: Final = 2249
UUID: Final = 2950
JSONB: Final = 3802

# type -> its array type
ARRAYS: Final[dict[int, int]] = {
    BOOL: 1000,
    BYTEA: 1001,
    CHAR: 1002,
    NAME: 1003,
    INT8: 1016,
    INT2: 1005,
    INT4: 1007,
    REGPROC: 1008,
    TEXT: 1009,
    OID: 1028,
    TID: 1010,
    XID: 1011,
    CID: 1012,
    JSON: 199,
    XML: 143,
    POINT: 1017,
    CIDR: 651,
    FLOAT4: 1021,
    FLOAT8: 1022,
    MACADDR: 1040,
    INET: 1041,
    BPCHAR: 1014,
    VARCHAR: 1015,
    DATE: 1182,
    TIME: 1183,
    TIMESTAMP: 1115,
    TIMESTAMPTZ: 1185,
    INTERVAL: 1187,
    TIMETZ: 1270,
    BIT: 1561,
    VARBIT: 1563,
    NUMERIC: 1231,
    REGCLASS: 2210,
    REGTYPE: 2211,
    RECORD: 2287,
    UUID: 2951,
    JSONB: 3807,
}
ELEMENTS: Final[dict[int, int]] = {array: element for element, array in ARRAYS.items()}

LOGICAL: Final[dict[LogicalType, int]] = {
    LogicalType.TEXT: TEXT,
    LogicalType.VARCHAR: VARCHAR,
    LogicalType.INT2: INT2,
    LogicalType.INT4: INT4,
    LogicalType.INT8: INT8,
    LogicalType.NUMERIC: NUMERIC,
    LogicalType.BOOL: BOOL,
    LogicalType.DATE: DATE,
    LogicalType.TIMESTAMP: TIMESTAMP,
    LogicalType.TIMESTAMPTZ: TIMESTAMPTZ,
    LogicalType.INET: INET,
    LogicalType.UUID: UUID,
    LogicalType.JSON: JSON,
    LogicalType.JSONB: JSONB,
    LogicalType.BYTEA: BYTEA,
}

# pg_type.typlen, for RowDescription; -1 is "variable"
SIZES: Final[dict[int, int]] = {
    BOOL: 1,
    INT2: 2,
    INT4: 4,
    INT8: 8,
    DATE: 4,
    TIMESTAMP: 8,
    TIMESTAMPTZ: 8,
    UUID: 16,
}
