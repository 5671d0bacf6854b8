"""Authentication requests of the server (`R`): parse and build."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from .framing import message
from .reader import Reader, pack_int32, pack_string


class AuthenticationKind(IntEnum):
    """The first int32 of an Authentication message."""

    OK = 0
    KERBEROS_V5 = 2
    CLEARTEXT_PASSWORD = 3
    MD5_PASSWORD = 5
    GSS = 7
    GSS_CONTINUE = 8
    SSPI = 9
    SASL = 10
    SASL_CONTINUE = 11
    SASL_FINAL = 12


@dataclass(frozen=True, slots=True)
class Authentication:
    """`mechanisms` is filled for SASL; `data` is the md5 salt, or what the mechanism says."""

    kind: AuthenticationKind
    mechanisms: tuple[bytes, ...] = ()
    data: bytes = field(default=b"", repr=False)

    def build(self) -> bytes:
        names = b"".join(map(pack_string, self.mechanisms)) + b"\0" if self.kind is AuthenticationKind.SASL else b""
        return message(b"R", pack_int32(self.kind) + names + self.data)


_WITH_DATA = frozenset(
    (AuthenticationKind.GSS_CONTINUE, AuthenticationKind.SASL_CONTINUE, AuthenticationKind.SASL_FINAL)
)


def parse_authentication(body: bytes) -> Authentication:
    reader = Reader(body, "Authentication")
    code = reader.int32()
    try:
        kind = AuthenticationKind(code)
    except ValueError:
        raise reader.malformed() from None
    mechanisms: tuple[bytes, ...] = ()
    data = b""
    if kind is AuthenticationKind.SASL:
        mechanisms = _mechanisms(reader)
    elif kind is AuthenticationKind.MD5_PASSWORD:
        data = reader.take(4)
    elif kind in _WITH_DATA:
        data = reader.rest()
    reader.finish()
    return Authentication(kind, mechanisms, data)


AUTHENTICATION_OK = Authentication(AuthenticationKind.OK).build()
CLEARTEXT_PASSWORD = Authentication(AuthenticationKind.CLEARTEXT_PASSWORD).build()


def _mechanisms(reader: Reader) -> tuple[bytes, ...]:
    names: list[bytes] = []
    while name := reader.string():
        names.append(name)
    return tuple(names)
