"""The bytes of a sealed cell: layout, header, associated data.  Pure; docs/envelope.md says the same in words.

    offset  length  what
    0       2       magic F9 67
    2       1       version 01
    3       1       scheme: bit 0 has a term, bit 1 bound to a row, bit 2 padded, bit 3 has search tokens,
                    bit 4 has a second term, bit 5 the (first) term is of an even epoch,
                    bit 6 sealed under the data subject's secret, too
    4       8       key id
    12      16      equality term, iff bit 0
    ...     2 + 4n  the number of search tokens, and the tokens, ascending; iff bit 3
    ...     16      second equality term, iff bits 0 and 4
    ...     12      nonce
    ...     n       ciphertext
    -16     16      tag

The first 12 bytes are the *head*.  Everything before the nonce is authenticated, followed by the context that the
cell stands in: controller, field and, iff bit 1, the row's key.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

from .errors import EnvelopeInvalid
from .primitives import NONCE_SIZE, TAG_SIZE, random_bytes

MAGIC = b"\xf9\x67"
VERSION = 1
KEY_ID_SIZE = 8
HEAD_SIZE = 12
TERM_SIZE = 16
TERM_END = HEAD_SIZE + TERM_SIZE
TOKEN_COUNT_SIZE = 2
TOKEN_SIZE = 4
MAX_TOKENS = 1 << 14  # a cell that would have more has ANY_TOKEN alone
ANY_TOKEN = bytes(TOKEN_SIZE)
LENGTH_SIZE = 4
ERASED_SIZE = NONCE_SIZE + 2 * TAG_SIZE  # of the zeros at the end of an erased cell
FIELD_ID_SIZE = 16

# PostgreSQL's largest bytea is 1 GiB - 1 with its own header; room is left for ours, a tag and one bucket of padding.
MAX_PLAINTEXT = (1 << 30) - (1 << 20)
MAX_BUCKET = 1 << 19


class Scheme(IntFlag):
    """What follows the head and what the associated data holds."""

    PLAIN = 0
    TERM = 1
    ROW_BOUND = 2
    PADDED = 4
    TOKENS = 8
    SECOND = 16  # while a term key is rotated: terms and tokens of the next epoch, too
    EVEN = 32  # the term (the first of two) is of an even epoch, so SQL can tell the two columns of terms apart
    SUBJECT = 64  # sealed under the data subject's secret, too, inside; always bound to the subject's key


ALL_SCHEMES = int(
    Scheme.TERM | Scheme.ROW_BOUND | Scheme.PADDED | Scheme.TOKENS | Scheme.SECOND | Scheme.EVEN | Scheme.SUBJECT
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One envelope taken apart; nothing in it has been authenticated."""

    scheme: Scheme
    key_id: bytes
    term: bytes | None
    nonce: bytes
    sealed: bytes  # ciphertext and tag
    tokens: bytes = b""  # as they stand there, one behind the other
    second_term: bytes | None = None

    @property
    def header(self) -> bytes:
        """All bytes before the nonce."""
        tokens = build_tokens(self.tokens) if self.scheme & Scheme.TOKENS else b""
        return build_head(self.scheme, self.key_id) + (self.term or b"") + tokens + (self.second_term or b"")


def scheme_of(
    *,
    term: bool,
    row_bound: bool,
    padded: bool,
    tokens: bool = False,
    second: bool = False,
    even: bool = False,
    per_subject: bool = False,
) -> Scheme:
    return Scheme(
        (Scheme.TERM if term else 0)
        | (Scheme.ROW_BOUND if row_bound else 0)
        | (Scheme.PADDED if padded else 0)
        | (Scheme.TOKENS if tokens else 0)
        | (Scheme.SECOND if second else 0)
        | (Scheme.EVEN if even else 0)
        | (Scheme.SUBJECT if per_subject else 0)
    )


def scheme_is_known(scheme: int) -> bool:
    """Epochs of terms are told only where there is a term or tokens; a subject's cells are bound to the subject."""
    epochs = bool(scheme & (Scheme.TERM | Scheme.TOKENS)) or not scheme & (Scheme.SECOND | Scheme.EVEN)
    bound = bool(scheme & Scheme.ROW_BOUND) or not scheme & Scheme.SUBJECT
    return not scheme & ~ALL_SCHEMES and epochs and bound


def build_head(scheme: Scheme, key_id: bytes) -> bytes:
    """The 12 bytes that every cell of this scheme and key begins with; the CHECK names them."""
    if len(key_id) != KEY_ID_SIZE:
        raise ValueError("a key id has 8 bytes")
    return MAGIC + bytes((VERSION, int(scheme))) + key_id


def tokens_at(scheme: int) -> int:
    """Where the number of tokens stands, when there are any; else where the nonce does."""
    return TERM_END if scheme & Scheme.TERM else HEAD_SIZE


def second_size(scheme: int) -> int:
    """How long the part of the header behind the tokens is."""
    return TERM_SIZE if scheme & Scheme.TERM and scheme & Scheme.SECOND else 0


