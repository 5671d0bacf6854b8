"""Fixtures that every test may ask for (tests/support/fixtures.py), and how long property tests look for trouble."""

from hypothesis import HealthCheck, settings

from tests.support.fixtures import database, home, postgres, postgres_tls, tls_database

# No deadline: a machine that is busy is no failure.  The usual run tries the same examples each time, so that a change
# is judged by what it changes; `make fuzz` looks for new ones, two hundred times as long.
settings.register_profile("usual", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("fuzz", settings.get_profile("usual"), max_examples=20_000, derandomize=False)
settings.load_profile("usual")

__all__ = ["database", "home", "postgres", "postgres_tls", "tls_database"]
