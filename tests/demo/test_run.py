"""`fieldgate demo` as a newcomer runs it: comes up, shows what it promises, checks it, goes away without a trace."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proxy.demo.postmaster import read_postmaster, serves
from proxy.demo.server import free_port

pytestmark = pytest.mark.integration
PROGRAM = [sys.executable, "-m", "proxy", "demo", "--rows", "40"]


def run(*options: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *options], capture_output=True, text=True, check=False, cwd=cwd, env=environment(), timeout=100
    )


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


@contextmanager
def staying(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[str], int]]:
    """A demo that has said `ready`; what it said before, and its port."""
    port = free_port()
    options = ["--data-dir", str(folder), "--port", str(port), "--admin-port", str(free_port())]
    process = subprocess.Popen([*PROGRAM, *options], stdout=subprocess.PIPE, text=True, env=environment())
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line)
            if line.startswith("Everything stays up"):
                break
        yield process, said, port
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def test_the_check_is_good_and_leaves_nothing_behind(home: Path) -> None:
    done = run("--check", cwd=home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"(?m)^ready", done.stdout)
    assert re.search(r"(?m)^check: \d{2,} right, 0 wrong", done.stdout)
    assert list(home.iterdir()) == []


def test_it_shows_each_view_and_stays_until_ctrl_c(home: Path) -> None:
    with staying(home / "demo") as (process, said, port):
        text = "".join(said)
        assert len([line for line in said if line.startswith("ready")]) == 1, text
        assert f'psql "host=localhost port={port} dbname=shop user=support password=demo sslmode=verify-full' in text
        for word in ("raw database", "management", "support", "accounting", "hidden", "refused", r"\xf96701"):
            assert word in text
        assert process.poll() is None
        require_admin_port(home / "demo", text)
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
    assert process.returncode == 0
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    assert read_postmaster(home / "demo" / "postgres") is None


def require_admin_port(folder: Path, said: str) -> None:
    """A page, four people with tokens of their own, and nothing for anybody else."""
    found = re.search(r"Keys and operations are at http://127\.0\.0\.1:(\d+)/", said)
    assert found is not None
    assert b"<title>Fieldgate" in asked(found[1], "/")
    for person in ("olga", "pavel", "dina", "anna"):
        file = folder / "tokens" / f"{person}.token"
        assert str(file) in said and stat.S_IMODE(file.stat().st_mode) == 0o600
        token = file.read_text().strip()
        assert token not in said and json.loads(asked(found[1], "/v1/keys", token))["keys"]
    for token in ("", "fgt_0011223344556677_" + "A" * 43):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            asked(found[1], "/v1/keys", token)
    line = re.search(r"\S+ -m proxy keys show .*", said)
    assert line is not None
    shown = subprocess.run(line[0].split(), capture_output=True, text=True, env=environment(), timeout=60, check=False)
    assert shown.returncode == 0 and "customers.email" in shown.stdout, shown.stderr


def asked(port: str, path: str, token: str = "") -> bytes:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  (our own loopback address)
        return bytes(answer.read())


def test_a_folder_is_used_again_and_a_killed_demo_is_cleared_away(home: Path) -> None:
    folder = home / "demo"
    with staying(folder) as (process, _, port):
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        left = read_postmaster(folder / "postgres")
        assert left is not None
        assert serves(left.pid, folder / "postgres")
    done = run("--check", "--data-dir", str(folder))
    assert done.returncode == 0, done.stdout
    assert "again" in done.stdout
    assert not serves(left.pid, folder / "postgres")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_taken_port_is_named_at_once(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("--port", str(taken.getsockname()[1]), "--data-dir", str(home / "demo"))
    assert done.returncode == 1
    assert "--port" in done.stdout
    assert not (home / "demo").exists()


def test_a_folder_with_other_things_in_it_is_left_alone(home: Path) -> None:
    (home / "thesis.txt").write_text("years of work")
    done = run("--check", "--data-dir", str(home))
    assert done.returncode == 1
    assert "choose another" in done.stdout
    assert [p.name for p in home.iterdir()] == ["thesis.txt"]


def test_a_check_that_finds_something_wrong_fails(home: Path) -> None:
    """A policy that shows support more than the written one does."""
    folder = home / "demo"
    with staying(folder):
        pass
    policy = folder / "policy" / "policy.csv"
    rule = "support, pd.address, read, identification|contact, allow, , D19, Wrongly\n"
    policy.write_text(policy.read_text() + rule)
    done = run("--check", "--data-dir", str(folder))
    assert done.returncode == 1
    assert "wrong" in done.stdout
    assert "support" in done.stdout
