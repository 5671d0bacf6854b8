"""The composition root: the only module that knows every concrete class.

`Worker.assemble` loads and verifies everything and raises a FieldgateError if anything is wrong (I9); nothing listens
before it has returned.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from dataclasses import dataclass
from typing import Any

from policies.model import Principal
from proxy.errors import FieldgateError
from proxy.session.login import LoginRules
from proxy.session.services import SessionServices

from .cancel import CancelDesk, CancelKeys
from .config import Config
from .connection import ConversationLike, RelayServices
from .control import Control
from .databases import PlainDatabase
from .doorman import Credentials, Door, load_verifiers
from .limits import ConnectionLimits, FailedLogins
from .listener import Listener
from .logs import Logger
from .metrics import StatsCollector, WorkerStats
from .reception import ReceptionServices
from .tls import server_identity
from .upstream import Connector


def make_conversation(
    services: SessionServices, principal: Principal, settings: dict[str, str], search_path: str | None, session_id: str
) -> ConversationLike:
    from proxy.session.conversation import Conversation
    from proxy.session.settings import parse_search_path

    path = None if search_path is None else parse_search_path(search_path)
    return Conversation(services, principal, settings, path, session_id)


@dataclass(slots=True)
class Worker:
    """One process's share of the proxy."""

    config: Config
    logger: Logger
    stats: WorkerStats
    listener: Listener
    services: ReceptionServices
    control: Control | None

    @classmethod
    async def assemble(cls, config: Config, logger: Logger, number: int = 0, ask_peers: Any = None) -> Worker:
        clock = asyncio.get_running_loop().time
        stats = WorkerStats()
        control = Control(config.control, config.upstream) if config.control else None
        listener = Listener(config.listener, config.limits, clock, logger)
        connector = Connector(config.upstream, config.limits.write_buffer)
        identity = server_identity(config.listener)
        door = Door(
            config.upstream,
            Credentials.load(config.upstream),
            load_verifiers(config.logins),
            {},
            PlainDatabase,
            control.verifier if control is not None and config.upstream.pass_through else None,
            make_conversation,
        )
        relay = RelayServices(
            stats=stats,
            logger=logger,
            connector=connector,
            audit=None,
            refresh_catalog=lambda _database: None,
            clock=clock,
            client_linger=config.limits.client_write_timeout,
            over=listener.session_over,
        )
        services = ReceptionServices(
            rules=LoginRules(
                config.listener.method, identity is not None, config.listener.allow_plaintext, secrets.token_bytes(32)
            ),
            identity=identity,
            doorman=door,
            connector=connector,
            relay=relay,
            limits=ConnectionLimits(config.limits),
            failed_logins=FailedLogins(config.limits, clock),
            cancels=CancelDesk(CancelKeys(number), ask_peers, config.limits.cancels_in_progress),
            logger=logger,
            started=listener.session_began,
            gone=listener.login_over,
        )
        return cls(config, logger, stats, listener, services, control)

    async def start(self, **listen: Any) -> None:
        await self.listener.start(self.services, **listen)

    async def stop(self) -> None:
        await self.listener.stop(self.config.process.drain_timeout)
        if self.control is not None:
            await self.control.close()
