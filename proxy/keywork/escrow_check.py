"""Would a proxy load these keys?  Asked of an import before it is written: forged rows would keep proxies from loading.

As a proxy does it: codes over rows and revision are verified by the store's own key, and every key that opens something
is unwrapped.  The provider is opened for this alone, and nothing that was unwrapped is kept.
"""

from __future__ import annotations

from collections.abc import Callable

from keys.database_store import DatabaseKeyStore
from keys.errors import CryptoError, ProviderRefused, ProviderUnavailable
from keys.records import KeySnapshot

from .refusals import Code, Refusal

_WRONG = (
    "a proxy could not load these keys: a row is not as this store wrote it, or is wrapped by a key-encryption key that"
    " this configuration does not name"
)


class ProviderCheck:
    """`make` makes a store over the configured providers, not opened; None: there are none here."""

    def __init__(self, make: Callable[[], DatabaseKeyStore] | None) -> None:
        self._make = make

    async def require_loadable(self, snapshot: KeySnapshot) -> None:
        """Raises Refusal; its message repeats nothing of the snapshot."""
        if self._make is None:
            raise Refusal(
                Code.PROVIDER_UNAVAILABLE, "this admin port has no [keys.provider], so that it cannot verify an import"
            )
        store = self._make()
        try:
            await store.open()
        except CryptoError as error:
            raise _unusable(error) from None
        try:
            await store.unwrapped(snapshot)
        except (ProviderUnavailable, ProviderRefused) as error:
            raise _unusable(error) from None
        except CryptoError:
            raise Refusal(Code.EXPORT_INVALID, _WRONG) from None
        finally:
            await store.close()


def _unusable(error: CryptoError) -> Refusal:
    return Refusal(Code.PROVIDER_UNAVAILABLE, f"the import cannot be verified now: {error}")
