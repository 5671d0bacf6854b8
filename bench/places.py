"""Where a client connects to: one endpoint in the forms that libpq and asyncpg want."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`root_certificate` set: TLS, verified in full; None: no TLS."""

    name: str
    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    root_certificate: Path | None = None

    def at(self, database: str) -> Endpoint:
        return replace(self, database=database)

    def libpq_environment(self) -> dict[str, str]:
        found = {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGDATABASE": self.database,
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGSSLMODE": "disable",
            "PGGSSENCMODE": "disable",
        }
        if self.root_certificate is not None:
            found |= {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(self.root_certificate)}
        return found

    def to_json(self) -> dict[str, Any]:
        tls = None if self.root_certificate is None else str(self.root_certificate)
        return asdict(self) | {"root_certificate": tls}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Endpoint:
        tls = data.pop("root_certificate")
        return cls(**data, root_certificate=None if tls is None else Path(tls))
