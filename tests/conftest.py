"""Fixtures that every test may ask for (tests/support/fixtures.py), and how long property tests look for trouble."""

from hypothesis import HealthCheck, settings

from tests.support.fixtures import database, home, postgres, postgres_tls, tls_database

# No deadline: a machine that is busy is no failure.  `make fuzz` looks two hundred times as long.
settings.register_profile("usual", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", settings.get_profile("usual"), max_examples=20_000)
settings.load_profile("usual")

__all__ = ["database", "home", "postgres", "postgres_tls", "tls_database"]
