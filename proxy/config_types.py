"""How single values of the configuration are written, and what they become."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo
from pydantic import Field as Constraint

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


def duration(value: object) -> float:
    """Seconds.  Raises ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('a duration is written like "500ms", "10s", "5m", "1h"')
    return float(match[1]) * _UNITS[match[2]]


def _size(value: object) -> int:
    match = re.fullmatch(r"(\d+)(B|KB|MB|GB)", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('a size is written like "64KB", "8MB"')
    return int(match[1]) * _SIZES[match[2]]


def _path(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError("a path is a non-empty string")
    base: Path = (info.context or {}).get("base", Path())
    return base / Path(value).expanduser()


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("write true or false")
    return value


def _port(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
        raise ValueError("a port is a number from 0 to 65535 (0: any free one)")
    return value


Duration = Annotated[float, BeforeValidator(duration)]
Size = Annotated[int, BeforeValidator(_size)]
FilePath = Annotated[Path, BeforeValidator(_path)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Port = Annotated[int, BeforeValidator(_port)]
Count = Annotated[int, Constraint(gt=0, strict=True)]


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def split_host(text: str) -> tuple[str, int]:
    """`name:port`, `[::1]:port` or `/socket/folder:port`; the port may be left out (5432)."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:]+\]|/[^:]*|[^:/\[\]]+)(?::(\d{1,5}))?", text)
    if match is None or int(match[2] or 1) not in range(1, 65536):
        raise ValueError("a host is written name:port, [address]:port, or /socket/folder:port")
    return match[1].strip("[]"), int(match[2] or 5432)


def split_address(text: str) -> tuple[str, str]:
    """Scheme and host of `scheme://host[:port]`; two empty strings for anything else, a login or a path among it."""
    match = re.fullmatch(r"(https?)://(\[[0-9a-fA-F:]+\]|[^\s/:@?#\[\]]+)(?::\d{1,5})?/?", text)
    return (match[1], match[2]) if match else ("", "")
