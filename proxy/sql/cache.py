"""The planner with its cache: a text that was seen before, with the same meaning, is one dictionary look-up."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from .observing import plan_one, plan_script
from .plan import ScriptPlan, StatementPlan
from .planner import PlanContext

DEFAULT_SIZE = 4096
MAX_CACHED_TEXT = 100_000  # longer texts are bulk loads with constants in them, and do not come again
MAX_CHARACTERS = 16_000_000  # of all texts in one cache together: a plan is as large as its text

Value = TypeVar("Value")


class CachedPlanner:
    """The Planner.  One per worker; not thread-safe."""

    def __init__(self, cache_size: int = DEFAULT_SIZE) -> None:
        self._statements: _Recent[StatementPlan] = _Recent(cache_size)
        self._scripts: _Recent[ScriptPlan] = _Recent(cache_size)

    def plan_statement(self, text: str, parameter_types: tuple[int, ...], context: PlanContext) -> StatementPlan:
        key = (text, parameter_types, _meaning(context))
        found = self._statements.get(key)
        if found is None:
            found = plan_one(text, parameter_types, context)
            if len(text) <= MAX_CACHED_TEXT:
                self._statements.put(key, found, len(text))
        return found

    def plan_script(self, text: str, context: PlanContext) -> ScriptPlan:
        key = (text, _meaning(context))
        found = self._scripts.get(key)
        if found is None:
            found = plan_script(text, context)
            if len(text) <= MAX_CACHED_TEXT:
                self._scripts.put(key, found, len(text))
        return found


def _meaning(context: PlanContext) -> Hashable:
    """What a plan depends on besides its text: no value of the principal, only what its rights are."""
    catalog, decisions = context.catalog, context.decisions
    rights = decisions.rights_key(context.principal)
    return (catalog.database, catalog.version, decisions.revision, rights, context.search_path)


class _Recent(Generic[Value]):
    """A map bounded in number and weight; what was used least recently goes first."""

    def __init__(self, size: int, weight: int = MAX_CHARACTERS) -> None:
        self._size, self._weight = size, weight
        self._items: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._held = 0

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: Hashable) -> Value | None:
        found = self._items.get(key)
        if found is None:
            return None
        self._items.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, value: Value, weight: int) -> None:
        """The key is new."""
        self._items[key] = (value, weight)
        self._held += weight
        while len(self._items) > self._size or self._held > self._weight:
            _, (_, gone) = self._items.popitem(last=False)
            self._held -= gone
