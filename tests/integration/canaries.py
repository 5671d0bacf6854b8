"""Planted values that must never be found outside of a sealed cell, and the search for them.

Every canary of a run carries the run's marker, so that one search finds them all: in files of the data directory (heap,
indexes, TOAST, WAL, statistics) and in the server's log, written raw, as hexadecimal digits, in base64 (at each of the
three alignments) or in UTF-16, and for IP addresses and numbers also in PostgreSQL's own binary forms.
"""

from __future__ import annotations

import base64
import ipaddress
import mmap
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

_LETTERS = "bcdfghjklmnpqrstvwxz"


@dataclass(slots=True)
class Canaries:
    """Makes canaries of each type; all of them contain what `patterns` looks for."""

    marker: str = field(default_factory=lambda: "".join(secrets.choice(_LETTERS) for _ in range(14)))
    groups: tuple[int, ...] = field(default_factory=lambda: tuple(secrets.randbelow(0xEFFF) + 0x1000 for _ in range(3)))
    digits: tuple[int, ...] = field(
        default_factory=lambda: (secrets.randbelow(90) + 10, *(secrets.randbelow(9000) + 1000 for _ in range(2)))
    )
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def text(self, about: str = "value") -> str:
        return f"{about} {self.marker} {next(self._numbers)}"

    def mail(self) -> str:
        return f"{self.marker}{next(self._numbers)}@mail.example"

    def document(self) -> str:
        """A JSON text."""
        return f'{{"note": "{self.text()}"}}'

    def data(self) -> bytes:
        return b"\x00\xff" + self.text().encode()

    def address(self) -> str:
        """An IPv6 address of the documentation network."""
        middle = ":".join(f"{group:x}" for group in self.groups)
        number = next(self._numbers)
        return f"2001:db8:{middle}::{number >> 16:x}:{number & 0xFFFF:x}"

    def amount(self) -> str:
        """For numeric(12,2)."""
        return f"{''.join(map(str, self.digits))}.{next(self._numbers) % 90 + 10}"

    def patterns(self) -> dict[str, bytes]:
        """What to look for, by a name for the message."""
        found = {f"marker {form}": pattern for form, pattern in forms(self.marker.encode()).items()}
        found["marker in UTF-16LE"] = self.marker.encode("utf-16-le")
        found["marker in UTF-16BE"] = self.marker.encode("utf-16-be")
        network = ipaddress.ip_address(self.address()).packed[:10]
        found["address as text"] = self.address().split("::")[0].encode()
        found["address as PostgreSQL stores it"] = network
        found["address hex"] = network.hex().encode()
        found["amount as text"] = "".join(map(str, self.digits)).encode()
        found["amount as PostgreSQL stores it"] = struct.pack("=HHH", *self.digits)
        found["amount as PostgreSQL sends it"] = struct.pack("!HHH", *self.digits)
        return found


def forms(plain: bytes) -> dict[str, bytes]:
    """Raw, hexadecimal and base64; of base64 the part that is the same whatever stands before and after."""
    found = {"raw": plain, "hex": plain.hex().encode(), "HEX": plain.hex().upper().encode()}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + plain)
        first = (offset * 8 + 5) // 6
        whole = (offset + len(plain)) * 8 // 6
        found[f"base64 at {offset}"] = encoded[first:whole]
    return found


@dataclass(slots=True)
class Searcher:
    """Searches files; one that has not changed since it was found clean is not read again."""

    patterns: dict[str, bytes]
    _clean: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def search(self, *places: Path) -> list[str]:
        """`file: what` for each find."""
        return [find for place in places for file in _files(place) for find in self._search_file(file)]

    def _search_file(self, file: Path) -> list[str]:
        try:
            stamp = (file.stat().st_mtime_ns, file.stat().st_size)
            if stamp[1] == 0 or self._clean.get(file) == stamp:
                return []
            with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
                finds = [f"{file}: {name}" for name, pattern in self.patterns.items() if content.find(pattern) >= 0]
        except (FileNotFoundError, ValueError):
            return []  # removed, or cut to nothing, by the server in this moment
        if not finds:
            self._clean[file] = stamp
        return finds


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    else:
        yield from (p for p in place.rglob("*") if p.is_file())
