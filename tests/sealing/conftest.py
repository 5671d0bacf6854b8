"""The table that most tests of sealing begin with."""

from tests.sealing.people import connection, people

__all__ = ["connection", "people"]
