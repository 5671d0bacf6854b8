"""Where the secrets of providers come from: a private file or an environment variable, never the configuration."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from keys.errors import KeyringInvalid, ProviderRefused
from keys.files import read_private

_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is: exactly one of both."""

    file: Path | None = None
    variable: str | None = None

    def __post_init__(self) -> None:
        if (self.file is None) == (self.variable is None):
            raise ValueError("a secret is in a file or in an environment variable")

    def read(self) -> str:
        """Without white space around it.  Raises ProviderRefused."""
        try:
            found = self._content().strip()
        except KeyringInvalid as failure:
            raise ProviderRefused(str(failure)) from None
        except UnicodeDecodeError:
            raise ProviderRefused(f"{self.file} is not text") from None
        if not found or not found.isprintable():
            raise ProviderRefused(f"{self.origin} is empty or not one line of text")
        return found

    @property
    def origin(self) -> str:
        return str(self.file) if self.file is not None else f"the environment variable {self.variable}"

    def _content(self) -> str:
        if self.file is not None:
            return read_private(self.file, limit=_LIMIT, follow_link=True).decode()
        return os.environ.get(self.variable or "", "")
