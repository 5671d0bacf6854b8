"""A full disk, on either side: an error with a name, nothing lost, and everything works again when there is room.

A process that may not write past a file's present size meets the same refusals as on a full disk (RLIMIT_FSIZE).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from .canaries import Canaries
from .stage import Stage

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("prlimit") is None, reason="needs prlimit (util-linux)"),
]


@contextmanager
def no_room(pid: int, limit: int) -> Iterator[None]:
    """Set by the process's own user: even root may lack the right to limit another's."""
    owner = Path(f"/proc/{pid}").stat()
    identity: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}

    def allow(size: str) -> None:
        command = ["prlimit", f"--pid={pid}", f"--fsize={size}:unlimited"]
        subprocess.run(command, check=True, cwd="/", **(identity if os.geteuid() == 0 else {}))

    allow(str(limit))
    try:
        yield
    finally:
        allow("unlimited")


def audit_writer(stage: Stage) -> int:
    children = psutil.Process(stage.service.pid).children(recursive=True)
    [found] = [child.pid for child in children if "policies.audit.writer" in child.cmdline()]
    return found


def eventually(ask: Callable[[], object], expected: object) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            assert ask() == expected
        except psycopg.Error:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


def test_without_room_for_the_audit_no_protected_data_leaves_and_the_rest_works(stage: Stage) -> None:
    with stage.connect("management") as connection:
        protected = "SELECT email FROM customers WHERE id = 1"
        assert connection.execute(protected).fetchone() == ("anna.smirnova@example.org",)
        with no_room(audit_writer(stage), stage.folder.audit.stat().st_size):
            for _ in range(3):
                with pytest.raises(psycopg.Error) as refused:
                    connection.execute(protected)
                assert "anna" not in str(refused.value)
                if connection.closed:
                    break

    def ask() -> object:
        with stage.connect("management") as connection:
            return connection.execute(protected).fetchone()

    eventually(ask, ("anna.smirnova@example.org",))


def test_while_the_audit_has_no_room_statements_without_protected_data_work(stage: Stage) -> None:
    with stage.connect("management") as connection, no_room(audit_writer(stage), stage.folder.audit.stat().st_size):
        assert connection.execute("SELECT 1 + 1").fetchone() == (2,)


def test_a_server_without_room_says_so_and_keeps_what_it_has(stage: Stage, canaries: Canaries) -> None:
    insert = (
        "INSERT INTO customers (surname, name, email, phone, country, city, postal_code, address)"
        " VALUES (%s, 'b', %s, 'c', 'd', 'e', 'f', %s)"
    )
    kept = canaries.mail()
    with stage.connect("management") as connection:
        connection.execute(insert, (canaries.text(), kept, canaries.text()))
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        with no_room(row[0], 8192), pytest.raises(psycopg.Error) as full:
            for _ in range(200):
                connection.execute(insert, (canaries.text(), canaries.mail(), canaries.text("long" * 2000)))
        assert full.value.sqlstate is not None
        assert canaries.marker not in str(full.value)
    with stage.connect("management") as connection:
        found = connection.execute("SELECT count(*) FROM customers WHERE email = %s", (kept,)).fetchone()
        assert found == (1,)


def test_a_wrong_passphrase_is_named_and_nothing_starts(stage: Stage, tmp_path: Path) -> None:
    for name in ("keks", "logins", "fieldgate.toml"):
        shutil.copy(stage.folder.path / name, tmp_path / name)
    for name in ("policy", "tls", "upstream"):
        shutil.copytree(stage.folder.path / name, tmp_path / name)
    wrong = tmp_path / "passphrase"
    wrong.touch(mode=0o600)
    wrong.write_text("not the right passphrase\n")
    before = (tmp_path / "keks").read_bytes()
    config = tmp_path / "fieldgate.toml"
    config.write_text(config.read_text().replace(str(stage.folder.run_dir), str(tmp_path / "run")))
    command = [sys.executable, "-m", "proxy", "serve", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 78
    assert "passphrase" in done.stderr
    assert "not the right" not in done.stderr + done.stdout
    assert (tmp_path / "keks").read_bytes() == before
