"""Fixtures that every test may ask for; see tests/support/fixtures.py."""

from tests.support.fixtures import database, postgres, postgres_tls, tls_database

__all__ = ["database", "postgres", "postgres_tls", "tls_database"]
