"""Processes that die, disks that are full, clients that vanish or take nothing: nothing lost or leaked (I7, I8)."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import psycopg
import pytest

from proxy.wire import frontend
from tests.integration.stage import Stage
from tests.session.talk import SYNC, bind, execute, parse, query

from .line import Line, LineEnded, states
from .twin import through

pytestmark = pytest.mark.integration

WITHIN = 20.0
INSERT = (
    "INSERT INTO customers (surname, name, email, phone, country, city, postal_code, address)"
    " VALUES ('x', 'y', %s, '1', 'DE', 'Bonn', '2', 'street')"
)


def workers(stage: Stage) -> list[psutil.Process]:
    """Those that take connections."""
    children = psutil.Process(stage.service.pid).children()
    return [p for p in children if listening(p, stage.port)]


def listening(process: psutil.Process, port: int) -> bool:
    try:
        found = process.net_connections("tcp") if process.status() != psutil.STATUS_ZOMBIE else []
    except psutil.NoSuchProcess:  # it ended meanwhile
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in found)


def eventually(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WITHIN
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class Writer(threading.Thread):
    """Inserts customers, again and again over new connections, and remembers what was acknowledged."""

    def __init__(self, stage: Stage, number: int, stop: threading.Event) -> None:
        super().__init__()
        self.stage, self.number, self.stop = stage, number, stop
        self.acknowledged: list[str] = []
        self.lost = 0

    def run(self) -> None:
        while not self.stop.is_set():
            with contextlib.suppress(psycopg.OperationalError), self.stage.connect("management") as connection:
                try:
                    self._write(connection)
                except psycopg.OperationalError:
                    self.lost += 1
                    raise

    def _write(self, connection: psycopg.Connection[object]) -> None:
        while not self.stop.is_set():
            mail = f"{self.number}-{len(self.acknowledged)}-{self.lost}@kill.example"
            connection.execute(INSERT, (mail,))
            self.acknowledged.append(mail)


def test_what_was_acknowledged_outlives_a_killed_worker(stage: Stage) -> None:
    stop = threading.Event()
    writers = [Writer(stage, number, stop) for number in range(4)]
    for writer in writers:
        writer.start()
    try:
        eventually(lambda: sum(len(w.acknowledged) for w in writers) > 20, "nobody writes")
        for worker in workers(stage):  # all writers may be the other one's
            os.kill(worker.pid, signal.SIGKILL)
            eventually(lambda worker=worker: worker not in workers(stage), "the worker lives on")
            eventually(lambda: len(workers(stage)) == 2, "the worker was not replaced")
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert sum(writer.lost for writer in writers) > 0  # else the test has shown nothing
    acknowledged = [mail for writer in writers for mail in writer.acknowledged]
    with stage.connect("management") as connection:
        found = connection.execute("SELECT email FROM customers WHERE id > %s", (stage.shop.customers,)).fetchall()
    stage.raw.run(f"DELETE FROM customers WHERE id > {stage.shop.customers}")
    stage.raw.run(
        "VACUUM (FULL, ANALYZE) customers"
    )  # others compare the order of rows, and where in a scan an error comes
    assert not set(acknowledged) - {str(row[0]) for row in found}  # what was written and not acknowledged may be there


@contextlib.contextmanager
def full_disk(stage: Stage) -> Iterator[None]:
    """No file of the workers can grow."""
    smallest = min(f.stat().st_size for f in (stage.folder.audit, stage.folder.log))
    found = [each for worker in workers(stage) for each in (worker, *worker.children())]  # the audit's writers, too
    before = {p: p.rlimit(resource.RLIMIT_FSIZE) for p in found}
    for process, (_, hard) in before.items():
        process.rlimit(resource.RLIMIT_FSIZE, (smallest, hard))
    try:
        yield
    finally:
        for process, limits in before.items():
            process.rlimit(resource.RLIMIT_FSIZE, limits)


def test_without_an_audit_record_there_is_no_protected_data_and_the_rest_works(stage: Stage) -> None:
    protected = query("SELECT email FROM customers WHERE id = 1")
    lines = [through(stage) for _ in range(6)]  # on both workers
    with contextlib.ExitStack() as open_lines:
        for line in lines:
            open_lines.enter_context(line)
            line.talk(query("BEGIN"), parse("SELECT email FROM customers ORDER BY id"), bind(), execute(rows=1), SYNC,
                      ready=2)  # fmt: skip
        with full_disk(stage):
            for line in lines:
                heard = finish(line, execute(rows=1), SYNC)
                assert states(heard) == ["58030"]
                assert "D" not in [tag for tag, _ in heard]
            for _ in range(6):
                with through(stage) as line:
                    heard = finish(line, protected)
                    assert states(heard) == ["58030"]
                with through(stage) as line:
                    assert line.rows("SELECT 1") == [(b"1",)]
        for _ in range(6):
            eventually(lambda: not states(once(stage, protected)), "the audit does not come back")
    assert internal_errors(stage) == 0


def finish(line: Line, *messages: bytes) -> list[tuple[str, bytes]]:
    try:
        return line.talk(*messages)
    except LineEnded as ended:
        return ended.heard


def once(stage: Stage, message: bytes) -> list[tuple[str, bytes]]:
    with through(stage) as line:
        return finish(line, message)


def internal_errors(stage: Stage) -> int:
    return stage.folder.log.read_text().count('"internal_error"')


def busy(stage: Stage) -> int:
    with stage.raw.connect() as raw:
        row = raw.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE usename LIKE 'fg\\_%' AND state = 'active' AND query LIKE '%sleep(%'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_client_that_vanishes_stops_its_query(stage: Stage) -> None:
    line = through(stage)
    line.send(query("SELECT pg_sleep(60)"))
    eventually(lambda: busy(stage) == 1, "the query does not run")
    line.close()
    eventually(lambda: busy(stage) == 0, "the query runs on")


def test_a_large_result_of_cells_to_a_slow_reader_keeps_memory_flat(stage: Stage) -> None:
    """150 MB, of which the reader takes nothing for a while."""
    with stage.connect("management") as connection:
        connection.execute("UPDATE customers SET address = %s WHERE id = 50", ("a" * 100_000,))
    try:
        for _ in range(8):  # on both workers: a new one has not planned anything yet
            once(stage, query("SELECT address FROM customers WHERE id = 50"))
        with through(stage) as line:
            line.rows("SELECT address FROM customers WHERE id = 50")
            before = resident(stage)
            line.send(query("SELECT c.address FROM customers c, generate_series(1, 1500) g WHERE c.id = 50"))
            peak = watch(stage, 1.5)
            received, looked = 0, 0.0
            while received < 1500 * 100_000:
                received += len(line.socket.recv(1 << 20))
                if time.monotonic() > looked + 0.05:
                    looked = time.monotonic()
                    peak = max(peak, resident(stage))
            assert max(peak, resident(stage)) - before < 60 << 20
    finally:
        with stage.connect("management") as connection:
            connection.execute("UPDATE customers SET address = 'short' WHERE id = 50")


def resident(stage: Stage) -> int:
    return sum(process.memory_info().rss for process in workers(stage))


def watch(stage: Stage, seconds: float) -> int:
    """The most memory that the workers held in this time."""
    peak, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        peak = max(peak, resident(stage))
        time.sleep(0.05)
    return peak


def leave_politely(line: Line) -> None:
    line.send(frontend.TERMINATE)


def leave_in_mid_message(line: Line) -> None:
    line.send(query("SELECT email FROM customers")[:9])


def leave_in_mid_result(line: Line) -> None:
    line.send(query("SELECT email FROM customers, generate_series(1, 100)"))
    line.hear()


def leave_in_a_transaction(line: Line) -> None:
    line.talk(query("BEGIN"), parse("SELECT email FROM customers"), bind(), execute(rows=1), SYNC, ready=2)


def leave_in_copy(line: Line) -> None:
    line.talk(query("CREATE TEMP TABLE notes (a int4)"))
    line.send(query("COPY notes FROM STDIN"), frontend.build_copy_data(b"1\n"))
    line.until("G")


WAYS = (leave_politely, leave_in_mid_message, leave_in_mid_result, leave_in_a_transaction, leave_in_copy)


def come_and_go(stage: Stage, times: int) -> None:
    for number in range(times):
        with through(stage) as line:
            WAYS[number % len(WAYS)](line)


def test_many_connections_leave_nothing_behind(stage: Stage) -> None:
    come_and_go(stage, 30)
    eventually(lambda: sockets(stage) == 0, "sessions stay")
    files, memory = open_files(stage), resident(stage)
    come_and_go(stage, 60)
    eventually(lambda: sockets(stage) == 0, "sessions stay")
    eventually(lambda: open_files(stage) <= files, "files stay open")
    assert resident(stage) - memory < 8 << 20
    assert internal_errors(stage) == 0


def open_files(stage: Stage) -> int:
    return sum(process.num_fds() for process in workers(stage))


def sockets(stage: Stage) -> int:
    """Of clients that are still connected, as the workers see it."""
    found = [c for process in workers(stage) for c in process.net_connections("tcp")]
    return sum(c.status != psutil.CONN_LISTEN and c.laddr.port == stage.port for c in found)
