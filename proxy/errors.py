"""Every error that Fieldgate itself makes, with its SQLSTATE.

Contract: a message, detail or hint of these classes never carries a value of a client or of a row, a key, or a
parameter.  Names of tables, columns, roles, rules and settings are allowed.  The one conversion to an ErrorResponse
is `proxy.wire.backend.error_response`.
"""

from __future__ import annotations

from enum import StrEnum


class SqlState(StrEnum):
    """The SQLSTATE codes that Fieldgate uses (PostgreSQL documentation, appendix A)."""

    FEATURE_NOT_SUPPORTED = "0A000"
    PROTOCOL_VIOLATION = "08P01"
    RESERVED_NAME = "42939"
    CONNECTION_FAILURE = "08006"
    CANNOT_CONNECT = "08001"
    STRING_TOO_LONG = "22001"
    NUMERIC_OUT_OF_RANGE = "22003"
    INVALID_DATETIME_FORMAT = "22007"
    SUBSTRING_ERROR = "22011"
    INVALID_ESCAPE_SEQUENCE = "22025"
    INVALID_ROW_COUNT_IN_LIMIT = "2201W"
    INVALID_ROW_COUNT_IN_OFFSET = "2201X"
    DATETIME_FIELD_OVERFLOW = "22008"
    INVALID_TIME_ZONE_DISPLACEMENT = "22009"
    CHARACTER_NOT_IN_REPERTOIRE = "22021"
    INVALID_PARAMETER_VALUE = "22023"
    INVALID_TEXT_REPRESENTATION = "22P02"
    INVALID_BINARY_REPRESENTATION = "22P03"
    BAD_COPY_FILE_FORMAT = "22P04"
    UNTRANSLATABLE_CHARACTER = "22P05"
    NOT_NULL_VIOLATION = "23502"
    INVALID_AUTHORIZATION = "28000"
    INVALID_PASSWORD = "28P01"
    IN_FAILED_TRANSACTION = "25P02"
    INVALID_STATEMENT_NAME = "26000"
    INVALID_CURSOR_NAME = "34000"
    UNDEFINED_DATABASE = "3D000"
    INSUFFICIENT_PRIVILEGE = "42501"
    SYNTAX_ERROR = "42601"
    UNDEFINED_COLUMN = "42703"
    UNDEFINED_TABLE = "42P01"
    DUPLICATE_PREPARED_STATEMENT = "42P05"
    UNDEFINED_FUNCTION = "42883"
    UNDEFINED_OBJECT = "42704"
    UNDEFINED_PARAMETER = "42P02"
    DUPLICATE_COLUMN = "42701"
    AMBIGUOUS_COLUMN = "42702"
    DATATYPE_MISMATCH = "42804"
    WRONG_OBJECT_TYPE = "42809"
    INVALID_COLUMN_REFERENCE = "42P10"
    NOT_IN_PREREQUISITE_STATE = "55000"
    TOO_MANY_CONNECTIONS = "53300"
    CONFIGURATION_LIMIT_EXCEEDED = "53400"
    OUT_OF_MEMORY = "53200"
    SERIALIZATION_FAILURE = "40001"
    PROGRAM_LIMIT_EXCEEDED = "54000"
    ADMIN_SHUTDOWN = "57P01"
    QUERY_CANCELED = "57014"
    CANNOT_CONNECT_NOW = "57P03"
    IO_ERROR = "58030"
    CONFIG_FILE_ERROR = "F0000"
    DATA_CORRUPTED = "XX001"
    INTERNAL_ERROR = "XX000"


class FieldgateError(Exception):
    """Base of all errors made by Fieldgate; knows how PostgreSQL would say it."""

    sqlstate: SqlState = SqlState.INTERNAL_ERROR

    def __init__(
        self,
        message: str,
        *,
        sqlstate: SqlState | None = None,
        detail: str | None = None,
        hint: str | None = None,
        position: int | None = None,
        context: str | None = None,
        routine: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint
        self.position = position  # 1-based, in characters of the client's own text
        self.context = context  # where in the client's data, as PostgreSQL says it in CONTEXT
        self.routine = routine  # PostgreSQL's, where the error is its own
        if sqlstate is not None:
            self.sqlstate = sqlstate


class Refused(FieldgateError):
    """The statement is not allowed, or cannot be analysed well enough to be allowed."""

    sqlstate = SqlState.INSUFFICIENT_PRIVILEGE


class Unsupported(Refused):
    """The statement touches something protected in a way that Fieldgate cannot carry out correctly."""

    sqlstate = SqlState.FEATURE_NOT_SUPPORTED


class ProtocolViolation(FieldgateError):
    """The peer sent bytes that the protocol does not allow here; the connection ends."""

    sqlstate = SqlState.PROTOCOL_VIOLATION


class LoginRefused(FieldgateError):
    """The login failed; the message never says which part was wrong."""

    sqlstate = SqlState.INVALID_PASSWORD


class ValueRejected(FieldgateError):
    """A value does not fit the type of its field; the message never repeats the value."""

    sqlstate = SqlState.INVALID_TEXT_REPRESENTATION


class TooManySearches(ValueRejected):
    """So many values of sealed fields may not be looked for in a minute."""

    sqlstate = SqlState.CONFIGURATION_LIMIT_EXCEEDED


class CellUnreadable(FieldgateError):
    """A sealed cell could not be opened, or an envelope stood where none may stand."""

    sqlstate = SqlState.DATA_CORRUPTED


class ConfigError(FieldgateError):
    """The configuration, the data map or the policy is wrong: names file, line and key."""

    sqlstate = SqlState.CONFIG_FILE_ERROR


class UpstreamUnavailable(FieldgateError):
    """The database server cannot be reached or refused the proxy."""

    sqlstate = SqlState.CANNOT_CONNECT


class AuditUnavailable(FieldgateError):
    """No audit sink, no data (I8)."""

    sqlstate = SqlState.IO_ERROR
