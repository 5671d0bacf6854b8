"""What cells are found by, under one or two epochs of a field's term key: terms and search tokens.  Pure.

While a term key is rotated, each cell carries the terms and the tokens of both epochs, so that either finds it
(docs/envelope.md).  The class that uses this is keys/field.py's.
"""

from __future__ import annotations

from collections.abc import Callable

from .ciphers import Searching, TermKey
from .envelope import ANY_TOKEN, MAX_TOKENS, TOKEN_SIZE, Scheme, prefixed, scheme_is_known
from .normalisers import normaliser_of
from .primitives import keyed_hash
from .tokens.making import TokenMaker

TERM_LABEL = b"fieldgate term v1"
NORMALISED_TERM_LABEL = b"fieldgate normalised term v1"


def makers(
    controller: str, field_id: str, searching: Searching
) -> tuple[Callable[[bytes], bytes] | None, TokenMaker | None]:
    """From a term input to a whole hash, and the maker of tokens.  Raises NormaliserUnusable, TokensUnusable."""
    term, tokens = searching.term, searching.tokens
    return (
        _term_function(controller, term) if term is not None else None,
        TokenMaker(controller, field_id, tokens.material, tokens.modes) if tokens is not None else None,
    )


def merged(tokens: bytes, following: bytes) -> bytes:
    """The tokens of two epochs in one list, ascending; one that is too long is found by every search."""
    if ANY_TOKEN in (tokens, following) or len(tokens) + len(following) > MAX_TOKENS * TOKEN_SIZE:
        return ANY_TOKEN
    return b"".join(sorted({*_cut(tokens), *_cut(following)}))


def _cut(tokens: bytes) -> list[bytes]:
    return [tokens[at : at + TOKEN_SIZE] for at in range(0, len(tokens), TOKEN_SIZE)]


def require_fitting(searching: Searching, following: Searching | None, search_next: bool) -> None:
    """Raises ValueError when the two are not consecutive epochs of the same kinds."""
    if following is None:
        if search_next:
            raise ValueError("there is no next epoch of terms to search by")
        return
    kinds = (searching.term is None, searching.tokens is None)
    if kinds != (following.term is None, following.tokens is None) or kinds == (True, True):
        raise ValueError("terms and tokens of two epochs are of the same kinds")
    if following.epoch != searching.epoch + 1:
        raise ValueError("the next epoch of a term key follows the current one")


def kinds_that_open(scheme: Scheme) -> list[Scheme]:
    """Padding and search tokens may be switched on and off in a field's life, and epochs of terms change, so all such
    kinds open.  Term, row binding and the subject's secret may not: an envelope without one would be a way around it.
    """
    fixed = scheme & (Scheme.TERM | Scheme.ROW_BOUND | Scheme.SUBJECT)
    free = (Scheme.PADDED, Scheme.TOKENS, Scheme.SECOND, Scheme.EVEN)
    kinds = [fixed]
    for bit in free:
        kinds += [kind | bit for kind in kinds]
    return [kind for kind in kinds if scheme_is_known(kind)]


def _term_function(controller: str, key: TermKey) -> Callable[[bytes], bytes]:
    """From the term input to the whole hash.  Raises NormaliserUnusable."""
    where = prefixed(controller.encode()) + prefixed(key.scope.encode())
    if not key.normalisers:
        exact = keyed_hash(key.material, prefixed(TERM_LABEL) + where)
        return lambda term_input: exact(prefixed(term_input))
    names = prefixed(" ".join(key.normalisers).encode())
    lossy = keyed_hash(key.material, prefixed(NORMALISED_TERM_LABEL) + where + names)
    normalise = normaliser_of(key.normalisers)
    return lambda term_input: lossy(prefixed(normalise(term_input)))
