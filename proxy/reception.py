"""From an accepted connection to a session: the client's login, our login upstream, one greeting.

The pure `ClientLogin` decides; this shell does the TLS, asks the doorman, dials the server.  One task exists per login,
none afterwards.  While it waits nothing is read from the client.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from proxy.errors import FieldgateError, LoginRefused, SqlState, UpstreamUnavailable
from proxy.session.login import (
    Authenticated,
    CancelWanted,
    ClientLogin,
    LoginEvent,
    LoginRules,
    NeedVerifier,
    Refused,
    StartTls,
)
from proxy.wire.backend import build_backend_key_data, build_ready_for_query
from proxy.wire.startup import PROTOCOL_3_2, StartupMessage

from .admission import Admission, Doorman
from .cancel import CancelDesk
from .connection import Relay
from .dialling import ServerRefused
from .leg import Leg
from .limits import ConnectionLimits, FailedLogins, LimitReached, address_key
from .logs import Logger, describe
from .relaying import RelayServices
from .tls import TlsIdentity, certificate_names
from .upstream import Connector, Dialled

_LINGER = 10.0  # seconds for a refused client to read why


@dataclass(slots=True)
class ReceptionServices:
    """What all logins of one worker share.  `identity` is replaced when certificates are reloaded."""

    rules: LoginRules
    identity: TlsIdentity | None
    doorman: Doorman
    connector: Connector
    relay: RelayServices
    limits: ConnectionLimits
    failed_logins: FailedLogins
    cancels: CancelDesk
    logger: Logger
    started: Callable[[Relay], None]  # a session began
    gone: Callable[[Reception], None]  # this login is over, one way or the other


class Reception:
    """Owns the client's leg until the session begins."""

    def __init__(self, services: ReceptionServices, leg: Leg) -> None:
        self._services = services
        self._leg = leg
        self._login = ClientLogin(services.rules)
        self._identity = services.identity  # a reload does not change it in mid-login
        self._address = address_key(leg.peer)
        self._admitted_login: str | None = None
        self._admitted = False
        self._full: LimitReached | None = None
        self._over = False
        self._work: asyncio.Task[None] | None = None

    def begin(self) -> None:
        try:
            self._services.limits.admit_address(self._address)
            self._admitted = True
        except LimitReached as error:
            self._full = error  # said once the client has told what it wants: cancels still pass

    # -- the leg's news --

    def received(self, data: bytes) -> None:
        self._do(self._login.receive(data))

    def tls_ready(self) -> None:
        tls = self._leg.tls
        if tls is None or self._identity is None:
            return
        certificate = tls.peer_certificate()
        names = certificate_names(certificate) if certificate else frozenset()
        end_point = self._identity.end_point
        self._do(self._login.tls_established(end_point=end_point, alpn=tls.alpn(), certificate_names=names))

    def ended(self) -> None:
        self._end()

    def lost(self, error: Exception | None) -> None:
        if error is not None and not self._over:
            self._services.logger.info("login_lost", address=self._address, **describe(error))
        self._end()
        self._release()

    def congested(self, full: bool) -> None:
        """A login fits every buffer."""

    def timed_out(self) -> None:
        """Too long; a client that has not even begun gets no answer."""
        self._services.logger.info("login_timeout", address=self._address)
        if self._work is not None and not self._work.done():
            self._refuse(UpstreamUnavailable("the database server did not answer in time"))
        else:
            self._leg.abort()

    # -- steps --

    def _do(self, events: list[LoginEvent]) -> None:
        if self._over:
            return
        if not any(isinstance(event, Authenticated) for event in events):
            self._flush()  # else what was said goes out with the greeting, in one write
        for event in events:
            if isinstance(event, StartTls) and self._identity is not None:
                self._leg.start_tls(self._identity.context, server_side=True, first_bytes=event.first_bytes)
            elif isinstance(event, NeedVerifier):
                self._spawn(self._verify(event.login))
            elif isinstance(event, CancelWanted):
                self._spawn(self._cancel(event))
            elif isinstance(event, Authenticated):
                self._spawn(self._establish(event))
            elif isinstance(event, Refused):
                self._refused(event)

    def _flush(self) -> None:
        if output := self._login.take_output():
            self._leg.send(output)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        self._leg.pause(True)
        self._work = asyncio.get_running_loop().create_task(self._guard(work))

    async def _guard(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except FieldgateError as error:
            self._refuse(error)
        except Exception as error:  # noqa: BLE001 - a defect ends this login, and only this one
            self._services.relay.stats.internal_errors += 1
            self._services.logger.error("internal_error", **describe(error))
            self._refuse(FieldgateError("internal error of Fieldgate"))

    async def _verify(self, login: str) -> None:
        if self._full is not None:
            raise self._full
        self._services.failed_logins.check(self._address, login)
        events = self._login.provide_verifier(await self._services.doorman.verifier(login))
        self._leg.pause(False)
        self._do(events)

    async def _cancel(self, wanted: CancelWanted) -> None:
        """No answer, and the close comes only after the server has dealt with it, as with PostgreSQL itself."""
        found = await self._services.cancels.cancel(wanted.process_id, wanted.key)
        self._services.relay.stats.cancels["found" if found else "unknown"] += 1
        self._end()

    async def _establish(self, who: Authenticated) -> None:
        services = self._services
        if self._full is not None:
            raise self._full
        services.failed_logins.succeeded(self._address, who.login)
        services.limits.admit_login(who.login)
        self._admitted_login = who.login
        admission = services.doorman.admit(who)
        parameters = who.settings.upstream(
            admission.role.encode(), who.database.encode(), admission.principal.person, utf8=admission.protected
        )
        startup = StartupMessage(parameters, who.protocol)
        try:
            dialled = await services.connector.open(
                startup, admission.secret, admission.credential, inspect=admission.protected
            )
        except ServerRefused as error:
            self._server_refused(error, admission)
            return
        if admission.protected and (unfit := _unfit(dialled)) is not None:
            dialled.leg.owner = None
            dialled.leg.close()
            raise unfit
        self._open(who, admission, dialled)

    def _open(self, who: Authenticated, admission: Admission, dialled: Dialled) -> None:
        services, ready = self._services, dialled.ready
        if self._over:  # the client has gone meanwhile
            dialled.leg.owner = None
            dialled.leg.close()
            return
        session_id = secrets.token_hex(8)
        conversation = admission.converse(ready.settings, ready.search_path, session_id)
        relay = Relay(services.relay, self._leg, dialled, conversation, who.database)
        greeting = [self._login.take_output(), ready.greeting]
        if ready.process_id is not None:
            wide = who.protocol >= PROTOCOL_3_2
            key = services.cancels.keys.issue(ready.process_id, wide=wide, target=relay)
            greeting.append(build_backend_key_data(ready.process_id, key))
        greeting.append(build_ready_for_query(b"I"))
        relay.on_gone = self._session_gone(relay, ready.process_id)
        services.relay.stats.sessions += 1
        services.logger.info(
            "session_began",
            session=session_id,
            login=who.login,
            person=admission.principal.person,
            database=who.database,
            role=admission.role,
            host=str(dialled.host),
            address=self._address,
        )
        self._over = True
        services.gone(self)
        services.started(relay)
        relay.begin(b"".join(greeting), self._login.take_rest())

    def _session_gone(self, relay: Relay, process_id: int | None) -> Callable[[], None]:
        def gone() -> None:
            if process_id is not None:
                self._services.cancels.keys.withdraw(process_id, relay)
            self._release()

        return gone

    # -- ends --

    def _server_refused(self, error: ServerRefused, admission: Admission) -> None:
        """The server's own words only where they are about the client's own role and database."""
        self._services.logger.warning("upstream_refused", sqlstate=error.server_sqlstate, role=admission.role)
        about_login = error.server_sqlstate.startswith("28")
        if about_login and not admission.show_server_errors:
            raise UpstreamUnavailable("the database server does not accept the proxy's credentials for this login")
        self._count(str(error.server_sqlstate))
        self._flush()
        self._leg.send(error.raw)
        self._end()

    def _refused(self, event: Refused) -> None:
        if event.login is not None:
            self._services.failed_logins.failed(self._address, event.login)
        self._say_refused(event.error)
        self._end()

    def _refuse(self, error: FieldgateError) -> None:
        if self._over:
            return
        self._login.refuse(error)
        self._flush()
        self._say_refused(error)
        self._end()

    def _say_refused(self, error: FieldgateError) -> None:
        self._count(str(error.sqlstate))
        level = "warning" if isinstance(error, LoginRefused | LimitReached) else "info"
        getattr(self._services.logger, level)("login_refused", address=self._address, **describe(error))

    def _count(self, sqlstate: str) -> None:
        self._services.relay.stats.logins_refused[sqlstate] += 1

    def _end(self) -> None:
        """Say nothing more; whoever still works for this login stops."""
        if self._over:
            return
        self._over = True
        if self._work is not None and self._work is not asyncio.current_task():
            self._work.cancel()
        self._leg.finish(_LINGER)
        self._services.gone(self)

    def _release(self) -> None:
        if self._admitted:
            self._admitted = False
            self._services.limits.release_address(self._address)
        if self._admitted_login is not None:
            self._services.limits.release_login(self._admitted_login)
            self._admitted_login = None


def _unfit(dialled: Dialled) -> FieldgateError | None:
    """Why this upstream session cannot be used where tables are protected."""
    if dialled.ready.over_privileged is not False:
        return FieldgateError(
            "this role may read around every privilege, so it may not use a database with protected tables here",
            sqlstate=SqlState.INVALID_AUTHORIZATION,
            hint="Superusers and members of pg_read_all_data and the like connect to the server directly.",
        )
    if dialled.ready.settings.get("standard_conforming_strings") != "on":  # from options, ALTER ROLE or ALTER DATABASE
        return FieldgateError(
            "standard_conforming_strings must be on in a database with protected tables",
            sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
            hint="Take it out of the connection's options and of ALTER ROLE and ALTER DATABASE.",
        )
    return None
