"""A TOML file whose every entry knows its line, and which refuses what nobody asked for.

`Section` is one table of the file.  Its getters check types; `only` refuses unknown keys, so that a misspelt key is an
error and never a setting that silently does nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from policies.errors import PolicyError

_HEADER = re.compile(r"\s*\[(\[?)\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_ENTRY = re.compile(r"\s*(?P<name>(?:[\w.-]|\"[^\"]*\"|'[^']*')+)\s*=")
_SYNTAX_LINE = re.compile(r"\(at line (\d+)")

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """`path` of an array's table ends in its number from 0."""

    file: str
    values: Mapping[str, object]
    lines: Mapping[Path, int] = field(repr=False)
    path: Path = ()

    def error(self, message: str, key: str | None = None) -> PolicyError:
        path = self.path if key is None else (*self.path, key)
        return PolicyError(message, file=self.file, line=self._line(path), key=".".join(path))

    def _line(self, path: Path) -> int:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def only(self, *allowed: str) -> None:
        for key in self.values:
            if key not in allowed:
                raise self.error(f"unknown key (known: {', '.join(allowed)})", key)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.error("is missing" if value is None else "must be a text that is not empty", key)
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if key in self.values else None

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.error("must be true or false", key)
        return value

    def number(self, key: str, default: int, *, low: int, high: int) -> int:
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.error(f"must be a whole number from {low} to {high}", key)
        return value

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.error('must be a list of texts: ["a", "b"]', key)
        if len(set(value)) != len(value):
            raise self.error("names something twice", key)
        if required and not value:
            raise self.error("must name at least one", key)
        return tuple(value)

    def section(self, key: str) -> Section:
        """The table under `key`; an empty one when there is none."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.error("must be a table", key)
        return Section(self.file, value, self.lines, (*self.path, key))

    def sections(self, key: str) -> Iterator[tuple[str, Section]]:
        """The tables under the table `key`, by name."""
        outer = self.section(key)
        for name in outer.values:
            yield name, outer.section(name)

    def array(self, key: str) -> Iterator[Section]:
        """The tables of the array `[[key]]`."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(f"must be written as [[{key}]]", key)
        for number, item in enumerate(value):
            yield Section(self.file, item, self.lines, (*self.path, key, str(number)))


def parse(file: str, text: str) -> Section:
    """Raises PolicyError with the line of the mistake."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX_LINE.search(str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise PolicyError("is not TOML here", file=file, line=line) from None
    return Section(file, values, _lines(text))


def _lines(text: str) -> dict[Path, int]:
    """Where each header and each `key =` stands (tomllib does not say).  Only for messages: never decides anything."""
    lines: dict[Path, int] = {}
    arrays: dict[Path, int] = {}
    here: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            here = _path(header["name"])
            if header[1]:
                arrays[here] = arrays.get(here, -1) + 1
                here = (*here, str(arrays[here]))
            for end in range(1, len(here) + 1):
                lines.setdefault(here[:end], number)
        elif entry := _ENTRY.match(line):
            lines.setdefault((*here, *_path(entry["name"])), number)
    return lines


def _path(name: str) -> Path:
    try:
        value: object = tomllib.loads(f"{name} = 0")
    except tomllib.TOMLDecodeError:
        return (name,)
    path: list[str] = []
    while isinstance(value, dict):
        key, value = next(iter(cast("dict[str, object]", value).items()))
        path.append(key)
    return tuple(path)
