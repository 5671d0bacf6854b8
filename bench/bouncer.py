"""Debian's pgbouncer in session mode, with TLS to its clients: the proxy that everybody knows."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proxy.demo.certificates import KeyPair
from proxy.demo.osuser import give, let_through, server_user
from proxy.demo.server import HOST, free_port

from .places import Endpoint
from .processes import await_port, end

PGBOUNCER = Path("/usr/sbin/pgbouncer")


@dataclass(frozen=True, slots=True)
class Bouncer:
    port: int
    pid: int


def configuration(upstream: Endpoint, port: int, pair: KeyPair, users: Path) -> str:
    """TLS is offered, not required, so that one process serves both contests."""
    lines = {
        "listen_addr": HOST,
        "listen_port": port,
        "unix_socket_dir": "",
        "pool_mode": "session",
        "auth_type": "scram-sha-256",
        "auth_file": users,
        "client_tls_sslmode": "allow",
        "client_tls_cert_file": pair.certificate,
        "client_tls_key_file": pair.key,
        "server_tls_sslmode": "disable",
        "ignore_startup_parameters": "extra_float_digits",
        "max_client_conn": 2000,
        "default_pool_size": 100,
        "log_connections": 0,
        "log_disconnections": 0,
    }
    settings = "".join(f"{name} = {value}\n" for name, value in lines.items())
    return f"[databases]\n* = host={upstream.host} port={upstream.port}\n[pgbouncer]\n{settings}"


@contextlib.contextmanager
def running(home: Path, upstream: Endpoint, pair: KeyPair) -> Iterator[Bouncer]:
    """One process for as long as the context lasts; it refuses to run as root, as PostgreSQL does."""
    home.mkdir()
    port, user, users, config = free_port(), server_user(), home / "users.txt", home / "pgbouncer.ini"
    users.write_text(f'"{upstream.user}" "{upstream.password}"\n')
    config.write_text(configuration(upstream, port, pair, users))
    for path in (home, users, config, pair.key, pair.certificate):
        let_through(path, user)
        give(path, user)
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [PGBOUNCER, config],
            stdout=log,
            stderr=log,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
    try:
        await_port(HOST, port, process, home / "log")
        yield Bouncer(port, process.pid)
    finally:
        end(process)
