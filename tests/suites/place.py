"""The sample on a stage, so that a suite's tests can work in its database as `management`, with Fieldgate or without.

`management` gets what suites need beside the shop: to make tables and databases, and to end its own sessions.  Both
sides are the same role of the same server, so that what differs is Fieldgate.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proxy.demo.prepare import DATABASE
from tests.integration.stage import Stage, raised

LOGIN, ROLE = "management", "fg_management"
SETTINGS = {
    "max_connections": "300",
    "max_prepared_transactions": "20",
    "wal_level": "logical",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
}
_GRANTS = (
    f"ALTER ROLE {ROLE} CREATEDB",
    f"GRANT CREATE ON SCHEMA public TO {ROLE}",
    f"GRANT CREATE ON DATABASE {DATABASE} TO {ROLE}",
    f"GRANT SET ON PARAMETER lc_messages TO {ROLE}",
)
# Functions of PostgreSQL's own whose reach is unknown to Fieldgate; suites call them over nothing protected.
_HARMLESS = (
    "pg_cancel_backend(integer)", "pg_terminate_backend(integer, bigint)", "lo_creat(integer)", "lo_create(oid)",
    "lo_open(oid, integer)", "lo_close(integer)", "loread(integer, integer)", "lowrite(integer, bytea)",
    "lo_lseek(integer, integer, integer)", "lo_lseek64(integer, bigint, integer)", "lo_tell(integer)",
    "lo_tell64(integer)", "lo_truncate(integer, integer)", "lo_truncate64(integer, bigint)", "lo_unlink(oid)",
    "lo_from_bytea(oid, bytea)", "lo_get(oid)", "lo_put(oid, bigint, bytea)",
)  # fmt: skip


@contextmanager
def opened(binaries: Path | None = None) -> Iterator[Stage]:
    """A fresh server with the shop, and the proxy in front of it, which lets into the server's other databases, too."""
    with raised(plaintext=True, settings=SETTINGS, binaries=binaries) as stage:
        with stage.raw.connect() as connection:
            for grant in _GRANTS:
                connection.execute(grant)
        stage.service.stop()
        named = ", ".join(f'"pg_catalog.{function}"' for function in _HARMLESS)
        with (stage.folder.policy / "datamap.toml").open("a") as file:
            file.write(f"\n[harmless]\nfunctions = [{named}]\n")
        config = stage.folder.config
        config.write_text(config.read_text().replace("[upstream]\n", '[upstream]\nother_databases = "forward"\n', 1))
        stage.service.start()
        yield stage


def endpoints(stage: Stage, *, direct: bool) -> dict[str, str]:
    """What the suites' scripts are told of the server and of the proxy, by their own variables."""
    password = stage.folder.password_file(ROLE).read_text().strip()
    found = {
        "DIRECT_PGHOST": "127.0.0.1",
        "DIRECT_PGPORT": str(stage.server.port),
        "DIRECT_PGUSER": ROLE,
        "DIRECT_PGPASSWORD": password,
        "DIRECT_PGDATABASE": DATABASE,
    }
    if direct:
        return found
    through = parameters(stage)
    return {**found, **{f"PROXY_{name}": value for name, value in through.items()}, "REUSE_DIRECT": "1"}


def parameters(stage: Stage) -> dict[str, str]:
    given = stage.parameters(LOGIN)
    return {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(stage.port),
        "PGUSER": LOGIN,
        "PGPASSWORD": given["password"],
        "PGDATABASE": DATABASE,
    }
