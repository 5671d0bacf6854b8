"""How many connections there may be, and how often a login may fail.  Pure counting; the clock is handed in.

Failed logins are counted by address and by login; an address that has logged in as the login before is counted with it
as a pair instead.  So guessing is slowed from one place and from many, and nobody can lock out someone who works from a
known place.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from proxy.config import LimitsConfig
from proxy.errors import FieldgateError, SqlState

_REMEMBERED = 10_000  # addresses, logins and pairs; the oldest are forgotten first


class LimitReached(FieldgateError):
    """Too many connections, or too many failed logins."""

    sqlstate = SqlState.TOO_MANY_CONNECTIONS


class ConnectionLimits:
    """Counts what is open.  Every `admit_*` that did not raise is followed by one `release_*`."""

    def __init__(self, config: LimitsConfig) -> None:
        self._config = config
        self._total = 0
        self._addresses: Counter[str] = Counter()
        self._logins: Counter[str] = Counter()

    @property
    def total(self) -> int:
        return self._total

    def configure(self, config: LimitsConfig) -> None:
        """New limits for whoever comes from now on."""
        self._config = config

    def admit_address(self, address: str) -> None:
        if self._total >= self._config.connections:
            raise LimitReached("too many connections")
        if self._addresses[address] >= self._config.connections_per_address:
            raise LimitReached("too many connections from this address")
        self._total += 1
        self._addresses[address] += 1

    def release_address(self, address: str) -> None:
        self._total -= 1
        _release(self._addresses, address)

    def admit_login(self, login: str) -> None:
        if self._logins[login] >= self._config.connections_per_login:
            raise LimitReached("too many connections for this login")
        self._logins[login] += 1

    def release_login(self, login: str) -> None:
        _release(self._logins, login)


def _release(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0
    blocked_until: float = 0.0


_Key = tuple[str, str, str]


class FailedLogins:
    """Refuses further tries for a while after too many failures in a row, for twice as long each time."""

    def __init__(self, config: LimitsConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._failures: OrderedDict[_Key, _Failures] = OrderedDict()
        self._known: OrderedDict[_Key, None] = OrderedDict()

    def configure(self, config: LimitsConfig) -> None:
        self._config = config

    def check(self, address: str, login: str) -> None:
        """Before a proof is looked at; an unknown login is treated as any other."""
        for key in self._keys(address, login):
            found = self._failures.get(key)
            if found is not None and found.blocked_until > self._clock():
                raise LimitReached("too many failed logins; try again later", sqlstate=SqlState.INVALID_AUTHORIZATION)

    def failed(self, address: str, login: str) -> None:
        now = self._clock()
        for key in self._keys(address, login):
            found = self._failures.setdefault(key, _Failures())
            self._failures.move_to_end(key)
            if now - max(found.last, found.blocked_until) > self._config.failed_login_delay_max:
                found.count = 0  # long quiet
            found.count, found.last = found.count + 1, now
            excess = found.count - self._config.failed_logins
            if excess >= 0:
                delay = self._config.failed_login_delay * 2.0 ** min(excess, 30)
                found.blocked_until = now + min(delay, self._config.failed_login_delay_max)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, address: str, login: str) -> None:
        """The address's own count stays, or one good login would buy its owner unlimited guesses at others'."""
        pair = ("pair", address, login)
        self._failures.pop(pair, None)
        self._failures.pop(("login", login, ""), None)
        self._known[pair] = None
        self._known.move_to_end(pair)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _keys(self, address: str, login: str) -> list[_Key]:
        pair = ("pair", address, login)
        return [pair] if pair in self._known else [("address", address, ""), ("login", login, "")]


def address_key(peer: object) -> str:
    """What counts as one address: an IPv4 address, an IPv6 /64, or everyone who comes by a unix socket."""
    if not isinstance(peer, tuple) or not peer:
        return "unix"
    try:
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    except ValueError:
        return str(peer[0])
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
