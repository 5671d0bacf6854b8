"""The proxy as the demo runs it: `fieldgate serve` in a process of its own, by a configuration file like anybody's.

A process that a killed demo left behind is ended by its pid at the next start, like the server is.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from .folder import DemoFolder
from .postmaster import end_child, end_leftover
from .server import Server

READY_SECONDS = 30.0


class ProxyFailed(Exception):
    """The proxy did not start, or ended; the message names its log."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one start of the proxy is asked for."""

    port: int
    admin_port: int
    workers: int = 1
    jobs: bool = False  # a job runner, too
    people: bool = False  # people may log in at the admin port


def configuration(folder: DemoFolder, server: Server, wanted: Wanted, roles: list[str]) -> str:
    """The TOML text.  Paths are relative to the folder that it lies in."""
    lines = [
        "# Made by `fieldgate demo`, anew at every start.",
        "[listener]",
        'host = "127.0.0.1"',
        f"port = {wanted.port}",
        'tls_certificate = "tls/localhost.crt"',
        'tls_key = "tls/localhost.key"',
        "",
        "[upstream]",
        f"hosts = [{_quoted(f'{server.socket_dir}:{server.port}')}]",
        'sslmode = "disable"  # a socket does not leave the machine',
        "",
        "[control]",
        'user = "fieldgate"',
        'password_file = "upstream/fieldgate.password"',
        'database = "fieldgate"',
        "",
        "[databases.shop]",
        'policy = "policy"',
        "",
        "[keys]",
        'store = "database"',
        "",
        "[keys.provider]",
        'kind = "local"',
        'name = "demo"',
        'file = "keks"',
        'passphrase_file = "passphrase"',
        "",
        "[audit]",
        'path = "audit.jsonl"',
        "",
        "[admin]",
        'host = "127.0.0.1"',
        f"port = {wanted.admin_port}",
        *(['people = "admins.toml"'] if wanted.people else []),
        "",
        "[process]",
        f"workers = {wanted.workers}",
        f"run_dir = {_quoted(str(folder.run_dir))}",
        'drain_timeout = "2s"',
        "",
        "[logs]",
        'file = "fieldgate.log"',
    ]
    if wanted.jobs:
        password = server.home / "postgres.password"
        lines += ["", "[jobs]", f"user = {_quoted(server.superuser)}", f"password_file = {_quoted(str(password))}"]
    for role in roles:
        lines += ["", f"[upstream.credentials.{role}]", f"password_file = {_quoted(f'upstream/{role}.password')}"]
    return "".join(f"{line}\n" for line in ('logins = "logins"', *lines))


def _quoted(text: str) -> str:
    return json.dumps(text)  # a TOML basic string is a JSON string


class Service:
    """`fieldgate serve` over a demo's folder."""

    def __init__(self, folder: DemoFolder, admin_port: int) -> None:
        self._folder = folder
        self._admin = f"http://127.0.0.1:{admin_port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ProxyFailed("the proxy is not running")
        return self._process.pid

    def signal(self, kind: signal.Signals) -> None:
        """SIGHUP: load policy and certificates again."""
        os.kill(self.pid, kind)

    def start(self) -> None:
        """Returns when the proxy says that it is ready.  Raises ProxyFailed."""
        end_leftover_service(self._folder)
        log = os.open(self._folder.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        began = os.fstat(log).st_size
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "proxy", "serve", "--config", str(self._folder.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)
        self._folder.pid_file.write_text(str(self._process.pid))
        self._wait(began)

    def _wait(self, log_offset: int) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while self.running and time.monotonic() < deadline:
            if answers(f"{self._admin}/readyz"):
                return
            time.sleep(0.05)
        said = self._folder.log.read_bytes()[log_offset:].decode(errors="replace").strip()
        self.stop()
        raise ProxyFailed(f"the proxy did not become ready, see {self._folder.log}: {said[-800:]}")

    def stop(self) -> None:
        if self._process is not None:
            end_child(self._process, signal.SIGTERM)
            self._process = None
            self._folder.pid_file.unlink(missing_ok=True)
            if self._folder.path not in self._folder.run_dir.parents:
                shutil.rmtree(self._folder.run_dir, ignore_errors=True)


def end_leftover_service(folder: DemoFolder) -> None:
    try:
        pid = int(folder.pid_file.read_text())
    except (OSError, ValueError):
        return
    end_leftover(pid, folder.config)


def answers(url: str, context: ssl.SSLContext | None = None) -> bool:
    """Does it answer with success?"""
    try:
        with urllib.request.urlopen(url, timeout=2, context=context) as answer:  # noqa: S310 (our own loopback address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
