"""The real holders of KEKs that tests start: OpenBao, moto's KMS, a SoftHSM token; each on loopback, in a folder."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAMS = Path(sys.executable).parent
SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
SOFTHSM_UTIL = "softhsm2-util"
PIN = "canary-pin-7291"
READY_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextlib.contextmanager
def process(command: list[str], log: Path, ready: Callable[[], bool], env: dict[str, str]) -> Iterator[None]:
    """Ends with its parent, however that ends, where the system can arrange it."""
    with_parent = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    with log.open("wb") as output:
        started = subprocess.Popen([*with_parent, *command], stdout=output, stderr=subprocess.STDOUT, env=env)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            if started.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{command[0]} did not start: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        started.terminate()
        started.wait(20)


@dataclass(frozen=True, slots=True)
class Bao:
    """OpenBao in development mode, with TLS; `root` may do everything there."""

    address: str
    ca: Path
    root: str
    log: Path

    def api(self, method: str, path: str, body: object = None, *, namespace: str = "") -> dict[str, Any]:
        """Raises HTTPException for an answer that is no success."""
        headers = {"X-Vault-Token": self.root, "X-Vault-Namespace": namespace}
        data = None if body is None else json.dumps(body)
        context = ssl.create_default_context(cafile=self.ca)
        connection = http.client.HTTPSConnection(self.address.removeprefix("https://"), timeout=20, context=context)
        with contextlib.closing(connection):
            connection.request(method, f"/v1/{path}", data, headers)
            answer = connection.getresponse()
            content = answer.read()
        if answer.status >= 300:
            raise http.client.HTTPException(f"{method} {path}: {answer.status} {content[:300]!r}")
        found: dict[str, Any] = json.loads(content) if content else {}
        return found

    def is_ready(self) -> bool:
        try:
            return self.ca.exists() and bool(self.api("GET", "sys/health")["initialized"])
        except (OSError, http.client.HTTPException):
            return False

    def unseal(self) -> None:
        match = re.search(r"Unseal Key: (\S+)", self.log.read_text())
        assert match is not None
        self.api("POST", "sys/unseal", {"key": base64.b64decode(match[1]).hex()})

    def token(self, policies: list[str], **options: object) -> str:
        made = self.api("POST", "auth/token/create", {"policies": policies, "no_parent": True, **options})
        token: str = made["auth"]["client_token"]
        return token


@contextlib.contextmanager
def bao(folder: Path) -> Iterator[Bao]:
    port = free_port()
    made = Bao(f"https://127.0.0.1:{port}", folder / "vault-ca.pem", "canary-root-token", folder / "bao.log")
    command = [
        str(PROGRAMS / "bao"), "server", "-dev", "-dev-tls", f"-dev-tls-cert-dir={folder}", "-dev-no-store-token",
        f"-dev-root-token-id={made.root}", f"-dev-listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with process(command, made.log, made.is_ready, environment):
        yield made


@contextlib.contextmanager
def moto(folder: Path) -> Iterator[str]:
    """The address of moto's server."""
    port = free_port()
    command = [str(PROGRAMS / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]

    def ready() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    with process(command, folder / "moto.log", ready, {"PATH": os.environ["PATH"], "HOME": str(folder)}):
        yield f"http://127.0.0.1:{port}"


def softhsm_configuration(folder: Path) -> Path:
    """SoftHSM reads its configuration once in a process, when the library is initialised."""
    (folder / "tokens").mkdir(parents=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    return configuration


def initialise_token(label: str) -> None:
    """In the environment that SOFTHSM2_CONF names."""
    command = [SOFTHSM_UTIL, "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "canary-so-pin"]
    subprocess.run(command, check=True, capture_output=True)
