"""SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL speaks it, both sides, with tls-server-end-point channel binding.

The exchanges are our own because scramp's can not serve here: it refuses the empty user name that libpq sends, does
not give the client key out, and can not log in with keys instead of a password.  scramp gives SASLprep, and is the
other side in the tests.  Messages are bytes, exactly as they stand in the SASL messages; the AuthMessage is made of
what was really sent.  A malformed message is a ProtocolViolation, a failed proof LoginRefused, and a server that fails
its own proof or asks too much UpstreamUnavailable.
"""

from .client import MAXIMUM_ITERATIONS, ScramClient
from .keys import (
    DEFAULT_ITERATIONS,
    ScramKeys,
    Verifier,
    derive_keys,
    make_verifier,
    mock_verifier,
    parse_verifier,
    prepare_password,
)
from .messages import SCRAM_SHA_256, SCRAM_SHA_256_PLUS
from .server import ScramServer

__all__ = [
    "DEFAULT_ITERATIONS",
    "MAXIMUM_ITERATIONS",
    "SCRAM_SHA_256",
    "SCRAM_SHA_256_PLUS",
    "ScramClient",
    "ScramKeys",
    "ScramServer",
    "Verifier",
    "derive_keys",
    "make_verifier",
    "mock_verifier",
    "parse_verifier",
    "prepare_password",
]
