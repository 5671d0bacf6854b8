"""The first packets of a connection, before anything has a type: parse and build.

Names and values of startup parameters are bytes: no encoding is agreed on yet.  A parameter that is sent twice counts
with its last value, as in PostgreSQL; because the startup packet for the server is always built anew, proxy and server
can not read one packet in two ways.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.errors import ProtocolViolation, SqlState

from .framing import message, startup_size
from .reader import Reader, pack_int32, pack_string, pack_uint32

PROTOCOL_3_0 = 0x0003_0000
PROTOCOL_3_2 = 0x0003_0002
HIGHEST_MINOR = 2
CANCEL_REQUEST_CODE = 80877102
SSL_REQUEST_CODE = 80877103
GSSENC_REQUEST_CODE = 80877104
TLS_HANDSHAKE = 0x16  # first byte of a TLS ClientHello: direct TLS, without an SSLRequest (PostgreSQL 17)
PROTOCOL_OPTION_PREFIX = b"_pq_."
CANCEL_KEY_MINIMUM = 4
CANCEL_KEY_MAXIMUM = 256

SSL_REQUEST_PACKET = pack_int32(8) + pack_int32(SSL_REQUEST_CODE)
GSSENC_REQUEST_PACKET = pack_int32(8) + pack_int32(GSSENC_REQUEST_CODE)


@dataclass(frozen=True, slots=True)
class StartupMessage:
    """`protocol` is major << 16 | minor as the client asked; `protocol_options` holds the `_pq_.` parameters."""

    parameters: dict[bytes, bytes] = field(repr=False)
    protocol: int = PROTOCOL_3_0
    protocol_options: dict[bytes, bytes] = field(default_factory=dict, repr=False)

    @property
    def minor(self) -> int:
        return self.protocol & 0xFFFF

    @property
    def user(self) -> bytes:
        return self.parameters[b"user"]

    @property
    def database(self) -> bytes:
        """As PostgreSQL: absent or empty means the user's name."""
        return self.parameters.get(b"database") or self.user

    @property
    def options(self) -> tuple[tuple[bytes, bytes], ...]:
        """The settings in the `options` parameter, in order; see `parse_options`."""
        return parse_options(self.parameters.get(b"options", b""))

    @property
    def replication(self) -> bool:
        """A walsender connection: `replication` is `database` or any true; what is not clearly false counts as true."""
        wanted = self.parameters.get(b"replication", b"off").strip().lower()
        return wanted not in (b"0", b"off", b"of", b"no", b"n", b"false", b"fals", b"fal", b"fa", b"f")

    def negotiated_minor(self) -> int:
        return min(self.minor, HIGHEST_MINOR)

    def needs_negotiation(self) -> bool:
        return self.minor > HIGHEST_MINOR or bool(self.protocol_options)

    def build(self) -> bytes:
        body = [pack_uint32(self.protocol)]
        for name, value in (*self.parameters.items(), *self.protocol_options.items()):
            if not name:
                raise ProtocolViolation("startup parameter without a name")
            body += (pack_string(name), pack_string(value))
        return _packet(b"".join(body) + b"\0")


@dataclass(frozen=True, slots=True)
class SslRequest:
    """The client asks for TLS; the answer is one byte, `S` or `N`."""


@dataclass(frozen=True, slots=True)
class GssEncRequest:
    """The client asks for GSSAPI encryption; the answer is one byte, `N`."""


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """`key` is 4 bytes in protocol 3.0 and up to 256 in 3.2; it is a secret."""

    process_id: int
    key: bytes = field(repr=False)

    def build(self) -> bytes:
        if not CANCEL_KEY_MINIMUM <= len(self.key) <= CANCEL_KEY_MAXIMUM:
            raise ProtocolViolation("invalid length of cancel key")
        return _packet(pack_int32(CANCEL_REQUEST_CODE) + pack_uint32(self.process_id) + self.key)


FirstPacket = StartupMessage | SslRequest | GssEncRequest | CancelRequest


def is_direct_tls(buffer: bytes | bytearray | memoryview) -> bool:
    """Whether the very first bytes of a connection begin a TLS handshake.  A packet's length can not begin so."""
    return len(buffer) > 0 and buffer[0] == TLS_HANDSHAKE


