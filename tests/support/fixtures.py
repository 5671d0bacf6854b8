"""Fixtures for every test: `database` (PostgreSQL 18) and `tls_database` (PostgreSQL 15 by TLS), fresh each time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.demo.server import Server

from .servers import DEBIAN_15, Database, TlsServer, fresh_database, new_home, postgres_15_tls, postgres_18, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One PostgreSQL 18 for the whole run."""
    with running(postgres_18()) as server:
        yield server


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that another user may enter.  `tmp_path` is none: every start of pytest closes the folder above it."""
    made = new_home("home")
    made.mkdir()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def database(postgres: Server) -> Iterator[Database]:
    with fresh_database(postgres) as made:
        yield made


@pytest.fixture(scope="session")
def postgres_tls() -> Iterator[TlsServer]:
    """One PostgreSQL 15 that speaks TLS; the embedded 18 is built without it."""
    if not (DEBIAN_15 / "postgres").exists():
        pytest.skip("PostgreSQL 15 with TLS is not installed here (Debian's package postgresql-15)")
    made = postgres_15_tls()
    with running(made.server):
        yield made


@pytest.fixture
def tls_database(postgres_tls: TlsServer) -> Iterator[Database]:
    with fresh_database(postgres_tls.server, postgres_tls.authority.certificate) as made:
        yield made
