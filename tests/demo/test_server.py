"""The embedded server: start, stop, crash of ours, crash of its own, and folders that its user may not enter."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import psycopg
import pytest

from proxy.demo import osuser
from proxy.demo.postmaster import read_postmaster, serves
from proxy.demo.programs import ServerFailed
from proxy.demo.server import Server, free_port


def ask(server: Server, question: str, host: str | None = None) -> object:
    with psycopg.connect(
        host=host or server.host, port=server.port, user="postgres", password=server.password, dbname="postgres"
    ) as connection:
        *first, last = question.split(";")
        for statement in first:
            connection.execute(statement.encode())
        row = connection.execute(last.encode()).fetchone()
    assert row is not None
    return row[0]


def test_answers_by_tcp_and_by_socket_and_keeps_its_data(home: Path) -> None:
    with Server(home, durable=False) as server:
        assert str(ask(server, "SELECT version()")).startswith("PostgreSQL 18")
        assert ask(server, "SELECT upper('привет')", str(server.socket_dir)) == "ПРИВЕТ"
        assert ask(server, "CREATE TABLE kept (); SELECT 1") == 1
        socket_dir, pid = server.socket_dir, server.pid
    assert not socket_dir.exists()
    assert not serves(pid, server.data_dir)
    with Server(home, durable=False) as again:
        assert ask(again, "SELECT count(*) FROM kept") == 0


def test_nobody_enters_without_the_password(home: Path) -> None:
    with Server(home, durable=False) as server:
        for host in (server.host, str(server.socket_dir)):
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(host=host, port=server.port, user="postgres", password="guess", dbname="postgres")
    assert stat.S_IMODE((home / "postgres.password").stat().st_mode) == 0o600


def test_a_chosen_port_is_used_and_a_taken_one_is_named(home: Path) -> None:
    port = free_port()
    with Server(home / "a", durable=False, port=port) as server:
        assert server.port == port
        with pytest.raises(ServerFailed, match="could not bind"):
            Server(home / "b", durable=False, port=port).start()


def test_two_processes_never_share_a_folder(home: Path) -> None:
    with Server(home, durable=False), pytest.raises(ServerFailed, match="another process"):
        Server(home, durable=False).start()


def test_what_a_killed_process_left_is_ended_by_the_next_start(home: Path) -> None:
    program = """
        import os, sys
        from pathlib import Path
        from proxy.demo.server import Server
        Server(Path(sys.argv[1]), durable=False).start()
        os._exit(1)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program), str(home)], check=False)
    left = read_postmaster(home / "postgres")
    assert left is not None
    assert serves(left.pid, home / "postgres")
    with Server(home, durable=False) as server:
        assert server.pid != left.pid
        assert not serves(left.pid, server.data_dir)
        assert left.socket_dir is not None
        assert not left.socket_dir.exists()


def test_a_stale_pid_that_belongs_to_another_process_is_left_alone(home: Path) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        with Server(home, durable=False) as server:
            pass
        (server.data_dir / "postmaster.pid").write_text(f"{bystander.pid}\n{server.data_dir}\n0\n1\n\n\n\nready\n")
        server.recover()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_crashed_server_starts_again_with_its_data(home: Path) -> None:
    with Server(home) as server:
        ask(server, "CREATE TABLE kept (); SELECT 1")
        server.crash()
        assert not server.running
        server.start()
        assert ask(server, "SELECT count(*) FROM kept") == 0


def test_an_interrupted_initdb_is_done_again(home: Path) -> None:
    (home / "postgres" / "base").mkdir(parents=True)
    with Server(home, durable=False) as server:
        assert ask(server, "SELECT 1") == 1


def test_an_interrupt_of_the_terminal_does_not_reach_the_server(home: Path) -> None:
    with Server(home, durable=False) as server:
        assert os.getpgid(server.pid) != os.getpgid(0)
        assert os.getsid(server.pid) != os.getsid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives permissions to another user")
def test_root_lets_the_servers_user_pass_but_not_look(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    with Server(closed / "home", durable=False) as server:
        assert ask(server, "SELECT 1") == 1
        owner = (closed / "home" / "postgres").stat().st_uid
        user = osuser.server_user()
        assert user is not None
        assert owner == user.uid != 0
        os.kill(server.pid, signal.SIGCONT)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o701


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_runs_the_server_as_himself(home: Path) -> None:
    user = osuser.server_user()
    assert user is not None
    osuser.let_through(home, user)
    osuser.give(home, user)
    program = """
        import sys
        from pathlib import Path
        from proxy.demo.server import Server
        with Server(Path(sys.argv[1]), durable=False) as server:
            print(server.data_dir.stat().st_uid)
    """
    shown = subprocess.run(
        [python_for_others(user), "-c", textwrap.dedent(program), str(home)],
        capture_output=True,
        text=True,
        check=False,
        user=user.uid,
        group=user.gid,
        extra_groups=[],
        cwd="/",
        env={"PYTHONPATH": os.pathsep.join(p for p in (str(Path(__file__).parents[2]), *sys.path) if p)},
    )
    assert shown.stdout.strip() == str(user.uid), shown.stderr


def python_for_others(user: osuser.OsUser) -> str:
    """The interpreter of this run may lie in root's own home; then the system's does, if it is the same version."""
    wanted = f"{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/python{wanted}"):
        try:
            subprocess.run(
                [candidate, "-c", ""], check=True, user=user.uid, group=user.gid, extra_groups=[], cwd="/", env={}
            )
        except OSError:
            continue
        return candidate
    pytest.skip("no Python here may be run by another user")
