"""The ledger of seals: how many cells each key may have sealed, on disk before the first of them is made.

Nonces are random, so a key may seal at most 2^32 cells (NIST SP 800-38D, section 8.3), whoever seals and however often
processes are killed.  Each process leases blocks from one ledger file under a lock; a block counts as used once it is
granted, and only an orderly end gives the rest back.  Blocks begin small and double while a process needs more, so
that neither restarts waste the budget nor busy processes come back often.

The ledger stands beside the keyring.  A keyring copied to a second machine with a ledger of its own would double the
budget: share the ledger, or give each machine its share as `limit`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .envelope import KEY_ID_SIZE
from .errors import KeyringInvalid, SealBudgetExhausted
from .field import Unshareable
from .files import locked, read_private, write_private
from .primitives import equal, hmac_sha256

SEALS_PER_KEY = 1 << 32
FIRST_BLOCK = 1 << 12
LARGEST_BLOCK = 1 << 20
_FORMAT = "fieldgate seals v1"
_LIMIT = 64 << 20


class FileLeases(Unshareable):
    """SealLeases on a ledger file.  `code_key` authenticates the file; it comes from the keyring."""

    __slots__ = ("_blocks", "_code_key", "_limit", "path")

    def __init__(self, path: Path, code_key: bytes, *, limit: int = SEALS_PER_KEY) -> None:
        if not 0 < limit <= SEALS_PER_KEY:
            raise ValueError("a key seals at most 2^32 cells")
        self.path, self._code_key, self._limit = path, code_key, limit
        self._blocks: dict[bytes, int] = {}

    def create(self) -> None:
        """An empty ledger.  Raises KeyringInvalid when there is one: it may belong to a keyring that was moved."""
        with locked(self.path):
            if self.path.exists() or self.path.is_symlink():
                raise KeyringInvalid(f"{self.path} exists without its keyring: restore the keyring, or remove the file")
            self._write({})

    def open_accounts(self, key_ids: Iterable[bytes], *, granted: int = 0) -> None:
        """Enters new keys; keys that are entered stay as they are."""
        with locked(self.path):
            account = self._read()
            self._write({**dict.fromkeys(key_ids, granted), **account})

    def replace_lost(self, key_ids: Iterable[bytes]) -> None:
        """A new ledger in place of one that was lost: half of each budget counts as used, since nobody knows."""
        with locked(self.path):
            self._write(dict.fromkeys(key_ids, SEALS_PER_KEY // 2))

    def granted(self) -> dict[bytes, int]:
        """How many seals have been granted, by key id."""
        return self._read()

    def lease(self, key_id: bytes) -> int:
        with locked(self.path):
            account = self._read()
            used = account.get(key_id)
            if used is None:
                raise KeyringInvalid(f"{self.path} has no entry for the key {key_id.hex()}: it is not this keyring's")
            block = min(self._blocks.get(key_id, FIRST_BLOCK), self._limit - used)
            if block <= 0:
                raise SealBudgetExhausted(f"the key {key_id.hex()} has sealed {self._limit} cells and must be rotated")
            self._write({**account, key_id: used + block})
        self._blocks[key_id] = min(2 * block, LARGEST_BLOCK)
        return block

    def give_back(self, key_id: bytes, unused: int) -> None:
        with locked(self.path):
            account = self._read()
            if unused > 0 and account.get(key_id, 0) >= unused:
                self._write({**account, key_id: account[key_id] - unused})

    def _read(self) -> dict[bytes, int]:
        raw = read_private(self.path, limit=_LIMIT)
        try:
            content = json.loads(raw)
            granted: dict[str, Any] = content["granted"]
            account = {bytes.fromhex(key_id): int(count) for key_id, count in granted.items()}
            code = bytes.fromhex(content["code"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise KeyringInvalid(f"{self.path} is malformed") from None
        if not equal(code, self._code(account)) or raw != self._content(account):
            raise KeyringInvalid(f"{self.path} was changed, or belongs to another keyring")
        return account

    def _write(self, account: dict[bytes, int]) -> None:
        try:
            write_private(self.path, self._content(account))
        except OSError as failure:
            raise KeyringInvalid(f"{self.path} cannot be written: {failure.strerror}") from None

    def _content(self, account: dict[bytes, int]) -> bytes:
        granted = {key_id.hex(): count for key_id, count in account.items()}
        content = {"format": _FORMAT, "granted": granted, "code": self._code(account).hex()}
        return json.dumps(content, sort_keys=True, indent=1).encode() + b"\n"

    def _code(self, account: dict[bytes, int]) -> bytes:
        if any(len(key_id) != KEY_ID_SIZE or not 0 <= count <= SEALS_PER_KEY for key_id, count in account.items()):
            raise KeyringInvalid(f"{self.path} is malformed")
        entries = (key_id + count.to_bytes(8, "big") for key_id, count in sorted(account.items()))
        return hmac_sha256(self._code_key, _FORMAT.encode() + b"".join(entries))
