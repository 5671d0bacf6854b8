"""What a client's startup packet asks for: what is Fieldgate's own, and what is handed on to the server.

`fieldgate.*` settings, whether parameters of the packet or `-c` settings in `options`, never reach the server as the
client wrote them.  Everything else is passed on; the packet for the server is always built anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.errors import FieldgateError, SqlState
from proxy.wire.startup import StartupMessage, build_options, parse_options

OWN_PREFIX = b"fieldgate."
OWN_SETTINGS = frozenset(("purpose", "person", "case", "subject"))
_NOT_PASSED = frozenset((b"user", b"database", b"options"))
_ENCODING = b"client_encoding"
_UTF8 = frozenset((b"utf8", b"unicode", b"sqlascii"))  # SQL_ASCII asks for no conversion: UTF-8 serves it


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """`own` are Fieldgate's (purpose, person, case, subject); `options` and `parameters` go to the server."""

    own: dict[str, str] = field(default_factory=dict)
    options: tuple[tuple[bytes, bytes], ...] = ()
    parameters: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    replication: bool = False
    utf8: bool = True  # False: the packet asks for another client_encoding

    def upstream(self, user: bytes, database: bytes, principal: str, *, utf8: bool) -> dict[bytes, bytes]:
        """Parameters of the startup packet for the server.  Ours come last: of two settings the last one counts.

        `utf8`: the session must speak UTF-8, whatever the client asks for (see `is_utf8`).
        """
        ours = [(b"fieldgate.principal", principal.encode("utf-8"))]
        parameters = {b"user": user, b"database": database, **self.parameters}
        if utf8:
            parameters = {name: value for name, value in parameters.items() if name.lower() != _ENCODING}
            ours.append((_ENCODING, b"UTF8"))
        return {**parameters, b"options": build_options((*self.options, *ours))}


def read_settings(startup: StartupMessage) -> ClientSettings:
    """Raises for settings of ours that do not exist."""
    own: dict[str, str] = {}
    parameters: dict[bytes, bytes] = {}
    for name, value in startup.parameters.items():
        if _is_own(name):
            own |= _own(name, value)
        elif name not in _NOT_PASSED:
            parameters[name] = value
    options: list[tuple[bytes, bytes]] = []
    for name, value in parse_options(startup.parameters.get(b"options", b"")):
        if _is_own(name):
            own |= _own(name, value)
        else:
            options.append((name, value))
    everything = (*parameters.items(), *options)
    utf8 = all(_is_utf8(value) for name, value in everything if name.lower() == _ENCODING)
    return ClientSettings(own, tuple(options), parameters, startup.replication, utf8)


def _is_own(name: bytes) -> bool:
    return name.lower().startswith(OWN_PREFIX)


def _own(name: bytes, value: bytes) -> dict[str, str]:
    setting = name.lower().removeprefix(OWN_PREFIX).decode("ascii", "replace")
    if setting not in OWN_SETTINGS:
        raise FieldgateError(
            "unknown setting of Fieldgate in the startup packet",
            sqlstate=SqlState.INVALID_AUTHORIZATION,
            hint=f"Known are: {', '.join(sorted(OWN_SETTINGS))}.",
        )
    return {setting: value.decode("utf-8", "replace")}


def _is_utf8(value: bytes) -> bool:
    return value.strip(b"'\"").lower().replace(b"-", b"").replace(b"_", b"") in _UTF8
