"""What a real server makes of values: the oracle that our codecs are compared with."""

from __future__ import annotations

from types import TracebackType

import psycopg
from psycopg.pq import ExecStatus

from policies.fields import LogicalType
from proxy.errors import ValueRejected
from proxy.wire.values import ValueSettings, codec_for
from tests.support.servers import Database

Answer = bytes | str  # a value, or the SQLSTATE of a refusal


def typmod_of_numeric(precision: int, scale: int) -> int:
    return ((precision << 16) | (scale & 0x7FF)) + 4


# Column types as SQL has them, with the typmod that pg_attribute has.
COLUMNS: dict[str, tuple[LogicalType, int]] = {
    **{str(logical): (logical, -1) for logical in LogicalType},
    "varchar(5)": (LogicalType.VARCHAR, 9),
    "numeric(12,2)": (LogicalType.NUMERIC, typmod_of_numeric(12, 2)),
    "numeric(5,0)": (LogicalType.NUMERIC, typmod_of_numeric(5, 0)),
    "numeric(3,5)": (LogicalType.NUMERIC, typmod_of_numeric(3, 5)),
    "numeric(3,-2)": (LogicalType.NUMERIC, typmod_of_numeric(3, -2)),
    **{f"timestamp({p})": (LogicalType.TIMESTAMP, p) for p in range(7)},
    **{f"timestamptz({p})": (LogicalType.TIMESTAMPTZ, p) for p in range(7)},
}


class ServerValues:
    """One session.  Values are inserted into a column of the type and read back, in either form."""

    def __init__(self, database: Database) -> None:
        self._connection: psycopg.Connection = database.connect()
        self._raw = self._connection.pgconn
        self._tables = {column: f"t{number}" for number, column in enumerate(COLUMNS)}
        for column, table in self._tables.items():
            self._run(f"CREATE TEMP TABLE {table} (v {column})")

    def __enter__(self) -> ServerValues:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._connection.close()

    @property
    def version(self) -> int:
        return self._connection.info.server_version

    def set(self, settings: ValueSettings) -> None:
        self._run(f"SET DateStyle = '{settings.date_style}'")
        self._run(f"SET TimeZone = '{settings.time_zone}'")
        self._run(f"SET bytea_output = '{settings.bytea_output}'")
        assert self._raw.parameter_status(b"DateStyle") == settings.date_style.encode()
        assert self._raw.parameter_status(b"TimeZone") == settings.time_zone.encode()

    def stored(
        self, column: str, raw: bytes, *, binary_in: bool = False, binary_out: bool = False, source_oid: int = 0
    ) -> Answer:
        """A parameter of type `source_oid`, as the column has it afterwards."""
        statement = f"INSERT INTO {self._tables[column]} VALUES ($1) RETURNING v"
        return self.answer(statement, [raw], [source_oid], binary_in=binary_in, binary_out=binary_out)

    def answer(
        self,
        statement: str,
        values: list[bytes],
        types: list[int],
        *,
        binary_in: bool = False,
        binary_out: bool = False,
    ) -> Answer:
        formats = [int(binary_in)] * len(values)
        result = self._raw.exec_params(statement.encode(), values, types, formats, int(binary_out))
        if result.status == ExecStatus.TUPLES_OK:
            value = result.get_value(0, 0)
            assert value is not None
            return value
        state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
        assert state is not None
        return state.decode()

    def _run(self, statement: str) -> None:
        result = self._raw.exec_(statement.encode())
        assert result.status == ExecStatus.COMMAND_OK, result.error_message


def ours_text(
    column: str, raw: bytes, settings: ValueSettings, *, source_oid: int = 0, binary_in: bool = False
) -> tuple[Answer, Answer]:
    """The same by our codec: text form, binary form (or the SQLSTATE, twice)."""
    logical, typmod = COLUMNS[column]
    codec = codec_for(logical)
    try:
        if binary_in:
            cell = codec.from_binary(raw, typmod, source_oid, settings)
        else:
            cell = codec.from_text(raw, typmod, settings, source_oid)
    except ValueRejected as error:
        return str(error.sqlstate), str(error.sqlstate)
    return codec.to_text(cell, settings), codec.to_binary(cell)
