"""Counts how often keys are used, out of the ciphers that use them; nothing is added to the path of a cell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from keys.key_tables import Uses
from keys.keyring import KeyringCiphers


@dataclass(slots=True)
class _Watched:
    ciphers: KeyringCiphers
    taken: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    rounds_left: int | None = None  # of counting, once they are retired: sessions may still hold them


class UseCounter:
    """Of all ciphers of a worker."""

    def __init__(self) -> None:
        self._watched: list[_Watched] = []
        self._untold: dict[bytes, Uses] = {}

    def watch(self, ciphers: KeyringCiphers) -> None:
        self._watched.append(_Watched(ciphers))

    def retire(self, ciphers: KeyringCiphers) -> None:
        for each in self._watched:
            if each.ciphers is ciphers:
                each.rounds_left = 2

    def take(self) -> Mapping[bytes, Uses]:
        """What has been used since the last time, by key id."""
        summed: defaultdict[bytes, list[int]] = defaultdict(lambda: [0, 0])
        for key_id, use in self._untold.items():
            summed[key_id] = [use.sealed, use.opened]
        self._untold = {}
        for each in self._watched:
            now = each.ciphers.uses()
            for key_id, (sealed, opened) in now.items():
                before = each.taken.get(key_id, (0, 0))
                summed[key_id][0] += max(0, sealed - before[0])
                summed[key_id][1] += max(0, opened - before[1])
            each.taken = now
            each.rounds_left = None if each.rounds_left is None else each.rounds_left - 1
        self._watched = [each for each in self._watched if each.rounds_left != 0]
        return {key_id: Uses(*counts) for key_id, counts in summed.items() if any(counts)}

    def put_back(self, uses: Mapping[bytes, Uses]) -> None:
        """They could not be recorded: they are told next time."""
        for key_id, use in uses.items():
            known = self._untold.get(key_id, Uses())
            self._untold[key_id] = Uses(known.sealed + use.sealed, known.opened + use.opened)
