"""How many values of sealed fields a principal may look for in a minute: guessing is slow, and it is seen.

Contract: `spend` is called before a search term is made, wherever one is made (rows.params), with as many as there are
values; it raises TooManySearches and takes nothing when they are too many.  Pure: the clock is handed in.

A budget is a bucket: full, it holds a minute's worth, and it fills again over a minute.  A login has one.  A service's
is larger, and each person whom it names has one of a person's size besides, so that one of them cannot spend what the
others need.  Budgets are a worker's own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from policies.model import Principal
from proxy.errors import TooManySearches
from proxy.rows.params import Spend

_MINUTE = 60.0
_REMEMBERED = 10_000  # budgets; what was used least recently is forgotten first

_Key = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class SearchRates:
    """Values a minute."""

    person: int
    service: int


class _Budget:
    __slots__ = ("left", "rate", "service", "since")

    def __init__(self, rate: int, now: float) -> None:
        self.rate, self.left, self.since, self.service = rate, float(rate), now, False

    def has(self, count: int, now: float) -> bool:
        self.left = min(float(self.rate), self.left + (now - self.since) * self.rate / _MINUTE)
        self.since = now
        return self.left >= count


class SearchLimits:
    """All budgets of a worker."""

    def __init__(self, rates: SearchRates, clock: Callable[[], float]) -> None:
        self._rates, self._clock = rates, clock
        self._budgets: OrderedDict[_Key, _Budget] = OrderedDict()

    def configure(self, rates: SearchRates) -> None:
        """New rates for everybody, at once; what is spent stays spent."""
        self._rates = rates
        for budget in self._budgets.values():
            budget.rate = self._rate(budget.service)

    def spender(self, who: Principal, *, service: bool) -> Spend:
        """For one session and as long as it is this principal."""
        budgets = [self._budget((who.login, None), service=service)]
        if service and who.person != who.login:
            budgets.append(self._budget((who.login, who.person), service=False))
        clock = self._clock

        def spend(count: int) -> None:
            now = clock()
            for budget in budgets:
                if not budget.has(count, now):
                    raise too_many(count, budget.rate)
            for budget in budgets:
                budget.left -= count

        return spend

    def _rate(self, service: bool) -> int:
        return self._rates.service if service else self._rates.person

    def _budget(self, key: _Key, *, service: bool) -> _Budget:
        rate = self._rate(service)
        found = self._budgets.get(key)
        if found is None:
            found = self._budgets[key] = _Budget(rate, self._clock())
            if len(self._budgets) > _REMEMBERED:
                self._budgets.popitem(last=False)
        found.rate, found.service = rate, service
        self._budgets.move_to_end(key)
        return found


def too_many(count: int, rate: int) -> TooManySearches:
    return TooManySearches(
        f"too many searches of sealed fields: at most {rate} values may be looked for in a minute",
        hint="Look for fewer values at once."
        if count > rate
        else "Wait a moment, or ask the operator for a higher limit.",
    )


def unlimited(_count: int) -> None:
    """For tools and tests that are no client's."""
