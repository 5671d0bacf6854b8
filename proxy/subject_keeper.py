"""The data subjects' secrets that one database needs: in memory, and loaded or made in the control database.

One batch at a time, so that what two sessions need at once is asked for once.  When a secret may have been destroyed
everything in memory is forgotten; what was read before that is not put into memory after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from keys.subject_store import SubjectStore
from keys.subjects import SubjectCache, SubjectName
from proxy.errors import UpstreamUnavailable


class SubjectKeeper:
    """`cache` is what sessions look into; `store` is exchanged with the keyring."""

    def __init__(self, cache: SubjectCache) -> None:
        self.cache = cache
        self._store: SubjectStore | None = None
        self._turn = asyncio.Lock()

    def use(self, store: SubjectStore | None) -> None:
        """Other keys are in force, or secrets may have been destroyed: whatever is known is asked for again."""
        self._store = store
        self.cache.forget()

    async def have(self, names: Collection[SubjectName], *, make: bool, anew: bool = False) -> None:
        """Afterwards it is known of each what its secret is, or that there is none; with `make` there is one.

        That there is none is known to the caller until it waits for something else, and not kept.

        `anew`: as it is now, and nothing else stays in memory: for work that goes on for long, and that nobody tells of
        what was destroyed.  Raises CryptoError, UpstreamUnavailable when there are no keys, and what the connection
        raises.
        """
        async with self._turn:
            if anew:
                self.cache.forget()
            while wanted := self.cache.absent(names) if make else self.cache.missing(names):
                store, generation = self._store, self.cache.generation
                if store is None:
                    raise UpstreamUnavailable("data subjects' secrets are not available here: the keys were forgotten")
                found = await (store.make(wanted) if make else store.load(wanted))
                if generation == self.cache.generation:
                    self.cache.put_all(found, names)
                    nobody = [name for name, secret in found.items() if secret is None]
                    if nobody:  # true for who has asked, and goes on at once; another process may make one in a moment
                        asyncio.get_running_loop().call_soon(self.cache.forget_absent, nobody)
                    return
