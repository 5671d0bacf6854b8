"""The policy in force, and how it changes: all at once, or not at all.

`reload` reads the folder again, validates, compiles and asks Casbin about a sample of cells.  Whatever is wrong raises
PolicyError with file, line and reason, and the policy in force stays as it was.  The swap is one assignment: whoever
took `current` before goes on under the revision that it began with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .engine import CompiledDecisions
from .errors import PolicyError
from .loader import load_policy
from .oracle import check_against_oracle
from .policy_set import PolicySet

_SAMPLE = 500


@dataclass(frozen=True, slots=True)
class Published:
    """One revision: the rules, and what was compiled from them."""

    policy: PolicySet
    decisions: CompiledDecisions

    @property
    def revision(self) -> str:
        return self.policy.revision


def spot_check(policy: PolicySet) -> None:
    """Refuses to publish what Casbin would decide differently."""
    check_against_oracle(policy, _SAMPLE)


class PolicyHolder:
    """Made by `load`; `reload` is synchronous and takes about half a second."""

    def __init__(self, folder: Path, published: Published, check: Callable[[PolicySet], object]) -> None:
        self.folder = folder
        self._published = published
        self._check = check

    @classmethod
    def load(cls, folder: Path, *, check: Callable[[PolicySet], object] = spot_check) -> PolicyHolder:
        """Raises PolicyError."""
        return cls(folder, _publish(folder, check), check)

    @property
    def current(self) -> Published:
        return self._published

    def reload(self) -> bool:
        """True if the new revision differs.  Raises PolicyError, and then nothing has changed.

        The same controller and database must come back: cells are bound to the controller's name.
        """
        new = _publish(self.folder, self._check)
        before, after = self._published.policy.data_map, new.policy.data_map
        for key in ("controller", "database"):
            if getattr(before, key) != getattr(after, key):
                raise PolicyError("cannot change while the proxy runs", file="datamap.toml", line=1, key=key)
        if new.revision == self._published.revision:
            return False
        self._published = new
        return True


def _publish(folder: Path, check: Callable[[PolicySet], object]) -> Published:
    policy = load_policy(folder)
    check(policy)
    return Published(policy, CompiledDecisions(policy))
