"""Where the passphrase of a local keyring comes from: a file, an environment variable, or a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import KeyringLocked
from .files import read_private

MAXIMUM_BYTES = 4096
Prompt = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class PassphraseSource:
    """What the configuration names; the file wins over the variable, and a person is asked when neither is named."""

    file: Path | None = None
    variable: str | None = None

    def read(self, environment: Mapping[str, str], prompt: Prompt | None = None) -> str:
        """Raises KeyringLocked when there is no passphrase, KeyringInvalid when its file is open to others."""
        if self.file is not None:
            return _from_file(self.file)
        if self.variable is not None:
            return _required(environment.get(self.variable, ""), f"the environment variable {self.variable}")
        if prompt is not None:
            return _required(prompt("Passphrase of the keyring: "), "the answer")
        raise KeyringLocked("no passphrase: name a file or an environment variable, or start from a terminal")


def _from_file(path: Path) -> str:
    # Links are followed: mounted secrets are links, and the permissions are checked on what they point to.
    content = read_private(path, limit=MAXIMUM_BYTES, follow_link=True)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise KeyringLocked(f"the passphrase in {path} is not UTF-8") from None
    return _required(text.removesuffix("\n").removesuffix("\r"), f"the passphrase file {path}")


def _required(passphrase: str, origin: str) -> str:
    if not passphrase:
        raise KeyringLocked(f"{origin} is empty")
    return passphrase