def parse_first_packet(packet: bytes) -> FirstPacket:
    """One whole untyped packet, its length included (see `framing.startup_size`)."""
    if startup_size(packet) != len(packet):
        raise ProtocolViolation("invalid length of startup packet")
    reader = Reader(packet, "startup", 4)
    code = reader.uint32()
    if code == CANCEL_REQUEST_CODE:
        return _cancel_request(reader)
    if code in (SSL_REQUEST_CODE, GSSENC_REQUEST_CODE):
        reader.finish()
        return SslRequest() if code == SSL_REQUEST_CODE else GssEncRequest()
    if code >> 16 != 3:
        raise ProtocolViolation(
            f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}: supported are 3.0 to 3.{HIGHEST_MINOR}",
            sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
        )
    return _startup_message(reader, code)


def parse_options(raw: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """The settings of an `options` parameter: `-c name=value`, `-cname=value` and `--name=value`.

    Every other switch of the postgres program changes what later statements mean or is a debugging aid: refused.
    """
    words = iter(_split_options(raw))
    settings: list[tuple[bytes, bytes]] = []
    for word in words:
        if word == b"-c":
            setting = next(words, b"")
        elif word.startswith((b"-c", b"--")):
            setting = word[2:]
        else:
            raise _bad_options()
        name, equals, value = setting.partition(b"=")
        if not name or not equals:
            raise _bad_options()
        settings.append((name.replace(b"-", b"_"), value))  # as ParseLongOption() in guc.c
    return tuple(settings)


def build_options(settings: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """An `options` parameter that PostgreSQL reads as these settings."""
    return b" ".join(b"-c " + _escaped(name) + b"=" + _escaped(value) for name, value in settings)


def negotiate_protocol_version(protocol: int, unknown_options: tuple[bytes, ...]) -> bytes:
    """NegotiateProtocolVersion: the version we will speak (major << 16 | minor), the `_pq_.` names we do not know."""
    names = b"".join(map(pack_string, unknown_options))
    return message(b"v", pack_uint32(protocol) + pack_int32(len(unknown_options)) + names)


def _packet(body: bytes) -> bytes:
    packet = pack_int32(len(body) + 4) + body
    startup_size(packet)  # refuses what no server would read
    return packet


def _cancel_request(reader: Reader) -> CancelRequest:
    process_id = reader.uint32()
    if not CANCEL_KEY_MINIMUM <= reader.left <= CANCEL_KEY_MAXIMUM:
        raise ProtocolViolation("invalid length of cancel key")
    return CancelRequest(process_id, reader.rest())


def _startup_message(reader: Reader, protocol: int) -> StartupMessage:
    parameters: dict[bytes, bytes] = {}
    options: dict[bytes, bytes] = {}
    while name := reader.string():
        value = reader.string()
        (options if name.startswith(PROTOCOL_OPTION_PREFIX) else parameters)[name] = value
    reader.finish()  # the terminator is the last byte
    if not parameters.get(b"user"):
        raise ProtocolViolation(
            "no PostgreSQL user name specified in startup packet", sqlstate=SqlState.INVALID_AUTHORIZATION
        )
    return StartupMessage(parameters, protocol, options)


_SPACE = b" \t\n\v\f\r"
_BACKSLASH = 0x5C


def _split_options(raw: bytes) -> list[bytes]:
    """As pg_split_opts(): words at white space; a backslash takes the next byte as it is."""
    words: list[bytes] = []
    position = 0
    while True:
        while position < len(raw) and raw[position] in _SPACE:
            position += 1
        if position >= len(raw):
            return words
        word = bytearray()
        while position < len(raw) and raw[position] not in _SPACE:
            if raw[position] == _BACKSLASH:
                position += 1
            word += raw[position : position + 1]
            position += 1
        words.append(bytes(word))


def _escaped(text: bytes) -> bytes:
    return b"".join(b"\\" + bytes((byte,)) if byte in _SPACE or byte == _BACKSLASH else bytes((byte,)) for byte in text)


def _bad_options() -> ProtocolViolation:
    return ProtocolViolation(
        "invalid command-line argument in the options parameter",
        sqlstate=SqlState.SYNTAX_ERROR,
        hint="Use -c name=value or --name=value.",
    )
