"""Where a worker's keys come from: what databases and sessions need of it, and the one that reads a keyring file.

The other one is proxy/custody.py, which keeps them in the control database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from keys.ciphers import SealLeases
from keys.errors import CryptoError
from keys.keyring import Keyring, KeyringCiphers
from keys.store import OpenKeyring, open_keyring
from proxy.errors import ConfigError, FieldgateError

from .config_keys import KeysConfig

Adopt = Callable[[Keyring | None], Awaitable[None]]
"""Puts these keys in force for every database, or raises and changes nothing; None: forget all that there are."""


@dataclass(frozen=True, slots=True)
class KeysState:
    """For metrics: numbers only."""

    keys: int
    serving: bool
    revision: int = 0
    lease_seconds: float = 0.0  # until keys have to be confirmed again
    provider_answers: bool = True
    outage_seconds: float = 0.0
    reloads: int = 0
    failures: int = 0  # of reloads and confirmations


class KeySource(Protocol):
    @property
    def keeps_secrets(self) -> bool:
        """Whether data subjects' secrets have a place beside these keys."""
        ...

    async def open(self) -> Keyring:
        """The first keys.  Raises FieldgateError saying what is missing."""
        ...

    async def begin(self, adopt: Adopt) -> None:
        """Keys are in force: from now on `refusal` is None, and changes are told to `adopt`.  Raises FieldgateError."""
        ...

    async def newest(self) -> Keyring:
        """Read again, for a reload.  Raises FieldgateError."""
        ...

    def leases(self) -> SealLeases: ...

    def refusal(self) -> FieldgateError | None:
        """Why statements over protected fields may not run now.  Asked for each of them: one comparison of clocks."""
        ...

    def suspect(self) -> None:
        """The server has refused a cell: the keys here may be old ones."""
        ...

    def in_use(self, ciphers: KeyringCiphers) -> None:
        """Their uses are counted from now on."""
        ...

    def retire(self, ciphers: KeyringCiphers) -> None:
        """Others have taken their place."""
        ...

    def state(self) -> KeysState: ...

    async def renew(self) -> None:
        """Takes leases of seals early, off the query path."""
        ...

    async def close(self) -> None: ...


class FileKeys:
    """A KeySource: the keyring file.  Changed by `fieldgate reload` only; nobody else has to agree."""

    def __init__(self, config: KeysConfig, passphrase: Callable[[], str] | None) -> None:
        self._config, self._passphrase = config, passphrase
        self._opened: OpenKeyring | None = None
        self._in_use: list[KeyringCiphers] = []

    keeps_secrets = False

    async def open(self) -> Keyring:
        return await self.newest()

    async def begin(self, adopt: Adopt) -> None:
        del adopt  # nothing changes by itself

    async def newest(self) -> Keyring:
        self._opened = await asyncio.to_thread(self._unlock)
        return self._opened.keyring

    def leases(self) -> SealLeases:
        return self._open().leases()

    def refusal(self) -> FieldgateError | None:
        return None

    def suspect(self) -> None:
        pass

    def in_use(self, ciphers: KeyringCiphers) -> None:
        self._in_use.append(ciphers)

    def retire(self, ciphers: KeyringCiphers) -> None:
        self._in_use.remove(ciphers)

    def state(self) -> KeysState:
        return KeysState(len(self._opened.keyring.keys) if self._opened is not None else 0, serving=True)

    async def renew(self) -> None:
        for ciphers in tuple(self._in_use):
            await asyncio.to_thread(ciphers.renew)

    async def close(self) -> None:
        for ciphers in self._in_use:
            await asyncio.to_thread(ciphers.close)

    def _open(self) -> OpenKeyring:
        if self._opened is None:
            raise RuntimeError("a keyring is opened before it is used")
        return self._opened

    def _unlock(self) -> OpenKeyring:
        """Slow on purpose: not on the event loop."""
        path = self._config.keyring
        if path is None or self._passphrase is None:
            raise ConfigError(f"{path or '[keys]'}: the keyring needs its passphrase")
        try:
            return open_keyring(path, self._passphrase())
        except CryptoError as error:
            raise ConfigError(str(error)) from None
