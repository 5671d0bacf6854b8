"""Fieldgate itself, started as an operator starts it: `fieldgate serve` with a configuration file.

The database `shop` is the sample's, made by the demo's own steps; its customers are replaced by those of the
benchmarks, and pgbench's tables stand beside them.  One listener takes TLS and, on loopback, plaintext, so that one
process serves both.  The audit sink is on and strict.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from policies.loader import load_policy
from proxy.demo.folder import DemoFolder
from proxy.demo.generate import Row, TableRows, make_shop
from proxy.demo.load import sealed_rows
from proxy.demo.osuser import write_private
from proxy.demo.prepare import CONTROL_DATABASE, CONTROL_ROLE, KEK_NAME, open_ciphers, prepare, upstream_roles
from proxy.demo.server import HOST, free_port
from proxy.wire.scram import make_verifier

from . import pgbench
from .client import connect
from .people import people
from .places import Endpoint
from .processes import await_port, end
from .workplace import PLAIN, SHOP, Workplace, execute

LOGIN = "management"
PASSWORD = "demo"
UPSTREAM_ROLE = "fg_management"
_COLUMNS = ("id", "surname", "name", "email", "phone", "country", "city", "postal_code", "address")
_PGBENCH_TABLES = "pgbench_accounts, pgbench_branches, pgbench_tellers, pgbench_history"


@dataclass(frozen=True, slots=True)
class Gate:
    port: int
    pid: int
    authority: Path
    folder: DemoFolder

    def endpoint(self, database: str, *, tls: bool) -> Endpoint:
        return Endpoint("fieldgate", HOST, self.port, database, LOGIN, PASSWORD, self.authority if tls else None)


@dataclass(frozen=True, slots=True)
class Gates:
    """`one` is a single process; `several` is Fieldgate as it is run in production, a worker for each core."""

    one: Gate
    several: Gate


@contextlib.contextmanager
def running(place: Workplace, progress: Callable[[str], None]) -> Iterator[Gates]:
    folder = DemoFolder(place.home / "gate")
    folder.path.mkdir()
    progress("making the sealed shop")
    with Progress(disable=True) as silent:
        asyncio.run(prepare(folder, place.server, make_shop(20, 1), silent))
    progress(f"sealing {place.sizes.rows:,} customers")
    asyncio.run(_replace_customers(place, folder))
    _add_pgbench(place)
    _write_logins(folder)
    progress("starting Fieldgate")
    cores = len(os.sched_getaffinity(0))
    with _serving(place, folder, 1) as one, _serving(place, folder, max(2, cores)) as several:
        yield Gates(one, several)


@contextlib.contextmanager
def _serving(place: Workplace, folder: DemoFolder, workers: int) -> Iterator[Gate]:
    port, name = free_port(), f"workers-{workers}"
    config, log = folder.path / f"{name}.toml", folder.path / f"{name}.output"
    roles = upstream_roles(load_policy(folder.policy))
    config.write_text(configuration(place.server.port, port, roles, workers))
    with log.open("wb") as output:
        command = [sys.executable, "-m", "proxy", "serve", "--config", str(config)]
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        await_port(HOST, port, process, log)
        yield Gate(port, process.pid, folder.ca, folder)
    finally:
        end(process)


async def _replace_customers(place: Workplace, folder: DemoFolder) -> None:
    await execute(place.direct.at(SHOP), "TRUNCATE customers CASCADE")
    await seal_into(place, folder, TableRows("customers", _COLUMNS, list(_customers(place.sizes.rows))))


async def seal_into(place: Workplace, folder: DemoFolder, rows: TableRows) -> None:
    """As the demo fills its tables: with the keys themselves, past the proxy."""
    data_map = load_policy(folder.policy).data_map
    connection = await connect(place.direct.at(SHOP))
    try:
        async with open_ciphers(folder, place.server, data_map) as ciphers:
            sealed = sealed_rows(rows, data_map.tables["public", rows.name], ciphers)
            await connection.copy_records_to_table(rows.name, records=sealed, columns=rows.columns)
        await connection.execute(f"VACUUM ANALYZE {rows.name}")
    finally:
        await connection.close()


def _customers(count: int) -> Iterator[Row]:
    for number, surname, name, email in people(count):
        yield (number, surname, name, email, f"+7 900 {number:07d}", "RU", "Moscow", "101000", f"Main street, {number}")


def _add_pgbench(place: Workplace) -> None:
    pgbench.fill(place.direct.at(SHOP), place.sizes.scale)
    for database in (PLAIN, SHOP):
        asyncio.run(execute(place.direct.at(database), f"GRANT SELECT ON {_PGBENCH_TABLES} TO {UPSTREAM_ROLE}"))


def _write_logins(folder: DemoFolder) -> None:
    policy = load_policy(folder.policy)
    lines = [f'"{login}" = "{make_verifier(PASSWORD)}"\n' for login in sorted(policy.logins)]
    write_private(folder.logins, "".join(lines))


def configuration(server_port: int, port: int, roles: list[str], workers: int) -> str:
    """TOML; the server is reached by TCP on loopback, as pgbouncer reaches it."""
    sections: dict[str, dict[str, object]] = {
        "listener": {
            "host": HOST,
            "port": port,
            "tls_certificate": "tls/localhost.crt",
            "tls_key": "tls/localhost.key",
            "allow_plaintext": True,
        },
        "upstream": {
            "hosts": [f"{HOST}:{server_port}"],
            "sslmode": "disable",
            "allow_plaintext": True,
            "other_databases": "forward",
        },
        "control": {
            "user": CONTROL_ROLE,
            "password_file": f"upstream/{CONTROL_ROLE}.password",
            "database": CONTROL_DATABASE,
        },
        f"databases.{SHOP}": {"policy": "policy"},
        "keys": {"store": "database"},
        "keys.provider": {"kind": "local", "name": KEK_NAME, "file": "keks", "passphrase_file": "passphrase"},
        "audit": {"path": f"audit-{workers}.jsonl", "mode": "strict"},
        "limits": {
            "connections": 3000,
            "connections_per_login": 2000,
            "connections_per_address": 2000,
            "searches_per_person": 100_000_000,
        },
        "process": {"workers": workers, "run_dir": f"run-{workers}"},
        "logs": {"level": "warning", "file": f"fieldgate-{workers}.log"},
    }
    for role in roles:
        sections[f"upstream.credentials.{role}"] = {"password_file": f"upstream/{role}.password"}
    return 'logins = "logins"\n' + "".join(_section(name, values) for name, values in sections.items())


def _section(name: str, values: dict[str, object]) -> str:
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())  # such JSON is TOML, too
    return f"\n[{name}]\n{lines}"
