"""Errors of field cryptography and key storage.  Messages never carry keys, plaintexts or envelopes."""

from __future__ import annotations


class CryptoError(Exception):
    """Base of this package's errors."""


class EnvelopeInvalid(CryptoError):
    """The bytes are no envelope of ours, or one that was changed, moved or cut."""


class UnknownKey(CryptoError):
    """The envelope names a key that the keyring does not hold or may not use."""


class KeyringLocked(CryptoError):
    """The passphrase is wrong or missing, or wrapped keys were changed, or are of another KEK or another context."""


class KeyringInvalid(CryptoError):
    """The keyring file is malformed, has wrong permissions, or lacks a key that is needed."""


class ProviderUnavailable(CryptoError):
    """The holder of the key-encryption key does not answer, or not now.  The same call may succeed later."""


class ProviderRefused(CryptoError):
    """The holder of the key-encryption key will not do it: no permission, no such key, a disabled or wrong one.

    Trying again does not help; the message says what has to be done.
    """


class SealBudgetExhausted(CryptoError):
    """The key has sealed as many cells as one key may (2^32); it must be rotated."""


class SealBudgetUnavailable(SealBudgetExhausted):
    """No more seals can be had now, because the ledger of seals does not answer.  The same call may succeed later."""


class CipherMisused(CryptoError):
    """A mistake of the calling code: a missing or superfluous term input or row key, or a plaintext past 1 GiB."""


class NormaliserUnusable(CryptoError):
    """No normaliser has this name, or it would not give here what it gave elsewhere."""


class TokensUnusable(CryptoError):
    """No mode of search has this name, or its tokens would not be here what they are elsewhere."""


class KeyTransitionRefused(CryptoError):
    """A key's state does not allow what was asked for."""


class SubjectSecretNeeded(CryptoError):
    """The secret of a data subject is not in memory: load it, and do the same again.  `name` is for the loader only."""

    def __init__(self, name: object) -> None:
        super().__init__("the data subject's secret must be loaded first")
        self.name = name


class SubjectDestroyed(CryptoError):
    """The data subject's secret was destroyed: nothing of the subject's can be opened or sealed any more."""


class SubjectSecretInvalid(CryptoError):
    """A data subject's secret in the control database was changed, or its wrapping key is gone."""
