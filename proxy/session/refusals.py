"""How upstream is made to fail where we refuse (I4), and how its failure is known again.

Each stand-in fails by itself, needs no right and no object, and holds no value: the transaction aborts just as if
PostgreSQL had refused, and ReadyForQuery is the server's own.
"""

from __future__ import annotations

from proxy.errors import FieldgateError
from proxy.sql.plan import StatementPlan

STAND_IN_SQL = b"SELECT 'fieldgate refused this statement'::pg_catalog.int4"
STAND_IN_SQLSTATE = b"22P02"

# A Bind is refused by naming a statement that cannot exist: clients may not prepare names of this form.
STAND_IN_STATEMENT = b"fieldgate refused this Bind"
BIND_SQLSTATE = b"26000"

# An Execute is refused by naming a portal that cannot exist.
STAND_IN_PORTAL = b"fieldgate refused this Execute"
EXECUTE_SQLSTATE = b"34000"

# What we say to the server besides has this name.
OWN_NAME = b"fieldgate reads"

RESERVED_NAMES = frozenset({STAND_IN_STATEMENT, STAND_IN_PORTAL, OWN_NAME})

# A FunctionCall is refused by calling the function with OID 0.
FUNCTION_SQLSTATE = b"42883"

# The no-op that stands for `SET fieldgate.*`, which never reaches the server: it has the same command tag, and the
# encoding is UTF8 in every session that is analysed.
SET_STAND_IN_SQL = b"SET client_encoding = 'UTF8'"

# The same for RESET: a setting of a name that is ours, so that no client can have given it a value.
RESET_STAND_IN_SQL = b"RESET fieldgate.stand_in"

# COPY data is refused by ending it as a client does that has no more; and what such a client says itself stays here.
ROW_REFUSED = b"fieldgate refused this row"
CLIENT_FAILED = b"the client has ended the COPY"
COPY_SQLSTATES = frozenset({b"57014", b"22P04"})  # for CopyFail, and for a row that ends before its bad value

_STAND_INS = frozenset({STAND_IN_SQLSTATE, BIND_SQLSTATE, EXECUTE_SQLSTATE, FUNCTION_SQLSTATE})


def own_setting_sql(plan: StatementPlan) -> bytes:
    """What stands for a SET or RESET of `fieldgate.*`."""
    return SET_STAND_IN_SQL if "=" in (plan.effect_value or "") else RESET_STAND_IN_SQL


def is_stand_in_failure(fields: dict[bytes, bytes], refusal: FieldgateError | None) -> bool:
    """Whether this server error is the failure we arranged (rather than 25P02, a cancel, or a shutdown)."""
    return refusal is not None and fields.get(b"S") != b"FATAL" and fields.get(b"C") in _STAND_INS


def is_copy_failure(fields: dict[bytes, bytes]) -> bool:
    """Whether this server error may be the one that we arranged: all other rows that it got have all their fields."""
    return fields.get(b"S") != b"FATAL" and fields.get(b"C") in COPY_SQLSTATES
