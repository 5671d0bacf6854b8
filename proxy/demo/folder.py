"""The demo's folder: where everything lies, and whether what lies there is what was asked for.

DIR/postgres, postgres.log, postgres.password, lock   the embedded server (server.py)
DIR/tls/ca.crt, ca.key, server.crt, server.key        the demo's own certificate authority
DIR/keks, passphrase                                  the key-encryption keys, and what opens them (0600)
DIR/policy/                                           a copy of the sample policy, to be edited at will
DIR/upstream/<role>.password                          each upstream role's random password (0600)
DIR/fieldgate.toml, logins                            what `fieldgate serve` reads
DIR/admins.toml, tokens/<person>.token                who may log in at the admin port, and by what (0600)
DIR/fieldgate.log, audit.jsonl                        what it writes
DIR/demo.json                                         written last: all of the above is whole
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from policies.loader import SHOP
from proxy.control_schema.install import schema_files

from .osuser import write_private
from .schema import logical_schema

_LONGEST = 70
_LAYOUT = b"keys in the control database"  # what older folders do not have


@dataclass(frozen=True, slots=True)
class Contents:
    """What a folder was made from; another answer means that it must be made again."""

    rows: int
    seed: int
    sample: str  # digest of the schemas and the policy that this version of Fieldgate brings

    @staticmethod
    def wanted(rows: int, seed: int) -> Contents:
        digest = hashlib.sha256(_LAYOUT + logical_schema().encode())
        for each in schema_files():
            digest.update(each.digest)
        for file in sorted(SHOP.iterdir()):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
        return Contents(rows, seed, digest.hexdigest())


class FolderNotOurs(Exception):
    """The folder holds something else than a demo; it is not touched."""


@dataclass(frozen=True, slots=True)
class DemoFolder:
    path: Path

    @property
    def tls(self) -> Path:
        return self.path / "tls"

    @property
    def ca(self) -> Path:
        return self.tls / "ca.crt"

    @property
    def keks(self) -> Path:
        return self.path / "keks"

    @property
    def passphrase(self) -> Path:
        return self.path / "passphrase"

    @property
    def policy(self) -> Path:
        return self.path / "policy"

    @property
    def config(self) -> Path:
        return self.path / "fieldgate.toml"

    @property
    def logins(self) -> Path:
        return self.path / "logins"

    @property
    def people(self) -> Path:
        return self.path / "admins.toml"

    def token_file(self, person: str) -> Path:
        return self.path / "tokens" / f"{person}.token"

    @property
    def log(self) -> Path:
        return self.path / "fieldgate.log"

    @property
    def pid_file(self) -> Path:
        return self.path / "fieldgate.pid"

    @property
    def run_dir(self) -> Path:
        """For the proxy's sockets.  A socket's path has at most 107 bytes, so a long folder's are elsewhere."""
        if len(str(self.path)) <= _LONGEST:
            return self.path / "run"
        return Path(tempfile.gettempdir()) / f"fg-run-{hashlib.sha256(str(self.path).encode()).hexdigest()[:16]}"

    @property
    def audit(self) -> Path:
        return self.path / "audit.jsonl"

    def password_file(self, role: str) -> Path:
        return self.path / "upstream" / f"{role}.password"

    def holds(self, wanted: Contents) -> bool:
        """Is it whole, and made from just this?"""
        try:
            return bool(json.loads(self._stamp.read_text()) == asdict(wanted))
        except (OSError, ValueError):
            return False

    def claim(self) -> None:
        """Make the folder, or make sure that it is a demo's.  Raises FolderNotOurs."""
        self.path.mkdir(parents=True, exist_ok=True)
        if any(self.path.iterdir()) and not self._mark.exists():
            raise FolderNotOurs(f"{self.path} is not empty and holds no demo; choose another --data-dir")
        self._mark.touch()

    def clear(self) -> None:
        """Throw away all but the mark, for a demo of other contents.  The server there must not be running."""
        self._stamp.unlink(missing_ok=True)
        for found in self.path.iterdir():
            if found.is_dir():
                shutil.rmtree(found)
            elif found != self._mark:
                found.unlink()

    def complete(self, contents: Contents) -> None:
        self._stamp.write_text(json.dumps(asdict(contents)))

    def make_secret(self, path: Path) -> str:
        """A random password in a file of its own, 0600; the one that is there, if it is."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_private(path, secrets.token_urlsafe(24) + "\n")
        return path.read_text().strip()

    @property
    def _stamp(self) -> Path:
        return self.path / "demo.json"

    @property
    def _mark(self) -> Path:
        return self.path / "FIELDGATE-DEMO"