def header_size(scheme: int) -> int:
    """Of a header without tokens."""
    return tokens_at(scheme) + (TOKEN_COUNT_SIZE if scheme & Scheme.TOKENS else 0) + second_size(scheme)


def header_end(envelope: bytes, start: int) -> int:
    """The end of the tokens whose number stands at `start`; the caller knows that so many bytes are there."""
    count = int.from_bytes(envelope[start : start + TOKEN_COUNT_SIZE], "big")
    return start + TOKEN_COUNT_SIZE + TOKEN_SIZE * count


def build_tokens(tokens: bytes) -> bytes:
    """The part of the header that holds these tokens."""
    return (len(tokens) // TOKEN_SIZE).to_bytes(TOKEN_COUNT_SIZE, "big") + tokens


def minimum_size(scheme: int, bucket: int = 0) -> int:
    """The length of the shortest envelope; a padded one holds at least one bucket."""
    tags = 2 * TAG_SIZE if scheme & Scheme.SUBJECT else TAG_SIZE
    return header_size(scheme) + NONCE_SIZE + max(bucket, LENGTH_SIZE if scheme & Scheme.PADDED else 0) + tags


def looks_sealed(value: bytes) -> bool:
    """Whether the bytes begin as an envelope does.  A guard against leaks, never a reason to open anything."""
    return value[:2] == MAGIC


def parse(envelope: bytes) -> Envelope:
    """Takes an envelope apart.  Raises EnvelopeInvalid, with lengths checked before anything is read."""
    if len(envelope) < HEAD_SIZE + NONCE_SIZE + TAG_SIZE:
        raise EnvelopeInvalid("the bytes are too short for an envelope")
    if envelope[:2] != MAGIC:
        raise EnvelopeInvalid("the bytes are no envelope")
    if envelope[2] != VERSION:
        raise EnvelopeInvalid("the envelope's version is unknown")
    if not scheme_is_known(envelope[3]):
        raise EnvelopeInvalid("the envelope's scheme is unknown")
    scheme = Scheme(envelope[3])
    if len(envelope) < minimum_size(scheme):
        raise EnvelopeInvalid("the envelope is too short for its scheme")
    before = tokens_at(scheme)
    behind = header_end(envelope, before) if scheme & Scheme.TOKENS else before
    start = behind + second_size(scheme)
    if len(envelope) < start - header_size(scheme) + minimum_size(scheme):
        raise EnvelopeInvalid("the envelope is too short for its search tokens")
    return Envelope(
        scheme=scheme,
        key_id=envelope[4:HEAD_SIZE],
        term=envelope[HEAD_SIZE:TERM_END] if scheme & Scheme.TERM else None,
        nonce=envelope[start : start + NONCE_SIZE],
        sealed=envelope[start + NONCE_SIZE :],
        tokens=envelope[before + TOKEN_COUNT_SIZE : behind] if scheme & Scheme.TOKENS else b"",
        second_term=envelope[behind:start] if start > behind else None,
    )


def erased(head: bytes) -> bytes:
    """A cell of this head that nothing was ever in: zeros, and where terms stand random bytes, which find nothing.

    It stands where a data subject's cell may not be NULL; it opens for nobody.
    """
    scheme = head[3]
    term = random_bytes(TERM_SIZE) if scheme & Scheme.TERM else b""
    tokens = build_tokens(b"") if scheme & Scheme.TOKENS else b""
    second = random_bytes(second_size(scheme))
    return head + term + tokens + second + bytes(ERASED_SIZE)


def prefixed(part: bytes) -> bytes:
    """The part under its own length, so that no two different lists of parts give the same bytes."""
    return len(part).to_bytes(LENGTH_SIZE, "big") + part


def context(controller: str, field_id: str) -> bytes:
    """What follows the header in the associated data of every cell of a field."""
    return prefixed(controller.encode()) + field_id_bytes(field_id)


def field_id_bytes(field_id: str) -> bytes:
    """A field id has exactly one spelling: 32 lower-case hex digits."""
    if len(field_id) != 2 * FIELD_ID_SIZE or not set(field_id) <= set("0123456789abcdef"):
        raise ValueError("a field id is 32 lower-case hex digits")
    return bytes.fromhex(field_id)


def pad(plaintext: bytes, bucket: int) -> bytes:
    """The length, the plaintext, and zeros up to a multiple of the bucket."""
    length = LENGTH_SIZE + len(plaintext)
    return prefixed(plaintext) + bytes(-length % bucket)


def unpad(padded: bytes) -> bytes:
    """What `pad` was given.  Raises EnvelopeInvalid when the length inside cannot be (authenticated, so never ours)."""
    end = LENGTH_SIZE + int.from_bytes(padded[:LENGTH_SIZE], "big")
    if len(padded) < LENGTH_SIZE or end > len(padded) or padded.count(0, end) != len(padded) - end:
        raise EnvelopeInvalid("the envelope's padding is malformed")
    return padded[LENGTH_SIZE:end]
