"""libpq as a login of the stage, so that everything that comes back can be looked at: rows, names, errors, notices."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import pq

from .attacks import Row
from .stage import Stage


@dataclass(slots=True)
class Answer:
    """`code`: SQLSTATE, or "" for success."""

    code: str
    rows: list[Row]
    parts: list[bytes]  # everything that came back: message or tag, names, notices, and each row as one

    @property
    def said(self) -> bytes:
        return b"\n".join(self.parts)


class Talker:
    """One session.  What a statement did is undone by `undone`."""

    def __init__(self, stage: Stage, role: str) -> None:
        given = stage.parameters(role, options="-c search_path=public")
        text = " ".join(f"{name}='{value}'" for name, value in given.items())
        self.connection = pq.PGconn.connect(text.encode())
        assert self.connection.status == pq.ConnStatus.OK, self.connection.error_message
        self._heard: list[bytes] = []
        self.connection.notice_handler = lambda result: self._heard.append(result.error_message)

    def simple(self, statement: str) -> Answer:
        return self._answer([self.connection.exec_(statement.encode())])

    def extended(self, statement: str, *, binary: bool = False) -> Answer:
        form = pq.Format.BINARY if binary else pq.Format.TEXT
        return self._answer([self.connection.exec_params(statement.encode(), [], result_format=form)])

    def asked(self, statement: str, form: str) -> Answer:
        return self.simple(statement) if form == "simple" else self.extended(statement, binary=form == "binary")

    def undone(self, statement: str, form: str) -> Answer:
        """Inside a transaction that is rolled back."""
        self.simple("BEGIN")
        try:
            return self.asked(statement, form)
        finally:
            self.simple("ROLLBACK")

    def _copied(self) -> list[bytes]:
        rows = []
        while (found := self.connection.get_copy_data(0))[0] > 0:
            rows.append(bytes(found[1]))
        return rows

    def _end_of_copy(self, begun: pq.abc.PGresult) -> pq.abc.PGresult:
        """What a COPY has come to; one that takes data gets none."""
        if begun.status == pq.ExecStatus.COPY_IN:
            self.connection.put_copy_end(None)
        result = self.connection.get_result()
        assert result is not None
        assert self.connection.get_result() is None
        return result

    def _answer(self, results: list[pq.abc.PGresult]) -> Answer:
        [result] = results
        copied = self._copied() if result.status == pq.ExecStatus.COPY_OUT else []
        if result.status in (pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_IN):
            result = self._end_of_copy(result)
        if result.status == pq.ExecStatus.FATAL_ERROR:
            copied.clear()  # which rows came before an error is a matter of their order
        rows = [tuple(result.get_value(i, j) for j in range(result.nfields)) for i in range(result.ntuples)]
        names = [result.fname(j) or b"" for j in range(result.nfields)]
        status = result.command_status or b""
        lines = [b"\0".join(b"NULL" if cell is None else b"=" + cell for cell in row) for row in rows]
        parts = [result.error_message, status, b", ".join(names), *self._heard, *lines, *copied]
        self._heard.clear()
        code = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        shown = [tuple(None if cell is None else cell.decode(errors="replace") for cell in row) for row in rows]
        assert self.connection.status == pq.ConnStatus.OK, "the session was ended"
        return Answer(code, shown, parts)
