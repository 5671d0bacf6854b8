"""Accepts clients, counts them, watches the clock, drains.

One timer a second looks at everything that may take too long (logins, clients that take no data); there is no timer for
a connection or a message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from proxy.errors import ConfigError

from .config import LimitsConfig, ListenerConfig
from .leg import Leg
from .logs import Logger
from .reception import Reception, ReceptionServices
from .relaying import RunningSession

_TICK = 1.0
_LAST_WORDS = 2.0  # seconds for what was said last to be sent


class Listener:
    """The client port of one worker.  `reception` gives the services of new logins (they change on reload)."""

    def __init__(
        self, config: ListenerConfig, limits: LimitsConfig, clock: Callable[[], float], logger: Logger
    ) -> None:
        self._config = config
        self._limits = limits
        self._clock = clock
        self._logger = logger
        self._services: ReceptionServices | None = None
        self._server: asyncio.Server | None = None
        self.port = 0
        self._ticking: asyncio.TimerHandle | None = None
        self._receptions: dict[Reception, float] = {}  # when it must be done
        self._relays: set[RunningSession] = set()
        self._lingering: set[RunningSession] = set()  # over, but their sockets are not closed yet
        self._news = asyncio.Event()  # one of these sets has become smaller

    @property
    def open_sessions(self) -> int:
        return len(self._relays)

    async def start(self, services: ReceptionServices, **listen: Any) -> None:
        """`listen` goes to `create_server` and wins over the configuration's host and port."""
        self._services = services
        loop = asyncio.get_running_loop()
        where = {"host": self._config.host, "port": self._config.port, **listen}
        try:
            self._server = await loop.create_server(self._leg, backlog=self._config.backlog, **where)
        except OSError as error:
            reason = error.strerror or "the address cannot be used"
            raise ConfigError(f"listener: cannot listen on {where['host']}:{where['port']}: {reason}") from None
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._ticking = loop.call_later(_TICK, self._tick)

    def session_began(self, relay: RunningSession) -> None:
        self._relays.add(relay)

    def session_ended(self, relay: RunningSession) -> None:
        self._relays.discard(relay)
        self._lingering.add(relay)
        self._news.set()

    def session_gone(self, relay: RunningSession) -> None:
        self._lingering.discard(relay)
        self._news.set()

    def login_over(self, reception: Reception) -> None:
        self._receptions.pop(reception, None)

    async def stop(self, drain: float) -> None:
        """Accept no more; end sessions as they come to rest, and all of them after `drain` seconds."""
        if self._services is None or self._server is None:
            return
        self._server.close()
        self._services.relay.draining = True
        for relay in list(self._relays):
            relay.shut_down_if_idle()
        await self._until_none(self._relays, drain)
        for relay in list(self._relays):
            relay.shut_down()
        for reception in list(self._receptions):
            reception.timed_out()
        await self._until_none(self._lingering, _LAST_WORDS)
        for relay in list(self._lingering):
            relay.abort()
        await self._until_none(self._lingering, _LAST_WORDS)
        if self._ticking is not None:
            self._ticking.cancel()

    async def _until_none(self, those: set[RunningSession], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while those:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass

    def _leg(self) -> Leg:
        return _Entrance(self._arrived, self._limits.write_buffer)

    def _arrived(self, leg: Leg) -> None:
        if self._services is None:
            return
        if len(self._receptions) >= self._limits.connections:
            leg.abort()  # more logins at once than connections are allowed: no time for words
            return
        self._services.relay.stats.connections += 1
        reception = Reception(self._services, leg)
        leg.owner = reception
        self._receptions[reception] = self._clock() + self._limits.startup_timeout
        reception.begin()

    def _tick(self) -> None:
        now = self._clock()
        for reception in [r for r, deadline in self._receptions.items() if deadline <= now]:
            self.login_over(reception)
            reception.timed_out()
        patience = self._limits.client_write_timeout
        for relay in [r for r in self._relays if r.congested_since is not None]:
            if relay.congested_since is not None and now - relay.congested_since > patience:
                relay.write_timed_out()
        self._ticking = asyncio.get_running_loop().call_later(_TICK, self._tick)


class _Entrance(Leg):
    """A leg that tells the listener when it is connected."""

    __slots__ = ("_arrived",)

    def __init__(self, arrived: Callable[[Leg], None], write_buffer: int) -> None:
        super().__init__(None, write_buffer)
        self._arrived = arrived

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._arrived(self)
